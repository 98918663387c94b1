import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWorld, type World } from '#world'
import { startAzurite, type Azurite } from '../../src/storage/tests/azurite.ts'
import { sharedRadosgw, type Radosgw } from '../../src/storage/tests/radosgw.ts'
import { restic } from '../recovery/stock-restic.ts'
import { driveAsRestored, mailToCompare } from './living/as-restored.ts'
import { addJob, explore, good, runJob, type MailCounts } from './living/backup.ts'
import { driveItemsOf, portraitOfDrive } from './living/drive-portrait.ts'
import { forEachAtOnce } from './living/each.ts'
import { foldersOf, messagesIn, portraitOfMailbox } from './living/mailbox-portrait.ts'
import { runProgram } from './living/processes.ts'
import { graphOf, type TenantGraph } from './living/tenant-graph.ts'

// The whole way with a repository in object storage: a real S3 server, and Microsoft's emulator of Azure. The last person
// has no corpus, so that the numbers are small.
const PERSON = 3
const PASSWORD = 'what the administrator remembers'

interface Row {
  readonly id: string
}
interface RepositoryAnswer extends Row {
  readonly objectStorage?: { readonly usedSpaceBytes: number; readonly freeSpaceBytes?: number }
  readonly isOutOfOrder?: boolean
  readonly capacityBytes?: number
}

let world: World
let graph: TenantGraph
let azurite: Azurite
let radosgw: Radosgw
let organizationId: string
let userId: string
let user: object

beforeAll(async () => {
  radosgw = await sharedRadosgw()
  azurite = await startAzurite()
  const storage = {
    endpoints: [radosgw.account.endpoint!],
    azureHosts: { Global: `http://127.0.0.1:${azurite.port}` },
  }
  world = await startWorld({ users: 4, mails: 20, files: 10, server: { storage } })
  graph = graphOf(world.tenant)
  const { id, displayName, userPrincipalName: name } = [...world.tenant.state.users()][PERSON]!
  userId = id
  user = { id, displayName, name, type: 'User' }
  organizationId = (await world.addOrganization('v4')).id
}, 120_000)

afterAll(async () => {
  await graph?.[Symbol.asyncDispose]()
  await world?.[Symbol.asyncDispose]()
  await azurite?.[Symbol.asyncDispose]()
})

const newAccount = async (version: 'v4' | 'v8', body: object): Promise<string> =>
  (await good<Row>(world.api(version).post('/Accounts', body))).id

const s3Account = () =>
  newAccount('v8', {
    accountType: 'amazonS3CompatibleAccount',
    userName: radosgw.account.accessKeyId,
    password: radosgw.account.secretAccessKey.reveal(),
  })

const azureAccount = () => {
  const { accountName, credential } = azurite.account
  const key = 'accountKey' in credential ? credential.accountKey.reveal() : ''
  return newAccount('v4', { accountType: 'azureBlobAccount', userName: accountName, password: key })
}

const newKey = async (password = PASSWORD): Promise<string> =>
  (await good<Row>(world.api('v8').post('/EncryptionKeys', { password, description: 'a hint' }))).id

const retention = {
  retentionType: 'SnapshotBased',
  retentionPeriodType: 'Yearly',
  yearlyRetentionPeriod: 'Years3',
}

const s3Place = (accountId: string, bucket: string, folder: string, more: object = {}) => ({
  type: 'AmazonS3Compatible',
  accountId,
  amazonBucketS3Compatible: {
    name: bucket,
    servicePoint: radosgw.account.endpoint,
    customRegionId: radosgw.account.region,
  },
  s3Folder: folder,
  ...more,
})

const jobInto = (repositoryId: string, name: string): Promise<string> => {
  const selectedItems = [{ type: 'User', user, mailbox: true, oneDrive: true }]
  return addJob(world, organizationId, { name, repositoryId, backupType: 'SelectedItems', selectedItems })
}

/** Everything that the person has goes for good, and comes back. */
const loseAndRestore = async (): Promise<void> => {
  const mailWas = await portraitOfMailbox(graph, userId)
  const filesWere = await portraitOfDrive(graph, userId)
  for (const folder of await foldersOf(graph, userId)) {
    const messages = await messagesIn(graph, userId, folder.id)
    await forEachAtOnce(messages, ({ id }) => graph.post(`/users/${userId}/messages/${id}/permanentDelete`))
  }
  const items = await driveItemsOf(graph, userId)
  await forEachAtOnce(
    items.filter(({ file }) => file !== undefined),
    ({ id }) => graph.call(`/users/${userId}/drive/items/${id}`, { method: 'DELETE' }),
  )
  const mailPath = await explore(world, organizationId, 'vex')
  const counts = await good<MailCounts>(
    world.api('v4').post(`${mailPath}/Mailboxes/${userId}/Action`, { restoreToOriginalLocation: null }),
  )
  expect(counts).toMatchObject({ createdItemsCount: mailWas.length, failedItemsCount: 0 })
  const how = { restoreToOriginalLocation: { documentVersion: 'last', documentAction: 'overwrite' } }
  const drivePath = await explore(world, organizationId, 'veod')
  await good(world.api('v4').post(`${drivePath}/OneDrives/${userId}/Action`, how))
  const { expected, found } = mailToCompare(mailWas, await portraitOfMailbox(graph, userId))
  expect(found).toEqual(expected)
  expect(await portraitOfDrive(graph, userId)).toEqual(driveAsRestored(filesWere))
}

