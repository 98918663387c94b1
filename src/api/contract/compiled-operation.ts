import { invalid } from '#base'
import { BodyObject, type BodyNode } from '../reading/body-node.ts'
import type { Operation } from './operation.ts'
import { PageQuery, pageSchema } from './pages.ts'
import { readerFor, type Reader } from './read-input.ts'
import { contractOf } from './schema.ts'
import { schemaFor } from './schema-for.ts'
import { isBefore, valueAt, type Version } from './versions.ts'
import { writerFor, type Writer } from './write-output.ts'

/** An operation with its readers and writer made for one version. */
export interface CompiledOperation {
  readonly operation: Operation
  readonly version: Version
  readonly status: number
  readonly readQuery: (url: string) => Record<string, unknown>
  readonly readBody: (body: BodyNode | undefined) => unknown
  readonly isPaged: boolean
  readonly write: Writer
  readonly actions: ReadonlyMap<string, CompiledOperation>
}

const queryNode = (url: string): BodyObject => {
  const mark = url.indexOf('?')
  return new BodyObject(mark < 0 ? [] : [...new URLSearchParams(url.slice(mark + 1))])
}

const compileQuery = (version: Version, operation: Operation, isPaged: boolean) => {
  const own = operation.query === undefined ? undefined : contractOf(operation.query)
  const properties = { ...(isPaged ? contractOf(PageQuery).properties : {}), ...own?.properties }
  const required = own?.required ?? []
  const read = readerFor(schemaFor(version, { type: 'object', properties, required }, 'input'))
  return (url: string) => read(queryNode(url), '') as Record<string, unknown>
}

const compileBody = (version: Version, operation: Operation) => {
  if (operation.body === undefined) return () => undefined
  const schema = schemaFor(version, contractOf(operation.body), 'input')
  const read: Reader = readerFor(schema)
  const nothing = schema.type === 'array' ? [] : new BodyObject([])
  return (body: BodyNode | undefined) => read(body ?? nothing, schema.type === 'array' ? 'body' : '')
}

const answerWriter = (version: Version, { answers }: Operation, isPaged: boolean): Writer => {
  if (answers.kind === 'object') return writerFor(schemaFor(version, contractOf(answers.schema), 'output'))
  if (answers.kind !== 'list') return () => undefined
  const schema = isPaged ? pageSchema(answers.item) : { type: 'array', items: answers.item }
  return writerFor(schemaFor(version, contractOf(schema), 'output'))
}

export const compile = (version: Version, operation: Operation): CompiledOperation => {
  const { answers } = operation
  const isPaged = answers.kind === 'list' && !isBefore(version, answers.pagedSince)
  const actions = Object.entries(operation.actions ?? {})
  return {
    operation,
    version,
    status: valueAt(version, operation.status) ?? 200,
    readQuery: compileQuery(version, operation, isPaged),
    readBody: compileBody(version, operation),
    isPaged,
    write: answerWriter(version, operation, isPaged),
    actions: new Map(actions.map(([name, verb]) => [name.toLowerCase(), compile(version, verb)])),
  }
}

/** The one action that a body names, and what belongs to it. */
export const chooseAction = (
  { actions, operation }: CompiledOperation,
  body: BodyNode | undefined,
): { readonly verb: CompiledOperation; readonly options: BodyNode | undefined } => {
  const names = Object.keys(operation.actions ?? {}).join(', ')
  const members = body instanceof BodyObject ? body.members : []
  const chosen = members.flatMap(([name, options]) => {
    const verb = actions.get(name.toLowerCase())
    return verb === undefined ? [] : [{ verb, options: options ?? undefined }]
  })
  const [only] = chosen
  if (only === undefined || chosen.length > 1) throw invalid(`the body must name exactly one of: ${names}`)
  return only
}
