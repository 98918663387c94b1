import { afterEach, beforeEach, expect, it } from 'vitest'
import { FixedClock, HoldfastError, notFound, Secret, seededRandom, silentLogger } from '#base'
import { openDatabase, repositoryOrganizationRows, type Database } from '#database'
import { localStorage, memoryStorage, type Storage } from '#storage'
import { Audit } from '../access/audit.ts'
import type { Principal } from '../access/principal.ts'
import { Accounts } from '../accounts/accounts.ts'
import { BackupRepositories } from '../repositories/backup-repositories.ts'
import { rootKeyFrom } from '../secrets/root-key.ts'
import { Secrets } from '../secrets/secrets.ts'
import type { CloudOpener } from './cloud-opener.ts'
import { ObjectStorages } from './object-storages.ts'
import { isPrivateAddress } from './service-point.ts'

const rootKey = rootKeyFrom(new Secret(Buffer.alloc(32, 7).toString('base64')))
const administrator: Principal = { kind: 'administrator', userId: 'u', name: 'administrator' }
const contoso = { id: '0c0ffee0-1111-4222-8333-444444444444', name: 'contoso.example' }
const GIB = 1024 ** 3

let database: Database
let accounts: Accounts
let repositories: BackupRepositories
let objectStorages: ObjectStorages
let accountId: string
let listings: number
/** What a person finds out who looks at the connections that were made. */
let secretsUsed: string[]

/** One bucket in memory, which stays when a connection to it is closed. */
const cloudInMemory = (): CloudOpener => {
  const folders = new Map<string, Storage>()
  return {
    account: (_service, { secret }) => ({
      containers: async () => [{ name: 'bucket' }],
      container: async (name) => {
        if (secret.reveal() === 'wrong') throw new HoldfastError('denied', 'no such key')
        if (name !== 'bucket') throw notFound(`there is no bucket ${name}`)
        return { name }
      },
      folders: async () => [],
      makeFolder: async () => {},
      [Symbol.asyncDispose]: async () => {},
    }),
    recover: async () => Promise.reject(new Error('nothing comes back here')),
    storage: ({ folder }, { secret }) => {
      secretsUsed.push(secret.reveal())
      const inside = folders.get(folder) ?? memoryStorage()
      folders.set(folder, inside)
      return {
        name: inside.name,
        write: (path, parts, signal) => inside.write(path, parts, signal),
        read: (path, range, signal) => inside.read(path, range, signal),
        stat: (path, signal) => inside.stat(path, signal),
        remove: (path, signal) => inside.remove(path, signal),
        space: (signal) => inside.space(signal),
        list: (path, signal) => {
          listings += 1
          return inside.list(path, signal)
        },
        [Symbol.asyncDispose]: async () => {},
      }
    },
    checkCanKeep: async () => {
      throw new HoldfastError('invalid', 'the bucket has no object lock')
    },
  }
}

