import { seededRandom, type Clock, type Random } from '#base'
import type { Finished } from './answers.ts'
import { GraphError, type Route, type ServiceArea, type TenantState } from './contract.ts'
import { CutConnection } from './cut-connection.ts'
import type { Filter } from './dispatcher.ts'
import type { PracticeRequest } from './request.ts'

export { CutConnection }

export const FAULT_KINDS = [
  'throttled',
  'claims',
  'unavailable',
  'timeout',
  'emptyUnavailable',
  'cut',
  'lost',
  'slow',
] as const
/** `claims`: the token is to be fetched again with the claims of the challenge. `cut`: a read ends halfway, a change is not done; `lost`: it is done, and the answer does not arrive. */
export type FaultKind = (typeof FAULT_KINDS)[number]

/** Faults that come by chance, from a seed: the same requests in the same order meet the same faults. */
export interface FaultPlan {
  readonly seed: number
  /** Share of the requests, 0 to 1, that meets each kind. */
  readonly rates: Partial<Readonly<Record<FaultKind, number>>>
}

/** A fault at a chosen place. */
export interface FaultRule {
  readonly method?: string
  /** The request's path and query; `*` stands for any letters. */
  readonly path: string
  /** The first matching call that fails, from 1 (default), and how many fail (default: 1; 0: all after it). */
  readonly nth?: number
  readonly times?: number
  readonly kind?: FaultKind
  /** Instead of a kind: this status with this error code. */
  readonly status?: number
  readonly code?: string
  readonly retryAfterSeconds?: number
  /** Wait before the fault, or (when neither kind nor status is given) before a good answer. */
  readonly delayMs?: number
}

interface LiveRule extends FaultRule {
  readonly pattern: RegExp
  seen: number
}

const patternOf = (path: string): RegExp =>
  new RegExp(`^${path.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`, 'i')

const SLOW_STEP_MS = 200
const SLOW_STEPS = 5

/** Ends a stream before it is whole. The socket is destroyed by whoever writes it. */
async function* cutShort(body: Uint8Array): AsyncIterable<Uint8Array> {
  yield await Promise.resolve(body.subarray(0, Math.floor(body.length / 2)))
  throw new CutConnection()
}

const cutHalfway = (finished: Finished): Finished => {
  const body = finished.body instanceof Uint8Array ? finished.body : Buffer.alloc(0)
  const headers = { ...finished.headers, 'content-length': String(body.length + 1) }
  return { ...finished, headers, body: cutShort(body) }
}

async function* slowly(body: Uint8Array, clock: Clock, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const step = Math.max(1, Math.ceil(body.length / SLOW_STEPS))
  for (let at = 0; at < body.length; at += step) {
    await clock.sleep(SLOW_STEP_MS, signal)
    yield body.subarray(at, at + step)
  }
}

const statusError = (status: number, retryAfterSeconds: number | undefined, code: string): GraphError =>
  new GraphError(status, code, 'The service is not available. Try the request again after a delay.', {
    headers: retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) },
  })

/** A refusal for too many calls, in the words of the service. */
const throttled = (area: ServiceArea, retryAfterSeconds: number): GraphError => {
  const headers = { 'retry-after': String(retryAfterSeconds) }
  if (area === 'outlook') {
    return new GraphError(429, 'ApplicationThrottled', 'Application is over its request limit.', { headers })
  }
  if (area === 'files') {
    const more = { innerCode: 'throttledRequest', headers }
    return new GraphError(429, 'activityLimitReached', 'The request has been throttled', more)
  }
  return new GraphError(429, 'TooManyRequests', 'Too many requests.', { headers })
}

const claimsChallenge = (nowMs: number): GraphError => {
  const claims = { access_token: { nbf: { essential: true, value: String(Math.floor(nowMs / 1000)) } } }
  const text = Buffer.from(JSON.stringify(claims)).toString('base64')
  return new GraphError(
    401,
    'InvalidAuthenticationToken',
    'Continuous access evaluation resulted in a challenge.',
    {
      headers: {
        'www-authenticate': `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", error="insufficient_claims", claims="${text}"`,
      },
    },
  )
}

/** Faults on demand: by chance from a seed, by rule, and for users whose names ask for them. */
export class Faults implements Filter {
  readonly #state: TenantState
  #plan: FaultPlan | undefined
  #chance: Random | undefined
  #rules: LiveRule[] = []
  readonly #sentinelCalls = new Map<string, number>()

  constructor(state: TenantState) {
    this.#state = state
  }

