import type { ContractSchema } from './schema.ts'
import { isAlive, VERSIONS, isBefore, valueAt, type Version } from './versions.ts'

/** Reading a body, writing an answer, or describing both in the OpenAPI document. */
export type Direction = 'input' | 'output' | 'document'

/**
 * One version's form of a schema of the newest model. Properties keep the model's names; `wireName` has the version's.
 * Objects are closed: what a version does not know is neither read nor answered.
 */
export interface VersionSchema {
  readonly name?: string
  readonly type: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'any'
  readonly format?: string
  readonly description?: string
  readonly nullable: boolean
  readonly readOnly: boolean
  readonly writeOnly: boolean
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly maxItems?: number
  readonly pattern?: string
  /** Words of the model with this version's word for each. */
  readonly words?: readonly { readonly model: string; readonly wire: string }[]
  /** Other words that are read as one of the model: those of the other versions. */
  readonly aliases?: readonly { readonly model: string; readonly wire: string }[]
  readonly properties?: readonly VersionProperty[]
  readonly items?: VersionSchema
  /** The schema of each value of a map. */
  readonly values?: VersionSchema
}

export interface VersionProperty {
  readonly name: string
  readonly wireName: string
  readonly isRequired: boolean
  readonly schema: VersionSchema
}

const TYPES = ['object', 'array', 'string', 'integer', 'number', 'boolean'] as const
const typeOf = (schema: ContractSchema): VersionSchema['type'] =>
  TYPES.find((type) => type === schema.type) ?? 'any'

/** The schema with the keywords that changed up to this version. */
const atVersion = (version: Version, schema: ContractSchema): ContractSchema => {
  const changes = VERSIONS.filter((candidate) => !isBefore(version, candidate)).map(
    (candidate) => schema.changes?.[candidate] ?? {},
  )
  return Object.assign({}, schema, ...changes) as ContractSchema
}

const belongs = (direction: Direction, schema: ContractSchema): boolean =>
  direction === 'document' || (direction === 'input' ? schema.readOnly !== true : schema.writeOnly !== true)

const propertiesOf = (
  version: Version,
  schema: ContractSchema,
  direction: Direction,
): readonly VersionProperty[] =>
  Object.entries(schema.properties ?? {})
    .map(([name, property]) => ({ name, property: atVersion(version, property) }))
    .filter(({ property }) => isAlive(version, property) && belongs(direction, property))
    .map(({ name, property }) => ({
      name,
      wireName: valueAt(version, property.names ?? {}) ?? name,
      isRequired: schema.required?.includes(name) ?? false,
      schema: schemaFor(version, property, direction),
    }))

const wordsOf = (version: Version, schema: ContractSchema): Pick<VersionSchema, 'words' | 'aliases'> => {
  if (schema.enum === undefined) return {}
  const renamed = valueAt(version, schema.values ?? {}) ?? {}
  const words = schema.enum
    .filter((model) => isAlive(version, schema.valueLifetimes?.[model] ?? {}))
    .map((model) => ({ model, wire: renamed[model] ?? model }))
  const foreign = VERSIONS.flatMap((other) => Object.entries(schema.values?.[other] ?? {}))
  const aliases = [
    ...foreign.map(([model, wire]) => ({ model, wire })),
    ...Object.keys(renamed).map((model) => ({ model, wire: model })),
  ]
  return { words, aliases }
}

const LIMITS = [
  'format',
  'description',
  'default',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'maxItems',
  'pattern',
] as const

/** Derives what one version reads, answers or documents from a schema of the newest model. */
export const schemaFor = (version: Version, given: ContractSchema, direction: Direction): VersionSchema => {
  const schema = atVersion(version, given)
  const limits = Object.fromEntries(
    LIMITS.filter((word) => schema[word] !== undefined).map((word) => [word, schema[word]]),
  )
  const map = schema.additionalProperties
  return {
    ...limits,
    ...(schema.$id === undefined ? {} : { name: schema.$id }),
    type: typeOf(schema),
    nullable: schema.nullable ?? false,
    readOnly: schema.readOnly ?? false,
    writeOnly: schema.writeOnly ?? false,
    ...wordsOf(version, schema),
    ...(schema.properties === undefined ? {} : { properties: propertiesOf(version, schema, direction) }),
    ...(schema.items === undefined ? {} : { items: schemaFor(version, schema.items, direction) }),
    ...(typeof map === 'object' ? { values: schemaFor(version, map, direction) } : {}),
  }
}
