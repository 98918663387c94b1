import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixedClock } from '#base'
import {
  checkpointRows,
  holdAlone,
  isDuplicate,
  jobRows,
  logRows,
  openDatabase,
  organizationRows,
  sessionRows,
  taskRows,
  type Database,
  type JobRow,
  type OrganizationRow,
  type SessionRow,
} from './index.ts'

const clock = new FixedClock('2026-03-01T10:00:00Z')
const now = clock.now()

const organization = (id: string, changes: Partial<OrganizationRow> = {}): OrganizationRow => ({
  id,
  type: 'Office365',
  region: 'Worldwide',
  name: `${id}.example`,
  officeName: `${id}.onmicrosoft.com`,
  tenantId: `tenant-${id}`,
  isExchangeOnline: true,
  isSharePointOnline: false,
  exchangeOnlineSettings: { account: 'a@example', useMfa: true },
  verification: { warnings: ['ü "quoted" \\ text'] },
  createdAt: now,
  updatedAt: now,
  ...changes,
})

const job = (id: string, changes: Partial<JobRow> = {}): JobRow => ({
  id,
  organizationId: 'o1',
  repositoryId: 'r1',
  name: id,
  nameKey: id,
  description: '',
  backupType: 'EntireOrganization',
  isEnabled: true,
  schedulePolicy: {},
  eTag: 1,
  createdAt: now,
  ...changes,
})

const session = (id: string, changes: Partial<SessionRow> = {}): SessionRow => ({
  id,
  jobId: 'j1',
  organizationId: 'o1',
  repositoryId: 'r1',
  creationTime: now,
  retryCount: 0,
  jobWillBeRetried: false,
  progress: 0,
  configType: 'Full',
  status: 'Running',
  statistics: {},
  eTag: 1,
  ...changes,
})

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-database-'))
})
afterAll(() => rm(folder, { recursive: true }))

const inMemory = (): Promise<Database> => openDatabase(':memory:', clock)

describe('rows', () => {
  it('give back what was put in, absent columns absent', async () => {
    await using database = await inMemory()
    await organizationRows.insert(database.queries, organization('o1'))
    const found = await organizationRows.find(database.queries, 'o1')
    expect(found).toEqual(organization('o1'))
    expect(found).not.toHaveProperty('sharePointOnlineSettings')
    expect(found).not.toHaveProperty('description')
  })

  it('clear a column that is changed to undefined', async () => {
    await using database = await inMemory()
    await organizationRows.insert(database.queries, organization('o1', { description: 'old' }))
    await organizationRows.update(database.queries, 'o1', {
      description: undefined,
      isSharePointOnline: true,
    })
    const found = await organizationRows.find(database.queries, 'o1')
    expect(found).not.toHaveProperty('description')
    expect(found?.isSharePointOnline).toBe(true)
  })

  it('refuse the same tenant twice, as a duplicate', async () => {
    await using database = await inMemory()
    await organizationRows.insert(database.queries, organization('o1'))
    const second = organizationRows.insert(database.queries, organization('o2', { tenantId: 'tenant-o1' }))
    await expect(second).rejects.toSatisfy(isDuplicate)
  })

  it('cut a page and count the whole', async () => {
    await using database = await inMemory()
    for (const id of ['a', 'b', 'c', 'd']) await organizationRows.insert(database.queries, organization(id))
    const page = await organizationRows.list(database.queries, { offset: 1, limit: 2 })
    expect(page.items.map((row) => row.id)).toEqual(['b', 'c'])
    expect(page.totalCount).toBe(4)
    expect((await organizationRows.list(database.queries, { offset: 3 })).items).toHaveLength(1)
  })

  it('raise the eTag of a job with each change', async () => {
    await using database = await inMemory()
    await jobRows.insert(database.queries, job('j1'))
    await jobRows.update(database.queries, 'j1', { description: 'x' })
    await jobRows.update(database.queries, 'j1', { isEnabled: false })
    expect(await jobRows.find(database.queries, 'j1')).toMatchObject({ eTag: 3, isEnabled: false })
  })

  it('find the jobs that are due, not the disabled and not the later ones', async () => {
    await using database = await inMemory()
    const later = new Date(now.getTime() + 1)
    await jobRows.insert(database.queries, job('due', { nextRun: now }))
    await jobRows.insert(database.queries, job('off', { nextRun: now, isEnabled: false }))
    await jobRows.insert(database.queries, job('later', { nextRun: later }))
    await jobRows.insert(database.queries, job('manual'))
    expect((await jobRows.due(database.queries, now)).map((row) => row.id)).toEqual(['due'])
  })

  it('tell when an organization was first and last protected', async () => {
    await using database = await inMemory()
    const at = (hour: number): Date => new Date(Date.UTC(2026, 0, 1, hour))
    await sessionRows.insert(database.queries, session('1', { status: 'Success', endTime: at(2) }))
    await sessionRows.insert(database.queries, session('2', { status: 'Warning', endTime: at(5) }))
    await sessionRows.insert(database.queries, session('3', { status: 'Failed', endTime: at(9) }))
    const times = await sessionRows.endTimes(database.queries, 'o1', ['Success', 'Warning'])
    expect(times).toEqual({ first: at(2), last: at(5) })
    expect(await sessionRows.endTimes(database.queries, 'o2', ['Success'])).toBeUndefined()
  })

  it('number log rows and end those that are open', async () => {
    await using database = await inMemory()
    const row = { sessionId: 's', type: 'Running', message: 'm', creationTime: now }
    await logRows.insert(database.queries, { ...row, id: 'a', itemKey: 'k' })
    await logRows.insert(database.queries, { ...row, id: 'b', endTime: now, type: 'Success' })
    await logRows.endOpen(database.queries, 's', 'Stop', now)
    const { items } = await logRows.list(database.queries, 's')
    expect(items.map(({ usn, type }) => [usn, type])).toEqual([
      [1, 'Stop'],
      [2, 'Success'],
    ])
  })

  it('replace a checkpoint of the same key', async () => {
    await using database = await inMemory()
    await checkpointRows.put(database.queries, 's', 'k', { page: 1 })
    await checkpointRows.put(database.queries, 's', 'k', { page: 2 })
    expect(await checkpointRows.find(database.queries, 's', 'k')).toEqual({ page: 2 })
  })

  it('undo everything of a transaction that throws', async () => {
    await using database = await inMemory()
    const failing = database.transaction(async (queries) => {
      await organizationRows.insert(queries, organization('o1'))
      throw new Error('midway')
    })
    await expect(failing).rejects.toThrow('midway')
    expect(await organizationRows.find(database.queries, 'o1')).toBeUndefined()
  })
})

