import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FixedClock, seededRandom } from '#base'
import { openDatabase, type Database } from '#database'
import { LEASE_MS, TableTaskQueue } from './task-queue.ts'

let clock: FixedClock
let database: Database
let queue: TableTaskQueue

const worker = (seed: number): TableTaskQueue =>
  new TableTaskQueue({ database, clock, random: seededRandom(seed) })
const add = (key: string, delayMs = 0) =>
  queue.add(database.queries, {
    kind: 'run',
    key,
    payload: { key },
    runAt: new Date(clock.nowMs() + delayMs),
  })

beforeEach(async () => {
  clock = new FixedClock('2026-03-01T10:00:00Z')
  database = await openDatabase(':memory:', clock)
  queue = worker(1)
})
afterEach(() => database[Symbol.asyncDispose]())

describe('a task queue', () => {
  it('hands out what waits longest, each once, and nothing before its time', async () => {
    await add('late', 1_000)
    await add('second')
    await add('first', -1_000)
    const leased = [await queue.lease('run'), await queue.lease('run'), await queue.lease('run')]
    expect(leased.map((task) => task?.key)).toEqual(['first', 'second', undefined])
    expect(leased[0]).toMatchObject({ payload: { key: 'first' }, attempts: 1, isLeased: true })
    clock.advance(1_000)
    expect((await queue.lease('run'))?.key).toBe('late')
  })

  it('gives one task to one of many workers', async () => {
    await add('only')
    const leased = await Promise.all([1, 2, 3, 4].map((seed) => worker(seed).lease('run')))
    expect(leased.filter((task) => task !== undefined)).toHaveLength(1)
  })

  it('keeps kinds apart', async () => {
    await add('a')
    expect(await queue.lease('other')).toBeUndefined()
  })

  it('takes no second task of a key until the first is finished', async () => {
    await add('a')
    await expect(add('a')).rejects.toMatchObject({ code: 'conflict' })
    const task = (await queue.lease('run'))!
    await expect(add('a')).rejects.toMatchObject({ code: 'conflict' })
    await queue.finish(database.queries, task)
    await add('a')
  })

  it('gives a task to another worker when its lease has lapsed, and tells the first one', async () => {
    await add('a')
    const task = (await queue.lease('run'))!
    clock.advance(LEASE_MS - 1)
    expect(await queue.pulse(task)).toBe('goes-on')
    clock.advance(LEASE_MS)
    expect(await worker(2).lease('run')).toBeUndefined()
    clock.advance(1)
    expect(await worker(2).lease('run')).toMatchObject({ key: 'a', attempts: 2 })
    expect(await queue.pulse(task)).toBe('lost')
  })

  it('takes over what workers held that are gone, at once', async () => {
    await add('a')
    await queue.lease('run')
    const next = worker(2)
    await next.takeOver()
    expect((await next.lease('run'))?.key).toBe('a')
  })

  it('counts no attempt for a task that was given back', async () => {
    await add('a')
    await queue.release((await queue.lease('run'))!)
    expect(await queue.lease('run')).toMatchObject({ attempts: 1 })
  })

  it('tells of a stop with the next pulse', async () => {
    await add('a')
    const task = (await queue.lease('run'))!
    expect(await queue.requestStop('run', 'a')).toBe(true)
    expect(await queue.pulse(task)).toBe('stop-requested')
    expect(await queue.requestStop('run', 'b')).toBe(false)
  })

  it('adds and finishes within the transaction of others', async () => {
    const undone = database.transaction(async (queries) => {
      await queue.add(queries, { kind: 'run', key: 'a', payload: {} })
      throw new Error('midway')
    })
    await expect(undone).rejects.toThrow('midway')
    expect(await queue.find(database.queries, 'run', 'a')).toBeUndefined()
  })
})
