import { describe, expect, it } from 'vitest'
import { FixedClock, Secret, seededRandom, silentLogger } from '#base'
import { Bandwidth } from '#storage'
import { cloudOpener } from '../cloud-storages.ts'

const clock = new FixedClock(0)
const opener = cloudOpener({
  config: { endpoints: [] },
  authorities: [],
  clock,
  random: seededRandom(1),
  bandwidth: new Bandwidth(clock),
  log: silentLogger,
})

describe('immutability on Azure', () => {
  const place = {
    kind: 'azure' as const,
    regionType: 'Global' as const,
    accountId: 'a',
    container: 'backups',
    folder: 'm365',
  }
  const credentials = {
    type: 'azureBlobAccount' as const,
    userName: 'storage1',
    secret: new Secret(Buffer.alloc(64).toString('base64')),
  }
  const keptFor = { mode: 'Compliance' as const, days: 30 }
  const refusal = { code: 'invalid', message: expect.stringContaining('on S3 alone, not on Azure') as string }

  it('is refused when it is asked for, and nothing is opened that would pretend to keep', async () => {
    await expect(opener.checkCanKeep(place, credentials, keptFor)).rejects.toMatchObject(refusal)
    expect(() => opener.storage(place, credentials, keptFor)).toThrow('on S3 alone, not on Azure')
  })
})

describe('a service point that a caller named', () => {
  it('is not gone to when it is, or has become, an address of a private network', async () => {
    const place = {
      kind: 's3' as const,
      servicePoint: 'https://name.localhost:9',
      region: 'us-east-1',
      accountId: 'a',
    }
    const credentials = {
      type: 'amazonS3CompatibleAccount' as const,
      userName: 'key',
      secret: new Secret('secret'),
    }
    await using account = opener.account(place, credentials)
    await expect(account.containers()).rejects.toMatchObject({ reason: 'AddressNotAllowed', code: 'denied' })
  })
})
