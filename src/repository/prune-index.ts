import type { BlobIndex } from './blob-index.ts'
import { concurrently } from './concurrently.ts'
import type { IndexFilePart, IndexFiles } from './index-files.ts'

/** What an index file names, as far as it can be helped: restic and writers fill theirs so, and half as much again is allowed. */
const FILE_BLOBS = 75_000
/** So many are read into memory to make one of them. */
const FILE_PARTS = 4

/** New index files in place of those that name packs which go. Packs that another file names already are not named again. */
export class IndexReplacement {
  readonly #files: IndexFiles
  readonly #candidates: ReadonlySet<number>
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
    await concurrently(this.#newFiles(isKept), this.#files.jobsAtOnce, async (parts) => {
      signal?.throwIfAborted()
      await this.#files.rewrite(parts, signal)
    })
  }

  /** What each new file is made of, so that few are made in place of many. */
  #newFiles(isKept: (pack: number) => boolean): readonly (readonly IndexFilePart[])[] {
    const { loaded, index } = this.#files
    const made: IndexFilePart[][] = []
    let room = 0
    for (const id of this.old) {
      const packs = [...(loaded.get(id) ?? [])].filter((pack) => isKept(pack) && !this.#named.has(pack))
      if (packs.length === 0) continue
      const blobs = blobsIn(index, packs)
      const isNew = blobs > room || (made.at(-1)?.length ?? FILE_PARTS) >= FILE_PARTS
      if (isNew) {
        made.push([])
        room = FILE_BLOBS
      }
      made.at(-1)!.push({ id, packs: packs.map((pack) => index.packs[pack]!) })
      room -= blobs
      for (const pack of packs) this.#named.add(pack)
    }
    return made
  }
}

const blobsIn = (index: BlobIndex, packs: readonly number[]): number => {
  let blobs = 0
  for (const pack of packs) for (const [from, to] of index.rowsIn(pack)) blobs += to - from
  return blobs
}
