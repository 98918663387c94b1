// Writes src/client/generated/api.ts out of the OpenAPI document of the newest version.
import { mkdirSync, writeFileSync } from 'node:fs'
import { NEWEST, openApiFor, operationsOf, type ApiParts } from '../src/api/index.ts'

export const GENERATED = 'src/client/generated/api.ts'

interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly format?: string
  readonly description?: string
  readonly enum?: readonly string[]
  readonly nullable?: boolean
  readonly readOnly?: boolean
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly additionalProperties?: Schema
}
interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>
}
interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly parameters?: readonly { name: string; in: string; required?: boolean; schema: Schema }[]
  readonly requestBody?: Content
  readonly responses: Readonly<Record<string, Content>>
  readonly security?: readonly object[]
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

const plainTypes = new Map([
  ['string', 'string'],
  ['integer', 'number'],
  ['number', 'number'],
  ['boolean', 'boolean'],
])

const quoted = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : `'${name}'`)

const bare = (schema: Schema): string => {
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1) ?? 'unknown'
  if (schema.enum !== undefined) return schema.enum.map((word) => `'${word}'`).join(' | ')
  if (schema.items !== undefined) return `readonly (${typeOf(schema.items)})[]`
  if (schema.additionalProperties !== undefined)
    return `Readonly<Record<string, ${typeOf(schema.additionalProperties)}>>`
  if (schema.properties !== undefined) return `{ ${fieldsOf(schema, ' ')} }`
  return plainTypes.get(schema.type ?? '') ?? 'unknown'
}

const typeOf = (schema: Schema): string => `${bare(schema)}${schema.nullable === true ? ' | null' : ''}`

const fieldsOf = (schema: Schema, separator: string): string =>
  Object.entries(schema.properties ?? {})
    .map(([name, field]) => {
      const mark = schema.required?.includes(name) === true ? '' : '?'
      return `readonly ${quoted(name)}${mark}: ${typeOf(field)}${mark === '' ? '' : ' | undefined'}`
    })
    .join(separator === ' ' ? '; ' : separator)

const interfaceOf = ([name, schema]: readonly [string, Schema]): string =>
  `export interface ${name} {\n  ${fieldsOf(schema, '\n  ')}\n}`

const jsonOf = ({ content }: Content = {}): Schema | undefined => content?.['application/json']?.schema

const success = ({ responses }: Operation): Content =>
  Object.entries(responses).find(([status]) => status.startsWith('2'))?.[1] ?? {}

const methodOf = (path: string, method: string, operation: Operation): string => {
  const parameters = operation.parameters ?? []
  const inPath = parameters.filter((each) => each.in === 'path').map(({ name }) => name)
  const query = parameters.filter((each) => each.in === 'query')
  const body = jsonOf(operation.requestBody)
  const isDownload = 'application/octet-stream' in (success(operation).content ?? {})
  const answer = jsonOf(success(operation))
  const queryType = query
    .map(
      ({ name, required, schema }) =>
        `${quoted(name)}${required === true ? '' : '?'}: ${typeOf(schema)} | undefined`,
    )
    .join('; ')
  const given = [
    ...inPath.map((name) => `${name}: string`),
    ...(body === undefined || method === 'get' ? [] : [`body: ${typeOf(body)}`]),
    ...(query.length === 0
      ? []
      : [`query: { ${queryType} } = {}`.replace(/ = \{\}$/, query.some((q) => q.required) ? '' : ' = {}')]),
  ].join(', ')
  const template = `\`${path.replace(/^\/v\d+/, '').replace(/\{(\w+)\}/g, '${encodeURIComponent($1)}')}\``
  const address = query.length === 0 ? template : `withQuery(${template}, query)`
  const sent = method === 'get' || method === 'delete' ? '' : `, ${body === undefined ? '{}' : 'body'}`
  const type = answer === undefined ? 'void' : typeOf(answer)
  const call = isDownload
    ? `calls.download(${address}${sent})`
    : method === 'delete'
      ? `calls.delete(${address})`
      : `calls.${method}<${type}>(${address}${sent})`
  return `  /** ${operation.summary}. */\n  ${operation.operationId}: (${given}) => ${call},`
}

/** The source of the client. */
export const clientSource = (): string => {
  const operations = operationsOf({ engine: {}, service: {} } as unknown as ApiParts)
  const document = openApiFor(NEWEST, operations) as unknown as Document
  const methods = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([, { security }]) => security === undefined)
      .map(([method, operation]) => methodOf(path, method, operation)),
  )
  return `// Made by scripts/generate-client.ts out of the OpenAPI document of ${NEWEST}. Do not edit.
import type { Connection } from '../connect.ts'

${Object.entries(document.components.schemas).map(interfaceOf).join('\n\n')}

type Query = Readonly<Record<string, string | number | boolean | readonly string[] | null | undefined>>

const withQuery = (path: string, query: Query): string => {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null)
  const pairs = given.map(([name, value]): [string, string] => [name, String(value)])
  const text = new URLSearchParams(pairs).toString()
  return text === '' ? path : \`\${path}?\${text}\`
}

/** Every operation of ${NEWEST}, typed, over a connection. */
export const apiOf = (calls: Pick<Connection, 'get' | 'post' | 'put' | 'delete' | 'download'>) => ({
${methods.join('\n')}
})

export type Api = ReturnType<typeof apiOf>
`
}

if (import.meta.main) {
  mkdirSync('src/client/generated', { recursive: true })
  writeFileSync(GENERATED, clientSource())
}
