import { conflict, invalid } from '#base'
import type { BlobId, FileEntry, FolderEntry, TreeEditor, TreeEntry } from './contract.ts'
import { checkPlainName } from './format/go-quote.ts'
import { compareNames, encodeNode, treeOfNodes } from './format/tree.ts'
import { storedNodes, withName, withSubtree } from './format/tree-nodes.ts'

export interface EditedTreeOptions {
  /** Trees in their stored form. */
  readonly readTree: (id: BlobId) => Promise<Uint8Array>
  readonly saveTree: (tree: Uint8Array) => Promise<BlobId>
  readonly base: BlobId | undefined
  /** Entries of loaded folders that are held in memory before they are saved. */
  readonly mostHeld?: number
}

/** About 20 MB. */
const MOST_HELD = 16_384

/** What lies in a folder and was not looked into. */
interface Node {
  readonly type: 'node'
  /** Absent for what Holdfast does not keep itself, such as links. */
  readonly entry?: TreeEntry
  /** As it is stored, byte for byte; absent for what was put. */
  readonly text?: string
}

/** A folder that was loaded because something below it is touched. */
interface LoadedFolder {
  readonly type: 'loaded'
  readonly children: Map<string, Node | LoadedFolder>
  /** What it was in its parent; absent for the root and for new folders. */
  readonly node?: FolderNode
  /** Cleared once something in it or below it changed. */
  isUnchanged: boolean
}

interface FolderNode extends Node {
  readonly entry: FolderEntry
}

const LONG_AGO = new Date(0)

/**
 * Edits by path. A folder's time is the newest of its children's, so that equal content gives equal trees whatever the
 * way that led there. What somebody else stored keeps its text but for what is edited: links, owners, modes, attributes.
 * One edit follows the other: concurrent calls wait in line. However much is edited, memory stays flat: from time to time
 * what is loaded is saved, and read again where it is touched once more.
 */
export class EditedTree implements TreeEditor {
  readonly #options: EditedTreeOptions
  #root: LoadedFolder | undefined
  #base: BlobId | undefined
  /** Entries of the loaded folders; those that went since are counted still. */
  #held = 0
  /** How many there may be before all is saved. */
  #mostHeld: number | undefined
  #line: Promise<unknown> = Promise.resolve()

  constructor(options: EditedTreeOptions) {
    this.#options = options
    this.#base = options.base
  }

