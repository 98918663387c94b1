import { beforeAll, describe, expect, it } from 'vitest'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo, LookupFunction } from 'node:net'
import { seededRandom, Secret, systemClock } from '#base'
import {
  hostLookup,
  retrying,
  s3CloudAccount,
  s3Storage,
  subfolder,
  type S3StorageOptions,
} from '../index.ts'
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

storageConformance('S3 with the bucket before the host, over TLS by an authority of its own', async () =>
  s3Storage(await place({ ...radosgw.tlsAccount, addressing: 'virtual-host', folder: 'company' })),
)
storageConformance('S3 over TLS, in a storage class', async () =>
  s3Storage(await place({ ...radosgw.tlsAccount, storageClass: 'STANDARD_IA' })),
)

describe('S3', () => {
  it('keeps packs in a storage class, and everything else in the one of the bucket', async () => {
    const options = await place({ storageClass: 'STANDARD_IA' })
    await using storage = s3Storage(options)
    for (const path of ['data/aa/pack', 'index/file', 'config']) await storage.write(path, text(path))
    const { Contents = [] } = await radosgw.s3.listObjectsV2({ Bucket: options.bucket })
    const classes = Object.fromEntries(Contents.map(({ Key, StorageClass }) => [Key, StorageClass]))
    expect(classes).toEqual({ 'data/aa/pack': 'STANDARD_IA', 'index/file': 'STANDARD', config: 'STANDARD' })
    expect(Buffer.from(await storage.read('data/aa/pack')).toString()).toBe('data/aa/pack')
  })

  it('asks with the bucket before the host or in the path, as told', async () => {
    const bucket = await radosgw.newBucket()
    const hosts: string[] = []
    const lookup: LookupFunction = (host, options, answer) => {
      hosts.push(host)
      hostLookup()(host, options, answer)
    }
    for (const addressing of ['virtual-host', 'path'] as const) {
      await using storage = s3Storage({ ...radosgw.tlsAccount, bucket, addressing, lookup })
      expect(await storage.stat('data/none')).toBeUndefined()
    }
    expect([...new Set(hosts)]).toEqual([`${bucket}.s3.localhost`, 's3.localhost'])
  })

  it('lets nobody in whose authority it was not told to trust', async () => {
    const { ca: _, ...account } = radosgw.tlsAccount
    const bucket = await radosgw.newBucket()
    await using storage = s3Storage({ ...account, bucket })
    for (const work of [() => storage.stat('a'), () => storage.write('a', text('a'))])
      await expect(work()).rejects.toMatchObject({
        code: 'denied',
        message: expect.stringContaining('certificate') as string,
      })
  })

  it('goes to no address that is not allowed, also when a name changes its address', async () => {
    const bucket = await radosgw.newBucket()
    const lookup = hostLookup({ isAllowed: (address) => address !== '127.0.0.1' })
    for (const addressing of ['virtual-host', 'path'] as const) {
      await using storage = s3Storage({ ...radosgw.tlsAccount, bucket, addressing, lookup })
      await expect(storage.stat('a')).rejects.toMatchObject({ code: 'denied', reason: 'AddressNotAllowed' })
    }
  })

  it('signs for the region that it is told', async () => {
    const options = await place({ region: 'elsewhere' })
    await using storage = s3Storage(options)
    // Ceph knows one region and takes any that is signed with: the storage works with it.
    await storage.write('a', text('a'))
    expect(await storage.stat('a')).toMatchObject({ path: 'a', sizeBytes: 1 })
  })

  it.each([
    ['WHEN_REQUIRED', false],
    ['WHEN_SUPPORTED', true],
  ] as const)('with checksums %s sends one with what it writes: %s', async (checksums, isSent) => {
    const seen: IncomingHttpHeaders[] = []
    const server = createServer((request, response) => {
      seen.push(request.headers)
      request.resume()
      request.on('end', () =>
        response.writeHead(request.method === 'HEAD' ? 404 : 200).end('<ListBucketResult/>'),
      )
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await using storage = s3Storage({ ...radosgw.account, endpoint, bucket: 'bucket', checksums })
    await storage.write('data/a', text('a'))
    const written = seen.filter((headers) => headers['if-none-match'] === '*')
    expect(written.map((headers) => headers['x-amz-checksum-crc32'] !== undefined)).toEqual([isSent])
    server.closeAllConnections()
    server.close()
  })

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
