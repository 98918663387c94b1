import { corrupt } from '#base'
import type { BlobType } from '../contract.ts'
import { newBuffer } from '../release.ts'
import { Scratch } from '../scratch.ts'
import { decompressInto } from './compression.ts'
import { sha256Hex } from './ids.ts'
import { type KeySet, open } from './sealing.ts'
import type { ManySeals } from './sealing-many.ts'

/** What we read into memory at most. A blob is at most 8 MiB in our packs and restic's; a tree may be larger. */
const LARGEST: Readonly<Record<BlobType, number>> = { data: 16 * 1024 * 1024, tree: 512 * 1024 * 1024 }

/** Throws `corrupt` for lengths that no honest blob has, before anything is read or allocated for it. */
export const checkBlobSize = (
  type: BlobType,
  { length, uncompressed }: { readonly length: number; readonly uncompressed: number },
): void => {
  if (length > LARGEST[type] || uncompressed > LARGEST[type]) {
    throw corrupt('a blob is larger than any can be')
  }
}

/** What a sealed blob must turn out to be. */
export interface ExpectedBlob {
  readonly id: string
  /** Plain length; 0 for a blob that is stored as it is. */
  readonly uncompressed: number
}

/** Opens a stored blob: MAC, decompression to the told length, and the SHA-256. Throws `corrupt`. */
export const openBlob = (key: KeySet, sealed: Uint8Array, blob: ExpectedBlob): Uint8Array => {
  const opened = open(key, sealed)
  if (blob.uncompressed === 0) return checked(opened, blob.id)
  const target = newBuffer(blob.uncompressed + 1)
  decompressInto(opened, target)
  return checked(target.subarray(0, -1), blob.id)
}

const scratch = new Scratch()

/**
 * The same into `target`, one of many. The target is one byte longer than the blob at least; that byte may be written to.
 * Returns the blob's length.
 */
export const openBlobInto = (
  target: Uint8Array,
  sealed: Uint8Array,
  blob: ExpectedBlob & { readonly seals: ManySeals; readonly number: number },
): number => {
  const { id, uncompressed, seals, number } = blob
  const opened = uncompressed === 0 ? target : scratch.take(sealed.length)
  const length = seals.open(number, sealed, opened)
  if (length === undefined) throw corrupt('it fails its authentication')
  if (uncompressed !== 0) decompressInto(opened.subarray(0, length), target.subarray(0, uncompressed + 1))
  return checked(target.subarray(0, uncompressed === 0 ? length : uncompressed), id).length
}

const checked = (plain: Uint8Array, id: string): Uint8Array => {
  if (sha256Hex(plain) !== id) throw corrupt('a blob is not what its id says')
  return plain
}
