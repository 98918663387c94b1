import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { compressUsingDict, createCCtx, createDCtx, decompressUsingDict, init } from '@bokuweb/zstd-wasm'
import { corrupt } from '#base'

// `node:zlib` makes a stream and a context for every call, which takes longer than the work on a small blob. For those the
// same library is there as WebAssembly, with contexts that are made once a thread; for larger blobs it is slower.
await init()
const compressing = createCCtx()
const decompressing = createDCtx()
const NO_DICTIONARY = new Uint8Array(0)

/** Below these, WebAssembly takes less time. */
const SMALL_TEXT_BYTES = 6 * 1024
const SMALL_RESULT_BYTES = 32 * 1024

const QUICK_BELOW_BYTES = 64 * 1024
/** A length that is told may be a lie; nothing larger is allocated for it at once. */
const LARGEST_PIECE = 8 * 1024 * 1024

/** One zstd frame with its content size. Small inputs take the quick level: there the better one saves nothing. */
export const compress = (plain: Uint8Array): Uint8Array => {
  const level = plain.length < QUICK_BELOW_BYTES ? 1 : 3
  if (plain.length < SMALL_TEXT_BYTES) return compressUsingDict(compressing, plain, NO_DICTIONARY, level)
  return zstdCompressSync(plain, {
    params: { [constants.ZSTD_c_compressionLevel]: level },
    pledgedSrcSize: plain.length,
    chunkSize: plain.length + 512,
  })
}

/**
 * Throws `corrupt` when the frame is damaged or holds more than `largest` bytes, before they are held in memory. Where the
 * length is known, `expected` saves half of the time: the output is made in one piece.
 */
export const decompress = (frame: Uint8Array, largest: number, expected?: number): Uint8Array => {
  try {
    const told = toldLength(frame)
    if (told !== undefined && told > 0 && told <= Math.min(largest, SMALL_RESULT_BYTES)) {
      return decompressUsingDict(decompressing, frame, NO_DICTIONARY)
    }
    return zstdDecompressSync(frame, {
      maxOutputLength: Math.max(1, largest),
      ...(expected === undefined ? {} : { chunkSize: Math.min(Math.max(64, expected), LARGEST_PIECE) }),
    })
  } catch (error) {
    throw corrupt('compressed bytes cannot be read', error)
  }
}

const MAGIC = 0xfd2fb528

/** The content size that the header of a frame tells, if it is one of those that small frames have (RFC 8878, 3.1.1.1). */
const toldLength = (frame: Uint8Array): number | undefined => {
  if (frame.length < 9) return undefined
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length)
  const descriptor = view.getUint8(4)
  const isSingleSegment = (descriptor & 0x20) !== 0
  const hasDictionary = (descriptor & 3) !== 0
  if (view.getUint32(0, true) !== MAGIC || !isSingleSegment || hasDictionary) return undefined
  const size = descriptor >> 6
  if (size === 0) return view.getUint8(5)
  return size === 1 ? view.getUint16(5, true) + 256 : undefined
}
