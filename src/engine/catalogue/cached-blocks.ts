import type { Statement } from 'better-sqlite3'
import type { CacheDatabase } from './cache-file.ts'
import { RowBlock } from './row-block.ts'
import type { CatalogueRow } from './rows.ts'

/** Where a row is written: the number of a block in the cache, and the row's in the block. */
export interface RowPlace {
  readonly block: number
  readonly row: number
}

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

  row({ block, row }: RowPlace): CatalogueRow {
    return this.block(block).row(row)
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
