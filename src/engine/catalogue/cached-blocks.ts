import type { Statement } from 'better-sqlite3'
import type { CacheDatabase } from './cache-file.ts'
import { BLOCK_ROWS, RowBlock } from './row-block.ts'
import type { CatalogueRow } from './rows.ts'

// Where a row is written is one number: that of its block in the cache, and below it the row's in the block.

export const placeIn = (block: number, row: number): number => block * BLOCK_ROWS + row
export const blockOf = (at: number): number => Math.floor(at / BLOCK_ROWS)
export const rowOf = (at: number): number => at % BLOCK_ROWS

const BLOCKS_OPEN = 48

/** The blocks of all objects of a cache. A few stay open. */
export class CachedBlocks {
  readonly #insert: Statement
  readonly #select: Statement
  readonly #open = new Map<number, RowBlock>()

  constructor(database: CacheDatabase) {
    this.#insert = database.prepare('INSERT INTO blocks (object, bytes) VALUES (?, ?)')
    this.#select = database.prepare('SELECT bytes FROM blocks WHERE no = ?').pluck()
  }

  add(object: number, bytes: Uint8Array): number {
    return Number(this.#insert.run(object, bytes).lastInsertRowid)
  }

  row(at: number): CatalogueRow {
    return this.block(blockOf(at)).row(rowOf(at))
  }

  block(no: number): RowBlock {
    const open = this.#open.get(no) ?? new RowBlock(this.#select.get(no) as Buffer)
    // The one that was used longest ago goes first.
    this.#open.delete(no)
    this.#open.set(no, open)
    if (this.#open.size > BLOCKS_OPEN) this.#open.delete(this.#open.keys().next().value!)
    return open
  }
}
