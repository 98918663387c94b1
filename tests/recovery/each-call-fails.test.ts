import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixedClock, messageOf, seededRandom } from '#base'
import { initRepository, openRepository, type Repository, type Snapshot } from '#repository'
import { faulty, memoryStorage, retrying, type OneFault, type Storage } from '#storage'

const START = '2026-11-24T10:00:00Z'
const HALF_HOUR_MS = 31 * 60_000

const optionsAt = (clock: FixedClock, seed = 7) => ({
  password: 'secret',
  clock,
  random: seededRandom(seed),
  scrypt: { N: 2, r: 1, p: 1 },
})

// Threads are started once, not for each repository.
let held: Repository
beforeAll(async () => {
  held = await initRepository(memoryStorage(), optionsAt(new FixedClock(START)))
})
afterAll(() => held[Symbol.asyncDispose]())

const contentOf = (name: string): Buffer => Buffer.from(`${name} `.repeat(500))

const backUp = (repository: Repository, files: readonly string[], time: Date): Promise<Snapshot> =>
  repository.withWriter(async (writer) => {
    const tree = writer.edit()
    for (const name of files) {
      const saved = await writer.saveFile([contentOf(name)])
      await tree.putFile(`folder/${name}`, { ...saved, modifiedAt: time })
    }
    await writer.flush()
    return writer.saveSnapshot({ time, tree: (await tree.save())!, paths: ['/x'], tags: [] })
  })

/** Every file of every point reads as it was saved; answers the names by point. */
const contents = async (repository: Repository): Promise<string[][]> => {
  const points: string[][] = []
  for (const { tree } of await repository.snapshots()) {
    const names: string[] = []
    const folder = await repository.entryAt(tree, 'folder')
    if (folder?.type !== 'folder') throw new Error('the folder of a point is gone')
    for (const entry of await repository.tree(folder.subtree)) {
      if (entry.type !== 'file') throw new Error('a folder where a file was')
      const pieces: Uint8Array[] = []
      for await (const piece of repository.readFile(entry)) pieces.push(piece)
      expect(Buffer.concat(pieces).equals(contentOf(entry.name)), entry.name).toBe(true)
      names.push(entry.name)
    }
    points.push(names)
  }
  return points
}

const POINTS = [
  ['a', 'b', 'shared'],
  ['b', 'c', 'shared'],
  ['c', 'd', 'shared'],
]

interface Ground {
  readonly storage: Storage
  readonly clock: FixedClock
}

const prepared = async (): Promise<Ground> => {
  const [storage, clock] = [memoryStorage(), new FixedClock(START)]
  await using repository = await initRepository(storage, optionsAt(clock))
  for (const files of POINTS) {
    clock.advance(60_000)
    await backUp(repository, files, clock.now())
  }
  return { storage, clock }
}

interface Operation {
  readonly name: string
  readonly prepare: () => Promise<Ground>
  readonly run: (repository: Repository, ground: Ground) => Promise<unknown>
  /** Names of the files of each point, before and after. */
  readonly before: readonly (readonly string[])[]
  readonly after: readonly (readonly string[])[]
}

const OPERATIONS: readonly Operation[] = [
  {
    name: 'forgetting a point',
    prepare: prepared,
    run: async (repository) => {
      const there = await repository.snapshots()
      if (there.length === POINTS.length) await repository.forget([there[0]!.id])
    },
    before: POINTS,
    after: POINTS.slice(1),
  },
]

/** Opens, runs and closes over a storage of which one call fails. Undefined when all went well. */
const attempt = async (
  { run }: Operation,
  ground: Ground,
  fault?: OneFault,
): Promise<{ readonly failure: unknown }> => {
  const storage = fault === undefined ? ground.storage : faulty(ground.storage, fault)
  try {
    await using repository = await openRepository(storage, optionsAt(ground.clock, ground.clock.nowMs()))
    await run(repository, ground)
    return { failure: undefined }
  } catch (failure) {
    return { failure }
  }
}

