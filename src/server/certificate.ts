import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import type { Clock, Random } from '#base'
import { X509Certificate, webcrypto } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { ServerConfig } from './config.ts'
import { writeWholeFile } from './whole-file.ts'

export interface ServerCertificate {
  readonly cert: string
  readonly key: string
  /** What a client has to trust: the certificate itself when it was made here. */
  readonly caFile: string
  /** The host names in it, in lower case. */
  readonly names: readonly string[]
}

const DAY_MS = 86_400_000
const VALID_DAYS = 825
const RENEW_BEFORE_DAYS = 30
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

x509.cryptoProvider.set(webcrypto as never)

/** The certificate to serve with: the given one, or one that is made at the first start and before it runs out. */
export const serverCertificate = async (
  config: ServerConfig,
  clock: Clock,
  random: Random,
): Promise<ServerCertificate> => {
  if (config.certificate !== undefined) return givenCertificate(config.certificate)
  const folder = join(config.dataFolder, 'tls')
  const wanted = [...new Set(['localhost', hostname().toLowerCase(), '127.0.0.1', '::1', ...config.names])]
  const kept = await keptCertificate(folder)
  if (kept !== undefined && stillGood(kept, wanted, clock)) return kept
  await makeCertificate(folder, wanted, clock, random)
  return (await keptCertificate(folder)) as ServerCertificate
}

const givenCertificate = async (files: {
  readonly certificateFile: string
  readonly keyFile: string
}): Promise<ServerCertificate> => {
  const cert = await readFile(files.certificateFile, 'utf8')
  const key = await readFile(files.keyFile, 'utf8')
  return { cert, key, caFile: files.certificateFile, names: namesIn(cert) }
}

const keptCertificate = async (folder: string): Promise<ServerCertificate | undefined> => {
  const caFile = join(folder, 'server.crt')
  try {
    const cert = await readFile(caFile, 'utf8')
    const key = await readFile(join(folder, 'server.key'), 'utf8')
    return { cert, key, caFile, names: namesIn(cert) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

const stillGood = ({ cert, names }: ServerCertificate, wanted: readonly string[], clock: Clock): boolean => {
  const ends = new X509Certificate(cert).validToDate.getTime()
  const isFresh = ends - clock.nowMs() > RENEW_BEFORE_DAYS * DAY_MS
  return isFresh && wanted.every((name) => names.includes(canonical(name)))
}

// IPv6 addresses are written out in certificates: 0:0:0:0:0:0:0:1.
const canonical = (name: string): string =>
  isIP(name) === 6 ? new URL(`https://[${name}]`).hostname.slice(1, -1) : name.toLowerCase()

const namesIn = (cert: string): readonly string[] =>
  (new X509Certificate(cert).subjectAltName ?? '')
    .split(', ')
    .map((entry) => entry.replace(/^(DNS|IP Address):/, ''))
    .filter((name) => name !== '')
    .map(canonical)

const makeCertificate = async (
  folder: string,
  names: readonly string[],
  clock: Clock,
  random: Random,
): Promise<void> => {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: `01${Buffer.from(random.bytes(15)).toString('hex')}`,
    name: `CN=${hostname()}, O=Holdfast`,
    notBefore: new Date(clock.nowMs() - DAY_MS),
    notAfter: new Date(clock.nowMs() + VALID_DAYS * DAY_MS),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }) as const),
      ),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.BasicConstraintsExtension(false, undefined, true),
    ],
  })
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey))
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await writeWholeFile(join(folder, 'server.key'), pem('PRIVATE KEY', key), 0o600)
  await writeWholeFile(join(folder, 'server.crt'), certificate.toString('pem'), 0o644)
}

const pem = (label: string, bytes: Buffer): string => {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
