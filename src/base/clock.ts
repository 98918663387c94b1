import { setTimeout as delay } from 'node:timers/promises'

/** Time, passed in so that tests can hold it. */
export interface Clock {
  now(): Date
  /** Milliseconds since 1970. */
  nowMs(): number
  /** Resolves after `ms` milliseconds; rejects with an AbortError when the signal fires. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => new Date(),
  nowMs: () => Date.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal === undefined ? {} : { signal })
  },
}

/** A clock that stands still until it is moved. `sleep` moves it and returns at once. */
export class FixedClock implements Clock {
  #ms: number
  constructor(at: string | number | Date) {
    this.#ms = new Date(at).getTime()
  }
  now(): Date {
    return new Date(this.#ms)
  }
  nowMs(): number {
    return this.#ms
  }
  advance(ms: number): void {
    this.#ms += ms
  }
  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    this.#ms += ms
    await Promise.resolve()
  }
}
