import { performance } from 'node:perf_hooks'

/** Whether the server has so much to do that it takes no new work. */
export interface Load {
  readonly isOverloaded: boolean
  /** How late timers are, in milliseconds. */
  readonly lagMs: number
}

export const MOST_LAG_MS = 500
const SAMPLE_MS = 500

/**
 * How late the event loop is. One long step, such as reading a large folder, is no overload: two samples in a row
 * have to be late.
 */
export class EventLoopLoad implements Load, Disposable {
  readonly #timer: NodeJS.Timeout
  #lags: readonly [before: number, now: number] = [0, 0]
  #sampledAt = performance.now()

  constructor() {
    this.#timer = setInterval(() => {
      const at = performance.now()
      this.sample(at - this.#sampledAt - SAMPLE_MS)
      this.#sampledAt = at
    }, SAMPLE_MS)
    this.#timer.unref()
  }

  sample(lagMs: number): void {
    this.#lags = [this.#lags[1], Math.max(0, lagMs)]
  }

  get lagMs(): number {
    return Math.round(Math.min(...this.#lags))
  }
  get isOverloaded(): boolean {
    return this.lagMs > MOST_LAG_MS
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}
