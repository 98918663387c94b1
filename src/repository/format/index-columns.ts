import { decodeIndex, packText } from './index-document.ts'
import { parseJson } from './document.ts'
import { PRINT_WORDS, type PrintFactors, printId } from './id-print.ts'
import { ID_BYTES } from './ids.ts'
import { SEAL_BYTES } from './sealing.ts'

// JSON.parse of an index file costs a microsecond and many small objects a blob. The text that we and restic write has one
// form, which is read here byte by byte into arrays; any other text takes the way through JSON.parse and means the same.

/** What an index file names, a row a blob: pack by pack, each in the order of its bytes. */
export interface IndexColumns {
  readonly packIds: readonly string[]
  /** How many rows each pack has. */
  readonly packRows: readonly number[]
  /** The print of each id. */
  readonly ids: Uint32Array<ArrayBuffer>
  readonly lengths: Uint32Array<ArrayBuffer>
  readonly uncompressed: Uint32Array<ArrayBuffer>
  readonly offsets: Uint32Array<ArrayBuffer>
  /** 1 for a tree. */
  readonly trees: Uint8Array<ArrayBuffer>
}

const PRINT_BYTES = PRINT_WORDS * 4
const ROW_BYTES = PRINT_BYTES + 13
/** The shortest text of a blob, so that no file has more than its length in this. */
const SHORTEST_BLOB = 108
const MOST = 0xffffffff

/** Columns of so many rows in one buffer, which can be handed over. */
export const columnsIn = ({ buffer, rows, packIds, packRows }: ReadColumns): IndexColumns => {
  const column = (at: number): Uint32Array<ArrayBuffer> =>
    new Uint32Array(buffer, rows * (PRINT_BYTES + 4 * at), rows)
  return {
    packIds,
    packRows,
    ids: new Uint32Array(buffer, 0, rows * PRINT_WORDS),
    lengths: column(0),
    uncompressed: column(1),
    offsets: column(2),
    trees: new Uint8Array(buffer, rows * (PRINT_BYTES + 12), rows),
  }
}

export interface ReadColumns {
  readonly buffer: ArrayBuffer
  readonly rows: number
  readonly packIds: readonly string[]
  readonly packRows: readonly number[]
}

let scratch = new ArrayBuffer(0)
/** What is kept. */
const LARGEST_SCRATCH = 8 * 1024 * 1024

/** Columns to be filled, in memory that the next call may take again. */
const briefColumns = (rows: number): IndexColumns => {
  const bytes = rows * ROW_BYTES
  const isKept = bytes <= LARGEST_SCRATCH
  if (isKept && scratch.byteLength < bytes) scratch = new ArrayBuffer(bytes)
  return columnsIn({ buffer: isKept ? scratch : new ArrayBuffer(bytes), rows, packIds: [], packRows: [] })
}

/** Columns of exactly the rows that were read, in the order of their packs. */
const columnsOf = (
  { ids, lengths, uncompressed, offsets, trees }: IndexColumns,
  packIds: readonly string[],
  packRows: readonly number[],
): ReadColumns => {
  const rows = packRows.reduce((sum, count) => sum + count, 0)
  const result = { buffer: new ArrayBuffer(rows * ROW_BYTES), rows, packIds, packRows }
  const columns = columnsIn(result)
  columns.ids.set(ids.subarray(0, rows * PRINT_WORDS))
  columns.lengths.set(lengths.subarray(0, rows))
  columns.uncompressed.set(uncompressed.subarray(0, rows))
  columns.offsets.set(offsets.subarray(0, rows))
  columns.trees.set(trees.subarray(0, rows))
  let from = 0
  for (const count of packRows) {
    sortRows(columns, from, from + count)
    from += count
  }
  return result
}

/** Brings rows into the order of their offsets. */
const sortRows = (columns: IndexColumns, from: number, to: number): void => {
  const { ids, offsets } = columns
  let at = from + 1
  while (at < to && offsets[at - 1]! <= offsets[at]!) at += 1
  if (at >= to) return
  const order = Array.from({ length: to - from }, (_, row) => from + row).sort(
    (a, b) => offsets[a]! - offsets[b]!,
  )
  const sorted = order.map((row) => ids.slice(row * PRINT_WORDS, (row + 1) * PRINT_WORDS))
  sorted.forEach((id, row) => ids.set(id, (from + row) * PRINT_WORDS))
  for (const column of [columns.lengths, columns.uncompressed, offsets, columns.trees])
    column.set(
      order.map((row) => column[row]!),
      from,
    )
}

/** Reads the text of an index file. Throws `corrupt`. */
export const readIndexColumns = (text: Uint8Array, factors: PrintFactors): ReadColumns =>
  scanIndex(text, factors) ?? parseIndex(text, factors)

