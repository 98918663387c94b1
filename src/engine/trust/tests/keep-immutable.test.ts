import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { seededRandom, silentLogger } from '#base'
import { initRepository, type Repository } from '#repository'
import { faulty, memoryStorage, subfolder, type Storage } from '#storage'
import { keepWorkers, options } from '../../backup/tests/backup-world.ts'
import type { OrganizationTenants } from '../../organizations/tenants.ts'
import { DAY_MS, REPOSITORY, RetentionWorld } from '../../retention/tests/retention-world.ts'
import { ManualClock } from '../../tests/manual-clock.ts'
import { TrustScheduler } from '../trust-scheduler.ts'

// A storage that lets nobody remove files before a date, looked after by the schedule. It has a clock of its own.
const HOUR_MS = DAY_MS / 24
const UPKEEP_HOURS = 6
const policy = { periodMs: 10 * DAY_MS, windowMs: DAY_MS }
const PASSING = /locks\/|\.holdfast\/retention\//
const START = '2027-01-01T00:00:00Z'

let world: RetentionWorld
/** Of the server, and of the storage. */
let clock: ManualClock
let storageClock: ManualClock
let storage: Storage
/** Instead of it, for a while. */
let broken: Storage | undefined
let repository: Repository
let scheduler: TrustScheduler

keepWorkers()

beforeEach(async () => {
  world = await RetentionWorld.start()
  clock = new ManualClock(START)
  storageClock = new ManualClock(START)
  storage = memoryStorage('immutable', { immutable: policy, clock: storageClock })
  await storage.write('repo.json', [Buffer.from('{}')])
  await storage.write('contoso/organization.json', [Buffer.from('{}')])
  repository = await initRepository(subfolder(storage, 'contoso/s00'), options)
  await save('first')
  const existing = async () => [{ index: 0, repository }]
  scheduler = new TrustScheduler({
    ...world.parts,
    clock,
    log: silentLogger,
    random: seededRandom(3),
    tenants: { of: async () => ({}) as OrganizationTenants },
    repositories: {
      shards: async () => ({ count: 1, open: async () => repository, existing }),
      storageFor: async (id) => (id === REPOSITORY ? (broken ?? storage) : memoryStorage()),
    },
  })
})
afterEach(async () => {
  await scheduler[Symbol.asyncDispose]()
  await repository[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

const save = (name: string): Promise<unknown> =>
  repository.withWriter(async (writer) => {
    const { content, sizeBytes } = await writer.saveFile([Buffer.from(name)])
    const file = { type: 'file', name, modifiedAt: storageClock.now(), content, sizeBytes } as const
    const tree = await writer.saveTree([file])
    return writer.saveSnapshot({ time: storageClock.now(), tree, paths: ['/'], tags: [] })
  })

const datesOf = async (): Promise<ReadonlyMap<string, number | undefined>> => {
  const dates = new Map<string, number | undefined>()
  for await (const { path } of storage.list(''))
    dates.set(path, (await storage.retention!.until(path))?.getTime())
  return dates
}

const pass = (hours: number): void => {
  clock.advance(hours * HOUR_MS)
  storageClock.advance(hours * HOUR_MS)
}

describe('the upkeep of immutable files', () => {
  it('moves every date on before less than the period is left, and never back, for weeks', async () => {
    await storage.write('contoso/s00/locks/stale', [Buffer.from('lock')])
    let before = await datesOf()
    const wrong: string[] = []
    let moves = 0
    for (let turn = 0; turn < (25 * 24) / UPKEEP_HOURS; turn += 1) {
      await scheduler.tick()
      const dates = await datesOf()
      for (const [path, date] of dates) {
        const isKept = date !== undefined && date - storageClock.nowMs() >= policy.periodMs
        const isBack = (date ?? 0) < (before.get(path) ?? 0)
        if (isKept === PASSING.test(path) || isBack) wrong.push(path)
        if (date !== before.get(path)) moves += 1
      }
      before = dates
      pass(UPKEEP_HOURS)
    }
    expect(wrong).toEqual([])
    const files = [...before.keys()].filter((path) => !PASSING.test(path))
    expect(files).toEqual(
      expect.arrayContaining(['repo.json', 'contoso/organization.json', 'contoso/s00/config']),
    )
    expect(files.some((path) => path.includes('/data/'))).toBe(true)
    // A file's date is moved once in a window, not at each look.
    expect(moves).toBeLessThan(files.length * 36)
    expect(moves).toBeGreaterThan(files.length * 20)
  })

  it('does not look again before six hours are over', async () => {
    await scheduler.tick()
    const before = await datesOf()
    storageClock.advance(30 * DAY_MS)
    clock.advance(5 * HOUR_MS)
    await scheduler.tick()
    expect(await datesOf()).toEqual(before)
    clock.advance(HOUR_MS)
    await scheduler.tick()
    const date = (await datesOf()).get('contoso/s00/config')
    expect(date).toBe(storageClock.nowMs() + policy.periodMs + policy.windowMs)
  })

  it('that failed comes again within minutes, and moves what was left', async () => {
    await scheduler.tick()
    pass(24)
    const until = storageClock.nowMs() + policy.periodMs + policy.windowMs
    const behind = async (): Promise<string[]> =>
      [...(await datesOf())].flatMap(([path, date]) => (date === until || PASSING.test(path) ? [] : [path]))
    broken = faulty(storage, { call: 12, moment: 'before' })
    await scheduler.tick()
    broken = undefined
    await scheduler.tick()
    expect(await behind(), 'at once: not').not.toEqual([])
    clock.advance(HOUR_MS / 12)
    await scheduler.tick()
    expect(await behind()).toEqual([])
  })

  it.each([-1, 400])(
    'goes by the time of the storage when the clock of the server is %i days off',
    async (days) => {
      clock.advance(days * DAY_MS)
      await scheduler.tick()
      const before = await datesOf()
      pass(24)
      clock.advance(-days * DAY_MS)
      await scheduler.tick()
      for (const [path, date] of await datesOf())
        if (date !== undefined) {
          expect(date - storageClock.nowMs(), path).toBeGreaterThanOrEqual(policy.periodMs)
          expect(date, path).toBeGreaterThanOrEqual(before.get(path) ?? 0)
        }
    },
  )

  it('lets the date of a pack run out that no index names any more', async () => {
    const unused = `contoso/s00/data/aa/${'a'.repeat(64)}`
    await storage.write(unused, [Buffer.from('a pack')])
    const date = (await datesOf()).get(unused)!
    for (let day = 0; day < 12; day += 1) {
      await scheduler.tick()
      pass(24)
    }
    expect((await datesOf()).get(unused)).toBe(date)
    await storage.remove(unused)
    const [pack] = repository.packs()
    const used = `contoso/s00/data/${pack!.slice(0, 2)}/${pack}`
    await expect(storage.remove(used)).rejects.toMatchObject({ code: 'conflict' })
  })
})
