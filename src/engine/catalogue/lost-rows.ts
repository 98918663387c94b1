import type { CacheDatabase } from './cache-file.ts'
import type { CachedBlocks } from './cached-blocks.ts'
import type { IdKey } from './id-key.ts'

export interface LostQuestion {
  readonly object: number
  /** Versions that would go. */
  readonly gone: readonly number[]
  /** Versions that stay. */
  readonly kept: readonly number[]
}

const AMONG = (versions: 'gone' | 'kept'): string =>
  `EXISTS (SELECT 1 FROM json_each(@${versions}) WHERE value >= i.from_version AND value < i.to_version)`
const GOING = `
  SELECT i.h, i.c, i.at FROM items i WHERE i.object = @object AND i.is_folder = 0
    AND ${AMONG('gone')} AND NOT ${AMONG('kept')} ORDER BY i.at`
const STAYING = `
  SELECT i.at FROM items i WHERE i.object = @object AND i.h = @h AND i.c = @c AND ${AMONG('kept')}`

/** Items and bytes that go with versions. A row that only its flags or its place make another one, with the same bytes, stays. */
export const lostRows = (
  { database, blocks }: { readonly database: CacheDatabase; readonly blocks: CachedBlocks },
  { object, gone, kept }: LostQuestion,
): { items: number; bytes: number } => {
  const versions = { object, gone: JSON.stringify(gone), kept: JSON.stringify(kept) }
  const going = database.prepare(GOING).all(versions) as (IdKey & { readonly at: number })[]
  const staying = database.prepare(STAYING).pluck()
  const { gone: _none, ...known } = versions
  const items = new Set<string>()
  let bytes = 0
  for (const { h, c, at } of going) {
    const others = staying.all({ ...known, h, c }) as number[]
    if (others.length === 0) items.add(`${h} ${c}`)
    const row = blocks.row(at)
    const content = row.content.join()
    if (!others.some((other) => blocks.row(other).content.join() === content)) bytes += row.sizeBytes
  }
  return { items: items.size, bytes }
}
