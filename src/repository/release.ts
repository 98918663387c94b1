/** Memory of its own that is not cleared: for what is filled at once. A plain array: a Buffer's `slice` would not copy. */
export const newBuffer = (bytes: number): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer)

/**
 * Gives the memory of a large buffer back at once, so that the next one gets it: left to the garbage collector it goes
 * back to the system, and bringing new pages costs as much as hashing them. Nobody may look at the bytes any more. Does
 * nothing for small buffers, which may share their memory with others.
 */
export const release = ({ buffer }: Pick<Uint8Array, 'buffer'>): void => {
  if (buffer instanceof ArrayBuffer && buffer.byteLength > SHARED_BYTES) buffer.transfer(0)
}

/** Node cuts small buffers out of blocks of `Buffer.poolSize`. */
const SHARED_BYTES = Math.max(32 * 1024, Buffer.poolSize)
