import type { Statement } from 'better-sqlite3'
import type { CacheDatabase } from './cache-file.ts'
import type { CachedBlocks } from './cached-blocks.ts'
import { idKey, type IdKey } from './id-key.ts'
import { itemColumns } from './item-columns.ts'
import type { ParentNumbers } from './parent-numbers.ts'
import { Statements } from './statements.ts'
import { placeKey, placeNumber, type CatalogueRow } from './rows.ts'

const MARKED = 0
const LIVE = 1
const GONE = 2

/** The rows of the last version and what the run has changed on them, seen as one. */
const CURRENT = `
  SELECT i.h, i.c, NULL AS json, i.at FROM items i
    LEFT JOIN pending p ON p.object = i.object AND p.h = i.h AND p.c = i.c
    WHERE i.object = @object AND i.from_version <= @version AND i.to_version > @version
      AND coalesce(p.status, ${MARKED}) = ${MARKED}`
const CHANGED = `
  SELECT h, c, json, NULL AS at FROM pending p WHERE object = @object AND status = ${LIVE}`

const CURRENT_SORTED = CURRENT.replace('i.c,', 'i.c, i.sort,')
const CHANGED_SORTED = CHANGED.replace('c,', 'c, sort,')

/** Neither met nor known to have left; on the marks of a row, `p`. */
const UNSEEN = 'coalesce(p.seen, 0) = 0 AND coalesce(p.leaving, 0) = 0'

/** A row that is written out, or where it is. */
interface FoundRow extends IdKey {
  readonly json: string | null
  readonly at: number | null
}

interface SortedRow extends FoundRow {
  readonly sort: string | number
}

const BEFORE_ALL: SortedRow = { sort: -Number.MAX_VALUE, h: -1, c: 0, json: null, at: null }

export interface PendingParts {
  readonly database: CacheDatabase
  readonly blocks: CachedBlocks
  readonly parents: ParentNumbers
  readonly object: number
  /** 0: the object has no previous version. */
  readonly version: number
}

/**
 * The rows of one object while a run changes them: the previous version from the cache with the run's changes over it.
 * Lives in the cache's file, so its size is no matter; lost with it, it is made again from the run's segments.
 */
export class PendingRows {
  readonly #parts: PendingParts
  readonly #scope: { readonly object: number; readonly version: number }
  readonly #put: Statement
  readonly #statements: Statements

