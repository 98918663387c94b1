import { Bits } from './bits.ts'
import type { BlobId, BlobType } from './contract.ts'
import { PRINT_WORDS, type PrintFactors, printId } from './format/id-print.ts'
import { hexOf, ID_BYTES } from './format/ids.ts'
import type { IndexColumns } from './format/index-columns.ts'
import type { IndexedPack } from './format/index-document.ts'
import type { PackedBlob } from './format/pack-header.ts'
import { IdTable } from './id-table.ts'
import { PackRuns, type Rows } from './pack-runs.ts'

/** Where a blob lies. */
export interface BlobLocation extends PackedBlob {
  readonly pack: string
  /** The blob's number in the index, stable until the index is read again. */
  readonly number: number
}

/** Where a row lies, by the number of its pack. */
export interface BlobPlace {
  readonly pack: number
  readonly offset: number
  readonly length: number
  readonly uncompressed: number
}

const SEGMENT_BITS = 16
const SEGMENT = 1 << SEGMENT_BITS
const ID_WORDS = ID_BYTES / 4

/** A slice of the columns, so that growing copies nothing and wastes at most one slice. 8 bytes a blob. */
interface Segment {
  readonly lengths: Uint32Array
  readonly uncompressed: Uint32Array
}

/**
 * All blobs of a repository in typed arrays, about 31 bytes each.
 *
 * Of an id a print of 16 bytes is held (`format/id-print.ts`), and whoever reads compares the whole of it. Each place of a blob is
 * a row; the first row of a blob is its number. The row in force is the first whose pack is not out of use. Rows of a pack follow
 * each other in the order of the pack.
 */
export class BlobIndex {
  readonly #segments: Segment[] = []
  readonly #factors: PrintFactors | undefined
  readonly #table: IdTable
  #rows = 0
  #blobs = 0
  #entered = 0
  /** What was found last: trees name blobs in the order in which they were saved. */
  #last = 0
  readonly #packNumbers = new Map<string, number>()
  readonly #packIds: string[] = []
  readonly #runs = new PackRuns()
  /** Packs that are out of use. */
  readonly #doomed = new Set<number>()
  /** Rows of blobs that have several. */
  readonly #shared = new Bits()
  /** Rows that tell once more what another one tells. */
  readonly #void = new Bits()
  readonly #idBytes = Buffer.from(new ArrayBuffer(ID_BYTES))
  readonly #idWords = new Uint32Array(this.#idBytes.buffer)
  readonly #print = new Uint32Array(PRINT_WORDS)
  #isFirst = true

  /** Without factors whole ids are held, and `idAt` is answered: 16 bytes a blob more. */
  constructor(factors?: PrintFactors) {
    this.#factors = factors
    this.#table = new IdTable(factors === undefined ? ID_WORDS : PRINT_WORDS)
  }

  /** How many rows there are: the numbers of rows and blobs are smaller. */
  get size(): number {
    return this.#rows
  }

  /** How many blobs there are, each counted once. */
  get blobs(): number {
    return this.#blobs
  }

  get packs(): readonly string[] {
    return this.#packIds
  }

  hasPack(id: string): boolean {
    const number = this.#packNumbers.get(id)
    return number !== undefined && !this.#doomed.has(number)
  }

  packNumber(id: string): number | undefined {
    return this.#packNumbers.get(id)
  }

