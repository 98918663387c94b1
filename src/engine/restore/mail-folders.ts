import type { MailFolder } from '#items'
import type { MailboxTarget } from '../connectors/connectors.ts'

/** A folder as a restore point knows it. */
export interface SavedFolder {
  readonly id: string
  readonly parentId?: string
  readonly name: string
  readonly wellKnownName?: string
}

/** The chain of folders from the top down to `id`. A folder whose parent is unknown counts as a top one. */
export const folderChain = (folders: ReadonlyMap<string, SavedFolder>, id: string): SavedFolder[] => {
  const chain: SavedFolder[] = []
  const seen = new Set<string>()
  let folder = folders.get(id)
  while (folder !== undefined && !seen.has(folder.id)) {
    chain.unshift(folder)
    seen.add(folder.id)
    folder = folder.parentId === undefined ? undefined : folders.get(folder.parentId)
  }
  return chain
}

/**
 * Finds a restore point's folders in a live mailbox, and makes those that are missing. Folders are found by id (in the
 * mailbox they came from), by well-known name, else by name below their parent.
 */
export class TargetFolders {
  readonly #target: MailboxTarget
  readonly #signal: AbortSignal | undefined
  readonly #live: MailFolder[]
  /** Several messages may want one folder at the same time: it is looked for, and made, once. */
  readonly #resolved = new Map<string, Promise<string>>()
  readonly #made = new Map<string, Promise<string>>()

  private constructor(target: MailboxTarget, live: readonly MailFolder[], signal: AbortSignal | undefined) {
    this.#target = target
    this.#live = [...live]
    this.#signal = signal
  }

  static async load(target: MailboxTarget, signal?: AbortSignal): Promise<TargetFolders> {
    return new TargetFolders(target, await target.folders(signal), signal)
  }

  /** Where a message is now, by its folder's id. */
  byId(id: string): MailFolder | undefined {
    return this.#live.find((folder) => folder.id === id)
  }

  /** The live folder for a chain of saved ones; with `below`, the chain hangs under that folder instead of the root. */
  async place(chain: readonly SavedFolder[], below?: string): Promise<string> {
    const last = chain.at(-1)
    if (last === undefined) return below ?? (await this.#child('Restored', undefined))
    const key = `${below ?? ''}/${last.id}`
    return once(this.#resolved, key, () =>
      below === undefined ? this.#inPlace(chain, last) : this.#byNames(chain, below),
    )
  }

  /** A folder by its path of names, made where it is missing: `Restored/2026`. */
  async placeByPath(path: string): Promise<string> {
    const names = path.split(/[\\/]/).filter((name) => name.trim() !== '')
    let parent: string | undefined
    for (const name of names) parent = await this.#child(name, parent)
    return parent ?? (await this.#child('Restored', undefined))
  }

  async #inPlace(chain: readonly SavedFolder[], last: SavedFolder): Promise<string> {
    const same = this.byId(last.id)
    if (same !== undefined) return same.id
    const wellKnown = last.wellKnownName
    const equal = wellKnown === undefined ? undefined : this.#live.find((f) => f.wellKnownName === wellKnown)
    if (equal !== undefined) return equal.id
    const parents = chain.slice(0, -1)
    const parent = parents.length === 0 ? undefined : await this.place(parents)
    return this.#child(last.name, parent)
  }

  async #byNames(chain: readonly SavedFolder[], below: string): Promise<string> {
    let parent = below
    for (const folder of chain) parent = await this.#child(folder.name, parent)
    return parent
  }

  #child(name: string, parentId: string | undefined): Promise<string> {
    const wanted = name.toLowerCase()
    return once(this.#made, `${parentId ?? ''}/${wanted}`, async () => {
      const found = this.#live.find((f) => f.parentId === parentId && f.name.toLowerCase() === wanted)
      if (found !== undefined) return found.id
      const made = await this.#target.createFolder(name, parentId, this.#signal)
      this.#live.push(made)
      return made.id
    })
  }
}

/** What `make` gives, asked for once however many ask; a failure is forgotten, so that the next one tries again. */
const once = (
  known: Map<string, Promise<string>>,
  key: string,
  make: () => Promise<string>,
): Promise<string> => {
  const there = known.get(key)
  if (there !== undefined) return there
  const made = make().catch((error: unknown) => {
    known.delete(key)
    throw error
  })
  known.set(key, made)
  return made
}
