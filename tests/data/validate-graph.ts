import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'

const schema = JSON.parse(readFileSync(new URL('graph-schema.json', import.meta.url), 'utf8')) as { $id: string }
let ajv: Ajv2020 | undefined

const compiled = (): Ajv2020 => {
  if (ajv !== undefined) return ajv
  ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  ajv.addSchema(schema)
  return ajv
}

const typeOf = (value: unknown): string | undefined => {
  const named = (value as { '@odata.type'?: unknown } | null)?.['@odata.type']
  return typeof named === 'string' ? named.replace('#microsoft.graph.', '') : undefined
}

/** What Microsoft's metadata does not know of a value of this type (`user`, `message`): `/mail must be string`. */
export const validateGraph = (type: string, value: unknown): string[] => {
  const validate = compiled().getSchema(`${schema.$id}#/$defs/${typeOf(value) ?? type}`)
  if (validate === undefined) return [`no type ${typeOf(value) ?? type} in the schema`]
  if (validate(value) === true) return []
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  )
}
