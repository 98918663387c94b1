import { corrupt, messageOf } from '#base'
import { Scratch } from '../scratch.ts'
import { newBuffer } from '../release.ts'
import {
  compress,
  compressQuicklyInto,
  decompress,
  decompressInto,
  frameRoom,
  frameSize,
} from './compression.ts'
import { type KeySet, open, seal, SEAL_BYTES } from './sealing.ts'
import { ivsOf, ManySeals } from './sealing-many.ts'

/** Documents are held whole, so they have an end. An index of 50,000 blobs is about 8 MB. */
const LARGEST_DOCUMENT = 256 * 1024 * 1024
const COMPRESSED = 2
const BRACE = 0x7b
const BRACKET = 0x5b

/** Index, snapshot and lock files: `0x02`, one zstd frame of the JSON, all of it sealed. */
export const sealDocument = (key: KeySet, json: string, iv: Uint8Array): Uint8Array => {
  const frame = compress(Buffer.from(json))
  const plain = new Uint8Array(frame.length + 1)
  plain[0] = COMPRESSED
  plain.set(frame, 1)
  return seal(key, plain, iv)
}

const packed = new Scratch()

/** The same for the text of an index file, with little memory. */
export const sealIndexText = (key: KeySet, text: Uint8Array, iv: Uint8Array): Uint8Array<ArrayBuffer> => {
  const room = packed.take(frameRoom(text.length) + 1)
  room[0] = COMPRESSED
  const plain = room.subarray(0, 1 + compressQuicklyInto(text, room.subarray(1)))
  const sealed = newBuffer(plain.length + SEAL_BYTES)
  new ManySeals(key, iv).seal(0, plain, sealed)
  return sealed
}

/** The parsed JSON of a sealed document. Throws `corrupt`. */
export const openDocument = (key: KeySet, sealed: Uint8Array): unknown =>
  parseJson(openDocumentText(key, sealed))

/** The text of a sealed document. Throws `corrupt`. */
export const openDocumentText = (key: KeySet, sealed: Uint8Array): Uint8Array => textOf(open(key, sealed))

const opened = new Scratch()
const unpacked = new Scratch()

/** The same in memory that the next call takes again: for a thread that opens one large document after the other. */
export const openDocumentBriefly = (key: KeySet, sealed: Uint8Array): Uint8Array =>
  openDocumentInto(key, sealed, (bytes) => unpacked.take(bytes))

/** The same in memory that the caller has: at least so many bytes. Rarely the text lies elsewhere. Throws `corrupt`. */
export const openDocumentInto = (
  key: KeySet,
  sealed: Uint8Array,
  memoryOf: (bytes: number) => Uint8Array,
): Uint8Array => {
  const target = opened.take(sealed.length)
  const length = new ManySeals(key, ivsOf([sealed])).open(0, sealed, target)
  if (length === undefined) throw corrupt('sealed bytes fail their authentication')
  const plain = target.subarray(0, length)
  const size = plain[0] === COMPRESSED ? frameSize(plain.subarray(1)) : undefined
  if (size === undefined || size > LARGEST_DOCUMENT) return textOf(plain)
  const text = memoryOf(size + 1)
  decompressInto(plain.subarray(1), text.subarray(0, size + 1))
  return text.subarray(0, size)
}

const textOf = (plain: Uint8Array): Uint8Array => {
  const first = plain[0]
  if (first === COMPRESSED) return decompress(plain.subarray(1), LARGEST_DOCUMENT)
  if (first === BRACE || first === BRACKET) return plain
  throw corrupt('a document is of an unknown kind')
}

/** JSON that stored bytes hold. Throws `corrupt`. */
export const parseJson = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'))
  } catch (error) {
    throw corrupt(`stored JSON cannot be read: ${messageOf(error)}`)
  }
}

export type Fields = Readonly<Record<string, unknown>>

/** Throws `corrupt` unless the value is a JSON object. */
export const fieldsOf = (value: unknown, what: string): Fields => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw corrupt(`${what} is not a JSON object`)
  }
  return value as Fields
}

/** A list, or an empty one for null and absent, which Go writes for an empty slice. */
export const listOf = (value: unknown, what: string): readonly unknown[] => {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw corrupt(`${what} is not a list`)
  return value
}

export const textsOf = (value: unknown, what: string): readonly string[] =>
  listOf(value, what).map((each) => {
    if (typeof each !== 'string') throw corrupt(`${what} does not hold texts`)
    return each
  })

/** A whole number from 0 to `largest`. */
export const countOf = (value: unknown, what: string, largest = 0xffffffff): number => {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > largest) {
    throw corrupt(`${what} is not a number in range`)
  }
  return value
}
