import { createDecipheriv, createHmac, hash, pbkdf2Sync, timingSafeEqual } from 'node:crypto'
import { invalid } from '#base'
import { integer, malformed, octets, oid, type Element } from './ber.ts'
import { decryptRc2Cbc } from './rc2.ts'

/** Derivations cost what the file says: the sum over a file is kept small enough to answer in a moment. */
const MAX_ITERATIONS = 2_000_000

export class WorkLimit {
  #left = MAX_ITERATIONS
  spend(iterations: number): number {
    this.#left -= iterations
    if (iterations < 1 || this.#left < 0) {
      throw invalid('the certificate asks for too many password iterations')
    }
    return iterations
  }
}

const DIGESTS: Readonly<
  Record<string, { readonly name: string; readonly bytes: number; readonly block: number }>
> = {
  '1.3.14.3.2.26': { name: 'sha1', bytes: 20, block: 64 },
  '2.16.840.1.101.3.4.2.4': { name: 'sha224', bytes: 28, block: 64 },
  '2.16.840.1.101.3.4.2.1': { name: 'sha256', bytes: 32, block: 64 },
  '2.16.840.1.101.3.4.2.2': { name: 'sha384', bytes: 48, block: 128 },
  '2.16.840.1.101.3.4.2.3': { name: 'sha512', bytes: 64, block: 128 },
}
const HMACS: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.8': 'sha224',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
}
const CIPHERS: Readonly<Record<string, { readonly name: string; readonly keyBytes: number }>> = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', keyBytes: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', keyBytes: 24 },
  '2.16.840.1.101.3.4.1.42': { name: 'aes-256-cbc', keyBytes: 32 },
  '1.2.840.113549.3.7': { name: 'des-ede3-cbc', keyBytes: 24 },
}
const PBES2 = '1.2.840.113549.1.5.13'
const PBKDF2 = '1.2.840.113549.1.5.12'
const SHA1 = DIGESTS['1.3.14.3.2.26']!
const LEGACY: Readonly<Record<string, { readonly keyBytes: number; readonly rc2Bits?: number }>> = {
  '1.2.840.113549.1.12.1.3': { keyBytes: 24 },
  '1.2.840.113549.1.12.1.4': { keyBytes: 16 },
  '1.2.840.113549.1.12.1.5': { keyBytes: 16, rc2Bits: 128 },
  '1.2.840.113549.1.12.1.6': { keyBytes: 5, rc2Bits: 40 },
}
const PURPOSE = { key: 1, iv: 2, mac: 3 }

/** A password in the two spellings that PKCS#12 uses. */
export interface Password {
  readonly utf8: Uint8Array
  /** Big-endian UTF-16 with a zero at its end; nothing at all for "no password". */
  readonly utf16: Uint8Array
}

/** An absent password may have been written as an empty one or as none. */
export function passwordsFor(password: string): readonly Password[] {
  const utf16 = Buffer.from(`${password}\0`, 'utf16le').swap16()
  const given = { utf8: Buffer.from(password, 'utf8'), utf16 }
  return password === '' ? [given, { utf8: Buffer.alloc(0), utf16: Buffer.alloc(0) }] : [given]
}

/** Does the MAC over the file's contents fit this password? */
export function macFits(
  macData: Element,
  contents: Uint8Array,
  password: Password,
  limit: WorkLimit,
): boolean {
  const [digestInfo, salt, iterations] = macData.children
  const digest = DIGESTS[oid(digestInfo?.children[0]?.children[0])]
  if (digest === undefined) throw invalid('the integrity check of the certificate file is of an unknown kind')
  const count = limit.spend(iterations === undefined ? 1 : integer(iterations))
  const key = derive(
    { digest, password: password.utf16, salt: octets(salt), count },
    PURPOSE.mac,
    digest.bytes,
  )
  const expected = octets(digestInfo?.children[1])
  const actual = createHmac(digest.name, key).update(contents).digest()
  return expected.length === actual.length && timingSafeEqual(expected, actual)
}

