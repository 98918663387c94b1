import type { Clock } from '#base'
import { SlidingWindow } from './sliding-window.ts'
import type { TrafficCounter } from './traffic.ts'

export interface PoolLimits {
  readonly concurrent: number
  /** At most `units` in any stretch of `ms`. Absent: only what the service tells about is kept. */
  readonly allowance?: { readonly units: number; readonly ms: number }
}

/** What the service said about its allowance with an answer. */
export interface RateNotice {
  /** Units left until the reset. */
  readonly remaining: number
  readonly resetMs: number
}

interface Waiter {
  readonly cost: number
  readonly sleptBefore: number
  readonly start: () => void
}

/**
 * One allowance of the service (a mailbox, the drives, the directory of a tenant) as one application sees it. Calls start
 * in the order they asked, never more at once and never more per time than allowed, and none during a pause.
 */
export class QuotaPool {
  readonly name: string
  readonly #limits: PoolLimits
  readonly #clock: Clock
  readonly #traffic: TrafficCounter
  readonly #window: SlidingWindow | undefined
  readonly #waiting: Waiter[] = []
  #running = 0
  #runningCost = 0
  #pausedUntil = 0
  #notice: { remaining: number; resetAt: number } | undefined
  #sleep: AbortController | undefined
  #sleptMs = 0

  constructor(name: string, limits: PoolLimits, clock: Clock, traffic: TrafficCounter) {
    this.name = name
    this.#limits = limits
    this.#clock = clock
    this.#traffic = traffic
    if (limits.allowance !== undefined) {
      this.#window = new SlidingWindow(limits.allowance.units, limits.allowance.ms)
    }
  }

  /** Nothing runs, waits or is remembered: the pool may be dropped and made anew. */
  get isIdle(): boolean {
    const now = this.#clock.nowMs()
    return (
      this.#running === 0 &&
      this.#waiting.length === 0 &&
      this.#pausedUntil <= now &&
      (this.#window?.waitMs(Number.MAX_SAFE_INTEGER, now) ?? 0) === 0
    )
  }

  /** Waits for a place. The caller disposes of it when the answer has been read. */
  async enter(cost: number, signal?: AbortSignal): Promise<Disposable> {
    signal?.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const waiter: Waiter = {
        cost,
        sleptBefore: this.#sleptMs,
        start: () => {
          signal?.removeEventListener('abort', leave)
          resolve()
        },
      }
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
        if (this.#waiting.length === 0) this.#sleep?.abort()
        reject(signal?.reason as Error)
      }
      signal?.addEventListener('abort', leave, { once: true })
      this.#waiting.push(waiter)
      this.#startWhatMay()
    })
    return { [Symbol.dispose]: this.#leaver(cost) }
  }

  /** Starts nothing for `ms`. A shorter pause never cuts a longer one. */
  pause(ms: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#clock.nowMs() + ms)
  }

  /** Keeps to what the service says is left. What is running may not be counted in it yet. */
  learn(notice: RateNotice): void {
    const resetAt = this.#clock.nowMs() + notice.resetMs
    const remaining = Math.max(0, notice.remaining - this.#runningCost)
    const known = this.#notice
    const isSameStretch = known !== undefined && Math.abs(known.resetAt - resetAt) < 2000
    this.#notice = { resetAt, remaining: isSameStretch ? Math.min(known.remaining, remaining) : remaining }
  }

  #leaver(cost: number): () => void {
    let hasLeft = false
    return () => {
      if (hasLeft) return
      hasLeft = true
      this.#running -= 1
      this.#runningCost -= cost
      this.#startWhatMay()
    }
  }

  #startWhatMay(): void {
    while (this.#running < this.#limits.concurrent) {
      const next = this.#waiting[0]
      if (next === undefined) return
      const waitMs = this.#waitMs(next.cost)
      if (waitMs > 0) {
        this.#wakeAfter(waitMs)
        return
      }
      this.#waiting.shift()
      this.#start(next)
    }
  }

  #start(waiter: Waiter): void {
    this.#running += 1
    this.#runningCost += waiter.cost
    this.#window?.add(waiter.cost, this.#clock.nowMs())
    if (this.#notice !== undefined) this.#notice.remaining -= waiter.cost
    this.#traffic.waitedMs += this.#sleptMs - waiter.sleptBefore
    waiter.start()
  }

  #waitMs(cost: number): number {
    const now = this.#clock.nowMs()
    if (this.#notice !== undefined && this.#notice.resetAt <= now) this.#notice = undefined
    const untilReset =
      this.#notice !== undefined && this.#notice.remaining < cost ? this.#notice.resetAt - now : 0
    return Math.max(this.#pausedUntil - now, untilReset, this.#window?.waitMs(cost, now) ?? 0)
  }

  #wakeAfter(ms: number): void {
    if (this.#sleep !== undefined) return
    const sleep = new AbortController()
    this.#sleep = sleep
    const since = this.#clock.nowMs()
    const wake = (): void => {
      this.#sleep = undefined
      this.#sleptMs += this.#clock.nowMs() - since
      this.#startWhatMay()
    }
    this.#clock.sleep(Math.ceil(ms), sleep.signal).then(wake, wake)
  }
}