const repositoryAt = (id: string): Promise<RepositoryAnswer> =>
  good(world.api('v8').get(`/BackupRepositories/${id}`))

/** What a run wrote is measured in the background. */
const usedBytesOf = async (id: string): Promise<number> => {
  for (let wait = 0; wait < 200; wait += 1) {
    const bytes = (await repositoryAt(id)).objectStorage?.usedSpaceBytes ?? 0
    if (bytes > 0) return bytes
    await delay(50)
  }
  throw new Error('the space is not measured')
}

describe('a bucket of S3', () => {
  let accountId: string
  let bucket: string
  let repositoryId: string
  let keyId: string
  let jobId: string

  it('is found with an account, and a folder is made in it', async () => {
    accountId = await s3Account()
    bucket = await radosgw.newBucket()
    const { endpoint, region } = radosgw.account
    const query = `accountId=${accountId}&servicePoint=${encodeURIComponent(endpoint!)}&customRegionId=${region}`
    const api = world.api('v8')
    const root = '/S3CompatibleResources/buckets'
    const found = await good<{ name: string }[]>(api.get(`${root}?${query}&name=${bucket}`))
    expect(found.map(({ name }) => name)).toEqual([bucket])
    expect(await good(api.get(`${root}/${bucket}?${query}`))).toMatchObject({
      name: bucket,
      servicePoint: endpoint,
    })
    const made = await api.post(`${root}/${bucket}/folders?${query}`, { name: 'backups' })
    expect([made.status, made.json()]).toMatchObject([201, { name: 'backups' }])
    const folders = await good<{ name: string }[]>(api.get(`${root}/${bucket}/folders?${query}`))
    expect(folders.map(({ name }) => name)).toEqual(['backups'])
    expect((await api.get(`${root}/${bucket}/folders/backups?${query}`)).status).toBe(200)
    expect((await api.get(`${root}/${bucket}/folders/other?${query}`)).status).toBe(404)
    expect((await api.get(`${root}/no-such-bucket-here?${query}`)).status).toBe(404)
  })

  it('becomes a repository by v8, with an encryption key and a size limit', async () => {
    keyId = await newKey()
    const limit = { sizeLimitEnabled: true, sizeLimitGB: 5 }
    const body = {
      name: 'In S3',
      ...retention,
      objectStorage: s3Place(accountId, bucket, 'backups', limit),
      objectStorageEncryptionEnabled: true,
      encryptionKeyId: keyId,
    }
    const added = await world.api('v8').post('/BackupRepositories', body)
    expect(added.status, added.text).toBe(201)
    repositoryId = added.json<Row>().id
    expect(added.json()).toMatchObject({
      objectStorage: { ...s3Place(accountId, bucket, 'backups', limit), usedSpaceBytes: 0 },
      objectStorageEncryptionEnabled: true,
      encryptionKeyId: keyId,
      isOutOfOrder: false,
    })
    expect(added.json()).not.toHaveProperty('capacityBytes')
    expect(added.json()).not.toHaveProperty('objectStorageId')
    const older = await good<Record<string, unknown>>(
      world.api('v6').get(`/BackupRepositories/${repositoryId}`),
    )
    expect(older).toHaveProperty('objectStorageId')
    expect(older).not.toHaveProperty('objectStorage')
  })

  it('is refused a second time, whole or in part, and while it is in use nothing of it is removed', async () => {
    const api = world.api('v8')
    for (const folder of ['backups', 'backups/inside']) {
      const objectStorage = s3Place(accountId, bucket, folder)
      const again = await api.post('/BackupRepositories', { name: folder, ...retention, objectStorage })
      expect([again.status, again.text]).toEqual([409, expect.stringContaining('belongs to')])
    }
    expect((await api.delete(`/Accounts/${accountId}`)).status).toBe(409)
    expect((await api.delete(`/EncryptionKeys/${keyId}`)).status).toBe(409)
    const { objectStorageId } = await good<{ objectStorageId: string }>(
      world.api('v7').get(`/BackupRepositories/${repositoryId}`),
    )
    const path = `/ObjectStorageRepositories/${objectStorageId}`
    expect((await world.api('v7').delete(path)).status).toBe(409)
    const wrong = await api.put(`/Accounts/${accountId}`, { password: 'not the secret' })
    expect([wrong.status, wrong.text]).toEqual([400, expect.stringContaining('accountId')])
  })

  it('takes a backup, and everything comes back out of it', async () => {
    jobId = await jobInto(repositoryId, 'Into S3')
    expect((await runJob(world, jobId)).status).toBe('Success')
    await loseAndRestore()
  }, 120_000)

  it('tells how much is in it, against its limit', async () => {
    const bytes = await usedBytesOf(repositoryId)
    expect(bytes).toBeGreaterThan(10_000)
    const { objectStorage } = await repositoryAt(repositoryId)
    expect(objectStorage!.freeSpaceBytes).toBe(5 * 1024 ** 3 - objectStorage!.usedSpaceBytes)
    const [used] = await good<{ objectStorageUsedSpaceBytes: number }[]>(
      world.api('v7').get(`/BackupRepositories/${repositoryId}/backedUpOrganizations`),
    ).then((page) => (page as unknown as { results: { objectStorageUsedSpaceBytes: number }[] }).results)
    expect(used!.objectStorageUsedSpaceBytes).toBe(objectStorage!.usedSpaceBytes)
  })

  const shardPath = async (): Promise<string> => {
    const { Contents = [] } = await radosgw.s3.listObjectsV2({ Bucket: bucket, Prefix: 'backups/' })
    const config = Contents.map(({ Key = '' }) => Key).find((key) => key.endsWith('/config'))!
    return `s3:${radosgw.account.endpoint}/${bucket}/${config.replace(/\/config$/, '')}`
  }
  const asRestic = async (password: string): Promise<string> => {
    process.env['AWS_ACCESS_KEY_ID'] = radosgw.account.accessKeyId
    process.env['AWS_SECRET_ACCESS_KEY'] = radosgw.account.secretAccessKey.reveal()
    return restic({ path: await shardPath(), password }, 'check', '--read-data')
  }

  it("is read by stock restic with the administrator's own password, and with a new one after a change", async () => {
    expect(await asRestic(PASSWORD)).toContain('no errors were found')
    const next = await newKey('another pass phrase')
    const changed = await world
      .api('v8')
      .put(`/BackupRepositories/${repositoryId}`, { encryptionKeyId: next })
    expect(changed.status, changed.text).toBe(204)
    expect(await asRestic('another pass phrase')).toContain('no errors were found')
    await expect(asRestic(PASSWORD)).rejects.toThrow(/wrong password|no key found/)
    expect((await world.api('v8').delete(`/EncryptionKeys/${keyId}`)).status).toBe(204)
  }, 120_000)

  it('goes on after a restart of the server', async () => {
    await world.restart()
    expect(await repositoryAt(repositoryId)).toMatchObject({ isOutOfOrder: false })
    expect((await runJob(world, jobId)).status).toBe('Success')
  }, 120_000)

  it('is given back by removing the repository, and taken again with what is in it', async () => {
    const api = world.api('v8')
    await good(api.delete(`/Jobs/${jobId}`))
    await good(api.delete(`/BackupRepositories/${repositoryId}`))
    const body = { name: 'Again', ...retention, objectStorage: s3Place(accountId, bucket, 'backups') }
    expect(await good<Row>(api.post('/BackupRepositories', body))).toMatchObject({ id: repositoryId })
  })

  it('has no object lock, which is told where immutability is asked for', async () => {
    const immutable = { enableImmutability: true, immutabilityPeriodDays: 3 }
    const objectStorage = s3Place(accountId, bucket, 'immutable', immutable)
    const answer = await world
      .api('v8')
      .post('/BackupRepositories', { name: 'Immutable', ...retention, objectStorage })
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('object lock')])
  })
})

