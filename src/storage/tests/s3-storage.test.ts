import { beforeAll, describe, expect, it } from 'vitest'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { seededRandom, Secret, systemClock } from '#base'
import { retrying, s3CloudAccount, s3Storage, subfolder, type S3StorageOptions } from '../index.ts'
import { storageConformance } from './conformance.ts'
import { sharedRadosgw, type Radosgw } from './radosgw.ts'

let radosgw: Radosgw
beforeAll(async () => {
  radosgw = await sharedRadosgw()
})
const place = async (options: Partial<S3StorageOptions> = {}): Promise<S3StorageOptions> => ({
  ...radosgw.account,
  bucket: await radosgw.newBucket(),
  ...options,
})
const text = (value: string): Uint8Array[] => [Buffer.from(value)]

storageConformance('S3', async () => s3Storage(await place()))
storageConformance('S3 in a folder, by pages of 2, with every checksum', async () =>
  s3Storage(await place({ folder: 'company/backup', pageSize: 2, checksums: 'WHEN_SUPPORTED' })),
)
storageConformance('a folder of S3, tried again', async () =>
  subfolder(
    retrying(s3Storage(await place()), { clock: systemClock, random: seededRandom(1) }),
    'organization/s00',
  ),
)

describe('S3', () => {
  it('gives space back where the bucket keeps versions', async () => {
    const options = await place()
    const Bucket = options.bucket
    await radosgw.s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: 'Enabled' } })
    await using storage = s3Storage(options)
    await storage.write('data/a', text('a'))
    await radosgw.s3.deleteObject({ Bucket, Key: 'data/a' })
    await storage.write('data/a', text('again'))
    await storage.write('data/ab', text('neighbour'))
    await storage.remove('data/a')
    const left = await radosgw.s3.listObjectVersions({ Bucket })
    expect(left.Versions?.map(({ Key }) => Key)).toEqual(['data/ab'])
    expect(left.DeleteMarkers ?? []).toEqual([])
  })

  it.each([
    ['an unknown key', { accessKeyId: 'NOBODYKNOWSTHIS' }, 'InvalidAccessKeyId'],
    ['a wrong secret', { secretAccessKey: new Secret('wrong-secret') }, 'SignatureDoesNotMatch'],
  ])('says for every call that %s is refused, and never what it was', async (_, wrong, reason) => {
    const options = await place(wrong)
    await using storage = s3Storage(options)
    for (const work of [
      () => storage.stat('a'),
      () => storage.read('a'),
      () => storage.write('a', text('a')),
    ]) {
      const failure: unknown = await work().catch((error: unknown) => error)
      expect(failure).toMatchObject({ code: 'denied', reason })
      expect(String(failure)).not.toContain(options.accessKeyId)
      expect(String(failure)).not.toContain(options.secretAccessKey.reveal())
    }
  })

  it('never takes a bucket that is not there for an empty one', async () => {
    await using storage = s3Storage({ ...radosgw.account, bucket: 'no-such-bucket' })
    const listed = async () => {
      for await (const _ of storage.list('')) return
    }
    for (const work of [
      () => storage.stat('a'),
      () => storage.read('a'),
      () => storage.write('a', text('a')),
      listed,
    ])
      await expect(work()).rejects.toMatchObject({ code: 'unavailable', reason: 'NoSuchBucket' })
  })

  it.each([
    [503, '<Error><Code>SlowDown</Code></Error>', { code: 'throttled', retryAfterMs: 7000 }],
    [507, '<Error><Code>XMinioStorageFull</Code></Error>', { code: 'full' }],
    [500, '<Error><Code>InternalError</Code></Error>', { code: 'unavailable' }],
    [
      400,
      '<Error><Code>X</Code><Region>eu-west-1</Region></Error>',
      { code: 'invalid', reason: 'WrongRegion' },
    ],
  ])('understands the answer %i %s', async (status, body, expected) => {
    const server = createServer((_, response) => response.writeHead(status, { 'retry-after': '7' }).end(body))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await using storage = s3Storage({ ...radosgw.account, endpoint, bucket: 'bucket' })
    await expect(storage.read('a')).rejects.toMatchObject(expected)
    server.closeAllConnections()
    server.close()
  })

  it('refuses a class that cannot be read at once', () => {
    const options = { ...radosgw.account, bucket: 'bucket', storageClass: 'DEEP_ARCHIVE' }
    expect(() => s3Storage(options)).toThrow('archive')
  })

  it('shows buckets and folders, and makes a folder', async () => {
    const bucket = await radosgw.newBucket()
    await using account = s3CloudAccount(radosgw.account)
    await account.makeFolder(bucket, 'made')
    await s3Storage({ ...radosgw.account, bucket }).write('used/data/a', text('a'))
    expect((await account.containers()).map(({ name }) => name)).toContain(bucket)
    expect(await account.folders(bucket)).toEqual(['made', 'used'])
    await expect(account.container('no-such-bucket')).rejects.toMatchObject({ code: 'not-found' })
  })
})
