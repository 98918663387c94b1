import type { Clock } from '#base'
import { QuotaPool, type PoolLimits } from './http/quota-pool.ts'
import type { TrafficCounter } from './http/traffic.ts'

/** How much is asked of the service. The defaults are Microsoft's published numbers. */
export interface QuotaLimits {
  readonly mailbox: PoolLimits
  readonly files: PoolLimits
  readonly directory: PoolLimits
}

export const QUOTA_LIMITS: QuotaLimits = {
  mailbox: { concurrent: 4, allowance: { units: 10_000, ms: 10 * 60_000 } },
  // How many units a tenant has depends on its licences; the service says so when four fifths are used.
  files: { concurrent: 16 },
  // The smallest of the three sizes of tenant.
  directory: { concurrent: 8, allowance: { units: 3500, ms: 10_000 } },
}

const SWEEP_AT = 512

/** The allowances of one application in one tenant. */
export class Pools {
  readonly files: QuotaPool
  readonly directory: QuotaPool
  readonly #mailboxes = new Map<string, QuotaPool>()
  readonly #limits: QuotaLimits
  readonly #clock: Clock
  readonly #traffic: TrafficCounter

  constructor(limits: QuotaLimits, clock: Clock, traffic: TrafficCounter) {
    this.#limits = limits
    this.#clock = clock
    this.#traffic = traffic
    this.files = new QuotaPool('files', limits.files, clock, traffic)
    this.directory = new QuotaPool('directory', limits.directory, clock, traffic)
  }

  /** Each mailbox has its own. Name a mailbox always in the same way: by the user's id. */
  mailbox(userId: string): QuotaPool {
    const key = userId.toLowerCase()
    const known = this.#mailboxes.get(key)
    if (known !== undefined) return known
    if (this.#mailboxes.size >= SWEEP_AT) this.#forgetIdle()
    const pool = new QuotaPool('mailbox', this.#limits.mailbox, this.#clock, this.#traffic)
    this.#mailboxes.set(key, pool)
    return pool
  }

  #forgetIdle(): void {
    for (const [key, pool] of this.#mailboxes) if (pool.isIdle) this.#mailboxes.delete(key)
  }
}
