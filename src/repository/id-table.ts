const SEGMENT_BITS = 16
const SEGMENT = 1 << SEGMENT_BITS
/** Beyond this share a part grows: 6 bytes a row for a table that was sized well, at most 7.5 for one that grew. */
const FULL = 0.84
const GROWTH = 1.25
const PART_BITS = 7
const PARTS = 1 << PART_BITS
const WORD = 2 ** 32
const FIRST_SLOTS = 8
/** So many times its deviation a part has more than its share only by a chance in thousands. */
const SPARE_DEVIATIONS = 4
const FREE = 0
const TAGS = 256

/** Rows, where the tag is not free. */
interface Part {
  slots: Uint32Array
  tags: Uint8Array
  used: number
}

const newPart = (slots: number): Part => ({
  slots: new Uint32Array(slots),
  tags: new Uint8Array(slots),
  used: 0,
})

const partOf = (firstWord: number): number => firstWord >>> (WORD_BITS - PART_BITS)
const WORD_BITS = 32

/** Where a row's slot is, or would be if those before were free. */
const homeOf = (firstWord: number, slots: number): number =>
  Math.floor((((firstWord << PART_BITS) >>> 0) / WORD) * slots)

/** A fingerprint of a blob: its type, and bits of its id that do not tell where it lies in the table. */
const tagOf = (secondWord: number, isTree: boolean): number => (secondWord & 0x7e) | (isTree ? 0x81 : 1)

/**
 * What is held of the ids of rows, and a table that finds rows by it. The first word is as good as random, so it serves as a
 * hash. The table is in parts of which one grows at a time: of ten million rows that takes milliseconds, and together seconds.
 */
export class IdTable {
  /** Words of an id. */
  readonly width: number
  /** So that growing copies nothing and wastes at most one of them. */
  readonly #segments: Uint32Array[] = []
  readonly #parts: Part[] = Array.from({ length: PARTS }, () => newPart(FIRST_SLOTS))

  constructor(width: number) {
    this.width = width
  }

  /** Makes room for so many rows in a table that is empty, so that nothing has to be moved while they come. */
  reserve(rows: number): void {
    const share = rows / PARTS
    const slots = Math.ceil((share + SPARE_DEVIATIONS * Math.sqrt(share)) / FULL)
    for (const [at, { used, tags }] of this.#parts.entries())
      if (used === 0 && slots > tags.length) this.#parts[at] = newPart(slots)
  }

  /** Holds the ids of some rows, as many as one segment has room for from this row on. Returns how many. */
  hold(row: number, ids: Uint32Array, from: number, rows: number): number {
    if (row % SEGMENT === 0) this.#segments.push(new Uint32Array(SEGMENT * this.width))
    const at = row & (SEGMENT - 1)
    const count = Math.min(rows, SEGMENT - at)
    this.#segments[row >>> SEGMENT_BITS]!.set(ids.subarray(from, from + count * this.width), at * this.width)
    return count
  }

  isRow(row: number, ids: Uint32Array, from: number): boolean {
    const held = this.#segments[row >>> SEGMENT_BITS]!
    const start = (row & (SEGMENT - 1)) * this.width
    for (let word = 0; word < this.width; word += 1) if (held[start + word] !== ids[from + word]) return false
    return true
  }

  idAt(row: number): Uint32Array {
    const from = (row & (SEGMENT - 1)) * this.width
    return this.#segments[row >>> SEGMENT_BITS]!.subarray(from, from + this.width)
  }

  /** Enters a row whose id is held. Asks for each row with the same id, in their order, and enters none when told so. */
  enter(row: number, isTree: boolean, mayStay: (row: number, other: number) => boolean): boolean {
    const ids = this.#segments[row >>> SEGMENT_BITS]!
    const from = (row & (SEGMENT - 1)) * this.width
    const firstWord = ids[from]!
    const part = this.#parts[partOf(firstWord)]!
    if (part.used >= part.tags.length * FULL) this.#grow(part)
    const { slots, tags } = part
    const tag = tagOf(ids[from + 1]!, isTree)
    let slot = homeOf(firstWord, tags.length)
    for (let found = tags[slot]!; found !== FREE; found = tags[slot]!) {
      if (found === tag && this.isRow(slots[slot]!, ids, from) && !mayStay(row, slots[slot]!)) return false
      slot = slot + 1 === tags.length ? 0 : slot + 1
    }
    slots[slot] = row
    tags[slot] = tag
    part.used += 1
    return true
  }

  /** Rows keep their order, so that the first with an id stays the first that is met. */
  #grow(part: Part): void {
    const { slots, tags } = part
    const rows = new Float64Array(part.used)
    let count = 0
    for (let slot = 0; slot < tags.length; slot += 1)
      if (tags[slot] !== FREE) rows[count++] = slots[slot]! * TAGS + tags[slot]!
    rows.sort()
    const larger = newPart(Math.ceil((count / FULL) * GROWTH) + FIRST_SLOTS)
    part.slots = larger.slots
    part.tags = larger.tags
    for (const each of rows) this.#place(part, Math.floor(each / TAGS), each % TAGS)
  }

  #place({ slots, tags }: Part, row: number, tag: number): void {
    const firstWord = this.#segments[row >>> SEGMENT_BITS]![(row & (SEGMENT - 1)) * this.width]!
    let slot = homeOf(firstWord, tags.length)
    while (tags[slot] !== FREE) slot = slot + 1 === tags.length ? 0 : slot + 1
    slots[slot] = row
    tags[slot] = tag
  }

  /** The first row with an id. */
  first(ids: Uint32Array, from: number, isTree: boolean): number | undefined {
    const firstWord = ids[from]!
    const { slots, tags } = this.#parts[partOf(firstWord)]!
    const tag = tagOf(ids[from + 1]!, isTree)
    let slot = homeOf(firstWord, tags.length)
    for (let found = tags[slot]!; found !== FREE; found = tags[slot]!) {
      if (found === tag && this.isRow(slots[slot]!, ids, from)) return slots[slot]!
      slot = slot + 1 === tags.length ? 0 : slot + 1
    }
    return undefined
  }

  /** All rows with the id of this one, in their order. */
  all(row: number, isTree: boolean): readonly number[] {
    const ids = this.#segments[row >>> SEGMENT_BITS]!
    const from = (row & (SEGMENT - 1)) * this.width
    const { slots, tags } = this.#parts[partOf(ids[from]!)]!
    const tag = tagOf(ids[from + 1]!, isTree)
    const rows: number[] = []
    let slot = homeOf(ids[from]!, tags.length)
    for (let found = tags[slot]!; found !== FREE; found = tags[slot]!) {
      if (found === tag && this.isRow(slots[slot]!, ids, from)) rows.push(slots[slot]!)
      slot = slot + 1 === tags.length ? 0 : slot + 1
    }
    return rows
  }

  get memoryBytes(): number {
    const slots = this.#parts.reduce((sum, { tags }) => sum + tags.length, 0)
    return this.#segments.length * SEGMENT * this.width * 4 + slots * 5
  }
}
