import type { IndexedPack } from './format/index-document.ts'
import type { IndexFiles } from './index-files.ts'

const INDEX_BLOBS = 50_000

/** New index files in place of those that name packs which go. Packs that another file names already are not named again. */
export class IndexReplacement {
  readonly #files: IndexFiles
  readonly #candidates: ReadonlySet<number>
  #open: IndexedPack[] = []
  #openBlobs = 0
  /** The files that are replaced. */
  readonly old: readonly string[]
  /** Packs that files name which stay. */
  readonly #named = new Set<number>()

  constructor(files: IndexFiles, candidates: ReadonlySet<number>) {
    this.#files = files
    this.#candidates = candidates
    const old: string[] = []
    for (const [id, packs] of files.loaded) {
      if (packs.some((pack) => candidates.has(pack))) old.push(id)
      else for (const pack of packs) this.#named.add(pack)
    }
    this.old = old
  }

  /** Names what stays of them. */
  async write(signal?: AbortSignal): Promise<void> {
    await this.#name((pack) => !this.#candidates.has(pack), signal)
  }

  /** Names those that turned out to be needed. */
  async keep(
    candidates: ReadonlySet<number>,
    doomed: ReadonlySet<number>,
    signal?: AbortSignal,
  ): Promise<void> {
    if (doomed.size === candidates.size) return
    await this.#name((pack) => !doomed.has(pack), signal)
  }

  async #name(isKept: (pack: number) => boolean, signal?: AbortSignal): Promise<void> {
    const { loaded, index } = this.#files
    for (const id of this.old) {
      const packs = loaded.get(id) ?? []
      const wanted = new Set([...packs].filter((pack) => isKept(pack) && !this.#named.has(pack)))
      if (wanted.size === 0) continue
      for (const pack of await this.#files.read(id, signal)) {
        const number = index.packNumber(pack.id)
        if (number === undefined || !wanted.delete(number)) continue
        this.#named.add(number)
        await this.#add(pack)
      }
    }
    await this.#write()
  }

  async #add(pack: IndexedPack): Promise<void> {
    this.#open.push(pack)
    this.#openBlobs += pack.blobs.length
    if (this.#openBlobs >= INDEX_BLOBS) await this.#write()
  }

  async #write(): Promise<void> {
    const packs = this.#open
    this.#open = []
    this.#openBlobs = 0
    if (packs.length === 0) return
    const { id } = await this.#files.writeFile(packs)
    this.#files.adopt(id, packs)
  }
}
