import { describe, expect, it } from 'vitest'
import { ManualClock } from '../tests/manual-clock.ts'
import { RepositoryGate } from './repository-gate.ts'

const never = new AbortController().signal

const settled = async (promise: Promise<unknown>): Promise<boolean> => {
  let isSettled = false
  promise.then(
    () => (isSettled = true),
    () => (isSettled = true),
  )
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
  return isSettled
}

describe('a gate before repositories', () => {
  it('closes when those inside have left, and lets in who waited when it opens', async () => {
    const gate = new RepositoryGate(new ManualClock('2026-01-01T00:00:00Z'))
    const inside = await gate.enter(['a', 'b'], never)
    const closing = gate.close('a', { patienceMs: 0, signal: never })
    const waiting = gate.enter(['a'], never)
    expect([await settled(closing), await settled(waiting)]).toEqual([false, false])
    inside[Symbol.dispose]()
    const closed = await closing
    expect(await settled(waiting)).toBe(false)
    expect(await settled(gate.enter(['b'], never))).toBe(true)
    closed[Symbol.dispose]()
    expect(await settled(waiting)).toBe(true)
  })

  it('holds nobody up while it waits for a quiet moment', async () => {
    const clock = new ManualClock('2026-01-01T00:00:00Z')
    const gate = new RepositoryGate(clock)
    const inside = await gate.enter(['a'], never)
    const closing = gate.close('a', { patienceMs: 10_000, signal: never })
    const another = await gate.enter(['a'], never)
    inside[Symbol.dispose]()
    clock.advance(5_000)
    expect(await settled(closing)).toBe(false)
    another[Symbol.dispose]()
    clock.advance(1_000)
    expect(await settled(closing)).toBe(true)
  })

  it('lets in who is to stop, and opens when the closing is given up', async () => {
    const gate = new RepositoryGate(new ManualClock('2026-01-01T00:00:00Z'))
    const inside = await gate.enter(['a'], never)
    const [closer, worker] = [new AbortController(), new AbortController()]
    const closing = gate.close('a', { patienceMs: 0, signal: closer.signal })
    const waiting = gate.enter(['a'], worker.signal)
    worker.abort()
    expect(await settled(waiting)).toBe(true)
    closer.abort()
    await expect(closing).rejects.toThrow('aborted')
    expect(await settled(gate.enter(['a'], never))).toBe(true)
    inside[Symbol.dispose]()
  })
})
