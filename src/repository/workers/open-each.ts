import { isHoldfastError } from '#base'
import { openBlobInto } from '../format/blob.ts'
import { SEAL_BYTES } from '../format/sealing.ts'
import { ivsOf, ManySeals } from '../format/sealing-many.ts'
import type { OpenJob, SealedBlob } from './jobs.ts'

/** Opens one blob after the other, each where `targetOf` says, and tells its length or what is wrong with it. */
export const openEach = (
  { key, bytes, blobs }: Pick<OpenJob, 'key' | 'bytes' | 'blobs'>,
  targetOf: (bytes: number) => Uint8Array,
  use: (opened: number | string, number: number) => void,
): void => {
  const sealed = blobs.map(({ offset, length }) => bytes.subarray(offset, offset + length))
  const seals = new ManySeals(key, ivsOf(sealed))
  blobs.forEach((blob, number) => {
    const { id, uncompressed } = blob
    try {
      const target = targetOf(plainLength(blob) + 1)
      use(openBlobInto(target, sealed[number]!, { id, uncompressed, seals, number }), number)
    } catch (error) {
      if (!isHoldfastError(error, 'corrupt')) throw error
      use(error.message, number)
    }
  })
}

/** Bytes that a blob has when it is opened. */
export const plainLength = ({ length, uncompressed }: SealedBlob): number =>
  uncompressed === 0 ? Math.max(0, length - SEAL_BYTES) : uncompressed
