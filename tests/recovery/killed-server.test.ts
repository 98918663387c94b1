import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, it, onTestFailed, vi } from 'vitest'
import { seededRandom } from '#base'
import { expectEqualToTenant } from './equal-to-tenant.ts'
import {
  LiveServer,
  organizationBody,
  serverProgram,
  type Installation,
  type JobSession,
} from './live-server.ts'
import { LiveTenant } from './live-tenant.ts'
import { Program } from './program.ts'
import { SavedContent } from './saved-content.ts'
import { restic, type ResticRepository } from './stock-restic.ts'

// One story: a server that is killed again and again while it does all that it does. Each test goes on from the one before.

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

const SEED = 4443
const chance = seededRandom(SEED)
const between = (least: number, most: number): number =>
  Math.round(least + chance.fraction() * (most - least))
const story: string[] = []
const told = (): string => `seed ${SEED}: ${story.join('; ')}`
let kills = 0

let folder: string
let tenant: LiveTenant
let installation: Installation
let server: LiveServer | undefined
let organizationId: string
let jobId: string
let repository: ResticRepository | undefined
const points = new Map<string, string>()

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-killed-server-'))
  tenant = await LiveTenant.start(join(folder, 'tenant'), { users: 3, mails: 150, files: 30 })
  installation = {
    dataFolder: join(folder, 'data'),
    logFile: join(folder, 'server.log'),
    tenant: tenant.ready,
  }
})

afterAll(async () => {
  await server?.terminate()
  await tenant?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
})

let isBroken = false
beforeEach(({ skip }) => {
  if (isBroken) skip('an earlier chapter failed')
  onTestFailed(() => {
    isBroken = true
  })
})

/** Each call for a user's mail and files takes so long more, so that a run can be met in the middle. */
const slowTenant = async (delayMs: number): Promise<void> => {
  await tenant.control('DELETE', 'faults')
  if (delayMs > 0) await tenant.control('POST', 'faults', { path: '/v1.0/users/*', times: 0, delayMs })
}

const PATIENCE_MS = 60_000

const until = async (what: string, isSo: () => boolean | Promise<boolean>): Promise<void> => {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await delay(10)) if (await isSo()) return
  throw new Error(`it never came about that ${what}; ${told()}`)
}

/** Waits until the service has answered so many more calls. */
const tenantAnswered = async (calls: number): Promise<void> => {
  const count = async (): Promise<number> =>
    (await tenant.control<{ total: number }>('GET', 'counters')).total
  const before = await count()
  await until(`the service is called ${calls} times`, async () => (await count()) >= before + calls)
}

const kill = async (what: string, afterMs: number): Promise<void> => {
  await delay(afterMs)
  await server!.kill()
  server = undefined
  kills += 1
  story.push(`${what} killed after ${afterMs} ms`)
}

const start = async (): Promise<LiveServer> => {
  server = await LiveServer.start(installation).catch((error: unknown) => {
    throw new Error(`the server does not start; ${told()}`, { cause: error })
  })
  return server
}

const findRepository = async (): Promise<ResticRepository | undefined> => {
  const kit = join(folder, 'kit')
  rmSync(kit, { recursive: true, force: true })
  const program = new Program(['recovery-kit', kit, '--data', installation.dataFolder])
  expect(await program.exited).toMatchObject({ code: 0 })
  const [found] = JSON.parse(await readFile(join(kit, 'repositories.json'), 'utf8')) as {
    path: string
    passwordFile: string
  }[]
  if (found === undefined) return undefined
  return { path: found.path, password: (await readFile(join(kit, found.passwordFile), 'utf8')).trim() }
}

/** What was committed is there as it was, and the repository is sound although its writer is gone. */
const expectNothingLost = async (): Promise<void> => {
  repository ??= await findRepository()
  if (repository === undefined) return
  await restic(repository, 'check')
  await using saved = await SavedContent.open(repository)
  const now = await saved.points()
  for (const [id, tree] of points)
    expect(now.get(id), `restore point ${id} is as it was; ${told()}`).toBe(tree)
  for (const [id, tree] of now) points.set(id, tree)
}

const expectGoodEnd = async (session: JobSession): Promise<void> => {
  const ended = await server!.ended(jobId)
  expect(ended, told()).toMatchObject({ id: session.id })
  expect(['Success', 'Warning'], `${JSON.stringify(ended)}; ${told()}`).toContain(ended.status)
  await expectNothingLost()
}

it('starts when its first start and later ones were cut off', async () => {
  for (const file of ['holdfast.sqlite', 'installation-id', 'repository/repo.json']) {
    const program = serverProgram(installation)
    await until(`${file} is there`, () => existsSync(join(installation.dataFolder, file)))
    await delay(between(0, 20))
    await program.kill()
    kills += 1
    story.push(`start killed when ${file} was there`)
  }
  await start()
  await kill('just started', between(0, 50))
  await start()
})

