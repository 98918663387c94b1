import type { Json, JsonObject } from '#base'

// Graph leaves out or nulls what it does not know; these read a property or give undefined.

export const textOf = (json: JsonObject | undefined, name: string): string | undefined => {
  const value = json?.[name]
  return typeof value === 'string' ? value : undefined
}

export const numberOf = (json: JsonObject | undefined, name: string): number | undefined => {
  const value = json?.[name]
  return typeof value === 'number' ? value : undefined
}

export const flagOf = (json: JsonObject | undefined, name: string): boolean => json?.[name] === true

export const dateOf = (json: JsonObject | undefined, name: string): Date | undefined => {
  const text = textOf(json, name)
  const date = text === undefined ? undefined : new Date(text)
  return date === undefined || Number.isNaN(date.getTime()) ? undefined : date
}

export const objectOf = (json: JsonObject | undefined, name: string): JsonObject | undefined => {
  const value = json?.[name]
  return isObject(value) ? value : undefined
}

export const objectsOf = (json: JsonObject | undefined, name: string): readonly JsonObject[] => {
  const value = json?.[name]
  return Array.isArray(value) ? value.filter(isObject) : []
}

export const textsOf = (json: JsonObject | undefined, name: string): readonly string[] => {
  const value = json?.[name]
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A resource without the address of its own description, which single answers carry and lists do not. */
export const resourceOf = ({ '@odata.context': _context, ...resource }: JsonObject): JsonObject => resource

/** Drops what is undefined, for types that know absent but not undefined. */
export const present = <T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }

/** A path segment. Ids of Graph hold `=`, `-` and `_`; names of people anything. */
export const segment = (text: string): string => encodeURIComponent(text)

/** A string literal of an OData filter, quotes included. */
export const literal = (text: string): string => encodeURIComponent(`'${text.replaceAll("'", "''")}'`)
