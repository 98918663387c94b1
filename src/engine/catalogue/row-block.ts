import type { Json, JsonObject } from '#base'
import { readPlanes, widthOf, writePlanes } from './byte-planes.ts'
import { readColumn, writeColumn, type Column, type ColumnHead } from './columns.ts'
import { packRow, unpackRow } from './row-packing.ts'
import { mailPathSecond, mailSearchText, searchText, type CatalogueRow, type MailRow } from './rows.ts'
import type { Change } from './change.ts'

// Some hundreds of changes in one piece, written property by property. Format: docs/design/catalogue.md.

/** Changes that go into one block. */
export const BLOCK_ROWS = 1024

const DELETED = '~del'
const LEFT = '~leave'
const LEFT_FROM = '~from'

interface BlockHead {
  readonly rows: number
  /** Where the property is in the row, which rows have it in order of their numbers, how it is written, and how long. */
  readonly columns: readonly (readonly [path: readonly string[], head: ColumnHead, bytes: number])[]
  /** The columns of a row, in the order of its properties. */
  readonly shapes: readonly (readonly number[])[]
}

interface OpenColumn {
  readonly path: readonly string[]
  readonly values: Json[]
  /** Numbers of the rows that have it. */
  readonly rows: number[]
}

/** At least one change and at most BLOCK_ROWS. */
export const encodeBlock = (changes: readonly Change[]): Buffer => {
  const columns = new Map<string, { readonly number: number; readonly column: OpenColumn }>()
  const shapes = new Map<string, number>()
  const shapeOfRow: number[] = []
  for (const [row, change] of changes.entries()) {
    const shape: number[] = []
    const take = (path: readonly string[], value: Json): void => {
      const key = path.join('\u0000')
      let known = columns.get(key)
      if (known === undefined) {
        known = { number: columns.size, column: { path, values: [], rows: [] } }
        columns.set(key, known)
      }
      known.column.values.push(value)
      known.column.rows.push(row)
      shape.push(known.number)
    }
    leaves(packed(change), [], take)
    const key = shape.join(',')
    if (!shapes.has(key)) shapes.set(key, shapes.size)
    shapeOfRow.push(shapes.get(key)!)
  }
  const bodies = [writePlanes(shapeOfRow, widthOf(shapes.size - 1))]
  const written = writeColumns(
    [...columns.values()].map(({ column }) => column),
    bodies,
  )
  const head: BlockHead = {
    rows: changes.length,
    columns: written,
    shapes: [...shapes.keys()].map((key) => key.split(',').map(Number)),
  }
  const json = Buffer.from(JSON.stringify(head))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(json.length)
  return Buffer.concat([length, json, ...bodies])
}

const writeColumns = (columns: readonly OpenColumn[], bodies: Buffer[]): BlockHead['columns'][number][] => {
  const bySet = new Map<string, { column: number; values: readonly Json[] }[]>()
  return columns.map(({ path, values, rows }, column) => {
    // Columns of the very same rows may be equal.
    const key = rows.length === rows.at(-1)! - rows[0]! + 1 ? `${rows[0]} ${rows.length}` : rows.join(',')
    const earlier = bySet.get(key) ?? []
    const { head, body } = writeColumn(values, earlier)
    if (head.as !== 'one' && head.as !== 'same') bySet.set(key, [...earlier, { column, values }])
    bodies.push(body)
    return [path, head, body.length] as const
  })
}

const packed = (change: Change): JsonObject => {
  if ('put' in change) return packRow(change.put)
  if ('del' in change) return { [DELETED]: change.del }
  return { [LEFT]: change.leave, [LEFT_FROM]: change.from }
}

const leaves = (
  value: JsonObject,
  path: readonly string[],
  take: (path: readonly string[], value: Json) => void,
): void => {
  for (const [name, inner] of Object.entries(value)) {
    const below = [...path, name]
    if (isFolded(inner, path)) leaves(inner, below, take)
    else if (inner !== undefined) take(below, inner)
  }
}

/** People are worth keeping in one piece: name and address belong together. */
const isFolded = (value: Json | undefined, path: readonly string[]): value is JsonObject => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const inner = Object.values(value)
  if (inner.length === 0) return false
  return path.length > 0 || !('address' in value)
}

