import { conflict, invalid } from '#base'
import type { BlobId, FileEntry, TreeEditor, TreeEntry } from './contract.ts'
import { checkPlainName } from './format/go-quote.ts'

export interface EditedTreeOptions {
  readonly readTree: (id: BlobId) => Promise<readonly TreeEntry[]>
  readonly saveTree: (entries: Iterable<TreeEntry>) => Promise<BlobId>
  readonly base: BlobId | undefined
}

/** A folder that was loaded because something below it is touched. */
interface LoadedFolder {
  readonly type: 'loaded'
  readonly children: Map<string, TreeEntry | LoadedFolder>
  /** What it was loaded from; undefined once something in it or below it changed. */
  unchanged: { readonly subtree: BlobId; readonly modifiedAt: Date } | undefined
}

const LONG_AGO = new Date(0)

/**
 * Edits by path. A folder's time is the newest of its children's, so that equal content gives equal trees whatever the
 * way that led there. One edit follows the other: concurrent calls wait in line.
 */
export class EditedTree implements TreeEditor {
  readonly #options: EditedTreeOptions
  #root: LoadedFolder | undefined
  #base: BlobId | undefined
  #line: Promise<unknown> = Promise.resolve()

  constructor(options: EditedTreeOptions) {
    this.#options = options
    this.#base = options.base
  }

  putFile(path: string, file: Omit<FileEntry, 'type' | 'name'>): Promise<void> {
    return this.#next(async () => {
      const { parents, name } = split(path)
      const folder = await this.#folder(parents)
      if (folder.children.has(name) && folder.children.get(name)!.type !== 'file') {
        throw conflict(`${path} is a folder`)
      }
      await this.#change(parents)
      folder.children.set(name, { ...file, type: 'file', name })
    })
  }

  putTree(path: string, subtree: BlobId): Promise<void> {
    return this.#next(async () => {
      const { parents, name } = split(path)
      const modifiedAt = newestOf(await this.#options.readTree(subtree))
      const folder = await this.#folder(parents)
      await this.#change(parents)
      folder.children.set(name, { type: 'folder', name, modifiedAt, subtree })
    })
  }

  get(path: string): Promise<TreeEntry | undefined> {
    return this.#next(async () => {
      const { parents, name } = split(path)
      const folder = await this.#existing(parents)
      const found = folder?.children.get(name)
      if (found === undefined || found.type !== 'loaded') return found
      return this.#saveFolder(found, name)
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
      toFolder.children.set(target.name, moved.type === 'loaded' ? moved : { ...moved, name: target.name })
      this.#dropEmpty(source.parents)
    })
  }

  save(): Promise<BlobId | undefined> {
    return this.#next(async () => {
      if (this.#root === undefined) return this.#base
      const saved = await this.#saveFolder(this.#root, '')
      this.#base = saved?.subtree
      this.#root = undefined
      return this.#base
    })
  }

  /** Loaded folders that are left empty vanish: undefined. */
  async #saveFolder(folder: LoadedFolder, name: string) {
    if (folder.unchanged !== undefined) return { type: 'folder' as const, name, ...folder.unchanged }
    const entries: TreeEntry[] = []
    for (const [childName, child] of folder.children) {
      const entry = child.type === 'loaded' ? await this.#saveFolder(child, childName) : child
      if (entry !== undefined) entries.push(entry)
    }
    if (entries.length === 0) return undefined
    const subtree = await this.#options.saveTree(entries)
    return { type: 'folder' as const, name, modifiedAt: newestOf(entries), subtree }
  }

  async #loadedRoot(): Promise<LoadedFolder> {
    this.#root ??= this.#base === undefined ? newFolder() : await this.#load(this.#base)
    return this.#root
  }

  async #load(subtree: BlobId): Promise<LoadedFolder> {
    const entries = await this.#options.readTree(subtree)
    return {
      type: 'loaded',
      children: new Map(entries.map((entry) => [entry.name, entry])),
      unchanged: { subtree, modifiedAt: newestOf(entries) },
    }
  }

  /** The folder at a path; undefined when there is none. */
  async #existing(names: readonly string[]): Promise<LoadedFolder | undefined> {
    let folder = await this.#loadedRoot()
    for (const name of names) {
      const child = folder.children.get(name)
      if (child === undefined || child.type === 'file') return undefined
      folder = await this.#loadedChild(folder, name, child)
    }
    return folder
  }

  /** The folder at a path, made where there is none. Throws `conflict` where a file is in the way. */
  async #folder(names: readonly string[]): Promise<LoadedFolder> {
    let folder = await this.#loadedRoot()
    for (const name of names) {
      const child = folder.children.get(name) ?? newFolder()
      if (child.type === 'file') throw conflict(`${name} is a file, not a folder`)
      folder = await this.#loadedChild(folder, name, child)
    }
    return folder
  }

  async #loadedChild(
    parent: LoadedFolder,
    name: string,
    child: Exclude<TreeEntry, FileEntry> | LoadedFolder,
  ): Promise<LoadedFolder> {
    const loaded = child.type === 'loaded' ? child : await this.#load(child.subtree)
    parent.children.set(name, loaded)
    return loaded
  }

  /** Marks the folders on a way, which are loaded, as changed. */
  async #change(names: readonly string[]): Promise<void> {
    let folder = await this.#loadedRoot()
    folder.unchanged = undefined
    for (const name of names) {
      const child = folder.children.get(name)
      if (child?.type !== 'loaded') return
      child.unchanged = undefined
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
    const result = this.#line.then(edit)
    this.#line = result.catch(() => undefined)
    return result
  }
}

const newFolder = (): LoadedFolder => ({ type: 'loaded', children: new Map(), unchanged: undefined })

const split = (path: string): { readonly parents: readonly string[]; readonly name: string } => {
  const names = path.split('/')
  for (const name of names) checkPlainName(name)
  return { parents: names.slice(0, -1), name: names.at(-1)! }
}

const newestOf = (entries: readonly TreeEntry[]): Date =>
  entries.reduce((newest, { modifiedAt }) => (modifiedAt > newest ? modifiedAt : newest), LONG_AGO)
