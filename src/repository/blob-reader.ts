import { corrupt, isHoldfastError, notFound } from '#base'
import type { BlobLocation } from './blob-index.ts'
import type { BlobId, BlobType, FileEntry, TreeEntry } from './contract.ts'
import { SEAL_BYTES } from './format/sealing.ts'
import { decodeTree } from './format/tree.ts'
import type { IndexFiles } from './index-files.ts'
import type { PackWindows } from './pack-windows.ts'

export interface BlobReaderOptions {
  readonly files: Pick<IndexFiles, 'index' | 'refresh'>
  readonly windows: PackWindows
  /** A blob that a writer of this process holds and has not stored yet. */
  readonly readWaiting: (type: BlobType, id: BlobId) => Promise<Uint8Array | undefined>
}

const TREES_KEPT = 256
/** A folder of more entries is parsed again rather than kept. */
const LARGEST_TREE_KEPT = 2000
const BLOBS_AHEAD = 4

/** Finds and reads blobs, trees and files. */
export class BlobReader {
  readonly #options: BlobReaderOptions
  readonly #trees = new Map<BlobId, readonly TreeEntry[]>()

  constructor(options: BlobReaderOptions) {
    this.#options = options
  }

  /** Throws `not-found` when no index names the blob, `corrupt` when it is not what it was. */
  async readBlob(type: BlobType, id: BlobId): Promise<Uint8Array> {
    const waiting = await this.#options.readWaiting(type, id)
    if (waiting !== undefined) return waiting
    const blob = await this.#locate(type, id)
    try {
      return await this.#options.windows.read(blob)
    } catch (error) {
      if (!isHoldfastError(error, 'not-found')) throw error
    }
    return this.#readMoved(type, id)
  }

  async #locate(type: BlobType, id: BlobId): Promise<BlobLocation> {
    const { files } = this.#options
    const known = files.index.find(type, id)
    if (known !== undefined) return known
    await files.refresh()
    const found = files.index.find(type, id)
    if (found === undefined) throw notFound(`the repository has no ${type} blob ${id}`)
    return found
  }

  /** Another process pruned: the blob lies in a new pack, which a new index names. */
  async #readMoved(type: BlobType, id: BlobId): Promise<Uint8Array> {
    await this.#options.files.refresh()
    const blob = await this.#locate(type, id)
    try {
      return await this.#options.windows.read(blob)
    } catch (error) {
      if (!isHoldfastError(error, 'not-found')) throw error
      throw corrupt(`pack ${blob.pack}, which holds ${type} blob ${id}, is not stored`, error)
    }
  }

  async tree(id: BlobId): Promise<readonly TreeEntry[]> {
    const kept = this.#trees.get(id)
    if (kept !== undefined) {
      this.#trees.delete(id)
      this.#trees.set(id, kept)
      return kept
    }
    const nodes = decodeTree(await this.readBlob('tree', id))
    const entries = nodes.flatMap(({ entry }) => (entry === undefined ? [] : [entry]))
    if (entries.length > LARGEST_TREE_KEPT) return entries
    this.#trees.set(id, entries)
    if (this.#trees.size > TREES_KEPT) this.#trees.delete(this.#trees.keys().next().value!)
    return entries
  }

  async entryAt(tree: BlobId, path: string): Promise<TreeEntry | undefined> {
    let at = tree
    const names = path.split('/')
    for (const [depth, name] of names.entries()) {
      const entry = (await this.tree(at)).find((each) => each.name === name)
      if (entry === undefined || depth === names.length - 1) return entry
      if (entry.type !== 'folder') return undefined
      at = entry.subtree
    }
    return undefined
  }

  /** Reads some blobs ahead, in the order of the file. */
  async *readFile(
    file: Pick<FileEntry, 'content' | 'sizeBytes'>,
    range: { offset: number; length: number } = { offset: 0, length: file.sizeBytes },
  ): AsyncGenerator<Uint8Array> {
    const wanted = await this.#blobsIn(file, range)
    const ahead: Promise<Uint8Array>[] = []
    let next = 0
    const readAhead = (): void => {
      while (ahead.length < BLOBS_AHEAD && next < wanted.length) {
        const reading = this.readBlob('data', wanted[next]!.id)
        reading.catch(() => undefined)
        ahead.push(reading)
        next += 1
      }
    }
    for (const { from, to } of wanted) {
      readAhead()
      const bytes = await ahead.shift()!
      yield bytes.subarray(from, to)
    }
  }

  /** The parts of blobs that a range of a file is made of. Throws `corrupt` when the blobs do not make up the file. */
  async #blobsIn(
    file: Pick<FileEntry, 'content' | 'sizeBytes'>,
    range: { readonly offset: number; readonly length: number },
  ): Promise<{ readonly id: BlobId; readonly from: number; readonly to: number }[]> {
    const end = Math.min(range.offset + range.length, file.sizeBytes)
    const wanted: { id: BlobId; from: number; to: number }[] = []
    let at = 0
    for (const id of file.content) {
      const length = await this.#plainLength(id)
      const from = Math.max(0, range.offset - at)
      const to = Math.min(length, end - at)
      if (from < to) wanted.push({ id, from, to })
      at += length
    }
    if (at !== file.sizeBytes) throw corrupt('the blobs of a file do not make up its size')
    return wanted
  }

  async #plainLength(id: BlobId): Promise<number> {
    const known = this.#options.files.index.find('data', id)
    if (known === undefined) {
      const waiting = await this.#options.readWaiting('data', id)
      if (waiting !== undefined) return waiting.length
    }
    const blob = known ?? (await this.#locate('data', id))
    return blob.uncompressed === 0 ? blob.length - SEAL_BYTES : blob.uncompressed
  }
}
