import { Bits } from './bits.ts'
import type { BlobId, BlobType } from './contract.ts'
import { hexOf, ID_BYTES } from './format/ids.ts'
import { type IndexColumns, KEPT_ID_WORDS } from './format/index-columns.ts'
import type { IndexedPack } from './format/index-document.ts'
import type { PackedBlob } from './format/pack-header.ts'
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
const FIRST_SLOTS = 1 << 10
/** The table grows beyond this share: 6 bytes a blob for one that was sized well, at most 7.5 for one that grew. */
const FULL = 0.84
const GROWTH = 1.25
const FREE = 0

/** A slice of the columns, so that growing copies nothing and wastes at most one slice. 32 bytes a blob. */
interface Segment {
  readonly ids: Uint32Array
  readonly lengths: Uint32Array
  readonly uncompressed: Uint32Array
}

/** A fingerprint of a blob: its type, and bits of its id that do not tell where it lies in the table. */
const tagOf = (secondWord: number, isTree: boolean): number => (secondWord & 0x7e) | (isTree ? 0x81 : 1)

/**
 * All blobs of a repository in typed arrays, about 39 bytes each. An id is a SHA-256, so its first bits serve as its hash.
 *
 * Of an id the first 24 bytes are held: two blobs that agree in them are not found by chance, nor by 2^96 trials; and whoever
 * reads compares the whole of it. Each place of a blob is a row; the first row of a blob is its number. The row in force is
 * the first whose pack is not out of use. Rows of a pack follow each other in the order of the pack.
 */
export class BlobIndex {
  readonly #segments: Segment[] = []
  readonly #idWords: number
  #rows = 0
  #blobs = 0
  /** Rows, where the tag is not free. */
  #slots = new Uint32Array(FIRST_SLOTS)
  #tags = new Uint8Array(FIRST_SLOTS)
  #entered = 0
  readonly #packNumbers = new Map<string, number>()
  readonly #packIds: string[] = []
  readonly #runs = new PackRuns()
  /** Packs that are out of use. */
  readonly #doomed = new Set<number>()
  /** Rows of blobs that have several. */
  readonly #shared = new Bits()
  /** Rows that tell once more what another one tells. */
  readonly #void = new Bits()
  readonly #wantedBytes = Buffer.from(new ArrayBuffer(ID_BYTES))
  readonly #wanted = new Uint32Array(this.#wantedBytes.buffer)

