import type { IndexFiles } from './index-files.ts'
import type { PickPacksResult } from './workers/rewrite-index.ts'

const INDEX_BLOBS = 50_000

/** New index files in place of those that name packs which go. Packs that another file names already are not named again. */
export class IndexReplacement {
  readonly #files: IndexFiles
  readonly #candidates: ReadonlySet<number>
  #open: PickPacksResult[] = []
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
      for (const pack of wanted) this.#named.add(pack)
      await this.#add(
        await this.#files.pick(
          id,
          [...wanted].map((pack) => index.packs[pack]!),
          signal,
        ),
      )
    }
    await this.#write()
  }

  /** A file names at most half again as much as is usual, so that few are made in place of many. */
  async #add(picked: PickPacksResult): Promise<void> {
    if (picked.blobs === 0) return
    if (this.#openBlobs + picked.blobs > INDEX_BLOBS * 1.5) await this.#write()
    this.#open.push(picked)
    this.#openBlobs += picked.blobs
    if (this.#openBlobs >= INDEX_BLOBS) await this.#write()
  }

  async #write(): Promise<void> {
    const picked = this.#open
    this.#open = []
    this.#openBlobs = 0
    if (picked.length > 0) await this.#files.writePicked(picked)
  }
}
