import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { decideConfig } from '../config.ts'
import { readConfig } from '../read-config.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-config-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

const file = (content: unknown): string => {
  const path = join(folder, 'holdfast.json')
  writeFileSync(path, JSON.stringify(content))
  return path
}

it('listens on port 4443 and allows 30 log-ins a minute when nothing is said', () => {
  const config = decideConfig(readConfig({ HOLDFAST_DATA: folder }))
  expect(config).toMatchObject({ dataFolder: folder, port: 4443, loginsPerMinute: 30, documents: true })
})

it('lets the environment win over the file', () => {
  const path = file({ dataFolder: '/from/file', port: 5000, logLevel: 'warn' })
  const options = readConfig({ HOLDFAST_CONFIG: path, HOLDFAST_PORT: '6000' })
  expect(options).toMatchObject({ dataFolder: '/from/file', port: 6000, log: { level: 'warn' } })
})

it('takes the proxy and the authorities that other programs take', () => {
  const { microsoft365 } = readConfig({ HTTPS_PROXY: 'http://127.0.0.1:1', NODE_EXTRA_CA_CERTS: '/ca.pem' })
  expect(microsoft365).toEqual({ proxyUrl: 'http://127.0.0.1:1', caFiles: ['/ca.pem'] })
})

it('never prints the root key or the first password', () => {
  const options = readConfig({ HOLDFAST_ROOT_KEY: 'canary-1', HOLDFAST_FIRST_PASSWORD: 'canary-2' })
  expect(JSON.stringify(options)).not.toContain('canary')
  expect(options.rootKey?.reveal()).toBe('canary-1')
})

it.each([
  [{ HOLDFAST_PORT: 'x' }, 'HOLDFAST_PORT'],
  [{ HOLDFAST_PORT: '70000' }, 'port'],
  [{ HOLDFAST_LOG_LEVEL: 'loud' }, 'HOLDFAST_LOG_LEVEL'],
  [{ HOLDFAST_DOCUMENTS: 'maybe' }, 'HOLDFAST_DOCUMENTS'],
  [{ HOLDFAST_TLS_CERT: '/only.pem' }, 'HOLDFAST_TLS_KEY'],
  [{ HOLDFAST_PUBLIC_URL: 'http://x/' }, 'public address'],
  [{ HOLDFAST_M365_HOSTS: '{' }, 'HOLDFAST_M365_HOSTS'],
])('refuses %j with a message that names the setting', (environment, named) => {
  expect(() => decideConfig(readConfig(environment))).toThrow(named)
})

it('refuses a setting in the file that it does not know', () => {
  expect(() => readConfig({ HOLDFAST_CONFIG: file({ prot: 1 }) })).toThrow('prot')
})

it('takes the number of shards of a new organization, within bounds', () => {
  const config = decideConfig(readConfig({ HOLDFAST_DATA: folder, HOLDFAST_SHARDS: '16' }))
  expect(config.shardsPerOrganization).toBe(16)
  expect(() => decideConfig(readConfig({ HOLDFAST_SHARDS: '65' }))).toThrow('from 1 to 64')
  expect(() => decideConfig(readConfig({ HOLDFAST_SHARDS: '0' }))).toThrow('from 1 to 64')
})
