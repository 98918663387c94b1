import { crc32 } from 'node:zlib'
import { extname } from 'node:path/posix'
import { corpusDocuments } from '../seed/corpus.ts'
import { QuickXorHash } from './quick-xor-hash.ts'

// A variant of a document is its first bytes up to a point plus a new tail that keeps the format valid, so thousands of
// different files cost no more memory than the corpus itself.

/** A document as pieces in order. */
export interface Document {
  readonly pieces: readonly Uint8Array[]
  readonly sizeBytes: number
  /** Base64. Computed when asked. */
  hash(): string
}

interface Base {
  readonly bytes: Buffer
  readonly keep: number
  readonly tail: (note: string) => Buffer
  hash: QuickXorHash | undefined
}

const ZIP_END = Buffer.from('PK\u0005\u0006', 'latin1')
const ZIP_END_BYTES = 22
const JPEG_END = Buffer.from([0xff, 0xd9])
const PNG_END_BYTES = 12
const OLE_START = Buffer.from([0xd0, 0xcf, 0x11, 0xe0])
const OLE_SECTOR_BYTES = 512

const endsZip = (bytes: Buffer): boolean =>
  bytes.subarray(-ZIP_END_BYTES, -ZIP_END_BYTES + 4).equals(ZIP_END) &&
  bytes.readUInt16LE(bytes.length - 2) === 0

const zipTail = (note: string): Buffer => {
  const comment = Buffer.from(note)
  const length = Buffer.alloc(2)
  length.writeUInt16LE(comment.length)
  return Buffer.concat([length, comment])
}

const pngTail = (end: Buffer, note: string): Buffer => {
  const body = Buffer.concat([Buffer.from('tEXt'), Buffer.from(`Comment\u0000${note}`, 'latin1')])
  const chunk = Buffer.alloc(body.length + 8)
  chunk.writeUInt32BE(body.length - 4)
  body.copy(chunk, 4)
  chunk.writeUInt32BE(crc32(body), body.length + 4)
  return Buffer.concat([chunk, end])
}

const jpegTail = (note: string): Buffer => {
  const comment = Buffer.from(note)
  const head = Buffer.from([0xff, 0xfe, 0, 0])
  head.writeUInt16BE(comment.length + 2, 2)
  return Buffer.concat([head, comment, JPEG_END])
}

/** A sector that no allocation table of a compound file mentions. */
const oleTail = (note: string): Buffer => {
  const sector = Buffer.alloc(OLE_SECTOR_BYTES)
  sector.write(note)
  return sector
}

const lineTail = (note: string): Buffer => Buffer.from(`\n${note}\n`)

const tailOf = (name: string, bytes: Buffer): Pick<Base, 'keep' | 'tail'> => {
  if (endsZip(bytes)) return { keep: bytes.length - 2, tail: zipTail }
  if (bytes.subarray(0, 4).equals(OLE_START)) return { keep: bytes.length, tail: oleTail }
  const extension = extname(name).toLowerCase()
  if (extension === '.png') {
    const keep = bytes.length - PNG_END_BYTES
    return { keep, tail: (note) => pngTail(bytes.subarray(keep), note) }
  }
  if (extension === '.jpg' && bytes.subarray(-2).equals(JPEG_END)) {
    return { keep: bytes.length - 2, tail: jpegTail }
  }
  return { keep: bytes.length, tail: lineTail }
}

let bases: readonly Base[] | undefined

const loadBases = (): readonly Base[] =>
  (bases ??= corpusDocuments().map(({ name, bytes }) => ({ bytes, ...tailOf(name, bytes), hash: undefined })))

const noteOf = (variant: number): string => `practice copy ${variant.toString().padStart(8, '0')}`

/** The document with this number as it is (variant 0) or as one of its endless deterministic variants. */
export const corpusDocument = (number: number, variant: number): Document => {
  const base = loadBases()[number]!
  const kept = base.bytes.subarray(0, base.keep)
  const tail = variant === 0 ? base.bytes.subarray(base.keep) : base.tail(noteOf(variant))
  return {
    pieces: [kept, tail],
    sizeBytes: kept.length + tail.length,
    hash: () => (base.hash ??= new QuickXorHash().update(kept)).copy().update(tail).digest(),
  }
}

/** Whether the service would write properties of its own into it: the formats of Office that are ZIP archives. */
export const isPromotable = (bytes: Buffer): boolean => endsZip(bytes)

/** The same archive, a few bytes longer: what SharePoint's property promotion does to an uploaded Office file. */
export const promoted = (bytes: Buffer): Buffer =>
  Buffer.concat([bytes.subarray(0, -2), zipTail('properties promoted')])
