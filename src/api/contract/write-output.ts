import type { VersionProperty, VersionSchema } from './schema-for.ts'

/** Turns a value of the newest model into what a version answers: its fields, its spelling, its words. */
export type Writer = (value: unknown) => unknown

const ABSENT = undefined

const writeWord = (schema: VersionSchema): Writer => {
  const wireOf = new Map(schema.words?.map(({ model, wire }) => [model, wire]))
  // A client in a typed language loses the whole answer on a word that it does not know: leave the field out.
  return (value) => (typeof value === 'string' ? wireOf.get(value) : ABSENT)
}

const writeText: Writer = (value) => (value instanceof Date ? value.toISOString() : String(value))

const writeNumber: Writer = (value) => (typeof value === 'number' && Number.isFinite(value) ? value : ABSENT)

const writeArray = (schema: VersionSchema): Writer => {
  const writeItem = schema.items === undefined ? passThrough : writerFor(schema.items)
  return (value) => (Array.isArray(value) ? value.map(writeItem).filter((item) => item !== ABSENT) : ABSENT)
}

const writeMap = (values: VersionSchema): Writer => {
  const writeValue = writerFor(values)
  return (value) => {
    if (typeof value !== 'object' || value === null) return ABSENT
    const entries = Object.entries(value).map(([name, each]) => [name, writeValue(each)] as const)
    return Object.fromEntries(entries.filter(([, each]) => each !== ABSENT))
  }
}

const fieldWriter = ({ name, wireName, schema }: VersionProperty) => ({
  name,
  wireName,
  write: writerFor(schema),
})

const writeObject = (properties: readonly VersionProperty[]): Writer => {
  const fields = properties.map(fieldWriter)
  return (value) => {
    if (typeof value !== 'object' || value === null) return ABSENT
    const source = value as Readonly<Record<string, unknown>>
    const answer: Record<string, unknown> = {}
    for (const { name, wireName, write } of fields) {
      const written = write(source[name])
      if (written !== ABSENT) answer[wireName] = written
    }
    return answer
  }
}

const passThrough: Writer = (value) => value

const plainWriter = (schema: VersionSchema): Writer => {
  if (schema.words !== undefined) return writeWord(schema)
  if (schema.type === 'array') return writeArray(schema)
  if (schema.values !== undefined) return writeMap(schema.values)
  if (schema.properties !== undefined) return writeObject(schema.properties)
  if (schema.type === 'string') return writeText
  if (schema.type === 'integer' || schema.type === 'number') return writeNumber
  return passThrough
}

/** Nothing is left out rather than sent as null, but where the contract has null. */
export const writerFor = (schema: VersionSchema): Writer => {
  const write = plainWriter(schema)
  const nothing = schema.nullable ? null : ABSENT
  return (value) => (value === undefined || value === null ? nothing : (write(value) ?? nothing))
}
