import { systemClock, type Clock } from '#base'

const LOOK_MS = 100

/** Real time, moved on by a test. Whoever sleeps wakes when it has come, be it by itself or by the move. */
export class MovedClock implements Clock {
  #shiftMs = 0

  now(): Date {
    return new Date(this.nowMs())
  }

  nowMs(): number {
    return systemClock.nowMs() + this.#shiftMs
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const until = this.nowMs() + ms
    do await systemClock.sleep(Math.max(0, Math.min(until - this.nowMs(), LOOK_MS)), signal)
    while (this.nowMs() < until)
  }

  moveOn(ms: number): void {
    this.#shiftMs += ms
  }
}
