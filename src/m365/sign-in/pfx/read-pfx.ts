import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { invalid, type Secret } from '#base'
import type { PfxContents } from './open-pfx.ts'

/** A certificate with its key, ready to sign. */
export interface SigningCertificate {
  readonly privateKey: KeyObject
  readonly certificate: X509Certificate
  readonly keyType: 'RSA' | 'ECDSA'
  readonly notBefore: Date
  readonly notAfter: Date
}

export interface PfxQuestion {
  readonly bytes: Uint8Array
  readonly password: string
}
export type PfxAnswer = PfxContents | { readonly refusal: string }

const MAX_BYTES = 256 * 1024
const MAX_MS = 5000
const MEMORY_MB = 64
const MIN_RSA_BITS = 2048
const MAX_RSA_BITS = 8192
const CURVES = ['prime256v1', 'secp384r1', 'secp521r1']

/**
 * Reads the PFX text that an administrator pasted, line breaks and all. The file is opened in a thread with limits on
 * time and memory. Throws `invalid` with a message for a person: not a PFX, wrong password, no key, several keys, a
 * key of another certificate, a key too weak or of an unknown kind. Dates are for the caller to judge.
 */
export async function readPfx(pfxBase64: Secret, password: Secret | undefined): Promise<SigningCertificate> {
  const bytes = decodeBase64(pfxBase64.reveal())
  const contents = await openInThread({ bytes, password: password?.reveal() ?? '' })
  const [key, ...others] = contents.privateKeys
  if (key === undefined) throw invalid('the certificate file holds no private key')
  if (others.length > 0) throw invalid('the certificate file holds several private keys')
  if (contents.certificates.length === 0) throw invalid('the certificate file holds no certificate')
  return matching(keyOf(key), contents.certificates)
}

function decodeBase64(text: string): Uint8Array {
  const compact = text.replace(/\s+/g, '')
  if (compact.length > (MAX_BYTES * 4) / 3 + 4) throw invalid('the certificate is too large to be a PFX file')
  if (compact.startsWith('-----BEGIN'))
    throw invalid('the certificate is PEM; a PFX file in base64 is needed')
  const isBase64 = compact.length > 0 && compact.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(compact)
  if (!isBase64) throw invalid('the certificate is not base64')
  return Buffer.from(compact, 'base64')
}

async function openInThread(question: PfxQuestion): Promise<PfxContents> {
  const worker = new Worker(new URL('./pfx-worker.ts', import.meta.url), {
    workerData: question,
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB, maxYoungGenerationSizeMb: MEMORY_MB / 4 },
    env: {},
    execArgv: [],
  })
  const answer = await answerOf(worker)
  await worker.terminate()
  if ('refusal' in answer) throw invalid(answer.refusal)
  return answer
}

async function answerOf(worker: Worker): Promise<PfxAnswer> {
  const { promise, resolve } = Promise.withResolvers<PfxAnswer>()
  let timer: NodeJS.Timeout | undefined
  worker.on('message', (message: PfxAnswer | 'ready') => {
    if (message !== 'ready') {
      resolve(message)
      return
    }
    // Counted from here: how long a thread takes to start is no fault of the file.
    timer = setTimeout(() => resolve({ refusal: 'the certificate takes too long to read' }), MAX_MS)
  })
  const refuse = (): void => resolve({ refusal: 'the certificate cannot be read within limits' })
  worker.once('error', refuse)
  worker.once('exit', refuse)
  try {
    return await promise
  } finally {
    clearTimeout(timer)
  }
}

function keyOf(pkcs8: Uint8Array): KeyObject {
  const key = parseKey(pkcs8)
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'rsa') {
    const bits = modulusLength ?? 0
    if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS) {
      throw invalid(`the RSA key has ${bits} bits; ${MIN_RSA_BITS} to ${MAX_RSA_BITS} are needed`)
    }
    return key
  }
  if (key.asymmetricKeyType === 'ec' && CURVES.includes(namedCurve ?? '')) return key
  throw invalid('the private key is neither RSA nor ECDSA on a NIST curve')
}

function parseKey(pkcs8: Uint8Array): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' })
  } catch {
    throw invalid('the private key in the certificate file cannot be read')
  }
}

function matching(privateKey: KeyObject, certificates: readonly Uint8Array[]): SigningCertificate {
  for (const der of certificates) {
    const certificate = parseCertificate(der)
    if (!certificate.checkPrivateKey(privateKey)) continue
    return {
      privateKey,
      certificate,
      keyType: privateKey.asymmetricKeyType === 'rsa' ? 'RSA' : 'ECDSA',
      notBefore: certificate.validFromDate,
      notAfter: certificate.validToDate,
    }
  }
  throw invalid('the private key does not belong to the certificate')
}

function parseCertificate(der: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(Buffer.from(der))
  } catch {
    throw invalid('a certificate in the file cannot be read')
  }
}
