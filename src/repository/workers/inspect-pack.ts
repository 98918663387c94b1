import { isHoldfastError, messageOf } from '#base'
import { openBlob } from '../format/blob.ts'
import { sha256Hex } from '../format/ids.ts'
import { locateHeader, openHeader, type PackedBlob } from '../format/pack-header.ts'
import type { KeySet } from '../format/sealing.ts'

/** Looks at a whole pack and tells what of it can still be read. */
export interface InspectJob {
  readonly kind: 'inspect'
  readonly key: KeySet
  readonly pack: string
  readonly bytes: Uint8Array<ArrayBuffer>
  /** What the index names; nothing when it is lost. */
  readonly indexed: readonly PackedBlob[]
}

export interface InspectResult {
  /** The same buffer, handed back. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** What is wrong with the pack as a whole: its name, its header, or that the index names something else. */
  readonly faults: readonly string[]
  /** What the header names; undefined when it cannot be read. */
  readonly header: readonly PackedBlob[] | undefined
  readonly isNamedRightly: boolean
  /** The blobs that the header or the index names, by whether they can be read. */
  readonly good: readonly PackedBlob[]
  readonly damaged: readonly PackedBlob[]
}

export const inspectPack = ({ key, pack, bytes, indexed }: InspectJob): InspectResult => {
  const faults: string[] = []
  const isNamedRightly = sha256Hex(bytes) === pack
  if (!isNamedRightly) faults.push('its content is not what its name says')
  const header = headerOf(key, bytes)
  if (typeof header === 'string') faults.push(header)
  else if (indexed.length > 0 && !isSameBlobs(header, indexed))
    faults.push('the index names other blobs than the pack')
  const named = new Map<string, PackedBlob>()
  for (const blob of [...(typeof header === 'string' ? [] : header), ...indexed])
    named.set(placeOf(blob), blob)
  const good: PackedBlob[] = []
  const damaged: PackedBlob[] = []
  for (const blob of named.values()) (isReadable(key, bytes, blob) ? good : damaged).push(blob)
  return {
    bytes,
    faults,
    header: typeof header === 'string' ? undefined : header,
    isNamedRightly,
    good,
    damaged,
  }
}

const headerOf = (key: KeySet, bytes: Uint8Array): readonly PackedBlob[] | string => {
  try {
    const { offset, length } = locateHeader(bytes.length, bytes.subarray(-4))
    return openHeader(key, bytes.subarray(offset, offset + length), offset)
  } catch (error) {
    if (!isHoldfastError(error, 'corrupt')) throw error
    return messageOf(error)
  }
}

const isReadable = (key: KeySet, bytes: Uint8Array, blob: PackedBlob): boolean => {
  const { offset, length } = blob
  if (offset + length > bytes.length) return false
  try {
    openBlob(key, bytes.subarray(offset, offset + length), blob)
    return true
  } catch (error) {
    if (!isHoldfastError(error, 'corrupt')) throw error
    return false
  }
}

const placeOf = ({ type, id, offset, length, uncompressed }: PackedBlob): string =>
  `${type} ${id} ${offset} ${length} ${uncompressed}`

/** Whether a header and an index name the same blobs at the same places. */
export const isSameBlobs = (header: readonly PackedBlob[], indexed: readonly PackedBlob[]): boolean => {
  if (header.length !== indexed.length) return false
  const places = new Set(header.map(placeOf))
  return indexed.every((blob) => places.has(placeOf(blob)))
}
