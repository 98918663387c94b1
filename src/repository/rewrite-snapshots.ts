import { isLocked } from '#storage'
import type {
  BlobId,
  EntryFilter,
  FileEntry,
  NewSnapshot,
  RewrittenSnapshot,
  Snapshot,
  SnapshotEditor,
  SnapshotId,
  TreeEditor,
  TreeEntry,
} from './contract.ts'
import { encodeDescendant } from './format/snapshot.ts'
import { rewriteTree } from './rewrite-tree.ts'
import type { Snapshots } from './snapshots.ts'

export interface SnapshotRewrite {
  readonly snapshots: Snapshots
  readonly edit: (editor: SnapshotEditor, snapshot: Snapshot) => Promise<void>
  readonly editTree: (base: BlobId | undefined) => TreeEditor
  readonly readTree: (id: BlobId) => Promise<Uint8Array>
  readonly saveTree: (text: Uint8Array) => Promise<BlobId>
  /** Makes all that was saved durable. */
  readonly flush: () => Promise<void>
  readonly remove: (id: SnapshotId) => Promise<void>
  readonly signal: AbortSignal | undefined
}

/** Writes snapshots again with edited trees, then removes the old ones. */
export const rewriteSnapshots = async (
  rewrite: SnapshotRewrite,
  ids: readonly SnapshotId[],
): Promise<readonly RewrittenSnapshot[]> => {
  const { snapshots, signal } = rewrite
  const edited: { readonly from: Snapshot; readonly tree: BlobId | undefined }[] = []
  const filters = new Filters(rewrite)
  for (const id of ids) {
    signal?.throwIfAborted()
    const from = await snapshots.get(id)
    const editor = new EditedSnapshot(rewrite, filters, from.tree)
    await rewrite.edit(editor, from)
    edited.push({ from, tree: await editor.save() })
  }
  await rewrite.flush()
  const written: { readonly from: SnapshotId; readonly to: SnapshotId | undefined }[] = []
  const { snapshots: there } = await snapshots.readable(signal)
  const known = [...there]
  for (const { from, tree } of edited) {
    const to = await descendant(snapshots, known, from, tree)
    // Two of one line may become one: the second finds what the first became.
    if (to !== undefined && to !== from.id && !known.some(({ id }) => id === to))
      known.push(await snapshots.get(to))
    written.push({ from: from.id, to })
  }
  const report: RewrittenSnapshot[] = []
  for (const each of written) {
    const kept = each.to === each.from ? undefined : await removed(rewrite, each.from)
    report.push({ ...each, ...(kept === undefined ? {} : { kept }) })
  }
  return report
}

/** One that an earlier call wrote before it was cut off is taken. */
const descendant = async (
  snapshots: Snapshots,
  known: readonly Snapshot[],
  from: Snapshot,
  tree: NewSnapshot['tree'] | undefined,
): Promise<SnapshotId | undefined> => {
  if (tree === undefined || tree === from.tree) return tree === undefined ? undefined : from.id
  const original = from.original ?? from.id
  const there = known.find(
    (each) =>
      each.id !== from.id &&
      each.original === original &&
      each.tree === tree &&
      each.time.getTime() === from.time.getTime(),
  )
  if (there !== undefined) return there.id
  const text = encodeDescendant(from.id, await snapshots.document(from.id), { tree })
  return (await snapshots.writeText(text)).id
}

/** Why it is still there, if it is. */
const removed = async (rewrite: SnapshotRewrite, id: SnapshotId): Promise<string | undefined> => {
  try {
    await rewrite.remove(id)
    return undefined
  } catch (error) {
    if (isLocked(error)) return error.message
    throw error
  }
}

/** What filters made of trees, by the path that they were found at. */
class Filters {
  readonly #rewrite: Pick<SnapshotRewrite, 'readTree' | 'saveTree'>
  readonly #results = new Map<EntryFilter, Map<string, Promise<BlobId | undefined>>>()
  readonly #removals = new Map<string, EntryFilter>()

  constructor(rewrite: SnapshotRewrite) {
    this.#rewrite = rewrite
  }

  apply(decide: EntryFilter, tree: BlobId): Promise<BlobId | undefined> {
    let known = this.#results.get(decide)
    if (known === undefined) this.#results.set(decide, (known = new Map()))
    const { readTree: read, saveTree: save } = this.#rewrite
    return rewriteTree(
      {
        read,
        save,
        known,
        decide: async (path, entry) => (entry === undefined ? 'keep' : await decide(path, entry)),
      },
      tree,
    )
  }

  /** The same function for the same paths, so that its results are found again. */
  removal(paths: readonly string[]): EntryFilter {
    const key = JSON.stringify([...paths].sort())
    let filter = this.#removals.get(key)
    if (filter === undefined) this.#removals.set(key, (filter = withoutPaths(paths)))
    return filter
  }
}

const withoutPaths = (paths: readonly string[]): EntryFilter => {
  const going = new Set(paths)
  const above = new Set<string>()
  for (const path of paths)
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
      above.add(path.slice(0, end))
  return (path) => (going.has(path) ? 'drop' : above.has(path) ? 'enter' : 'keep')
}

/** Filters work on saved trees, everything else on an editor; each goes on from where the other ended. */
class EditedSnapshot implements SnapshotEditor {
  readonly #rewrite: SnapshotRewrite
  readonly #filters: Filters
  #editor: TreeEditor

  constructor(rewrite: SnapshotRewrite, filters: Filters, tree: BlobId) {
    this.#rewrite = rewrite
    this.#filters = filters
    this.#editor = rewrite.editTree(tree)
  }

  async removePaths(paths: readonly string[]): Promise<void> {
    await this.filter(this.#filters.removal(paths))
  }

  async filter(decide: EntryFilter): Promise<void> {
    const tree = await this.#editor.save()
    if (tree === undefined) return
    this.#editor = this.#rewrite.editTree(await this.#filters.apply(decide, tree))
  }

  putFile(path: string, file: Omit<FileEntry, 'type' | 'name'>): Promise<void> {
    return this.#editor.putFile(path, file)
  }

  putTree(path: string, subtree: BlobId): Promise<void> {
    return this.#editor.putTree(path, subtree)
  }

  get(path: string): Promise<TreeEntry | undefined> {
    return this.#editor.get(path)
  }

  remove(path: string): Promise<boolean> {
    return this.#editor.remove(path)
  }

  move(from: string, to: string): Promise<void> {
    return this.#editor.move(from, to)
  }

  save(): Promise<BlobId | undefined> {
    return this.#editor.save()
  }
}
