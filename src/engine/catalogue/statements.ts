import type { Statement } from 'better-sqlite3'
import type { CacheDatabase } from './cache-file.ts'

/** There are few different texts, and preparing one takes longer than most of them take. */
export class Statements {
  readonly #database: CacheDatabase
  readonly #known = new Map<string, Statement>()

  constructor(database: CacheDatabase) {
    this.#database = database
  }

  all<Row>(sql: string, parameters: object): Row[] {
    return this.of(sql).all(parameters) as Row[]
  }

  get<Row>(sql: string, parameters: object): Row | undefined {
    return this.of(sql).get(parameters) as Row | undefined
  }

  run(sql: string, parameters: object): void {
    this.of(sql).run(parameters)
  }

  of(sql: string): Statement {
    const known = this.#known.get(sql)
    if (known !== undefined) return known
    const statement = this.#database.prepare(sql)
    this.#known.set(sql, statement)
    return statement
  }
}
