import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixedClock, type Random, seededRandom, unavailable } from '#base'
import { memoryStorage, type Storage } from '#storage'
import type { BlobId, Repository, RepositoryWriter, Snapshot } from '../contract.ts'
import { initRepository, openRepository } from '../repository.ts'
import { TEST_OPTIONS } from './fixtures.ts'

const AT = new Date('2026-03-01T00:00:00Z')
const DAY = 24 * 3_600_000
const CLOCK = new FixedClock(AT)
const OPTIONS = { ...TEST_OPTIONS, clock: CLOCK }

// While one repository is open, the worker threads of all stay.
let running: Repository
beforeAll(async () => {
  running = await initRepository(memoryStorage(), TEST_OPTIONS)
})
afterAll(() => running[Symbol.asyncDispose]())

/** Bytes that do not shrink, the same for the same number. */
const noise = (number: number, bytes = 4000): Uint8Array => {
  const random = seededRandom(number + 1)
  return Uint8Array.from({ length: bytes }, () => Math.floor(random.fraction() * 256))
}

const save = async (writer: RepositoryWriter, numbers: readonly number[], base?: BlobId): Promise<BlobId> => {
  const tree = writer.edit(base)
  for (const number of numbers) {
    const file = await writer.saveFile([noise(number)])
    await tree.putFile(`f${number % 3}/${number}`, { ...file, modifiedAt: AT })
  }
  return (await tree.save())!
}

const snapshotOf = async (writer: RepositoryWriter, tree: BlobId): Promise<Snapshot> =>
  writer.saveSnapshot({ time: AT, tree, paths: ['/'], tags: [] })

const backUp = (repository: Repository, numbers: readonly number[], base?: BlobId): Promise<Snapshot> =>
  repository.withWriter(async (writer) => snapshotOf(writer, await save(writer, numbers, base)))

const through = (storage: Storage, before: (path: string, call: string) => Promise<void>): Storage => ({
  ...(storage.retention === undefined ? {} : { retention: storage.retention }),
  name: storage.name,
  write: async (path, parts) => (await before(path, 'write'), storage.write(path, parts)),
  read: async (path, range) => (await before(path, 'read'), storage.read(path, range)),
  stat: async (path) => (await before(path, 'stat'), storage.stat(path)),
  async *list(folder) {
    await before(folder, 'list')
    yield* storage.list(folder)
  },
  remove: async (path) => (await before(path, 'remove'), storage.remove(path)),
  space: (signal) => storage.space(signal),
  [Symbol.asyncDispose]: async () => {},
})

const stored = async (storage: Storage, folder: string): Promise<string[]> => {
  const paths: string[] = []
  for await (const { path } of storage.list(folder)) paths.push(path)
  return paths
}

/** A new reader finds nothing wrong. */
const expectWhole = async (storage: Storage): Promise<void> => {
  await using repository = await openRepository(storage, OPTIONS)
  expect((await repository.check({ readData: true })).problems).toEqual([])
}

const NONE = { keepTrees: [] }

describe('a prune beside writers', () => {
  it('keeps what an open writer leans on, saved or found, although no snapshot names it', async () => {
    const storage = memoryStorage()
    await using repository = await initRepository(storage, OPTIONS)
    const old = await backUp(repository, [1, 2, 3, 4])
    await repository.withWriter(async (writer) => {
      const tree = await save(writer, [1, 5])
      const editor = writer.edit(old.tree)
      await repository.forget([old.id])
      expect(await repository.prune(NONE)).not.toHaveProperty('postponed')
      await editor.putTree('again', tree)
      await snapshotOf(writer, (await editor.save())!)
    })
    await expectWhole(storage)
  })

  it('lets go what nobody leans on, and writers store it anew', async () => {
    const storage = memoryStorage()
    await using repository = await initRepository(storage, OPTIONS)
    const old = await backUp(repository, [1, 2, 3, 4])
    await repository.forget([old.id])
    await repository.withWriter(async (writer) => {
      await save(writer, [7])
      const { removedBytes, postponed } = await repository.prune(NONE)
      expect(postponed).toBeUndefined()
      expect(removedBytes).toBeGreaterThan(15_000)
      await snapshotOf(writer, await save(writer, [1, 2]))
    })
    await expectWhole(storage)
  })

  it.each(Array.from({ length: 8 }, (_, seed) => seed))(
    'in any order leaves all whole (seed %i)',
    async (seed) => {
      const random = seededRandom(seed + 100)
      const storage = memoryStorage()
      const slow = through(storage, () => pause(random))
      await using repository = await initRepository(slow, OPTIONS)
      const living: Snapshot[] = [await backUp(repository, [0, 1, 2, 3, 4, 5])]
      const pick = <Value>(values: readonly Value[]): Value | undefined =>
        values[Math.floor(random.fraction() * values.length)]
      const someNumbers = () => Array.from({ length: 4 }, () => Math.floor(random.fraction() * 14))
      const write = async (): Promise<void> => {
        for (let run = 0; run < 3; run += 1) {
          await repository.withWriter(async (writer) => {
            const base = pick(living)?.tree
            const first = await save(writer, someNumbers(), base)
            await pause(random)
            if (random.fraction() < 0.5) await writer.flush()
            living.push(await snapshotOf(writer, await save(writer, someNumbers(), first)))
          })
        }
      }
      const forget = async (): Promise<void> => {
        for (let run = 0; run < 5; run += 1) {
          await pause(random, 40)
          const going = living.splice(Math.floor(random.fraction() * living.length), 1)
          await repository.forget(going.map(({ id }) => id))
        }
      }
      const prune = async (): Promise<void> => {
        for (let run = 0; run < 4; run += 1) {
          await pause(random, 20)
          await repository.prune({ ...NONE, leaveNoWaste: random.fraction() < 0.7 })
        }
      }
      await Promise.all([write(), write(), forget(), prune()])
      await expectWhole(storage)
      expect((await repository.check({ readData: true })).problems).toEqual([])
      await repository.prune({ ...NONE, leaveNoWaste: true })
      await expectWhole(storage)
      expect(await stored(storage, '.holdfast')).toEqual([])
    },
  )
})

