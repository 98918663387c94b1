import { createCipheriv, createDecipheriv, timingSafeEqual } from 'node:crypto'
import sodium from 'libsodium-wrappers-sumo'
import { corrupt } from '#base'

// Poly1305 comes as WebAssembly, which is compiled once, before anything can be sealed.
await sodium.ready

/** The keys that everything in a repository is sealed with. */
export interface KeySet {
  /** AES-256, 32 bytes. */
  readonly encrypt: Uint8Array
  /** AES-128 over the IV gives the second half of the one-time key. 16 bytes. */
  readonly macK: Uint8Array
  /** The first half. 16 bytes, clamped on use. */
  readonly macR: Uint8Array
}

export const IV_BYTES = 16
export const MAC_BYTES = 16
/** What sealing adds to a plaintext. */
export const SEAL_BYTES = IV_BYTES + MAC_BYTES

/** `IV || AES-256-CTR(plain) || Poly1305-AES`. The IV is 16 fresh random bytes. */
export const seal = (key: KeySet, plain: Uint8Array, iv: Uint8Array): Uint8Array => {
  const sealed = new Uint8Array(plain.length + SEAL_BYTES)
  sealed.set(iv)
  const text = sealed.subarray(IV_BYTES, IV_BYTES + plain.length)
  text.set(createCipheriv('aes-256-ctr', key.encrypt, iv).update(plain))
  sealed.set(authenticate(text, oneTimeKey(key, iv)), IV_BYTES + plain.length)
  return sealed
}

/** The plaintext. Throws `corrupt` when a bit differs from what was sealed with this key. */
export const open = (key: KeySet, sealed: Uint8Array): Uint8Array => {
  if (sealed.length < SEAL_BYTES) throw corrupt('sealed bytes are too short')
  const iv = sealed.subarray(0, IV_BYTES)
  const text = sealed.subarray(IV_BYTES, sealed.length - MAC_BYTES)
  const mac = sealed.subarray(sealed.length - MAC_BYTES)
  if (!timingSafeEqual(authenticate(text, oneTimeKey(key, iv)), mac)) {
    throw corrupt('sealed bytes fail their authentication')
  }
  return createDecipheriv('aes-256-ctr', key.encrypt, iv).update(text)
}

/** The one-time keys of many IVs in one call of the cipher, which costs as much as one. */
export const oneTimeKeys = (key: KeySet, ivs: Uint8Array): Uint8Array => {
  const cipher = createCipheriv('aes-128-ecb', key.macK, null).setAutoPadding(false)
  const encrypted = cipher.update(ivs)
  const keys = new Uint8Array(ivs.length * 2)
  for (let at = 0; at < ivs.length; at += IV_BYTES) {
    keys.set(key.macR, at * 2)
    keys.set(encrypted.subarray(at, at + IV_BYTES), at * 2 + IV_BYTES)
  }
  return keys
}

const oneTimeKey = (key: KeySet, iv: Uint8Array): Uint8Array => oneTimeKeys(key, iv)

/** Poly1305 of a ciphertext under a one-time key. */
export const authenticate = (text: Uint8Array, oneTime: Uint8Array): Uint8Array =>
  sodium.crypto_onetimeauth(text, oneTime)
