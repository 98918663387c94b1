const FIRST_SLOTS = 1 << 10
const FULL = 0.7
/** As many bits as a number holds exactly. */
const HIGH = 2 ** 32
const HIGH_BITS = 0x1fffff

/** Lists of numbers, known by 53 bits of hash: 12 to 23 bytes each, and equal ones but for a chance in thousands of millions. */
export class HashSet {
  #slots = new Float64Array(FIRST_SLOTS)
  #size = 0

  /** Whether it was not there before. */
  add(numbers: readonly number[]): boolean {
    const hash = hashOf(numbers)
    const slot = slotOf(this.#slots, hash)
    if (this.#slots[slot] === hash) return false
    this.#slots[slot] = hash
    this.#size += 1
    if (this.#size > this.#slots.length * FULL) this.#grow()
    return true
  }

  #grow(): void {
    const slots = new Float64Array(this.#slots.length * 2)
    for (const hash of this.#slots) if (hash !== 0) slots[slotOf(slots, hash)] = hash
    this.#slots = slots
  }
}

const slotOf = (slots: Float64Array, hash: number): number => {
  const mask = slots.length - 1
  let slot = (hash % HIGH) & mask
  while (slots[slot] !== 0 && slots[slot] !== hash) slot = (slot + 1) & mask
  return slot
}

/** Never 0. Two rounds of Murmur's mixing, with different seeds. */
const hashOf = (numbers: readonly number[]): number => {
  let [low, high] = [0x9747b28c, 0x5bd1e995]
  for (const number of numbers) {
    low = mixed(low ^ number)
    high = mixed(high + Math.imul(number, 0x27d4eb2f))
  }
  return ((high ^ numbers.length) & HIGH_BITS) * HIGH + (mixed(low) >>> 0) || 1
}

const mixed = (value: number): number => {
  let bits = value | 0
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return bits ^ (bits >>> 16)
}
