import { messageOf, type Clock, type Logger, type Random } from '#base'
import { errorAnswer, finish, graphHeaders, stampFor, type Finished, type Stamp } from './answers.ts'
import { GraphError, type AccessToken, type Route, type ServiceArea, type TenantAnswer } from './contract.ts'
import { CutConnection } from './cut-connection.ts'
import { PracticeRequest, type Call } from './request.ts'
import { parsePath, type ParsedPath, type Router } from './router.ts'

/** Says who calls; refuses what is no valid token for this host. */
export interface Gatekeeper {
  identify(call: Pick<Call, 'role' | 'headers'>): AccessToken | undefined
  /** Throws unless the token may use the route. */
  admit(route: Route, request: PracticeRequest): void
}

/** Something that may refuse, delay or change an answer: throttling, faults, counters. Called outermost first. */
export interface Filter {
  around(route: Route, request: PracticeRequest, next: () => Promise<Finished>): Promise<Finished>
}

export interface DispatcherParts {
  readonly router: Router
  readonly gatekeeper: Gatekeeper
  readonly filters: readonly Filter[]
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Told of every answer. */
  readonly note: (
    call: Call,
    status: number,
    route: Route | undefined,
    token: AccessToken | undefined,
  ) => void
}

/** The status that is counted for a connection which was cut before an answer. */
const CUT = 0

/** What became known of a call on its way. */
interface Seen {
  route: Route | undefined
  token: AccessToken | undefined
}

const NO_TOKEN_AREAS: ReadonlySet<ServiceArea> = new Set(['login', 'open', 'ews'])

const notImplemented = (call: Call): GraphError =>
  new GraphError(
    501,
    'NotImplemented',
    `This operation target is not yet supported: ${call.method} ${call.url.pathname}`,
  )

/** From a call to its answer: route, token, permission, filters, handler; whatever is thrown becomes the service's error. */
export class Dispatcher {
  readonly #parts: DispatcherParts

  constructor(parts: DispatcherParts) {
    this.#parts = parts
  }

  /** Throws only CutConnection: then there is no answer. */
  async dispatch(call: Call): Promise<Finished> {
    const { clock, random, note } = this.#parts
    const stamp = stampFor(call.headers, clock, random)
    const common = call.role === 'login' ? {} : graphHeaders(stamp)
    const seen: Seen = { route: undefined, token: undefined }
    let status = CUT
    try {
      const finished = await this.#answer(call, stamp, common, seen)
      status = finished.status
      return finished
    } finally {
      note(call, status, seen.route, seen.token)
    }
  }

  async #answer(
    call: Call,
    stamp: Stamp,
    common: Readonly<Record<string, string>>,
    seen: Seen,
  ): Promise<Finished> {
    try {
      if (call.method === 'OPTIONS') return finish({ status: 204 }, common, 'open')
      const request = this.#route(call, seen)
      return await this.#run(seen.route!, request, common)
    } catch (error) {
      if (error instanceof CutConnection) throw error
      if (!(error instanceof GraphError)) {
        this.#parts.log.error(
          { method: call.method, path: call.url.pathname, reason: messageOf(error) },
          'handler failed',
        )
      }
      const area = seen.route?.area ?? (call.role === 'login' ? 'login' : 'open')
      return finish(this.#refusal(error, stamp, call), common, area)
    }
  }

  #route(call: Call, seen: Seen): PracticeRequest {
    const { router, gatekeeper, log } = this.#parts
    let parsed = parsePath(withoutVersion(call))
    if (call.role === 'graph' && parsed.segments[0]?.toLowerCase() === 'me') {
      seen.token = gatekeeper.identify(call)
      parsed = ownPath(parsed, seen.token)
    }
    const match = router.find(call.role, call.method, parsed)
    if (match === undefined) {
      log.warn({ role: call.role, method: call.method, path: call.url.pathname }, 'path is not built')
      throw notImplemented(call)
    }
    if ('allowed' in match) throw methodNotAllowed(match.allowed)
    const { route, params } = match
    seen.route = route
    if (route.refusesToken === true && call.headers.authorization !== undefined) throw tokenNotWanted()
    if (!NO_TOKEN_AREAS.has(route.area)) seen.token ??= gatekeeper.identify(call)
    const request = new PracticeRequest(call, { params, itemPath: parsed.itemPath, token: seen.token })
    if (!NO_TOKEN_AREAS.has(route.area)) gatekeeper.admit(route, request)
    return request
  }

  #run(route: Route, request: PracticeRequest, common: Readonly<Record<string, string>>): Promise<Finished> {
    const handle = async (): Promise<Finished> => finish(await route.handler(request), common, route.area)
    return this.#parts.filters.reduceRight<() => Promise<Finished>>(
      (next, filter) => () => filter.around(route, request, next),
      handle,
    )()
  }

  #refusal(error: unknown, stamp: Stamp, call: Call) {
    if (call.role === 'login' && error instanceof GraphError && isTransient(error.status)) {
      return loginRefusal(error, stamp)
    }
    if (error instanceof GraphError) return errorAnswer(error, stamp)
    const code = call.role === 'login' ? 'server_error' : 'generalException'
    return errorAnswer(new GraphError(500, code, 'An unspecified error has occurred.'), stamp)
  }
}

const VERSION = /^\/(v1\.0|beta)(?=\/|$)/i

const withoutVersion = (call: Call): string => {
  if (call.role !== 'graph') return call.url.pathname
  const path = call.url.pathname.replace(/^\/{2,}/, '/')
  if (!VERSION.test(path)) {
    throw new GraphError(400, 'BadRequest', `Invalid version: ${path.split('/')[1] ?? ''}`)
  }
  return path.replace(VERSION, '')
}

const ownPath = (parsed: ParsedPath, token: AccessToken | undefined): ParsedPath => {
  if (token?.userPrincipalName === undefined) {
    throw new GraphError(400, 'BadRequest', '/me request is only valid with delegated authentication flow.')
  }
  return { ...parsed, segments: ['users', token.userPrincipalName, ...parsed.segments.slice(1)] }
}

const isTransient = (status: number): boolean => status === 429 || (status > 501 && status < 505)

/** The token service throttles in its own words, and fails in no words that a program could read. */
const loginRefusal = (error: GraphError, stamp: Stamp): TenantAnswer => {
  if (error.status !== 429) {
    const headers = { ...error.headers, 'content-type': 'text/plain' }
    return { status: error.status, headers, bytes: Buffer.from('Service Unavailable') }
  }
  const description = 'AADSTS90055: The tenant has too many requests. Please try again later.'
  return {
    status: 429,
    headers: error.headers,
    json: {
      error: 'temporarily_unavailable',
      error_description: `${description} Trace ID: ${stamp.requestId} Correlation ID: ${stamp.clientRequestId} Timestamp: ${stamp.date}Z`,
      error_codes: [90055],
      timestamp: `${stamp.date.replace('T', ' ')}Z`,
      trace_id: stamp.requestId,
      correlation_id: stamp.clientRequestId,
    },
  }
}

const methodNotAllowed = (allowed: readonly string[]): GraphError =>
  new GraphError(405, 'Request_BadRequest', 'Specified HTTP method is not allowed for the request target.', {
    headers: { allow: allowed.join(', ') },
  })

const tokenNotWanted = (): GraphError =>
  new GraphError(
    401,
    'unauthenticated',
    'A pre-authenticated address must be called without an Authorization header.',
  )
