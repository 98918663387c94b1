import { describe, expect, it } from 'vitest'
import { FixedClock, seededRandom, silentLogger } from '#base'
import { ownIdentity } from '#repository'
import { faulty, memoryStorage, type Storage } from '#storage'
import { ownedStorage } from './owned-storage.ts'
import { OwnerLease, RENEW_MS, type OwnerParts } from './owner-lease.ts'
import { newestRecord, type OwnerIdentity } from './owner-record.ts'

const AT = '2026-03-01T10:00:00Z'
const MINUTE = 60_000
let seed = 0

/** A process of a server, on a machine of its own unless told. */
const start = (storage: Storage, server: string, given: Partial<OwnerIdentity> = {}) => {
  const clock = new FixedClock(AT)
  const random = seededRandom((seed += 1))
  const owner = { server, name: `host of ${server}`, instance: random.uuid(), pid: 7, ...given }
  const time = { steady: 0 }
  const parts: OwnerParts = { clock, random, log: silentLogger, owner, steadyMs: () => time.steady }
  const lease = new OwnerLease(parts, storage, 'Main')
  const pass = (ms: number): void => {
    time.steady += ms
    clock.advance(ms)
  }
  return { lease, clock, pass, storage: ownedStorage(storage, lease) }
}

const write = async ({ storage }: { storage: Storage }, path: string): Promise<string> =>
  storage.write(path, [Buffer.from('x')]).then(
    () => 'written',
    (error: Error) => error.message,
  )

const namesIn = async (storage: Storage, folder: string): Promise<number> => {
  let count = 0
  for await (const _ of storage.list(folder)) count += 1
  return count
}

describe('a place with an owner', () => {
  it('is written to by its owner, and by no other server until that is told to take it over', async () => {
    const place = memoryStorage()
    const [a, b] = [start(place, 'a'), start(place, 'b')]
    expect(await write(a, '1')).toBe('written')
    expect(await write(b, '2')).toMatch(/^Main belongs to the server on host of a .* this one may read it/)
    expect(await b.storage.read('1')).toHaveLength(1)
    await b.lease.take('any')
    expect(await write(b, '2')).toBe('written')
    a.pass(RENEW_MS)
    expect(await write(a, '3')).toMatch(/^Main has been taken over by the server on host of b/)
    // For good, whatever becomes of the other one.
    await b.lease.release()
    a.pass(400 * 24 * 60 * MINUTE)
    expect(await write(a, '3')).toMatch(/taken over/)
    await a.lease.take('left')
    expect(await write(a, '3')).toBe('written')
  })

  it('keeps one record, whose number grows', async () => {
    const place = memoryStorage()
    const a = start(place, 'a')
    for (let number = 1; number <= 4; number += 1) {
      await a.lease.require()
      a.pass(RENEW_MS)
    }
    expect(await namesIn(place, '.holdfast/owner')).toBe(1)
    expect(await newestRecord(place)).toMatchObject({
      number: 4,
      server: 'a',
      since: new Date(AT).toISOString(),
    })
  })

  it('goes to one of many that come at the same moment', async () => {
    const place = memoryStorage()
    const all = ['a', 'b', 'c', 'd'].map((server) => start(place, server))
    const written = await Promise.all(all.map((each, at) => write(each, String(at))))
    expect(written.filter((each) => each === 'written')).toHaveLength(1)
  })

  it('is let go of locks by the server that lost it', async () => {
    const place = memoryStorage()
    const a = start(place, 'a')
    await write(a, `s00/locks/${'a'.repeat(64)}`)
    await start(place, 'b').lease.take('any')
    a.pass(RENEW_MS)
    await a.storage.remove(`s00/locks/${'a'.repeat(64)}`)
    await expect(a.storage.remove('s00/config')).rejects.toMatchObject({ reason: 'owned' })
    expect(await namesIn(place, 's00')).toBe(0)
  })
})

