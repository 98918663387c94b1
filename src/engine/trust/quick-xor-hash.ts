const WIDTH_BITS = 160
const SHIFT_BITS = 11

/** The hash that OneDrive tells of a file: each byte is turned in 11 bits further on, and the length is turned in at the end. */
export class QuickXorHash {
  readonly #cells = new Uint8Array(WIDTH_BITS / 8)
  #at = 0
  #length = 0

  update(bytes: Uint8Array): void {
    for (const byte of bytes) {
      const cell = this.#at >> 3
      const shift = this.#at & 7
      this.#cells[cell]! ^= (byte << shift) & 0xff
      this.#cells[(cell + 1) % this.#cells.length]! ^= byte >> (8 - shift)
      this.#at = (this.#at + SHIFT_BITS) % WIDTH_BITS
    }
    this.#length += bytes.length
  }

  /** Base64, as the service tells it. */
  digest(): string {
    const result = Buffer.from(this.#cells)
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(this.#length))
    for (const [at, byte] of length.entries()) result[result.length - 8 + at]! ^= byte
    return result.toString('base64')
  }
}
