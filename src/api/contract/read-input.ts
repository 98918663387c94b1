import { invalid } from '#base'
import { BodyObject, plainValue, type BodyNode } from '../reading/body-node.ts'
import { parseLenientJson } from '../reading/lenient-json.ts'
import { readBoolean, readMoment, readNumber, readText, readUuid, readWord } from './read-scalars.ts'
import type { VersionProperty, VersionSchema } from './schema-for.ts'

/** Reads a node at a path. Undefined: nothing was given. Throws `invalid` naming the property. */
export type Reader = (node: BodyNode | undefined, path: string) => unknown

/**
 * Reads what callers send into the newest model: names and words in any letter case, numbers and booleans as text;
 * what the version does not know, and what only the server sets, is dropped.
 */
export const readerFor = (schema: VersionSchema): Reader => {
  const read = bareReader(schema)
  return (node, path) => (node === undefined || node === null ? undefined : read(node, path))
}

type BareReader = (node: Exclude<BodyNode, null>, path: string) => unknown

const bareReader = (schema: VersionSchema): BareReader => {
  if (schema.words !== undefined) return readWord(schema)
  if (schema.type === 'object') return readObject(schema.properties ?? [])
  if (schema.type === 'array') return readArray(schema)
  if (schema.type === 'boolean') return readBoolean
  if (schema.type === 'integer' || schema.type === 'number') return readNumber(schema)
  if (schema.format === 'date-time') return readMoment
  if (schema.format === 'uuid') return readUuid
  if (schema.type === 'string') return readText(schema)
  return plainValue
}

const readArray = (schema: VersionSchema): BareReader => {
  const readItem = schema.items === undefined ? () => undefined : readerFor(schema.items)
  const maxItems = schema.maxItems ?? 10_000
  return (given, path) => {
    // A query has a list as one text with commas.
    const node = typeof given === 'string' ? given.split(',').filter((part) => part !== '') : given
    if (!isList(node)) throw invalid(`${path} must be a list`, path)
    if (node.length > maxItems) throw invalid(`${path} holds more than ${maxItems} values`, path)
    return node.map((item, index) => readItem(item, `${path}[${index}]`)).filter((item) => item !== undefined)
  }
}

const isList = (node: BodyNode): node is readonly BodyNode[] => Array.isArray(node)

const readObject = (properties: readonly VersionProperty[]): BareReader => {
  const fields = properties.map((property) => ({ ...property, read: readerFor(property.schema) }))
  const byName = new Map(fields.map((field) => [field.wireName.toLowerCase(), field]))
  return (node, path) => {
    const given = new Map<string, BodyNode>()
    for (const [name, value] of membersOf(node, path)) {
      const field = byName.get(name.toLowerCase())
      if (field === undefined) continue
      refuseTwoSecrets(field, given.get(field.name), value, path)
      given.set(field.name, merged(field, given.get(field.name), value))
    }
    const result: Record<string, unknown> = {}
    for (const field of fields) {
      const place = join(path, field.wireName)
      const value = field.read(given.get(field.name), place)
      if (value !== undefined) result[field.name] = value
      else if (field.isRequired) throw invalid(`${place} is missing`, place)
    }
    return result
  }
}

// An encoder of forms writes a nested object as its JSON text.
const membersOf = (node: BodyNode, path: string): BodyObject['members'] => {
  const read = typeof node === 'string' && node.trimStart().startsWith('{') ? parseLenientJson(node) : node
  if (read instanceof BodyObject) return read.members
  throw path === '' ? invalid('the body must be an object') : invalid(`${path} must be an object`, path)
}

/** The last one wins; a list that is given in several texts, as in a query, is their sum. */
const merged = ({ schema }: VersionProperty, before: BodyNode | undefined, now: BodyNode): BodyNode =>
  schema.type === 'array' && typeof before === 'string' && typeof now === 'string' ? `${before},${now}` : now

const refuseTwoSecrets = (
  field: VersionProperty,
  before: BodyNode | undefined,
  now: BodyNode,
  path: string,
): void => {
  if (!field.schema.writeOnly || before === undefined || before === now) return
  const place = join(path, field.wireName)
  throw invalid(`${place} is given twice with different values`, place)
}

const join = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`)
