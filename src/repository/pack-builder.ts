import { createHash } from 'node:crypto'
import type { Random } from '#base'
import type { BlobId, BlobType } from './contract.ts'
import { type PackedBlob, sealHeader } from './format/pack-header.ts'
import { IV_BYTES, type KeySet } from './format/sealing.ts'

/** A pack is closed when it has reached this size. */
export const PACK_BYTES = 16 * 1024 * 1024

/** A pack that only has to be stored under its name. */
export interface BuiltPack {
  readonly id: string
  readonly parts: readonly Uint8Array[]
  readonly blobs: readonly PackedBlob[]
  readonly sizeBytes: number
}

/** A pack being filled with sealed blobs of one type. */
export class PackBuilder {
  readonly #type: BlobType
  readonly #blobs: PackedBlob[] = []
  readonly #parts: Uint8Array[] = []
  readonly #hash = createHash('sha256')
  /** Blobs that lie side by side in one buffer, not yet hashed: one call for many. */
  #run: Uint8Array | undefined
  #sizeBytes = 0

  constructor(type: BlobType) {
    this.#type = type
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  add(
    blob: { readonly id: BlobId; readonly length: number; readonly uncompressed: number },
    sealed: Uint8Array,
  ): void {
    const { id, length, uncompressed } = blob
    this.#blobs.push({ id, type: this.#type, offset: this.#sizeBytes, length, uncompressed })
    this.#sizeBytes += length
    const run = this.#run
    const goesOn = run?.buffer === sealed.buffer && run.byteOffset + run.length === sealed.byteOffset
    if (run !== undefined && goesOn) {
      this.#run = new Uint8Array(run.buffer, run.byteOffset, run.length + length)
      return
    }
    this.#endRun()
    this.#run = sealed
  }

  #endRun(): void {
    if (this.#run === undefined) return
    this.#hash.update(this.#run)
    this.#parts.push(this.#run)
    this.#run = undefined
  }

  /** Adds the header. The builder is used up. */
  close(key: KeySet, random: Random): BuiltPack {
    this.#endRun()
    const end = sealHeader(key, this.#blobs, random.bytes(IV_BYTES))
    this.#parts.push(end)
    return {
      id: this.#hash.update(end).digest('hex'),
      parts: this.#parts,
      blobs: this.#blobs,
      sizeBytes: this.#sizeBytes + end.length,
    }
  }
}
