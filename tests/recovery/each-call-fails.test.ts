import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixedClock, messageOf, seededRandom } from '#base'
import { initRepository, openRepository, type Repository } from '#repository'
import { faulty, memoryStorage, retrying, type OneFault, type Storage } from '#storage'
import { type Operation, OPERATIONS } from './small-operations.ts'
import {
  backUp,
  contents,
  openWithAny,
  optionsAt,
  PASSWORD,
  POINTS,
  prepared,
  SAID,
  type SmallGround,
  sorted,
  START,
} from './small-repository.ts'

// All calls take minutes: `HOLDFAST_EVERY_CALL=1 npx vitest run tests/recovery/each-call-fails.test.ts`. Else a share of them.
const STEP = process.env['HOLDFAST_EVERY_CALL'] === undefined ? 19 : 1
const MOST_CALLS = 400
const HALF_HOUR_MS = 31 * 60_000

// Threads are started once, not for each repository.
let held: Repository
beforeAll(async () => {
  held = await initRepository(memoryStorage(), optionsAt(new FixedClock(START)))
})
afterAll(() => held[Symbol.asyncDispose]())

const passwordsOf = ({ passwords = [PASSWORD] }: Operation): readonly string[] => passwords

/** Opens, runs and closes over a storage of which one call may fail. */
const attempt = async (
  operation: Operation,
  ground: SmallGround,
  fault?: OneFault,
): Promise<{ readonly failure: unknown }> => {
  const storage = fault === undefined ? ground.storage : faulty(ground.storage, fault)
  try {
    await using repository = await openWithAny({ ...ground, storage }, passwordsOf(operation))
    await operation.run(repository, ground)
    return { failure: undefined }
  } catch (failure) {
    return { failure }
  }
}

const judge = async (
  { judged = ({ storage }) => storage }: Operation,
  ground: SmallGround,
  passwords: readonly string[],
  told: string,
): Promise<string[]> => {
  await using repository = await openWithAny({ ...ground, storage: judged(ground) }, passwords)
  expect((await repository.check({ readData: true })).problems, told).toEqual([])
  return sorted(await contents(repository))
}

const expectWhole = async (ground: SmallGround, operation: Operation, told: string): Promise<void> => {
  const { before, after } = operation
  const there = await judge(operation, ground, passwordsOf(operation), told)
  for (const point of sorted(before.filter((names) => after.includes(names))))
    expect(there, told).toContain(point)
  for (const point of there) expect(sorted([...before, ...after]), told).toContain(point)
}

const expectDone = async (ground: SmallGround, operation: Operation, told: string): Promise<void> => {
  const there = await judge(operation, ground, passwordsOf(operation).slice(-1), told)
  expect(new Set(there), told).toEqual(new Set(sorted(operation.after)))
}

describe.each(['before', 'after'] as const)('one call that fails (%s its work was done)', (moment) => {
  it.each(OPERATIONS.map((operation, place) => ({ ...operation, place })))(
    'costs $name nothing but a repetition, whichever call it is',
    async ({ place, ...operation }) => {
      let [number, hits] = [1 + ((place * 5 + moment.length) % STEP), 0]
      for (; number < MOST_CALLS; number += STEP) {
        const ground = await operation.prepare()
        let wasHit = false
        const told = `${operation.name}, call ${number} ${moment}`
        const onFault = (): void => {
          wasHit = true
        }
        const { failure } = await attempt(operation, ground, { call: number, moment, onFault })
        if (!wasHit) {
          expect(failure, told).toBe(undefined)
          break
        }
        hits += 1
        if (failure !== undefined) expect(messageOf(failure), told).toMatch(SAID)
        if (operation.isDamaged === undefined) await expectWhole(ground, operation, told)
        ground.clock.advance(HALF_HOUR_MS)
        const again = await attempt(operation, ground)
        expect(again.failure, told).toBe(undefined)
        await expectDone(ground, operation, told)
      }
      expect(number, 'calls of the whole').toBeLessThan(MOST_CALLS)
      expect(hits, 'calls that were made to fail').toBeGreaterThan(STEP === 1 ? 10 : 0)
    },
    600_000,
  )
})

describe('five calls in a hundred fail', () => {
  const life = async (storage: Storage, ground: SmallGround, seed: number): Promise<void> => {
    await using repository = await openRepository(storage, optionsAt(ground.clock, { seed }))
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
      if (failure !== undefined) expect(messageOf(failure)).toMatch(SAID)
      ground.clock.advance(HALF_HOUR_MS)
      await using repository = await openRepository(ground.storage, optionsAt(ground.clock))
      expect((await repository.check({ readData: true })).problems).toEqual([])
      for (const files of POINTS.slice(1))
        expect(sorted(await contents(repository))).toContain(files.join(' '))
    },
  )
})
