import { FixedClock, systemRandom } from '#base'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { serverCertificate } from '../certificate.ts'
import { decideConfig } from '../config.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-certificate-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

const make = (clock: FixedClock, names: readonly string[] = []) =>
  serverCertificate(decideConfig({ dataFolder: folder, names }), clock, systemRandom)

it('makes a certificate for localhost, the loopback address and the names that were given', async () => {
  const { cert, names } = await make(new FixedClock('2026-11-24'), ['backup.example.com'])
  const read = new X509Certificate(cert)
  expect(read.checkHost('localhost')).toBe('localhost')
  expect(read.checkHost('backup.example.com')).toBe('backup.example.com')
  expect(read.checkIP('127.0.0.1')).toBe('127.0.0.1')
  expect(names).toContain('backup.example.com')
})

it('keeps the certificate at the next start', async () => {
  const first = await make(new FixedClock('2026-11-24'))
  const second = await make(new FixedClock('2026-12-24'))
  expect(second.cert).toBe(first.cert)
})

it('makes a new one before the old one runs out, and when a name is missing in it', async () => {
  const first = await make(new FixedClock('2026-11-24'))
  const named = await make(new FixedClock('2026-11-24'), ['backup.example.com'])
  const late = await make(new FixedClock('2029-02-20'), ['backup.example.com'])
  expect(named.cert).not.toBe(first.cert)
  expect(late.cert).not.toBe(named.cert)
})

it('keeps the key to itself', async () => {
  const { caFile } = await make(new FixedClock('2026-11-24'))
  expect(statSync(join(folder, 'tls', 'server.key')).mode & 0o777).toBe(0o600)
  expect(readFileSync(caFile, 'utf8')).not.toContain('PRIVATE')
})
