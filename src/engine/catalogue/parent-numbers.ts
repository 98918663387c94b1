import type { Statement } from 'better-sqlite3'
import type { CacheDatabase } from './cache-file.ts'

const MOST_KNOWN = 100_000

/** Short numbers for the folders that hold rows. */
export class ParentNumbers {
  readonly #insert: Statement
  readonly #select: Statement
  /** By object. */
  readonly #known = new Map<number, Map<string, number>>()

  #count = 0

  constructor(database: CacheDatabase) {
    this.#insert = database.prepare('INSERT INTO parents (object, id) VALUES (?, ?) ON CONFLICT DO NOTHING')
    this.#select = database.prepare('SELECT no FROM parents WHERE object = ? AND id = ?').pluck()
  }

  of(object: number, id: string): number {
    const known = this.#known.get(object)?.get(id)
    if (known !== undefined) return known
    this.#insert.run(object, id)
    const no = this.#select.get(object, id) as number
    this.#remember(object, id, no)
    return no
  }

  #remember(object: number, id: string, no: number): void {
    if (this.#count >= MOST_KNOWN) {
      this.#known.clear()
      this.#count = 0
    }
    const known = this.#known.get(object) ?? new Map<string, number>()
    this.#known.set(object, known.set(id, no))
    this.#count += 1
  }
}
