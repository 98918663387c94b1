import type { BlobId, SnapshotId } from '#repository'
import type { CacheDatabase } from './cache-file.ts'
import { blockOf, placeIn, rowOf, type CachedBlocks } from './cached-blocks.ts'
import type { IdKey } from './id-key.ts'
import type { SegmentRef } from './object-state.ts'
import { BLOCK_ROWS, encodeBlock, type RowBlock } from './row-block.ts'
import type { CatalogueRow } from './rows.ts'

// Rows that leave every version of an object at once: what is in them, and how the cache follows.

/** What becomes of rows, whatever the version. */
export interface RowEdit {
  readonly judge: (block: RowBlock, row: number) => 'stays' | 'shortened' | 'goes'
  /** What is left of a row; asked for those that are shortened. */
  readonly left: (row: CatalogueRow) => CatalogueRow | undefined
}

/** Items and bytes that go from one version. */
export interface GoingFrom {
  readonly items: number
  readonly bytes: number
}

export interface GoingRows {
  /** Items that go from any of the versions, each counted once. */
  readonly items: number
  /** Of all their contents, and of what rows are shortened by, before deduplication. */
  readonly bytes: number
  readonly isAny: boolean
  readonly fromVersion: ReadonlyMap<number, GoingFrom>
}

interface LyingRow extends IdKey {
  readonly at: number
  readonly rowid: number
  readonly from: number
  readonly to: number
}

interface Parts {
  readonly database: CacheDatabase
  readonly blocks: CachedBlocks
}

const LYING = `SELECT i.rowid, i.h, i.c, i.from_version AS "from", i.to_version AS "to", i.at
  FROM items i WHERE i.object = @object AND i.is_folder = 0`
const AMONG = `EXISTS (SELECT 1 FROM json_each(@versions) WHERE value >= i.from_version AND value < i.to_version)`

/** What an edit takes out of some versions of an object. */
export const goingRows = (
  { database, blocks }: Parts,
  of: { readonly object: number; readonly versions: readonly number[] },
  edit: RowEdit,
): GoingRows => {
  const parameters = { object: of.object, versions: JSON.stringify(of.versions) }
  const rows = database.prepare(`${LYING} AND ${AMONG} ORDER BY i.at`).all(parameters)
  const fromVersion = new Map(of.versions.map((version) => [version, { items: 0, bytes: 0 }]))
  const ids = new Set<string>()
  let [bytes, isAny] = [0, false]
  for (const { h, c, from, to, at } of rows as LyingRow[]) {
    const verdict = edit.judge(blocks.block(blockOf(at)), rowOf(at))
    if (verdict === 'stays') continue
    isAny = true
    const row = blocks.row(at)
    bytes += verdict === 'goes' ? sizeOf(row) : sizeOf(row) - sizeOf(edit.left(row)!)
    if (verdict === 'shortened') continue
    ids.add(`${h} ${c}`)
    for (const [version, sum] of fromVersion) {
      if (version < from || version >= to) continue
      sum.items += 1
      sum.bytes += row.sizeBytes
    }
  }
  return { items: ids.size, bytes, isAny, fromVersion }
}

const sizeOf = (row: CatalogueRow): number =>
  row.sizeBytes +
  ('versions' in row ? (row.versions ?? []).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) : 0)

/** Some rows that go, in the order in which they are stored. */
export const someGoingRows = (
  { database, blocks }: Parts,
  of: { readonly object: number; readonly versions: readonly number[] },
  edit: RowEdit,
  window: { readonly offset: number; readonly limit: number },
): readonly { readonly row: CatalogueRow; readonly version: number }[] => {
  const parameters = { object: of.object, versions: JSON.stringify(of.versions) }
  const rows = database.prepare(`${LYING} AND ${AMONG} ORDER BY i.sort DESC, i.h, i.c`).all(parameters)
  const seen = new Set<string>()
  const found: { row: CatalogueRow; version: number }[] = []
  for (const { h, c, from, to, at } of rows as LyingRow[]) {
    if (edit.judge(blocks.block(blockOf(at)), rowOf(at)) !== 'goes' || seen.has(`${h} ${c}`)) continue
    seen.add(`${h} ${c}`)
    if (seen.size <= window.offset) continue
    const version = of.versions.find((one) => one >= from && one < to)!
    found.push({ row: blocks.row(at), version })
    if (found.length >= window.limit) break
  }
  return found
}

/** Snapshots that were written again, and what they hold now. */
export interface Rewriting {
  readonly points: readonly {
    readonly from: SnapshotId
    readonly to: SnapshotId
    readonly tree: BlobId
  }[]
  readonly objects: readonly {
    readonly object: number
    readonly edit: RowEdit
    readonly states: readonly {
      readonly from: BlobId
      readonly to: BlobId
      readonly segments: readonly SegmentRef[]
    }[]
  }[]
}

/** The cache goes over to the new snapshots without reading them. False, and nothing is changed, when it knows one already. */
export const followRewriting = ({ database, blocks }: Parts, rewriting: Rewriting): boolean => {
  const isPoint = database.prepare('SELECT 1 FROM points WHERE snapshot = ?')
  const isState = database.prepare('SELECT 1 FROM states WHERE object = ? AND state_tree = ?')
  const isKnown =
    rewriting.points.some(({ to }) => isPoint.get(to) !== undefined) ||
    rewriting.objects.some(({ object, states }) =>
      states.some(({ from, to }) => from !== to && isState.get(object, to) !== undefined),
    )
  if (isKnown) return false
  database.transaction(() => {
    const move = database.prepare('UPDATE points SET snapshot = @to, tree = @tree WHERE snapshot = @from')
    for (const { from, to, tree } of rewriting.points) move.run({ from, to, tree })
    for (const object of rewriting.objects) followObject({ database, blocks }, object)
  })()
  return true
}

const followObject = (
  { database, blocks }: Parts,
  { object, edit, states }: Rewriting['objects'][number],
): void => {
  const find = database.prepare('SELECT version FROM states WHERE object = ? AND state_tree = ?').pluck()
  const move = database.prepare('UPDATE states SET state_tree = ? WHERE object = ? AND version = ?')
  const renew = database.prepare('UPDATE versions SET segments = ? WHERE object = ? AND version = ?')
  for (const { from, to, segments } of states)
    for (const version of find.all(object, from) as number[]) {
      move.run(to, object, version)
      renew.run(JSON.stringify(segments), object, version)
    }
  const remove = database.prepare('DELETE FROM items WHERE rowid = ?')
  const replace = database.prepare('UPDATE items SET at = ? WHERE rowid = ?')
  const shortened: { readonly rowid: number; readonly row: CatalogueRow }[] = []
  for (const lying of database.prepare(`${LYING} ORDER BY i.at`).all({ object }) as LyingRow[]) {
    const verdict = edit.judge(blocks.block(blockOf(lying.at)), rowOf(lying.at))
    if (verdict === 'goes') remove.run(lying.rowid)
    if (verdict === 'shortened') shortened.push({ rowid: lying.rowid, row: edit.left(blocks.row(lying.at))! })
  }
  for (let at = 0; at < shortened.length; at += BLOCK_ROWS) {
    const batch = shortened.slice(at, at + BLOCK_ROWS)
    const block = blocks.add(object, encodeBlock(batch.map(({ row }) => ({ put: row }))))
    for (const [row, { rowid }] of batch.entries()) replace.run(placeIn(block, row), rowid)
  }
}
