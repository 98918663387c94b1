import type { BlobIndex } from './blob-index.ts'
import type { PrunePlan } from './prune-plan.ts'

/** What an index file has of a blob, and what small files may take. */
const INDEX_BYTES_OF_BLOB = 46
const SMALL_FILES_BYTES = 32 * 1024

/** At most so much is written before anything is removed. */
export const roomFor = (
  { rewrite, drop, usedBytes }: Pick<PrunePlan, 'rewrite' | 'drop' | 'usedBytes'>,
  { size }: Pick<BlobIndex, 'size'>,
): number => {
  if (rewrite.size === 0 && drop.size === 0) return 0
  const packBytes = [...rewrite].reduce((sum, pack) => sum + (usedBytes[pack] ?? 0), 0)
  return packBytes + size * INDEX_BYTES_OF_BLOB + SMALL_FILES_BYTES
}

/**
 * Packs that nobody needs, in portions of which each needs little room: first those whose index files name nothing else and
 * simply go, then index file by index file, those before which leave little to be named anew.
 */
export const portionsOf = (
  loaded: ReadonlyMap<string, Uint32Array>,
  drop: ReadonlySet<number>,
): readonly ReadonlySet<number>[] => {
  const inPart: { readonly gone: readonly number[]; readonly staying: number }[] = []
  const bound = new Set<number>()
  for (const packs of loaded.values()) {
    const gone = [...packs].filter((pack) => drop.has(pack))
    const staying = packs.length - gone.length
    if (gone.length === 0 || staying === 0) continue
    inPart.push({ gone, staying })
    for (const pack of gone) bound.add(pack)
  }
  const portions = [new Set([...drop].filter((pack) => !bound.has(pack)))]
  for (const { gone } of inPart.sort((a, b) => a.staying - b.staying)) {
    portions.push(new Set(gone.filter((pack) => bound.delete(pack))))
  }
  return portions.filter(({ size }) => size > 0)
}

/** As many of the packs to be written anew as there is room for, those of few bytes first, and how many are left. */
export const affordable = (
  plan: PrunePlan,
  index: Pick<BlobIndex, 'size'>,
  freeBytes: number,
): { readonly plan: PrunePlan; readonly left: number } => {
  const { usedBytes } = plan
  const rewrite = new Set<number>()
  let bytes = roomFor({ rewrite, drop: plan.rewrite, usedBytes }, index)
  for (const pack of [...plan.rewrite].sort((a, b) => usedBytes[a]! - usedBytes[b]!)) {
    bytes += usedBytes[pack]!
    if (bytes > freeBytes) break
    rewrite.add(pack)
  }
  return { plan: { ...plan, rewrite }, left: plan.rewrite.size - rewrite.size }
}
