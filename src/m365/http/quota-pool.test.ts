import { FixedClock } from '#base'
import { describe, expect, it } from 'vitest'
import { QuotaPool, type PoolLimits } from './quota-pool.ts'
import { TrafficCounter } from './traffic.ts'

const START = Date.parse('2026-11-24T08:00:00Z')

const poolWith = (limits: PoolLimits) => {
  const clock = new FixedClock(START)
  const traffic = new TrafficCounter()
  return { clock, traffic, pool: new QuotaPool('mailbox', limits, clock, traffic) }
}

/** Lets everything that can go on, go on. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

describe('QuotaPool', () => {
  it('lets no more calls run at once than allowed, in the order they asked', async () => {
    const { pool } = poolWith({ concurrent: 2 })
    const started: number[] = []
    const places = [0, 1, 2, 3].map(async (index) => {
      const place = await pool.enter(1)
      started.push(index)
      return place
    })
    await settle()
    expect(started).toEqual([0, 1])
    ;(await places[1]!)[Symbol.dispose]()
    await settle()
    expect(started).toEqual([0, 1, 2])
  })

  it('gives a place back once, however often it is disposed of', async () => {
    const { pool } = poolWith({ concurrent: 1 })
    const first = await pool.enter(1)
    first[Symbol.dispose]()
    first[Symbol.dispose]()
    await pool.enter(1)
    let hasThird = false
    void pool.enter(1).then(() => (hasThird = true))
    await settle()
    expect(hasThird).toBe(false)
  })

  it('never puts more units into any stretch than the allowance', async () => {
    const { pool, clock } = poolWith({ concurrent: 4, allowance: { units: 100, ms: 60_000 } })
    const starts: number[] = []
    for (let call = 0; call < 1000; call += 1) {
      using _place = await pool.enter(1)
      starts.push(clock.nowMs())
      clock.advance(call % 7 === 0 ? 50 : 0)
    }
    starts.forEach((start, index) => {
      const later = starts[index + 100]
      if (later !== undefined) expect(later - start).toBeGreaterThanOrEqual(60_000)
    })
    // Ten allowances in not much more than nine stretches: the allowance is used, too.
    expect(clock.nowMs() - START).toBeLessThan(9.5 * 60_000)
  })

  it('starts nothing during a pause and goes on right after it', async () => {
    const { pool, clock, traffic } = poolWith({ concurrent: 4 })
    pool.pause(31_000)
    pool.pause(5_000)
    await pool.enter(1)
    expect(clock.nowMs() - START).toBe(31_000)
    expect(traffic.waitedMs).toBe(31_000)
  })

  it('waits for the reset when the service says that too little is left', async () => {
    const { pool, clock } = poolWith({ concurrent: 16 })
    pool.learn({ remaining: 7, resetMs: 20_000 })
    await pool.enter(5)
    expect(clock.nowMs()).toBe(START)
    await pool.enter(5)
    expect(clock.nowMs()).toBe(START + 20_000)
  })

  it('takes what is running as not yet counted by the service', async () => {
    const { pool, clock } = poolWith({ concurrent: 16 })
    await pool.enter(5)
    pool.learn({ remaining: 7, resetMs: 20_000 })
    await pool.enter(2)
    expect(clock.nowMs()).toBe(START)
    await pool.enter(1)
    expect(clock.nowMs()).toBe(START + 20_000)
  })

  it('lets a stopped call leave the queue', async () => {
    const { pool } = poolWith({ concurrent: 1 })
    const first = await pool.enter(1)
    const stop = new AbortController()
    const second = pool.enter(1, stop.signal)
    const third = pool.enter(1)
    stop.abort(new Error('stopped'))
    await expect(second).rejects.toThrow('stopped')
    first[Symbol.dispose]()
    await expect(third).resolves.toBeDefined()
  })
})
