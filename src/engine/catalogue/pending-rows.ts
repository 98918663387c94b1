import type { Statement } from 'better-sqlite3'
import type { CacheDatabase } from './cache-file.ts'
import { isFolderRow, parentOf, placeKey, type CatalogueRow } from './rows.ts'

const MARKED = 0
const LIVE = 1
const GONE = 2

/** The rows of the last version and what the run has changed on them, seen as one. */
const CURRENT = `
  SELECT i.id, i.parent, i.is_folder, i.place, i.json, coalesce(p.leaving, 0) AS leaving FROM items i
    LEFT JOIN pending p ON p.object = i.object AND p.id = i.id
    WHERE i.object = @object AND i.from_version <= @version AND i.to_version > @version
      AND coalesce(p.status, ${MARKED}) = ${MARKED}`
const CHANGED = `
  SELECT id, parent, is_folder, place, json, leaving FROM pending p WHERE object = @object AND status = ${LIVE}`

/** Neither met nor known to have left; on the marks of a row, `p`. */
const UNSEEN = 'coalesce(p.seen, 0) = 0 AND coalesce(p.leaving, 0) = 0'

interface JsonRow {
  readonly json: string
}
interface Scope {
  readonly object: number
  readonly version: number
}

/**
 * The rows of one object while a run changes them: the previous version from the cache with the run's changes over it.
 * Lives in the cache's file, so its size is no matter; lost with it, it is made again from the run's segments.
 */
export class PendingRows {
  readonly #database: CacheDatabase
  readonly #scope: Scope
  readonly #put: Statement
  readonly #statements = new Map<string, Statement>()

