import { corrupt, HoldfastError, isHoldfastError, messageOf, type Random } from '#base'
import type { Storage } from '#storage'
import { BlobIndex } from './blob-index.ts'
import { openDocument, sealIndexText } from './format/document.ts'
import { newPrintFactors, type PrintFactors } from './format/id-print.ts'
import { isId, sha256Hex } from './format/ids.ts'
import { columnsIn, type IndexColumns } from './format/index-columns.ts'
import { decodeIndex, encodeIndex, type IndexedPack } from './format/index-document.ts'
import type { PackedBlob } from './format/pack-header.ts'
import { IV_BYTES, type KeySet } from './format/sealing.ts'
import type { BlobId, BlobType } from './contract.ts'
import { isDamage } from './damage.ts'
import { readPackHeader } from './pack-header-file.ts'
import { ownBytes } from './read-own.ts'
import { release } from './release.ts'
import { Traces } from './traces.ts'
import type { OldIndexFile } from './workers/rewrite-index.ts'
import type { WorkerPool } from './workers/worker-pool.ts'

export interface IndexFilesOptions {
  readonly storage: Storage
  readonly key: KeySet
  readonly random: Random
  readonly pool: WorkerPool
}

const FOLDER = 'index'

/** An index file, and some packs that it names. */
export interface IndexFilePart {
  readonly id: string
  readonly packs: readonly string[]
}

/** The index in force, and the packs that are stored but named by no index file yet. */
export class IndexFiles {
  readonly #storage: Storage
  readonly #key: KeySet
  readonly #random: Random
  readonly #pool: WorkerPool
  readonly #factors: PrintFactors
  #index: BlobIndex
  /** Index files that were read, with the numbers of the packs that they name. */
  #loaded = new Map<string, Uint32Array>()
  #unnamed: IndexedPack[] = []
  #unnamedBlobs = 0
  #damaged = new Map<string, string>()
  /** Index files that are replaced, and the packs that those still stored name. They are not read again. */
  readonly #retired = new Map<string, readonly string[]>()
  #refreshing: Promise<void> = Promise.resolve()
  /** One after the other, so that all is named when one resolves. */
  #writing: Promise<unknown> = Promise.resolve()
  /** What writers lean on, by the numbers of the index. */
  readonly traces = new Traces()

  constructor({ storage, key, random, pool }: IndexFilesOptions) {
    this.#storage = storage
    this.#key = key
    this.#random = random
    this.#factors = newPrintFactors(random)
    this.#index = new BlobIndex(this.#factors)
    this.#pool = pool
  }

  get index(): BlobIndex {
    return this.#index
  }

  /** Blobs in stored packs that no index file names yet. */
  get unnamedBlobs(): number {
    return this.#unnamedBlobs
  }

  /** Index files that cannot be read, and why. What they alone name is missing until a repair. */
  get damaged(): ReadonlyMap<string, string> {
    return this.#damaged
  }

