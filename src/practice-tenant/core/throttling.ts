import type { Clock } from '#base'
import type { Finished } from './answers.ts'
import { GraphError, type Route, type TenantSettings } from './contract.ts'
import type { Filter } from './dispatcher.ts'
import type { PracticeRequest } from './request.ts'

/** Microsoft's published allowances. Tests may set smaller ones. */
export interface Limits {
  /** Requests of one application to one mailbox in ten minutes. */
  readonly mailboxRequests: number
  readonly mailboxConcurrency: number
  /** SharePoint resource units of one application in a minute and in a day. */
  readonly filesPerMinute: number
  readonly filesPerDay: number
  /** SharePoint resource units of all applications together. */
  readonly filesOfTenantPerFiveMinutes: number
  /** Directory resource units of one application in ten seconds. */
  readonly directoryPerTenSeconds: number
}

const BY_LICENCES: readonly (readonly [most: number, perMinute: number, perDay: number])[] = [
  [1_000, 1_250, 1_200_000],
  [5_000, 2_500, 2_400_000],
  [15_000, 3_750, 3_600_000],
  [50_000, 5_000, 4_800_000],
  [Infinity, 6_250, 6_000_000],
]

/** The allowances of a tenant of this size. */
export const publishedLimits = (users: number): Limits => {
  const [, filesPerMinute, filesPerDay] = BY_LICENCES.find(([most]) => users <= most)!
  return {
    mailboxRequests: 10_000,
    mailboxConcurrency: 4,
    filesPerMinute,
    filesPerDay,
    // 18,750 for the smallest tenants, 93,750 for the largest: fifteen minutes of one application.
    filesOfTenantPerFiveMinutes: 15 * filesPerMinute,
    directoryPerTenSeconds: users < 50 ? 3_500 : users <= 500 ? 5_000 : 8_000,
  }
}

const MINUTE_MS = 60_000
const FIVE_MINUTES_MS = 300_000
const TEN_MINUTES_MS = 600_000
const DAY_MS = 86_400_000
const TEN_SECONDS_MS = 10_000

/** Spending in windows of a fixed length that begin with the first spending. */
class Windows {
  readonly #lengthMs: number
  readonly #windows = new Map<string, { startMs: number; spent: number }>()

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs
  }

  /** Spends, and says what has been spent and when the window ends. A refused call counts as well. */
  spend(key: string, units: number, nowMs: number): { spent: number; resetMs: number } {
    let window = this.#windows.get(key)
    if (window === undefined || nowMs >= window.startMs + this.#lengthMs) {
      window = { startMs: nowMs, spent: 0 }
      this.#windows.set(key, window)
    }
    window.spent += units
    return { spent: window.spent, resetMs: window.startMs + this.#lengthMs - nowMs }
  }
}

const seconds = (ms: number): string => String(Math.max(1, Math.ceil(ms / 1000)))

/** Refuses what exceeds an allowance, in the dialect of the service that was asked. */
export class Throttling implements Filter {
  readonly #clock: Clock
  readonly #settings: TenantSettings
  readonly #limits: () => Limits
  readonly #tenantId: string
  readonly #mailboxes = new Windows(TEN_MINUTES_MS)
  readonly #filesMinute = new Windows(MINUTE_MS)
  readonly #filesDay = new Windows(DAY_MS)
  readonly #filesTenant = new Windows(FIVE_MINUTES_MS)
  readonly #inFlight = new Map<string, number>()
  readonly #buckets = new Map<string, { units: number; atMs: number }>()

  constructor(parts: { clock: Clock; settings: TenantSettings; limits: () => Limits; tenantId: string }) {
    this.#clock = parts.clock
    this.#settings = parts.settings
    this.#limits = parts.limits
    this.#tenantId = parts.tenantId
  }