  constructor(parts: PendingParts) {
    const { database, object, version } = parts
    this.#parts = parts
    this.#statements = new Statements(database)
    this.#scope = { object, version }
    this.#put = database.prepare(
      `INSERT INTO pending VALUES (@object, @id, @h, @c, ${LIVE}, 0, 1, @parent, @isFolder, @place, @sort, @json)
       ON CONFLICT (object, h, c) DO UPDATE SET status = ${LIVE}, leaving = 0, seen = 1, parent = excluded.parent,
         is_folder = excluded.is_folder, place = excluded.place, sort = excluded.sort, json = excluded.json`,
    )
  }

  /** Forgets what an earlier run left behind. */
  clear(): void {
    this.#run('DELETE FROM pending WHERE object = @object')
  }

  find(ids: readonly string[]): Map<string, CatalogueRow> {
    const one = this.#statements.of(
      `${CURRENT} AND i.h = @h AND i.c = @c UNION ALL ${CHANGED} AND p.h = @h AND p.c = @c`,
    )
    const found = new Map<string, CatalogueRow>()
    for (const id of ids) {
      const row = one.get({ ...this.#scope, ...idKey(id) }) as FoundRow | undefined
      if (row !== undefined) found.set(id, this.#read(row))
    }
    return found
  }

  /** True when the row is as the previous version has it: its blobs are then durable. */
  isFromBefore(id: string): boolean {
    const sql = `SELECT 1 FROM pending WHERE object = @object AND h = @h AND c = @c AND status = ${LIVE}`
    return this.#get(sql, idKey(id)) === undefined
  }

  /** All in one transaction. */
  put(rows: readonly CatalogueRow[]): void {
    const { object } = this.#scope
    this.together(() => {
      for (const row of rows) {
        const { parentId, ...columns } = itemColumns(row)
        const parent = this.#parts.parents.of(object, parentId)
        this.#put.run({ object, id: row.id, parent, json: JSON.stringify(row), ...columns })
      }
    })
  }

  remove(ids: readonly string[]): void {
    this.#mark(
      ids,
      `VALUES (@object, @id, @h, @c, ${GONE}, 0, 0, NULL, NULL, NULL, NULL, NULL)
       ON CONFLICT (object, h, c) DO UPDATE SET status = ${GONE}, leaving = 0, parent = NULL, place = NULL, json = NULL`,
    )
  }

  /** Gone from its place; removed at the end of the run unless it turns up elsewhere. */
  leave(ids: readonly string[]): void {
    this.#mark(
      ids,
      `VALUES (@object, @id, @h, @c, ${MARKED}, 1, 0, NULL, NULL, NULL, NULL, NULL)
       ON CONFLICT (object, h, c) DO UPDATE SET leaving = 1 WHERE status <> ${GONE}`,
    )
  }

  /** Met in this run and unchanged. */
  see(ids: readonly string[]): void {
    this.#mark(
      ids,
      `VALUES (@object, @id, @h, @c, ${MARKED}, 0, 1, NULL, NULL, NULL, NULL, NULL)
       ON CONFLICT (object, h, c) DO UPDATE SET leaving = 0, seen = 1 WHERE status <> ${GONE}`,
    )
  }

  /** Starts a full round: nothing has been met yet. `parent` limits it to the rows of one folder. */
  unsee(parent?: string): void {
    if (parent === undefined) return this.#run('UPDATE pending SET seen = 0 WHERE object = @object')
    this.#run(
      `UPDATE pending SET seen = 0 WHERE object = @object AND (h, c) IN (SELECT h, c FROM (${this.#both('parent = @parent')}))`,
      { parent: this.#parent(parent) },
    )
  }

  /** Ids of rows that a full round has not met, in an order of their own, after the one that was last. */
  unseen(after: string, limit: number): string[] {
    return this.#readAll(`${this.#first('(h, c) > (@h, @c)', UNSEEN)} ORDER BY h, c LIMIT @limit`, {
      ...keyAfter(after),
      limit,
    }).map(({ id }) => id)
  }

  /** All ids of one folder that a full round of it has not met. */
  unseenIn(parent: string): string[] {
    const rows = this.#readAll(this.#both('parent = @parent', UNSEEN), { parent: this.#parent(parent) })
    return rows.map(({ id }) => id)
  }

  /** Rows that left and did not turn up. */
  leaving(limit: number): CatalogueRow[] {
    return this.#readAll(
      `SELECT i.h, i.c, NULL AS json, i.at FROM pending p
         CROSS JOIN items i ON i.object = p.object AND i.h = p.h AND i.c = p.c
         WHERE p.object = @object AND p.leaving = 1 AND p.status = ${MARKED}
           AND i.from_version <= @version AND i.to_version > @version
       UNION ALL ${CHANGED} AND leaving = 1
       LIMIT @limit`,
      { limit },
    )
  }

  isPlaceTaken(parent: string, place: string, exceptId: string): boolean {
    const id = this.takenPlaces(parent, [place]).get(place)
    return id !== undefined && id !== exceptId
  }

  /** Of these places those that are taken, with the id of the row that is there. */
  takenPlaces(parent: string, places: readonly string[]): Map<string, string> {
    const wanted = new Set(places)
    const taken = new Map<string, string>()
    const sql = this.#both('parent = @parent AND place = @place')
    const folder = this.#parent(parent)
    for (const place of new Set(places.map(placeNumber)))
      for (const row of this.#readAll(sql, { parent: folder, place })) {
        const there = placeKey(row)
        if (wanted.has(there)) taken.set(there, row.id)
      }
    return taken
  }

  /** Some of the rows of a folder. */
  children(parent: string, limit: number): CatalogueRow[] {
    const sql = `SELECT * FROM (${this.#both('parent = @parent')}) LIMIT @limit`
    return this.#readAll(sql, { parent: this.#parent(parent), limit })
  }

  /** The ids of all rows of a folder. */
  childIds(parent: string): string[] {
    return this.#readAll(this.#both('parent = @parent'), { parent: this.#parent(parent) }).map(({ id }) => id)
  }

  childCount(parent: string): number {
    const sql = `SELECT count(*) AS n FROM (${this.#both('parent = @parent')})`
    return (this.#get(sql, { parent: this.#parent(parent) }) as { n: number }).n
  }

  /** Every row, folder by folder and within a folder in the order of lists, in batches. */
  *all(limit: number): Generator<CatalogueRow[]> {
    const parents = this.#statements
      .of(
        `SELECT DISTINCT parent FROM items WHERE object = @object AND from_version <= @version AND to_version > @version
       UNION SELECT parent FROM pending WHERE object = @object AND status = ${LIVE} ORDER BY parent`,
      )
      .all(this.#scope) as { parent: number }[]
    for (const { parent } of parents)
      for (const isFolder of [1, 0]) yield* this.#inOrder({ parent, isFolder }, limit)
  }

  *#inOrder(within: object, limit: number): Generator<CatalogueRow[]> {
    const after = '(sort, h, c) > (@sort, @h, @c)'
    const condition = `parent = @parent AND is_folder = @isFolder AND ${after}`
    const sql = `SELECT * FROM (SELECT * FROM (${CURRENT_SORTED} AND ${ofItems(condition)} ORDER BY i.sort, i.h, i.c LIMIT @limit)
       UNION ALL SELECT * FROM (${CHANGED_SORTED} AND ${ofPending(condition)} ORDER BY p.sort, p.h, p.c LIMIT @limit))
       ORDER BY sort, h, c LIMIT @limit`
    for (let last: SortedRow | undefined = BEFORE_ALL; last !== undefined;) {
      const { sort, h, c } = last
      const found = this.#statements
        .of(sql)
        .all({ ...this.#scope, ...within, sort, h, c, limit }) as SortedRow[]
      if (found.length > 0) yield found.map((row) => this.#read(row))
      last = found.length < limit ? undefined : found.at(-1)
    }
  }

  #parent(id: string): number {
    return this.#parts.parents.of(this.#scope.object, id)
  }

  /** The first of both sources, by key: each is limited by itself, so that neither is read to its end. */
  #first(condition: string, marks: string): string {
    const current = `${CURRENT} AND ${ofItems(condition)} AND ${marks} ORDER BY i.h, i.c LIMIT @limit`
    const changed = `${CHANGED} AND ${ofPending(condition)} AND ${marks} ORDER BY p.h, p.c LIMIT @limit`
    return `SELECT * FROM (SELECT * FROM (${current}) UNION ALL SELECT * FROM (${changed}))`
  }

  /** Both sources under one condition on parent and place. */
  #both(condition: string, marks?: string): string {
    const also = marks === undefined ? '' : `AND ${marks}`
    return `${CURRENT} AND ${ofItems(condition)} ${also} UNION ALL ${CHANGED} AND ${ofPending(condition)} ${also}`
  }

  #read({ json, at }: FoundRow): CatalogueRow {
    return json === null ? this.#parts.blocks.row(at!) : (JSON.parse(json) as CatalogueRow)
  }

  #readAll(sql: string, parameters: object): CatalogueRow[] {
    const rows = this.#statements.of(sql).all({ ...this.#scope, ...parameters }) as FoundRow[]
    return rows.map((row) => this.#read(row))
  }

  #mark(ids: readonly string[], values: string): void {
    if (ids.length === 0) return
    const statement = this.#statements.of(`INSERT INTO pending ${values}`)
    this.together(() => {
      for (const id of ids) statement.run({ object: this.#scope.object, id, ...idKey(id) })
    })
  }

  /** Several changes in one transaction. */
  together(work: () => void): void {
    this.#parts.database.transaction(work)()
  }

  #get(sql: string, parameters: object): unknown {
    return this.#statements.of(sql).get({ ...this.#scope, ...parameters })
  }

  #run(sql: string, parameters: object = {}): void {
    this.#statements.of(sql).run({ ...this.#scope, ...parameters })
  }
}

const ofItems = (condition: string): string =>
  condition.replace(/\b(h|c|parent|place|sort|is_folder)\b(?=[,) =])/g, 'i.$1').replaceAll('@i.', '@')
const ofPending = (condition: string): string =>
  condition.replace(/\b(h|c|parent|place|sort|is_folder)\b(?=[,) =])/g, 'p.$1').replaceAll('@p.', '@')

const FIRST: IdKey = { h: -1, c: 0 }
const keyAfter = (id: string): IdKey => (id === '' ? FIRST : idKey(id))
