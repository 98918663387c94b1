import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { writeRecoveryKit } from '#server'
import { startWorld, type World } from '#world'
import { startAzurite, type Azurite } from '../../src/storage/tests/azurite.ts'
import { sharedRadosgw, type Radosgw } from '../../src/storage/tests/radosgw.ts'
import { restic } from '../recovery/stock-restic.ts'
import { addJob, good, runJob, type MailCounts, type Session } from './living/backup.ts'
import { commandOf, type Command } from './living/command.ts'
import { forEachAtOnce } from './living/each.ts'
import { foldersOf, messagesIn } from './living/mailbox-portrait.ts'
import { graphOf, type TenantGraph } from './living/tenant-graph.ts'

// One person in three places: backed up on the disk, copied from there to S3 with another key, and backed up into Azure.
// What is near is damaged, what is far is deleted by somebody who has the key, and in the end the server is lost.
const PERSON = 3
const PASSWORD = 'of the far place'

interface Row {
  readonly id: string
}
interface Page<Item> {
  readonly results: readonly Item[]
}
interface Verification extends Row {
  readonly status: string
  readonly problems: number
  readonly endTime?: string
}
interface Told {
  readonly run: Row & {
    readonly status: string
    readonly damagedItems: number
    readonly healedItems: number
    readonly uncoveredFiles: number
  }
  readonly findings: readonly { readonly type: string; readonly kind: string }[]
}

interface Reencryption extends Row {
  readonly status: string
  readonly organizations: readonly { readonly restorePoints: number }[]
}

let world: World
let graph: TenantGraph
let cli: Command
let radosgw: Radosgw
let azurite: Azurite
let bucket: string
let container: string
let organizationId: string
let userId: string
let jobId: string
let nearPath: string
let nearId: string
let copiesId: string

const storage = () => ({
  endpoints: [radosgw.account.endpoint!],
  azureHosts: { Global: `http://127.0.0.1:${azurite.port}` },
})
const api = () => world.api('v8')

const addAccounts = async (): Promise<{ readonly s3: string; readonly azure: string }> => {
  const { accessKeyId, secretAccessKey } = radosgw.account
  const { accountName, credential } = azurite.account
  const key = 'accountKey' in credential ? credential.accountKey.reveal() : ''
  const add = async (accountType: string, userName: string, password: string): Promise<string> =>
    (await good<Row>(api().post('/Accounts', { accountType, userName, password }))).id
  return {
    s3: await add('amazonS3CompatibleAccount', accessKeyId, secretAccessKey.reveal()),
    azure: await add('azureBlobAccount', accountName, key),
  }
}
const s3Place = (accountId: string): object => {
  const { endpoint: servicePoint, region: customRegionId } = radosgw.account
  const amazonBucketS3Compatible = { name: bucket, servicePoint, customRegionId }
  return { type: 'AmazonS3Compatible', accountId, amazonBucketS3Compatible, s3Folder: 'copies' }
}
const azurePlace = (accountId: string): object => {
  const azureContainer = { name: container, regionType: 'Global' }
  return { type: 'AzureBlob', accountId, azureContainer, azureFolder: 'm365' }
}
const addRepository = async (name: string, objectStorage: object, more: object = {}): Promise<string> => {
  const body = { name, retentionType: 'ItemLevel', objectStorage, ...more }
  return (await good<Row>(api().post('/BackupRepositories', body))).id
}
const atS3 = (account: string): string[] => {
  const { endpoint, region } = radosgw.account
  return [bucket, 'copies', '--account', account, '--endpoint', endpoint!, '--region', region!]
}
const passwordFile = (): string => join(world.folder, 'password')

