import { type Cipheriv, createCipheriv, timingSafeEqual } from 'node:crypto'
import { release } from '../release.ts'
import { authenticate, IV_BYTES, type KeySet, MAC_BYTES, oneTimeKeys, SEAL_BYTES } from './sealing.ts'

// The same sealing for many blobs at a time. Setting up a cipher takes longer than enciphering a mail, so counters of
// small texts go through one cipher in ECB mode, which is what CTR mode does inside. A cipher returns new memory for all
// it is given; in small pieces that is memory which was just used, in large ones the system has to bring new pages.

const SMALL_BYTES = 32 * 1024
const PIECE_BYTES = 64 * 1024
const BLOCK = 16

/** Seals texts one behind the other into one buffer; `ivs` holds 16 fresh random bytes for each. */
export const sealMany = (
  key: KeySet,
  texts: readonly Uint8Array[],
  ivs: Uint8Array,
): Uint8Array<ArrayBuffer> => {
  const oneTime = oneTimeKeys(key, ivs)
  const sealed = Buffer.allocUnsafeSlow(texts.reduce((sum, text) => sum + text.length + SEAL_BYTES, 0))
  const encipher = new Encipherer(key)
  let at = 0
  texts.forEach((text, number) => {
    const iv = ivs.subarray(number * IV_BYTES, (number + 1) * IV_BYTES)
    sealed.set(iv, at)
    const target = sealed.subarray(at + IV_BYTES, at + IV_BYTES + text.length)
    encipher.into(target, iv, text)
    at += IV_BYTES + text.length
    sealed.set(authenticate(target, oneTimeOf(oneTime, number)), at)
    at += MAC_BYTES
  })
  return sealed
}

/**
 * Opens sealed texts one after the other. `use` gets each plaintext, which stands in memory that the next one takes again;
 * undefined for one that fails its authentication.
 */
export const openMany = (
  key: KeySet,
  sealed: readonly Uint8Array[],
  use: (plain: Uint8Array | undefined, number: number) => void,
): void => {
  const ivs = new Uint8Array(sealed.length * IV_BYTES)
  sealed.forEach((bytes, number) => ivs.set(bytes.subarray(0, IV_BYTES), number * IV_BYTES))
  const oneTime = oneTimeKeys(key, ivs)
  const encipher = new Encipherer(key)
  const memory = Buffer.allocUnsafeSlow(sealed.reduce((most, { length }) => Math.max(most, length), 0))
  sealed.forEach((bytes, number) => {
    if (!isAuthentic(bytes, oneTimeOf(oneTime, number))) return use(undefined, number)
    const text = bytes.subarray(IV_BYTES, bytes.length - MAC_BYTES)
    const plain = memory.subarray(0, text.length)
    encipher.into(plain, bytes.subarray(0, IV_BYTES), text)
    use(plain, number)
  })
  release(memory)
}

const oneTimeOf = (keys: Uint8Array, number: number): Uint8Array =>
  keys.subarray(number * 2 * IV_BYTES, (number + 1) * 2 * IV_BYTES)

const isAuthentic = (sealed: Uint8Array, oneTime: Uint8Array): boolean => {
  if (sealed.length < SEAL_BYTES) return false
  const text = sealed.subarray(IV_BYTES, sealed.length - MAC_BYTES)
  return timingSafeEqual(authenticate(text, oneTime), sealed.subarray(sealed.length - MAC_BYTES))
}

/** AES-256-CTR, which is its own inverse. */
class Encipherer {
  readonly #key: KeySet
  readonly #blocks: Cipheriv
  readonly #counters = Buffer.allocUnsafeSlow(SMALL_BYTES)
  readonly #words = new Uint32Array(SMALL_BYTES / 4)

  constructor(key: KeySet) {
    this.#key = key
    this.#blocks = createCipheriv('aes-256-ecb', key.encrypt, null).setAutoPadding(false)
  }

  into(target: Uint8Array, iv: Uint8Array, text: Uint8Array): void {
    if (text.length <= SMALL_BYTES) return this.#small(target, iv, text)
    const cipher = createCipheriv('aes-256-ctr', this.#key.encrypt, iv)
    for (let at = 0; at < text.length; at += PIECE_BYTES) {
      target.set(cipher.update(text.subarray(at, at + PIECE_BYTES)), at)
    }
  }

  #small(target: Uint8Array, iv: Uint8Array, text: Uint8Array): void {
    const blocks = Math.ceil(text.length / BLOCK)
    fillCounters(this.#counters, iv, blocks)
    const stream = wordsOf(this.#blocks.update(this.#counters.subarray(0, blocks * BLOCK)))
    const words = this.#words
    const bytes = new Uint8Array(words.buffer, 0, text.length)
    bytes.set(text)
    for (let each = 0; each < stream.length; each += 1) words[each] = words[each]! ^ stream[each]!
    target.set(bytes)
  }
}

/** Counter blocks from the IV on, counting all 128 bits big-endian. */
const fillCounters = (counters: Buffer, iv: Uint8Array, blocks: number): void => {
  const view = new DataView(counters.buffer)
  const start = new DataView(iv.buffer, iv.byteOffset, IV_BYTES)
  const high = start.getUint32(0)
  const upper = start.getUint32(4)
  const middle = start.getUint32(8)
  const low = start.getUint32(12)
  for (let block = 0, at = 0; block < blocks; block += 1, at += BLOCK) {
    const count = low + block
    const isCarried = count > 0xffffffff
    const isCarriedOn = isCarried && middle === 0xffffffff
    const isCarriedUp = isCarriedOn && upper === 0xffffffff
    view.setUint32(at, isCarriedUp ? high + 1 : high)
    view.setUint32(at + 4, isCarriedOn ? upper + 1 : upper)
    view.setUint32(at + 8, isCarried ? middle + 1 : middle)
    view.setUint32(at + 12, count)
  }
}

const wordsOf = (bytes: Uint8Array): Uint32Array => {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : Uint8Array.from(bytes)
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4)
}
