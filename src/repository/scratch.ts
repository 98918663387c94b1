import { newBuffer } from './release.ts'

/** What is kept; a tree may have hundreds of megabytes. */
const LARGEST_KEPT = 16 * 1024 * 1024

/** Memory of a thread for what is used up before the next call: grows to what was needed and is used again. */
export class Scratch {
  #memory = newBuffer(0)

  take(bytes: number): Uint8Array<ArrayBuffer> {
    if (bytes > LARGEST_KEPT) return newBuffer(bytes)
    if (bytes > this.#memory.length) {
      this.#memory = newBuffer(Math.min(LARGEST_KEPT, Math.max(bytes, this.#memory.length * 2)))
    }
    return this.#memory.subarray(0, bytes)
  }
}
