import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { corrupt } from '#base'

const QUICK_BELOW_BYTES = 64 * 1024
/** A length that is told may be a lie; nothing larger is allocated for it at once. */
const LARGEST_PIECE = 8 * 1024 * 1024

/** One zstd frame with its content size. Small inputs take the quick level: there the better one saves nothing. */
export const compress = (plain: Uint8Array): Uint8Array =>
  zstdCompressSync(plain, {
    params: { [constants.ZSTD_c_compressionLevel]: plain.length < QUICK_BELOW_BYTES ? 1 : 3 },
    pledgedSrcSize: plain.length,
    chunkSize: Math.max(1024, plain.length + 512),
  })

/**
 * Throws `corrupt` when the frame is damaged or holds more than `largest` bytes, before they are held in memory. Where the
 * length is known, `expected` saves half of the time: the output is made in one piece.
 */
export const decompress = (frame: Uint8Array, largest: number, expected?: number): Uint8Array => {
  try {
    return zstdDecompressSync(frame, {
      maxOutputLength: Math.max(1, largest),
      ...(expected === undefined ? {} : { chunkSize: Math.min(Math.max(64, expected), LARGEST_PIECE) }),
    })
  } catch (error) {
    throw corrupt('compressed bytes cannot be read', error)
  }
}
