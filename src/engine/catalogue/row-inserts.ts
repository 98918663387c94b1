import type { Statement } from 'better-sqlite3'
import { OPEN, type CacheDatabase } from './cache-file.ts'

type Value = number | string | null

const COLUMNS = 9
/** Rows for one call: with each of its own, calling would take longer than inserting. */
const TOGETHER = 32

const insertOf = (rows: number): string =>
  `INSERT INTO items VALUES ${Array<string>(rows).fill(`(?, ?, ?, ?, ${OPEN}, ?, ?, ?, ?, ?)`).join(', ')}`

/** Rows on their way into `items`. None is there before `flush`. */
export class RowInserts {
  readonly #one: Statement
  readonly #several: Statement
  #values: Value[] = []

  constructor(database: CacheDatabase) {
    this.#one = database.prepare(insertOf(1))
    this.#several = database.prepare(insertOf(TOGETHER))
  }

  /** The columns of `items` without `to_version`. */
  add(
    object: number,
    h: number,
    c: number,
    from: number,
    parent: number,
    isFolder: number,
    place: number,
    sort: number | string | null,
    at: number,
  ): void {
    this.#values.push(object, h, c, from, parent, isFolder, place, sort, at)
    if (this.#values.length < TOGETHER * COLUMNS) return
    this.#several.run(this.#values)
    this.#values = []
  }

  /** What was left by a block that turned out to be broken. */
  drop(): void {
    this.#values = []
  }

  flush(): void {
    const values = this.#values
    this.#values = []
    for (let at = 0; at < values.length; at += COLUMNS) this.#one.run(values.slice(at, at + COLUMNS))
  }
}
