import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HoldfastError, seededRandom } from '#base'
import { memoryStorage, type Storage } from '#storage'
import type { Repository } from '../contract.ts'
import { initRepository, openRepository } from '../repository.ts'
import { TEST_OPTIONS } from './fixtures.ts'

let running: Repository
beforeAll(async () => {
  running = await initRepository(memoryStorage(), TEST_OPTIONS)
})
afterAll(() => running[Symbol.asyncDispose]())

const noise = (number: number, bytes: number): Uint8Array => {
  const random = seededRandom(number + 1)
  return Uint8Array.from({ length: bytes }, () => Math.floor(random.fraction() * 256))
}

/** A disk with an end that can be moved: what does not fit is refused whole. */
const disk = () => {
  const files = memoryStorage()
  const sizes = new Map<string, number>()
  const usedBytes = (): number => [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0)
  let totalBytes = Infinity
  const storage: Storage = {
    name: 'disk',
    read: (path, range) => files.read(path, range),
    stat: (path) => files.stat(path),
    list: (folder) => files.list(folder),
    space: async () => ({ totalBytes, freeBytes: Math.max(0, totalBytes - usedBytes()) }),
    write: async (path, parts) => {
      const bytes = parts.reduce((sum, { length }) => sum + length, 0)
      if (usedBytes() + bytes > totalBytes) throw new HoldfastError('full', 'no space is left')
      await files.write(path, parts)
      sizes.set(path, bytes)
    },
    remove: async (path) => {
      await files.remove(path)
      sizes.delete(path)
    },
    [Symbol.asyncDispose]: async () => {},
  }
  return {
    storage,
    usedBytes,
    leaveFree: (bytes: number) => {
      totalBytes = usedBytes() + bytes
    },
  }
}

const AT = new Date('2026-03-01T00:00:00Z')

/** One snapshot of some files, each of its own bytes, with packs and an index of its own. */
const backUp = (repository: Repository, numbers: readonly number[], bytes: number) =>
  repository.withWriter(async (writer) => {
    const tree = writer.edit()
    for (const number of numbers) {
      const file = await writer.saveFile([noise(number, bytes)])
      await tree.putFile(`${number}`, { ...file, modifiedAt: AT })
    }
    return writer.saveSnapshot({ time: AT, tree: (await tree.save())!, paths: ['/'], tags: [] })
  })

const NONE = { keepTrees: [] }

describe('a prune on a full disk', () => {
  it('gives back packs that nobody needs before it writes any anew', async () => {
    const { storage, usedBytes, leaveFree } = disk()
    await using repository = await initRepository(storage, TEST_OPTIONS)
    const mixed = await backUp(repository, [1, 2, 3, 4, 5, 6], 60_000)
    await backUp(repository, [1], 60_000)
    const whole = await backUp(repository, [7], 250_000)
    await repository.forget([mixed.id, whole.id])
    const before = usedBytes()
    leaveFree(40_000)
    const { removedBytes, postponed } = await repository.prune(NONE)
    expect(postponed).toBeUndefined()
    expect(removedBytes).toBeGreaterThan(500_000)
    expect(usedBytes()).toBeLessThan(before - 500_000)
    await using again = await openRepository(storage, TEST_OPTIONS)
    expect((await again.check({ readData: true })).problems).toEqual([])
    expect(await again.snapshots()).toHaveLength(1)
  })

  it('takes one index file after the other where all of them together would not fit', async () => {
    const { storage, leaveFree } = disk()
    await using repository = await initRepository(storage, TEST_OPTIONS)
    const going = []
    for (let run = 0; run < 5; run += 1) {
      await backUp(repository, [run * 10], 3_000)
      going.push(await backUp(repository, [run * 10 + 1, run * 10 + 2], 50_000))
    }
    await repository.forget(going.map(({ id }) => id))
    leaveFree(8_000)
    const { removedBytes } = await repository.prune(NONE)
    expect(removedBytes).toBeGreaterThan(5 * 95_000)
    await using again = await openRepository(storage, TEST_OPTIONS)
    expect((await again.check({ readData: true })).problems).toEqual([])
  })

  it('says that there is no room when nothing can go, and leaves all as it was', async () => {
    const { storage, usedBytes, leaveFree } = disk()
    await using repository = await initRepository(storage, TEST_OPTIONS)
    const mixed = await backUp(repository, [1, 2, 3, 4], 60_000)
    await backUp(repository, [1], 60_000)
    await repository.forget([mixed.id])
    const before = usedBytes()
    leaveFree(20_000)
    expect((await repository.prune(NONE)).postponed).toContain('the disk is full')
    expect(usedBytes()).toBeLessThanOrEqual(before + 1_000)
    leaveFree(10_000_000)
    expect((await repository.prune(NONE)).removedBytes).toBeGreaterThan(150_000)
    await using again = await openRepository(storage, TEST_OPTIONS)
    expect((await again.check({ readData: true })).problems).toEqual([])
  })
})
