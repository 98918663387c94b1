import type { Clock } from '#base'
import type { Finished } from './answers.ts'
import type { Route } from './contract.ts'
import type { Filter } from './dispatcher.ts'
import type { PracticeRequest } from './request.ts'

/** One answered request. */
export interface LoggedRequest {
  readonly atMs: number
  readonly role: string
  readonly area: string
  readonly method: string
  readonly path: string
  readonly status: number
  readonly application: string | undefined
  readonly userAgent: string | undefined
}

export interface CountersView {
  readonly total: number
  readonly byRole: Readonly<Record<string, number>>
  readonly byArea: Readonly<Record<string, number>>
  readonly byStatus: Readonly<Record<string, number>>
  /** Requests by method and route: `GET /users/:user/messages`. */
  readonly byRoute: Readonly<Record<string, number>>
  readonly throttled: number
  /** The most requests that one mailbox or drive had at a time, since the last reset. */
  readonly mostConcurrent: Readonly<Record<string, number>>
}

const MOST_LOGGED = 10_000

const count = (map: Map<string, number>, key: string): void => {
  map.set(key, (map.get(key) ?? 0) + 1)
}

/** What was asked of the tenant, for tests and benchmarks. */
export class Counters implements Filter {
  readonly #clock: Clock
  #total = 0
  #log: LoggedRequest[] = []
  readonly #byRole = new Map<string, number>()
  readonly #byArea = new Map<string, number>()
  readonly #byStatus = new Map<string, number>()
  readonly #byRoute = new Map<string, number>()
  readonly #inFlight = new Map<string, number>()
  readonly #mostConcurrent = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  around(route: Route, request: PracticeRequest, next: () => Promise<Finished>): Promise<Finished> {
    const pool = route.pool?.(request)
    if (pool === undefined) return next()
    this.#enter(pool)
    request.onSent(() => this.#inFlight.set(pool, this.#inFlight.get(pool)! - 1))
    return next()
  }

  /** Called once for each answer, whatever it is. `route` is absent when the path matched none. */
  note(
    request: { role: string; method: string; path: string; application?: string; userAgent?: string },
    status: number,
    route: Route | undefined,
  ): void {
    this.#total += 1
    count(this.#byRole, request.role)
    count(this.#byArea, route?.area ?? 'none')
    count(this.#byStatus, String(status))
    if (route !== undefined) count(this.#byRoute, `${request.method} ${route.path}`)
    const { role, method, path, application, userAgent } = request
    const area = route?.area ?? 'none'
    this.#log.push({ atMs: this.#clock.nowMs(), role, area, method, path, status, application, userAgent })
    if (this.#log.length >= 2 * MOST_LOGGED) this.#log = this.#log.slice(-MOST_LOGGED)
  }

  /** The last requests, oldest first. */
  recent(): readonly LoggedRequest[] {
    return this.#log.slice(-MOST_LOGGED)
  }

  view(): CountersView {
    return {
      total: this.#total,
      byRole: Object.fromEntries(this.#byRole),
      byArea: Object.fromEntries(this.#byArea),
      byStatus: Object.fromEntries(this.#byStatus),
      byRoute: Object.fromEntries(this.#byRoute),
      throttled: this.#byStatus.get('429') ?? 0,
      mostConcurrent: Object.fromEntries(this.#mostConcurrent),
    }
  }

  reset(): void {
    this.#total = 0
    this.#log = []
    for (const map of [this.#byRole, this.#byArea, this.#byStatus, this.#byRoute, this.#mostConcurrent])
      map.clear()
  }

  #enter(pool: string): void {
    const now = (this.#inFlight.get(pool) ?? 0) + 1
    this.#inFlight.set(pool, now)
    this.#mostConcurrent.set(pool, Math.max(now, this.#mostConcurrent.get(pool) ?? 0))
  }
}
