import { type Clock, messageOf, type Random } from '#base'
import type { Storage } from '#storage'
import { Budget } from './budget.ts'
import type { BlobId, BlobType } from './contract.ts'
import type { Buffers } from './buffers.ts'
import { openBlob } from './format/blob.ts'
import { blobKey } from './format/ids.ts'
import type { PackedBlob } from './format/pack-header.ts'
import { type KeySet, SEAL_BYTES } from './format/sealing.ts'
import { type IndexFiles, packPath } from './index-files.ts'
import { PACK_BUFFER_BYTES, PACK_BYTES, PackBuilder } from './pack-builder.ts'
import type { SealResult } from './workers/jobs.ts'
import type { WorkerPool } from './workers/worker-pool.ts'

/** What a writer added; the packer counts the sealed bytes. */
export interface Owner {
  storedBytes: number
}

export interface PackerOptions {
  readonly storage: Storage
  readonly key: KeySet
  readonly files: IndexFiles
  readonly pool: WorkerPool
  readonly clock: Clock
  readonly random: Random
  /** Throws when nothing may be written any more, such as when the lock is lost. */
  readonly guard: () => void
  readonly packBytes?: number
}

/** Small blobs go to the worker threads in batches of this size: a message costs as much as sealing a mail. */
const BATCH_BYTES = 1024 * 1024
/** Plain bytes waiting to be sealed, and packs being written. */
const IN_FLIGHT_BYTES = 64 * 1024 * 1024
const INDEX_BLOBS = 50_000
const INDEX_MS = 10 * 60 * 1000

/** Blobs in one buffer, on their way through a worker thread into packs. */
interface Batch {
  readonly type: BlobType
  bytes: Uint8Array<ArrayBuffer> | undefined
  usedBytes: number
  readonly blobs: WaitingBlob[]
  /** Done when the blobs lie in packs. */
  collected: Promise<void> | undefined
}

interface WaitingBlob {
  readonly id: BlobId
  readonly batch: Batch
  readonly offset: number
  readonly length: number
  readonly owner: Owner
  packed: { readonly pack: PackBuilder; readonly blob: PackedBlob } | undefined
}

/** Free bytes in front of a blob, so that it is sealed where it lies, even if compression makes it longer. */
const roomBefore = (length: number): number => SEAL_BYTES + 32 + (length >> 12)

/** The same for each of `chunks` chunks in a row, which only get shorter. */
export const roomBeforeChunks = (chunks: number): number => chunks * SEAL_BYTES

/** A chunk that lies in a buffer which is handed over. */
export interface NewChunk {
  readonly id: BlobId
  readonly offset: number
  readonly length: number
}

/**
 * Turns blobs into packs: compressed and sealed in worker threads, collected to 16 MiB, stored, then named by an index
 * file. All writers of a repository share one. After a failure everything fails: what was on its way is lost.
 */
export class Packer {
  readonly budget = new Budget(IN_FLIGHT_BYTES)
  readonly buffers: Buffers
  readonly #options: PackerOptions
  readonly #packBytes: number
  readonly #waiting = new Map<string, WaitingBlob>()
  readonly #batches: { data?: Batch | undefined; tree?: Batch | undefined } = {}
  readonly #packs: { data?: PackBuilder | undefined; tree?: PackBuilder | undefined } = {}
  readonly #work = new Set<Promise<void>>()
  #failure: Error | undefined
  #indexing: Promise<void> = Promise.resolve()
  #indexedAtMs: number

  constructor(options: PackerOptions) {
    this.#options = options
    this.buffers = options.pool.buffers
    this.#packBytes = options.packBytes ?? PACK_BYTES
    this.#indexedAtMs = options.clock.nowMs()
  }

  /** Whether the blob is stored or on its way. */
  has(type: BlobType, id: BlobId): boolean {
    return this.#options.files.use(type, id) || this.isWaiting(type, id)
  }

  /** Whether the blob is on its way and not stored yet. */
  isWaiting(type: BlobType, id: BlobId): boolean {
    return this.#waiting.has(blobKey(type, id))
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Everything from here on fails with this. */
  fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(messageOf(error))
  }

  /** Takes a copy of a blob that is not known yet. */
  add(type: BlobType, id: BlobId, plain: Uint8Array, owner: Owner): void {
    this.throwIfFailed()
    const room = roomBefore(plain.length)
    const batch = this.#batchFor(type, room + plain.length)
    const offset = batch.usedBytes + room
    batch.bytes!.set(plain, offset)
    this.#enter(batch, { id, offset, length: plain.length, owner })
    batch.usedBytes = offset + plain.length
    if (batch.usedBytes >= BATCH_BYTES) this.#send(type)
  }

