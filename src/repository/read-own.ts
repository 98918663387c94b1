import type { Storage } from '#storage'
import type { Buffers } from './buffers.ts'

/** Less does not need a buffer that goes around. */
const SMALL_BYTES = 256 * 1024

export interface OwnRead {
  readonly storage: Storage
  readonly buffers: Buffers
  readonly path: string
  readonly range?: { readonly offset: number; readonly length: number }
  /** How much is expected, so that a buffer is there for it. */
  readonly expectedBytes: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Reads a file, or a range of it, into a buffer that nobody else looks into, so that it can be handed to another thread.
 * The caller gives it to `buffers` when it comes back.
 */
export const readOwn = async (read: OwnRead): Promise<Uint8Array<ArrayBuffer>> => {
  const { storage, buffers, path, range, expectedBytes, signal } = read
  if (expectedBytes < SMALL_BYTES) return ownBytes(await storage.read(path, range, signal))
  const buffer = buffers.take(expectedBytes)
  const bytes = await storage.read(path, range, signal, buffer)
  if (isViewOf(bytes, buffer)) return bytes
  buffers.give(buffer)
  return ownBytes(bytes)
}

const isViewOf = (bytes: Uint8Array, buffer: Uint8Array<ArrayBuffer>): bytes is Uint8Array<ArrayBuffer> =>
  bytes.buffer === buffer.buffer

/** The same bytes in a buffer that nobody else looks into, so that it can be handed over. */
export const ownBytes = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  bytes.buffer instanceof ArrayBuffer && bytes.length === bytes.buffer.byteLength
    ? new Uint8Array(bytes.buffer)
    : Uint8Array.from(bytes)