beforeEach(async () => {
  const clock = new FixedClock('2026-03-01T10:00:00Z')
  database = await openDatabase(':memory:', clock)
  const secrets = new Secrets({ rootKey, clock })
  const audit = new Audit({ database, clock, rootKey })
  const parts = { database, secrets, audit, clock, random: seededRandom(9), log: silentLogger }
  accounts = new Accounts(parts)
  const servicePoints = { trusted: [], resolve: async () => ['93.184.216.34'] }
  objectStorages = new ObjectStorages({ ...parts, accounts, cloud: cloudInMemory(), servicePoints })
  const scrypt = { N: 1024, r: 1, p: 1 }
  const openStorage = (path: string) => localStorage(path)
  repositories = new BackupRepositories({ ...parts, objectStorages, openStorage, reserved: [], scrypt })
  const account = { accountType: 'amazonS3CompatibleAccount', userName: 'key', password: new Secret('first') }
  accountId = (await accounts.add(administrator, account)).id
  listings = 0
  secretsUsed = []
})
afterEach(async () => {
  await repositories[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

const add = (folder: string, more: object = {}) =>
  repositories.add(administrator, {
    name: folder,
    retentionType: 'ItemLevel',
    objectStorage: {
      type: 'AmazonS3Compatible',
      accountId,
      amazonBucketS3Compatible: { name: 'bucket', servicePoint: 'https://s3.example', customRegionId: 'x' },
      s3Folder: folder,
      ...more,
    },
  })

it('starts no run beyond the size limit, and lets what is there be read', async () => {
  const { id } = await add('limited', { sizeLimitEnabled: true, sizeLimitGB: 1 })
  await (await repositories.shards(id, contoso, { expectedObjects: 1 })).open(0)
  await repositoryOrganizationRows.update(database.queries, id, contoso.id, { usedBytes: GIB })
  await expect(repositories.shards(id, contoso, { expectedObjects: 1 })).rejects.toMatchObject({
    code: 'full',
    message: expect.stringContaining('1 GB is its limit') as string,
  })
  expect(await (await repositories.shards(id, contoso)).existing()).toHaveLength(1)
  const { objectStorage } = await repositories.get(administrator, id)
  expect(objectStorage).toMatchObject({ usedSpaceBytes: GIB, freeSpaceBytes: 0 })
})

it('lists nothing to tell what is in a place, once it was measured', async () => {
  const { id } = await add('measured')
  await (await repositories.shards(id, contoso, { expectedObjects: 1 })).open(0)
  const [first] = await repositories.usedBy(contoso.id)
  expect(first!.usedSpaceBytes).toBeGreaterThan(300)
  listings = 0
  expect(await repositories.usedBy(contoso.id)).toEqual([first])
  expect(listings).toBe(0)
})

it('takes up new credentials in repositories that are open, and keeps none that do not work', async () => {
  const { id } = await add('changing')
  const shard = await (await repositories.shards(id, contoso, { expectedObjects: 1 })).open(0)
  const wrong = accounts.update(administrator, accountId, { password: new Secret('wrong') })
  await expect(wrong).rejects.toMatchObject({ code: 'invalid', property: 'accountId' })
  expect((await accounts.credentials(accountId)).secret.reveal()).toBe('first')
  await accounts.update(administrator, accountId, { password: new Secret('second') })
  secretsUsed = []
  expect(await (await repositories.shards(id, contoso, { expectedObjects: 1 })).open(0)).toBe(shard)
  expect(secretsUsed).toEqual(['second'])
  await shard.refresh()
})

it('makes nothing where immutability cannot be had', async () => {
  const immutable = { enableImmutability: true, immutabilityPeriodDays: 3 }
  await expect(add('kept', immutable)).rejects.toMatchObject({ code: 'invalid' })
  expect((await repositories.list(administrator)).totalCount).toBe(0)
  await add('kept')
})

it.each([
  ['93.184.216.34', false],
  ['2606:2800:220:1::1', false],
  ['10.1.2.3', true],
  ['169.254.169.254', true],
  ['100.100.100.100', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['64:ff9b::7f00:1', true],
  ['fd00::1', true],
  ['nonsense', true],
])('takes %s for private: %s', (address, isPrivate) => {
  expect(isPrivateAddress(address)).toBe(isPrivate)
})

it('asks the bucket whether it can keep, when immutability is switched on later', async () => {
  const { objectStorage } = await add('kept')
  const change = { enableImmutability: true, immutabilityPeriodDays: 3 }
  await expect(objectStorages.update(administrator, objectStorage!.id, change)).rejects.toThrow(
    'the bucket has no object lock',
  )
  expect(await objectStorages.get(administrator, objectStorage!.id)).not.toHaveProperty('immutability')
})

it('tells a tenant nothing of bucket and account', async () => {
  const { id } = await add('secretive')
  await (await repositories.shards(id, contoso, { expectedObjects: 1 })).open(0)
  const tenant = { kind: 'organization', organizationId: contoso.id, name: 't' } as const
  const seen = JSON.stringify([await repositories.get(tenant, id), (await repositories.list(tenant)).items])
  expect(seen).toContain(id)
  for (const told of ['bucket', 's3.example', 'objectStorage', accountId]) expect(seen).not.toContain(told)
})
