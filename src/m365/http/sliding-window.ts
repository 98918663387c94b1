const SLOTS = 60

/** Counts units so that never more than `units` fall into any stretch of `ms`. Precise to a sixtieth of the stretch, on the safe side. */
export class SlidingWindow {
  readonly #units: number
  readonly #slotMs: number
  readonly #slots: { slot: number; units: number }[] = []
  #used = 0

  constructor(units: number, ms: number) {
    this.#units = units
    this.#slotMs = ms / SLOTS
  }

  /** Milliseconds until `cost` fits; 0 when it fits now. A cost above the whole allowance passes alone. */
  waitMs(cost: number, nowMs: number): number {
    this.#forget(nowMs)
    let toFree = this.#used + Math.min(cost, this.#units) - this.#units
    if (toFree <= 0) return 0
    for (const { slot, units } of this.#slots) {
      toFree -= units
      if (toFree <= 0) return (slot + SLOTS + 1) * this.#slotMs - nowMs
    }
    return this.#slotMs
  }

  add(cost: number, nowMs: number): void {
    const slot = Math.floor(nowMs / this.#slotMs)
    const last = this.#slots.at(-1)
    if (last?.slot === slot) last.units += cost
    else this.#slots.push({ slot, units: cost })
    this.#used += cost
  }

  #forget(nowMs: number): void {
    const oldest = Math.floor(nowMs / this.#slotMs) - SLOTS
    while (this.#slots[0] !== undefined && this.#slots[0].slot < oldest)
      this.#used -= this.#slots.shift()!.units
  }
}
