import { describe, expect, it } from 'vitest'
import { FixedClock } from '#base'
import { Bandwidth, memoryStorage, throttled } from '../index.ts'

describe('a bandwidth', () => {
  it('is shared by all storages that have it', async () => {
    const clock = new FixedClock(0)
    const bandwidth = new Bandwidth(clock, 1_000)
    const [one, other] = [throttled(memoryStorage(), bandwidth), throttled(memoryStorage(), bandwidth)]
    await one.write('a', [new Uint8Array(2_500)])
    await other.write('b', [new Uint8Array(1)])
    expect(clock.nowMs()).toBe(2_500)
  })

  it('costs nobody a wait without a limit, and forgets what was spent then', async () => {
    const clock = new FixedClock(0)
    const bandwidth = new Bandwidth(clock)
    expect(bandwidth.spend(1e12)).toBeUndefined()
    bandwidth.limit(10)
    expect(bandwidth.spend(5)).toBeUndefined()
    await bandwidth.spend(1)
    expect(clock.nowMs()).toBe(500)
  })

  it('lets those who wait go when the limit goes, and sooner when it grows', async () => {
    const clock = new FixedClock(0)
    const bandwidth = new Bandwidth(clock, 1)
    void bandwidth.spend(1_000_000)
    const waiting = bandwidth.spend(1)
    bandwidth.limit(1_000_000)
    await waiting
    expect(clock.nowMs()).toBeLessThanOrEqual(2_000)
    void bandwidth.spend(1e12)
    const next = bandwidth.spend(1)
    bandwidth.limit(undefined)
    await next
    expect(clock.nowMs()).toBeLessThanOrEqual(4_000)
  })

  it('stops waiting when it is stopped', async () => {
    const bandwidth = new Bandwidth(new FixedClock(0), 1)
    void bandwidth.spend(1_000_000)
    await expect(bandwidth.spend(1, AbortSignal.abort())).rejects.toThrow()
  })
})