  /** The names of the index files. */
  async list(signal?: AbortSignal): Promise<string[]> {
    return listIds(this.#storage, FOLDER, signal)
  }

  /** Whether a blob is stored, for a writer that leans on it from now on. */
  use(type: BlobType, id: BlobId): boolean {
    const number = this.#index.numberOf(type, id)
    if (number !== undefined) this.traces.blob(number)
    return number !== undefined
  }

  /** Reads what is new; everything when a file that was read is gone, because packs went with it. */
  refresh(signal?: AbortSignal): Promise<void> {
    const refreshing = this.#refreshing.then(() => this.#refresh(signal))
    this.#refreshing = refreshing.catch(() => undefined)
    return refreshing
  }

  async #refresh(signal?: AbortSignal): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#readNew(signal)
      } catch (error) {
        // An index file may be replaced between being listed and being read.
        if (attempt === 3 || !isHoldfastError(error, 'not-found')) throw error
      }
    }
  }

  async #readNew(signal?: AbortSignal): Promise<void> {
    const sizes = await this.#sizes(signal)
    const isWhole = [...this.#loaded.keys()].every((id) => sizes.has(id))
    if (isWhole && sizes.size === this.#loaded.size) return
    // An empty one is made anew, to have room for what comes.
    const isCurrent = isWhole && this.#index.size > 0
    const index = isCurrent ? this.#index : new BlobIndex(this.#factors)
    const loaded = isCurrent ? this.#loaded : new Map<string, Uint32Array>()
    const before = this.#index
    if (!isCurrent) this.#damaged = new Map()
    const missing = [...sizes.keys()].filter((id) => !loaded.has(id))
    for await (const [id, columns] of this.#readColumns(missing, signal)) {
      if (index.size === 0)
        index.reserve(
          expectedRows(
            columns,
            sizes.get(id)!,
            missing.map((each) => sizes.get(each)!),
          ),
        )
      // It may have been written, or replaced, by this process while others were read.
      if (!loaded.has(id) && !this.#retired.has(id)) loaded.set(id, index.addColumns(columns))
      release(columns.ids)
    }
    if (isCurrent) return
    if (this.#index !== before) return this.#readNew(signal)
    for (const pack of this.#unnamed) index.addPack(pack)
    this.#use(index, loaded)
  }

  #use(index: BlobIndex, loaded: Map<string, Uint32Array>): void {
    this.#index = index
    this.#loaded = loaded
    this.traces.renumbered()
  }

  /** Index files and their sizes, in the order of their names. */
  async #sizes(signal?: AbortSignal): Promise<Map<string, number>> {
    const sizes: [string, number][] = []
    for await (const { path, sizeBytes } of this.#storage.list(FOLDER, signal)) {
      const name = path.slice(path.lastIndexOf('/') + 1)
      if (isId(name) && !this.#retired.has(name)) sizes.push([name, sizeBytes])
    }
    return new Map(sizes.sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  /** Files in their order; some are read and scanned ahead. */
  async *#readColumns(
    ids: readonly string[],
    signal?: AbortSignal,
  ): AsyncGenerator<readonly [string, IndexColumns]> {
    const ahead: Promise<IndexColumns>[] = []
    let next = 0
    for (const id of ids) {
      while (next < ids.length && ahead.length <= this.#pool.size) {
        const reading = this.#columnsOf(ids[next]!, signal)
        reading.catch(() => undefined)
        ahead.push(reading)
        next += 1
      }
      yield [id, await ahead.shift()!]
    }
  }

  /** A damaged file must not hide what the others name. */
  async #columnsOf(id: string, signal?: AbortSignal): Promise<IndexColumns> {
    const sealed = await this.#storage.read(`${FOLDER}/${id}`, undefined, signal)
    const job = {
      kind: 'read-index' as const,
      key: this.#key,
      bytes: ownBytes(sealed),
      factors: this.#factors,
    }
    const { bytes, problem, ...read } = await this.#pool.run(job)
    if (problem !== undefined) this.#damaged.set(id, `index ${id}: ${problem}`)
    return columnsIn({ buffer: bytes.buffer, ...read })
  }

  /** What one index file names. Throws `corrupt`. */
  async read(id: string, signal?: AbortSignal): Promise<readonly IndexedPack[]> {
    const sealed = await this.#storage.read(`${FOLDER}/${id}`, undefined, signal)
    try {
      return decodeIndex(openDocument(this.#key, sealed))
    } catch (error) {
      throw isHoldfastError(error) ? corrupt(`index ${id}: ${messageOf(error)}`, error) : error
    }
  }

  /** The blobs of a pack with their whole ids, as its header says, or else what names it. Throws `corrupt`. */
  async blobsOf(pack: string, signal?: AbortSignal): Promise<readonly PackedBlob[]> {
    try {
      return await readPackHeader(this.#storage, this.#key, pack)
    } catch (error) {
      if (!isDamage(error) && !isHoldfastError(error, 'not-found')) throw error
    }
    const waiting = this.#unnamed.find(({ id }) => id === pack)
    if (waiting !== undefined) return waiting.blobs
    const number = this.#index.packNumber(pack)
    for (const [file, packs] of this.#loaded) {
      if (number === undefined || !packs.includes(number)) continue
      const found = (await this.read(file, signal)).find(({ id }) => id === pack)
      if (found !== undefined) return found.blobs
    }
    throw corrupt(`nothing that can be read says what pack ${pack} holds`)
  }

  /** A pack that is durable. Its blobs count as stored from now on. */
  addPack(pack: IndexedPack): void {
    this.#index.addPack(pack)
    this.traces.pack(this.#index.packNumber(pack.id)!)
    this.#unnamed.push(pack)
    this.#unnamedBlobs += pack.blobs.length
  }

  /** Names all stored packs in an index file. When it fails, the next call tries again. */
  write(): Promise<number> {
    const writing = this.#writing.then(() => this.#write())
    this.#writing = writing.catch(() => undefined)
    return writing
  }

  async #write(): Promise<number> {
    const packs = this.#unnamed
    if (packs.length === 0) return 0
    this.#unnamed = []
    this.#unnamedBlobs = 0
    try {
      const { id, bytes } = await this.writeFile(packs)
      this.#adopt(
        id,
        packs.map((pack) => pack.id),
      )
      return bytes
    } catch (error) {
      this.#unnamed.unshift(...packs)
      this.#unnamedBlobs += packs.reduce((sum, pack) => sum + pack.blobs.length, 0)
      throw error
    }
  }

  /** Writes an index file, unless it is there, without taking it into the index in force. */
  async writeFile(packs: readonly IndexedPack[]): Promise<{ readonly id: string; readonly bytes: number }> {
    const sealed = sealIndexText(this.#key, Buffer.from(encodeIndex(packs)), this.#random.bytes(IV_BYTES))
    const id = sha256Hex(sealed)
    await this.#storage.write(`${FOLDER}/${id}`, [sealed])
    return { id, bytes: sealed.length }
  }

  /** Writes an index file of what others say of some of their packs. Throws `corrupt`. */
  async rewrite(parts: readonly IndexFilePart[], signal?: AbortSignal): Promise<void> {
    const files: OldIndexFile[] = []
    for (const { id, packs } of parts) {
      const bytes = ownBytes(await this.#storage.read(`${FOLDER}/${id}`, undefined, signal))
      files.push({ id, bytes, packs })
    }
    const iv = this.#random.bytes(IV_BYTES)
    const file = await this.#pool.run({ kind: 'rewrite-index', key: this.#key, files, iv })
    if (file.problem !== undefined) throw corrupt(file.problem)
    await this.#storage.write(`${FOLDER}/${file.id}`, [file.bytes])
    release(file.bytes)
    this.#adopt(
      file.id,
      files.flatMap(({ packs }) => packs),
    )
  }

  /** An index file that names nothing new is in force without being read. */
  #adopt(id: string, packs: readonly string[]): void {
    const numbers = packs.map((pack) => this.#index.packNumber(pack))
    // Read again since: the next refresh reads the file.
    if (numbers.includes(undefined)) return
    this.#loaded.set(id, Uint32Array.from(numbers as number[]))
  }

  /** How many jobs keep the threads at work. */
  get jobsAtOnce(): number {
    return this.#pool.size + 1
  }

  /** Index files in force, and the numbers of the packs that they name. */
  get loaded(): ReadonlyMap<string, Uint32Array> {
    return this.#loaded
  }

  /** Packs that any index file names, those included that should be gone and that the storage keeps. */
  named(): ReadonlySet<string> {
    const { packs } = this.#index
    const named = new Set([...this.#retired.values()].flat())
    for (const numbers of this.#loaded.values()) for (const number of numbers) named.add(packs[number]!)
    return named
  }

  /** Takes packs out of use at once; no index file is going to name them. */
  doom(packs: ReadonlySet<number>): void {
    this.#index.doom(packs)
    this.#unnamed = this.#unnamed.filter(({ id }) => this.#index.hasPack(id))
    this.#unnamedBlobs = this.#unnamed.reduce((sum, { blobs }) => sum + blobs.length, 0)
  }

  /** Index files that others replace: this process does not look at them any more. */
  retire(ids: Iterable<string>): void {
    const { packs } = this.#index
    for (const id of ids) {
      const numbers = this.#loaded.get(id)
      if (numbers === undefined) continue
      this.#retired.set(
        id,
        [...numbers].map((number) => packs[number]!),
      )
      this.#loaded.delete(id)
    }
  }

  /** Files that were retired and are still stored. */
  get retired(): readonly string[] {
    return [...this.#retired].filter(([, packs]) => packs.length > 0).map(([id]) => id)
  }

  /** Removes a file that was retired. */
  async removeRetired(id: string): Promise<void> {
    await this.#storage.remove(`${FOLDER}/${id}`)
    this.#retired.set(id, [])
  }

  /** Forgets packs that could not be named, so that nothing new leans on them. The next `refresh` reads everything. */
  forgetUnnamed(): void {
    if (this.#unnamed.length > 0) this.forgetAll()
  }

  /** Makes the next `refresh` read everything. */
  forgetAll(): void {
    this.#unnamed = []
    this.#unnamedBlobs = 0
    this.#damaged = new Map()
    this.#use(new BlobIndex(this.#factors), new Map())
  }
}

/** Files of one repository are much alike, so the first one tells of the others. */
const expectedRows = ({ lengths }: IndexColumns, bytes: number, all: readonly number[]): number =>
  (lengths.length / bytes) * all.reduce((sum, each) => sum + each, 0)

/** The ids in a folder of the repository. Names that are none are somebody else's and left alone. */
export const listIds = async (storage: Storage, folder: string, signal?: AbortSignal): Promise<string[]> => {
  const ids: string[] = []
  for await (const file of storage.list(folder, signal)) {
    const name = file.path.slice(file.path.lastIndexOf('/') + 1)
    if (isId(name)) ids.push(name)
  }
  return ids.sort()
}

export { packPath } from './pack-path.ts'

/** A stored file whose name is its hash is the same file: writing it twice is no error. */
export const isStoredAlready = (error: unknown): error is HoldfastError => isHoldfastError(error, 'conflict')
