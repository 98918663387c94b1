import type { BlobId, BlobType } from './contract.ts'
import { hexOf, ID_BYTES } from './format/ids.ts'
import type { IndexColumns } from './format/index-columns.ts'
import type { IndexedPack } from './format/index-document.ts'
import type { PackedBlob } from './format/pack-header.ts'

/** Where a blob lies. */
export interface BlobLocation extends PackedBlob {
  readonly pack: string
  /** The blob's number in the index, stable until the index is read again. */
  readonly number: number
}

/** A further place of a blob, or the place of a blob, by the number of its pack. */
export interface BlobPlace {
  readonly pack: number
  readonly offset: number
  readonly length: number
  readonly uncompressed: number
}

const SEGMENT_BITS = 16
const SEGMENT = 1 << SEGMENT_BITS
const TREE = 0x80000000
const PACK = 0x7fffffff
const ID_WORDS = ID_BYTES / 4
const FIRST_SLOTS = 1 << 12
/** The table doubles beyond this share, so it is between 40 and 80 % full: 6 to 13 bytes a blob. */
const FULL = 0.8
const FREE = 0

/** A slice of the columns, so that growing copies nothing and wastes at most one slice. 48 bytes a blob. */
interface Segment {
  readonly ids: Uint32Array
  /** The pack's number, and the type in the highest bit. */
  readonly packs: Uint32Array
  readonly offsets: Uint32Array
  readonly lengths: Uint32Array
  readonly uncompressed: Uint32Array
}

const newSegment = (): Segment => ({
  ids: new Uint32Array(SEGMENT * ID_WORDS),
  packs: new Uint32Array(SEGMENT),
  offsets: new Uint32Array(SEGMENT),
  lengths: new Uint32Array(SEGMENT),
  uncompressed: new Uint32Array(SEGMENT),
})

/** A fingerprint of an id; its other bits are where it lies in the table. */
const tagOf = (secondWord: number): number => (secondWord & 0xff) | 1

/**
 * All blobs of a repository in typed arrays, under 61 bytes each. An id is a SHA-256, so its first bits serve as its
 * hash. Of a blob that lies in several packs one place is in force, and the others are known as its copies.
 */
export class BlobIndex {
  #segments: Segment[] = []
  #size = 0
  /** Numbers of blobs, where the tag is not free. */
  #slots = new Uint32Array(FIRST_SLOTS)
  #tags = new Uint8Array(FIRST_SLOTS)
  readonly #packNumbers = new Map<string, number>()
  readonly #packIds: string[] = []
  readonly #doomed = new Set<number>()
  #copies = new Map<number, BlobPlace[]>()
  readonly #wantedBytes = Buffer.from(new ArrayBuffer(ID_BYTES))
  readonly #wanted = new Uint32Array(this.#wantedBytes.buffer)

  /** Room for so many blobs, so that nothing has to be moved while they come. */
  constructor(expected = 0) {
    let slots = FIRST_SLOTS
    while (expected > slots * FULL) slots *= 2
    this.#slots = new Uint32Array(slots)
    this.#tags = new Uint8Array(slots)
  }

