import type { Logger } from '#base'
import type { Principal } from '#engine'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Readable } from 'node:stream'
import { chooseAction, type CompiledOperation } from './contract/compiled-operation.ts'
import type { Call, Download, Slice, Window } from './contract/operation.ts'
import { pageOf, wholeList, windowOf } from './contract/pages.ts'
import { isBefore } from './contract/versions.ts'
import { tokenIn } from './edge/authentication.ts'
import { disposition } from './edge/disposition.ts'
import { linkWriter, originOf, type PublicAddress } from './edge/links.ts'
import type { BodyNode } from './reading/body-node.ts'

export interface Serving {
  readonly address: PublicAddress
  readonly log: Logger
}

const JSON_TYPE = 'application/json; charset=utf-8'

/** Answers one request with one operation: policy, reading, handler, writing. */
export const serveOperation = async (
  compiled: CompiledOperation,
  serving: Serving,
  principal: Principal,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const body = request.body as BodyNode | undefined
  const { verb, options } =
    compiled.actions.size > 0 ? chooseAction(compiled, body) : { verb: compiled, options: body }
  const params = request.params as Readonly<Record<string, string>>
  if (verb !== compiled) verb.operation.access.check({ principal, params })
  const call = callOf(verb, options, serving, principal, request, reply)
  const result = await verb.operation.handle(call)
  return send(verb, call, result, request, reply)
}

const callOf = (
  compiled: CompiledOperation,
  body: BodyNode | undefined,
  serving: Serving,
  principal: Principal,
  request: FastifyRequest,
  reply: FastifyReply,
): Call => {
  const query = compiled.readQuery(request.url)
  const origin = originOf(serving.address, request.headers.host, request.raw.socket)
  return {
    version: compiled.version,
    principal,
    params: request.params as Readonly<Record<string, string>>,
    query,
    body: compiled.readBody(body),
    window: compiled.isPaged ? windowOf(query) : wholeList,
    link: linkWriter(compiled.version, origin),
    signal: gone(reply),
    address: request.ip,
    token: tokenIn(request.headers.authorization),
    log: serving.log.child({ requestId: request.id }),
  }
}

const gone = (reply: FastifyReply): AbortSignal => {
  const controller = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort()
  })
  return controller.signal
}

const send = (
  compiled: CompiledOperation,
  call: Call,
  result: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply => {
  const { answers } = compiled.operation
  void reply.status(compiled.operation.statusOf?.(result) ?? compiled.status)
  if (answers.kind === 'nothing') return reply.send()
  if (answers.kind === 'download') return sendDownload(result as Download, reply)
  const value = answers.kind === 'list' ? listed(compiled, call, result as Slice<unknown>, request) : result
  return reply.header('content-type', JSON_TYPE).send(JSON.stringify(compiled.write(value)))
}

const listed = (
  compiled: CompiledOperation,
  call: Call,
  slice: Slice<unknown>,
  request: FastifyRequest,
): unknown =>
  compiled.isPaged ? pageOf(slice, call.window, pageLink(call, request, slice.setId)) : slice.items

/** The same list at another window: the path as the version writes it, with the other query parameters kept. */
const pageLink = (call: Call, request: FastifyRequest, setId: string | undefined) => (window: Window) => {
  const [path = '', query = ''] = request.url.split('?', 2)
  const kept = [...new URLSearchParams(query)].filter(
    ([name]) => !['offset', 'limit', 'setid'].includes(name.toLowerCase()),
  )
  const paging = [
    ['offset', String(window.offset)],
    ['limit', String(window.limit)],
    ...(setId === undefined ? [] : [['setId', setId]]),
  ]
  const withoutVersion = path.replace(/^\/v\d+/i, '')
  const written = isBefore(call.version, 'v6') ? withoutVersion.toLowerCase() : withoutVersion
  return call.link(`${written}?${new URLSearchParams([...kept, ...paging] as [string, string][]).toString()}`)
}

/** A client that reads nothing for so long has gone, whatever its connection says. */
const READS_WITHIN_MS = 120_000

const sendDownload = ({ fileName, content }: Download, reply: FastifyReply): FastifyReply => {
  reply.raw.setTimeout(READS_WITHIN_MS, () => {
    reply.raw.destroy()
  })
  return reply
    .header('content-type', 'application/octet-stream')
    .header('content-disposition', disposition(fileName))
    .send(Readable.from(content, { objectMode: false }))
}