const pause = async (random: Random, most = 6): Promise<void> => {
  for (let turns = Math.floor(random.fraction() * most); turns > 0; turns -= 1)
    await new Promise((resolve) => setImmediate(resolve))
}

/** A repository whose packs are partly waste, several of them small. */
const wasteful = async (storage: Storage): Promise<Snapshot> => {
  await using repository = await initRepository(storage, OPTIONS)
  const old = await backUp(repository, [1, 2, 3, 4, 5, 6])
  const kept = await backUp(repository, [1, 3, 8])
  await repository.forget([old.id])
  return kept
}

const HARD = { ...NONE, leaveNoWaste: true }

describe('a lock', () => {
  it('that could not be removed is in nobody’s way: the next to take one removes it', async () => {
    const storage = memoryStorage()
    let isRefusing = false
    const refusing: Storage = {
      ...through(storage, () => Promise.resolve()),
      remove: (path) =>
        isRefusing && path.startsWith('locks/')
          ? Promise.reject(unavailable('the storage is away'))
          : storage.remove(path),
    }
    await using repository = await initRepository(refusing, OPTIONS)
    const [one, two] = [await backUp(repository, [1]), await backUp(repository, [2])]
    isRefusing = true
    expect((await repository.check({ readData: false })).problems).toEqual([])
    isRefusing = false
    expect(await stored(storage, 'locks')).toHaveLength(1)
    await repository.forget([one.id])
    expect((await repository.prune({ ...NONE, leaveNoWaste: true })).postponed).toBeUndefined()
    expect(await stored(storage, 'locks')).toEqual([])
    expect((await repository.snapshots()).map(({ id }) => id)).toEqual([two.id])
  })
})

describe('a prune that is cut off', () => {
  it.each(['fails', 'is done and not answered'] as const)(
    'at any call that %s goes on next time',
    async (how) => {
      for (let limit = 0, isOver = false; !isOver; limit += 1) {
        expect(limit).toBeLessThan(200)
        const storage = memoryStorage()
        await wasteful(storage)
        let left = Number.POSITIVE_INFINITY
        const fault = (): void => {
          left -= 1
          if (left === 0) throw unavailable('no answer')
        }
        const mortal = through(storage, async (path, call) => {
          if (how === 'fails') return fault()
          if (call === 'remove') await storage.remove(path)
          fault()
        })
        await using repository = await openRepository(mortal, OPTIONS)
        left = limit + 1
        await repository.prune(HARD).catch(() => undefined)
        isOver = left > 0
        left = Number.POSITIVE_INFINITY
        // One is left where its removal failed.
        for (const lock of await stored(storage, 'locks')) await storage.remove(lock)
        await expectWhole(storage)
        // The same process goes on, or one that comes after it.
        await using later = await openRepository(storage, OPTIONS)
        await (limit % 2 === 0 ? repository : later).prune(HARD)
        await expectWhole(storage)
        // What was rewritten, and the two packs of the snapshot that stays.
        expect((await stored(storage, 'data')).length).toBe(3)
      }
    },
  )

  it('does not write again what it has rewritten', async () => {
    const storage = memoryStorage()
    await wasteful(storage)
    let writes = 0
    const counting = through(storage, async (path, call) => {
      if (call === 'write' && path.startsWith('data/')) writes += 1
    })
    const stop = new AbortController()
    await using first = await openRepository(counting, OPTIONS)
    const stopped = first.prune(
      { ...HARD, onProgress: (step) => step === 'replacing indexes' && stop.abort() },
      stop.signal,
    )
    await expect(stopped).rejects.toThrow()
    expect(writes).toBeGreaterThan(0)
    await using next = await openRepository(counting, OPTIONS)
    writes = 0
    await next.prune(HARD)
    expect(writes).toBe(0)
    await expectWhole(storage)
  })

  it('by somebody at work in the repository is postponed, and nothing is lost', async () => {
    const storage = memoryStorage()
    await wasteful(storage)
    await using repository = await openRepository(storage, OPTIONS)
    await using other = await openRepository(storage, OPTIONS)
    await other.withWriter(async (writer) => {
      await snapshotOf(writer, await save(writer, [2, 4]))
      expect((await repository.prune(HARD)).postponed).toContain('locked by process')
    })
    await expectWhole(storage)
    expect(await repository.prune(HARD)).not.toHaveProperty('postponed')
    await expectWhole(storage)
  })
})

