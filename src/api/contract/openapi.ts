import { ErrorBody } from '../edge/errors.ts'
import type { Operation } from './operation.ts'
import { PageQuery, pageSchema } from './pages.ts'
import { contractOf } from './schema.ts'
import { schemaFor, type VersionProperty, type VersionSchema } from './schema-for.ts'
import { isAlive, isBefore, valueAt, type Version } from './versions.ts'

type Json = Readonly<Record<string, unknown>>

/** The OpenAPI document of one version: exactly the operations that are served. */
export const openApiFor = (version: Version, operations: readonly Operation[]): Json =>
  new Describer(version).document(operations.filter((operation) => isAlive(version, operation)))

class Describer {
  readonly #version: Version
  readonly #components = new Map<string, Json>()

  constructor(version: Version) {
    this.#version = version
  }

  document(operations: readonly Operation[]): Json {
    const paths: Record<string, Record<string, Json>> = {}
    for (const operation of operations) {
      const path = `/${this.#version}${operation.path}`
      paths[path] = { ...paths[path], [operation.method.toLowerCase()]: this.#operation(operation) }
    }
    return {
      openapi: '3.0.3',
      info: {
        title: 'Holdfast',
        version: this.#version,
        description: 'Backup of Microsoft 365 organizations. Other versions are served beside this one.',
      },
      servers: [{ url: '/' }],
      security: [{ Bearer: [] }],
      paths,
      components: {
        schemas: Object.fromEntries([...this.#components].sort(([a], [b]) => (a < b ? -1 : 1))),
        securitySchemes: { Bearer: { type: 'http', scheme: 'bearer' } },
      },
    }
  }

  #operation(operation: Operation): Json {
    const parameters = [...pathParameters(operation.path), ...this.#query(operation)]
    const body = this.#body(operation)
    return {
      tags: [operation.tag],
      operationId: operationId(operation),
      summary: operation.summary,
      description: `Who may call it: ${operation.access.name}.`,
      ...(operation.access.isOpen === true ? { security: [] } : {}),
      ...(parameters.length === 0 ? {} : { parameters }),
      ...(body === undefined ? {} : { requestBody: body }),
      responses: { ...this.#answers(operation), default: this.#error() },
    }
  }

  #query(operation: Operation): readonly Json[] {
    const { answers } = operation
    const isPaged = answers.kind === 'list' && !isBefore(this.#version, answers.pagedSince)
    const given = operation.query === undefined ? {} : contractOf(operation.query)
    const properties = { ...(isPaged ? contractOf(PageQuery).properties : {}), ...given.properties }
    const schema = schemaFor(this.#version, { ...given, type: 'object', properties }, 'input')
    return (schema.properties ?? []).map(({ wireName, isRequired, schema: property }) => ({
      name: wireName,
      in: 'query',
      ...(isRequired ? { required: true } : {}),
      schema: this.#schema(property),
    }))
  }

  #body(operation: Operation): Json | undefined {
    if (operation.actions !== undefined) return jsonContent(this.#actions(operation.actions))
    if (operation.body === undefined) return undefined
    const schema = this.#schema(schemaFor(this.#version, contractOf(operation.body), 'document'))
    const content = { 'application/json': { schema } }
    return operation.isLogin === true
      ? { content: { 'application/x-www-form-urlencoded': { schema }, ...content } }
      : { content }
  }

  #actions(actions: Readonly<Record<string, Operation>>): Json {
    const options = Object.entries(actions).map(([name, { body }]) => {
      const described =
        body === undefined
          ? { type: 'string', nullable: true }
          : { ...this.#inline(schemaFor(this.#version, contractOf(body), 'document')), nullable: true }
      return [name, described] as const
    })
    return { type: 'object', properties: Object.fromEntries(options) }
  }

  #answers(operation: Operation): Json {
    const doors = operation.actions === undefined ? [operation] : Object.values(operation.actions)
    const answers = doors
      .filter((door) => operation.actions !== undefined || isAlive(this.#version, door))
      .map((door) => [String(valueAt(this.#version, door.status) ?? 200), this.#answer(door)] as const)
    return Object.fromEntries(answers)
  }

  #answer({ answers }: Operation): Json {
    if (answers.kind === 'nothing') return { description: 'done' }
    if (answers.kind === 'download')
      return {
        description: 'a file',
        content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
      }
    const schema =
      answers.kind === 'object'
        ? contractOf(answers.schema)
        : isBefore(this.#version, answers.pagedSince)
          ? { type: 'array', items: contractOf(answers.item) }
          : contractOf(pageSchema(answers.item))
    return {
      description: 'done',
      ...jsonContent(this.#schema(schemaFor(this.#version, schema, 'document'))),
    }
  }

  #error(): Json {
    const schema = this.#schema(schemaFor(this.#version, contractOf(ErrorBody), 'document'))
    return { description: 'what is wrong', ...jsonContent(schema) }
  }

  /** A named schema becomes a component. */
  #schema(schema: VersionSchema): Json {
    if (schema.name === undefined) return this.#inline(schema)
    const known = this.#components.get(schema.name)
    if (known === undefined) this.#components.set(schema.name, this.#inline(schema))
    return { $ref: `#/components/schemas/${schema.name}` }
  }

  #inline(schema: VersionSchema): Json {
    return {
      ...(schema.type === 'any' ? {} : { type: schema.type }),
      ...limitsOf(schema),
      ...(schema.words === undefined ? {} : { enum: schema.words.map(({ wire }) => wire) }),
      ...this.#properties(schema.properties),
      ...(schema.items === undefined ? {} : { items: this.#schema(schema.items) }),
      ...(schema.values === undefined ? {} : { additionalProperties: this.#schema(schema.values) }),
    }
  }

  #properties(properties: readonly VersionProperty[] | undefined): Json {
    if (properties === undefined) return {}
    const required = properties.filter(({ isRequired }) => isRequired).map(({ wireName }) => wireName)
    const described = properties.map(({ wireName, schema }) => [wireName, this.#schema(schema)] as const)
    return {
      ...(required.length === 0 ? {} : { required }),
      properties: Object.fromEntries(described),
    }
  }
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

const limitsOf = (schema: VersionSchema): Json => ({
  ...Object.fromEntries(
    LIMITS.filter((word) => schema[word] !== undefined).map((word) => [word, schema[word]]),
  ),
  ...(schema.nullable ? { nullable: true } : {}),
  ...(schema.readOnly ? { readOnly: true } : {}),
  ...(schema.writeOnly ? { writeOnly: true } : {}),
})

const jsonContent = (schema: Json): Json => ({ content: { 'application/json': { schema } } })

const pathParameters = (path: string): readonly Json[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))

const operationId = ({ method, path }: Operation): string =>
  `${path
    .replace(/[{}]/g, '')
    .split('/')
    .filter(Boolean)
    .join('_')}_${method.charAt(0)}${method.slice(1).toLowerCase()}`
