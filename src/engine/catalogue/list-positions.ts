import type { CacheDatabase } from './cache-file.ts'
import { Statements } from './statements.ts'

/** A list of rows in their order, as it is at one version. */
export interface RowList {
  /** A condition on `items`. */
  readonly where: string
  readonly parameters: Readonly<Record<string, number>>
  readonly total: number
}

/** Where a row stands in the order of its list. */
interface SortKey {
  readonly sort: string | number
  readonly at: number
}

/** One in so many rows is remembered. */
const STEP = 2_000
const MOST_LISTS = 200

/**
 * Finds what stands at a place of a list without passing all before it: each step on the way is remembered, so that it is gone once.
 * The first way to a place goes from the nearest one that is known, the beginning and the end among them.
 */
export class ListPositions {
  readonly #statements: Statements
  readonly #step: number
  /** For each list the row at each multiple of the step, as far as known. */
  readonly #known = new Map<string, (SortKey | undefined)[]>()

  constructor(database: CacheDatabase, step = STEP) {
    this.#statements = new Statements(database)
    this.#step = step
  }

  /** Lists have changed. */
  clear(): void {
    this.#known.clear()
  }

  /** Where the rows of a page are in the cache's blocks. */
  page(list: RowList, window: { readonly offset: number; readonly limit: number }): number[] {
    const { offset, limit } = window
    if (offset >= list.total) return []
    const step = Math.floor(offset / this.#step)
    const start = step === 0 ? undefined : this.#at(list, step)
    const after = start === undefined ? '' : 'AND (sort, at) >= (@sort, @at)'
    const sql = `SELECT at FROM items WHERE ${list.where} ${after} ORDER BY sort, at LIMIT @limit OFFSET @skip`
    const skip = offset - step * this.#step
    const rows = this.#statements.all<{ at: number }>(sql, { ...list.parameters, ...start, limit, skip })
    return rows.map(({ at }) => at)
  }

  /** The row at that multiple of the step; undefined where there is none. */
  #at(list: RowList, step: number): SortKey | undefined {
    const known = this.#stepsOf(list)
    let [below, above] = [step, step]
    while (below > 0 && known[below] === undefined) below -= 1
    while (above < known.length && known[above] === undefined) above += 1
    if (step - below <= above - step)
      for (; below < step; below += 1) known[below + 1] = this.#next(list, known[below])
    else for (; above > step; above -= 1) known[above - 1] = this.#before(list, above, known[above])
    return known[step]
  }

  #stepsOf({ where, parameters, total }: RowList): (SortKey | undefined)[] {
    const key = JSON.stringify([where, parameters])
    const known =
      this.#known.get(key) ?? new Array<SortKey | undefined>(Math.ceil(total / this.#step)).fill(undefined)
    // The list that was used longest ago goes first.
    this.#known.delete(key)
    this.#known.set(key, known)
    if (this.#known.size > MOST_LISTS) this.#known.delete(this.#known.keys().next().value!)
    return known
  }

  /** One step further; without `from` from the beginning. */
  #next(list: RowList, from: SortKey | undefined): SortKey | undefined {
    const after = from === undefined ? '' : 'AND (sort, at) >= (@sort, @at)'
    return this.#key(list, `${after} ORDER BY sort, at`, { ...from, skip: this.#step })
  }

  /** One step back from the row at `step`; without `from` from the end. */
  #before(list: RowList, step: number, from: SortKey | undefined): SortKey | undefined {
    const before = from === undefined ? '' : 'AND (sort, at) < (@sort, @at)'
    const passed = (from === undefined ? list.total : step * this.#step) - (step - 1) * this.#step
    return this.#key(list, `${before} ORDER BY sort DESC, at DESC`, { ...from, skip: passed - 1 })
  }

  #key({ where, parameters }: RowList, order: string, further: object): SortKey | undefined {
    const sql = `SELECT sort, at FROM items WHERE ${where} ${order} LIMIT 1 OFFSET @skip`
    return this.#statements.get<SortKey>(sql, { ...parameters, ...further })
  }
}
