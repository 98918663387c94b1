import type { BlobIndex } from './blob-index.ts'
import type { BlobReader } from './blob-reader.ts'
import type { BlobId, BlobType, FileEntry } from './contract.ts'

/** Blobs of an index, a bit each. */
export class BlobSet {
  readonly #index: BlobIndex
  readonly #bits: Uint8Array

  constructor(index: BlobIndex) {
    this.#index = index
    this.#bits = new Uint8Array((index.size + 7) >> 3)
  }

  /** Undefined when the index does not know the blob, else whether it was not in the set before. */
  add(type: BlobType, id: BlobId): boolean | undefined {
    const number = this.#index.numberOf(type, id)
    if (number === undefined || number >> 3 >= this.#bits.length) return undefined
    const bit = 1 << (number & 7)
    if ((this.#bits[number >> 3]! & bit) !== 0) return false
    this.#bits[number >> 3]! |= bit
    return true
  }

  has(number: number): boolean {
    return (this.#bits[number >> 3]! & (1 << (number & 7))) !== 0
  }
}

export interface Walk {
  readonly index: BlobIndex
  readonly reader: BlobReader
  /** Told of a blob that no index names, and of a tree that cannot be read. Throws to stop the walk. */
  readonly onProblem: (type: BlobType, id: BlobId, error?: unknown) => void
  /** Told of every file, once a tree. */
  readonly onFile?: (file: FileEntry) => void
  readonly signal: AbortSignal | undefined
}

/** All blobs that trees need, each tree looked into once. */
export const blobsBelow = async (roots: Iterable<BlobId>, walk: Walk): Promise<BlobSet> => {
  const { index, reader, onProblem, onFile, signal } = walk
  const found = new BlobSet(index)
  const open = [...roots]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    signal?.throwIfAborted()
    const isNew = found.add('tree', id)
    if (isNew === undefined) onProblem('tree', id)
    if (isNew !== true) continue
    try {
      for (const entry of await reader.tree(id)) {
        if (entry.type === 'folder') open.push(entry.subtree)
        else {
          onFile?.(entry)
          for (const blob of entry.content) if (found.add('data', blob) === undefined) onProblem('data', blob)
        }
      }
    } catch (error) {
      onProblem('tree', id, error)
    }
  }
  return found
}
