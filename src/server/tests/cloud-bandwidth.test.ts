import { beforeAll, describe, expect, it } from 'vitest'
import { FixedClock, seededRandom, silentLogger } from '#base'
import { Bandwidth } from '#storage'
import { sharedRadosgw, type Radosgw } from '../../storage/tests/radosgw.ts'
import { cloudOpener } from '../cloud-storages.ts'

const RATE = 1_000_000

let radosgw: Radosgw
beforeAll(async () => {
  radosgw = await sharedRadosgw()
})

describe('the traffic with object storage', () => {
  it('keeps to the limit in both directions, all storages and accounts together', async () => {
    const { endpoint, region, accessKeyId, secretAccessKey } = radosgw.account
    // Time passes only for those who are made to wait, so that it says how long the bytes were held back.
    const clock = new FixedClock(0)
    const bandwidth = new Bandwidth(clock, RATE)
    const config = { endpoints: [endpoint!] }
    const random = seededRandom(1)
    const opener = cloudOpener({ config, authorities: [], clock, random, bandwidth, log: silentLogger })
    const credentials = {
      type: 'amazonS3CompatibleAccount' as const,
      userName: accessKeyId,
      secret: secretAccessKey,
    }
    const open = async (folder: string) =>
      opener.storage(
        {
          kind: 's3',
          servicePoint: endpoint!,
          region,
          accountId: 'a',
          container: await radosgw.newBucket(),
          folder,
        },
        credentials,
      )
    await using one = await open('one')
    await using other = await open('other')
    const pack = new Uint8Array(RATE)
    await Promise.all([one.write('data/aa/a', [pack]), other.write('data/aa/a', [pack])])
    expect((await one.read('data/aa/a')).length).toBe(RATE)
    expect((await other.read('data/aa/a', { offset: 0, length: RATE / 2 })).length).toBe(RATE / 2)
    // 3.5 MB in all; the last transfer is a burst that whoever comes next pays for.
    expect(clock.nowMs()).toBeGreaterThanOrEqual(3_000)
    await one.write('data/aa/b', [new Uint8Array(1)])
    expect(clock.nowMs()).toBeGreaterThanOrEqual(3_500)
    expect(clock.nowMs()).toBeLessThan(4_000)
  })
})
