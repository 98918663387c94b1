import { HoldfastError, type Clock } from '#base'
import { loginFailureRows, type Database } from '#database'

const FREE_FAILURES = 5
const FIRST_WAIT_MS = 60_000
const LONGEST_WAIT_MS = 15 * 60_000
const FORGOTTEN_AFTER_MS = 24 * 3_600_000

const waitAfter = (failures: number): number =>
  failures < FREE_FAILURES ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (failures - FREE_FAILURES), LONGEST_WAIT_MS)

/** Makes guessing slow: by account name, whether anybody has that name or not. */
export class LockOut {
  readonly #database: Database
  readonly #clock: Clock

  constructor(parts: { readonly database: Database; readonly clock: Clock }) {
    this.#database = parts.database
    this.#clock = parts.clock
  }

  /** Throws `throttled` while the account has to wait. */
  async check(accountKey: string): Promise<void> {
    const row = await loginFailureRows.find(this.#database.queries, accountKey)
    const retryAfterMs = (row?.lockedUntil?.getTime() ?? 0) - this.#clock.nowMs()
    if (retryAfterMs > 0)
      throw new HoldfastError('throttled', 'too many failed log-ins: wait before the next one', {
        retryAfterMs,
      })
  }

  async failed(accountKey: string): Promise<void> {
    const now = this.#clock.nowMs()
    await this.#database.transaction(async (queries) => {
      await loginFailureRows.removeBefore(queries, new Date(now - FORGOTTEN_AFTER_MS))
      const failures = ((await loginFailureRows.find(queries, accountKey))?.failures ?? 0) + 1
      const wait = waitAfter(failures)
      const lock = wait === 0 ? {} : { lockedUntil: new Date(now + wait) }
      await loginFailureRows.put(queries, { accountKey, failures, lastFailedAt: new Date(now), ...lock })
    })
  }

  async succeeded(accountKey: string): Promise<void> {
    await loginFailureRows.remove(this.#database.queries, accountKey)
  }
}
