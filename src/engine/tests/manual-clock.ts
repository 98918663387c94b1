import type { Clock } from '#base'

/** A clock that stands still until it is moved, and whose sleepers wake when their time has come. */
export class ManualClock implements Clock {
  #ms: number
  readonly #sleepers = new Set<{ readonly untilMs: number; readonly wake: () => void }>()

  constructor(at: string) {
    this.#ms = new Date(at).getTime()
  }

  now(): Date {
    return new Date(this.#ms)
  }

  nowMs(): number {
    return this.#ms
  }

  set(at: string): void {
    this.advance(new Date(at).getTime() - this.#ms)
  }

  advance(ms: number): void {
    this.#ms += ms
    for (const sleeper of [...this.#sleepers]) if (sleeper.untilMs <= this.#ms) sleeper.wake()
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const leave = (end: () => void) => () => {
        this.#sleepers.delete(sleeper)
        signal?.removeEventListener('abort', abort)
        end()
      }
      const sleeper = { untilMs: this.#ms + ms, wake: leave(resolve) }
      const abort = leave(() => reject(signal?.reason as Error))
      signal?.addEventListener('abort', abort)
      this.#sleepers.add(sleeper)
    })
  }
}
