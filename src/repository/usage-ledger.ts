import type { BlobIndex } from './blob-index.ts'
import { Bits } from './bits.ts'
import type { BlobId, BlobType, FileEntry, OwnerUsage } from './contract.ts'
import { SEAL_BYTES } from './format/sealing.ts'
import { HashSet } from './hash-set.ts'

/** Who owns what no named owner has: roots, records of runs. They are told apart from nobody. */
export const NOBODY = 1
const FREE = 0

/** From which snapshot on something is needed, by its number, and whether more than one needs it. */
export interface Reach {
  readonly first: number
  readonly isMany: boolean
}

type Totals = { -readonly [Name in keyof OwnerUsage]: number }

const noTotals = (): Totals => ({
  fileBytes: 0,
  dataBytes: 0,
  plainBytes: 0,
  storedBytes: 0,
  exclusiveBytes: 0,
})

/**
 * Counts whose bytes are whose while blobs are reached: 8 bytes and 2 bits a blob. One owner after the other, each with all
 * snapshots, and nobody last.
 */
export class UsageLedger {
  readonly #index: BlobIndex
  /** The first snapshot that needs a blob, plus one. */
  readonly #first: Uint32Array
  readonly #many: Bits
  /** The owner that reached a blob last. */
  readonly #last: Uint32Array
  readonly #shared: Bits
  readonly #owners: Totals[] = []
  readonly #grown: Float64Array
  readonly #only: Float64Array
  #files = new HashSet()
  #filesOf = FREE
  /** Blobs that no index names. */
  missing = 0

  constructor(index: BlobIndex, snapshots: number) {
    this.#index = index
    this.#first = new Uint32Array(index.size)
    this.#many = new Bits(index.size)
    this.#last = new Uint32Array(index.size)
    this.#shared = new Bits(index.size)
    this.#grown = new Float64Array(snapshots)
    this.#only = new Float64Array(snapshots)
  }

  /** Whether that says something new, so that what is below has to be reached as well. */
  reach(type: BlobType, id: BlobId, owner: number, reach: Reach): boolean {
    const number = this.#index.numberOf(type, id)
    if (number === undefined) {
      this.missing += 1
      return false
    }
    // Of a run that began meanwhile.
    if (number >= this.#first.length) return false
    const isWider = this.#widen(number, reach)
    const isNew = this.#claim(number, owner)
    return isWider || isNew
  }

  /** A file that a tree of the owner holds in a snapshot; equal ones of an owner count once. */
  file({ content, sizeBytes }: FileEntry, owner: number): void {
    if (this.#filesOf !== owner) [this.#files, this.#filesOf] = [new HashSet(), owner]
    const numbers = content.map((id) => this.#index.numberOf('data', id) ?? -1)
    if (this.#files.add(numbers)) this.#totals(owner).fileBytes += sizeBytes
  }

  of(owner: number): OwnerUsage {
    return this.#totals(owner)
  }

  grownBytes(snapshot: number): number {
    return this.#grown[snapshot] ?? 0
  }

  onlyBytes(snapshot: number): number {
    return this.#only[snapshot] ?? 0
  }

  /** Of all blobs that anything reached. */
  get neededBytes(): number {
    return this.#grown.reduce((sum, bytes) => sum + bytes, 0)
  }

  /** Plain bytes of the same, each once. */
  plainBytes(): { readonly plainBytes: number; readonly dataBytes: number } {
    let [plainBytes, dataBytes] = [0, 0]
    for (let number = 0; number < this.#first.length; number += 1) {
      if (this.#first[number] === 0) continue
      const bytes = this.#plainAt(number)
      plainBytes += bytes
      if (!this.#index.isTree(number)) dataBytes += bytes
    }
    return { plainBytes, dataBytes }
  }

  #widen(number: number, { first, isMany }: Reach): boolean {
    const known = this.#first[number]! - 1
    const bytes = this.#index.lengthAt(number)
    if (known < 0) {
      this.#first[number] = first + 1
      this.#grown[first]! += bytes
      if (isMany) this.#many.add(number)
      else this.#only[first]! += bytes
      return true
    }
    let isWider = false
    if ((isMany || first !== known) && this.#many.add(number)) {
      this.#only[known]! -= bytes
      isWider = true
    }
    if (first < known) {
      this.#first[number] = first + 1
      this.#grown[known]! -= bytes
      this.#grown[first]! += bytes
      isWider = true
    }
    return isWider
  }

  #claim(number: number, owner: number): boolean {
    const last = this.#last[number]!
    if (last === owner || (owner === NOBODY && last !== FREE)) return false
    this.#last[number] = owner
    const totals = this.#totals(owner)
    const bytes = this.#index.lengthAt(number)
    const plain = this.#plainAt(number)
    totals.storedBytes += bytes
    totals.plainBytes += plain
    if (!this.#index.isTree(number)) totals.dataBytes += plain
    if (last === FREE) totals.exclusiveBytes += bytes
    else if (this.#shared.add(number)) this.#totals(last).exclusiveBytes -= bytes
    return true
  }

  #plainAt(number: number): number {
    const { length, uncompressed } = this.#index.place(number)
    return uncompressed > 0 ? uncompressed : length - SEAL_BYTES
  }

  #totals(owner: number): Totals {
    return (this.#owners[owner] ??= noTotals())
  }
}