  async around(route: Route, request: PracticeRequest, next: () => Promise<Finished>): Promise<Finished> {
    if (!this.#settings.throttling) return next()
    switch (route.area) {
      case 'outlook':
        return this.#mailbox(route, request, next)
      case 'files':
        return this.#files(route, request, next)
      case 'directory':
        return this.#directory(route, request, next)
      case 'ews':
      case 'login':
      case 'open':
        return next()
    }
  }

  async #mailbox(route: Route, request: PracticeRequest, next: () => Promise<Finished>): Promise<Finished> {
    const mailbox = route.pool?.(request)
    if (mailbox === undefined) return next()
    const key = `${request.token?.applicationId ?? 'none'} ${mailbox}`
    const limits = this.#limits()
    const { spent, resetMs } = this.#mailboxes.spend(key, 1, this.#clock.nowMs())
    if (spent > limits.mailboxRequests) {
      throw mailboxRefusal('Application is over its request limit.', seconds(resetMs))
    }
    const inFlight = this.#inFlight.get(key) ?? 0
    if (inFlight >= limits.mailboxConcurrency) {
      throw mailboxRefusal('Application is over its MailboxConcurrency limit.', '1')
    }
    this.#inFlight.set(key, inFlight + 1)
    // Until the answer is out: what the client still reads counts as a connection of its own.
    request.onSent(() => this.#inFlight.set(key, this.#inFlight.get(key)! - 1))
    return next()
  }

  async #files(route: Route, request: PracticeRequest, next: () => Promise<Finished>): Promise<Finished> {
    const { token } = request
    // A pre-authenticated address belongs to the call that gave it.
    if (token === undefined) return next()
    const limits = this.#limits()
    const units = route.cost?.(request) ?? 1
    const now = this.#clock.nowMs()
    const minute = this.#filesMinute.spend(token.applicationId, units, now)
    const day = this.#filesDay.spend(token.applicationId, units, now)
    const ofTenant = this.#filesTenant.spend(this.#tenantId, units, now)
    const headers = rateHeaders(minute, limits.filesPerMinute)
    if (ofTenant.spent > limits.filesOfTenantPerFiveMinutes)
      throw filesRefusal(seconds(ofTenant.resetMs), headers)
    if (day.spent > limits.filesPerDay) throw filesRefusal(seconds(day.resetMs), headers)
    if (minute.spent > limits.filesPerMinute) throw filesRefusal(seconds(minute.resetMs), headers)
    const finished = await next()
    if (minute.spent < 0.8 * limits.filesPerMinute) return finished
    return { ...finished, headers: { ...headers, ...finished.headers } }
  }

  async #directory(route: Route, request: PracticeRequest, next: () => Promise<Finished>): Promise<Finished> {
    const { token } = request
    if (token === undefined) return next()
    const units = directoryUnits(route, request)
    const capacity = this.#limits().directoryPerTenSeconds
    const now = this.#clock.nowMs()
    const bucket = this.#buckets.get(token.applicationId) ?? { units: capacity, atMs: now }
    const refilled = Math.min(capacity, bucket.units + ((now - bucket.atMs) / TEN_SECONDS_MS) * capacity)
    const left = refilled - units
    this.#buckets.set(token.applicationId, { units: Math.max(left, -capacity), atMs: now })
    const headers: Record<string, string> = { 'x-ms-resource-unit': String(units) }
    const used = (capacity - left) / capacity
    if (used >= 0.8) headers['x-ms-throttle-limit-percentage'] = Math.min(used, 1.8).toFixed(1)
    if (left < 0) {
      throw new GraphError(429, 'TooManyRequests', 'Too many requests.', {
        headers: {
          ...headers,
          'retry-after': seconds((-left / capacity) * TEN_SECONDS_MS),
          'x-ms-throttle-scope': `Tenant_Application/ReadWrite/${token.applicationId}/${this.#tenantId}`,
          'x-ms-throttle-information': 'ResourceUnitLimitExceeded',
        },
      })
    }
    const finished = await next()
    return { ...finished, headers: { ...headers, ...finished.headers } }
  }
}

const mailboxRefusal = (message: string, retryAfter: string): GraphError =>
  new GraphError(429, 'ApplicationThrottled', message, { headers: { 'retry-after': retryAfter } })

const rateHeaders = (minute: { spent: number; resetMs: number }, limit: number): Record<string, string> => ({
  'ratelimit-limit': String(limit),
  'ratelimit-remaining': String(Math.max(0, limit - minute.spent)),
  'ratelimit-reset': seconds(minute.resetMs),
})

const filesRefusal = (retryAfter: string, headers: Record<string, string>): GraphError =>
  new GraphError(429, 'activityLimitReached', 'The request has been throttled', {
    innerCode: 'throttledRequest',
    headers: { ...headers, 'retry-after': retryAfter },
  })

/** `$select` makes a call cheaper, `$expand` dearer; none is free. */
const directoryUnits = (route: Route, request: PracticeRequest): number => {
  const { query } = request
  const top = Number(query.get('$top') ?? '100')
  const base = route.cost?.(request) ?? 1
  const units = base - (query.has('$select') ? 1 : 0) + (query.has('$expand') ? 1 : 0) - (top < 20 ? 1 : 0)
  return Math.max(1, units)
}