describe('packs that are out of use', () => {
  it('wait for their time, and a clock that jumps lets none go early', async () => {
    const storage = memoryStorage()
    await wasteful(storage)
    let nowMs = AT.getTime()
    const clock = { ...TEST_OPTIONS.clock, nowMs: () => nowMs, now: () => new Date(nowMs) }
    const pruneAt = async (ms: number) => {
      nowMs = ms
      await using repository = await openRepository(storage, { ...OPTIONS, clock })
      return repository.prune({ ...HARD, graceMs: 2 * DAY })
    }
    const start = AT.getTime()
    const first = await pruneAt(start)
    expect(first).toMatchObject({ removedBytes: 0, waitingUntil: new Date(start + 2 * DAY) })
    expect(first.waitingBytes).toBeGreaterThan(0)
    for (const days of [-1, 1, 400, 1]) {
      expect(await pruneAt(start + days * DAY)).toMatchObject({ waitingBytes: first.waitingBytes })
      await expectWhole(storage)
    }
    for (const days of [4, 7, 10]) await pruneAt(start + days * DAY)
    expect(await pruneAt(start + 10 * DAY)).toMatchObject({ waitingBytes: 0 })
    expect((await stored(storage, 'data')).length).toBe(3)
    expect(await stored(storage, '.holdfast')).toEqual([])
  })

  it('come back when a snapshot that needs them does', async () => {
    const storage = memoryStorage()
    await using repository = await initRepository(storage, OPTIONS)
    const old = await backUp(repository, [1, 2, 3])
    const file = await storage.read(`snapshots/${old.id}`)
    await repository.forget([old.id])
    expect((await repository.prune({ ...HARD, graceMs: DAY })).waitingBytes).toBeGreaterThan(0)
    expect(repository.hasBlob('tree', old.tree)).toBe(false)
    await storage.write(`snapshots/${old.id}`, [file])
    await using later = await openRepository(storage, OPTIONS)
    expect(await later.prune(HARD)).toMatchObject({ removedBytes: 0, waitingBytes: 0 })
    await expectWhole(storage)
  })

  it('stay as long as the storage does not let them go, and as an index names them', async () => {
    let nowMs = AT.getTime()
    const clock = { ...TEST_OPTIONS.clock, nowMs: () => nowMs, now: () => new Date(nowMs) }
    const storage = memoryStorage('locked', { immutable: { periodMs: 10 * DAY, windowMs: DAY }, clock })
    await using repository = await initRepository(storage, { ...OPTIONS, clock })
    await backUp(repository, [1, 2, 3, 4, 5, 6])
    const doomed = await repository.withWriter((writer) => save(writer, [20, 21]))
    const before = await stored(storage, 'data')
    const report = await repository.prune(HARD)
    expect(report).toMatchObject({ removedBytes: 0, waitingUntil: new Date(nowMs) })
    expect(report.waitingBytes).toBeGreaterThan(8000)
    expect(repository.hasBlob('tree', doomed)).toBe(false)
    expect(await stored(storage, 'data')).toEqual(expect.arrayContaining(before))
    await expectWhole(storage)
    nowMs += 12 * DAY
    await using later = await openRepository(storage, { ...OPTIONS, clock })
    await later.prune(HARD)
    expect(await later.prune(HARD)).toMatchObject({ waitingBytes: 0 })
    expect(later.hasBlob('tree', doomed)).toBe(false)
    expect((await stored(storage, 'data')).length).toBe(2)
    await expectWhole(storage)
  })
})
