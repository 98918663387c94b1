import { corrupt } from '#base'
import type { BlobId, FileEntry, FolderEntry, TreeEntry } from '../contract.ts'
import { type Fields, fieldsOf, listOf, parseJson } from './document.ts'
import { goJsonString, goTime, parseGoTime } from './go-json.ts'
import { bytesOfText, checkPlainName, unquoteName } from './go-quote.ts'
import { parseId } from './ids.ts'

const FILE_MODE = 0o600
/** Go's directory bit with 0700. */
const FOLDER_MODE = 2 ** 31 + 0o700

/** Ascending by the bytes of the names, as every tree is. */
export const compareNames = (a: string, b: string): number => {
  // UTF-16 order and UTF-8 order differ only where a surrogate meets a character above it.
  if (!/[\ud800-\uffff]/.test(a) && !/[\ud800-\uffff]/.test(b)) return a < b ? -1 : a > b ? 1 : 0
  return Buffer.compare(bytesOfText(a), bytesOfText(b))
}

/** The canonical text of a tree. Sorts; throws `invalid` for a name that cannot be stored, `corrupt` for a double one. */
export const encodeTree = (entries: Iterable<TreeEntry>): Buffer => {
  const sorted = [...entries].sort((a, b) => compareNames(a.name, b.name))
  const nodes = sorted.map((entry, at) => {
    checkPlainName(entry.name)
    if (sorted[at - 1]?.name === entry.name) throw corrupt('a folder has two entries of one name')
    return encodeNode(entry)
  })
  return treeOfNodes(nodes)
}

/** The canonical text of one node. The name has to be a plain one. */
export const encodeNode = (entry: TreeEntry): string =>
  entry.type === 'file' ? fileNode(entry) : folderNode(entry)

/** The stored form of a tree, from texts of nodes in the order of their names. */
export const treeOfNodes = (texts: readonly string[]): Buffer =>
  Buffer.from(`{"nodes":[${texts.join(',')}]}\n`)

const fileNode = (entry: FileEntry): string => {
  const modified = goTime(entry.modifiedAt)
  const created = entry.createdAt === undefined ? modified : goTime(entry.createdAt)
  const size = entry.sizeBytes === 0 ? '' : `,"size":${entry.sizeBytes}`
  const content = entry.content.length === 0 ? '[]' : `["${entry.content.join('","')}"]`
  return (
    `{"name":${goJsonString(entry.name)},"type":"file","mode":${FILE_MODE},"mtime":"${modified}","atime":"${modified}",` +
    `"ctime":"${created}","uid":0,"gid":0${size},"content":${content}}`
  )
}

const folderNode = (entry: FolderEntry): string => {
  const modified = goTime(entry.modifiedAt)
  return (
    `{"name":${goJsonString(entry.name)},"type":"dir","mode":${FOLDER_MODE},"mtime":"${modified}","atime":"${modified}",` +
    `"ctime":"${modified}","uid":0,"gid":0,"content":null,"subtree":"${entry.subtree}"}`
  )
}

/** A node as stored; `entry` is absent for what Holdfast does not keep, such as links. */
export interface TreeNode {
  readonly name: string
  readonly entry?: TreeEntry
}

/** Every node of a tree, in its order. Throws `corrupt` where the text, the order or a name is wrong. */
export const decodeTree = (text: Uint8Array): readonly TreeNode[] => {
  const nodes = listOf(fieldsOf(parseJson(text), 'a tree')['nodes'], 'a tree').map(decodeNode)
  for (let at = 1; at < nodes.length; at += 1) {
    if (compareNames(nodes[at - 1]!.name, nodes[at]!.name) >= 0) throw corrupt('a tree is not in order')
  }
  return nodes
}

const decodeNode = (value: unknown): TreeNode => {
  const node = fieldsOf(value, 'a tree node')
  const name = nameOf(node['name'])
  if (node['type'] === 'file') return { name, entry: decodeFile(node, name) }
  if (node['type'] === 'dir') {
    const subtree = parseId(node['subtree']) as BlobId
    return { name, entry: { type: 'folder', name, modifiedAt: timeOf(node['mtime']), subtree } }
  }
  return { name }
}

const nameOf = (value: unknown): string => {
  if (typeof value !== 'string') throw corrupt('a tree node has no name')
  const name = unquoteName(value)
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) {
    throw corrupt('a tree node has a name that no file can have')
  }
  return name
}

const decodeFile = (node: Fields, name: string): FileEntry => {
  const sizeBytes = node['size'] ?? 0
  if (typeof sizeBytes !== 'number' || !Number.isSafeInteger(sizeBytes) || sizeBytes < 0) {
    throw corrupt('a file has a size that is none')
  }
  const content = listOf(node['content'], 'the content of a file').map((id) => parseId(id) as BlobId)
  const modifiedAt = timeOf(node['mtime'])
  const createdAt = timeOf(node['ctime'])
  const isCreation = createdAt.getTime() !== modifiedAt.getTime()
  return { type: 'file', name, modifiedAt, ...(isCreation ? { createdAt } : {}), sizeBytes, content }
}

const timeOf = (value: unknown): Date => {
  const time = parseGoTime(value)
  if (time === undefined) throw corrupt('a tree node has a time that is none')
  return time
}
