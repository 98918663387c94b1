import type { BlobId, TreeEntry } from './contract.ts'
import { treeOfNodes } from './format/tree.ts'
import { type StoredNode, storedNodes, withSubtree } from './format/tree-nodes.ts'

export interface TreeRewrite {
  readonly read: (id: BlobId) => Promise<Uint8Array>
  readonly save: (tree: Uint8Array) => Promise<BlobId>
  /** Told of trees that were looked into and stay as they are. */
  readonly onUnchanged?: (id: BlobId) => void
  /** What becomes of a node; `enter` asks for what is below a folder. `entry` is absent for links and the like. */
  readonly decide: (path: string, entry: TreeEntry | undefined) => Promise<'keep' | 'drop' | 'enter'>
  /** What became of trees at their paths, kept from one rewrite to the next with the same `decide`. */
  readonly known?: Map<string, Promise<BlobId | undefined>>
}

/** Writes a tree again without what is dropped. The same id when nothing is, undefined when nothing is left. */
export const rewriteTree = (rewrite: TreeRewrite, id: BlobId, path = ''): Promise<BlobId | undefined> => {
  const key = `${id}${path}`
  const before = rewrite.known?.get(key)
  if (before !== undefined) return before
  const result = rewriteNodes(rewrite, id, path)
  rewrite.known?.set(key, result)
  return result
}

const rewriteNodes = async (rewrite: TreeRewrite, id: BlobId, path: string): Promise<BlobId | undefined> => {
  const nodes = storedNodes(await rewrite.read(id))
  const texts: string[] = []
  for (const node of nodes) {
    const text = await rewritten(rewrite, node, path === '' ? node.name : `${path}/${node.name}`)
    if (text !== undefined) texts.push(text)
  }
  if (texts.length === nodes.length && texts.every((text, at) => text === nodes[at]!.text)) {
    rewrite.onUnchanged?.(id)
    return id
  }
  return texts.length === 0 ? undefined : rewrite.save(treeOfNodes(texts))
}

const rewritten = async (
  rewrite: TreeRewrite,
  { entry, text }: StoredNode,
  path: string,
): Promise<string | undefined> => {
  const decision = await rewrite.decide(path, entry)
  if (decision === 'drop') return undefined
  if (decision === 'keep' || entry?.type !== 'folder') return text
  const subtree = await rewriteTree(rewrite, entry.subtree, path)
  return subtree === undefined ? undefined : withSubtree(text, entry.subtree, subtree)
}
