const BLOCK_BITS = 6
const BLOCK = 1 << BLOCK_BITS
const TREE = 0x80000000
const PACK = 0x7fffffff
const FIRST = 256

/** A range of rows, without its end. */
export type Rows = readonly [from: number, to: number]

export interface RunRow {
  readonly row: number
  readonly pack: number
  readonly isTree: boolean
  readonly offset: number
  readonly length: number
}

/** Rows of one pack in its order, as they lie in columns. */
export interface RunColumns {
  /** What the first of them is here. */
  readonly row: number
  readonly pack: number
  readonly offsets: Uint32Array
  readonly lengths: Uint32Array
  readonly trees: Uint8Array
  readonly start: number
  readonly end: number
}

/** Numbers that are added to, in one array. */
class Growing {
  values = new Uint32Array(FIRST)
  length = 0

  push(value: number): void {
    if (this.length === this.values.length) {
      const larger = new Uint32Array(this.length * 2)
      larger.set(this.values)
      this.values = larger
    }
    this.values[this.length] = value
    this.length += 1
  }
}

/**
 * Which pack rows belong to, and where they begin in it. Neighbours in a pack are neighbours here, so it is told once a run;
 * a run ends with its block of 64 rows, so that it is found at once. Half a byte a row.
 */
export class PackRuns {
  readonly #starts = new Growing()
  /** The pack, and the type in the highest bit. */
  readonly #packs = new Growing()
  readonly #offsets = new Growing()
  /** The first run of each block. */
  readonly #blocks = new Growing()
  /** Where a run that goes on would go on. */
  #end = 0
  /** The first rows of packs, in their order, and where those end. */
  readonly #firsts = new Growing()
  readonly #lasts = new Growing()
  /** Further rows of packs that were taken in several times, each time otherwise. */
  readonly #more = new Map<number, Rows[]>()

  /** Rows come in their order. */
  add({ row, pack, isTree, offset, length }: RunRow): void {
    const told = isTree ? (pack | TREE) >>> 0 : pack
    const last = this.#starts.length - 1
    const isBlock = row % BLOCK === 0
    if (isBlock) this.#blocks.push(last + 1)
    if (isBlock || this.#packs.values[last] !== told || this.#end !== offset) {
      this.#starts.push(row)
      this.#packs.push(told)
      this.#offsets.push(offset)
    }
    this.#end = offset + length
  }

  addAll({ row, pack, offsets, lengths, trees, start, end }: RunColumns): void {
    for (let at = start; at < end; at += 1) {
      const offset = offsets[at]!
      const isTree = trees[at] === 1
      const next = row + at - start
      // Most rows go on with their run.
      const isNew =
        next % BLOCK === 0 || at === start || offset !== this.#end || isTree !== (trees[at - 1] === 1)
      if (isNew) this.add({ row: next, pack, isTree, offset, length: lengths[at]! })
      else this.#end = offset + lengths[at]!
    }
  }

  /** All rows of a pack have come. */
  endPack(pack: number, from: number, to: number): void {
    if (from === to) return
    while (this.#firsts.length <= pack) {
      this.#firsts.push(0)
      this.#lasts.push(0)
    }
    if (this.#lasts.values[pack] === 0) {
      this.#firsts.values[pack] = from
      this.#lasts.values[pack] = to
      return
    }
    const more = this.#more.get(pack)
    if (more === undefined) this.#more.set(pack, [[from, to]])
    else more.push([from, to])
  }

  rowsOf(pack: number): readonly Rows[] {
    if (pack >= this.#lasts.length || this.#lasts.values[pack] === 0) return []
    return [[this.#firsts.values[pack]!, this.#lasts.values[pack]!], ...(this.#more.get(pack) ?? [])]
  }

  #runOf(row: number): number {
    const starts = this.#starts.values
    let run = this.#blocks.values[row >>> BLOCK_BITS]!
    while (run + 1 < this.#starts.length && starts[run + 1]! <= row) run += 1
    return run
  }

  /** The run of a row: its pack, its first row and where that lies in the pack. */
  at(row: number): { readonly pack: number; readonly start: number; readonly offset: number } {
    const run = this.#runOf(row)
    return {
      pack: this.#packs.values[run]! & PACK,
      start: this.#starts.values[run]!,
      offset: this.#offsets.values[run]!,
    }
  }

  packAt(row: number): number {
    return this.#packs.values[this.#runOf(row)]! & PACK
  }

  isTree(row: number): boolean {
    return this.#packs.values[this.#runOf(row)]! >>> 31 === 1
  }

  get memoryBytes(): number {
    const all = [this.#starts, this.#packs, this.#offsets, this.#blocks, this.#firsts, this.#lasts]
    return all.reduce((sum, { values }) => sum + values.length * 4, 0)
  }
}
