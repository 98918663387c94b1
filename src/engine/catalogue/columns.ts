import type { Json } from '#base'
import { readPlanes, widthOf, writePlanes } from './byte-planes.ts'

// One property of many rows, written in the shortest of a few ways. Format: docs/design/catalogue.md.

type Encoding = 'hex' | 'base64' | 'base64url'

/** How a column is written; what is not here is in its body. */
export type ColumnHead =
  | { readonly as: 'one'; readonly value: Json }
  | { readonly as: 'same'; readonly column: number }
  | { readonly as: 'list'; readonly values: readonly Json[] }
  | { readonly as: 'number'; readonly least: number; readonly width: number }
  | { readonly as: 'time'; readonly least: number; readonly width: number; readonly unit: 1 | 1000 }
  /** Bytes in text; those that all rows share are in `shared` with `--` for each of the others. */
  | { readonly as: 'bytes'; readonly encoding: Encoding; readonly shared: string; readonly varying: number }
  | { readonly as: 'blobs'; readonly width: number }
  | { readonly as: 'text' }
  | { readonly as: 'json' }

export interface WrittenColumn {
  readonly head: ColumnHead
  readonly body: Buffer
}

const NOTHING = Buffer.alloc(0)
const BLOB_BYTES = 32
const BLOB = /^[0-9a-f]{64}$/

/** `earlier` are the values of columns that every one of these rows has as well. */
export const writeColumn = (
  values: readonly Json[],
  earlier: readonly { readonly column: number; readonly values: readonly Json[] }[],
): WrittenColumn =>
  asOne(values) ??
  asSame(values, earlier) ??
  asBlobs(values) ??
  asNumbers(values) ??
  asTimes(values) ??
  asList(values) ??
  asBytes(values) ??
  asText(values)

const isSimple = (value: Json): boolean => typeof value !== 'object' || value === null

const asOne = (values: readonly Json[]): WrittenColumn | undefined => {
  const [value] = values as [Json]
  if (isSimple(value)) {
    if (values.some((other) => other !== value)) return undefined
  } else {
    const text = JSON.stringify(value)
    if (values.some((other) => JSON.stringify(other) !== text)) return undefined
  }
  return { head: { as: 'one', value }, body: NOTHING }
}

const asSame = (
  values: readonly Json[],
  earlier: readonly { readonly column: number; readonly values: readonly Json[] }[],
): WrittenColumn | undefined => {
  if (!isSimple(values[0]!)) return undefined
  const same = earlier.find((other) => values.every((value, row) => other.values[row] === value))
  return same && { head: { as: 'same', column: same.column }, body: NOTHING }
}

const asBlobs = (values: readonly Json[]): WrittenColumn | undefined => {
  let most = 0
  let blobs = 0
  for (const value of values) {
    if (!Array.isArray(value)) return undefined
    if (!value.every((id) => typeof id === 'string' && BLOB.test(id))) return undefined
    most = Math.max(most, value.length)
    blobs += value.length
  }
  if (blobs === 0) return undefined
  const width = widthOf(most)
  const lists = values as readonly (readonly string[])[]
  const counts = writePlanes(
    lists.map(({ length }) => length),
    width,
  )
  return {
    head: { as: 'blobs', width },
    body: Buffer.concat([counts, Buffer.from(lists.flat().join(''), 'hex')]),
  }
}

const asNumbers = (values: readonly Json[]): WrittenColumn | undefined => {
  if (!values.every((value) => Number.isSafeInteger(value) && !Object.is(value, -0))) return undefined
  return planesOf(values as readonly number[], (least, width) => ({ as: 'number', least, width }))
}

const planesOf = (
  values: readonly number[],
  head: (least: number, width: number) => ColumnHead,
): WrittenColumn | undefined => {
  let [least, most] = [Infinity, -Infinity]
  for (const value of values) {
    if (value < least) least = value
    if (value > most) most = value
  }
  if (!Number.isSafeInteger(most - least)) return undefined
  const width = widthOf(most - least)
  const above = values.map((value) => value - least)
  return { head: head(least, width), body: writePlanes(above, width) }
}

const asTimes = (values: readonly Json[]): WrittenColumn | undefined => {
  const unit = typeof values[0] === 'string' && values[0].length === 20 ? 1000 : 1
  const times: number[] = []
  for (const value of values) {
    if (typeof value !== 'string' || value.length !== (unit === 1 ? 24 : 20)) return undefined
    const ms = Date.parse(value)
    if (Number.isNaN(ms) || timeText(ms, unit) !== value) return undefined
    times.push(ms)
  }
  // Whole seconds need fewer bytes.
  const isWhole = unit === 1000 || times.every((ms) => ms % 1000 === 0)
  const scaled = isWhole ? times.map((ms) => ms / 1000) : times
  const scale = isWhole ? 1000 : 1
  return planesOf(scaled, (least, width) => ({
    as: 'time',
    least: least * scale,
    width: isWhole ? -width : width,
    unit,
  }))
}

/** `2026-01-02T03:04:05.000Z`, or without the part of a second. */
const timeText = (ms: number, unit: 1 | 1000): string => {
  const iso = new Date(ms).toISOString()
  return unit === 1 ? iso : `${iso.slice(0, 19)}Z`
}

const asList = (values: readonly Json[]): WrittenColumn | undefined => {
  const numbers = new Map<string, number>()
  const distinct: Json[] = []
  const most = values.length * 0.7
  const indexes: number[] = []
  for (const value of values) {
    const key = typeof value === 'string' ? value : JSON.stringify([value])
    let index = numbers.get(key)
    if (index === undefined) {
      index = distinct.length
      if (index >= most) return undefined
      numbers.set(key, index)
      distinct.push(value)
    }
    indexes.push(index)
  }
  return {
    head: { as: 'list', values: distinct },
    body: writePlanes(indexes, widthOf(distinct.length - 1)),
  }
}

