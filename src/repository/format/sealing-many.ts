import { createCipheriv, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import { authenticate, IV_BYTES, type KeySet, MAC_BYTES, oneTimeKeys, SEAL_BYTES } from './sealing.ts'

/** A cipher returns new memory for all it is given: in pieces of this size it is memory that was just given back. */
const PIECE_BYTES = 64 * 1024

/**
 * Seals and opens many texts with one key, each by the number of its IV. Costs of a single text that are no work on its
 * bytes are saved: key schedules, the calls for the one-time keys, and memory.
 */
export class ManySeals {
  /** With bytes in its place, making a cipher takes three times as long. */
  readonly #encrypt: KeyObject
  readonly #ivs: Uint8Array
  readonly #oneTime: Uint8Array

  /** `ivs` holds 16 bytes for each text: fresh and random for sealing. */
  constructor(key: KeySet, ivs: Uint8Array) {
    this.#encrypt = createSecretKey(key.encrypt)
    this.#ivs = ivs
    this.#oneTime = oneTimeKeys(key, ivs)
  }

  /** Seals into `target`, and returns what was written. The text may begin in the same memory 16 bytes behind it or later. */
  seal(number: number, text: Uint8Array, target: Uint8Array): number {
    const iv = this.#iv(number)
    target.set(iv)
    const sealed = target.subarray(IV_BYTES, IV_BYTES + text.length)
    this.#encipher(iv, text, sealed)
    target.set(authenticate(sealed, this.#oneTimeKey(number)), IV_BYTES + text.length)
    return text.length + SEAL_BYTES
  }

  /** Opens into `target`, and returns the length of the text; undefined, and nothing written, when it is not authentic. */
  open(number: number, sealed: Uint8Array, target: Uint8Array): number | undefined {
    if (sealed.length < SEAL_BYTES) return undefined
    const text = sealed.subarray(IV_BYTES, sealed.length - MAC_BYTES)
    const mac = authenticate(text, this.#oneTimeKey(number))
    if (!timingSafeEqual(mac, sealed.subarray(sealed.length - MAC_BYTES))) return undefined
    this.#encipher(sealed.subarray(0, IV_BYTES), text, target)
    return text.length
  }

  #iv(number: number): Uint8Array {
    return this.#ivs.subarray(number * IV_BYTES, (number + 1) * IV_BYTES)
  }

  #oneTimeKey(number: number): Uint8Array {
    return this.#oneTime.subarray(number * 2 * IV_BYTES, (number + 1) * 2 * IV_BYTES)
  }

  /** AES-256-CTR, which is its own inverse. */
  #encipher(iv: Uint8Array, text: Uint8Array, target: Uint8Array): void {
    const cipher = createCipheriv('aes-256-ctr', this.#encrypt, iv)
    for (let at = 0; at < text.length; at += PIECE_BYTES) {
      const piece = cipher.update(text.subarray(at, at + PIECE_BYTES))
      target.set(piece, at)
      // Left to the garbage collector, the memory would go back to the system, and the next piece would need new pages.
      if (isAlone(piece)) piece.buffer.transfer(0)
    }
  }
}

const isAlone = (bytes: Buffer): bytes is Buffer<ArrayBuffer> =>
  bytes.buffer instanceof ArrayBuffer && bytes.length === bytes.buffer.byteLength

/** The IVs of sealed texts, one behind the other. */
export const ivsOf = (sealed: readonly Uint8Array[]): Uint8Array => {
  const ivs = new Uint8Array(sealed.length * IV_BYTES)
  sealed.forEach((bytes, number) => ivs.set(bytes.subarray(0, IV_BYTES), number * IV_BYTES))
  return ivs
}
