import type { Statement } from 'better-sqlite3'
import type { CacheDatabase } from './cache-file.ts'

const MOST_KNOWN = 100_000

/** Short numbers for the folders that hold rows. */
export class ParentNumbers {
  readonly #insert: Statement
  readonly #select: Statement
  readonly #known = new Map<string, number>()

  constructor(database: CacheDatabase) {
    this.#insert = database.prepare('INSERT INTO parents (object, id) VALUES (?, ?) ON CONFLICT DO NOTHING')
    this.#select = database.prepare('SELECT no FROM parents WHERE object = ? AND id = ?').pluck()
  }

  of(object: number, id: string): number {
    const key = `${object} ${id}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    this.#insert.run(object, id)
    const no = this.#select.get(object, id) as number
    if (this.#known.size >= MOST_KNOWN) this.#known.clear()
    this.#known.set(key, no)
    return no
  }
}
