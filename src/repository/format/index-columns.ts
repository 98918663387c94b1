import { decodeIndex } from './index-document.ts'
import { parseJson } from './document.ts'
import { ID_BYTES } from './ids.ts'
import { SEAL_BYTES } from './sealing.ts'

// JSON.parse of an index file costs a microsecond and many small objects a blob. The text that we and restic write has one
// form, which is read here byte by byte into arrays; any other text takes the way through JSON.parse and means the same.

/** What an index file names, a row a blob. */
export interface IndexColumns {
  readonly packIds: readonly string[]
  readonly ids: Uint32Array<ArrayBuffer>
  /** Position in `packIds`, and the type in the highest bit: 1 for a tree. */
  readonly packs: Uint32Array<ArrayBuffer>
  readonly offsets: Uint32Array<ArrayBuffer>
  readonly lengths: Uint32Array<ArrayBuffer>
  readonly uncompressed: Uint32Array<ArrayBuffer>
}

const ID_WORDS = ID_BYTES / 4
const TREE = 0x80000000
/** The shortest text of a blob, so that no file has more than its length in this. */
const SHORTEST_BLOB = 108
const MOST = 0xffffffff

/** Columns of so many rows in one buffer, which can be handed over. */
export const columnsIn = (
  buffer: ArrayBuffer,
  room: number,
  rows: number,
  packIds: readonly string[],
): IndexColumns => {
  const column = (at: number): Uint32Array<ArrayBuffer> =>
    new Uint32Array(buffer, room * 4 * (ID_WORDS + at), rows)
  return {
    packIds,
    ids: new Uint32Array(buffer, 0, rows * ID_WORDS),
    packs: column(0),
    offsets: column(1),
    lengths: column(2),
    uncompressed: column(3),
  }
}

export interface ReadColumns {
  readonly buffer: ArrayBuffer
  readonly room: number
  readonly rows: number
  readonly packIds: readonly string[]
}

/** Reads the text of an index file. Throws `corrupt`. */
export const readIndexColumns = (text: Uint8Array): ReadColumns => scanIndex(text) ?? parseIndex(text)

/** The way for any text. */
export const parseIndex = (text: Uint8Array): ReadColumns => {
  const packs = decodeIndex(parseJson(text))
  const rows = packs.reduce((sum, { blobs }) => sum + blobs.length, 0)
  const buffer = new ArrayBuffer(rows * (ID_BYTES + 16))
  const packIds = packs.map(({ id }) => id)
  const columns = columnsIn(buffer, rows, rows, packIds)
  const ids = Buffer.from(buffer)
  let row = 0
  packs.forEach(({ blobs }, pack) => {
    for (const blob of blobs) {
      ids.write(blob.id, row * ID_BYTES, 'hex')
      columns.packs[row] = pack | (blob.type === 'tree' ? TREE : 0)
      columns.offsets[row] = blob.offset
      columns.lengths[row] = blob.length
      columns.uncompressed[row] = blob.uncompressed
      row += 1
    }
  })
  return { buffer, room: rows, rows, packIds }
}

const bytesOf = (text: string): Uint8Array => Buffer.from(text)
const HEAD = bytesOf('{"packs":[')
const PACK_HEAD = bytesOf('{"id":"')
const BLOBS = bytesOf('","blobs":[')
const TYPE = bytesOf('","type":"')
const DATA_OFFSET = bytesOf('data","offset":')
const TREE_OFFSET = bytesOf('tree","offset":')
const LENGTH = bytesOf(',"length":')
const PLAIN = bytesOf(',"uncompressed_length":')
const [COMMA, CLOSE, END, LETTER_D] = [0x2c, 0x7d, 0x5d, 0x64]

/** Values of the digits that ids are written in; 255 for every other byte. */
const HEX = new Uint8Array(256).fill(255)
for (let value = 0; value < 16; value += 1) HEX[value.toString(16).charCodeAt(0)] = value

/** Reads a text in its usual form; undefined for any other. */
export const scanIndex = (text: Uint8Array): ReadColumns | undefined => new Scan(text).read()

