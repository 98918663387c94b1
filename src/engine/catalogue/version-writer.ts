import { setImmediate as breathe } from 'node:timers/promises'
import type { Statement } from 'better-sqlite3'
import type { RepositoryReader } from '#repository'
import { createIndexes, createPlaceIndex, dropIndexes, OPEN, type CacheDatabase } from './cache-file.ts'
import { placeIn, type CachedBlocks } from './cached-blocks.ts'
import { itemColumns, itemColumnsIn, type ItemColumns } from './item-columns.ts'
import { RowInserts } from './row-inserts.ts'
import { idKey, type IdKey } from './id-key.ts'
import { segmentsSince, type ObjectState, type SegmentRef, type StoredFolder } from './object-state.ts'
import type { ListTotals } from './list-totals.ts'
import type { ParentNumbers } from './parent-numbers.ts'
import type { RowBlock } from './row-block.ts'
import { readBlocks } from './segments.ts'

export interface VersionWriterParts {
  readonly database: CacheDatabase
  readonly reader: RepositoryReader
  readonly blocks: CachedBlocks
  readonly parents: ParentNumbers
  readonly totals: ListTotals
}

/** From so many rows on, indexes are made anew after the rows instead of kept up with each. */
const MANY_ROWS = 20_000
/** A deleted row among those that are loaded at once, until all are there. */
const DELETED = -1
/** What such a row has for its folder. */
const NO_PARENT = 0

/** An object's state to be taken into the cache. */
export interface NewVersion {
  readonly object: number
  /** Larger than those before it. */
  readonly version: number
  readonly state: ObjectState
}

/** Takes an object's states, one after the other in time, into the versioned rows of the cache. One call at a time. */
export class VersionWriter {
  readonly #parts: VersionWriterParts
  readonly #database: CacheDatabase
  readonly #close: Statement
  readonly #drop: Statement
  readonly #inserts: RowInserts