  #numberPack(id: string): number {
    let number = this.#packNumbers.get(id)
    if (number === undefined) {
      number = this.#packIds.push(id) - 1
      this.#packNumbers.set(id, number)
    }
    return number
  }

  /** Makes room for so many rows, so that nothing has to be moved while they come. */
  reserve(rows: number): void {
    this.#table.reserve(rows)
  }

  /** Takes in a pack; one that was out of use is in use again. */
  addPack(pack: IndexedPack): void {
    const number = this.#numberPack(pack.id)
    this.#doomed.delete(number)
    const blobs = [...pack.blobs].sort((a, b) => a.offset - b.offset)
    if (this.#hasRows(number, blobs)) return
    const first = this.#rows
    for (const blob of blobs) {
      this.#table.hold(this.#rows, this.#heldOf(blob.id), 0, 1)
      const { segment, at } = this.#nextRow()
      segment.lengths[at] = blob.length
      segment.uncompressed[at] = blob.uncompressed
      this.#runs.add({ row: this.#rows - 1, pack: number, isTree: blob.type === 'tree', ...blob })
    }
    this.#runs.endPack(number, first, this.#rows)
    this.#enter()
  }

  /** Whether the pack was taken in before, just so. */
  #hasRows(pack: number, blobs: readonly PackedBlob[]): boolean {
    for (const [from, to] of this.#runs.rowsOf(pack)) {
      if (to - from !== blobs.length) continue
      const isSame = blobs.every((blob, at) => {
        const { offset, length } = this.#placeOfRow(from + at)
        if (offset !== blob.offset || length !== blob.length) return false
        return (
          this.#table.isRow(from + at, this.#heldOf(blob.id), 0) &&
          this.isTree(from + at) === (blob.type === 'tree')
        )
      })
      if (isSame) return true
    }
    return false
  }

  /** What is held of an id; until the next call. */
  #heldOf(id: string): Uint32Array {
    this.#idBytes.write(id, 0, 'hex')
    return this.#heldOfWords(this.#idWords, 0)
  }

  #heldOfWords(ids: Uint32Array, from: number): Uint32Array {
    if (this.#factors === undefined) return ids.subarray(from, from + ID_WORDS)
    printId(this.#factors, ids, from, this.#print, 0)
    return this.#print
  }

  #nextRow(): { readonly segment: Segment; readonly at: number } {
    const row = this.#rows
    if (row % SEGMENT === 0) this.#segments.push(newSegment())
    this.#rows += 1
    return { segment: this.#segments[row >>> SEGMENT_BITS]!, at: row & (SEGMENT - 1) }
  }

  /** Takes in what an index file names, and returns the numbers of its packs. Not for one with whole ids. */
  addColumns(columns: IndexColumns): Uint32Array {
    const { packRows } = columns
    const numbers = Uint32Array.from(columns.packIds, (id) => this.#numberPack(id))
    let from = 0
    numbers.forEach((number, at) => {
      const to = from + packRows[at]!
      this.#doomed.delete(number)
      if (!this.#hasColumns(number, columns, from, to)) this.#append(number, columns, from, to)
      from = to
    })
    this.#enter()
    return numbers
  }

  #hasColumns(pack: number, columns: IndexColumns, start: number, end: number): boolean {
    for (const [from, to] of this.#runs.rowsOf(pack)) {
      let row = to - from === end - start ? from : to
      while (row < to && this.#isColumn(row, columns, start + row - from)) row += 1
      if (row === to && to - from === end - start) return true
    }
    return false
  }

  #isColumn(row: number, { ids, lengths, offsets, trees }: IndexColumns, at: number): boolean {
    const place = this.#placeOfRow(row)
    return (
      place.offset === offsets[at] &&
      place.length === lengths[at] &&
      this.isTree(row) === (trees[at] === 1) &&
      this.#table.isRow(row, ids, at * PRINT_WORDS)
    )
  }

  #append(pack: number, columns: IndexColumns, start: number, end: number): void {
    const { ids, lengths, uncompressed, offsets, trees } = columns
    const first = this.#rows
    for (let from = start; from < end;) {
      const count = this.#table.hold(this.#rows, ids, from * PRINT_WORDS, end - from)
      const { segment, at } = this.#nextRow()
      segment.lengths.set(lengths.subarray(from, from + count), at)
      segment.uncompressed.set(uncompressed.subarray(from, from + count), at)
      this.#rows += count - 1
      from += count
    }
    this.#runs.addAll({ row: first, pack, offsets, lengths, trees, start, end })
    this.#runs.endPack(pack, first, this.#rows)
  }

  /** Enters rows that came into the table. */
  #enter(): void {
    for (; this.#entered < this.#rows; this.#entered += 1) {
      this.#isFirst = true
      const isEntered = this.#table.enter(this.#entered, this.isTree(this.#entered), this.#mayStay)
      if (isEntered && this.#isFirst) this.#blobs += 1
    }
  }

  /** Another place of a blob counts, and the same place once more does not. */
  readonly #mayStay = (row: number, other: number): boolean => {
    this.#isFirst = false
    if (this.#isSamePlace(other, row)) {
      this.#void.add(row)
      return false
    }
    this.#shared.add(other)
    this.#shared.add(row)
    return true
  }

  #isSamePlace(a: number, b: number): boolean {
    const [one, other] = [this.#placeOfRow(a), this.#placeOfRow(b)]
    return one.pack === other.pack && one.offset === other.offset
  }

  /** Takes packs out of use: blobs in them count as absent unless they lie elsewhere too. */
  doom(packs: Iterable<number>): void {
    for (const pack of packs) this.#doomed.add(pack)
  }

  isDoomed(pack: number): boolean {
    return this.#doomed.has(pack)
  }

  has(type: BlobType, id: BlobId): boolean {
    return this.numberOf(type, id) !== undefined
  }

  /** The blob's number; undefined for one that is absent. */
  numberOf(type: BlobType, id: BlobId): number | undefined {
    return this.#present(this.#table.first(this.#heldOf(id), 0, type === 'tree'))
  }

  /** The same for an id that lies in an array of words. Quick for blobs that follow each other. */
  numberOfWords(ids: Uint32Array, from: number, type: BlobType): number | undefined {
    const held = this.#heldOfWords(ids, from)
    const isTree = type === 'tree'
    const next = this.#last + 1
    const found = this.#isOnly(next, held, isTree) ? next : this.#table.first(held, 0, isTree)
    if (found !== undefined) this.#last = found
    return this.#present(found)
  }

  /** Whether a blob lies in this row and in no other. */
  #isOnly(row: number, held: Uint32Array, isTree: boolean): boolean {
    return (
      row < this.#entered &&
      this.#table.isRow(row, held, 0) &&
      this.isTree(row) === isTree &&
      !this.#shared.has(row) &&
      !this.#void.has(row)
    )
  }

  #present(number: number | undefined): number | undefined {
    if (number === undefined || this.#doomed.size === 0) return number
    return this.inForce(number) === undefined ? undefined : number
  }

  /** The number of the blob that a row is a place of. */
  numberAt(row: number): number {
    return this.#shared.has(row) ? this.#table.first(this.#table.idAt(row), 0, this.isTree(row))! : row
  }

  /** Whether the blob of a row has other places. */
  isShared(row: number): boolean {
    return this.#shared.has(row)
  }

  /** Whether a row counts: others tell what is known already. */
  isPlace(row: number): boolean {
    return !this.#void.has(row)
  }

  /** All rows of a blob. */
  rowsOf(number: number): readonly number[] {
    return this.#shared.has(number) ? this.#table.all(number, this.isTree(number)) : [number]
  }

  /** The row of a blob that is read; undefined when all are out of use. */
  inForce(number: number): number | undefined {
    if (this.#doomed.size === 0) return number
    if (!this.#shared.has(number)) return this.#doomed.has(this.packAt(number)) ? undefined : number
    return this.rowsOf(number).find((row) => !this.#doomed.has(this.packAt(row)))
  }

  find(type: BlobType, id: BlobId): BlobLocation | undefined {
    const number = this.numberOf(type, id)
    if (number === undefined) return undefined
    const { pack, ...place } = this.place(number)
    return { id, type, pack: this.#packIds[pack]!, ...place, number }
  }

  /** Only where whole ids are held. */
  idAt(number: number): BlobId {
    if (this.#factors !== undefined) throw new Error('the index does not hold whole ids')
    const { buffer, byteOffset } = this.#table.idAt(number)
    return hexOf(new Uint8Array(buffer, byteOffset, ID_BYTES)) as BlobId
  }

  /** The place of a blob that is in force. */
  place(number: number): BlobPlace {
    return this.#placeOfRow(this.inForce(number) ?? number)
  }

  #placeOfRow(row: number): BlobPlace {
    const { lengths, uncompressed } = this.#segments[row >>> SEGMENT_BITS]!
    const at = row & (SEGMENT - 1)
    const { pack, start, offset } = this.#runs.at(row)
    let end = offset
    for (let before = at - (row - start); before < at; before += 1) end += lengths[before]!
    return { pack, offset: end, length: lengths[at]!, uncompressed: uncompressed[at]! }
  }

  /** Where a row lies in its pack. */
  offsetAt(row: number): number {
    return this.#placeOfRow(row).offset
  }

  packAt(row: number): number {
    return this.#runs.packAt(row)
  }

  /** The rows of a pack, in one range or a few. */
  rowsIn(pack: number): readonly Rows[] {
    return this.#runs.rowsOf(pack)
  }

  lengthAt(row: number): number {
    return this.#segments[row >>> SEGMENT_BITS]!.lengths[row & (SEGMENT - 1)]!
  }

  isTree(row: number): boolean {
    return this.#runs.isTree(row)
  }

  /** Bytes held for the blobs, without the packs' names. */
  get memoryBytes(): number {
    return this.#table.memoryBytes + this.#segments.length * SEGMENT * 8 + this.#runs.memoryBytes
  }
}

const newSegment = (): Segment => ({
  lengths: new Uint32Array(SEGMENT),
  uncompressed: new Uint32Array(SEGMENT),
})
