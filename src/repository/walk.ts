import type { BlobIndex } from './blob-index.ts'
import { Bits } from './bits.ts'
import type { BlobReader } from './blob-reader.ts'
import type { BlobId, BlobType, FileEntry } from './contract.ts'

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
  readonly signal: AbortSignal | undefined
}

/** All blobs that trees need, each tree looked into once. */
export const blobsBelow = async (roots: Iterable<BlobId>, walk: Walk): Promise<BlobSet> => {
  const { index, reader, onProblem, onFile, isWaiting = () => false, signal } = walk
  const found = walk.found ?? new BlobSet(index)
  const waiting = new Set<BlobId>()
  const isNewTree = (id: BlobId): boolean => {
    const isNew = found.add('tree', id)
    if (isNew !== undefined) return isNew
    if (!isWaiting('tree', id)) {
      onProblem('tree', id)
      return false
    }
    if (waiting.has(id)) return false
    waiting.add(id)
    return true
  }
  const open = [...roots]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    signal?.throwIfAborted()
    if (!isNewTree(id)) continue
    try {
      for (const entry of await reader.tree(id)) {
        if (entry.type === 'folder') open.push(entry.subtree)
        else {
          onFile?.(entry)
          for (const blob of entry.content)
            if (found.add('data', blob) === undefined && !isWaiting('data', blob)) onProblem('data', blob)
        }
      }
    } catch (error) {
      onProblem('tree', id, error)
    }
  }
  return found
}
