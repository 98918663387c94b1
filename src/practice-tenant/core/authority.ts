import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { createSecureContext, type SecureContext } from 'node:tls'
import * as x509 from '@peculiar/x509'
import type { Random } from '#base'

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const
const SIGNING = { ...CURVE, hash: 'SHA-256' } as const
// Independent of the tenant's clock: clients check certificates against their own.
const NOT_BEFORE = new Date('2020-01-01T00:00:00Z')
const NOT_AFTER = new Date('2049-12-31T23:59:59Z')

type KeyPair = Awaited<ReturnType<typeof newKeys>>

const newKeys = () => webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify'])

const pemOfKey = async (key: webcrypto.CryptoKey): Promise<string> => {
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64')
  return `-----BEGIN PRIVATE KEY-----\n${pkcs8.replace(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`
}

const keyOfPem = async (pem: string): Promise<webcrypto.CryptoKey> => {
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64')
  return webcrypto.subtle.importKey('pkcs8', der, CURVE, true, ['sign'])
}

const serial = (random: Random): string => {
  const bytes = Buffer.from(random.bytes(16))
  bytes[0] = (bytes[0]! & 0x7f) | 0x40
  return bytes.toString('hex')
}

/** The practice tenant's own certificate authority: kept in the data folder, trusted by nobody who was not told to. */
export class Authority {
  readonly file: string
  readonly pem: string
  readonly #certificate: x509.X509Certificate
  readonly #key: webcrypto.CryptoKey
  readonly #random: Random
  readonly #leaves = new Map<string, Promise<SecureContext>>()

  private constructor(
    file: string,
    certificate: x509.X509Certificate,
    key: webcrypto.CryptoKey,
    random: Random,
  ) {
    this.file = file
    this.pem = `${certificate.toString('pem')}\n`
    this.#certificate = certificate
    this.#key = key
    this.#random = random
  }

  /** Opens the authority of a folder, or makes one. The certificate is in `ca.pem`. */
  static async open(folder: string, random: Random): Promise<Authority> {
    x509.cryptoProvider.set(webcrypto as typeof globalThis.crypto)
    const file = join(folder, 'ca.pem')
    const keyFile = join(folder, 'ca-key.pem')
    if (existsSync(file) && existsSync(keyFile)) {
      const key = await keyOfPem(readFileSync(keyFile, 'utf8'))
      return new Authority(file, new x509.X509Certificate(readFileSync(file, 'utf8')), key, random)
    }
    const keys = await newKeys()
    const certificate = await selfSigned(keys, random)
    writeFileSync(keyFile, await pemOfKey(keys.privateKey), { mode: 0o600 })
    writeFileSync(file, `${certificate.toString('pem')}\n`)
    return new Authority(file, certificate, keys.privateKey, random)
  }

  /** What a TLS server needs to speak as this host. Made once per host. */
  contextFor(host: string): Promise<SecureContext> {
    const known = this.#leaves.get(host)
    if (known !== undefined) return known
    const made = this.leaf([host]).then(({ cert, key }) => createSecureContext({ cert, key }))
    this.#leaves.set(host, made)
    return made
  }

  /** A certificate for these names and addresses, with its chain and key, as PEM. */
  async leaf(names: readonly string[]): Promise<{ cert: string; key: string }> {
    const keys = await newKeys()
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial(this.#random),
      subject: `CN=${names[0]}`,
      issuer: this.#certificate.subject,
      notBefore: NOT_BEFORE,
      notAfter: NOT_AFTER,
      signingAlgorithm: SIGNING,
      publicKey: keys.publicKey,
      signingKey: this.#key,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          names.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })),
        ),
        await x509.AuthorityKeyIdentifierExtension.create(this.#certificate),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    })
    return { cert: `${certificate.toString('pem')}\n${this.pem}`, key: await pemOfKey(keys.privateKey) }
  }
}

const selfSigned = async (keys: KeyPair, random: Random): Promise<x509.X509Certificate> =>
  x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(random),
    name: 'CN=Holdfast practice tenant, O=Not for production',
    notBefore: NOT_BEFORE,
    notAfter: NOT_AFTER,
    signingAlgorithm: SIGNING,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