beforeAll(async () => {
  radosgw = await sharedRadosgw()
  azurite = await startAzurite()
  world = await startWorld({ users: 4, mails: 6, files: 3, server: { storage: storage() } })
  graph = graphOf(world.tenant)
  cli = commandOf(world)
  bucket = await radosgw.newBucket({ objectLock: true })
  container = (await azurite.newContainer()).containerName
  const { id, displayName, userPrincipalName: name } = [...world.tenant.state.users()][PERSON]!
  userId = id
  organizationId = (await world.addOrganization('v4')).id
  const accounts = await addAccounts()
  const key = await good<Row>(api().post('/EncryptionKeys', { password: PASSWORD, description: 'far' }))
  const own = { objectStorageEncryptionEnabled: true, encryptionKeyId: key.id }
  copiesId = await addRepository('Copies', s3Place(accounts.s3), own)
  const azureId = await addRepository('In Azure', azurePlace(accounts.azure))
  const { results } = await good<Page<Row & { name: string; path: string }>>(api().get('/BackupRepositories'))
  const near = results.find(({ name: each }) => each === 'Default Backup Repository')!
  nearId = near.id
  nearPath = near.path
  const user = { id, displayName, name, type: 'User' }
  const selectedItems = [{ type: 'User', user, mailbox: true, oneDrive: true }]
  const body = { backupType: 'SelectedItems', selectedItems }
  jobId = await addJob(world, organizationId, { name: 'Near', ...body, repositoryId: near.id })
  const azureJob = await addJob(world, organizationId, { name: 'Azure', ...body, repositoryId: azureId })
  expect((await runJob(world, azureJob)).status).toBe('Success')
}, 120_000)

afterAll(async () => {
  await graph?.[Symbol.asyncDispose]()
  await world?.[Symbol.asyncDispose]()
  await azurite?.[Symbol.asyncDispose]()
})