describe('task rows', () => {
  const task = (id: string, runAt: Date) => ({
    id,
    kind: 'run',
    key: id,
    payload: {},
    runAt,
    attempts: 0,
    stopRequested: false,
    createdAt: now,
  })

  it('lease the longest waiting one, and again only after the lease has lapsed', async () => {
    await using database = await inMemory()
    const at = (ms: number): Date => new Date(now.getTime() + ms)
    const lease = (owner: string, ms: number) =>
      database.transaction((queries) =>
        taskRows.lease(queries, { kind: 'run', owner, at: at(ms), until: at(ms + 100) }),
      )
    await taskRows.insert(database.queries, task('b', at(0)))
    await taskRows.insert(database.queries, task('a', at(-5)))
    expect((await lease('x', 0))?.id).toBe('a')
    expect((await lease('x', 0))?.id).toBe('b')
    expect(await lease('y', 50)).toBeUndefined()
    expect(await lease('y', 201)).toMatchObject({ id: 'a', attempts: 2, leaseOwner: 'y' })
    expect(await taskRows.extend(database.queries, 'a', 'x', at(900))).toBe(false)
  })
})

describe('the file', () => {
  it('is readable by its owner alone and written ahead', async () => {
    const file = join(folder, 'modes', 'holdfast.db')
    await using database = await openDatabase(file, clock)
    await organizationRows.insert(database.queries, organization('o1'))
    for (const name of [file, `${file}-wal`]) expect((await stat(name)).mode & 0o777).toBe(0o600)
  })

  it('keeps its rows over a reopening', async () => {
    const file = join(folder, 'again.db')
    {
      await using database = await openDatabase(file, clock)
      await organizationRows.insert(database.queries, organization('o1'))
    }
    await using database = await openDatabase(file, clock)
    expect(await organizationRows.find(database.queries, 'o1')).toEqual(organization('o1'))
  })

  it('of a newer Holdfast is refused', async () => {
    const file = join(folder, 'newer.db')
    await (await openDatabase(file, clock))[Symbol.asyncDispose]()
    const sqlite = new Sqlite(file)
    sqlite.exec("insert into schema_versions values (999, 'from the future', '')")
    sqlite.close()
    await expect(openDatabase(file, clock)).rejects.toMatchObject({ code: 'conflict' })
  })

  it('that is no database is called damaged', async () => {
    const file = join(folder, 'rubbish.db')
    await writeFile(file, Buffer.alloc(8192, 'rubbish'))
    await expect(openDatabase(file, clock)).rejects.toMatchObject({ code: 'corrupt' })
    expect((await readFile(file)).length).toBe(8192)
  })

  it('that cannot grow says full and keeps what it has', async () => {
    await using database = await openDatabase(join(folder, 'full.db'), clock, { maxPages: 200 })
    await organizationRows.insert(database.queries, organization('o1'))
    const large = organization('o2', { description: 'x'.repeat(1_000_000) })
    await expect(organizationRows.insert(database.queries, large)).rejects.toMatchObject({ code: 'full' })
    expect(await organizationRows.find(database.queries, 'o1')).toBeDefined()
  })

  it('that another process has locked says so', async () => {
    const file = join(folder, 'locked.db')
    await using database = await openDatabase(file, clock, { lockWaitMs: 20 })
    const other = new Sqlite(file)
    other.exec('BEGIN IMMEDIATE')
    const insert = organizationRows.insert(database.queries, organization('o1'))
    await expect(insert).rejects.toMatchObject({ code: 'unavailable' })
    other.exec('ROLLBACK')
    other.close()
    await organizationRows.insert(database.queries, organization('o1'))
  })

  it('is held by one server at a time', () => {
    const lock = join(folder, 'holdfast.lock')
    const first = holdAlone(lock)
    expect(() => holdAlone(lock)).toThrow('another Holdfast server')
    first[Symbol.dispose]()
    holdAlone(lock)[Symbol.dispose]()
  })
})
