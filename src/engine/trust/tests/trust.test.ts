import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { seededRandom, silentLogger } from '#base'
import {
  damagedItemRows,
  objectToReadRows,
  repositoryOrganizationRows,
  repositoryRows,
  trustScheduleRows,
} from '#database'
import { initRepository, type Repository } from '#repository'
import { memoryStorage, type Storage } from '#storage'
import { keepWorkers, options } from '../../backup/tests/backup-world.ts'
import type { BackupOutcome, BackupRun, RunBackup } from '../../jobs/backup-run.ts'
import type { OrganizationTenants } from '../../organizations/tenants.ts'
import {
  administrator,
  DAY_MS,
  ORGANIZATION,
  REPOSITORY,
  RetentionWorld,
} from '../../retention/tests/retention-world.ts'
import { healing } from '../healing-backup.ts'
import { Trust } from '../trust.ts'
import { TrustRunner } from '../trust-runner.ts'
import { TrustScheduler } from '../trust-scheduler.ts'
import type { TrustRequest, TrustRunKind } from '../trust-run.ts'

let world: RetentionWorld
let runner: TrustRunner
let trust: Trust
let scheduler: TrustScheduler
/** Of another repository that holds the same organization. */
let copies: Repository[] = []

keepWorkers()

const parts = () => ({
  ...world.parts,
  log: silentLogger,
  random: seededRandom(5),
  repositories: {
    shards: async (id: string) => {
      const all = id === REPOSITORY ? [world.backup.repository] : copies
      const existing = all.map((repository, index) => ({ index, repository }))
      return { count: 1, open: async () => all[0]!, existing: async () => existing }
    },
  },
  tenants: {
    of: async () =>
      ({
        mail: { mailbox: (id: string) => world.backup.mailboxes.get(id) },
        onedrive: { drive: (id: string) => world.backup.drives.get(id) },
      }) as unknown as OrganizationTenants,
  },
})

