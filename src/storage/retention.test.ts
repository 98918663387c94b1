import { describe, expect, it } from 'vitest'
import { FixedClock, seededRandom } from '#base'
import {
  Bandwidth,
  extendNeeded,
  extendRetention,
  faulty,
  isLocked,
  memoryStorage,
  readOnly,
  retrying,
  type Storage,
  subfolder,
  throttled,
} from './index.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const policy = { periodMs: 30 * DAY_MS, windowMs: 8 * DAY_MS }
const START = new Date('2026-01-01T00:00:00Z')
const after = (days: number): Date => new Date(START.getTime() + days * DAY_MS)

const world = async (paths: readonly string[]) => {
  const clock = new FixedClock(START)
  const storage = memoryStorage('immutable', { immutable: policy, clock })
  for (const path of paths) await storage.write(path, [Buffer.from(path)])
  const random = seededRandom(1)
  return { clock, storage, run: (needed = paths) => extendNeeded(storage, () => needed, { random }) }
}
const daysLeft = async (storage: Storage, path: string): Promise<number> => {
  const [until, now] = [await storage.retention!.until(path), await storage.retention!.now()]
  return ((until?.getTime() ?? 0) - now.getTime()) / DAY_MS
}

describe('an immutable storage', () => {
  it('refuses to remove a file before its date, and removes it after', async () => {
    const { storage, clock } = await world(['data/a'])
    clock.advance(38 * DAY_MS - 1)
    const refusal: unknown = await storage.remove('data/a').catch((error: unknown) => error)
    expect(isLocked(refusal)).toBe(true)
    expect(refusal).toMatchObject({ message: `data/a cannot be removed before ${after(38).toISOString()}` })
    clock.advance(1)
    await storage.remove('data/a')
    expect(await storage.stat('data/a')).toBeUndefined()
  })

  it('gives locks no date', async () => {
    const { storage } = await world(['organization/s00/locks/a', 'locks/b'])
    await storage.remove('organization/s00/locks/a')
    await storage.remove('locks/b')
  })

  it('is one behind every wrapper too', async () => {
    const clock = new FixedClock(START)
    const inside = memoryStorage('immutable', { immutable: policy, clock })
    const random = seededRandom(1)
    const wrapped = subfolder(
      retrying(throttled(faulty(inside, { random, rate: 0.3 }), new Bandwidth(new FixedClock(0), 1e9)), {
        clock: new FixedClock(0),
        random,
        attempts: 50,
      }),
      'shard',
    )
    await wrapped.write('data/a', [Buffer.from('a')])
    await wrapped.retention!.extend('data/a', after(100))
    expect(await wrapped.retention!.until('data/a')).toEqual(after(100))
    expect(await inside.retention!.until('shard/data/a')).toEqual(after(100))
    await expect(wrapped.remove('data/a')).rejects.toThrow('cannot be removed before')
    const reading = readOnly(inside).retention!
    await expect(reading.extend('shard/data/a', after(200))).rejects.toMatchObject({ code: 'denied' })
    expect(await reading.until('shard/data/a')).toEqual(after(100))
  })

  it('leaves a storage without retention alone', async () => {
    const storage = memoryStorage()
    expect(await extendNeeded(storage, () => ['data/a'], { random: seededRandom(1) })).toMatchObject({
      wasDue: false,
    })
    expect(subfolder(storage, 'a')).not.toHaveProperty('retention')
  })
})

describe('extending', () => {
  it('never lets what is needed come below the period, at one extension in each window', async () => {
    const { storage, clock, run } = await world(['data/a', 'snapshots/b'])
    let extended = 0
    for (let day = 0; day < 80; day += 1) {
      extended += (await run()).extended
      expect(await daysLeft(storage, 'data/a')).toBeGreaterThanOrEqual(30)
      clock.advance(DAY_MS)
    }
    expect(extended).toBeLessThanOrEqual(2 * (80 / 6))
    expect(extended).toBeGreaterThanOrEqual(2 * (80 / 8))
  })

  it('lets what is no longer needed run out', async () => {
    const { storage, clock, run } = await world(['data/a', 'data/dead'])
    for (let day = 0; day < 39; day += 1) {
      await run(['data/a'])
      clock.advance(DAY_MS)
    }
    await storage.remove('data/dead')
    await expect(storage.remove('data/a')).rejects.toThrow('cannot be removed')
  })

  it('keeps one note, which is no file of the repository', async () => {
    const { storage, clock, run } = await world(['data/a'])
    for (let week = 0; week < 5; week += 1) {
      await run()
      clock.advance(7 * DAY_MS)
    }
    const notes: string[] = []
    for await (const { path } of storage.list('.holdfast')) notes.push(path)
    expect(notes).toEqual([`.holdfast/retention/${after(28).toISOString()}`])
  })

  it('does not believe a note that says more than was done', async () => {
    const { storage, clock, run } = await world(['data/a'])
    clock.advance(20 * DAY_MS)
    await storage.write(`.holdfast/retention/${after(20).toISOString()}`, [])
    expect(await daysLeft(storage, 'data/a')).toBe(18)
    expect(await run()).toMatchObject({ wasDue: true, extended: 1 })
    expect(await daysLeft(storage, 'data/a')).toBe(38)
  })

  it('does not believe a note of the future', async () => {
    const { storage, clock, run } = await world(['data/a'])
    await storage.write(`.holdfast/retention/${after(400).toISOString()}`, [])
    clock.advance(7 * DAY_MS)
    expect(await run()).toMatchObject({ wasDue: true, extended: 1 })
  })

  it('goes on where it was stopped, and notes only what is done', async () => {
    const paths = Array.from({ length: 50 }, (_, at) => `data/${at}`)
    const { storage, clock, run } = await world(paths)
    clock.advance(7 * DAY_MS)
    const stop = new AbortController()
    const stopping = async function* () {
      for (const path of paths) {
        if (path === 'data/30') stop.abort()
        yield path
      }
    }
    const options = { random: seededRandom(1), signal: stop.signal }
    await expect(extendNeeded(storage, stopping, options)).rejects.toThrow()
    const rest = await run()
    expect(rest).toMatchObject({ wasDue: true, looked: 50 })
    expect(rest.extended).toBeGreaterThanOrEqual(20)
    expect(rest.extended).toBeLessThan(50)
    expect(await run()).toMatchObject({ wasDue: false })
  })

  it('names what is needed and missing', async () => {
    const { storage } = await world(['data/a'])
    expect(await extendRetention(storage, () => ['data/a', 'data/none'])).toMatchObject({
      looked: 2,
      missing: ['data/none'],
    })
  })
})
