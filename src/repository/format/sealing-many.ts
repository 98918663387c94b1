import { createCipheriv, timingSafeEqual } from 'node:crypto'
import { authenticate, IV_BYTES, type KeySet, MAC_BYTES, oneTimeKeys, SEAL_BYTES } from './sealing.ts'

// The same sealing for many blobs at a time. Setting up a cipher takes longer than enciphering a mail, so counters of all
// small texts go through one call in ECB mode, which is what CTR mode does inside.

const SMALL_BYTES = 32 * 1024
const BLOCK = 16

interface Text {
  readonly iv: Uint8Array
  readonly text: Uint8Array
}

/** Seals texts one behind the other into one buffer; `ivs` holds 16 fresh random bytes for each. */
export const sealMany = (
  key: KeySet,
  texts: readonly Uint8Array[],
  ivs: Uint8Array,
): Uint8Array<ArrayBuffer> => {
  const ivOf = (number: number): Uint8Array => ivs.subarray(number * IV_BYTES, (number + 1) * IV_BYTES)
  const enciphered = encipherMany(
    key,
    texts.map((text, number) => ({ iv: ivOf(number), text })),
  )
  const oneTime = oneTimeKeys(key, ivs)
  const sealed = Buffer.allocUnsafeSlow(texts.reduce((sum, text) => sum + text.length + SEAL_BYTES, 0))
  let at = 0
  enciphered.forEach((text, number) => {
    sealed.set(ivOf(number), at)
    sealed.set(text, at + IV_BYTES)
    at += IV_BYTES + text.length
    sealed.set(authenticate(text, oneTimeOf(oneTime, number)), at)
    at += MAC_BYTES
  })
  return sealed
}

/** The plaintexts; undefined for one that fails its authentication. */
export const openMany = (key: KeySet, sealed: readonly Uint8Array[]): readonly (Uint8Array | undefined)[] => {
  const ivs = new Uint8Array(sealed.length * IV_BYTES)
  sealed.forEach((bytes, number) => ivs.set(bytes.subarray(0, IV_BYTES), number * IV_BYTES))
  const oneTime = oneTimeKeys(key, ivs)
  const isWhole = sealed.map((bytes, number) => isAuthentic(bytes, oneTimeOf(oneTime, number)))
  const whole = sealed.filter((_, number) => isWhole[number])
  const plain = encipherMany(
    key,
    whole.map((bytes) => ({
      iv: bytes.subarray(0, IV_BYTES),
      text: bytes.subarray(IV_BYTES, bytes.length - MAC_BYTES),
    })),
  ).values()
  return isWhole.map((is) => (is ? plain.next().value : undefined))
}

const oneTimeOf = (keys: Uint8Array, number: number): Uint8Array =>
  keys.subarray(number * 2 * IV_BYTES, (number + 1) * 2 * IV_BYTES)

const isAuthentic = (sealed: Uint8Array, oneTime: Uint8Array): boolean => {
  if (sealed.length < SEAL_BYTES) return false
  const text = sealed.subarray(IV_BYTES, sealed.length - MAC_BYTES)
  return timingSafeEqual(authenticate(text, oneTime), sealed.subarray(sealed.length - MAC_BYTES))
}

/** AES-256-CTR, which is its own inverse. */
const encipherMany = (key: KeySet, texts: readonly Text[]): readonly Uint8Array[] => {
  const small = texts.filter(({ text }) => text.length <= SMALL_BYTES)
  const done = encipherSmall(key, small).values()
  return texts.map(({ iv, text }) =>
    text.length <= SMALL_BYTES
      ? done.next().value!
      : createCipheriv('aes-256-ctr', key.encrypt, iv).update(text),
  )
}

const encipherSmall = (key: KeySet, texts: readonly Text[]): readonly Uint8Array[] => {
  const blocks = texts.reduce((sum, { text }) => sum + Math.ceil(text.length / BLOCK), 0)
  const counters = new DataView(new ArrayBuffer(blocks * BLOCK))
  let at = 0
  for (const { iv, text } of texts) at = fillCounters(counters, at, iv, Math.ceil(text.length / BLOCK))
  const cipher = createCipheriv('aes-256-ecb', key.encrypt, null).setAutoPadding(false)
  const stream = alignedWords(cipher.update(counters))
  let word = 0
  return texts.map(({ text }) => {
    const words = new Uint32Array(Math.ceil(text.length / BLOCK) * (BLOCK / 4))
    const bytes = new Uint8Array(words.buffer)
    bytes.set(text)
    for (let each = 0; each < words.length; each += 1) words[each] = words[each]! ^ stream[word + each]!
    word += words.length
    return bytes.subarray(0, text.length)
  })
}

/** Counter blocks from the IV on, counting all 128 bits big-endian. */
const fillCounters = (counters: DataView, from: number, iv: Uint8Array, blocks: number): number => {
  const start = new DataView(iv.buffer, iv.byteOffset, IV_BYTES)
  const high = start.getUint32(0)
  const upper = start.getUint32(4)
  const middle = start.getUint32(8)
  const low = start.getUint32(12)
  let at = from
  for (let block = 0; block < blocks; block += 1) {
    const count = low + block
    const isCarried = count > 0xffffffff
    const isCarriedOn = isCarried && middle === 0xffffffff
    const isCarriedUp = isCarriedOn && upper === 0xffffffff
    counters.setUint32(at, isCarriedUp ? high + 1 : high)
    counters.setUint32(at + 4, isCarriedOn ? upper + 1 : upper)
    counters.setUint32(at + 8, isCarried ? middle + 1 : middle)
    counters.setUint32(at + 12, count)
    at += BLOCK
  }
  return at
}

const alignedWords = (bytes: Uint8Array): Uint32Array => {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : Uint8Array.from(bytes)
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4)
}
