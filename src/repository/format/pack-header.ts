import { corrupt } from '#base'
import type { BlobId, BlobType } from '../contract.ts'
import { hexOf, ID_BYTES } from './ids.ts'
import { type KeySet, open, seal, SEAL_BYTES } from './sealing.ts'

/** A blob as it lies in a pack. */
export interface PackedBlob {
  readonly id: BlobId
  readonly type: BlobType
  readonly offset: number
  /** Sealed bytes. */
  readonly length: number
  /** Plain bytes of a compressed blob; 0 for one that is stored as it is. */
  readonly uncompressed: number
}

/** Of the sealed header and its length together. */
const LARGEST_HEADER = 16 * 1024 * 1024
const LENGTH_BYTES = 4
const RAW_ENTRY = 1 + 4 + ID_BYTES
const COMPRESSED_ENTRY = RAW_ENTRY + 4

/** How long the end of a pack with these many blobs is at most: the sealed header and its length. */
export const headerBytes = (blobs: number): number => blobs * COMPRESSED_ENTRY + SEAL_BYTES + LENGTH_BYTES

/** How long the end of a pack with these blobs is. */
export const exactHeaderBytes = (blobs: readonly { readonly uncompressed: number }[]): number =>
  blobs.reduce((sum, { uncompressed }) => sum + (uncompressed > 0 ? COMPRESSED_ENTRY : RAW_ENTRY), 0) +
  SEAL_BYTES +
  LENGTH_BYTES

/** The end of a pack: the sealed header and its length. */
export const sealHeader = (key: KeySet, blobs: readonly PackedBlob[], iv: Uint8Array): Uint8Array => {
  const plain = Buffer.alloc(blobs.length * COMPRESSED_ENTRY)
  let at = 0
  for (const blob of blobs) {
    const isCompressed = blob.uncompressed > 0
    at = plain.writeUInt8((blob.type === 'tree' ? 1 : 0) + (isCompressed ? 2 : 0), at)
    at = plain.writeUInt32LE(blob.length, at)
    if (isCompressed) at = plain.writeUInt32LE(blob.uncompressed, at)
    at += plain.write(blob.id, at, 'hex')
  }
  const sealed = seal(key, plain.subarray(0, at), iv)
  const end = Buffer.alloc(sealed.length + LENGTH_BYTES)
  end.set(sealed)
  end.writeUInt32LE(sealed.length, sealed.length)
  return end
}

/** Where the sealed header of a pack lies, from the last bytes of the pack. Throws `corrupt` for a length that cannot be. */
export const locateHeader = (
  packBytes: number,
  end: Uint8Array,
): { readonly offset: number; readonly length: number } => {
  if (end.length < LENGTH_BYTES) throw corrupt('a pack is too short')
  const length = Buffer.from(end.buffer, end.byteOffset, end.length).readUInt32LE(end.length - LENGTH_BYTES)
  const isPlausible =
    length > SEAL_BYTES && length + LENGTH_BYTES <= LARGEST_HEADER && length + LENGTH_BYTES <= packBytes
  if (!isPlausible) throw corrupt('a pack has a header length that cannot be')
  return { offset: packBytes - LENGTH_BYTES - length, length }
}

/** The blobs that a sealed header names. They must end exactly where the header begins. Throws `corrupt`. */
export const openHeader = (key: KeySet, sealed: Uint8Array, headerOffset: number): readonly PackedBlob[] => {
  const opened = open(key, sealed)
  const plain = Buffer.from(opened.buffer, opened.byteOffset, opened.length)
  const blobs: PackedBlob[] = []
  let offset = 0
  for (let at = 0; at < plain.length;) {
    const kind = plain[at]!
    if (kind > 3) throw corrupt('a pack header names a blob of an unknown type')
    const isCompressed = kind >= 2
    const entryBytes = isCompressed ? COMPRESSED_ENTRY : RAW_ENTRY
    if (at + entryBytes > plain.length) throw corrupt('a pack header ends within an entry')
    const length = plain.readUInt32LE(at + 1)
    const uncompressed = isCompressed ? plain.readUInt32LE(at + 5) : 0
    const id = hexOf(plain.subarray(at + entryBytes - ID_BYTES, at + entryBytes)) as BlobId
    if (length < SEAL_BYTES) throw corrupt('a pack header names a blob that is too short')
    blobs.push({ id, type: kind % 2 === 1 ? 'tree' : 'data', offset, length, uncompressed })
    offset += length
    at += entryBytes
  }
  if (offset !== headerOffset) throw corrupt('a pack header does not fit its pack')
  return blobs
}
