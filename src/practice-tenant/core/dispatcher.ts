import { messageOf, type Clock, type Logger, type Random } from '#base'
import { errorAnswer, finish, graphHeaders, stampFor, type Finished, type Stamp } from './answers.ts'
import { GraphError, type AccessToken, type Route, type ServiceArea } from './contract.ts'
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
    const finished = await this.#answer(call, stamp, common, seen)
    note(call, finished.status, seen.route, seen.token)
    return finished
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
