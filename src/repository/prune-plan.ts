import { corrupt } from '#base'
import { Bits } from './bits.ts'
import type { BlobIndex } from './blob-index.ts'
import { PACK_BYTES } from './pack-builder.ts'
import type { BlobSet } from './walk.ts'

/** So much of the used bytes may stay unused in packs that are not worth rewriting. */
export const TOLERATED_SHARE = 0.05
const SMALL_PACK = PACK_BYTES / 4
const MANY_SMALL_PACKS = 10

export interface PlanOptions {
  readonly index: BlobIndex
  readonly needed: BlobSet
  /** Packs with larger numbers came later and are left alone. */
  readonly packCount: number
  readonly isLeftAlone: (pack: number) => boolean
  readonly stored: ReadonlyMap<string, number>
  readonly toleratedShare: number
}

/** Packs by their numbers. */
export interface PrunePlan {
  readonly rewrite: ReadonlySet<number>
  readonly drop: ReadonlySet<number>
  /** Rows of needed blobs that lie in several packs, but for the places that are to stay. */
  readonly spare: Bits
  /** By the numbers of packs. */
  readonly usedBytes: Float64Array
}

/** What of each pack is needed. */
interface Uses {
  readonly used: Float64Array
  readonly total: Float64Array
}

/**
 * The most wasteful packs are rewritten, until the rest wastes little; many small ones become few. Of a blob that lies in
 * several packs the one in the fuller pack stays: so a call that follows a killed one finds what that one has rewritten.
 */
export const planPrune = (options: PlanOptions): PrunePlan => {
  const { index, packCount } = options
  const uses: Uses = {
    used: new Float64Array(index.packs.length),
    total: new Float64Array(index.packs.length),
  }
  const spare = countUses(options, uses)
  const rewrite = new Set<number>()
  const drop = new Set<number>()
  const partly: number[] = []
  const small: number[] = []
  let usedBytes = 0
  for (let pack = 0; pack < packCount; pack += 1) {
    const used = uses.used[pack]!
    const total = uses.total[pack]!
    usedBytes += used
    if (total === 0 || options.isLeftAlone(pack)) continue
    if (used === 0) drop.add(pack)
    else if (!options.stored.has(index.packs[pack]!))
      throw corrupt(`nothing is pruned: pack ${index.packs[pack]} is needed and not stored`)
    else if (used < total) partly.push(pack)
    else if (total < SMALL_PACK) small.push(pack)
  }
  for (const pack of wasteful(partly, uses, options.toleratedShare * usedBytes)) rewrite.add(pack)
  if (small.length >= MANY_SMALL_PACKS) for (const pack of small) rewrite.add(pack)
  return { rewrite, drop, spare, usedBytes: uses.used }
}

const countUses = ({ index, needed }: PlanOptions, { used, total }: Uses): Bits => {
  const several: number[] = []
  for (let pack = 0; pack < total.length; pack += 1) {
    for (const [from, to] of index.rowsIn(pack)) {
      for (let row = from; row < to; row += 1) {
        if (!index.isPlace(row)) continue
        const length = index.lengthAt(row)
        const number = index.numberAt(row)
        total[pack]! += length
        if (!needed.has(number)) continue
        used[pack]! += length
        if (number === row && index.isShared(row)) several.push(number)
      }
    }
  }
  const shares = Float64Array.from(used, (bytes, pack) => bytes / total[pack]!)
  const spare = new Bits()
  for (const number of several) {
    const places = index
      .rowsOf(number)
      .map((row) => ({ row, pack: index.packAt(row) }))
      .filter(({ pack }) => !index.isDoomed(pack))
    const best = places.toSorted(
      (a, b) => shares[b.pack]! - shares[a.pack]! || total[b.pack]! - total[a.pack]! || a.pack - b.pack,
    )[0]!
    for (const { row, pack } of places) {
      if (row === best.row) continue
      spare.add(row)
      used[pack]! -= index.lengthAt(row)
    }
  }
  return spare
}

const wasteful = (packs: number[], { used, total }: Uses, toleratedBytes: number): number[] => {
  const wasteOf = (pack: number): number => total[pack]! - used[pack]!
  packs.sort((a, b) => wasteOf(b) / total[b]! - wasteOf(a) / total[a]!)
  let wasteBytes = packs.reduce((sum, pack) => sum + wasteOf(pack), 0)
  const chosen: number[] = []
  for (const pack of packs) {
    if (wasteBytes <= toleratedBytes) break
    chosen.push(pack)
    wasteBytes -= wasteOf(pack)
  }
  return chosen
}
