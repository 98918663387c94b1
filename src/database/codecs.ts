// Columns hold text and numbers alone, so that SQLite and PostgreSQL store and compare them alike: booleans as 0 and
// 1, dates as ISO 8601 text of fixed width (which sorts as time does), JSON as text.

/** How one column's value is stored. */
export interface Codec<Value, Stored> {
  encode(value: Value): Stored
  decode(stored: Stored): Value
}

const same = <Value>(): Codec<Value, Value> => ({ encode: (value) => value, decode: (value) => value })

export const text = same<string>()
/** Text out of a fixed list; the row trusts what it wrote. */
export const word = <Word extends string>(): Codec<Word, string> => ({
  encode: (value) => value,
  decode: (stored) => stored as Word,
})
/** Whole numbers up to 2^53. PostgreSQL's driver hands out wide ones as text. */
export const count: Codec<number, number> = { encode: (value) => value, decode: (stored) => Number(stored) }
export const boolean: Codec<boolean, number> = {
  encode: (value) => (value ? 1 : 0),
  decode: (stored) => stored !== 0,
}
export const date: Codec<Date, string> = {
  encode: (value) => value.toISOString(),
  decode: (stored) => new Date(stored),
}
export const json = <Value>(): Codec<Value, string> => ({
  encode: (value) => JSON.stringify(value),
  decode: (stored) => JSON.parse(stored) as Value,
})
/** Undefined is stored as NULL. */
export const optional = <Value, Stored>(
  codec: Codec<Value, Stored>,
): Codec<Value | undefined, Stored | null> => ({
  encode: (value) => (value === undefined ? null : codec.encode(value)),
  decode: (stored) => (stored === null ? undefined : codec.decode(stored)),
})

interface Column {
  encode(value: never): unknown
  decode(stored: never): unknown
}
type Columns = Readonly<Record<string, Column>>
type ValueOf<C> = C extends { decode(stored: never): infer Value } ? Value : never
type StoredOf<C> = C extends { encode(value: never): infer Stored } ? Stored : never

/** A table's row as it is stored. */
export type StoredRow<Table> = Table extends { columns: infer C }
  ? { [Name in keyof C]: StoredOf<C[Name]> }
  : never

/** A table's row as the engine sees it: NULL columns are absent. */
export type RowOf<Table> = Table extends { columns: infer C }
  ? {
      readonly [Name in keyof C as undefined extends ValueOf<C[Name]> ? never : Name]: ValueOf<C[Name]>
    } & {
      readonly [Name in keyof C as undefined extends ValueOf<C[Name]> ? Name : never]?: Exclude<
        ValueOf<C[Name]>,
        undefined
      >
    }
  : never

/** Changes to a row: a name that is given as undefined is set to NULL. */
export type ChangesOf<Table> = { readonly [Name in keyof RowOf<Table>]?: RowOf<Table>[Name] | undefined }

type LooseCodec = Codec<unknown, unknown>

/** A table's columns, each with its codec: what rows are encoded and decoded by. */
export const table = <const C extends Columns>(columns: C) => {
  const codecs = columns as unknown as Record<string, LooseCodec>
  type Table = { columns: C }
  return {
    columns,
    encode: (row: RowOf<Table>): StoredRow<Table> =>
      Object.fromEntries(
        Object.entries(codecs).map(([name, codec]) => [
          name,
          codec.encode((row as Record<string, unknown>)[name]),
        ]),
      ) as StoredRow<Table>,
    encodeChanges: (changes: ChangesOf<Table>): Partial<StoredRow<Table>> =>
      Object.fromEntries(
        Object.entries(changes).map(([name, value]) => [name, codecs[name]!.encode(value)]),
      ) as Partial<StoredRow<Table>>,
    decode: (stored: StoredRow<Table>): RowOf<Table> =>
      Object.fromEntries(
        Object.entries(codecs)
          .map(([name, codec]) => [name, codec.decode((stored as Record<string, unknown>)[name])] as const)
          .filter(([, value]) => value !== undefined),
      ) as RowOf<Table>,
  }
}
