// The register is 160 bits wide and byte i enters at bit 11·i mod 160, so bytes 160 apart meet at the same place:
// the message is first folded by plain XOR into 160 bytes, whole words at a time, and turned into the register at the end.
const PERIOD = 160
const WORDS = PERIOD / 4
const SHIFT = 11
const REGISTER_BYTES = 20
const SCRATCH_BYTES = PERIOD * 256

/** quickXorHash of OneDrive and SharePoint, fed piece by piece. The tenant's own, so that it can contradict whoever backs it up. */
export class QuickXorHash {
  readonly #folded = new Uint32Array(WORDS)
  readonly #bytes = new Uint8Array(this.#folded.buffer)
  #length = 0

  update(data: Uint8Array): this {
    const head = Math.min(data.length, (PERIOD - (this.#length % PERIOD)) % PERIOD)
    this.#foldBytes(data.subarray(0, head))
    const whole = data.length - head - ((data.length - head) % PERIOD)
    this.#foldBlocks(data.subarray(head, head + whole))
    this.#foldBytes(data.subarray(head + whole))
    return this
  }

  /** A hash that goes on from here on its own. */
  copy(): QuickXorHash {
    const copy = new QuickXorHash()
    copy.#folded.set(this.#folded)
    copy.#length = this.#length
    return copy
  }

  /** 20 bytes in base64. */
  digest(): string {
    const register = Buffer.alloc(REGISTER_BYTES)
    for (let i = 0; i < PERIOD; i += 1) {
      const bit = (i * SHIFT) % (REGISTER_BYTES * 8)
      const at = bit >> 3
      const spread = this.#bytes[i]! << (bit & 7)
      register[at]! ^= spread & 0xff
      register[(at + 1) % REGISTER_BYTES]! ^= spread >> 8
    }
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(this.#length))
    for (let i = 0; i < 8; i += 1) register[REGISTER_BYTES - 8 + i]! ^= length[i]!
    return register.toString('base64')
  }

  #foldBytes(data: Uint8Array): void {
    const start = this.#length % PERIOD
    for (let i = 0; i < data.length; i += 1) this.#bytes[start + i]! ^= data[i]!
    this.#length += data.length
  }

  /** Whole periods only, at a position that is a whole number of periods. */
  #foldBlocks(data: Uint8Array): void {
    if (data.byteOffset % 4 === 0) this.#foldAligned(data)
    else {
      const scratch = new Uint8Array(Math.min(SCRATCH_BYTES, data.length))
      for (let at = 0; at < data.length; at += SCRATCH_BYTES) {
        const piece = data.subarray(at, at + SCRATCH_BYTES)
        scratch.set(piece)
        this.#foldAligned(scratch.subarray(0, piece.length))
      }
    }
    this.#length += data.length
  }

  #foldAligned(data: Uint8Array): void {
    const words = new Uint32Array(data.buffer, data.byteOffset, data.length / 4)
    const folded = this.#folded
    for (let at = 0; at < words.length; at += WORDS) {
      for (let j = 0; j < WORDS; j += 1) folded[j]! ^= words[at + j]!
    }
  }
}

export const quickXorHash = (data: Uint8Array): string => new QuickXorHash().update(data).digest()