/** Undoes the encryption that `algorithm` (an AlgorithmIdentifier) names. Throws when the password does not fit. */
export function decrypt(
  algorithm: Element | undefined,
  data: Uint8Array,
  password: Password,
  limit: WorkLimit,
): Buffer {
  const [name, parameters] = algorithm?.children ?? []
  if (parameters === undefined) throw malformed('an encryption has no parameters')
  try {
    return oid(name) === PBES2
      ? decryptPbes2(parameters, data, password, limit)
      : decryptLegacy(oid(name), parameters, data, password, limit)
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_OSSL')) {
      throw invalid('the password of the certificate is wrong')
    }
    throw error
  }
}

function decryptPbes2(parameters: Element, data: Uint8Array, password: Password, limit: WorkLimit): Buffer {
  const [derivation, encryption] = parameters.children
  const cipher = CIPHERS[oid(encryption?.children[0])]
  if (cipher === undefined || oid(derivation?.children[0]) !== PBKDF2) throw unknownEncryption()
  const [salt, iterations, ...rest] = derivation?.children[1]?.children ?? []
  const prf = rest.find((part) => part.children.length > 0)
  const digest = prf === undefined ? 'sha1' : HMACS[oid(prf.children[0])]
  if (digest === undefined) throw unknownEncryption()
  const count = limit.spend(integer(iterations))
  const key = pbkdf2Sync(password.utf8, octets(salt), count, cipher.keyBytes, digest)
  const decipher = createDecipheriv(cipher.name, key, octets(encryption?.children[1]))
  return Buffer.concat([decipher.update(data), decipher.final()])
}

function decryptLegacy(
  name: string,
  parameters: Element,
  data: Uint8Array,
  password: Password,
  limit: WorkLimit,
): Buffer {
  const scheme = LEGACY[name]
  if (scheme === undefined) throw unknownEncryption()
  const count = limit.spend(integer(parameters.children[1]))
  const source = { digest: SHA1, password: password.utf16, salt: octets(parameters.children[0]), count }
  const key = derive(source, PURPOSE.key, scheme.keyBytes)
  const iv = derive(source, PURPOSE.iv, 8)
  if (scheme.rc2Bits !== undefined) return unpadded(decryptRc2Cbc(key, iv, data, scheme.rc2Bits))
  const tripleKey = scheme.keyBytes === 16 ? Buffer.concat([key, key.subarray(0, 8)]) : key
  const decipher = createDecipheriv('des-ede3-cbc', tripleKey, iv)
  return Buffer.concat([decipher.update(data), decipher.final()])
}

function unpadded(plain: Buffer): Buffer {
  const padding = plain.at(-1) ?? 0
  const isPadded = padding >= 1 && padding <= 8 && plain.subarray(-padding).every((byte) => byte === padding)
  if (!isPadded) throw invalid('the password of the certificate is wrong')
  return plain.subarray(0, -padding)
}

interface Derivation {
  readonly digest: { readonly name: string; readonly bytes: number; readonly block: number }
  readonly password: Uint8Array
  readonly salt: Uint8Array
  readonly count: number
}

/** RFC 7292 appendix B.2. */
function derive({ digest, password, salt, count }: Derivation, purpose: number, length: number): Buffer {
  const { block } = digest
  const diversifier = Buffer.alloc(block, purpose)
  const input = Buffer.concat([repeated(salt, block), repeated(password, block)])
  const pieces: Buffer[] = []
  for (let made = 0; made < length; made += digest.bytes) {
    let piece = hash(digest.name, Buffer.concat([diversifier, input]), 'buffer')
    for (let round = 1; round < count; round += 1) piece = hash(digest.name, piece, 'buffer')
    pieces.push(piece)
    const addend = repeated(piece, block).subarray(0, block)
    for (let at = 0; at < input.length; at += block) addPlusOne(input.subarray(at, at + block), addend)
  }
  return Buffer.concat(pieces).subarray(0, length)
}

function addPlusOne(target: Buffer, addend: Uint8Array): void {
  let carry = 1
  for (let at = target.length - 1; at >= 0; at -= 1) {
    const sum = target[at]! + addend[at]! + carry
    target[at] = sum & 0xff
    carry = sum >> 8
  }
}

/** The bytes again and again until a whole number of blocks is full. */
function repeated(bytes: Uint8Array, block: number): Buffer {
  if (bytes.length === 0) return Buffer.alloc(0)
  const length = block * Math.ceil(bytes.length / block)
  return Buffer.alloc(length, bytes)
}

function unknownEncryption(): Error {
  return invalid('the certificate file is encrypted in a way that is not supported')
}
