import { newBuffer, release } from './release.ts'

/** Larger buffers are rounded up to it, so that one serves for the other. */
const STEP_BYTES = 1024 * 1024
/** What lies idle at most. */
const IDLE_BYTES = 48 * 1024 * 1024

/** Large buffers that go around. Bringing new pages costs as much as hashing them; those that were used are there. */
export class Buffers {
  readonly #idle: Uint8Array<ArrayBuffer>[] = []
  #idleBytes = 0

  /** At least so many bytes, not cleared. */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    const step = bytes > 8 * STEP_BYTES ? 8 * STEP_BYTES : STEP_BYTES
    const wanted = Math.ceil(bytes / step) * step
    const at = this.#idle.findLastIndex(({ length }) => length === wanted)
    if (at === -1) return newBuffer(wanted)
    const [found] = this.#idle.splice(at, 1)
    this.#idleBytes -= wanted
    return found!
  }

  /** Nobody may look at the buffer any more. */
  give({ buffer }: Uint8Array<ArrayBuffer>): void {
    if (buffer.byteLength === 0 || buffer.byteLength % STEP_BYTES !== 0)
      return release(new Uint8Array(buffer))
    this.#idle.push(new Uint8Array(buffer))
    this.#idleBytes += buffer.byteLength
    while (this.#idleBytes > IDLE_BYTES) {
      const oldest = this.#idle.shift()!
      this.#idleBytes -= oldest.length
      release(oldest)
    }
  }
}
