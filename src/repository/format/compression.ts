import {
  constants,
  createZstdCompress,
  createZstdDecompress,
  type ZstdCompress,
  type ZstdDecompress,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib'
import { corrupt } from '#base'
import { Scratch } from '../scratch.ts'

const QUICK_BELOW_BYTES = 64 * 1024
const QUICK = 1
const THOROUGH = 3
/** A length that is told may be a lie; nothing larger is allocated for it at once. */
const LARGEST_PIECE = 8 * 1024 * 1024
/** The contexts that are kept see nothing larger: a tree may have hundreds of megabytes. */
const LARGEST_KEPT = 16 * 1024 * 1024

type ZstdStream = ZstdCompress | ZstdDecompress

/** What a stream of `node:zlib` is made of. */
interface Inside {
  readonly _handle?: {
    writeSync?(flush: number, ...inAndOut: readonly (Uint8Array | number)[]): void
  } | null
  /** Bytes left of the output, bytes left of the input. */
  readonly _writeState?: Uint32Array
}

/**
 * A zstd context that serves one frame after the other. The one-shot functions of `node:zlib` make a stream, a context of
 * up to some megabytes and an output for every call, which takes longer than the work on a mail. What is used here is
 * within the stream and not promised by Node: where it is missing or does not do what is expected, `run` says so, and
 * the one-shot function does it.
 */
class KeptContext {
  readonly #make: () => ZstdStream
  #stream: ZstdStream | undefined

  constructor(make: () => ZstdStream) {
    this.#make = make
  }

  /** The length of the output when the whole input became one; undefined when it did not. */
  run(input: Uint8Array, output: Uint8Array): number | undefined {
    this.#stream ??= this.#make().on('error', () => undefined)
    const { _handle: handle, _writeState: left } = this.#stream as unknown as Inside
    if (left === undefined || typeof handle?.writeSync !== 'function') return undefined
    handle.writeSync(constants.ZSTD_e_end, input, 0, input.length, output, 0, output.length)
    const [outputLeft = 0, inputLeft = 0] = left
    // A full output may hide that there is more to come. Whatever is left over spoils the next frame.
    if (!this.#stream.destroyed && inputLeft === 0 && outputLeft > 0) return output.length - outputLeft
    this.forget()
    return undefined
  }

  forget(): void {
    this.#stream?.destroy()
    this.#stream = undefined
  }
}

const compressing = (level: number): KeptContext =>
  new KeptContext(() => createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: level } }))

const contexts = {
  [QUICK]: compressing(QUICK),
  [THOROUGH]: compressing(THOROUGH),
  opening: new KeptContext(() => createZstdDecompress()),
}

const scratch = new Scratch()

/** What a frame may have at most, and one byte more. */
export const frameRoom = (bytes: number): number => bytes + (bytes >> 8) + 128

/** One zstd frame with its content size, in memory of its own. */
export const compress = (plain: Uint8Array): Uint8Array => Uint8Array.from(compressBriefly(plain))

/**
 * One zstd frame with its content size, in memory that the next call takes again. Small inputs take the quick level:
 * there the better one saves nothing.
 */
export const compressBriefly = (plain: Uint8Array): Uint8Array => {
  const level = plain.length < QUICK_BELOW_BYTES ? QUICK : THOROUGH
  if (plain.length > 0 && plain.length <= LARGEST_KEPT) {
    const room = scratch.take(frameRoom(plain.length))
    const length = contexts[level].run(plain, room)
    if (length !== undefined) return room.subarray(0, length)
  }
  return zstdCompressSync(plain, {
    params: { [constants.ZSTD_c_compressionLevel]: level },
    pledgedSrcSize: plain.length,
    chunkSize: plain.length + 512,
  })
}

/**
 * One zstd frame with its content size at the quick level, laid into `target`, which has `frameRoom` for it. Returns its length.
 * For texts that are mostly hashes: the better level makes them longer.
 */
export const compressQuicklyInto = (plain: Uint8Array, target: Uint8Array): number => {
  if (plain.length > 0 && plain.length <= LARGEST_KEPT) {
    const length = contexts[QUICK].run(plain, target)
    if (length !== undefined) return length
  }
  const frame = zstdCompressSync(plain, {
    params: { [constants.ZSTD_c_compressionLevel]: QUICK },
    pledgedSrcSize: plain.length,
  })
  target.set(frame)
  return frame.length
}

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

/**
 * The bytes of a frame, which are `target.length - 1` (the last byte is needed to see that nothing follows). Throws
 * `corrupt` when it is damaged or has another length.
 */
export const decompressInto = (frame: Uint8Array, target: Uint8Array): void => {
  const expected = target.length - 1
  if (expected <= LARGEST_KEPT && contexts.opening.run(frame, target) === expected) return
  // A context that was left in the middle of a damaged frame must not make the next one look damaged.
  contexts.opening.forget()
  const plain = decompress(frame, expected, expected)
  if (plain.length !== expected) throw corrupt('a blob does not have the length that is told')
  target.set(plain)
}

const FRAME_MAGIC = 0xfd2fb528
const SIZE_BYTES = [0, 2, 4, 8]
const DICTIONARY_BYTES = [0, 1, 2, 4]

/** The length that a frame tells of its content (RFC 8878, 3.1.1.1); undefined when it tells none. */
export const frameSize = (frame: Uint8Array): number | undefined => {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  if (frame.length < 18 || view.getUint32(0, true) !== FRAME_MAGIC) return undefined
  const flags = frame[4]!
  const isSingle = (flags & 0x20) !== 0
  const bytes = isSingle ? Math.max(1, SIZE_BYTES[flags >> 6]!) : SIZE_BYTES[flags >> 6]!
  const at = 5 + (isSingle ? 0 : 1) + DICTIONARY_BYTES[flags & 3]!
  if (bytes === 1) return frame[at]!
  if (bytes === 2) return view.getUint16(at, true) + 256
  if (bytes === 4) return view.getUint32(at, true)
  return bytes === 8 ? Number(view.getBigUint64(at, true)) : undefined
}