  setPlan(plan: FaultPlan | undefined): void {
    this.#plan = plan
    this.#chance = plan === undefined ? undefined : seededRandom(plan.seed)
  }

  addRule(rule: FaultRule): void {
    this.#rules.push({ ...rule, pattern: patternOf(rule.path), seen: 0 })
  }

  clear(): void {
    this.#rules = []
    this.setPlan(undefined)
  }

  /** Rules with the number of calls that each has seen. */
  rules(): readonly (FaultRule & { readonly seen: number })[] {
    return this.#rules.map(({ pattern: _, ...rule }) => rule)
  }

  async around(route: Route, request: PracticeRequest, next: () => Promise<Finished>): Promise<Finished> {
    if (route.area === 'open' && request.url.pathname.startsWith('/_practice/')) return next()
    const rule = this.#ruleFor(request)
    if (rule?.delayMs !== undefined) await this.#state.clock.sleep(rule.delayMs, request.signal)
    if (rule?.status !== undefined) {
      throw statusError(rule.status, rule.retryAfterSeconds, rule.code ?? 'generalException')
    }
    const kind = rule?.kind ?? this.#sentinelFault(route, request) ?? this.#byChance()
    return kind === undefined
      ? next()
      : this.#strike(
          kind,
          { area: route.area, retryAfterSeconds: rule?.retryAfterSeconds ?? 1 },
          request,
          next,
        )
  }

  #ruleFor(request: PracticeRequest): LiveRule | undefined {
    const target = request.url.pathname + request.url.search
    let struck: LiveRule | undefined
    for (const rule of this.#rules) {
      if (rule.method !== undefined && rule.method.toUpperCase() !== request.method) continue
      if (!rule.pattern.test(target) && !rule.pattern.test(request.url.pathname)) continue
      rule.seen += 1
      const first = rule.nth ?? 1
      const times = rule.times ?? 1
      if (rule.seen >= first && (times === 0 || rule.seen < first + times)) struck ??= rule
    }
    return struck
  }

  #byChance(): FaultKind | undefined {
    if (this.#plan === undefined || this.#chance === undefined) return undefined
    let dice = this.#chance.fraction()
    for (const kind of FAULT_KINDS) {
      const rate = this.#plan.rates[kind] ?? 0
      if (dice < rate) return kind
      dice -= rate
    }
    return undefined
  }

  /** `throttle-me` meets 429 on every second call, `flaky` a 503 or a cut on every third, `slow` answers slowly. */
  #sentinelFault(route: Route, request: PracticeRequest): FaultKind | undefined {
    if (route.area !== 'outlook' && route.area !== 'files') return undefined
    const name = request.params['user'] ?? route.pool?.(request)
    if (name === undefined) return undefined
    const user = this.#known(name)
    if (user === undefined) return undefined
    const calls = (this.#sentinelCalls.get(user.id) ?? 0) + 1
    if (this.#state.isSentinel(user, 'slow')) return 'slow'
    const isThrottled = this.#state.isSentinel(user, 'throttle-me')
    if (!isThrottled && !this.#state.isSentinel(user, 'flaky')) return undefined
    this.#sentinelCalls.set(user.id, calls)
    if (isThrottled) return calls % 2 === 1 ? 'throttled' : undefined
    if (calls % 3 !== 0) return undefined
    return calls % 2 === 0 ? 'cut' : 'unavailable'
  }

  #known(name: string) {
    try {
      return this.#state.user(name)
    } catch {
      return undefined
    }
  }

  async #strike(
    kind: FaultKind,
    { area, retryAfterSeconds }: { area: ServiceArea; retryAfterSeconds: number },
    request: PracticeRequest,
    next: () => Promise<Finished>,
  ): Promise<Finished> {
    switch (kind) {
      case 'throttled':
        throw throttled(area, retryAfterSeconds)
      case 'claims':
        throw claimsChallenge(this.#state.clock.nowMs())
      case 'unavailable':
        throw statusError(503, retryAfterSeconds, 'serviceNotAvailable')
      case 'timeout':
        throw statusError(504, undefined, 'generalException')
      case 'emptyUnavailable':
        return { status: 503, headers: {}, body: undefined }
      case 'cut':
        if (request.method !== 'GET') throw new CutConnection()
        return cutHalfway(await next())
      case 'lost':
        await next()
        throw new CutConnection()
      case 'slow':
        return this.#slow(request, await next())
    }
  }

  #slow(request: PracticeRequest, finished: Finished): Finished {
    if (!(finished.body instanceof Uint8Array)) return finished
    return { ...finished, body: slowly(finished.body, this.#state.clock, request.signal) }
  }
}