it('has an organization whole or not at all when it is killed while adding it', async () => {
  const body = organizationBody(tenant.ready)
  for (const afterMs of [between(50, 250), between(250, 700)]) {
    const adding = server!.api.call('POST', '/v4/Organizations', body).catch(() => undefined)
    await kill('adding the organization', afterMs)
    await adding
    await start()
  }
  const { status } = await server!.api.call('POST', '/v4/Organizations', body)
  expect([201, 409], told()).toContain(status)
  const added = await server!.api.ok<{ id: string }[]>('GET', '/v4/Organizations')
  expect(added, told()).toHaveLength(1)
  organizationId = added[0]!.id
})

it('goes on with a first backup that was killed, and asks little of the service twice', async () => {
  const [target] = await server!.api.ok<{ id: string }[]>('GET', '/v4/BackupRepositories')
  const job = await server!.api.ok<{ id: string }>('POST', `/v4/Organizations/${organizationId}/Jobs`, {
    name: 'Everything',
    repositoryId: target!.id,
    backupType: 'EntireOrganization',
  })
  jobId = job.id
  await slowTenant(40)
  await tenant.control('DELETE', 'counters')
  const session = await server!.startJob(jobId)
  for (const calls of [between(1, 100), between(150, 250), between(150, 250), between(100, 200)]) {
    await tenantAnswered(calls)
    await kill(`first backup, ${calls} calls on,`, between(0, 200))
    await expectNothingLost()
    await start()
    expect((await server!.newestSession(jobId))?.id, told()).toBe(session.id)
  }
  await expectGoodEnd(session)
  await expectFewRepeated()
})

/** Attachments and files are what a backup asks for one by one. */
const expectFewRepeated = async (): Promise<void> => {
  const asked = (await tenant.requests())
    .filter(
      ({ method, status, path }) => method === 'GET' && status < 400 && /attachments|\/content/.test(path),
    )
    .map(({ path }) => path.replace(/\?.*/, ''))
  const distinct = new Set(asked).size
  console.log(`first backup: ${asked.length} contents asked for, ${distinct} different ones; ${told()}`)
  // From the beginning after each of the kills, it would be more than twice.
  expect(asked.length, told()).toBeLessThan(2 * distinct)
}

it('goes on with incremental backups that were killed', async () => {
  for (let day = 1; day <= 3; day += 1) {
    await slowTenant(0)
    await tenant.change(chance, `day ${day}`)
    await slowTenant(60)
    const session = await server!.startJob(jobId)
    await tenantAnswered(between(10, 60))
    await kill(`incremental backup ${day}`, between(0, 300))
    await expectNothingLost()
    await start()
    await expectGoodEnd(session)
  }
  expect(points.size, told()).toBe(4)
})

it('restores nothing twice when a restore was killed', async () => {
  await slowTenant(0)
  const [victim] = tenant.users
  const before = await tenant.messages(victim!.id, 'inbox')
  const keyOf = ({ subject, internetMessageId }: (typeof before)[number]): string =>
    `${subject} ${internetMessageId}`
  for (const { id } of before.slice(0, 40)) await tenant.destroyMessage(victim!.id, id)
  for (const calls of [between(20, 40), between(60, 90)]) {
    const restoring = restoreMail(victim!.id).catch(() => undefined)
    await tenantAnswered(calls)
    await kill(`restore, ${calls} calls on,`, between(0, 100))
    await restoring
    await start()
  }
  await restoreMail(victim!.id)
  const after = await tenant.messages(victim!.id, 'inbox')
  expect(after.map(keyOf).sort(), told()).toEqual(before.map(keyOf).sort())
})

const restoreMail = async (mailboxId: string): Promise<void> => {
  const { api } = server!
  const session = await api.ok<{ id: string }>('POST', `/v4/Organizations/${organizationId}/Action`, {
    explore: { type: 'vex' },
  })
  await slowTenant(20)
  await api.ok('POST', `/v4/RestoreSessions/${session.id}/Organization/Mailboxes/${mailboxId}/Action`, {
    restoreToOriginalLocation: null,
  })
  await slowTenant(0)
}

it('holds in the end what the tenant holds, each item once, with every byte sound', async () => {
  const session = await server!.startJob(jobId)
  await expectGoodEnd(session)
  await restic(repository!, 'check', '--read-data')
  await using saved = await SavedContent.open(repository!)
  await expectEqualToTenant(tenant, saved, told())
  expect(kills).toBeGreaterThanOrEqual(12)
})
