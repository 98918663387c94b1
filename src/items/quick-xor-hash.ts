const BITS = 160
const BYTES = BITS / 8
const SHIFT = 11
const SCRATCH_BYTES = BITS * 256

/**
 * QuickXorHash, the checksum of OneDrive for Business and SharePoint: byte i is xored into a 160-bit ring at bit 11·i,
 * the length into the last eight bytes. Feed it any number of times, then ask once for `digest`.
 */
export class QuickXorHash {
  // Bytes that are 160 apart fall on the same bit, so they are xored together first and spread once at the end.
  readonly #columns = new Uint8Array(BITS)
  readonly #words = new Int32Array(this.#columns.buffer)
  #scratch: Uint8Array<ArrayBuffer> | undefined
  #length = 0

  update(chunk: Uint8Array): this {
    let at = this.#addBytes(chunk, 0, Math.min(chunk.length, this.#bytesToNextRow()))
    const wholeEnd = at + Math.floor((chunk.length - at) / BITS) * BITS
    if ((chunk.byteOffset + at) % 4 === 0) {
      this.#addRows(new Int32Array(chunk.buffer, chunk.byteOffset + at, (wholeEnd - at) / 4))
    } else {
      this.#addUnaligned(chunk, at, wholeEnd)
    }
    this.#length += wholeEnd - at
    at = wholeEnd
    this.#addBytes(chunk, at, chunk.length)
    return this
  }

  /** Base64, as the service writes it. */
  digest(): string {
    const ring = new Uint8Array(BYTES)
    for (let column = 0; column < BITS; column += 1) {
      const bit = (column * SHIFT) % BITS
      const first = bit >> 3
      const value = this.#columns[column]! << (bit & 7)
      ring[first]! ^= value & 0xff
      ring[(first + 1) % BYTES]! ^= value >> 8
    }
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(this.#length))
    length.forEach((byte, index) => (ring[BYTES - 8 + index]! ^= byte))
    return Buffer.from(ring).toString('base64')
  }

  #bytesToNextRow(): number {
    return (BITS - (this.#length % BITS)) % BITS
  }

  #addBytes(chunk: Uint8Array, from: number, to: number): number {
    let column = this.#length % BITS
    for (let at = from; at < to; at += 1) {
      this.#columns[column]! ^= chunk[at]!
      column = column + 1 === BITS ? 0 : column + 1
    }
    this.#length += to - from
    return to
  }

  #addRows(rows: Int32Array): void {
    const words = this.#words
    const perRow = words.length
    for (let row = 0; row < rows.length; row += perRow) {
      for (let word = 0; word < perRow; word += 1) words[word]! ^= rows[row + word]!
    }
  }

  #addUnaligned(chunk: Uint8Array, from: number, to: number): void {
    this.#scratch ??= new Uint8Array(SCRATCH_BYTES)
    for (let at = from; at < to; at += SCRATCH_BYTES) {
      const part = chunk.subarray(at, Math.min(to, at + SCRATCH_BYTES))
      this.#scratch.set(part)
      this.#addRows(new Int32Array(this.#scratch.buffer, 0, part.length / 4))
    }
  }
}
