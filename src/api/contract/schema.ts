import { Type, type Static, type TProperties, type TSchema } from 'typebox'
import type { Changing, Lifetime, Version } from './versions.ts'

/**
 * A JSON schema of the newest model with what the versions made of it. Beside JSON schema's own words:
 * - `since`, `until`: the field's lifetime.
 * - `changes`: keywords that differ from a version on.
 * - `names`: how the field is written from a version on, where that differs from the model.
 * - `values`: for enumerations, the wire's word for a word of the model, from a version on.
 * - `valueLifetimes`: for enumerations, when a value came or went.
 * - `nullable`: null is answered where there is no value; without it the field is left out.
 * - `readOnly`: never read from a body. `writeOnly`: never answered.
 * - `$id`: the name in the OpenAPI document.
 */
export interface ContractSchema extends Lifetime {
  readonly $id?: string
  readonly type?: string
  readonly format?: string
  readonly description?: string
  readonly enum?: readonly string[]
  readonly properties?: Readonly<Record<string, ContractSchema>>
  readonly required?: readonly string[]
  readonly items?: ContractSchema
  readonly additionalProperties?: ContractSchema | boolean
  readonly nullable?: boolean
  readonly readOnly?: boolean
  readonly writeOnly?: boolean
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly maxItems?: number
  readonly pattern?: string
  readonly changes?: Changing<Partial<ContractSchema>>
  readonly names?: Changing<string>
  readonly values?: Changing<Readonly<Record<string, string>>>
  readonly valueLifetimes?: Readonly<Record<string, Lifetime>>
}

export type SchemaOptions = Partial<
  Omit<ContractSchema, 'type' | 'properties' | 'items' | 'required' | 'enum'>
> & {
  readonly since?: Version
}

/** Seen as what it is for the machinery: typebox keeps every keyword as a plain property. */
export const contractOf = (schema: TSchema): ContractSchema => schema as unknown as ContractSchema

const optional = <Schema extends TSchema>(schema: Schema) => Type.Optional(schema)

/** Fields are optional unless they are wrapped in `needed`: versions differ and so do callers. */
export const text = (options: SchemaOptions = {}) => optional(Type.String({ ...options }))
export const flag = (options: SchemaOptions = {}) => optional(Type.Boolean({ ...options }))
export const integer = (options: SchemaOptions = {}) => optional(Type.Integer({ ...options }))
export const count = (options: SchemaOptions = {}) => integer({ minimum: 0, format: 'int64', ...options })
export const uuid = (options: SchemaOptions = {}) => text({ format: 'uuid', ...options })
export const secret = (options: SchemaOptions = {}) =>
  text({ format: 'password', writeOnly: true, ...options })

/** A point in time: a Date in what is answered, an ISO 8601 text in UTC in what was read. */
export const moment = (options: SchemaOptions = {}) =>
  optional(Type.Unsafe<Date | string>(Type.String({ format: 'date-time', ...options })))

/** One word of a closed list. Read in any letter case, answered exactly. */
export const oneOf = <const Values extends readonly string[]>(values: Values, options: SchemaOptions = {}) =>
  optional(Type.Unsafe<Values[number]>({ type: 'string', enum: [...values], ...options }))

export const listOf = <Item extends TSchema>(item: Item, options: SchemaOptions = {}) =>
  optional(Type.Array(item, { ...options }))

export const object = <Properties extends TProperties>(
  $id: string,
  properties: Properties,
  options: SchemaOptions = {},
) => Type.Object(properties, { $id, ...options })

/** A field that holds an object: the object's schema with the field's own lifetime and name. */
export const part = <Schema extends TSchema>(schema: Schema, options: SchemaOptions = {}) =>
  optional(Type.Unsafe<Static<Schema>>({ ...schema, ...options }))

/** Takes the optional mark off again: the field is required. */
export const needed = <Schema extends TSchema>(schema: Schema) =>
  Type.Unsafe<Exclude<Static<Schema>, undefined>>(withoutMark(schema))

const withoutMark = (schema: TSchema): TSchema => {
  const copy: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(schema)) copy[name] = value
  return copy
}