it('an S3 bucket with object lock keeps what is written into it', async () => {
  const accountId = await s3Account()
  const bucket = await radosgw.newBucket({ objectLock: true })
  const immutable = {
    enableImmutability: true,
    enableImmutabilityGovernanceMode: true,
    immutabilityPeriodDays: 2,
  }
  const objectStorage = s3Place(accountId, bucket, 'kept', immutable)
  const { id } = await good<Row>(
    world.api('v8').post('/BackupRepositories', { name: 'Kept', ...retention, objectStorage }),
  )
  expect(await repositoryAt(id)).toMatchObject({ objectStorage: immutable })
  expect((await runJob(world, await jobInto(id, 'Kept'))).status).toBe('Success')
  const { Contents = [] } = await radosgw.s3.listObjectsV2({ Bucket: bucket })
  const pack = Contents.map(({ Key = '' }) => Key).find((key) => key.includes('/data/'))!
  const { ObjectLockMode, ObjectLockRetainUntilDate } = await radosgw.s3.headObject({
    Bucket: bucket,
    Key: pack,
  })
  expect(ObjectLockMode).toBe('GOVERNANCE')
  expect(ObjectLockRetainUntilDate!.getTime()).toBeGreaterThan(Date.now() + 2 * 24 * 3_600_000)
}, 120_000)

