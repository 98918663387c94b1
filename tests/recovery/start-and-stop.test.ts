import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { LiveServer, organizationBody, serverProgram, type Installation } from './live-server.ts'
import { LiveTenant } from './live-tenant.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

const STOP_WITHIN_MS = 10_000
/** What scripts see: see docs/design/recovery.md. */
const CONFLICT = 5
const CORRUPT = 7

let folder: string
let tenant: LiveTenant
let installation: Installation

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-start-stop-'))
  tenant = await LiveTenant.start(join(folder, 'tenant'), { users: 3, mails: 100, files: 20 })
  installation = {
    dataFolder: join(folder, 'data'),
    logFile: join(folder, 'server.log'),
    tenant: tenant.ready,
  }
})

afterAll(async () => {
  await tenant?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
})

const startedJob = async (server: LiveServer): Promise<string> => {
  const { api } = server
  const { id } = await api.ok<{ id: string }>('POST', '/v4/Organizations', organizationBody(tenant.ready))
  const [repository] = await api.ok<{ id: string }[]>('GET', '/v4/BackupRepositories')
  const job = await api.ok<{ id: string }>('POST', `/v4/Organizations/${id}/Jobs`, {
    name: 'Everything',
    repositoryId: repository!.id,
    backupType: 'EntireOrganization',
  })
  await server.startJob(job.id)
  return job.id
}

/** Waits until the service has answered so many calls. */
const tenantAnswered = async (calls: number): Promise<void> => {
  for (const end = Date.now() + 120_000; Date.now() < end; await delay(20))
    if ((await tenant.control<{ total: number }>('GET', 'counters')).total >= calls) return
  throw new Error('the service is not called')
}

it('stops cleanly in the middle of a backup, and goes on at the next start', async () => {
  let server = await LiveServer.start(installation)
  await tenant.control('POST', 'faults', { path: '/v1.0/users/*', times: 0, delayMs: 100 })
  await tenant.control('DELETE', 'counters')
  const jobId = await startedJob(server)
  await tenantAnswered(60)
  const session = await server.newestSession(jobId)
  expect(session).toMatchObject({ status: 'Running' })

  const stopping = Date.now()
  expect(await server.terminate()).toEqual({ code: 0, signal: null })
  expect(Date.now() - stopping).toBeLessThan(STOP_WITHIN_MS)
  expect(server.complaints).toBe('')

  await tenant.control('DELETE', 'faults')
  server = await LiveServer.start(installation)
  const ended = await server.ended(jobId)
  expect(ended).toMatchObject({ id: session!.id, status: 'Warning' })
  const second = serverProgram(installation)
  expect(await second.exited).toEqual({ code: CONFLICT, signal: null })
  expect(second.complaints).toContain('another Holdfast server is running on this data folder')
  expect(await server.newestSession(jobId)).toEqual(ended)
  expect(await server.terminate()).toEqual({ code: 0, signal: null })
})

const contentsOf = (at: string): string[] =>
  readdirSync(at, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(at, name)).isFile() && !/-(wal|shm)$|server\.lock/.test(name))
    .sort()
    .map((name) => `${name} ${readFileSync(join(at, name)).toString('base64')}`)

interface Damage {
  readonly what: string
  readonly file: string
  readonly says: RegExp
  damage(path: string): void
}

const DAMAGES: readonly Damage[] = [
  {
    what: 'a database that is cut off',
    file: 'holdfast.sqlite',
    says: /database is damaged/,
    damage: (path) => truncateSync(path, 8_192 + 100),
  },
  {
    what: 'a database that is something else',
    file: 'holdfast.sqlite',
    says: /database is damaged/,
    damage: (path) => writeFileSync(path, 'not a database, whatever it is called'.repeat(500)),
  },
  {
    what: 'a database that was emptied',
    file: 'holdfast.sqlite',
    says: /database is empty/,
    damage: (path) => truncateSync(path, 0),
  },
  {
    what: 'a missing root key',
    file: 'root.key',
    says: /root key is missing/,
    damage: (path) => rmSync(path),
  },
  {
    what: 'a root key that is cut off',
    file: 'root.key',
    says: /root key has to be 32 bytes/,
    damage: (path) => truncateSync(path, 10),
  },
]

it.each(DAMAGES)(
  'refuses to start on $what, says so, and overwrites nothing',
  async ({ file, says, damage }) => {
    const path = join(installation.dataFolder, file)
    const kept = join(folder, 'kept')
    copyFileSync(path, kept)
    const before = [] as string[]
    try {
      damage(path)
      before.push(...contentsOf(installation.dataFolder))
      const program = serverProgram(installation)
      const exit = await program.exited
      expect(exit.signal).toBe(null)
      expect([2, CORRUPT]).toContain(exit.code)
      expect(program.complaints).toMatch(says)
      expect(contentsOf(installation.dataFolder)).toEqual(before)
    } finally {
      rmSync(path, { force: true })
      copyFileSync(kept, path)
    }
  },
)

it('starts again when what was damaged has been put back', async () => {
  const server = await LiveServer.start(installation)
  expect(await server.api.ok<unknown[]>('GET', '/v4/Organizations')).toHaveLength(1)
  expect(await server.terminate()).toEqual({ code: 0, signal: null })
})