  #batchFor(type: BlobType, bytes: number): Batch {
    const open = this.#batches[type]
    if (open !== undefined && open.usedBytes + bytes <= open.bytes!.length) return open
    if (open !== undefined) this.#send(type)
    const batch = newBatch(type, this.buffers.take(Math.max(bytes, BATCH_BYTES)))
    this.#batches[type] = batch
    return batch
  }

  #enter(batch: Batch, blob: NewChunk & { readonly owner: Owner }): void {
    const { id, offset, length, owner } = blob
    const waiting = { id, batch, offset, length, owner, packed: undefined }
    batch.blobs.push(waiting)
    this.#waiting.set(blobKey(batch.type, id), waiting)
  }

  #send(type: BlobType): void {
    const batch = this.#batches[type]
    if (batch === undefined) return
    this.#batches[type] = undefined
    this.budget.force(batch.bytes!.length)
    this.#seal(batch)
  }

  /**
   * Takes over a buffer, counted in the budget already, with chunks that are not known yet, in their order; `roomBeforeChunks`
   * of it are free in front of them.
   */
  addChunks(bytes: Uint8Array<ArrayBuffer>, chunks: readonly NewChunk[], owner: Owner): void {
    this.throwIfFailed()
    const batch = newBatch('data', bytes)
    for (const chunk of chunks) this.#enter(batch, { ...chunk, owner })
    this.#seal(batch)
  }

  #seal(batch: Batch): void {
    const bytes = batch.bytes!
    const heldBytes = bytes.length
    batch.bytes = undefined
    const sealed = this.#options.pool.run({
      kind: 'seal',
      key: this.#options.key,
      bytes,
      blobs: batch.blobs.map(({ offset, length }) => [offset, length] as const),
      alwaysCompress: batch.type === 'tree',
    })
    batch.collected = sealed.then((result) => {
      this.#collect(batch, result)
      this.buffers.give(result.bytes)
    })
    this.#track(async () => {
      try {
        await batch.collected
      } finally {
        this.budget.give(heldBytes)
      }
    })
  }

  /** Lays sealed blobs into the open pack, and closes it when it is full. */
  #collect(batch: Batch, { bytes, lengths, uncompressed }: SealResult): void {
    let at = 0
    batch.blobs.forEach((waiting, number) => {
      const length = lengths[number]!
      const pack = (this.#packs[batch.type] ??= this.#newPack(batch.type))
      const sealed = { id: waiting.id, length, uncompressed: uncompressed[number]! }
      waiting.packed = { pack, blob: pack.add(sealed, bytes.subarray(at, at + length)) }
      waiting.owner.storedBytes += length
      at += length
      if (pack.sizeBytes >= this.#packBytes) this.#closePack(batch.type)
    })
  }

  #newPack(type: BlobType): PackBuilder {
    return new PackBuilder(type, this.buffers.take(PACK_BUFFER_BYTES))
  }

  #closePack(type: BlobType): void {
    const pack = this.#packs[type]
    if (pack === undefined) return
    this.#packs[type] = undefined
    const { sizeBytes } = pack
    this.budget.force(sizeBytes)
    this.#track(async () => {
      try {
        await this.#storePack(pack)
      } finally {
        this.budget.give(sizeBytes)
      }
    })
  }

  async #storePack(pack: PackBuilder): Promise<void> {
    const { storage, files, clock, guard, key, random, pool } = this.#options
    this.throwIfFailed()
    guard()
    const { id, parts, blobs } = await pack.closeIn(pool, key, random)
    this.throwIfFailed()
    guard()
    await storage.write(packPath(id), parts)
    files.addPack({ id, blobs })
    for (const blob of blobs) this.#waiting.delete(blobKey(blob.type, blob.id))
    this.buffers.give(pack.buffer)
    const isDue = clock.nowMs() - this.#indexedAtMs >= INDEX_MS
    if (files.unnamedBlobs >= INDEX_BLOBS || isDue) await this.#writeIndex()
  }

  #writeIndex(): Promise<void> {
    const { files, clock, guard } = this.#options
    const next = this.#indexing
      .catch(() => undefined)
      .then(async () => {
        guard()
        this.#indexedAtMs = clock.nowMs()
        await files.write()
      })
    this.#indexing = next
    return next
  }

  #track(work: () => Promise<void>): void {
    const running = work()
      .catch((error: unknown) => this.fail(error))
      .finally(() => this.#work.delete(running))
    this.#work.add(running)
  }

  /** Everything added so far is durable and named by a durable index file when it resolves. */
  async flush(): Promise<void> {
    this.throwIfFailed()
    this.#send('data')
    this.#send('tree')
    await Promise.all(this.#work)
    this.#closePack('data')
    this.#closePack('tree')
    await Promise.all(this.#work)
    this.throwIfFailed()
    try {
      await this.#writeIndex()
    } catch (error) {
      this.fail(error)
      throw error
    }
  }

  /** Names what is durable already, whatever became of the rest. */
  async salvage(): Promise<void> {
    await Promise.all(this.#work)
    await this.#writeIndex()
  }

  /** The plaintext of a blob that is on its way; undefined when it is not. */
  async read(type: BlobType, id: BlobId): Promise<Uint8Array | undefined> {
    const blob = this.#waiting.get(blobKey(type, id))
    if (blob === undefined) return undefined
    const { batch, offset, length } = blob
    if (batch.bytes !== undefined) return batch.bytes.slice(offset, offset + length)
    await batch.collected
    await blob.packed?.pack.isHere()
    // It may have been stored while we waited, and the index names it then.
    if (blob.packed === undefined || !this.#waiting.has(blobKey(type, id))) return undefined
    const { pack, blob: packed } = blob.packed
    return openBlob(this.#options.key, pack.sealed(packed), packed)
  }
}

const newBatch = (type: BlobType, bytes: Uint8Array<ArrayBuffer>): Batch => ({
  type,
  bytes,
  usedBytes: 0,
  blobs: [],
  collected: undefined,
})
