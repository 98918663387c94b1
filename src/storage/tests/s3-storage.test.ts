import { beforeAll, describe, expect, it } from 'vitest'
import { FixedClock, seededRandom, Secret, systemClock } from '#base'
import { retrying, s3Storage, subfolder, type S3StorageOptions } from '../index.ts'
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
const bytes = (length: number): Uint8Array => new Uint8Array(length)

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
