import { corrupt, notFound } from '#base'
import type { Storage } from '#storage'
import { headerBytes, locateHeader, openHeader, type PackedBlob } from './format/pack-header.ts'
import type { KeySet } from './format/sealing.ts'
import { packPath } from './pack-path.ts'

/** Most packs of mail hold fewer blobs; of others a second read fetches the rest. */
const GUESSED_BLOBS = 2048

/** The blobs that a stored pack says it holds. Throws `corrupt`, or `not-found`. */
export const readPackHeader = async (
  storage: Storage,
  key: KeySet,
  pack: string,
): Promise<readonly PackedBlob[]> => {
  const path = packPath(pack)
  const file = await storage.stat(path)
  if (file === undefined) throw notFound(`pack ${pack} is not stored`)
  const { sizeBytes } = file
  const tailBytes = Math.min(sizeBytes, headerBytes(GUESSED_BLOBS))
  const tail = await storage.read(path, { offset: sizeBytes - tailBytes, length: tailBytes })
  const { offset, length } = locateHeader(sizeBytes, tail)
  const inTail = offset - (sizeBytes - tailBytes)
  const sealed =
    inTail >= 0 ? tail.subarray(inTail, inTail + length) : await storage.read(path, { offset, length })
  if (sealed.length !== length) throw corrupt(`pack ${pack} is cut off`)
  return openHeader(key, sealed, offset)
}
