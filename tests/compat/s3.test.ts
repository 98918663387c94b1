import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { seededRandom, systemClock } from '#base'
import { initRepository, openRepository, type Repository } from '#repository'
import { recoverS3, s3Storage, type S3StorageOptions } from '#storage'
import { collect, TEST_OPTIONS, temporaryFolder } from '../../src/repository/tests/fixtures.ts'
import { sharedRadosgw, type Radosgw } from '../../src/storage/tests/radosgw.ts'

const run = promisify(execFile)
const DAY_MS = 24 * 60 * 60 * 1000

let radosgw: Radosgw
beforeAll(async () => {
  radosgw = await sharedRadosgw()
})

const newPlace = async (options: Partial<S3StorageOptions> = {}): Promise<S3StorageOptions> => ({
  ...radosgw.account,
  bucket: await radosgw.newBucket({ objectLock: options.immutable !== undefined }),
  folder: 'backups',
  ...options,
})

/** Runs stock restic as its users do: it knows the address and the key alone. */
const restic = async ({ endpoint, bucket }: S3StorageOptions, ...args: string[]): Promise<string> => {
  const env = {
    PATH: process.env['PATH'],
    AWS_ACCESS_KEY_ID: radosgw.account.accessKeyId,
    AWS_SECRET_ACCESS_KEY: radosgw.account.secretAccessKey.reveal(),
    RESTIC_PASSWORD: TEST_OPTIONS.password,
  }
  const at = ['--no-cache', '-r', `s3:${endpoint}/${bucket}/backups`]
  return (await run('restic', [...at, ...args], { env, maxBuffer: 1 << 26 })).stdout
}

const noise = (seed: number, length: number): Buffer => {
  const bytes = Buffer.alloc(length)
  const random = seededRandom(seed)
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE(Math.floor(random.fraction() * 2 ** 32), at)
  return bytes
}
const MAIL = 'users/alice/mail/one.eml'
const FILES = new Map<string, Uint8Array>([
  [MAIL, Buffer.from('Subject: one\r\n\r\n')],
  ['users/alice/onedrive/noise.bin', noise(1, 3_000_000)],
])

const backUp = (repository: Repository, files: ReadonlyMap<string, Uint8Array>) =>
  repository.withWriter(async (writer) => {
    const tree = writer.edit()
    for (const [path, bytes] of files)
      await tree.putFile(path, { ...(await writer.saveFile([bytes])), modifiedAt: new Date(0) })
    const root = (await tree.save())!
    return writer.saveSnapshot({ time: new Date(1_750_000_000_000), tree: root, paths: ['/'], tags: [] })
  })

describe('a repository in S3', () => {
  it('lives there: made, written, read, pruned; and stock restic reads it from there', async () => {
    const place = await newPlace()
    await using storage = s3Storage(place)
    {
      await using repository = await initRepository(storage, TEST_OPTIONS)
      const old = await backUp(repository, new Map([['old.bin', noise(2, 2_000_000)]]))
      await backUp(repository, FILES)
      await repository.forget([old.id])
      await repository.prune({ keepTrees: [] })
    }
    await using repository = await openRepository(storage, TEST_OPTIONS)
    expect((await repository.check({ readData: true })).problems).toEqual([])
    const [snapshot] = await repository.snapshots()
    const entry = await repository.entryAt(snapshot!.tree, 'users/alice/onedrive/noise.bin')
    if (entry?.type !== 'file') throw new Error('not a file')
    expect(Buffer.compare(await collect(repository.readFile(entry)), noise(1, 3_000_000))).toBe(0)

    expect(await restic(place, 'check', '--read-data')).toContain('no errors were found')
    await using folder = await temporaryFolder()
    await restic(place, 'restore', 'latest', '--target', folder.path)
    const { stdout } = await run('sha256sum', ['users/alice/onedrive/noise.bin'], { cwd: folder.path })
    expect(stdout).toContain(createHash('sha256').update(noise(1, 3_000_000)).digest('hex'))
  })

  it('that stock restic made is ours to read', async () => {
    const place = await newPlace()
    await restic(place, 'init')
    await restic(place, 'backup', '--host', 'h', new URL('.', import.meta.url).pathname)
    await using storage = s3Storage(place)
    await using repository = await openRepository(storage, TEST_OPTIONS)
    expect(await repository.check({ readData: true })).toMatchObject({ snapshots: 1, problems: [] })
  })
})

describe('an immutable repository in S3', () => {
  it('comes back whole after somebody with its key deleted and spoiled it; stock restic agrees', async () => {
    const place = await newPlace({ immutable: { periodMs: 30 * DAY_MS, windowMs: 10 * DAY_MS } })
    await using storage = s3Storage(place)
    {
      await using repository = await initRepository(storage, TEST_OPTIONS)
      await backUp(repository, FILES)
    }
    await systemClock.sleep(1100)
    const moment = systemClock.now()
    await systemClock.sleep(1100)

    const { s3 } = radosgw
    const Bucket = place.bucket
    const paths: string[] = []
    for await (const { path } of storage.list('')) paths.push(path)
    expect(paths.length).toBeGreaterThan(4)
    const spoiled = paths.find((path) => path.startsWith('data/'))!
    await s3.putObject({ Bucket, Key: `backups/${spoiled}`, Body: 'ransom' })
    for (const path of paths.filter((each) => each !== spoiled))
      await s3.deleteObject({ Bucket, Key: `backups/${path}` })
    await expect(restic(place, 'snapshots')).rejects.toThrow()

    expect(await recoverS3(place, moment)).toMatchObject({ uncover: paths.length - 1, restore: 1 })
    expect(await restic(place, 'check', '--read-data')).toContain('no errors were found')
    expect(await restic(place, 'dump', 'latest', MAIL)).toBe('Subject: one\r\n\r\n')
    await using repository = await openRepository(storage, TEST_OPTIONS)
    expect((await repository.check({ readData: true })).problems).toEqual([])
  })
})