  putFile(path: string, file: Omit<FileEntry, 'type' | 'name'>): Promise<void> {
    return this.#next(async () => {
      const { parents, name } = split(path)
      checkPlainName(name)
      const folder = await this.#folder(parents)
      const there = folder.children.get(name)
      if (there !== undefined && entryOf(there)?.type !== 'file') {
        throw conflict(`${path} is ${entryOf(there) === undefined ? 'neither file nor folder' : 'a folder'}`)
      }
      await this.#change(parents)
      folder.children.set(name, { type: 'node', entry: { ...file, type: 'file', name } })
      this.#held += 1
    })
  }

  putTree(path: string, subtree: BlobId): Promise<void> {
    return this.#next(async () => {
      const { parents, name } = split(path)
      checkPlainName(name)
      const modifiedAt = newestOf(storedNodes(await this.#options.readTree(subtree)))
      const folder = await this.#folder(parents)
      await this.#change(parents)
      folder.children.set(name, { type: 'node', entry: { type: 'folder', name, modifiedAt, subtree } })
      this.#held += 1
    })
  }

  get(path: string): Promise<TreeEntry | undefined> {
    return this.#next(async () => {
      const { parents, name } = split(path)
      const folder = await this.#existing(parents)
      const found = folder?.children.get(name)
      return found?.type === 'loaded' ? (await this.#saveFolder(found, name))?.entry : found?.entry
    })
  }

  remove(path: string): Promise<boolean> {
    return this.#next(async () => {
      const { parents, name } = split(path)
      const folder = await this.#existing(parents)
      if (folder === undefined || !folder.children.has(name)) return false
      await this.#change(parents)
      folder.children.delete(name)
      this.#dropEmpty(parents)
      return true
    })
  }

  move(from: string, to: string): Promise<void> {
    return this.#next(async () => {
      const source = split(from)
      const target = split(to)
      checkPlainName(target.name)
      if (from === to) return
      if (to.startsWith(`${from}/`)) throw invalid(`${from} cannot be moved into itself`)
      const fromFolder = await this.#existing(source.parents)
      const moved = fromFolder?.children.get(source.name)
      if (fromFolder === undefined || moved === undefined) throw conflict(`${from} is not there`)
      if ((await this.#existing(target.parents))?.children.has(target.name)) {
        throw conflict(`${to} is there already`)
      }
      const toFolder = await this.#folder(target.parents)
      await this.#change(source.parents)
      await this.#change(target.parents)
      fromFolder.children.delete(source.name)
      toFolder.children.set(target.name, renamed(moved, target.name))
      this.#dropEmpty(source.parents)
    })
  }

  save(): Promise<BlobId | undefined> {
    return this.#next(() => this.#saveAll())
  }

  async #saveAll(): Promise<BlobId | undefined> {
    if (this.#root === undefined) return this.#base
    if (!this.#root.isUnchanged) this.#base = (await this.#saveFolder(this.#root, ''))?.entry.subtree
    this.#root = undefined
    this.#held = 0
    this.#mostHeld = undefined
    return this.#base
  }

  /** At least twice what one edit takes: a folder that alone is larger is not saved again for each of its files. */
  async #saveWhenMuch(): Promise<void> {
    if (this.#held === 0) return
    this.#mostHeld ??= Math.max(this.#options.mostHeld ?? MOST_HELD, 2 * this.#held)
    if (this.#held > this.#mostHeld) await this.#saveAll()
  }

  /** Loaded folders that are left empty vanish: undefined. */
  async #saveFolder(folder: LoadedFolder, name: string): Promise<FolderNode | undefined> {
    const { children, node, isUnchanged } = folder
    if (isUnchanged && node !== undefined) return node
    const nodes: { readonly name: string; readonly entry?: TreeEntry; readonly text: string }[] = []
    for (const [childName, child] of children) {
      const saved = child.type === 'loaded' ? await this.#saveFolder(child, childName) : child
      if (saved !== undefined) nodes.push({ ...saved, name: childName, text: textOf(saved) })
    }
    if (nodes.length === 0) return undefined
    nodes.sort((a, b) => compareNames(a.name, b.name))
    const subtree = await this.#options.saveTree(treeOfNodes(nodes.map(({ text }) => text)))
    if (node !== undefined && isForeign(node)) return below(node, subtree)
    return { type: 'node', entry: { type: 'folder', name, modifiedAt: newestOf(nodes), subtree } }
  }

  async #loadedRoot(): Promise<LoadedFolder> {
    this.#root ??= this.#base === undefined ? newFolder() : await this.#load(this.#base)
    return this.#root
  }

  async #load(subtree: BlobId, node?: FolderNode): Promise<LoadedFolder> {
    const children = new Map<string, Node>()
    for (const { name, ...child } of storedNodes(await this.#options.readTree(subtree)))
      children.set(name, { type: 'node', ...child })
    this.#held += children.size
    return { type: 'loaded', children, isUnchanged: true, ...(node === undefined ? {} : { node }) }
  }

  /** The folder at a path; undefined when there is none. */
  async #existing(names: readonly string[]): Promise<LoadedFolder | undefined> {
    let folder = await this.#loadedRoot()
    for (const name of names) {
      const child = await this.#loadedChild(folder, name)
      if (child === undefined) return undefined
      folder = child
    }
    return folder
  }

  /** The folder at a path, made where there is none. Throws `conflict` where a file is in the way. */
  async #folder(names: readonly string[]): Promise<LoadedFolder> {
    let folder = await this.#loadedRoot()
    for (const name of names) {
      let child = await this.#loadedChild(folder, name)
      if (child === undefined && folder.children.has(name)) throw conflict(`${name} is not a folder`)
      if (child === undefined) {
        checkPlainName(name)
        folder.children.set(name, (child = newFolder()))
      }
      folder = child
    }
    return folder
  }

  /** Undefined where there is no folder of that name. */
  async #loadedChild(parent: LoadedFolder, name: string): Promise<LoadedFolder | undefined> {
    const child = parent.children.get(name)
    if (child === undefined || child.type === 'loaded') return child
    if (!isFolder(child)) return undefined
    const loaded = await this.#load(child.entry.subtree, child)
    parent.children.set(name, loaded)
    return loaded
  }

  /** Marks the folders on a way, which are loaded, as changed. */
  async #change(names: readonly string[]): Promise<void> {
    let folder = await this.#loadedRoot()
    folder.isUnchanged = false
    for (const name of names) {
      const child = folder.children.get(name)
      if (child?.type !== 'loaded') return
      child.isUnchanged = false
      folder = child
    }
  }

  /** Takes folders on a way away that hold nothing any more: a name is free again at once. */
  #dropEmpty(names: readonly string[]): void {
    const way: LoadedFolder[] = []
    for (let folder = this.#root; folder !== undefined && way.length <= names.length;) {
      way.push(folder)
      const child = folder.children.get(names[way.length - 1] ?? '')
      folder = child?.type === 'loaded' ? child : undefined
    }
    for (let depth = names.length; depth > 0 && way[depth]?.children.size === 0; depth -= 1)
      way[depth - 1]!.children.delete(names[depth - 1]!)
  }

  #next<Result>(edit: () => Promise<Result>): Promise<Result> {
    const result = this.#line.then(async () => {
      await this.#saveWhenMuch()
      return edit()
    })
    this.#line = result.catch(() => undefined)
    return result
  }
}

