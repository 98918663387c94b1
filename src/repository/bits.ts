const FIRST_BYTES = 1 << 10

/** A set of small numbers, a bit each. */
export class Bits {
  #bits: Uint8Array
  #isEmpty = true

  /** Room for numbers below `expected`; it grows when larger ones come. */
  constructor(expected = 0) {
    this.#bits = new Uint8Array((expected + 7) >> 3)
  }

  get isEmpty(): boolean {
    return this.#isEmpty
  }

  /** Whether it was not there before. */
  add(number: number): boolean {
    const at = number >> 3
    if (at >= this.#bits.length) this.#grow(at)
    const bit = 1 << (number & 7)
    if ((this.#bits[at]! & bit) !== 0) return false
    this.#bits[at]! |= bit
    this.#isEmpty = false
    return true
  }

  has(number: number): boolean {
    return ((this.#bits[number >> 3] ?? 0) & (1 << (number & 7))) !== 0
  }

  #grow(at: number): void {
    const bits = new Uint8Array(Math.max(FIRST_BYTES, at + 1, this.#bits.length * 2))
    bits.set(this.#bits)
    this.#bits = bits
  }
}
