import { corrupt } from '#base'
import type { BlobType } from '../contract.ts'
import { decompress } from './compression.ts'
import { sha256Hex } from './ids.ts'
import { type KeySet, open } from './sealing.ts'

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

/** Opens a stored blob: MAC, decompression to the told length, and the SHA-256. Throws `corrupt`. */
export const openBlob = (
  key: KeySet,
  sealed: Uint8Array,
  blob: { readonly id: string; readonly uncompressed: number },
): Uint8Array => unpackBlob(open(key, sealed), blob)

/** The rest of the way, once the seal is opened. */
export const unpackBlob = (
  opened: Uint8Array,
  { id, uncompressed }: { readonly id: string; readonly uncompressed: number },
): Uint8Array => {
  const plain = uncompressed === 0 ? opened : decompress(opened, uncompressed, uncompressed)
  if (uncompressed !== 0 && plain.length !== uncompressed) {
    throw corrupt('a blob does not have the length that is told')
  }
  if (sha256Hex(plain) !== id) throw corrupt('a blob is not what its id says')
  return plain
}
