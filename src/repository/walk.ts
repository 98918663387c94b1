import { setImmediate as breathe } from 'node:timers/promises'
import type { BlobIndex } from './blob-index.ts'
import { Bits } from './bits.ts'
import type { BlobReader } from './blob-reader.ts'
import type { BlobId, BlobType, FileEntry } from './contract.ts'
import { hexOf, ID_BYTES } from './format/ids.ts'
import { readTogether, type TreeNames, type TreeWindowsParts } from './tree-windows.ts'

/** Blobs of an index, a bit each. */
export class BlobSet {
  /** Its numbers are those of the set. */
  readonly index: BlobIndex
  readonly #bits: Bits

  constructor(index: BlobIndex) {
    this.index = index
    this.#bits = new Bits(index.size)
  }

  /** Undefined when the index does not know the blob, else whether it was not in the set before. */
  add(type: BlobType, id: BlobId): boolean | undefined {
    const number = this.index.numberOf(type, id)
    return number === undefined ? undefined : this.#bits.add(number)
  }

  /** The same for an id that lies in an array of words. */
  addWords(type: BlobType, ids: Uint32Array, from: number): boolean | undefined {
    const number = this.index.numberOfWords(ids, from, type)
    return number === undefined ? undefined : this.#bits.add(number)
  }

  has(number: number): boolean {
    return this.#bits.has(number)
  }
}

export interface Walk {
  readonly index: BlobIndex
  readonly reader: BlobReader
  /** Told of a blob that no index names, and of a tree that cannot be read. Throws to stop the walk. */
  readonly onProblem: (type: BlobType, id: BlobId, error?: unknown) => void
  /** Told of every file, once a tree. */
  readonly onFile?: (file: FileEntry) => void
  /** Whether a blob is on its way into the repository: it is no problem, and no index names it. */
  readonly isWaiting?: (type: BlobType, id: BlobId) => boolean
  /** What was found before: trees in it are not looked into again. */
  readonly found?: BlobSet
  /** Where no files are asked for: what worker threads need to read many trees in one piece. */
  readonly together?: TreeWindowsParts
  readonly signal: AbortSignal | undefined
}

const TREES_AT_A_TIME = 4096
/** Others have the thread so often while trees come out of memory. */
const TREES_A_BREATH = 64

/** All blobs that trees need, each tree looked into once. */
export const blobsBelow = async (roots: Iterable<BlobId>, walk: Walk): Promise<BlobSet> => {
  const walking = new Walking(roots, walk)
  await walking.run()
  return walking.found
}

class Walking {
  readonly found: BlobSet
  readonly #walk: Walk
  readonly #open: BlobId[]
  /** Trees that are on their way. */
  readonly #waiting = new Set<BlobId>()

  constructor(roots: Iterable<BlobId>, walk: Walk) {
    this.#walk = walk
    this.#open = [...roots]
    this.found = walk.found ?? new BlobSet(walk.index)
  }

  async run(): Promise<void> {
    while (this.#open.length > 0) {
      this.#walk.signal?.throwIfAborted()
      const next = this.#open.splice(-TREES_AT_A_TIME).filter((id) => this.#isNewTree(id))
      const left = await this.#lookTogether(next)
      for (const [at, id] of left.entries()) {
        if (at % TREES_A_BREATH === 0) await breathe()
        this.#walk.signal?.throwIfAborted()
        await this.#look(id)
      }
    }
  }

  #isNewTree(id: BlobId): boolean {
    const isNew = this.found.add('tree', id)
    if (isNew !== undefined) return isNew
    if (this.#walk.isWaiting?.('tree', id) !== true) {
      this.#walk.onProblem('tree', id)
      return false
    }
    if (this.#waiting.has(id)) return false
    this.#waiting.add(id)
    return true
  }

  #tellMissing(type: BlobType, id: BlobId): void {
    if (this.#walk.isWaiting?.(type, id) !== true) this.#walk.onProblem(type, id)
  }

  /** Returns the trees that have to be looked into one by one. */
  async #lookTogether(trees: readonly BlobId[]): Promise<readonly BlobId[]> {
    const { together, onFile, index, signal } = this.#walk
    if (together === undefined || onFile !== undefined) return trees
    return readTogether(together, index, trees, (names) => this.#take(names), signal)
  }

  #take({ ids, folders }: TreeNames): void {
    const words = ID_BYTES / 4
    const count = ids.length / words
    const idAt = (at: number): BlobId =>
      hexOf(new Uint8Array(ids.buffer, ids.byteOffset + at * ID_BYTES, ID_BYTES)) as BlobId
    for (let at = 0; at < folders; at += 1) this.#open.push(idAt(at))
    for (let at = folders; at < count; at += 1)
      if (this.found.addWords('data', ids, at * words) === undefined) this.#tellMissing('data', idAt(at))
  }

  async #look(id: BlobId): Promise<void> {
    const { reader, onFile, onProblem } = this.#walk
    try {
      for (const entry of await reader.tree(id)) {
        if (entry.type === 'folder') this.#open.push(entry.subtree)
        else {
          onFile?.(entry)
          for (const blob of entry.content)
            if (this.found.add('data', blob) === undefined) this.#tellMissing('data', blob)
        }
      }
    } catch (error) {
      onProblem('tree', id, error)
    }
  }
}