describe('the same server', () => {
  it('carries on after a start on another machine, and what it was before stops', async () => {
    const place = memoryStorage()
    const before = start(place, 'a')
    expect(await write(before, '1')).toBe('written')
    const after = start(place, 'a', { name: 'elsewhere' })
    expect(await write(after, '2')).toBe('written')
    before.pass(RENEW_MS)
    expect(await write(before, '3')).toMatch(/by a later start of this server, or a copy of it, on elsewhere/)
  })

  it('is alone once an earlier process must have noticed, or at once where that is seen to be gone', async () => {
    const process = ownIdentity()
    const place = memoryStorage()
    const before = start(place, 'a')
    await before.lease.require()
    const after = start(place, 'a')
    await after.lease.require()
    expect(after.lease.isAlone()).toBe(false)
    after.pass(12 * MINUTE)
    expect(after.lease.isAlone()).toBe(true)
    if (process === undefined) return
    const here = memoryStorage()
    const killed = start(here, 'a', {
      pid: globalThis.process.pid,
      process: { ...process, ticks: process.ticks - 1 },
    })
    await killed.lease.require()
    const again = start(here, 'a', { pid: globalThis.process.pid, process })
    await again.lease.require()
    expect(again.lease.isAlone()).toBe(true)
  })

  it('goes on where the storage was brought back to an earlier moment, or lost its record', async () => {
    const place = memoryStorage()
    const a = start(place, 'a')
    for (const _ of [1, 2, 3]) {
      await a.lease.require()
      a.pass(RENEW_MS)
    }
    await place.remove('.holdfast/owner/000000000003')
    expect(await write(a, '1')).toBe('written')
    expect(await newestRecord(place)).toMatchObject({ number: 4 })
  })

  it('goes on for ten minutes without a renewal, and no longer', async () => {
    const place = memoryStorage()
    let isBroken = false
    const shaky: Storage = {
      name: 'shaky',
      write: async (path, parts) => {
        if (isBroken && path.startsWith('.holdfast/')) throw new Error('no answer')
        await place.write(path, parts)
      },
      read: (path) => place.read(path),
      stat: (path) => place.stat(path),
      list: (folder) => place.list(folder),
      remove: (path) => place.remove(path),
      space: () => place.space(),
      [Symbol.asyncDispose]: async () => {},
    }
    const a = start(shaky, 'a')
    await a.lease.require()
    isBroken = true
    a.pass(9 * MINUTE)
    expect(await write(a, '1')).toBe('written')
    a.pass(2 * MINUTE)
    expect(await write(a, '2')).toBe('no answer')
    isBroken = false
    expect(await write(a, '2')).toBe('written')
  })
})

describe('what another server left', () => {
  it('may be taken at once when it has let go, and by the storage’s clock when it is silent', async () => {
    const storageClock = new FixedClock(AT)
    const place = memoryStorage('place', { clock: storageClock })
    await start(place, 'a').lease.require()
    const b = start(place, 'b')
    // Neither clock of the servers counts.
    b.pass(400 * 24 * 60 * MINUTE)
    await expect(b.lease.take('left')).rejects.toThrow(/it is at work, as far as can be seen/)
    expect(await write(b, '1')).toMatch(/belongs to/)
    storageClock.advance(20 * MINUTE)
    await b.lease.take('left')
    expect(await write(b, '1')).toBe('written')
    await b.lease.release()
    await start(place, 'c').lease.take('left')
  })

  it('is known to be left when its process is seen to be gone, and not when it is seen to run', async () => {
    const process = ownIdentity()
    if (process === undefined) return
    const clock = new FixedClock(AT)
    const place = memoryStorage('place', { clock })
    const here = { pid: globalThis.process.pid, process }
    await start(place, 'a', here).lease.require()
    clock.advance(24 * 60 * MINUTE)
    await expect(start(place, 'b', here).lease.take('left')).rejects.toThrow(/at work/)
    const other = memoryStorage()
    await start(other, 'a', { ...here, process: { ...process, ticks: 1 } }).lease.require()
    await start(other, 'b', here).lease.take('left')
  })

  it('is no record that can be read: nobody takes it by itself', async () => {
    const place = memoryStorage()
    await place.write('.holdfast/owner/000000000009', [Buffer.from('{')])
    const a = start(place, 'a')
    expect(await write(a, '1')).toMatch(/a server whose record cannot be read/)
    await a.lease.take('any')
    expect(await newestRecord(place)).toMatchObject({ number: 10, server: 'a' })
  })
})

describe.each(['before', 'after'] as const)('a call that fails once (%s its work was done)', (moment) => {
  it('loses no hold, lets in nobody else, and is made up for by the next try', async () => {
    const said = /did not answer|belongs to|wants Main/
    const tries = (work: () => Promise<void>): Promise<void> =>
      work().catch((error: Error) => {
        expect(error.message).toMatch(said)
        return work()
      })
    let call = 1
    for (let wasHit = true; wasHit; call += 1) {
      wasHit = false
      const onFault = (): void => {
        wasHit = true
      }
      const place = memoryStorage()
      const shaky = faulty(place, { call, moment, onFault })
      const [a, b, c] = [start(shaky, 'a'), start(shaky, 'b'), start(place, 'c')]
      await tries(() => a.lease.require())
      expect(await write(c, '1'), `call ${call}`).toMatch(/belongs to the server on host of a/)
      for (const _ of [1, 2, 3]) {
        a.pass(RENEW_MS)
        await tries(() => a.lease.require())
      }
      await tries(() => b.lease.take('any'))
      a.pass(RENEW_MS)
      // Whose look failed may write for the moments that everybody else waits for.
      const first = await write(a, '2')
      expect(first === 'written' ? await write(a, '3') : first, `call ${call}`).toMatch(/taken over|did not/)
      expect(await write(a, '4'), `call ${call}`).toMatch(/taken over/)
      expect(await write(c, '1'), `call ${call}`).toMatch(/belongs to the server on host of b/)
      await tries(() => b.lease.release())
      await c.lease.take('any')
      expect(await write(c, '1'), `call ${call}`).toBe('written')
    }
    expect(call).toBeGreaterThan(12)
  })
})