const newFolder = (): LoadedFolder => ({ type: 'loaded', children: new Map(), isUnchanged: false })

const isFolder = (node: Node): node is FolderNode => node.entry?.type === 'folder'

const entryOf = (child: Node | LoadedFolder): TreeEntry | { readonly type: 'folder' } | undefined =>
  child.type === 'loaded' ? { type: 'folder' } : child.entry

/** What was put has an entry, what was loaded has a text. */
const textOf = ({ entry, text }: Node): string => text ?? encodeNode(entry!)

/** Whether somebody else wrote it, so that its text holds more than its entry. */
const isForeign = (node: FolderNode): boolean =>
  node.text !== undefined && node.text !== encodeNode(node.entry)

/** A folder of somebody else with something else in it. */
const below = ({ entry, text }: FolderNode, subtree: BlobId): FolderNode => ({
  type: 'node',
  entry: { ...entry, subtree },
  text: withSubtree(text!, entry.subtree, subtree),
})

const renamed = (child: Node | LoadedFolder, name: string): Node | LoadedFolder => {
  if (child.type === 'node') return renamedNode(child, name)
  return child.node === undefined ? child : { ...child, node: { ...renamedNode(child.node, name) } }
}

const renamedNode = <Kind extends Node>(node: Kind, name: string): Kind => ({
  ...node,
  ...(node.entry === undefined ? {} : { entry: { ...node.entry, name } }),
  ...(node.text === undefined ? {} : { text: withName(node.text, name) }),
})

/** Names on the way may be odd ones of somebody else; new ones are checked where they are made. */
const split = (path: string): { readonly parents: readonly string[]; readonly name: string } => {
  const names = path.split('/')
  for (const name of names) if (name === '' || name === '.' || name === '..') checkPlainName(name)
  return { parents: names.slice(0, -1), name: names.at(-1)! }
}

const newestOf = (nodes: readonly { readonly entry?: TreeEntry }[]): Date =>
  nodes.reduce(
    (newest, { entry }) => (entry !== undefined && entry.modifiedAt > newest ? entry.modifiedAt : newest),
    LONG_AGO,
  )
