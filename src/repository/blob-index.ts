import type { BlobId, BlobType } from './contract.ts'
import { hexOf, ID_BYTES } from './format/ids.ts'
import type { IndexedPack } from './format/index-document.ts'
import type { PackedBlob } from './format/pack-header.ts'

/** Where a blob lies. */
export interface BlobLocation extends PackedBlob {
  readonly pack: string
  /** The blob's number in the index, stable until the index is read again. */
  readonly number: number
}

const SEGMENT_BITS = 16
const SEGMENT = 1 << SEGMENT_BITS
const TREE = 1
const FIRST_SLOTS = 1 << 12
/** The table doubles beyond this share, so it is between 40 and 80 % full: 5 to 10 bytes a blob. */
const FULL = 0.8

/** A slice of the columns, so that growing copies nothing and wastes at most one slice. 49 bytes a blob. */
interface Segment {
  readonly ids: Uint8Array
  readonly packs: Uint32Array
  readonly offsets: Uint32Array
  readonly lengths: Uint32Array
  readonly uncompressed: Uint32Array
  readonly types: Uint8Array
}

const newSegment = (): Segment => ({
  ids: new Uint8Array(SEGMENT * ID_BYTES),
  packs: new Uint32Array(SEGMENT),
  offsets: new Uint32Array(SEGMENT),
  lengths: new Uint32Array(SEGMENT),
  uncompressed: new Uint32Array(SEGMENT),
  types: new Uint8Array(SEGMENT),
})

/**
 * All blobs of a repository in typed arrays, under 61 bytes each. An id is a SHA-256, so its first bits serve as its
 * hash. Of a blob that lies in several packs the first is kept.
 */
export class BlobIndex {
  #segments: Segment[] = []
  #size = 0
  /** Numbers of blobs plus one; 0 is free. */
  #slots = new Uint32Array(FIRST_SLOTS)
  readonly #packNumbers = new Map<string, number>()
  readonly #packIds: string[] = []
  readonly #wanted = Buffer.alloc(ID_BYTES)

  get size(): number {
    return this.#size
  }

  get packs(): readonly string[] {
    return this.#packIds
  }

  hasPack(id: string): boolean {
    return this.#packNumbers.has(id)
  }

  addPack(pack: IndexedPack): void {
    let packNumber = this.#packNumbers.get(pack.id)
    if (packNumber === undefined) {
      packNumber = this.#packIds.push(pack.id) - 1
      this.#packNumbers.set(pack.id, packNumber)
    }
    for (const blob of pack.blobs) this.#add(blob, packNumber)
  }

  #add(blob: PackedBlob, packNumber: number): void {
    const type = blob.type === 'tree' ? TREE : 0
    const slot = this.#slotOf(type, blob.id)
    if (this.#slots[slot] !== 0) return
    const number = this.#size
    if (number % SEGMENT === 0) this.#segments.push(newSegment())
    const segment = this.#segments[number >> SEGMENT_BITS]!
    const at = number & (SEGMENT - 1)
    segment.ids.set(this.#wanted, at * ID_BYTES)
    segment.packs[at] = packNumber
    segment.offsets[at] = blob.offset
    segment.lengths[at] = blob.length
    segment.uncompressed[at] = blob.uncompressed
    segment.types[at] = type
    this.#size += 1
    this.#slots[slot] = this.#size
    if (this.#size > this.#slots.length * FULL) this.#grow()
  }

  has(type: BlobType, id: BlobId): boolean {
    return this.numberOf(type, id) !== undefined
  }

  /** The blob's place in the index. */
  numberOf(type: BlobType, id: BlobId): number | undefined {
    const found = this.#slots[this.#slotOf(type === 'tree' ? TREE : 0, id)]!
    return found === 0 ? undefined : found - 1
  }

  find(type: BlobType, id: BlobId): BlobLocation | undefined {
    const number = this.numberOf(type, id)
    return number === undefined ? undefined : this.at(number)
  }

  at(number: number): BlobLocation {
    const segment = this.#segments[number >> SEGMENT_BITS]!
    const at = number & (SEGMENT - 1)
    return {
      id: hexOf(segment.ids.subarray(at * ID_BYTES, (at + 1) * ID_BYTES)) as BlobId,
      type: segment.types[at] === TREE ? 'tree' : 'data',
      pack: this.#packIds[segment.packs[at]!]!,
      offset: segment.offsets[at]!,
      length: segment.lengths[at]!,
      uncompressed: segment.uncompressed[at]!,
      number,
    }
  }

  /** The slot that holds the blob, or the free one where it belongs. Leaves the id's bytes in `#wanted`. */
  #slotOf(type: number, id: string): number {
    this.#wanted.write(id, 0, 'hex')
    const mask = this.#slots.length - 1
    for (let slot = this.#wanted.readUInt32LE(0) & mask; ; slot = (slot + 1) & mask) {
      const found = this.#slots[slot]!
      if (found === 0 || this.#isWanted(found - 1, type)) return slot
    }
  }

  #isWanted(number: number, type: number): boolean {
    const segment = this.#segments[number >> SEGMENT_BITS]!
    const at = number & (SEGMENT - 1)
    if (segment.types[at] !== type) return false
    const start = at * ID_BYTES
    for (let byte = 0; byte < ID_BYTES; byte += 1) {
      if (segment.ids[start + byte] !== this.#wanted[byte]) return false
    }
    return true
  }

  #grow(): void {
    const slots = new Uint32Array(this.#slots.length * 2)
    const mask = slots.length - 1
    for (let number = 0; number < this.#size; number += 1) {
      const { ids } = this.#segments[number >> SEGMENT_BITS]!
      const start = (number & (SEGMENT - 1)) * ID_BYTES
      let slot =
        (ids[start]! | (ids[start + 1]! << 8) | (ids[start + 2]! << 16) | (ids[start + 3]! << 24)) & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = number + 1
    }
    this.#slots = slots
  }

  /** Bytes held for the blobs, without the packs' names. */
  get memoryBytes(): number {
    return this.#segments.length * SEGMENT * 49 + this.#slots.byteLength
  }
}
