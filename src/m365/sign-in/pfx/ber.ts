import { invalid } from '#base'

/** One element of a BER or DER encoding. Constructed ones have children, the others their bytes. */
export interface Element {
  readonly tag: number
  readonly bytes: Uint8Array
  readonly children: readonly Element[]
}

export const TAG = {
  integer: 0x02,
  octetString: 0x04,
  oid: 0x06,
  sequence: 0x30,
  context0: 0xa0,
  context0Primitive: 0x80,
} as const

const CONSTRUCTED = 0x20
const MAX_DEPTH = 24
const MAX_ELEMENTS = 5000

interface Reading {
  readonly bytes: Uint8Array
  at: number
  elements: number
}

/** Reads exactly one element. Refuses what is cut off, followed by something, too deep or too much. */
export function readElement(bytes: Uint8Array): Element {
  const reading = { bytes, at: 0, elements: 0 }
  const element = next(reading, 0)
  if (reading.at !== bytes.length) throw malformed('something follows its end')
  return element
}

/** The bytes of an OCTET STRING, also of one in pieces. */
export function octets(element: Element | undefined): Uint8Array {
  if (element === undefined) throw malformed('a part is missing')
  if (element.children.length === 0) return element.bytes
  return Buffer.concat(element.children.map((piece) => octets(piece)))
}

/** A small non-negative INTEGER. */
export function integer(element: Element | undefined): number {
  if (element?.tag !== TAG.integer || element.bytes.length > 6 || element.bytes.length === 0) {
    throw malformed('a number is missing or too large')
  }
  return element.bytes.reduce((value, byte) => value * 256 + byte, 0)
}

/** `1.2.840.113549.1.7.1`. */
export function oid(element: Element | undefined): string {
  if (element?.tag !== TAG.oid || element.bytes.length > 32 || element.bytes.length === 0) {
    throw malformed('an identifier is missing')
  }
  const parts: number[] = []
  let value = 0
  for (const byte of element.bytes) {
    value = value * 128 + (byte & 0x7f)
    if ((byte & 0x80) !== 0) continue
    if (parts.length === 0)
      parts.push(Math.min(2, Math.floor(value / 40)), value - 40 * Math.min(2, Math.floor(value / 40)))
    else parts.push(value)
    value = 0
  }
  return parts.join('.')
}

export function malformed(what: string): Error {
  return invalid(`the certificate is not a readable PFX file: ${what}`)
}

function next(reading: Reading, depth: number): Element {
  if (depth > MAX_DEPTH) throw malformed('it is nested too deeply')
  reading.elements += 1
  if (reading.elements > MAX_ELEMENTS) throw malformed('it has too many parts')
  const tag = byteOf(reading)
  if ((tag & 0x1f) === 0x1f) throw malformed('an unknown kind of part')
  const length = lengthOf(reading)
  if (length === undefined) return indefinite(reading, tag, depth)
  const end = reading.at + length
  if (end > reading.bytes.length) throw malformed('it is cut off')
  if ((tag & CONSTRUCTED) === 0) {
    const bytes = reading.bytes.subarray(reading.at, end)
    reading.at = end
    return { tag, bytes, children: [] }
  }
  const start = reading.at
  const children: Element[] = []
  while (reading.at < end) children.push(next(reading, depth + 1))
  if (reading.at !== end) throw malformed('a part is longer than its whole')
  return { tag, bytes: reading.bytes.subarray(start, end), children }
}

/** Bouncy Castle writes constructed parts without a length, ended by two zero bytes. */
function indefinite(reading: Reading, tag: number, depth: number): Element {
  if ((tag & CONSTRUCTED) === 0) throw malformed('a part has no length')
  const start = reading.at
  const children: Element[] = []
  while (!(reading.bytes[reading.at] === 0 && reading.bytes[reading.at + 1] === 0)) {
    children.push(next(reading, depth + 1))
  }
  const bytes = reading.bytes.subarray(start, reading.at)
  reading.at += 2
  return { tag, bytes, children }
}

function lengthOf(reading: Reading): number | undefined {
  const first = byteOf(reading)
  if (first === 0x80) return undefined
  if (first < 0x80) return first
  const count = first & 0x7f
  if (count > 4) throw malformed('a part is too long')
  let length = 0
  for (let index = 0; index < count; index += 1) length = length * 256 + byteOf(reading)
  return length
}

function byteOf(reading: Reading): number {
  const byte = reading.bytes[reading.at]
  if (byte === undefined) throw malformed('it is cut off')
  reading.at += 1
  return byte
}