beforeEach(async () => {
  world = await RetentionWorld.start()
  runner = new TrustRunner(parts())
  trust = new Trust({ ...parts(), runner })
  scheduler = new TrustScheduler(parts())
  copies = []
  world.backup
    .mailbox('ann')
    .folder('inbox', 'Inbox')
    .put('m1', 'inbox', { subject: 'Quarter' })
    .put('m2', 'inbox', { subject: 'Lunch' }, [{ name: 'menu.pdf', bytes: Buffer.alloc(5_000, 7) }])
  world.backup.mailbox('bob').folder('inbox', 'Inbox').put('m9', 'inbox', { subject: 'Other' })
  await world.run()
})
afterEach(async () => {
  await runner[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

const run = async (kind: TrustRunKind, request: TrustRequest = {}) => {
  const { id } = await trust.start(administrator, kind, REPOSITORY, request)
  await runner.drain()
  const { items } = await trust.lines(administrator, id)
  return { ...(await trust.run(administrator, id)), lines: items as Record<string, unknown>[] }
}

/** A run of the job as the server does it: with what is damaged read in full. */
const healingRun = async (): Promise<void> => {
  const backUp: RunBackup = async ({ sessionId, readInFull }) => {
    await world.run({ sessionId, ...(readInFull === undefined ? {} : { readInFull }) })
    return NOTHING_TOLD
  }
  const run = {
    sessionId: `healing-${world.clock.nowMs()}`,
    repositoryId: REPOSITORY,
    organization: { id: ORGANIZATION, name: 'Contoso', tenantId: 't' },
    shards: await parts().repositories.shards(REPOSITORY),
    signal: new AbortController().signal,
  }
  await healing(backUp, parts())(run as unknown as BackupRun)
}

const NOTHING_TOLD: BackupOutcome = {
  totals: {
    objectsDone: 0,
    objectsTotal: 0,
    processedItems: 0,
    readBytes: 0,
    writtenBytes: 0,
    sourceWaitMs: 0,
    targetWaitMs: 0,
  },
  succeeded: 0,
  warnings: 0,
  failed: 0,
}

/** The rows of another repository that holds the same organization. */
const addCopy = async (): Promise<void> => {
  const { queries } = world.database
  const row = (await repositoryRows.find(queries, REPOSITORY))!
  await repositoryRows.insert(queries, {
    ...row,
    id: 'copy',
    name: 'Copy',
    nameKey: 'copy',
    path: '/elsewhere',
  })
  const owner = (await repositoryOrganizationRows.find(queries, REPOSITORY, ORGANIZATION))!
  await repositoryOrganizationRows.insert(queries, { ...owner, repositoryId: 'copy' })
}

const packHolding = async (path: string): Promise<string> => {
  const repository = world.backup.repository
  const entry = await repository.entryAt((await world.backup.newest()).tree, path)
  if (entry?.type !== 'file') throw new Error(`${path} is no file`)
  const storage = world.backup.storage
  for await (const file of storage.list('data')) {
    const before = await storage.read(file.path)
    await storage.remove(file.path)
    const { problems } = await repository.verify({ data: 'none' })
    const isIt = problems.some(({ blobs }) => blobs.some(({ id }) => id === entry.content[0]))
    await storage.write(file.path, [before])
    if (isIt) return file.path
  }
  throw new Error('no pack holds it')
}

const flip = async (storage: Storage, path: string): Promise<void> => {
  const bytes = Buffer.from(await storage.read(path))
  bytes[40]! ^= 1
  await storage.remove(path)
  await storage.write(path, [bytes])
}

const aMail = async (): Promise<string> =>
  `users/${(await world.backup.paths()).find((path) => path.startsWith('ann'))!}`

describe('a verification', () => {
  it('finds nothing wrong in a whole repository, and tells how much it read', async () => {
    const done = await run('Verification', { data: 'all' })
    expect(done).toMatchObject({ status: 'Success', problems: 0, damagedItems: 0 })
    expect(done.readPacks).toBe(done.packs)
    expect(done.readBytes).toBeGreaterThan(0)
    expect(await trust.state(administrator, REPOSITORY)).toMatchObject({ damagedItems: 0 })
  })

  it('reads everything in thirty shares, and catches up on three missed days at most', async () => {
    let read = 0
    for (let day = 0; day < 30; day += 1) {
      read += (await run('Verification', { data: 'share' })).readPacks
      await world.days(1)
    }
    expect(read).toBe([...world.backup.repository.packs()].length)
    const row = async () => trustScheduleRows.find(world.database.queries, REPOSITORY)
    expect(await row()).toMatchObject({ nextShare: 0 })
    await world.days(9)
    await run('Verification', { data: 'share' })
    expect(await row()).toMatchObject({ nextShare: 3 })
  })

  it('names what a flipped bit touches, and the next run heals it', async () => {
    await flip(world.backup.storage, await packHolding(await aMail()))
    const found = await run('Verification', { data: 'all' })
    expect(found).toMatchObject({ status: 'Warning' })
    const items = found.lines.filter(({ type }) => type === 'Item')
    expect(items.map(({ name, kind, status }) => [name, kind, status])).toContainEqual([
      expect.stringMatching(/Quarter|Lunch/),
      'Mail',
      'Waiting',
    ])
    await healingRun()
    expect(await run('Verification', { data: 'all' })).toMatchObject({ status: 'Success', problems: 0 })
    const { items: after } = await trust.damagedItems(administrator, REPOSITORY, { all: true })
    expect(new Set(after.map(({ status }) => status))).toEqual(new Set(['Healed']))
    expect(await objectToReadRows.list(world.database.queries, REPOSITORY, ORGANIZATION)).toEqual([])
  })

  it('heals a lost pack from a copy at once, also what the tenant has no longer', async () => {
    const copyStorage = memoryStorage()
    await using copy = await initRepository(copyStorage, { ...options, password: 'another' })
    await copy.copyFrom(world.backup.repository, {})
    await addCopy()
    copies = [copy]
    await world.backup.storage.remove(await packHolding(await aMail()))
    world.backup.mailboxes.get('ann')!.delete('m1')
    const found = await run('Verification', { data: 'none' })
    expect(found.damagedItems).toBeGreaterThan(0)
    expect(found.healedItems).toBe(found.damagedItems)
    expect(await run('Verification', { data: 'all' })).toMatchObject({ status: 'Success' })
  })

  it('goes on naming what nobody has, until no point needs it', async () => {
    await world.backup.storage.remove(await packHolding(await aMail()))
    world.backup.mailboxes.get('ann')!.delete('m1')
    await run('Verification', { data: 'none' })
    await healingRun()
    const lost = async () => (await trust.damagedItems(administrator, REPOSITORY)).items
    expect((await lost()).map(({ name, status }) => [name, status])).toContainEqual(['Quarter', 'Lost'])
    expect(await run('Verification', { data: 'none' })).toMatchObject({ status: 'Warning' })
    expect(await objectToReadRows.list(world.database.queries, REPOSITORY, ORGANIZATION)).toEqual([])
    const oldest = world.backup.catalogue.points().at(-1)!
    await world.backup.repository.forget([oldest.snapshot])
    expect(await run('Verification', { data: 'none' })).toMatchObject({ status: 'Success' })
    expect(await lost()).toEqual([])
    const { items } = await damagedItemRows.list(world.database.queries, { repositoryId: REPOSITORY })
    expect(items.find(({ name }) => name === 'Quarter')).toMatchObject({ status: 'Gone' })
  })

  it('stops when it is asked to before its turn', async () => {
    const { id } = await trust.start(administrator, 'Verification', REPOSITORY, { data: 'all' })
    await expect(trust.start(administrator, 'Verification', REPOSITORY)).rejects.toMatchObject({
      code: 'conflict',
    })
    await trust.stop(administrator, id)
    await runner.drain()
    expect(await trust.run(administrator, id)).toMatchObject({ status: 'Stopped' })
  })
})

describe('a repair', () => {
  it('tells first, then brings back a lost index', async () => {
    for await (const { path } of world.backup.storage.list('index')) await world.backup.storage.remove(path)
    const dry = await run('Repair', { dryRun: true })
    expect(dry.status).toBe('Warning')
    expect((await world.backup.storage.list('index')[Symbol.asyncIterator]().next()).done).toBe(true)
    expect(await run('Repair')).toMatchObject({ status: 'Success', damagedItems: 0 })
    expect(await run('Verification', { data: 'all' })).toMatchObject({ status: 'Success' })
  })
})

describe('a restore test', () => {
  it('finds items equal to those in the tenant', async () => {
    const done = await run('RestoreTest', { seed: 1 })
    expect(done).toMatchObject({ status: 'Success', tested: 3, equal: 3, differing: 0 })
    expect(done.lines.map(({ name, equalToTenant }) => [name, equalToTenant])).toEqual([
      ['ann@contoso.com', 2],
      ['bob@contoso.com', 1],
    ])
  })

  it('names an item that is not as in the tenant, and compares changed ones with what was recorded', async () => {
    const ann = world.backup.mailboxes.get('ann')!
    const item = (await ann.message('m1'))!
    ann.put('m1', 'inbox', { subject: 'Forged', changeKey: item.changeKey })
    ann.put('m2', 'inbox', { isRead: true })
    const done = await run('RestoreTest', { seed: 1 })
    expect(done).toMatchObject({ status: 'Warning', tested: 3, equal: 2, differing: 1 })
    expect(done.lines[0]).toMatchObject({
      equalToTenant: 0,
      remarks: [{ item: 'Quarter', outcome: 'differs', why: 'subject is not as in the mailbox' }],
    })
  })

  it('finds what cannot be read any more', async () => {
    await flip(world.backup.storage, await packHolding(await aMail()))
    expect((await run('RestoreTest', { seed: 1 })).differing).toBeGreaterThan(0)
  })

  it('chooses the same items for the same seed', async () => {
    const ann = world.backup.mailboxes.get('ann')!
    for (let at = 0; at < 20; at += 1) ann.put(`x${at}`, 'inbox', { subject: `x${at}` })
    await world.run()
    expect(await run('RestoreTest', { seed: 4, itemsPerObject: 3 })).toMatchObject({ tested: 4, equal: 4 })
  })
})

describe('the schedule', () => {
  it('verifies daily and tests weekly, and does neither when switched off', async () => {
    const counts = async () => {
      const of = async (kind: TrustRunKind) => (await trust.runs(administrator, { kind })).totalCount
      return [await of('Verification'), await of('RestoreTest')]
    }
    for (let day = 0; day < 8; day += 1) {
      await scheduler.tick()
      await runner.drain()
      await world.days(1)
    }
    expect(await counts()).toEqual([7, 1])
    await trust.setSettings(administrator, REPOSITORY, { verifyDaily: false, restoreTests: false })
    await world.days(30)
    await scheduler.tick()
    expect(await counts()).toEqual([7, 1])
  })

  it('is not held up by a time that a wrong clock left', async () => {
    await scheduler.tick()
    const nextVerification = new Date(world.clock.nowMs() + 400 * DAY_MS)
    await trustScheduleRows.update(world.database.queries, REPOSITORY, { nextVerification })
    await scheduler.tick()
    const row = await trustScheduleRows.find(world.database.queries, REPOSITORY)
    expect(row!.nextVerification!.getTime()).toBe(world.clock.nowMs() + DAY_MS)
  })
})