const ENCODINGS: readonly Encoding[] = ['hex', 'base64url', 'base64']

const asBytes = (values: readonly Json[]): WrittenColumn | undefined => {
  const [first] = values
  if (typeof first !== 'string' || first.length < 8) return undefined
  if (!values.every((value) => typeof value === 'string' && value.length === first.length)) return undefined
  for (const encoding of ENCODINGS) {
    const rows = decoded(values as readonly string[], encoding)
    if (rows !== undefined) return bytePlanes(rows, encoding)
  }
  return undefined
}

const decoded = (values: readonly string[], encoding: Encoding): Buffer[] | undefined => {
  const rows: Buffer[] = []
  for (const value of values) {
    const bytes = Buffer.from(value, encoding)
    if (bytes.toString(encoding) !== value || bytes.length !== (rows[0] ?? bytes).length) return undefined
    rows.push(bytes)
  }
  return rows
}

const bytePlanes = (rows: readonly Buffer[], encoding: Encoding): WrittenColumn => {
  const [first] = rows as [Buffer]
  const planes: Buffer[] = []
  let shared = ''
  for (let at = 0; at < first.length; at += 1) {
    const byte = first[at]!
    if (rows.every((row) => row[at] === byte)) {
      shared += byte.toString(16).padStart(2, '0')
      continue
    }
    shared += '--'
    planes.push(Buffer.from(rows.map((row) => row[at]!)))
  }
  return {
    head: { as: 'bytes', encoding, shared, varying: planes.length },
    body: Buffer.concat(planes),
  }
}

/** The lengths first, four bytes each in planes, then the text of all rows. */
const asText = (values: readonly Json[]): WrittenColumn => {
  const isText = values.every((value) => typeof value === 'string')
  const texts = values.map((value) => Buffer.from(isText ? (value as string) : JSON.stringify(value)))
  const lengths = writePlanes(
    texts.map(({ length }) => length),
    4,
  )
  return { head: { as: isText ? 'text' : 'json' }, body: Buffer.concat([lengths, ...texts]) }
}

/** Reads single rows of a written column. */
export interface Column {
  get(row: number): Json
  /** Milliseconds; undefined where it is not a column of times. */
  ms?(row: number): number
}

export const readColumn = (
  head: ColumnHead,
  body: Buffer,
  count: number,
  columns: readonly Column[],
): Column => {
  switch (head.as) {
    case 'one':
      return { get: () => head.value }
    case 'same':
      return columns[head.column]!
    case 'list': {
      const planes = { start: 0, count, width: widthOf(head.values.length - 1) }
      return { get: (row) => head.values[readPlanes(body, planes, row)]! }
    }
    case 'number': {
      const planes = { start: 0, count, width: head.width }
      return { get: (row) => head.least + readPlanes(body, planes, row) }
    }
    case 'time':
      return timeColumn(head, body, count)
    case 'bytes':
      return bytesColumn(head, body, count)
    case 'blobs':
      return blobsColumn(body, count, head.width)
    case 'text':
      return textColumn(body, count, (text) => text)
    case 'json':
      return textColumn(body, count, (text) => JSON.parse(text) as Json)
  }
}

const timeColumn = (head: ColumnHead & { as: 'time' }, body: Buffer, count: number): Column => {
  const planes = { start: 0, count, width: Math.abs(head.width) }
  const scale = head.width < 0 ? 1000 : 1
  const ms = (row: number): number => head.least + readPlanes(body, planes, row) * scale
  return { ms, get: (row) => timeText(ms(row), head.unit) }
}

const bytesColumn = (head: ColumnHead & { as: 'bytes' }, body: Buffer, count: number): Column => {
  const { encoding, shared } = head
  const bytes = Buffer.alloc(shared.length / 2)
  const varying: number[] = []
  for (let at = 0; at < bytes.length; at += 1) {
    const text = shared.slice(at * 2, at * 2 + 2)
    if (text === '--') varying.push(at)
    else bytes[at] = Number.parseInt(text, 16)
  }
  return {
    get: (row) => {
      for (let plane = 0; plane < varying.length; plane += 1)
        bytes[varying[plane]!] = body[plane * count + row]!
      return bytes.toString(encoding)
    },
  }
}

/** Where each row's part begins, and after the last where it ends. */
const startsOf = (lengths: (row: number) => number, count: number, first: number): Uint32Array => {
  const starts = new Uint32Array(count + 1)
  starts[0] = first
  for (let row = 0; row < count; row += 1) starts[row + 1] = starts[row]! + lengths(row)
  return starts
}

const blobsColumn = (body: Buffer, count: number, width: number): Column => {
  const planes = { start: 0, count, width }
  let starts: Uint32Array | undefined
  return {
    get: (row) => {
      starts ??= startsOf((each) => readPlanes(body, planes, each) * BLOB_BYTES, count, count * width)
      const ids: string[] = []
      for (let at = starts[row]!; at < starts[row + 1]!; at += BLOB_BYTES)
        ids.push(body.toString('hex', at, at + BLOB_BYTES))
      return ids
    },
  }
}

const textColumn = (body: Buffer, count: number, parse: (text: string) => Json): Column => {
  const planes = { start: 0, count, width: 4 }
  let starts: Uint32Array | undefined
  return {
    get: (row) => {
      starts ??= startsOf((each) => readPlanes(body, planes, each), count, count * 4)
      return parse(body.toString('utf8', starts[row]!, starts[row + 1]!))
    },
  }
}
