import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { seededRandom, systemClock } from '#base'
import {
  extendNeeded,
  isLocked,
  recoverS3,
  retrying,
  s3Storage,
  type S3StorageOptions,
  type Storage,
} from '../index.ts'
import { sharedRadosgw, type Radosgw } from './radosgw.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const immutable = { periodMs: 30 * DAY_MS, windowMs: 10 * DAY_MS }

let radosgw: Radosgw
beforeAll(async () => {
  radosgw = await sharedRadosgw()
})
afterEach(() => {
  vi.useRealTimers()
})

const place = async (options: Partial<S3StorageOptions> = {}): Promise<S3StorageOptions> => ({
  ...radosgw.account,
  bucket: await radosgw.newBucket({ objectLock: true }),
  folder: 'backup',
  immutable,
  ...options,
})
const text = (value: string): Uint8Array[] => [Buffer.from(value)]
const refusalOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(() => undefined).catch((e: unknown) => e)
const pathsOf = async (storage: Storage): Promise<string[]> => {
  const paths: string[] = []
  for await (const { path } of storage.list('')) paths.push(path)
  return paths.sort()
}
/** Moves this machine's clock and nothing else. */
const moveClock = (days: number): void => {
  vi.useFakeTimers({ toFake: ['Date'], now: systemClock.nowMs() + days * DAY_MS })
}

describe('an immutable storage in S3', () => {
  it('gives every object a date and refuses to remove it, and so does S3 itself', async () => {
    const options = await place()
    await using storage = s3Storage(options)
    await storage.write('data/aa/pack', text('pack'))
    const until = (await storage.retention!.until('data/aa/pack'))!
    const expected = (await storage.retention!.now()).getTime() + 40 * DAY_MS
    expect(Math.abs(until.getTime() - expected)).toBeLessThan(60_000)

    const refusal = await refusalOf(storage.remove('data/aa/pack'))
    expect(isLocked(refusal)).toBe(true)
    expect(refusal).toMatchObject({ message: `data/aa/pack cannot be removed before ${until.toISOString()}` })
    const [version] = (await radosgw.s3.listObjectVersions({ Bucket: options.bucket })).Versions ?? []
    const object = { Bucket: options.bucket, Key: version!.Key!, VersionId: version!.VersionId! }
    await expect(
      radosgw.s3.deleteObject({ ...object, BypassGovernanceRetention: true }),
    ).rejects.toMatchObject({ name: 'AccessDenied' })
    expect(await storage.read('data/aa/pack')).toEqual(new Uint8Array(Buffer.from('pack')))
  })

  it('removes what has reached its date, with every version', async () => {
    const options = await place({ immutable: { periodMs: 2_000, windowMs: 1_000 } })
    await using storage = s3Storage(options)
    await storage.write('data/aa/pack', text('pack'))
    expect(isLocked(await refusalOf(storage.remove('data/aa/pack')))).toBe(true)
    await vi.waitFor(() => storage.remove('data/aa/pack'), { timeout: 10_000, interval: 200 })
    const left = await radosgw.s3.listObjectVersions({ Bucket: options.bucket })
    expect([...(left.Versions ?? []), ...(left.DeleteMarkers ?? [])]).toEqual([])
  })

  it.each([400, -1])('goes by the clock of the storage when ours is wrong by %i days', async (days) => {
    const options = await place()
    {
      await using storage = s3Storage(options)
      await storage.write('data/before', text('before'))
    }
    moveClock(days)
    await using storage = retrying(s3Storage(options), {
      clock: systemClock,
      random: seededRandom(1),
      firstDelayMs: 1,
    })
    expect(isLocked(await refusalOf(storage.remove('data/before')))).toBe(true)
    await storage.write('data/after', text('after'))
    const [before, after] = [
      await storage.retention!.until('data/before'),
      await storage.retention!.until('data/after'),
    ]
    expect(Math.abs(after!.getTime() - before!.getTime())).toBeLessThan(60_000)
  })

  it('never keeps a lock', async () => {
    await using storage = s3Storage(await place())
    await storage.write('s00/locks/one', text('lock'))
    expect(await storage.retention!.until('s00/locks/one')).toBeUndefined()
    await storage.remove('s00/locks/one')
    expect(await pathsOf(storage)).toEqual([])
  })

  it('moves dates on, never back', async () => {
    await using storage = s3Storage(await place({ immutable: { periodMs: DAY_MS, windowMs: DAY_MS } }))
    await storage.write('data/a', text('a'))
    const later = new Date((await storage.retention!.now()).getTime() + 5 * DAY_MS)
    await storage.retention!.extend('data/a', later)
    expect(await storage.retention!.until('data/a')).toEqual(later)
    await expect(
      storage.retention!.extend('data/a', new Date(later.getTime() - DAY_MS)),
    ).rejects.toMatchObject({ code: 'denied' })
    await expect(storage.retention!.extend('data/none', later)).rejects.toMatchObject({ code: 'not-found' })
    expect(
      await extendNeeded(storage, () => ['data/a', 'data/none'], { random: seededRandom(1) }),
    ).toMatchObject({ wasDue: true, looked: 2, extended: 0, missing: ['data/none'] })
    expect(await extendNeeded(storage, () => ['data/a'], { random: seededRandom(1) })).toMatchObject({
      wasDue: false,
    })
  })

  it('is refused with a reason where the bucket cannot do it', async () => {
    await using plain = s3Storage(await place({ bucket: await radosgw.newBucket() }))
    await expect(plain.write('config', text('x'))).rejects.toMatchObject({
      code: 'invalid',
      reason: 'ObjectLockMissing',
      message: expect.stringContaining('no object lock') as string,
    })
    const options = await place()
    await radosgw.s3.putObjectLockConfiguration({
      Bucket: options.bucket,
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 1 } },
      },
    })
    await using ruled = s3Storage(options)
    await expect(ruled.write('config', text('x'))).rejects.toMatchObject({ reason: 'DefaultRetention' })
  })
})