  constructor(parts: VersionWriterParts) {
    const { database } = parts
    this.#parts = parts
    this.#database = database
    this.#close = database.prepare(
      `UPDATE items SET to_version = @version
       WHERE object = @object AND h = @h AND c = @c AND to_version = ${OPEN} AND from_version < @version`,
    )
    this.#drop = database.prepare(
      'DELETE FROM items WHERE object = @object AND h = @h AND c = @c AND from_version = @version',
    )
    this.#inserts = new RowInserts(database)
  }

  /** Throws `corrupt` or `not-found` for a state that cannot be read; what it has written is undone by the next call. */
  async write(next: NewVersion, signal?: AbortSignal): Promise<void> {
    const { object, version, state } = next
    const last = this.#lastSegments(object)
    this.#undo(object, version)
    const change = segmentsSince(last ?? [], state)
    if (change === undefined) await this.#compare(next, signal)
    else if (last === undefined && this.#isMany(change)) await this.#load(next, change, signal)
    else await this.#apply(next, change, signal)
    this.#writeFolders(next)
    this.#database
      .prepare('INSERT INTO versions VALUES (?, ?, ?, ?)')
      .run(object, version, JSON.stringify(state.segments), state.path)
  }

  #lastSegments(object: number): SegmentRef[] | undefined {
    const segments = this.#database
      .prepare('SELECT segments FROM versions WHERE object = ? ORDER BY version DESC LIMIT 1')
      .pluck()
      .get(object) as string | undefined
    return segments === undefined ? undefined : (JSON.parse(segments) as SegmentRef[])
  }

  /** Enough that keeping up the indexes of all rows that are there would cost more than to make them again. */
  #isMany(segments: readonly SegmentRef[]): boolean {
    const rows = segments.reduce((sum, segment) => sum + segment.rows, 0)
    if (rows < MANY_ROWS) return false
    return rows >= ((this.#database.prepare('SELECT max(rowid) FROM items').pluck().get() as number) ?? 0)
  }

  /** What an unfinished version, or one whose object was left out, has written. */
  #undo(object: number, version: number): void {
    const known = { object, version }
    this.#inserts.drop()
    this.#database.transaction(() => {
      this.#parts.totals.forget(object, version)
      for (const table of ['items', 'folders']) {
        this.#run(`DELETE FROM ${table} WHERE object = @object AND from_version >= @version`, known)
        this.#run(
          `UPDATE ${table} SET to_version = ${OPEN} WHERE object = @object AND to_version >= @version AND to_version < ${OPEN}`,
          known,
        )
      }
    })()
  }

  /** All rows of an object that the cache has nothing of. */
  async #load(next: NewVersion, segments: readonly SegmentRef[], signal?: AbortSignal): Promise<void> {
    const hadPlaces = this.#hasPlaceIndex()
    dropIndexes(this.#database)
    try {
      const take = (block: RowBlock, no: number): void => {
        const columns = itemColumnsIn(block)
        for (let row = 0; row < block.count; row += 1) {
          const { kind, id } = block.kindOf(row)
          if (kind === 'put') this.#put(next, placeIn(no, row), columns(row, id))
          else if (kind === 'del') this.#tombstone(next, idKey(id))
        }
        this.#inserts.flush()
      }
      await this.#eachBlock(next, segments, take, signal)
    } finally {
      createIndexes(this.#database)
      if (hadPlaces) createPlaceIndex(this.#database)
    }
    this.#keepLastWords(next)
    this.#parts.totals.countAll(next.object, next.version)
  }

  #hasPlaceIndex(): boolean {
    const sql = `SELECT 1 FROM sqlite_schema WHERE name = 'items_by_place'`
    return this.#database.prepare(sql).get() !== undefined
  }

  #tombstone({ object, version }: NewVersion, { h, c }: IdKey): void {
    this.#inserts.add(object, h, c, version, NO_PARENT, DELETED, 0, null, 0)
  }

  /** Of several rows of one item the last one holds; a deletion that is the last word leaves nothing. */
  #keepLastWords({ object, version }: NewVersion): void {
    const known = { object, version }
    // Each by an index alone: looking at the rows themselves takes many times as long.
    const several = this.#database.prepare(
      `SELECT h, c FROM items INDEXED BY items_by_id WHERE object = @object
       GROUP BY h, c HAVING sum(from_version = @version) > 1`,
    )
    const deleted = this.#database.prepare(
      `SELECT h, c FROM items INDEXED BY items_by_parent
       WHERE object = @object AND parent = ${NO_PARENT} AND is_folder = ${DELETED}`,
    )
    const doubtful = [...(several.all(known) as IdKey[]), ...(deleted.all({ object }) as IdKey[])]
    const drop = this.#database.prepare(
      `DELETE FROM items WHERE object = @object AND h = @h AND c = @c AND from_version = @version AND (is_folder = ${DELETED}
         OR rowid < (SELECT max(rowid) FROM items WHERE object = @object AND h = @h AND c = @c AND from_version = @version))`,
    )
    this.#database.transaction(() => {
      for (const key of doubtful) drop.run({ ...known, ...key })
    })()
  }

  async #apply(next: NewVersion, segments: readonly SegmentRef[], signal?: AbortSignal): Promise<void> {
    const take = (block: RowBlock, no: number): void => {
      const columns = itemColumnsIn(block)
      for (let row = 0; row < block.count; row += 1) {
        const { kind, id } = block.kindOf(row)
        if (kind === 'leave') continue
        this.#end(next, idKey(id))
        if (kind !== 'put') continue
        this.#put(next, placeIn(no, row), columns(row, id))
        this.#inserts.flush()
      }
    }
    await this.#eachBlock(next, segments, take, signal)
  }

  /** Each block in a transaction of its own; the server gets its turn between them. */
  async #eachBlock(
    { object }: NewVersion,
    segments: readonly SegmentRef[],
    take: (block: RowBlock, no: number) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    for (const segment of segments)
      for await (const { bytes, block } of readBlocks(this.#parts.reader, segment)) {
        signal?.throwIfAborted()
        this.#database.transaction(() => take(block, this.#parts.blocks.add(object, bytes)))()
        await breathe()
      }
  }

  #put({ object, version }: NewVersion, at: number, columns: ItemColumns): void {
    const { h, c, parentId, isFolder, place, sort } = columns
    const parent = this.#parts.parents.of(object, parentId)
    this.#inserts.add(object, h, c, version, parent, isFolder, place, sort, at)
  }

  /** What the item was until now no longer holds. */
  #end({ object, version }: NewVersion, { h, c }: IdKey): void {
    const known = { object, version, h, c }
    this.#close.run(known)
    this.#drop.run(known)
  }

  /** The slow way, for a state that does not follow from the last one: everything is read and compared. */
  async #compare(next: NewVersion, signal?: AbortSignal): Promise<void> {
    this.#database.exec(
      `CREATE TEMP TABLE IF NOT EXISTS loading (h INTEGER, c INTEGER, id TEXT, at INTEGER, PRIMARY KEY (h, c))`,
    )
    this.#database.exec('DELETE FROM loading')
    const put = this.#database.prepare('INSERT OR REPLACE INTO loading VALUES (?, ?, ?, ?)')
    const remove = this.#database.prepare('DELETE FROM loading WHERE h = ? AND c = ?')
    const take = (block: RowBlock, no: number): void => {
      for (let row = 0; row < block.count; row += 1) {
        const { kind, id } = block.kindOf(row)
        const { h, c } = idKey(id)
        if (kind === 'put') put.run(h, c, id, placeIn(no, row))
        else if (kind === 'del') remove.run(h, c)
      }
    }
    await this.#eachBlock(next, next.state.segments, take, signal)
    const { object, version } = next
    this.#run(
      `UPDATE items SET to_version = @version WHERE object = @object AND to_version = ${OPEN}
       AND NOT EXISTS (SELECT 1 FROM loading l WHERE l.h = items.h AND l.c = items.c)`,
      { object, version },
    )
    await this.#takeLoaded(next, signal)
    this.#database.exec('DELETE FROM loading')
  }

  async #takeLoaded(next: NewVersion, signal?: AbortSignal): Promise<void> {
    const { object, version } = next
    const { blocks } = this.#parts
    const rows = this.#database.prepare(
      `SELECT l.rowid AS number, l.id, l.at, i.at AS oldAt FROM loading l
       LEFT JOIN items i ON i.object = @object AND i.h = l.h AND i.c = l.c AND i.to_version = ${OPEN} AND i.from_version < @version
       WHERE l.rowid > @after ORDER BY l.rowid LIMIT 500`,
    )
    for (let after = 0; ;) {
      signal?.throwIfAborted()
      const loaded = rows.all({ object, version, after }) as LoadedRow[]
      if (loaded.length === 0) return
      this.#database.transaction(() => {
        for (const { id, at, oldAt } of loaded) {
          const row = blocks.row(at)
          if (oldAt !== null) {
            if (JSON.stringify(blocks.row(oldAt)) === JSON.stringify(row)) continue
            this.#end(next, idKey(id))
          }
          this.#put(next, at, itemColumns(row))
        }
        this.#inserts.flush()
      })()
      after = loaded.at(-1)!.number
      await breathe()
    }
  }

  #liveFolders(object: number): Map<string, string> {
    const rows = this.#database
      .prepare(`SELECT id, json FROM folders WHERE object = ? AND to_version = ${OPEN}`)
      .all(object) as { id: string; json: string }[]
    return new Map(rows.map(({ id, json }) => [id, json]))
  }

  #writeFolders({ object, version, state: { folders } }: NewVersion): void {
    const known = this.#liveFolders(object)
    const close = this.#database.prepare(
      `UPDATE folders SET to_version = ? WHERE object = ? AND id = ? AND to_version = ${OPEN}`,
    )
    const insert = this.#database.prepare(`INSERT INTO folders VALUES (?, ?, ?, ${OPEN}, ?, ?)`)
    this.#database.transaction(() => {
      for (const folder of folders) {
        const json = folderJson(folder)
        const isSame = known.get(folder.id) === json
        if (isSame) known.delete(folder.id)
        else if (known.delete(folder.id)) close.run(version, object, folder.id)
        if (!isSame) insert.run(object, folder.id, version, folder.parentId ?? '', json)
      }
      for (const id of known.keys()) close.run(version, object, id)
    })()
  }

  #run(sql: string, parameters: object): void {
    this.#database.prepare(sql).run(parameters)
  }
}

interface LoadedRow {
  readonly number: number
  readonly id: string
  readonly at: number
  readonly oldAt: number | null
}

/** What makes a folder another one: not its token. */
const folderJson = ({ id, parentId, name, segment, wellKnownName, isHidden }: StoredFolder): string =>
  JSON.stringify({ id, parentId, name, segment, wellKnownName, isHidden })
