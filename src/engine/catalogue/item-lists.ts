import type { CacheDatabase } from './cache-file.ts'
import { blockOf, rowOf, type CachedBlocks } from './cached-blocks.ts'
import { ListPositions } from './list-positions.ts'
import { listCondition, type ListOfItems, type ListTotals } from './list-totals.ts'
import type { CatalogueRow } from './rows.ts'
import { Statements } from './statements.ts'

export interface ItemQuery {
  readonly offset: number
  readonly limit: number
  /** Only rows whose subject, people or name contain it, whatever the case. */
  readonly search?: string
}

export interface ItemPage {
  readonly items: CatalogueRow[]
  readonly total: number
}

const MOST_SEARCHES = 20

/** Pages of the mails or files of a folder or of a whole object. */
export class ItemLists {
  readonly #statements: Statements
  readonly #blocks: CachedBlocks
  readonly #totals: ListTotals
  readonly #positions: ListPositions
  /** By list and text, where what was found is. */
  readonly #found = new Map<string, readonly number[]>()

  constructor(database: CacheDatabase, blocks: CachedBlocks, totals: ListTotals) {
    this.#statements = new Statements(database)
    this.#blocks = blocks
    this.#totals = totals
    this.#positions = new ListPositions(database)
  }

  /** Rows have changed. */
  forget(): void {
    this.#found.clear()
    this.#positions.clear()
  }

  page(list: ListOfItems, query: ItemQuery): ItemPage {
    const where = listCondition(list)
    const parameters = { ...list }
    if (query.search !== undefined) return this.#search(where, parameters, query)
    const total = this.#totals.of(list)
    const places = this.#positions.page({ where, parameters, total }, query)
    return { items: places.map((at) => this.#blocks.row(at)), total }
  }

  /** The places of what was found are kept for the next page. */
  #search(where: string, parameters: object, query: ItemQuery): ItemPage {
    const search = query.search!.toLowerCase()
    const key = JSON.stringify([parameters, search])
    const places = this.#found.get(key) ?? this.#matching(where, parameters, search)
    if (this.#found.size >= MOST_SEARCHES) this.#found.clear()
    this.#found.set(key, places)
    const page = places.slice(query.offset, query.offset + query.limit)
    return { items: page.map((at) => this.#blocks.row(at)), total: places.length }
  }

  #matching(where: string, parameters: object, search: string): number[] {
    const rows = this.#statements.of(`SELECT at FROM items WHERE ${where} ORDER BY sort, at`)
    const found: number[] = []
    for (const { at } of rows.iterate(parameters) as Iterable<{ at: number }>)
      if (this.#blocks.block(blockOf(at)).searchText(rowOf(at)).includes(search)) found.push(at)
    return found
  }
}