  get size(): number {
    return this.#size
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

  /** Takes in a pack; one that was out of use is in use again. */
  addPack(pack: IndexedPack): void {
    const packNumber = this.#numberPack(pack.id)
    this.#doomed.delete(packNumber)
    for (const blob of pack.blobs) {
      this.#wantedBytes.write(blob.id, 0, 'hex')
      this.#add(this.#wanted, 0, {
        ...blob,
        pack: packNumber,
        tree: blob.type === 'tree' ? TREE : 0,
      })
    }
  }

  /** Takes in what an index file names, and returns the numbers of its packs. */
  addColumns(columns: IndexColumns): Uint32Array {
    const { ids, packs, offsets, lengths, uncompressed } = columns
    const numbers = Uint32Array.from(columns.packIds, (id) => this.#numberPack(id))
    for (const number of numbers) this.#doomed.delete(number)
    const place = { pack: 0, offset: 0, length: 0, uncompressed: 0, tree: 0 }
    for (let at = 0; at < packs.length; at += 1) {
      const pack = packs[at]!
      place.pack = numbers[pack & PACK]!
      place.tree = pack & TREE
      place.offset = offsets[at]!
      place.length = lengths[at]!
      place.uncompressed = uncompressed[at]!
      this.#add(ids, at * ID_WORDS, place)
    }
    return numbers
  }

  #add(ids: Uint32Array, from: number, place: BlobPlace & { readonly tree: number }): void {
    const slot = this.#slotOf(ids, from, place.tree)
    if (this.#tags[slot] !== FREE) {
      this.#addCopy(this.#slots[slot]!, place)
      return
    }
    const number = this.#size
    if (number % SEGMENT === 0) this.#segments.push(newSegment())
    const segment = this.#segments[number >> SEGMENT_BITS]!
    const at = number & (SEGMENT - 1)
    const to = at * ID_WORDS
    for (let word = 0; word < ID_WORDS; word += 1) segment.ids[to + word] = ids[from + word]!
    segment.packs[at] = place.pack | place.tree
    segment.offsets[at] = place.offset
    segment.lengths[at] = place.length
    segment.uncompressed[at] = place.uncompressed
    this.#size += 1
    this.#slots[slot] = number
    this.#tags[slot] = tagOf(ids[from + 1]!)
    if (this.#size > this.#slots.length * FULL) this.#grow()
  }

  /** A blob that is known already: the same place again, one that serves where the other is out of use, or a copy. */
  #addCopy(number: number, place: BlobPlace): void {
    const inForce = this.place(number)
    if (inForce.pack === place.pack && inForce.offset === place.offset) return
    if (this.#doomed.has(inForce.pack)) {
      this.moveTo(number, place)
      return
    }
    const copies = this.#copies.get(number) ?? []
    if (copies.some(({ pack, offset }) => pack === place.pack && offset === place.offset)) return
    const { pack, offset, length, uncompressed } = place
    this.#copies.set(number, [...copies, { pack, offset, length, uncompressed }])
  }

  /** Blobs that lie in several packs, and their places beside the one in force. */
  get copies(): ReadonlyMap<number, readonly BlobPlace[]> {
    return this.#copies
  }

  /** Puts another place of a blob in force; the one that was becomes a copy unless its pack is out of use. */
  moveTo(number: number, place: BlobPlace): void {
    const before = this.place(number)
    const segment = this.#segments[number >> SEGMENT_BITS]!
    const at = number & (SEGMENT - 1)
    segment.packs[at] = ((segment.packs[at]! & TREE) | place.pack) >>> 0
    segment.offsets[at] = place.offset
    segment.lengths[at] = place.length
    segment.uncompressed[at] = place.uncompressed
    const others = (this.#copies.get(number) ?? []).filter(
      ({ pack, offset }) => pack !== place.pack || offset !== place.offset,
    )
    if (!this.#doomed.has(before.pack)) others.push(before)
    if (others.length > 0) this.#copies.set(number, others)
    else this.#copies.delete(number)
  }

  /** Takes packs out of use: blobs in them count as absent until they are stored elsewhere. */
  doom(packs: Iterable<number>): void {
    for (const pack of packs) this.#doomed.add(pack)
    for (const [number, places] of this.#copies) {
      const left = places.filter(({ pack }) => !this.#doomed.has(pack))
      if (left.length === 0) this.#copies.delete(number)
      else if (left.length < places.length) this.#copies.set(number, left)
    }
  }

  isDoomed(pack: number): boolean {
    return this.#doomed.has(pack)
  }

  has(type: BlobType, id: BlobId): boolean {
    return this.numberOf(type, id) !== undefined
  }

  /** The blob's place in the index. */
  numberOf(type: BlobType, id: BlobId): number | undefined {
    this.#wantedBytes.write(id, 0, 'hex')
    return this.numberOfWords(this.#wanted, 0, type)
  }

  /** The same for an id that lies in an array of words. */
  numberOfWords(ids: Uint32Array, from: number, type: BlobType): number | undefined {
    const slot = this.#slotOf(ids, from, type === 'tree' ? TREE : 0)
    if (this.#tags[slot] === FREE) return undefined
    const number = this.#slots[slot]!
    return this.#doomed.size > 0 && this.#doomed.has(this.packAt(number)) ? undefined : number
  }

  find(type: BlobType, id: BlobId): BlobLocation | undefined {
    const number = this.numberOf(type, id)
    return number === undefined ? undefined : this.at(number)
  }

  at(number: number): BlobLocation {
    const { pack, offset, length, uncompressed } = this.place(number)
    return {
      id: this.idAt(number),
      type: this.isTree(number) ? 'tree' : 'data',
      pack: this.#packIds[pack]!,
      offset,
      length,
      uncompressed,
      number,
    }
  }

  idAt(number: number): BlobId {
    const { ids } = this.#segments[number >> SEGMENT_BITS]!
    const from = (number & (SEGMENT - 1)) * ID_BYTES
    return hexOf(new Uint8Array(ids.buffer, from, ID_BYTES)) as BlobId
  }

  place(number: number): BlobPlace {
    const segment = this.#segments[number >> SEGMENT_BITS]!
    const at = number & (SEGMENT - 1)
    return {
      pack: segment.packs[at]! & PACK,
      offset: segment.offsets[at]!,
      length: segment.lengths[at]!,
      uncompressed: segment.uncompressed[at]!,
    }
  }

  packAt(number: number): number {
    return this.#segments[number >> SEGMENT_BITS]!.packs[number & (SEGMENT - 1)]! & PACK
  }

  lengthAt(number: number): number {
    return this.#segments[number >> SEGMENT_BITS]!.lengths[number & (SEGMENT - 1)]!
  }

  isTree(number: number): boolean {
    return this.#segments[number >> SEGMENT_BITS]!.packs[number & (SEGMENT - 1)]! >>> 31 === 1
  }

  /** The slot that holds the blob, or the free one where it belongs. */
  #slotOf(ids: Uint32Array, from: number, tree: number): number {
    const tags = this.#tags
    const mask = tags.length - 1
    const tag = tagOf(ids[from + 1]!)
    for (let slot = ids[from]! & mask; ; slot = (slot + 1) & mask) {
      const found = tags[slot]!
      if (found === FREE) return slot
      if (found === tag && this.#isAt(this.#slots[slot]!, ids, from, tree)) return slot
    }
  }

  #isAt(number: number, ids: Uint32Array, from: number, tree: number): boolean {
    const segment = this.#segments[number >> SEGMENT_BITS]!
    const at = number & (SEGMENT - 1)
    const start = at * ID_WORDS
    for (let word = 0; word < ID_WORDS; word += 1)
      if (segment.ids[start + word] !== ids[from + word]) return false
    return segment.packs[at]! >>> 31 === tree >>> 31
  }

  #grow(): void {
    const length = this.#slots.length * 2
    this.#slots = new Uint32Array(0)
    this.#tags = new Uint8Array(0)
    const slots = new Uint32Array(length)
    const tags = new Uint8Array(length)
    const mask = length - 1
    for (let number = 0; number < this.#size; number += 1) {
      const { ids } = this.#segments[number >> SEGMENT_BITS]!
      const start = (number & (SEGMENT - 1)) * ID_WORDS
      let slot = ids[start]! & mask
      while (tags[slot] !== FREE) slot = (slot + 1) & mask
      slots[slot] = number
      tags[slot] = tagOf(ids[start + 1]!)
    }
    this.#slots = slots
    this.#tags = tags
  }

  /** Bytes held for the blobs, without the packs' names and copies. */
  get memoryBytes(): number {
    return this.#segments.length * SEGMENT * 48 + this.#slots.length * 5
  }
}
