import { createHash } from 'node:crypto'

// Content-defined chunking with a gear hash and two masks (FastCDC). A border depends on the bytes of its chunk alone,
// so equal content is cut alike wherever it begins anew.

export const SMALLEST_CHUNK = 512 * 1024
const USUAL_CHUNK = 1024 * 1024
export const LARGEST_CHUNK = 8 * 1024 * 1024
/** Up to the usual size a border is rare, beyond it frequent; the upper bits depend on the last 32 bytes. */
const RARE = 0xfffff800 | 0
const FREQUENT = 0xffffc000 | 0

/** The 256 secret numbers of a repository, which keep outsiders from recognising a known file by its chunk sizes. */
export const gearTable = (polynomial: string): Int32Array => {
  const numbers = new Int32Array(256)
  for (let block = 0; block < 32; block += 1) {
    const digest = createHash('sha256').update(`gear ${polynomial} ${block}`).digest()
    for (let at = 0; at < 8; at += 1) numbers[block * 8 + at] = digest.readInt32LE(at * 4)
  }
  return numbers
}

/**
 * The length of the chunk that begins at `start`; 0 when more bytes are needed to tell. `isLast` says that nothing
 * follows `end`.
 */
export const chunkLength = (
  gear: Int32Array,
  bytes: Uint8Array,
  start: number,
  { end, isLast }: { readonly end: number; readonly isLast: boolean },
): number => {
  const available = end - start
  if (available <= SMALLEST_CHUNK) return isLast ? available : 0
  const usual = start + Math.min(available, USUAL_CHUNK)
  const largest = start + Math.min(available, LARGEST_CHUNK)
  let hash = 0
  let at = start + SMALLEST_CHUNK
  for (; at < usual; at += 1) {
    hash = ((hash << 1) + gear[bytes[at]!]!) | 0
    if ((hash & RARE) === 0) return at + 1 - start
  }
  for (; at < largest; at += 1) {
    hash = ((hash << 1) + gear[bytes[at]!]!) | 0
    if ((hash & FREQUENT) === 0) return at + 1 - start
  }
  return available >= LARGEST_CHUNK ? LARGEST_CHUNK : isLast ? available : 0
}
