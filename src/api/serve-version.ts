import { denied, HoldfastError, notBuilt, notFound, type Logger } from '#base'
import type { Access, Principal } from '#engine'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { compile, type CompiledOperation } from './contract/compiled-operation.ts'
import type { Operation } from './contract/operation.ts'
import { isAlive, type Version } from './contract/versions.ts'
import { authenticate } from './edge/authentication.ts'
import { errorAnswer } from './edge/errors.ts'
import { fromFramework } from './edge/framework-errors.ts'
import { methodNotAllowed, overloaded } from './edge/refusals.ts'
import type { Load } from './edge/load.ts'
import type { PublicAddress } from './edge/links.ts'
import { tokenErrorAnswer } from './edge/token-errors.ts'
import { serveOperation } from './serve-operation.ts'

export interface VersionParts {
  readonly version: Version
  readonly operations: readonly Operation[]
  readonly access: Access
  readonly address: PublicAddress
  readonly log: Logger
  /** Methods that the contract has for a path, built or not. */
  readonly known: (path: string) => readonly string[]
  readonly load: Load
  /** Log-ins a minute and address; undefined: no limit. */
  readonly loginsPerMinute?: number
}

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal | undefined
  }
  interface FastifyContextConfig {
    operation?: Operation
  }
}

/** Serves one version of the contract below its prefix. */
export const serveVersion = (parts: VersionParts) => async (app: FastifyInstance) => {
  app.decorateRequest('principal', undefined)
  app.addHook('onRequest', async (request) => {
    request.principal = await admit(parts, request)
    if (parts.load.isOverloaded && isNewWork(request)) throw overloaded()
  })
  app.setErrorHandler(async (error, request, reply) => answerError(parts, error, request, reply))
  for (const operation of parts.operations.filter((each) => isAlive(parts.version, each)))
    addRoute(app, parts, compile(parts.version, operation))
  app.all('/', async (request, reply) => refuseUnknown(parts, request, reply))
  app.all('/*', async (request, reply) => refuseUnknown(parts, request, reply))
}

/** Who calls, once the route's policy has let them in. Runs before a byte of the body is read. */
const admit = async (parts: VersionParts, request: FastifyRequest): Promise<Principal | undefined> => {
  const { operation } = request.routeOptions.config
  if (operation?.access.isOpen === true) return undefined
  const principal = await authenticate(parts.access, request.headers.authorization, request.ip)
  if (operation !== undefined) letIn(operation, principal, request)
  return principal
}

/** Reading goes on, so that it can be seen what the server does. */
const isNewWork = ({ method, routeOptions }: FastifyRequest): boolean =>
  method !== 'GET' && routeOptions.config.operation?.isAlwaysServed !== true

/** A route without a policy is a fault of ours: nobody gets in. */
const letIn = (operation: Operation, principal: Principal, request: FastifyRequest): void => {
  const policy = operation.access as Operation['access'] | undefined
  if (policy === undefined) throw denied('nobody may do this')
  policy.check({ principal, params: request.params as Readonly<Record<string, string>> })
}

/** Who asks where no token is asked for. */
const NOBODY: Principal = { kind: 'system', name: 'nobody' }

const addRoute = (app: FastifyInstance, parts: VersionParts, compiled: CompiledOperation): void => {
  const { operation } = compiled
  app.route({
    method: operation.method,
    url: operation.path.replace(/\{(\w+)\}/g, ':$1'),
    ...(operation.bodyLimitBytes === undefined ? {} : { bodyLimit: operation.bodyLimitBytes }),
    config: {
      operation,
      ...(operation.isLogin === true && parts.loginsPerMinute !== undefined
        ? { rateLimit: { max: parts.loginsPerMinute, timeWindow: '1 minute' } }
        : {}),
    },
    handler: async (request, reply) =>
      serveOperation(compiled, parts, request.principal ?? NOBODY, request, reply),
  })
}

/** What has no route: part of the contract but not built, another method, or nothing at all. */
const refuseUnknown = async (
  parts: VersionParts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<never> => {
  const path = (request.url.split('?')[0] ?? '').replace(/^\/v\d+/i, '')
  const methods = parts.known(path)
  if (methods.includes(request.method))
    throw notBuilt(`Holdfast cannot do this yet: ${request.method} ${path}`)
  if (methods.length > 0) {
    void reply.header('allow', methods.join(', '))
    throw methodNotAllowed(request.method)
  }
  throw notFound('there is nothing at this address')
}

const answerError = (
  { version, log }: VersionParts,
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply => {
  const error = fromFramework(thrown)
  const isLogin = request.routeOptions.config.operation?.isLogin === true
  const answer =
    isLogin && error instanceof HoldfastError && error.code !== 'corrupt'
      ? tokenErrorAnswer(error)
      : errorAnswer(version, error, request.id)
  if (answer.isUnexpected)
    log.error({ requestId: request.id, route: request.routeOptions.url, err: error }, 'request failed')
  if (answer.retryAfterSeconds !== undefined) void reply.header('retry-after', answer.retryAfterSeconds)
  if (answer.status === 401) void reply.header('www-authenticate', 'Bearer')
  return reply
    .status(answer.status)
    .header('content-type', 'application/json; charset=utf-8')
    .send(JSON.stringify(answer.body))
}
