import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { messageOf, unavailable } from '#base'
import { openDatabase, type Database } from '#database'
import { shardOf } from '#engine'
import { openRepository, type Repository } from '#repository'
import { faulty, memoryStorage, subfolder, type Storage } from '#storage'
import { clock, options } from '../../src/engine/backup/tests/backup-world.ts'
import { ShardedWorld } from '../../src/engine/backup/tests/sharded-world.ts'
import { OBJECTS_FOLDER, readRunRecord } from '../../src/engine/catalogue/object-state.ts'
import { removePersonFromShard } from '../../src/engine/retention/remove-person.ts'
import { SAID } from './small-repository.ts'

// All calls take minutes: `HOLDFAST_EVERY_CALL=1 npx vitest run tests/recovery/removal.test.ts`. Else a share of them.
const IS_ALL = process.env['HOLDFAST_EVERY_CALL'] !== undefined
const MOST_CALLS = 2_000
const SHARDS = 4
const SESSIONS = 3

/** Ben is alone in his shard; Cleo shares hers. One shard has nobody. */
const USERS = ['ada', 'ben', 'cleo', 'dora'] as const
type User = (typeof USERS)[number]

// Three points of four people, made once, and copied for each attempt.
let world: ShardedWorld
let before: ReadonlyMap<string, Point>
beforeAll(async () => {
  expect(USERS.map((user) => shardOf(user, SHARDS))).toEqual([1, 0, 3, 3])
  world = await ShardedWorld.of(SHARDS)
  for (const user of USERS) {
    world.mailbox(user).folder('in', 'Inbox').put(`${user}-0`, 'in')
    world.drive(user).folder('d', 'Docs').file(`${user}-f`, 'a file', 'd', `${user}'s and nobody else's`)
  }
  for (let session = 1; session <= SESSIONS; session += 1) {
    clock.advance(60_000)
    for (const user of USERS) world.mailboxes.get(user)!.put(`${user}-${session}`, 'in')
    await world.run()
  }
  before = await pointsIn(world.place)
  expect(before.size).toBe(3 * SESSIONS)
})
afterAll(() => world[Symbol.asyncDispose]())

/** What a point, `shard time`, holds of each person: a name of all that is below the folder. */
type Point = ReadonlyMap<User, string>

const copyOf = async (storage: Storage): Promise<Storage> => {
  const copy = memoryStorage()
  for await (const { path } of storage.list('')) await copy.write(path, [await storage.read(path)])
  return copy
}

const openShards = async (place: Storage, stack: AsyncDisposableStack): Promise<Map<number, Repository>> => {
  const shards = new Map<number, Repository>()
  for (let shard = 0; shard < SHARDS; shard += 1) {
    const storage = subfolder(place, `s${shard}`)
    if ((await storage.stat('config')) === undefined) continue
    shards.set(shard, stack.use(await openRepository(storage, options)))
  }
  return shards
}

const userIn = (key: string): User => key.slice(key.indexOf('-') + 1) as User

/** All points, sound in every byte. A point that is written again may be there twice for a while. */
const pointsIn = async (place: Storage, told = ''): Promise<ReadonlyMap<string, Point>> => {
  await using stack = new AsyncDisposableStack()
  const points = new Map<string, Point>()
  for (const [shard, repository] of await openShards(place, stack)) {
    expect((await repository.check({ readData: true })).problems, told).toEqual([])
    for (const { time, tree } of await repository.snapshots()) {
      const held = new Map<User, string>()
      const objects = await repository.entryAt(tree, OBJECTS_FOLDER)
      if (objects?.type !== 'folder') throw new Error('a point without objects')
      for (const { name } of await repository.tree(objects.subtree))
        held.set(userIn(name), `${held.get(userIn(name)) ?? ''} ${await treesOf(repository, tree, name)}`)
      const listed = (await readRunRecord(repository, tree))!.objects.map(({ key }) => userIn(key))
      expect(new Set(listed), told).toEqual(new Set(held.keys()))
      const point = `${shard} ${time.toISOString()}`
      points.set(point, new Map([...held, ...(points.get(point) ?? [])]))
    }
  }
  return points
}

const treesOf = async (repository: Repository, tree: Parameters<Repository['tree']>[0], key: string) => {
  const state = await repository.entryAt(tree, `${OBJECTS_FOLDER}/${key}`)
  const [users] = await repository.tree(tree).then((all) => all.filter(({ name }) => name === 'users'))
  if (state?.type !== 'folder' || users?.type !== 'folder') throw new Error('an object without its files')
  const folder = (await repository.tree(users.subtree)).find(({ name }) => name.startsWith(userIn(key)))
  return `${state.subtree} ${folder?.type === 'folder' ? folder.subtree : 'nothing'}`
}

