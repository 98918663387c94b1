import { createHash } from 'node:crypto'

/** Bytes that depend on nothing but their names: the same seed makes the same tenant. */
export const seededBytes = (seed: number, ...names: readonly (string | number)[]): Buffer =>
  createHash('sha256')
    .update([seed, ...names].join('\u0000'))
    .digest()

/** A version 4 UUID that depends on nothing but its names. */
export const seededUuid = (seed: number, ...names: readonly (string | number)[]): string => {
  const raw = seededBytes(seed, ...names)
  raw[6] = (raw[6]! & 0x0f) | 0x40
  raw[8] = (raw[8]! & 0x3f) | 0x80
  const hex = raw.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  )
}
