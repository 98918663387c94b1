import { mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { FixedClock, seededRandom, systemClock } from '#base'
import {
  Bandwidth,
  faulty,
  localStorage,
  memoryStorage,
  readOnly,
  retrying,
  subfolder,
  throttled,
} from '../index.ts'
import { storageConformance } from './conformance.ts'

const folders: string[] = []
const newFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-storage-'))
  folders.push(folder)
  return folder
}
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true })
})
const bytes = (length: number): Uint8Array => new Uint8Array(length)
const patient = () => ({ clock: new FixedClock(0), random: seededRandom(7), attempts: 50 })

storageConformance('memory', async () => memoryStorage())
storageConformance('local', async () => localStorage(await newFolder()))
storageConformance('retrying', async () => retrying(memoryStorage(), patient()))
storageConformance('throttled', async () =>
  throttled(memoryStorage(), new Bandwidth(new FixedClock(0), 1000)),
)
storageConformance('subfolder', async () => subfolder(memoryStorage(), 'organization/s00'))
storageConformance('faulty at rate 0', async () =>
  faulty(memoryStorage(), { random: seededRandom(1), rate: 0 }),
)

describe('local storage', () => {
  it('leaves one file that nobody may write, and no unfinished one', async () => {
    const folder = await newFolder()
    await using storage = localStorage(folder)
    await storage.write('data/aa/pack', [bytes(10)])
    expect(await readdir(join(folder, 'data/aa'))).toEqual(['pack'])
    expect((await stat(join(folder, 'data/aa/pack'))).mode & 0o777).toBe(0o400)
  })

  it('leaves nothing unfinished behind when a name is taken', async () => {
    const folder = await newFolder()
    await using storage = localStorage(folder)
    await storage.write('index/a', [bytes(10)])
    await expect(storage.write('index/a', [bytes(10)])).rejects.toThrow('EEXIST')
    expect(await readdir(join(folder, 'index'))).toEqual(['a'])
  })

  it('neither lists nor keeps what a dead process left unfinished', async () => {
    const folder = await newFolder()
    await localStorage(folder).write('index/a', [bytes(1)])
    const [old, fresh] = ['index/b-tmp-0001', 'index/c-tmp-0002'].map((name) => join(folder, name))
    await writeFile(old!, 'half')
    await writeFile(fresh!, 'half')
    const twoHoursAgo = new Date(systemClock.nowMs() - 2 * 60 * 60 * 1000)
    await utimes(old!, twoHoursAgo, twoHoursAgo)

    await using storage = localStorage(folder)
    const listed: string[] = []
    for await (const file of storage.list('index')) listed.push(file.path)
    expect(listed).toEqual(['index/a'])
    await storage.write('index/d', [bytes(1)])
    expect((await readdir(join(folder, 'index'))).sort()).toEqual(['a', 'c-tmp-0002', 'd'])
  })

  it('measures the space of a folder that is not made yet', async () => {
    const space = await localStorage(join(await newFolder(), 'not/yet')).space()
    expect(space?.totalBytes).toBeGreaterThan(0)
  })

  it('says full when the disk is', async () => {
    // Every Linux has this device; a write to it fails with ENOSPC.
    const { open } = await import('node:fs/promises')
    const { localError } = await import('../local-errors.ts')
    const device = await open('/dev/full', 'w')
    const failure = await device
      .write(bytes(10))
      .catch((error: unknown) => localError(error, 'write', 'data/x'))
    await device.close()
    expect(failure).toMatchObject({ code: 'full', message: 'cannot write data/x: ENOSPC' })
  })
})

describe('wrappers', () => {
  it('read-only refuses to write and to remove, and reads', async () => {
    const whole = memoryStorage()
    await whole.write('a', [bytes(3)])
    const storage = readOnly(whole)
    await expect(storage.write('b', [bytes(3)])).rejects.toMatchObject({ code: 'denied' })
    await expect(storage.remove('a')).rejects.toMatchObject({ code: 'denied' })
    expect(await storage.read('a')).toHaveLength(3)
  })

  it('throttled spends a second on a second of bytes', async () => {
    const clock = new FixedClock(0)
    const storage = throttled(memoryStorage(), new Bandwidth(clock, 1000))
    await storage.write('a', [bytes(3000)])
    await storage.write('b', [bytes(1)])
    expect(clock.nowMs()).toBe(3000)
  })

  it('retrying hides a storage that fails every third call', async () => {
    const storage = retrying(faulty(memoryStorage(), { random: seededRandom(3), rate: 1 / 3 }), patient())
    for (let at = 0; at < 200; at += 1) {
      await storage.write(`data/${at}`, [bytes(at)])
      expect(await storage.read(`data/${at}`)).toHaveLength(at)
    }
    const listed: string[] = []
    for await (const file of storage.list('data')) listed.push(file.path)
    expect(new Set(listed).size).toBe(200)
    expect(listed).toHaveLength(200)
  })

  it('retrying gives up after its attempts, and at once on what will not pass', async () => {
    const clock = new FixedClock(0)
    const options = { clock, random: seededRandom(3), attempts: 3 }
    const dead = retrying(faulty(memoryStorage(), { random: seededRandom(3), rate: 2 }), options)
    await expect(dead.read('a')).rejects.toMatchObject({ code: 'unavailable' })
    const waitedMs = clock.nowMs()
    expect(waitedMs).toBeGreaterThan(0)
    await expect(retrying(memoryStorage(), options).read('a')).rejects.toMatchObject({ code: 'not-found' })
    expect(clock.nowMs()).toBe(waitedMs)
  })
})
