import { createHash } from 'node:crypto'
import type { Random } from '#base'
import type { BlobId, BlobType } from './contract.ts'
import { type PackedBlob, sealHeader } from './format/pack-header.ts'
import { IV_BYTES, type KeySet } from './format/sealing.ts'
import { newBuffer } from './release.ts'
import type { WorkerPool } from './workers/worker-pool.ts'

/** A pack is closed when it has reached this size. */
export const PACK_BYTES = 16 * 1024 * 1024

/** A pack that only has to be stored under its name. */
export interface BuiltPack {
  readonly id: string
  readonly parts: readonly Uint8Array[]
  readonly blobs: readonly PackedBlob[]
  readonly sizeBytes: number
}

/** Memory for a pack of the usual size and its last blob. */
export const PACK_BUFFER_BYTES = PACK_BYTES + 8 * 1024 * 1024

/** A pack being filled with sealed blobs of one type. */
export class PackBuilder {
  readonly #type: BlobType
  readonly #blobs: PackedBlob[] = []
  #buffer: Uint8Array<ArrayBuffer>
  #sizeBytes = 0
  /** While the pack gets its name, its bytes are with a worker thread. */
  #naming: Promise<BuiltPack> | undefined

  /** Fills the buffer; a larger one takes its place when a blob finds no room. */
  constructor(type: BlobType, buffer = newBuffer(PACK_BUFFER_BYTES)) {
    this.#type = type
    this.#buffer = buffer
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** What the pack lies in. */
  get buffer(): Uint8Array<ArrayBuffer> {
    return this.#buffer
  }

  /** Takes a copy of a sealed blob, and returns where in the pack it lies. */
  add(
    blob: { readonly id: BlobId; readonly length: number; readonly uncompressed: number },
    sealed: Uint8Array,
  ): PackedBlob {
    const { id, length, uncompressed } = blob
    const offset = this.#sizeBytes
    if (offset + length > this.#buffer.length) this.#grow(offset + length)
    this.#buffer.set(sealed, offset)
    this.#sizeBytes += length
    const packed = { id, type: this.#type, offset, length, uncompressed }
    this.#blobs.push(packed)
    return packed
  }

  #grow(bytes: number): void {
    const larger = newBuffer(Math.max(bytes, this.#buffer.length * 2))
    larger.set(this.#buffer.subarray(0, this.#sizeBytes))
    this.#buffer = larger
  }

  /** Resolves when the pack's bytes can be read: always, but while it gets its name. */
  async isHere(): Promise<void> {
    await this.#naming
  }

  /** A sealed blob that was added. */
  sealed({ offset, length }: PackedBlob): Uint8Array {
    return this.#buffer.subarray(offset, offset + length)
  }

  /** Adds the header. Nothing may be added any more. */
  close(key: KeySet, random: Random): BuiltPack {
    const body = this.#buffer.subarray(0, this.#sizeBytes)
    const end = sealHeader(key, this.#blobs, random.bytes(IV_BYTES))
    return {
      id: createHash('sha256').update(body).update(end).digest('hex'),
      parts: [body, end],
      blobs: this.#blobs,
      sizeBytes: body.length + end.length,
    }
  }
  /** The same, hashed in a worker thread. */
  async closeIn(pool: WorkerPool, key: KeySet, random: Random): Promise<BuiltPack> {
    this.#naming = this.#name(pool, sealHeader(key, this.#blobs, random.bytes(IV_BYTES)))
    return this.#naming
  }

  async #name(pool: WorkerPool, end: Uint8Array): Promise<BuiltPack> {
    const { bytes, id } = await pool.run({
      kind: 'name-pack',
      bytes: this.#buffer.subarray(0, this.#sizeBytes),
      end,
    })
    this.#buffer = new Uint8Array(bytes.buffer)
    return { id, parts: [bytes, end], blobs: this.#blobs, sizeBytes: bytes.length + end.length }
  }
}