  /** With `wholeIds`, `idAt` is answered: 8 bytes a blob more. */
  constructor({ wholeIds = false }: { readonly wholeIds?: boolean } = {}) {
    this.#idWords = wholeIds ? ID_WORDS : KEPT_ID_WORDS
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
    if (rows > this.#slots.length * FULL) this.#resize(Math.ceil(rows / FULL) + FIRST_SLOTS)
  }

  /** Takes in a pack; one that was out of use is in use again. */
  addPack(pack: IndexedPack): void {
    const number = this.#numberPack(pack.id)
    this.#doomed.delete(number)
    const blobs = [...pack.blobs].sort((a, b) => a.offset - b.offset)
    if (this.#hasRows(number, blobs)) return
    const first = this.#rows
    for (const blob of blobs) {
      const { segment, at } = this.#nextRow()
      this.#wantedBytes.write(blob.id, 0, 'hex')
      segment.ids.set(this.#wanted.subarray(0, this.#idWords), at * this.#idWords)
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
        this.#wantedBytes.write(blob.id, 0, 'hex')
        return this.#isRow(from + at, this.#wanted, 0) && this.isTree(from + at) === (blob.type === 'tree')
      })
      if (isSame) return true
    }
    return false
  }

  #nextRow(): { readonly segment: Segment; readonly at: number } {
    const row = this.#rows
    if (row % SEGMENT === 0) this.#segments.push(newSegment(this.#idWords))
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
      this.#isRow(row, ids, at * KEPT_ID_WORDS)
    )
  }

  #append(pack: number, columns: IndexColumns, start: number, end: number): void {
    const { ids, lengths, uncompressed, offsets, trees } = columns
    const first = this.#rows
    for (let from = start; from < end;) {
      const { segment, at } = this.#nextRow()
      const count = Math.min(end - from, SEGMENT - at)
      segment.ids.set(ids.subarray(from * KEPT_ID_WORDS, (from + count) * KEPT_ID_WORDS), at * KEPT_ID_WORDS)
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
    if (this.#rows > this.#slots.length * FULL)
      return this.#resize(Math.ceil((this.#rows / FULL) * GROWTH) + FIRST_SLOTS)
    for (; this.#entered < this.#rows; this.#entered += 1) this.#enterRow(this.#entered)
  }

  #resize(slots: number): void {
    // The old ones go first: both together are what memory would be needed for.
    this.#slots = new Uint32Array(0)
    this.#tags = new Uint8Array(0)
    this.#slots = new Uint32Array(slots)
    this.#tags = new Uint8Array(slots)
    this.#blobs = 0
    for (this.#entered = 0; this.#entered < this.#rows; this.#entered += 1) this.#enterRow(this.#entered)
  }

  #enterRow(row: number): void {
    if (this.#void.has(row)) return
    const { ids } = this.#segments[row >>> SEGMENT_BITS]!
    const from = (row & (SEGMENT - 1)) * this.#idWords
    const tags = this.#tags
    const tag = tagOf(ids[from + 1]!, this.isTree(row))
    let slot = this.#home(ids[from]!)
    let isFirst = true
    for (let found = tags[slot]!; found !== FREE; found = tags[slot]!) {
      if (found === tag && this.#isRow(this.#slots[slot]!, ids, from)) {
        if (this.#isSamePlace(this.#slots[slot]!, row)) return void this.#void.add(row)
        this.#shared.add(this.#slots[slot]!)
        this.#shared.add(row)
        isFirst = false
      }
      slot = this.#next(slot)
    }
    this.#slots[slot] = row
    tags[slot] = tag
    if (isFirst) this.#blobs += 1
  }

  #isSamePlace(a: number, b: number): boolean {
    const [one, other] = [this.#placeOfRow(a), this.#placeOfRow(b)]
    return one.pack === other.pack && one.offset === other.offset
  }

  /** Where a blob's slot is, or would be if those before were free. */
  #home(firstWord: number): number {
    return Math.floor((firstWord / 2 ** 32) * this.#tags.length)
  }

  #next(slot: number): number {
    return slot + 1 === this.#tags.length ? 0 : slot + 1
  }

  #isRow(row: number, ids: Uint32Array, from: number): boolean {
    const held = this.#segments[row >>> SEGMENT_BITS]!.ids
    const start = (row & (SEGMENT - 1)) * this.#idWords
    for (let word = 0; word < KEPT_ID_WORDS; word += 1)
      if (held[start + word] !== ids[from + word]) return false
    return true
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
    this.#wantedBytes.write(id, 0, 'hex')
    return this.numberOfWords(this.#wanted, 0, type)
  }

  /** The same for an id that lies in an array of words. */
  numberOfWords(ids: Uint32Array, from: number, type: BlobType): number | undefined {
    const first = this.#firstRow(ids, from, type === 'tree')
    if (first === undefined || this.#doomed.size === 0) return first
    return this.inForce(first) === undefined ? undefined : first
  }

  #firstRow(ids: Uint32Array, from: number, isTree: boolean): number | undefined {
    const tags = this.#tags
    const tag = tagOf(ids[from + 1]!, isTree)
    for (let slot = this.#home(ids[from]!); ; slot = this.#next(slot)) {
      const found = tags[slot]!
      if (found === FREE) return undefined
      if (found === tag && this.#isRow(this.#slots[slot]!, ids, from)) return this.#slots[slot]!
    }
  }

  /** The number of the blob that a row is a place of. */
  numberAt(row: number): number {
    if (!this.#shared.has(row)) return row
    const { ids } = this.#segments[row >>> SEGMENT_BITS]!
    return this.#firstRow(ids, (row & (SEGMENT - 1)) * this.#idWords, this.isTree(row))!
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
    if (!this.#shared.has(number)) return [number]
    const { ids } = this.#segments[number >>> SEGMENT_BITS]!
    const from = (number & (SEGMENT - 1)) * this.#idWords
    const tag = tagOf(ids[from + 1]!, this.isTree(number))
    const rows: number[] = []
    for (let slot = this.#home(ids[from]!); this.#tags[slot] !== FREE; slot = this.#next(slot))
      if (this.#tags[slot] === tag && this.#isRow(this.#slots[slot]!, ids, from))
        rows.push(this.#slots[slot]!)
    return rows
  }

  /** The row of a blob that is read; undefined when all are out of use. */
  inForce(number: number): number | undefined {
    if (this.#doomed.size === 0) return number
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
    if (this.#idWords < ID_WORDS) throw new Error('the index does not hold whole ids')
    const { ids } = this.#segments[number >>> SEGMENT_BITS]!
    return hexOf(new Uint8Array(ids.buffer, (number & (SEGMENT - 1)) * ID_BYTES, ID_BYTES)) as BlobId
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
    return (
      this.#segments.length * SEGMENT * (this.#idWords * 4 + 8) +
      this.#slots.length * 5 +
      this.#runs.memoryBytes
    )
  }
}

const newSegment = (idWords: number): Segment => ({
  ids: new Uint32Array(SEGMENT * idWords),
  lengths: new Uint32Array(SEGMENT),
  uncompressed: new Uint32Array(SEGMENT),
})
