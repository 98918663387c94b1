import { nameKey, storedName, uniqueName } from '#formats'
import type { MailFolder } from '#items'
import type { StoredFolder } from '../catalogue/object-state.ts'

export interface FolderPlan {
  /** Parents before children. Tokens of known folders are kept. */
  readonly folders: readonly StoredFolder[]
  /** Folders that are no more; their path after all moves. */
  readonly gone: readonly { readonly folder: StoredFolder; readonly path: string }[]
  /** To be done in this order, before anything else. */
  readonly moves: readonly { readonly from: string; readonly to: string }[]
}

/** A mail folder's messages lie below folders named by the year: no folder may have such a name. */
const isYear = (key: string): boolean => /^\d{4}$/.test(key)

/**
 * Brings the tree's folders after those of the mailbox. A new or renamed folder never takes a name that is in use at that
 * moment, so no move meets an obstacle, also when two folders change names; names are then numbered.
 */
export const planFolders = (known: readonly StoredFolder[], now: readonly MailFolder[]): FolderPlan => {
  const places = new FolderPlaces(known)
  const moves: { from: string; to: string }[] = []
  const folders: StoredFolder[] = []
  for (const folder of parentsFirst(now)) {
    const old = places.get(folder.id)
    const isInPlace =
      old !== undefined &&
      (old.parentId ?? '') === (folder.parentId ?? '') &&
      storedName(old.name) === storedName(folder.name)
    const segment = isInPlace ? old.segment : places.freeName(folder)
    const from = old === undefined ? undefined : places.path(folder.id)
    const stored = storedFolder(folder, segment, old)
    places.set(stored)
    folders.push(stored)
    const to = places.path(folder.id)
    if (from !== undefined && from !== to && !isInPlace) moves.push({ from, to })
  }
  const there = new Set(now.map(({ id }) => id))
  const gone = known
    .filter(({ id }) => !there.has(id))
    .map((folder) => ({ folder, path: places.path(folder.id) }))
  return { folders, moves, gone }
}

/** Paths of folders below the object's tree. */
export const folderPaths = (folders: readonly StoredFolder[]): ReadonlyMap<string, string> => {
  const places = new FolderPlaces(folders)
  return new Map(folders.map(({ id }) => [id, places.path(id)]))
}

class FolderPlaces {
  readonly #folders: Map<string, StoredFolder>
  constructor(folders: readonly StoredFolder[]) {
    this.#folders = new Map(folders.map((folder) => [folder.id, folder]))
  }

  get(id: string): StoredFolder | undefined {
    return this.#folders.get(id)
  }

  set(folder: StoredFolder): void {
    this.#folders.set(folder.id, folder)
  }

  path(id: string): string {
    const segments: string[] = []
    const passed = new Set<string>()
    for (let at = this.#folders.get(id); at !== undefined && !passed.has(at.id);) {
      segments.unshift(at.segment)
      passed.add(at.id)
      at = at.parentId === undefined ? undefined : this.#folders.get(at.parentId)
    }
    return segments.join('/')
  }

  freeName(folder: MailFolder): string {
    const taken = new Set<string>()
    for (const { id, parentId, segment } of this.#folders.values())
      if (id !== folder.id && (parentId ?? '') === (folder.parentId ?? '')) taken.add(nameKey(segment))
    return uniqueName(storedName(folder.name), (key) => isYear(key) || taken.has(key))
  }
}

/** A folder whose parent is not listed, or that is its own ancestor, stands at the top. */
const parentsFirst = (folders: readonly MailFolder[]): MailFolder[] => {
  const byId = new Map(folders.map((folder) => [folder.id, folder]))
  const sorted = new Map<string, MailFolder>()
  const visit = (folder: MailFolder, below: ReadonlySet<string>): void => {
    if (sorted.has(folder.id)) return
    const parent = folder.parentId === undefined ? undefined : byId.get(folder.parentId)
    if (parent === undefined || below.has(parent.id)) {
      const { parentId: _none, ...top } = folder
      sorted.set(folder.id, top)
      return
    }
    visit(parent, new Set([...below, folder.id]))
    sorted.set(folder.id, folder)
  }
  for (const folder of folders) visit(folder, new Set([folder.id]))
  return [...sorted.values()]
}

const storedFolder = (
  { id, parentId, name, wellKnownName, isHidden }: MailFolder,
  segment: string,
  old: StoredFolder | undefined,
): StoredFolder => ({
  id,
  name,
  segment,
  isHidden,
  ...(parentId === undefined ? {} : { parentId }),
  ...(wellKnownName === undefined ? {} : { wellKnownName }),
  ...(old?.token === undefined ? {} : { token: old.token }),
  ...(old?.isResyncing === true ? { isResyncing: true } : {}),
})
