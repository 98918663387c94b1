import type { CacheDatabase } from './cache-file.ts'
import { Statements } from './statements.ts'

/** What holds at a version. */
export const HELD = 'from_version <= @version AND to_version > @version'

/** Lists of so many rows are counted once and for all. */
const LONG = 1_000
/** In `totals`: the rows of all folders together. */
const ALL_PARENTS = 0
const MOST_REMEMBERED = 10_000

export interface ListOfItems {
  readonly object: number
  readonly version: number
  /** Absent: of the whole object. */
  readonly parent?: number
}

/** The condition on `items` that a list stands for. */
export const listCondition = ({ parent }: ListOfItems): string =>
  `object = @object ${parent === undefined ? '' : 'AND parent = @parent'} AND is_folder = 0 AND ${HELD}`

/** How long lists are. A version's rows stay as they are, so what was counted is kept, that of long lists in the cache. */
export class ListTotals {
  readonly #statements: Statements
  readonly #remembered = new Map<string, number>()

  constructor(database: CacheDatabase) {
    this.#statements = new Statements(database)
  }

  of(list: ListOfItems): number {
    const { object, version, parent = ALL_PARENTS } = list
    const key = `${object} ${version} ${parent}`
    const total = this.#remembered.get(key) ?? this.#kept({ object, version, parent }) ?? this.#count(list)
    if (this.#remembered.size >= MOST_REMEMBERED) this.#remembered.clear()
    this.#remembered.set(key, total)
    return total
  }

  #kept(list: Required<ListOfItems>): number | undefined {
    const sql = 'SELECT n FROM totals WHERE object = @object AND version = @version AND parent = @parent'
    return this.#statements.get<{ n: number }>(sql, list)?.n
  }

  #count(list: ListOfItems): number {
    const sql = `SELECT count(*) AS n FROM items WHERE ${listCondition(list)}`
    const { n } = this.#statements.get<{ n: number }>(sql, list)!
    if (n >= LONG)
      this.#statements.run('INSERT OR REPLACE INTO totals VALUES (@object, @version, @parent, @n)', {
        parent: ALL_PARENTS,
        ...list,
        n,
      })
    return n
  }

  /** All long lists of a version at once. */
  countAll(object: number, version: number): void {
    const rows = `FROM items WHERE ${listCondition({ object, version })}`
    const long = `count(*) >= ${LONG}`
    for (const counted of [
      `SELECT @object, @version, parent, count(*) ${rows} GROUP BY parent HAVING ${long}`,
      `SELECT @object, @version, ${ALL_PARENTS}, count(*) ${rows} HAVING ${long}`,
    ])
      this.#statements.run(`INSERT OR REPLACE INTO totals ${counted}`, { object, version })
  }

  /** The rows of these versions are no longer the same. */
  forget(object: number, fromVersion = 0): void {
    this.#remembered.clear()
    this.#statements.run('DELETE FROM totals WHERE object = @object AND version >= @fromVersion', {
      object,
      fromVersion,
    })
  }
}