class Scan {
  readonly #text: Uint8Array
  readonly #room: number
  readonly #buffer: ArrayBuffer
  readonly #ids: Uint8Array
  readonly #columns: IndexColumns
  readonly #packIds: string[] = []
  #at = 0
  #row = 0
  #isUsual = true

  constructor(text: Uint8Array) {
    this.#text = text
    this.#room = Math.ceil(text.length / SHORTEST_BLOB)
    this.#buffer = new ArrayBuffer(this.#room * (ID_BYTES + 16))
    this.#ids = new Uint8Array(this.#buffer)
    this.#columns = columnsIn(this.#buffer, this.#room, this.#room, [])
  }

  read(): ReadColumns | undefined {
    this.#expect(HEAD)
    if (this.#peek() !== END)
      do this.#pack()
      while (this.#isUsual && this.#take(COMMA))
    if (!this.#isUsual || !this.#take(END) || !this.#take(CLOSE)) return undefined
    // Go ends a document with a new line where it streams it.
    if (this.#at < this.#text.length && !(this.#at === this.#text.length - 1 && this.#take(0x0a)))
      return undefined
    return { buffer: this.#buffer, room: this.#room, rows: this.#row, packIds: this.#packIds }
  }

  #pack(): void {
    this.#expect(PACK_HEAD)
    const start = this.#at
    for (let digit = 0; digit < 64; digit += 1)
      if (HEX[this.#text[start + digit] ?? 0] === 255) this.#isUsual = false
    if (!this.#isUsual) return
    this.#packIds.push(Buffer.from(this.#text.subarray(start, start + 64)).toString('latin1'))
    this.#at = start + 64
    this.#expect(BLOBS)
    if (this.#peek() !== END)
      do this.#blob()
      while (this.#isUsual && this.#take(COMMA))
    if (!this.#take(END) || !this.#take(CLOSE)) this.#isUsual = false
  }

  #blob(): void {
    this.#expect(PACK_HEAD)
    const row = this.#row
    this.#id(row * ID_BYTES)
    this.#expect(TYPE)
    const isData = this.#peek() === LETTER_D
    this.#expect(isData ? DATA_OFFSET : TREE_OFFSET)
    const offset = this.#number()
    this.#expect(LENGTH)
    const length = this.#number()
    let uncompressed = 0
    if (this.#peek() === COMMA) {
      this.#expect(PLAIN)
      uncompressed = this.#number()
    }
    if (!this.#take(CLOSE) || length < SEAL_BYTES) this.#isUsual = false
    if (!this.#isUsual) return
    const { packs, offsets, lengths, uncompressed: plain } = this.#columns
    packs[row] = (this.#packIds.length - 1) | (isData ? 0 : TREE)
    offsets[row] = offset
    lengths[row] = length
    plain[row] = uncompressed
    this.#row = row + 1
  }

  #id(to: number): void {
    const text = this.#text
    const ids = this.#ids
    let at = this.#at
    let wrong = 0
    for (let byte = 0; byte < ID_BYTES; byte += 1, at += 2) {
      const high = HEX[text[at]!]!
      const low = HEX[text[at + 1]!]!
      wrong |= high | low
      ids[to + byte] = (high << 4) | low
    }
    if (wrong > 15 || at > text.length) this.#isUsual = false
    this.#at = at
  }

  /** Digits without sign, fraction or leading zero. */
  #number(): number {
    const text = this.#text
    const start = this.#at
    let at = start
    let value = 0
    for (let digit = text[at]! - 48; digit >= 0 && digit <= 9; digit = text[at]! - 48) {
      value = value * 10 + digit
      at += 1
    }
    const hasLeadingZero = text[start] === 48 && at > start + 1
    if (at === start || at > start + 10 || value > MOST || hasLeadingZero) this.#isUsual = false
    this.#at = at
    return value
  }

  #expect(wanted: Uint8Array): void {
    const text = this.#text
    const at = this.#at
    for (let byte = 0; byte < wanted.length; byte += 1)
      if (text[at + byte] !== wanted[byte]) this.#isUsual = false
    this.#at = at + wanted.length
  }

  #peek(): number {
    return this.#text[this.#at] ?? -1
  }

  #take(byte: number): boolean {
    if (this.#text[this.#at] !== byte) return false
    this.#at += 1
    return true
  }
}
