import { expect, it } from 'vitest'
import { silentLogger, systemClock, systemRandom } from '#base'
import { initRepository } from '#repository'
import { s3Storage } from '#storage'
import { ownedStorage } from '../../src/engine/repositories/owned-storage.ts'
import { OwnerLease } from '../../src/engine/repositories/owner-lease.ts'
import { TEST_OPTIONS } from '../../src/repository/tests/fixtures.ts'
import { sharedRadosgw } from '../../src/storage/tests/radosgw.ts'

const DAY_MS = 24 * 60 * 60 * 1000

it('of two servers on one bucket one writes, also where the bucket lets nobody remove anything', async () => {
  const radosgw = await sharedRadosgw()
  const bucket = await radosgw.newBucket({ objectLock: true })
  const immutable = { periodMs: DAY_MS, windowMs: DAY_MS }
  const place = { ...radosgw.account, bucket, folder: 'backups', immutable }
  const servers = ['one', 'two'].map((server) => {
    const storage = s3Storage(place)
    const owner = { server, name: `host-of-${server}`, instance: systemRandom.uuid(), pid: 1 }
    const time = { steady: 0 }
    const around = {
      clock: systemClock,
      random: systemRandom,
      log: silentLogger,
      steadyMs: () => time.steady,
    }
    const lease = new OwnerLease({ ...around, owner }, storage, 'Main')
    return { bare: storage, lease, storage: ownedStorage(storage, lease), time }
  })
  await using stack = new AsyncDisposableStack()
  const [one, two] = servers
  for (const { bare } of servers) stack.use(bare)
  await using _repository = await initRepository(one!.storage, TEST_OPTIONS)
  const write = (server: typeof one, path: string) => server!.storage.write(path, [Buffer.from('x')])
  await expect(write(two, 'a')).rejects.toThrow(/belongs to the server on host-of-one/)
  // The storage tells when the record was written: a moment ago.
  await expect(two!.lease.take('left')).rejects.toThrow(/it is at work/)
  await two!.lease.take('any')
  await write(two, 'a')
  one!.time.steady += 3 * 60 * 1000
  await expect(write(one, 'b')).rejects.toThrow(/taken over by the server on host-of-two/)
  const records: string[] = []
  for await (const { path } of one!.bare.list('.holdfast/owner')) records.push(path)
  expect(records).toEqual(['.holdfast/owner/000000000002'])
})
