import { randomFillSync } from 'node:crypto'
import { isHoldfastError } from '#base'
import type { BlobType } from '../contract.ts'
import { openBlob } from '../format/blob.ts'
import { compress } from '../format/compression.ts'
import { sha256Hex } from '../format/ids.ts'
import type { PackedBlob } from '../format/pack-header.ts'
import { IV_BYTES, type KeySet, open, seal } from '../format/sealing.ts'

/** Opens blobs with one key, checks them, and seals them with another. */
export interface ResealJob {
  readonly kind: 'reseal'
  readonly from: KeySet
  readonly to: KeySet
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly blobs: readonly PackedBlob[]
  /** Whether data that is stored as it is may be compressed now: it was never tried in version 1. */
  readonly compressData: boolean
}

export interface ResealResult {
  /** The sealed blobs one after the other. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Of each blob; -1 for one that is damaged. */
  readonly lengths: readonly number[]
  /** Plain length of each compressed blob, 0 for one that is stored as it is. */
  readonly uncompressed: readonly number[]
}

export const resealBlobs = (job: ResealJob): ResealResult => {
  const parts: Uint8Array[] = []
  const lengths: number[] = []
  const uncompressed: number[] = []
  for (const blob of job.blobs) {
    const text = textOf(job, blob)
    if (text !== undefined) parts.push(seal(job.to, text.bytes, randomFillSync(new Uint8Array(IV_BYTES))))
    lengths.push(text === undefined ? -1 : parts.at(-1)!.length)
    uncompressed.push(text?.uncompressed ?? 0)
  }
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return { bytes, lengths, uncompressed }
}

interface Text {
  readonly bytes: Uint8Array
  readonly uncompressed: number
}

/** What is to be sealed; undefined when the blob is damaged. */
const textOf = ({ from, bytes, compressData }: ResealJob, blob: PackedBlob): Text | undefined => {
  const sealed = bytes.subarray(blob.offset, blob.offset + blob.length)
  try {
    const plain = openBlob(from, sealed, blob)
    if (blob.uncompressed > 0) return { bytes: open(from, sealed), uncompressed: blob.uncompressed }
    return blob.type === 'tree' || compressData
      ? compressed(blob.type, plain)
      : { bytes: plain, uncompressed: 0 }
  } catch (error) {
    if (!isHoldfastError(error, 'corrupt')) throw error
    return undefined
  }
}

/** As a writer does it: trees always, data where it gets shorter. */
export const compressed = (type: BlobType, plain: Uint8Array): Text => {
  const frame = compress(plain)
  return type === 'tree' || frame.length < plain.length
    ? { bytes: frame, uncompressed: plain.length }
    : { bytes: plain, uncompressed: 0 }
}

/** Compresses and seals one blob on this thread. */
export const sealBlob = (
  key: KeySet,
  type: BlobType,
  plain: Uint8Array,
): { readonly id: string; readonly sealed: Uint8Array; readonly uncompressed: number } => {
  const text = compressed(type, plain)
  const sealed = seal(key, text.bytes, randomFillSync(new Uint8Array(IV_BYTES)))
  return { id: sha256Hex(plain), sealed, uncompressed: text.uncompressed }
}
