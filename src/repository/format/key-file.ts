import { scrypt } from 'node:crypto'
import { corrupt, isHoldfastError, type Random } from '#base'
import { countOf, fieldsOf, parseJson } from './document.ts'
import { goJsonString, goTime, parseGoTime } from './go-json.ts'
import type { Host } from './snapshot.ts'
import { IV_BYTES, type KeySet, open, seal } from './sealing.ts'

/** The cost of deriving a key from a password. */
export interface ScryptCost {
  readonly N: number
  readonly r: number
  readonly p: number
}

/** About half a second on the machines that restic calibrates on. */
export const DEFAULT_COST: ScryptCost = { N: 32768, r: 8, p: 8 }

/** A hostile key file must not make us fill the memory. restic writes 32 MiB. */
const LARGEST_MEMORY = 1024 * 1024 * 1024
const SALT_BYTES = 64

export const newKeySet = (random: Random): KeySet => ({
  encrypt: random.bytes(32),
  macK: random.bytes(16),
  macR: random.bytes(16),
})

export interface NewKeyFile {
  readonly master: KeySet
  readonly password: string
  readonly cost: ScryptCost
  readonly host: Host
  readonly createdAt: Date
  readonly random: Random
}

/** The bytes of a key file, which wraps the master key with a password. */
export const encodeKeyFile = async (file: NewKeyFile): Promise<Uint8Array> => {
  const { master, cost, random } = file
  const salt = random.bytes(SALT_BYTES)
  const user = await deriveKey(file.password, salt, cost)
  const plain = JSON.stringify({
    mac: { k: base64(master.macK), r: base64(master.macR) },
    encrypt: base64(master.encrypt),
  })
  const data = seal(user, Buffer.from(plain), random.bytes(IV_BYTES))
  return Buffer.from(
    `{"created":"${goTime(file.createdAt)}","username":${goJsonString(file.host.username)},` +
      `"hostname":${goJsonString(file.host.hostname)},"kdf":"scrypt","N":${cost.N},"r":${cost.r},"p":${cost.p},` +
      `"salt":"${base64(salt)}","data":"${base64(data)}"}`,
  )
}

/** The master key, or undefined when the password is not this file's. Throws `corrupt` when it is no key file. */
export const openKeyFile = async (bytes: Uint8Array, password: string): Promise<KeySet | undefined> => {
  const fields = fieldsOf(parseJson(bytes), 'a key file')
  if (fields['kdf'] !== 'scrypt') throw corrupt('a key file has an unknown key derivation')
  const cost = {
    N: countOf(fields['N'], 'N of a key file'),
    r: countOf(fields['r'], 'r of a key file'),
    p: countOf(fields['p'], 'p of a key file'),
  }
  checkCost(cost)
  const salt = bytesOf(fields['salt'], 'the salt of a key file')
  if (salt.length !== SALT_BYTES) throw corrupt('the salt of a key file does not have 64 bytes')
  const user = await deriveKey(password, salt, cost)
  try {
    return decodeKeySet(open(user, bytesOf(fields['data'], 'the data of a key file')))
  } catch (error) {
    if (isHoldfastError(error, 'corrupt')) return undefined
    throw error
  }
}

/** What a key file tells to everybody. Throws `corrupt` when it is no key file. */
export const describeKeyFile = (bytes: Uint8Array): Host & { readonly createdAt: Date } => {
  const fields = fieldsOf(parseJson(bytes), 'a key file')
  if (typeof fields['kdf'] !== 'string' || typeof fields['data'] !== 'string')
    throw corrupt('this is no key file')
  return {
    createdAt: parseGoTime(fields['created']) ?? new Date(0),
    username: textOr(fields['username']),
    hostname: textOr(fields['hostname']),
  }
}

const textOr = (value: unknown): string => (typeof value === 'string' ? value : '')

const checkCost = ({ N, r, p }: ScryptCost): void => {
  const isPower = N >= 2 && Number.isInteger(Math.log2(N))
  if (!isPower || r < 1 || p < 1 || p > 1024 || 128 * r * (N + p) > LARGEST_MEMORY) {
    throw corrupt('a key file asks for a key derivation out of bounds')
  }
}

const decodeKeySet = (plain: Uint8Array): KeySet => {
  const fields = fieldsOf(parseJson(plain), 'a master key')
  const mac = fieldsOf(fields['mac'], 'a master key')
  const key = {
    encrypt: bytesOf(fields['encrypt'], 'a master key'),
    macK: bytesOf(mac['k'], 'a master key'),
    macR: bytesOf(mac['r'], 'a master key'),
  }
  if (key.encrypt.length !== 32 || key.macK.length !== 16 || key.macR.length !== 16) {
    throw corrupt('a master key has a wrong length')
  }
  return key
}

const deriveKey = (password: string, salt: Uint8Array, { N, r, p }: ScryptCost): Promise<KeySet> => {
  const maxmem = 128 * r * (N + p) + 32 * 1024 * 1024
  return new Promise((resolve, reject) => {
    scrypt(password, salt, 64, { N, r, p, maxmem }, (error, derived) => {
      if (error !== null) return reject(error)
      resolve({
        encrypt: derived.subarray(0, 32),
        macK: derived.subarray(32, 48),
        macR: derived.subarray(48, 64),
      })
    })
  })
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

const bytesOf = (value: unknown, what: string): Uint8Array => {
  if (typeof value !== 'string') throw corrupt(`${what} is no text`)
  return Buffer.from(value, 'base64')
}