const sorted = (points: readonly (readonly string[])[]): string[] =>
  points.map((names) => names.join(' ')).sort()

const expectWhole = async (ground: Ground, { before, after }: Operation, told: string): Promise<void> => {
  await using repository = await openRepository(ground.storage, optionsAt(ground.clock))
  expect((await repository.check({ readData: true })).problems, told).toEqual([])
  const there = sorted(await contents(repository))
  for (const point of sorted(before.filter((names) => after.includes(names))))
    expect(there, told).toContain(point)
  for (const point of there) expect(sorted([...before, ...after]), told).toContain(point)
}

const expectDone = async (ground: Ground, { after }: Operation, told: string): Promise<void> => {
  await using repository = await openRepository(ground.storage, optionsAt(ground.clock))
  expect((await repository.check({ readData: true })).problems, told).toEqual([])
  expect(new Set(sorted(await contents(repository))), told).toEqual(new Set(sorted(after)))
}

describe.each(['before', 'after'] as const)('one call that fails (%s its work was done)', (moment) => {
  it.each(OPERATIONS)('costs $name nothing but a repetition, whichever call it is', async (operation) => {
    let number = 1
    for (; number < 200; number += 1) {
      const ground = await operation.prepare()
      let wasHit = false
      const told = (): string => `${operation.name}, call ${number} ${moment}`
      const onFault = (): void => {
        wasHit = true
      }
      const { failure } = await attempt(operation, ground, { call: number, moment, onFault })
      if (!wasHit) break
      if (failure !== undefined)
        expect(messageOf(failure), told()).toMatch(/did not answer|nothing is pruned/)
      await expectWhole(ground, operation, told())
      ground.clock.advance(HALF_HOUR_MS)
      const again = await attempt(operation, ground)
      expect(again.failure, told()).toBe(undefined)
      await expectDone(ground, operation, told())
    }
    expect(number, 'calls that were made to fail').toBeGreaterThan(5)
  })
})

describe('five calls in a hundred fail', () => {
  const life = async (storage: Storage, ground: Ground, seed: number): Promise<void> => {
    await using repository = await openRepository(storage, optionsAt(ground.clock, seed))
    ground.clock.advance(60_000)
    await backUp(repository, ['d', 'e', 'shared'], ground.clock.now())
    await repository.forget([(await repository.snapshots())[0]!.id])
    await repository.prune({ keepTrees: [], leaveNoWaste: true })
    expect((await repository.check({ readData: true })).problems).toEqual([])
  }
  const AFTER = [...POINTS.slice(1), ['d', 'e', 'shared']]

  it.each(Array.from({ length: 12 }, (_, seed) => seed))(
    'and a storage that repeats them hides it (seed %i)',
    async (seed) => {
      const ground = await prepared()
      const random = seededRandom(seed)
      const shaky = faulty(ground.storage, { random, rate: 0.05 })
      await life(retrying(shaky, { clock: ground.clock, random }), ground, seed)
      await using repository = await openRepository(ground.storage, optionsAt(ground.clock))
      expect(await contents(repository)).toEqual(AFTER)
      expect((await repository.check({ readData: true })).problems).toEqual([])
    },
  )

  it.each(Array.from({ length: 12 }, (_, seed) => seed))(
    'and without one it is said, and nothing is lost (seed %i)',
    async (seed) => {
      const ground = await prepared()
      const shaky = faulty(ground.storage, { random: seededRandom(seed), rate: 0.05 })
      const failure = await life(shaky, ground, seed).catch((error: unknown) => error)
      if (failure !== undefined) expect(messageOf(failure)).toMatch(/did not answer|nothing is pruned/)
      ground.clock.advance(HALF_HOUR_MS)
      await using repository = await openRepository(ground.storage, optionsAt(ground.clock))
      expect((await repository.check({ readData: true })).problems).toEqual([])
      for (const files of POINTS.slice(1))
        expect(sorted(await contents(repository))).toContain(files.join(' '))
    },
  )
})