/** A written block. Rows are read one by one; nothing is kept of them. */
export class RowBlock {
  readonly count: number
  readonly #shapes: readonly (readonly number[])[]
  readonly #paths: readonly (readonly string[])[]
  readonly #columns: readonly Column[]
  readonly #bytes: Buffer
  readonly #shapePlanes: { readonly start: number; readonly count: number; readonly width: number }
  readonly #names = new Map<string, number>()
  /** For columns that not all rows have: the row's number within the column. */
  readonly #ranks = new Map<number, Int32Array>()

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const start = 4 + this.#bytes.readUInt32LE(0)
    const head = JSON.parse(this.#bytes.toString('utf8', 4, start)) as BlockHead
    this.count = head.rows
    this.#shapes = head.shapes
    this.#paths = head.columns.map(([path]) => path)
    const width = widthOf(head.shapes.length - 1)
    this.#shapePlanes = { start, count: head.rows, width }
    const sizes = this.#sizes(head)
    const columns: Column[] = []
    let at = start + head.rows * width
    for (const [index, [path, column, length]] of head.columns.entries()) {
      columns.push(readColumn(column, this.#bytes.subarray(at, at + length), sizes[index]!, columns))
      if (path.length === 1) this.#names.set(path[0]!, index)
      at += length
    }
    if (at !== this.#bytes.length) throw new RangeError('the block is cut')
    this.#columns = columns
  }

  /** How many rows have each column; ranks where not all have it. */
  #sizes({ rows, columns, shapes }: BlockHead): number[] {
    const inShape = columns.map((_, column) => shapes.map((shape) => shape.includes(column)))
    return inShape.map((has, column) => {
      if (has.every(Boolean)) return rows
      const ranks = new Int32Array(rows)
      let size = 0
      for (let row = 0; row < rows; row += 1) ranks[row] = has[this.#shapeOf(row)]! ? size++ : -1
      this.#ranks.set(column, ranks)
      return size
    })
  }

  #shapeOf(row: number): number {
    return readPlanes(this.#bytes, this.#shapePlanes, row)
  }

  change(row: number): Change {
    const object: JsonObject = {}
    for (const column of this.#shapes[this.#shapeOf(row)]!) {
      const value = this.#columns[column]!.get(this.#rank(column, row))
      put(object, this.#paths[column]!, value)
    }
    if (DELETED in object) return { del: object[DELETED] as string }
    if (LEFT in object) return { leave: object[LEFT] as string, from: object[LEFT_FROM] as string }
    return { put: unpackRow(object) }
  }

  /** The row that is put; throws for another change. */
  row(row: number): CatalogueRow {
    const change = this.change(row)
    if (!('put' in change)) throw new RangeError('the block has no such row')
    return change.put
  }

  /** Undefined where the row has no such property at its top. */
  value(row: number, name: string): Json | undefined {
    const column = this.#names.get(name)
    if (column === undefined) return undefined
    const rank = this.#rank(column, row)
    return rank < 0 ? undefined : this.#columns[column]!.get(rank)
  }

  /** A time in milliseconds; undefined where there is none. */
  timeMs(row: number, name: string): number | undefined {
    const column = this.#names.get(name)
    if (column === undefined) return undefined
    const rank = this.#rank(column, row)
    if (rank < 0) return undefined
    const read = this.#columns[column]!
    return read.ms === undefined ? Date.parse(read.get(rank) as string) : read.ms(rank)
  }

  /** Of many rows: quicker than asking for one property after the other. */
  reader(name: string): (row: number) => Json | undefined {
    const number = this.#names.get(name)
    if (number === undefined) return () => undefined
    const column = this.#columns[number]!
    const ranks = this.#ranks.get(number)
    if (ranks === undefined) return (row) => column.get(row)
    return (row) => (ranks[row]! < 0 ? undefined : column.get(ranks[row]!))
  }

  #rank(column: number, row: number): number {
    return this.#ranks.get(column)?.[row] ?? row
  }

  get changes(): Change[] {
    return Array.from({ length: this.count }, (_, row) => this.change(row))
  }

  /** What a change does and to whom, without reading all of it. */
  kindOf(row: number): { readonly kind: 'put' | 'del' | 'leave'; readonly id: string } {
    const id = this.value(row, 'id')
    if (typeof id === 'string') return { kind: 'put', id }
    const deleted = this.value(row, DELETED)
    if (typeof deleted === 'string') return { kind: 'del', id: deleted }
    const left = this.value(row, LEFT)
    if (typeof left === 'string') return { kind: 'leave', id: left }
    return { kind: 'put', id: this.row(row).id }
  }

  /** As of the row, but what a search does not look at is not read. */
  searchText(row: number): string {
    const from = this.value(row, 'from')
    const to = this.value(row, 'to')
    if (this.value(row, 'subject') === undefined || to === undefined) return searchText(this.row(row))
    const mail = { subject: this.value(row, 'subject'), from, to } as Pick<MailRow, 'subject' | 'from' | 'to'>
    return mailSearchText(mail)
  }

  /** The second that the usual path of a mail begins with; undefined where the path is another one, or the row no mail. */
  usualSecond(row: number): number | undefined {
    const ms = this.usualTimes()(row)
    return ms === undefined ? undefined : mailPathSecond(ms)
  }

  /** When a mail with the usual path came, in milliseconds; undefined where the path is another one, or the row no mail. */
  usualTimes(): (row: number) => number | undefined {
    const [path, folder] = [this.reader('path'), this.reader('folderId')]
    return (row) => {
      if (path(row) !== undefined || folder(row) === undefined) return undefined
      return this.timeMs(row, 'receivedAt') ?? this.timeMs(row, 'sentAt')
    }
  }
}

const put = (object: JsonObject, path: readonly string[], value: Json): void => {
  let at = object as Record<string, Json>
  for (let depth = 0; depth < path.length - 1; depth += 1) {
    const name = path[depth]!
    at[name] ??= {}
    at = at[name] as Record<string, Json>
  }
  at[path.at(-1)!] = value
}