describe('recovery to a moment before a hostile act', () => {
  const files = ['config', 'data/aa/one', 'data/ab/two', 'keys/k', 'snapshots/s']

  /** Written, left alone for a moment, and attacked by somebody with the key. */
  const attacked = async (options: S3StorageOptions) => {
    await using storage = s3Storage(options)
    for (const path of files) await storage.write(path, text(path))
    await storage.retention?.extend('data/aa/one', new Date(systemClock.nowMs() + 50 * DAY_MS))
    // Times of S3 are told in whole seconds by some of its answers.
    await systemClock.sleep(1100)
    const moment = systemClock.now()
    await systemClock.sleep(1100)
    const { s3 } = radosgw
    const Bucket = options.bucket
    // A date that moves on after the moment moves the time of the object on some storages.
    await storage.retention?.extend('keys/k', new Date(systemClock.nowMs() + 50 * DAY_MS))
    await s3.putObject({ Bucket, Key: 'backup/data/aa/one', Body: 'ransom' })
    await s3.putObject({ Bucket, Key: 'backup/README', Body: 'pay us' })
    for (const path of files.filter((each) => each !== 'data/aa/one'))
      await s3.deleteObject({ Bucket, Key: `backup/${path}` })
    await s3.deleteObject({ Bucket, Key: 'backup/config' })
    return moment
  }

  it('brings everything back: what was removed, what was written over, and nothing that came after', async () => {
    const options = await place()
    const moment = await attacked(options)
    await using storage = s3Storage(options)
    expect(await pathsOf(storage)).toEqual(['README', 'data/aa/one'])

    const counts = { uncover: 4, restore: 1, 'set-aside': 1, unchanged: 0 }
    expect(await recoverS3(options, moment, { preview: true })).toEqual(counts)
    expect(await pathsOf(storage)).toEqual(['README', 'data/aa/one'])
    const steps: string[] = []
    const onStep = ({ action, path }: { action: string; path: string }) => steps.push(`${action} ${path}`)
    expect(await recoverS3(options, moment, { onStep })).toEqual(counts)
    expect(steps).toContain('restore data/aa/one')

    expect(await pathsOf(storage)).toEqual(files)
    for (const path of files) expect(Buffer.from(await storage.read(path)).toString()).toBe(path)
    expect(isLocked(await refusalOf(storage.remove('data/aa/one')))).toBe(true)
    expect(await recoverS3(options, moment)).toMatchObject({ uncover: 0, restore: 0, 'set-aside': 0 })
  })

  it('works on a bucket that keeps versions without object lock, too', async () => {
    const { immutable: _, ...options } = await place({ bucket: await radosgw.newBucket() })
    await radosgw.s3.putBucketVersioning({
      Bucket: options.bucket,
      VersioningConfiguration: { Status: 'Enabled' },
    })
    const moment = await attacked(options)
    await recoverS3(options, moment)
    await using storage = s3Storage(options)
    for (const path of files) expect(Buffer.from(await storage.read(path)).toString()).toBe(path)
  })
})
