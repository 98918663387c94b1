import { corrupt } from '#base'
import type { BlobId, BlobType } from '../contract.ts'
import { countOf, fieldsOf, listOf } from './document.ts'
import { parseId } from './ids.ts'
import type { PackedBlob } from './pack-header.ts'
import { SEAL_BYTES } from './sealing.ts'

/** A pack and the blobs in it. */
export interface IndexedPack {
  readonly id: string
  readonly blobs: readonly PackedBlob[]
}

/** The JSON text of an index file. */
export const encodeIndex = (packs: readonly IndexedPack[]): string =>
  `{"packs":[${packs.map(packText).join(',')}]}`

/** A pack within that text. */
export const packText = ({ id, blobs }: IndexedPack): string =>
  `{"id":"${id}","blobs":[${blobs.map(blobText).join(',')}]}`

const blobText = (blob: PackedBlob): string => {
  const uncompressed = blob.uncompressed > 0 ? `,"uncompressed_length":${blob.uncompressed}` : ''
  return `{"id":"${blob.id}","type":"${blob.type}","offset":${blob.offset},"length":${blob.length}${uncompressed}}`
}

/** The packs that an index file names. Unknown fields are ignored. Throws `corrupt`. */
export const decodeIndex = (document: unknown): readonly IndexedPack[] => {
  // Files of old versions are a bare list.
  const packs = Array.isArray(document) ? document : fieldsOf(document, 'an index')['packs']
  return listOf(packs, 'an index').map((value) => {
    const pack = fieldsOf(value, 'a pack in an index')
    return { id: parseId(pack['id']), blobs: listOf(pack['blobs'], 'the blobs of a pack').map(decodeBlob) }
  })
}

const decodeBlob = (value: unknown): PackedBlob => {
  const blob = fieldsOf(value, 'a blob in an index')
  const length = countOf(blob['length'], 'the length of a blob')
  if (length < SEAL_BYTES) throw corrupt('an index names a blob that is too short')
  return {
    id: parseId(blob['id']) as BlobId,
    type: typeOf(blob['type']),
    offset: countOf(blob['offset'], 'the offset of a blob'),
    length,
    uncompressed: countOf(blob['uncompressed_length'] ?? 0, 'the plain length of a blob'),
  }
}

const typeOf = (value: unknown): BlobType => {
  if (value === 'data' || value === 'tree') return value
  throw corrupt('an index names a blob of an unknown type')
}
