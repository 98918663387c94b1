import type { Clock } from '#base'

/** A wait is cut into pieces of this length, so that a changed limit holds for those who wait already. */
const LONGEST_SLEEP_MS = 1_000

/**
 * A rate that everybody who shares it keeps together: what is spent is paid for in order, and each waits until those
 * before have paid. What is spent at once goes at once; the average is kept by whoever comes next.
 */
export class Bandwidth {
  readonly #clock: Clock
  #bytesPerSecond: number | undefined
  #spentBytes = 0
  #paidBytes = 0
  #atMs: number

  constructor(clock: Clock, bytesPerSecond?: number) {
    this.#clock = clock
    this.#bytesPerSecond = bytesPerSecond
    this.#atMs = clock.nowMs()
  }

  /** Undefined: no limit. Holds at once, for those who wait as well. */
  limit(bytesPerSecond: number | undefined): void {
    this.#pay()
    this.#bytesPerSecond = bytesPerSecond
  }

  /** Undefined when nobody has to wait. */
  spend(bytes: number, signal?: AbortSignal): Promise<void> | undefined {
    if (this.#bytesPerSecond === undefined) return undefined
    this.#pay()
    const before = this.#spentBytes
    this.#spentBytes += bytes
    return this.#missing(before) > 0 ? this.#wait(before, signal) : undefined
  }

  async #wait(before: number, signal: AbortSignal | undefined): Promise<void> {
    for (let ms = this.#missing(before); ms > 0; ms = this.#missing(before)) {
      await this.#clock.sleep(Math.min(ms, LONGEST_SLEEP_MS), signal)
      this.#pay()
    }
  }

  /** Milliseconds until so many bytes are paid for. */
  #missing(bytes: number): number {
    if (this.#bytesPerSecond === undefined) return 0
    return Math.ceil(((bytes - this.#paidBytes) / this.#bytesPerSecond) * 1000)
  }

  #pay(): void {
    const nowMs = this.#clock.nowMs()
    const rate = this.#bytesPerSecond
    // A clock that was set back must not make anybody wait for it.
    const paid = rate === undefined ? Infinity : (Math.max(0, nowMs - this.#atMs) * rate) / 1000
    this.#paidBytes = Math.min(this.#spentBytes, this.#paidBytes + paid)
    this.#atMs = nowMs
  }
}