describe('a container of Azure', () => {
  it('is added as object storage by v4, becomes a repository, takes a backup and gives it back', async () => {
    const api = world.api('v4')
    const accountId = await azureAccount()
    const container = await azurite.newContainer()
    const name = container.containerName
    const query = `accountId=${accountId}&regionType=Global`
    expect(await good<{ name: string }[]>(api.get(`/AzureResources/containers?${query}`))).toMatchObject([
      { name },
    ])
    await good(api.post(`/AzureResources/containers/${name}/folders?${query}`, { name: 'm365' }))
    const body = {
      name: 'Azure',
      type: 'AzureBlob',
      accountId,
      azureContainer: { name, regionType: 'Global' },
      azureFolder: 'm365',
      sizeLimitEnabled: 'true',
      sizeLimitGB: '10',
    }
    const added = await api.post('/ObjectStorageRepositories', body)
    expect([added.status, added.json()]).toMatchObject([
      201,
      { ...body, sizeLimitEnabled: true, sizeLimitGB: 10 },
    ])
    const objectStorageId = added.json<Row>().id
    const repository = await api.post('/BackupRepositories', {
      name: 'In Azure',
      ...retention,
      objectStorageId,
      objectStorageCachePath: '/srv/cache',
    })
    expect(repository.status, repository.text).toBe(201)
    expect(repository.json()).toMatchObject({ objectStorageId, objectStorageCachePath: '/srv/cache' })
    const session = await runJob(world, await jobInto(repository.json<Row>().id, 'Into Azure'))
    expect(session.status, session.details).toBe('Success')
    await loseAndRestore()
    expect(await usedBytesOf(repository.json<Row>().id)).toBeGreaterThan(10_000)
  }, 120_000)
})

it('is set up by the command line as well', async () => {
  const file = join(world.folder, 'secret.txt')
  const container = (await azurite.newContainer()).containerName
  const { accountName, credential } = azurite.account
  writeFileSync(file, `${'accountKey' in credential ? credential.accountKey.reveal() : ''}\n`, {
    mode: 0o600,
  })
  const { url, caFile } = world.server
  const env = { HOLDFAST_URL: url, HOLDFAST_CA: caFile, HOLDFAST_PASSWORD: world.password }
  const cli = async (...args: string[]): Promise<Row> => {
    const { code, stdout, stderr } = await runProgram('bin/holdfast', [...args, '--json'], env)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    return JSON.parse(stdout) as Row
  }
  const account = await cli('accounts', 'add', 'azure', accountName, '--secret-file', file)
  const key = await cli('encryption-keys', 'add', 'the usual one', '--secret-file', file)
  const place = ['By hand', container, 'm365', '--account', account.id, '--encryption-key', key.id]
  const made = await cli('repositories', 'add-object-storage', ...place, '--limit-gb', '3')
  expect(await repositoryAt(made.id)).toMatchObject({
    encryptionKeyId: key.id,
    objectStorage: { type: 'AzureBlob', azureFolder: 'm365', sizeLimitGB: 3 },
  })
}, 60_000)

it('refuses addresses that lead into networks which the caller cannot reach', async () => {
  const accountId = await s3Account()
  const api = world.api('v8')
  for (const servicePoint of [
    'http://169.254.169.254',
    'https://127.0.0.1:9000',
    'https://127.1',
    'https://0x7f000001',
    'https://2130706433',
    'https://[::1]',
    'https://[::ffff:127.0.0.1]',
    'https://localhost.',
    'https://user@127.0.0.1',
    'https://①②⑦.⓪.⓪.①',
    'file:///etc/passwd',
    String.raw`https://good\@127.0.0.1`,
  ]) {
    const query = `accountId=${accountId}&servicePoint=${encodeURIComponent(servicePoint)}&customRegionId=x`
    const answer = await api.get(`/S3CompatibleResources/buckets?${query}`)
    expect([servicePoint, answer.status]).toEqual([servicePoint, 400])
    expect(answer.text).toContain('servicePoint')
  }
})