/** Nobody but the person has lost anything, whatever happened. */
const expectOthers = (there: ReadonlyMap<string, Point>, person: User, told: string): void => {
  for (const [point, held] of before)
    for (const [user, trees] of held)
      if (user !== person) expect(there.get(point)?.get(user), `${told}: ${point} of ${user}`).toBe(trees)
}

/** The shards one after the other, as the task does it. */
const remove = async (place: Storage, database: Database, person: User): Promise<void> => {
  await using stack = new AsyncDisposableStack()
  for (const [shard, repository] of await openShards(place, stack)) {
    const { remaining } = await removePersonFromShard({
      repository,
      database,
      runId: 'removal',
      place: `repository ${shard}`,
      objectKeys: [`mail-${person}`, `onedrive-${person}`],
      signal: new AbortController().signal,
    })
    expect(remaining).toEqual([])
  }
}

const FAULTS = {
  'fails before its work': { moment: 'before', step: 149, atLeast: 500 },
  'fails after its work': { moment: 'after', step: 149, atLeast: 500 },
  // What it read before, a dead process has for itself: writing and removing count.
  'that changes something is the last of its process': { moment: 'after', step: 31, atLeast: 80 },
} as const
type Fault = keyof typeof FAULTS

/** One call does not work, counted over all shards; `wasHit` says whether it came. */
const withFault = (storage: Storage, call: number, fault: Fault) => {
  let wasHit = false
  const onFault = (): void => {
    wasHit = true
  }
  const once = faulty(storage, { call, moment: FAULTS[fault].moment, onFault })
  const isDeadly = fault.endsWith('process')
  const unlessDead = <Given extends unknown[], Result>(work: (...given: Given) => Result) => {
    return (...given: Given): Result => {
      if (isDeadly && wasHit) throw unavailable('the storage did not answer: its process is gone')
      return work(...given)
    }
  }
  const reads = isDeadly ? storage : once
  const wrapped: Storage = {
    name: storage.name,
    write: unlessDead((...given) => once.write(...given)),
    remove: unlessDead((...given) => once.remove(...given)),
    read: unlessDead((...given) => reads.read(...given)),
    stat: unlessDead((...given) => reads.stat(...given)),
    list: unlessDead((...given) => reads.list(...given)),
    space: () => storage.space(),
    [Symbol.asyncDispose]: async () => {},
  }
  return { storage: wrapped, wasHit: () => wasHit }
}

/** As a start does with the locks of processes that are gone: this one is alive. */
const removeLocks = async (place: Storage): Promise<void> => {
  for await (const { path } of place.list('')) if (path.includes('/locks/')) await place.remove(path)
}

const failureOf = (work: Promise<void>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )

describe.each(['ben', 'cleo'] as const)('the removal of %s from four shards', (person) => {
  it.each(Object.keys(FAULTS) as Fault[])(
    'takes nothing of anybody else, and is complete when it is done again, whichever storage call %s',
    async (fault) => {
      const step = IS_ALL ? 1 : FAULTS[fault].step
      let [call, hits] = [1 + ((7 * person.length + 5 * fault.length) % step), 0]
      for (; call < MOST_CALLS; call += step) {
        const told = `call ${call} ${fault}`
        const place = await copyOf(world.place)
        await using database = await openDatabase(':memory:', clock)
        const { storage, wasHit } = withFault(place, call, fault)
        const failure = await failureOf(remove(storage, database, person))
        if (!wasHit()) {
          expect(failure, told).toBe(undefined)
          break
        }
        hits += 1
        // A dead process has no say.
        if (failure !== undefined && !fault.endsWith('process'))
          expect(messageOf(failure), told).toMatch(SAID)
        await removeLocks(place)
        expectOthers(await pointsIn(place, told), person, told)
        await remove(place, database, person)
        const done = await pointsIn(place, told)
        expectOthers(done, person, told)
        for (const [point, held] of done) expect([...held.keys()], `${told}: ${point}`).not.toContain(person)
        for (const { size } of done.values()) expect(size, told).toBeGreaterThan(0)
      }
      expect(call, 'calls of the whole').toBeLessThan(MOST_CALLS)
      expect(hits, 'calls that did not work').toBeGreaterThan(IS_ALL ? FAULTS[fault].atLeast : 1)
    },
    600_000,
  )
})
