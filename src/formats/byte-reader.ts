import { corrupt } from '#base'

/** Reads a stream of bytes by lines, by length and up to a delimiter. Holds one piece, and what a search must look back on. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>
  #buffer: Buffer = Buffer.alloc(0)
  #ended = false

  constructor(bytes: Uint8Array | AsyncIterable<Uint8Array>) {
    this.#source = (bytes instanceof Uint8Array ? once(bytes) : bytes)[Symbol.asyncIterator]()
  }

  /** A line without its CRLF. Throws `corrupt` past `maxBytes` or at the end of the stream. */
  async line(maxBytes: number): Promise<string> {
    let from = 0
    for (;;) {
      const end = this.#buffer.indexOf('\r\n', from)
      if (end >= 0 && end <= maxBytes) return this.#take(end + 2).toString('utf8', 0, end)
      if (end > maxBytes || this.#buffer.length > maxBytes)
        throw corrupt('a line of the item file is too long')
      from = Math.max(0, this.#buffer.length - 1)
      if (!(await this.#fill())) throw corrupt('the item file ends within a line')
    }
  }

  async exactly(length: number): Promise<Buffer> {
    const pieces: Uint8Array[] = []
    for await (const piece of this.stream(length)) pieces.push(piece)
    return pieces.length === 1 ? Buffer.from(pieces[0]!) : Buffer.concat(pieces)
  }

  async *stream(length: number): AsyncGenerator<Uint8Array> {
    let left = length
    while (left > 0) {
      if (this.#buffer.length === 0 && !(await this.#fill())) throw corrupt('the item file ends too early')
      const piece = this.#take(Math.min(left, this.#buffer.length))
      left -= piece.length
      yield piece
    }
  }

  /** Everything before `delimiter`; the reader then stands at it. */
  async *until(delimiter: Buffer): AsyncGenerator<Uint8Array> {
    for (;;) {
      const at = this.#buffer.indexOf(delimiter)
      if (at > 0) yield this.#take(at)
      if (at >= 0) return
      const safe = this.#buffer.length - delimiter.length + 1
      if (safe > 0) yield this.#take(safe)
      if (!(await this.#fill())) throw corrupt('the item file ends within a part')
    }
  }

  /** Closes the stream below. */
  async close(): Promise<void> {
    this.#ended = true
    await this.#source.return?.()
  }

  #take(length: number): Buffer {
    const taken = this.#buffer.subarray(0, length)
    this.#buffer = this.#buffer.subarray(length)
    return taken
  }

  async #fill(): Promise<boolean> {
    if (this.#ended) return false
    const next = await this.#source.next()
    if (next.done === true) {
      this.#ended = true
      return false
    }
    const { buffer, byteOffset, byteLength } = next.value
    const piece = Buffer.from(buffer, byteOffset, byteLength)
    this.#buffer = this.#buffer.length === 0 ? piece : Buffer.concat([this.#buffer, piece])
    return true
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