/** The way for any text. */
export const parseIndex = (text: Uint8Array, factors: PrintFactors): ReadColumns => {
  const packs = decodeIndex(parseJson(text))
  const rows = packs.reduce((sum, { blobs }) => sum + blobs.length, 0)
  const columns = briefColumns(rows)
  const id = new Id()
  packs
    .flatMap(({ blobs }) => blobs)
    .forEach((blob, row) => {
      id.bytes.write(blob.id, 'hex')
      printId(factors, id.words, 0, columns.ids, row * PRINT_WORDS)
      columns.trees[row] = blob.type === 'tree' ? 1 : 0
      columns.offsets[row] = blob.offset
      columns.lengths[row] = blob.length
      columns.uncompressed[row] = blob.uncompressed
    })
  return columnsOf(
    columns,
    packs.map(({ id }) => id),
    packs.map(({ blobs }) => blobs.length),
  )
}

/** The texts of all packs of an index file, most often within it. Throws `corrupt`. */
export const packTexts = (text: Uint8Array): readonly PackText[] => {
  const scan = new Scan(text)
  return scan.read() ? scan.packTexts() : parsedTexts(text)
}

/** What an index file says of one pack. */
export interface PackText {
  readonly id: string
  readonly bytes: Uint8Array
  readonly blobs: number
}

const parsedTexts = (text: Uint8Array): PackText[] =>
  decodeIndex(parseJson(text)).map((pack) => ({
    id: pack.id,
    bytes: bytesOf(packText(pack)),
    blobs: pack.blobs.length,
  }))

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
export const HEX = new Uint8Array(256).fill(255)
for (let value = 0; value < 16; value += 1) HEX[value.toString(16).charCodeAt(0)] = value

/** Reads a text in its usual form; undefined for any other. */
export const scanIndex = (text: Uint8Array, factors: PrintFactors): ReadColumns | undefined => {
  const scan = new Scan(text, factors)
  return scan.read() ? scan.columns() : undefined
}

/** An id, as bytes and as words. */
class Id {
  readonly bytes = Buffer.from(new ArrayBuffer(ID_BYTES))
  readonly words = new Uint32Array(this.bytes.buffer)
}

class Scan {
  readonly #text: Uint8Array
  /** Without them, nothing is told of blobs. */
  readonly #factors: PrintFactors | undefined
  readonly #id = new Id()
  readonly #columns: IndexColumns
  readonly #packIds: string[] = []
  readonly #packRows: number[] = []
  /** Where the texts of packs begin and end. */
  readonly #packsFrom: number[] = []
  readonly #packsTo: number[] = []
  #at = 0
  #row = 0
  #isUsual = true

  constructor(text: Uint8Array, factors?: PrintFactors) {
    this.#text = text
    this.#factors = factors
    this.#columns = briefColumns(Math.ceil(text.length / SHORTEST_BLOB))
  }

  /** Whether the text has the usual form; then it has been read. */
  read(): boolean {
    this.#expect(HEAD)
    if (this.#peek() !== END)
      do this.#pack()
      while (this.#isUsual && this.#take(COMMA))
    if (!this.#isUsual || !this.#take(END) || !this.#take(CLOSE)) return false
    // Go ends a document with a new line where it streams it.
    return this.#at === this.#text.length || (this.#at === this.#text.length - 1 && this.#take(0x0a))
  }

  columns(): ReadColumns {
    return columnsOf(this.#columns, this.#packIds, this.#packRows)
  }

  packTexts(): PackText[] {
    return this.#packIds.map((id, at) => ({
      id,
      bytes: this.#text.subarray(this.#packsFrom[at], this.#packsTo[at]),
      blobs: this.#packRows[at]!,
    }))
  }

  #pack(): void {
    this.#packsFrom.push(this.#at)
    this.#expect(PACK_HEAD)
    const start = this.#at
    for (let digit = 0; digit < 64; digit += 1)
      if (HEX[this.#text[start + digit] ?? 0] === 255) this.#isUsual = false
    if (!this.#isUsual) return
    this.#packIds.push(Buffer.from(this.#text.subarray(start, start + 64)).toString('latin1'))
    this.#at = start + 64
    this.#expect(BLOBS)
    const firstRow = this.#row
    if (this.#peek() !== END)
      do this.#blob()
      while (this.#isUsual && this.#take(COMMA))
    this.#packRows.push(this.#row - firstRow)
    if (!this.#take(END) || !this.#take(CLOSE)) this.#isUsual = false
    this.#packsTo.push(this.#at)
  }

  #blob(): void {
    this.#expect(PACK_HEAD)
    const row = this.#row
    this.#readId(row)
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
    const { trees, offsets, lengths, uncompressed: plain } = this.#columns
    trees[row] = isData ? 0 : 1
    offsets[row] = offset
    lengths[row] = length
    plain[row] = uncompressed
    this.#row = row + 1
  }

  #readId(row: number): void {
    const text = this.#text
    const { bytes, words } = this.#id
    let at = this.#at
    let wrong = 0
    for (let byte = 0; byte < ID_BYTES; byte += 1, at += 2) {
      const high = HEX[text[at]!]!
      const low = HEX[text[at + 1]!]!
      wrong |= high | low
      bytes[byte] = (high << 4) | low
    }
    if (wrong > 15 || at > text.length) this.#isUsual = false
    else if (this.#factors !== undefined)
      printId(this.#factors, words, 0, this.#columns.ids, row * PRINT_WORDS)
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