const checkCopies = async (): Promise<string> => {
  process.env['AWS_ACCESS_KEY_ID'] = radosgw.account.accessKeyId
  process.env['AWS_SECRET_ACCESS_KEY'] = radosgw.account.secretAccessKey.reveal()
  const config = (await keysBelow()).find((key) => key.endsWith('/config'))!
  const path = `s3:${radosgw.account.endpoint}/${bucket}/${config.replace(/\/config$/, '')}`
  return restic({ path, password: PASSWORD }, 'check', '--read-data')
}
const allKeys = async (): Promise<string[]> => {
  const { Contents = [] } = await radosgw.s3.listObjectsV2({ Bucket: bucket })
  return Contents.map(({ Key = '' }) => Key)
}
/** Without what a server that is at work writes anew. */
const keysBelow = async (): Promise<string[]> =>
  (await allKeys()).filter((key) => !/\/(locks|owner)\//.test(key))

const expectVerified = async (repositoryId: string): Promise<void> => {
  const at = `/Holdfast/BackupRepositories/${repositoryId}/Verifications`
  const begun = await good<Verification>(api().post(at, { data: 'All' }))
  const path = `/Holdfast/Verifications/${begun.id}`
  const ended = await repeated(
    () => good<Verification>(api().get(path)),
    ({ endTime }) => endTime !== undefined,
  )
  expect(ended).toMatchObject({ status: 'Success', problems: 0 })
}
const repeated = async <Value>(look: () => Promise<Value>, isDone: (value: Value) => boolean) => {
  let value = await look()
  for (let wait = 0; wait < 500 && !isDone(value); wait += 1) {
    await delay(50)
    value = await look()
  }
  return value
}

it('copies to S3 with another key after each backup, and stock restic finds no error there', async () => {
  const copyJob = await good<Row>(
    api().post('/CopyJobs', {
      backupJobId: jobId,
      organizationId,
      repositoryId: copiesId,
      schedulePolicy: { type: 'Immediate' },
    }),
  )
  expect((await runJob(world, jobId)).status).toBe('Success')
  const at = `/JobSessions?jobType=Copy&jobId=${copyJob.id}`
  const session = await repeated(
    async () =>
      (await good<Page<Session>>(api().get(at))).results.find(({ endTime }) => typeof endTime === 'string'),
    (found) => found !== undefined,
  )
  expect(session).toMatchObject({ status: 'Success' })
  expect(await checkCopies()).toContain('no errors were found')
})

it('takes from the copy what is lost near and the tenant has no longer, at the verification that finds it', async () => {
  const [message] = await deleteMails(1)
  expect(message).toBeDefined()
  const packs = readdirSync(nearPath, { recursive: true, encoding: 'utf8' })
    .filter((path) => /[\\/]data[\\/].*[0-9a-f]{64}$/.test(path))
    .map((path) => join(nearPath, path))
    .sort((a, b) => statSync(b).size - statSync(a).size)
  rmSync(packs[0]!)
  const { run } = await cli.json<Told>('verify', 'Default Backup Repository', '--all')
  expect(run).toMatchObject({ status: 'Warning', healedItems: run.damagedItems })
  expect(run.damagedItems).toBeGreaterThan(0)
  await expectVerified(nearId)
})

it('comes back to the moment before somebody deleted everything in the bucket', async () => {
  // S3 tells times in seconds.
  await delay(1_100)
  const moment = new Date().toISOString()
  await delay(1_100)
  const keys = await keysBelow()
  for (const Key of await allKeys()) await radosgw.s3.deleteObject({ Bucket: bucket, Key })
  expect(await keysBelow()).toEqual([])
  const told = await cli.json<Told>('recover', 'Copies', '--to', moment)
  expect(told.run.status).toBe('Success')
  expect(told.findings.filter(({ kind }) => kind === 'uncover').length).toBe(told.run.uncoveredFiles)
  expect(await keysBelow()).toEqual([])
  const done = await cli.json<Told>('recover', 'Copies', '--to', moment, '--yes')
  expect(done.run.status).toBe('Success')
  expect(done.run.uncoveredFiles).toBeGreaterThanOrEqual(keys.length)
  expect((await keysBelow()).sort()).toEqual(keys.sort())
  expect(await checkCopies()).toContain('no errors were found')
  await expectVerified(copiesId)
})

it('is written again under new master keys on the disk, in S3 and in Azure, where runs go on', async () => {
  const before = (await keysBelow()).filter((key) => key.endsWith('/config'))
  for (const name of ['Default Backup Repository', 'Copies', 'In Azure']) {
    const ended = await cli.json<Reencryption>('repositories', 'reencrypt', name)
    expect(ended).toMatchObject({ status: 'Success', organizations: [{ step: 'Done' }] })
    expect(ended.organizations[0]?.restorePoints).toBeGreaterThan(0)
    const [first] = await cli.json<Reencryption[]>('repositories', 'reencryptions', name)
    expect(first).toEqual(ended)
  }
  for (const config of before) expect(await allKeys()).not.toContain(config)
  expect(await checkCopies()).toContain('no errors were found')
  expect((await runJob(world, jobId)).status).toBe('Success')
  for (const id of [nearId, copiesId]) await expectVerified(id)
})

it('is attached from S3 and from Azure on a new server, where everything can be looked at and restored', async () => {
  const kit = join(world.folder, 'kit')
  await writeRecoveryKit({ dataFolder: join(world.folder, 'data'), storage: storage() }, kit)
  await world.loseServer()
  const accounts = await addAccounts()
  writeFileSync(passwordFile(), `${PASSWORD}\n`, { mode: 0o600 })
  const attach = (...args: string[]): Promise<Row & { organizations: { isAttached: boolean }[] }> =>
    cli.json('repositories', 'attach-object-storage', ...args)
  const copies = await attach(...atS3(accounts.s3), '--repository-password-file', passwordFile())
  const azure = await attach(container, 'm365', '--account', accounts.azure, '--kit', kit)
  for (const { organizations } of [copies, azure]) expect(organizations).toMatchObject([{ isAttached: true }])
  expect((await world.addOrganization('v4')).id).toBe(organizationId)
  await deleteMails(Infinity)
  expect(await restoredFrom(copies.id)).toMatchObject({ failedItemsCount: 0 })
  const stored = await deleteMails(Infinity)
  expect(stored.length).toBeGreaterThan(0)
  expect(await restoredFrom(azure.id)).toMatchObject({ failedItemsCount: 0 })
  expect((await liveMails()).length).toBeGreaterThanOrEqual(stored.length)
})

const restoredFrom = async (repositoryId: string): Promise<MailCounts> => {
  const at = `/BackupRepositories/${repositoryId}/explore?organizationId=${organizationId}`
  const { id } = await good<Row>(world.api('v7').post(at, { type: 'vex' }))
  const mailbox = `/RestoreSessions/${id}/Organization/Mailboxes/${userId}`
  const items = await good<Page<Row>>(world.api('v4').get(`${mailbox}/items?limit=100`))
  expect(items.results.length).toBeGreaterThan(0)
  const counts = await good<MailCounts>(
    world.api('v4').post(`${mailbox}/Action`, { restoreToOriginalLocation: null }),
  )
  expect(counts.createdItemsCount).toBe((await liveMails()).length)
  return counts
}

const liveMails = async (): Promise<Row[]> => {
  const folders = await foldersOf(graph, userId)
  return (await Promise.all(folders.map(({ id }) => messagesIn(graph, userId, id)))).flat()
}

const deleteMails = async (most: number): Promise<readonly Row[]> => {
  const mails = (await liveMails()).slice(0, most)
  await forEachAtOnce(mails, ({ id }) => graph.post(`/users/${userId}/messages/${id}/permanentDelete`))
  return mails
}