  /** `version` 0: the object has no previous version. */
  constructor(database: CacheDatabase, object: number, version: number) {
    this.#database = database
    this.#scope = { object, version }
    this.#put = database.prepare(
      `INSERT INTO pending VALUES (@object, @id, ${LIVE}, 0, 1, @parent, @isFolder, @place, @json)
       ON CONFLICT (object, id) DO UPDATE SET status = ${LIVE}, leaving = 0, seen = 1, parent = excluded.parent,
         is_folder = excluded.is_folder, place = excluded.place, json = excluded.json`,
    )
  }

  /** Forgets what an earlier run left behind. */
  clear(): void {
    this.#run('DELETE FROM pending WHERE object = @object')
  }

  find(ids: readonly string[]): Map<string, CatalogueRow> {
    const parameters = { ids: JSON.stringify(ids) }
    const rows = this.#all(
      `${CURRENT} AND i.id IN (SELECT value FROM json_each(@ids))
       UNION ALL ${CHANGED} AND id IN (SELECT value FROM json_each(@ids))`,
      parameters,
    )
    return new Map(rows.map((row) => [row.id, row]))
  }

  /** True when the row is as the previous version has it: its blobs are then durable. */
  isFromBefore(id: string): boolean {
    return (
      this.#get(`SELECT 1 FROM pending WHERE object = @object AND id = @id AND status = ${LIVE}`, { id }) ===
      undefined
    )
  }

  /** All in one transaction. */
  put(rows: readonly CatalogueRow[]): void {
    this.together(() => {
      for (const row of rows)
        this.#put.run({
          object: this.#scope.object,
          id: row.id,
          parent: parentOf(row),
          isFolder: isFolderRow(row) ? 1 : 0,
          place: placeKey(row),
          json: JSON.stringify(row),
        })
    })
  }

  remove(ids: readonly string[]): void {
    this.#mark(
      ids,
      `VALUES (@object, @id, ${GONE}, 0, 0, NULL, NULL, NULL, NULL)
       ON CONFLICT (object, id) DO UPDATE SET status = ${GONE}, leaving = 0, parent = NULL, place = NULL, json = NULL`,
    )
  }

  /** Gone from its place; removed at the end of the run unless it turns up elsewhere. */
  leave(ids: readonly string[]): void {
    this.#mark(
      ids,
      `VALUES (@object, @id, ${MARKED}, 1, 0, NULL, NULL, NULL, NULL)
       ON CONFLICT (object, id) DO UPDATE SET leaving = 1 WHERE status <> ${GONE}`,
    )
  }

  /** Met in this run and unchanged. */
  see(ids: readonly string[]): void {
    this.#mark(
      ids,
      `VALUES (@object, @id, ${MARKED}, 0, 1, NULL, NULL, NULL, NULL)
       ON CONFLICT (object, id) DO UPDATE SET leaving = 0, seen = 1 WHERE status <> ${GONE}`,
    )
  }

  /** Starts a full round: nothing has been met yet. `parent` limits it to the rows of one folder. */
  unsee(parent?: string): void {
    const within =
      parent === undefined ? '' : `AND id IN (SELECT id FROM (${this.#both('parent = @parent')}))`
    this.#run(`UPDATE pending SET seen = 0 WHERE object = @object ${within}`, { parent })
  }

  /** Ids of rows that a full round has not met, in order of their ids. */
  unseen(after: string, limit: number): string[] {
    const rows = this.#statement(
      `SELECT id FROM (${this.#first('id > @after', UNSEEN)}) ORDER BY id LIMIT @limit`,
    ).all({ ...this.#scope, after, limit }) as { id: string }[]
    return rows.map(({ id }) => id)
  }

  /** All ids of one folder that a full round of it has not met. */
  unseenIn(parent: string): string[] {
    return this.#ids(this.#both('parent = @parent', UNSEEN), { parent })
  }

  /** Rows that left and did not turn up. */
  leaving(limit: number): CatalogueRow[] {
    return this.#all(
      `SELECT i.json FROM pending p CROSS JOIN items i ON i.object = p.object AND i.id = p.id
         WHERE p.object = @object AND p.leaving = 1 AND p.status = ${MARKED}
           AND i.from_version <= @version AND i.to_version > @version
       UNION ALL SELECT json FROM pending WHERE object = @object AND leaving = 1 AND status = ${LIVE}
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
    const wanted = 'IN (SELECT value FROM json_each(@places))'
    const rows = this.#statement(
      `${CURRENT} AND i.parent = @parent AND i.place ${wanted}
       UNION ALL ${CHANGED} AND parent = @parent AND place ${wanted}`,
    ).all({ ...this.#scope, parent, places: JSON.stringify(places) }) as { place: string; id: string }[]
    return new Map(rows.map(({ place, id }) => [place, id]))
  }

  /** Some of the rows of a folder. */
  children(parent: string, limit: number): CatalogueRow[] {
    return this.#all(`SELECT json FROM (${this.#both('parent = @parent')}) LIMIT @limit`, { parent, limit })
  }

  /** The ids of all rows of a folder. */
  childIds(parent: string): string[] {
    return this.#ids(this.#both('parent = @parent'), { parent })
  }

  childCount(parent: string): number {
    const row = this.#get(`SELECT count(*) AS n FROM (${this.#both('parent = @parent')})`, { parent })
    return (row as { n: number }).n
  }

  /** Every row in order of the ids. */
  all(after: string, limit: number): CatalogueRow[] {
    return this.#all(`SELECT json FROM (${this.#first('id > @after')}) ORDER BY id LIMIT @limit`, {
      after,
      limit,
    })
  }

  /** The first of both sources, by id: each is limited by itself, so that neither is read to its end. */
  #first(condition: string, marks?: string): string {
    const also = marks === undefined ? '' : `AND ${marks}`
    const current = `${CURRENT} AND ${ofItems(condition)} ${also} ORDER BY i.id LIMIT @limit`
    const changed = `${CHANGED} AND ${condition} ${also} ORDER BY p.id LIMIT @limit`
    return `SELECT * FROM (${current}) UNION ALL SELECT * FROM (${changed})`
  }

  /** Both sources under one condition on id, parent, is_folder and place. */
  #both(condition: string, marks?: string): string {
    const also = marks === undefined ? '' : `AND ${marks}`
    return `${CURRENT} AND ${ofItems(condition)} ${also} UNION ALL ${CHANGED} AND ${condition} ${also}`
  }

  #ids(sql: string, parameters: object): string[] {
    const rows = this.#statement(`SELECT id FROM (${sql})`).all({ ...this.#scope, ...parameters })
    return (rows as { id: string }[]).map(({ id }) => id)
  }

  #mark(ids: readonly string[], values: string): void {
    if (ids.length === 0) return
    const statement = this.#statement(`INSERT INTO pending ${values}`)
    this.together(() => {
      for (const id of ids) statement.run({ object: this.#scope.object, id })
    })
  }

  /** Several changes in one transaction. */
  together(work: () => void): void {
    this.#database.transaction(work)()
  }

  #all(sql: string, parameters: object): CatalogueRow[] {
    const rows = this.#statement(sql).all({ ...this.#scope, ...parameters }) as JsonRow[]
    return rows.map(({ json }) => JSON.parse(json) as CatalogueRow)
  }

  #get(sql: string, parameters: object): unknown {
    return this.#statement(sql).get({ ...this.#scope, ...parameters })
  }

  #run(sql: string, parameters: object = {}): void {
    this.#statement(sql).run({ ...this.#scope, ...parameters })
  }

  #statement(sql: string): Statement {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}

const ofItems = (condition: string): string =>
  condition.replace(/\b(id|parent|is_folder|place) (=|>)/g, 'i.$1 $2')
