import { describe, expect, it } from 'vitest'
import { FixedClock, seededRandom, silentLogger, unavailable } from '#base'
import { memoryStorage, type Storage } from '#storage'
import { newKeySet } from './format/key-file.ts'
import { type LockOwner, Locks, type LocksOptions } from './locks.ts'
import type { ProcessIdentity } from './process-identity.ts'

const AT = '2026-03-01T10:00:00Z'
const HOUR_MS = 60 * 60 * 1000
const key = newKeySet(seededRandom(1))
const here: ProcessIdentity = { boot: 'boot-1', space: 'pid:[1]', ticks: 100, machine: 'machine-1' }
let seed = 0

const locksOf = (storage: Storage, given: Partial<LocksOptions> = {}): Locks =>
  new Locks({
    storage,
    key,
    clock: new FixedClock(AT),
    random: seededRandom((seed += 1)),
    log: silentLogger,
    host: { hostname: 'machine', username: 'tester' },
    pid: 4_000_000,
    identity: here,
    startTicks: (pid) => (pid === 4_000_000 ? 100 : undefined),
    ...given,
  })

/** A lock that another process took and did not let go: its names are not among ours. */
const leftBy = async (given: Partial<LocksOptions>): Promise<Storage> => {
  const storage = memoryStorage()
  await locksOf(storage, given).take('exclusive')
  const other = memoryStorage()
  // The process that holds a lock knows it by its name, which is the hash of its bytes: sealed anew it is nobody's.
  for await (const { path } of storage.list('locks')) {
    const { openDocument, sealDocument } = await import('./format/document.ts')
    const { sha256Hex } = await import('./format/ids.ts')
    const text = JSON.stringify(openDocument(key, await storage.read(path)))
    const sealed = sealDocument(key, text, seededRandom((seed += 1)).bytes(16))
    await other.write(`locks/${sha256Hex(sealed)}`, [sealed])
  }
  return other
}

const isFree = async (storage: Storage, given: Partial<LocksOptions> = {}): Promise<boolean> =>
  locksOf(storage, given)
    .take('exclusive')
    .then(
      async (lock) => {
        await lock[Symbol.asyncDispose]()
        return true
      },
      () => false,
    )

const alone = (id: string, isAlone = true): LockOwner => ({ id, isAlone: () => isAlone })

describe('the lock of a process that can be seen from here', () => {
  it('is respected while it runs, wherever the clock has jumped to', async () => {
    const storage = await leftBy({})
    for (const hours of [-24, 1, 400 * 24])
      expect(await isFree(storage, { clock: new FixedClock(Date.parse(AT) + hours * HOUR_MS) })).toBe(false)
  })

  it('is removed once it is gone, and when its number is used again', async () => {
    expect(await isFree(await leftBy({}), { startTicks: () => undefined })).toBe(true)
    expect(await isFree(await leftBy({}), { startTicks: () => 101 })).toBe(true)
  })

  it('is known under another name of the machine', async () => {
    const host = { hostname: 'renamed', username: 'tester' }
    expect(await isFree(await leftBy({}), { host })).toBe(false)
    expect(await isFree(await leftBy({}), { host, startTicks: () => undefined })).toBe(true)
  })
})

describe('the lock of a process that cannot be seen', () => {
  const container = { identity: { ...here, space: 'pid:[2]' }, startTicks: () => undefined }

  it('goes when this machine was started again since', async () => {
    expect(await isFree(await leftBy({}), { identity: { ...here, boot: 'boot-2' } })).toBe(true)
  })

  it('stays when another machine or container has the same name', async () => {
    const identity = { ...here, boot: 'boot-2', machine: 'machine-2' }
    expect(await isFree(await leftBy({}), { identity })).toBe(false)
    expect(await isFree(await leftBy({}), container)).toBe(false)
  })

  it('goes with a container that its owner has started again under a new name', async () => {
    const storage = await leftBy({ owner: alone('server'), host: { hostname: '3f9c', username: 'root' } })
    const next = { ...container, host: { hostname: '77ab', username: 'root' } }
    expect(await isFree(storage, { ...next, owner: alone('server', false) })).toBe(false)
    expect(await isFree(storage, { ...next, owner: alone('server') })).toBe(true)
  })

  it('stays when it is of another owner that may be at work, whatever the machine is called', async () => {
    const storage = await leftBy({ owner: alone('server') })
    const identity = { ...here, boot: 'boot-2' }
    expect(await isFree(storage, { identity, owner: alone('other', false) })).toBe(false)
    expect(await isFree(storage, { identity, owner: alone('other') })).toBe(true)
  })

  it('of a program that tells nothing goes when nothing has the number, or nobody renews it', async () => {
    let steady = 0
    const storage = await leftBy({ identity: null, pid: process.pid })
    const locks = locksOf(storage, { steadyMs: () => steady, clock: new FixedClock('2030-01-01T00:00:00Z') })
    await expect(locks.take('exclusive')).rejects.toMatchObject({ code: 'conflict' })
    steady = HOUR_MS
    await using _lock = await locks.take('exclusive')
    expect(await isFree(await leftBy({ identity: null, pid: 4_000_001 }))).toBe(true)
  })
})

describe('a lock that cannot be removed', () => {
  it('hides nothing that went wrong under it, and is removed by the next one', async () => {
    const storage = memoryStorage()
    let isGone = false
    const shaky: Storage = {
      name: 'shaky',
      write: (path, parts) => storage.write(path, parts),
      read: (path) => storage.read(path),
      stat: (path) => storage.stat(path),
      list: (folder) => storage.list(folder),
      remove: async (path) => {
        if (isGone) throw unavailable('the disk is gone')
        await storage.remove(path)
      },
      space: () => storage.space(),
      [Symbol.asyncDispose]: async () => {},
    }
    const locks = locksOf(shaky)
    const work = async (): Promise<void> => {
      await using _lock = await locks.take('exclusive')
      isGone = true
      throw unavailable('nothing can be written')
    }
    await expect(work()).rejects.toThrow(/^nothing can be written$/)
    isGone = false
    await using _next = await locks.take('exclusive')
    expect(await Array.fromAsync(storage.list('locks'))).toHaveLength(1)
  })
})
