import { mkdir, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWorld, type World } from '#world'
import { restic } from '../recovery/stock-restic.ts'
import { addJob, good, logOf, runJob, type MailCounts, type Session } from './living/backup.ts'
import { forEachAtOnce } from './living/each.ts'
import { foldersOf, messagesIn, portraitOfMailbox } from './living/mailbox-portrait.ts'
import { mailToCompare } from './living/as-restored.ts'
import { graphOf, type TenantGraph } from './living/tenant-graph.ts'

// A second copy of one person's backups in another folder with another key. Each test goes on where the one before stopped.
const PERSON = 3
const PASSWORD = 'of the second place'

interface Row {
  readonly id: string
}
interface Point extends Row {
  readonly isCopy: boolean
  readonly repositoryId: string
  readonly backupTime: string
}
interface CopyJob extends Row {
  readonly name: string
  readonly lastStatus?: string
  readonly lastRun?: string
  readonly nextRun?: string
  readonly isEnabled: boolean
}
type Page<Item> = { readonly results: readonly Item[] }

let world: World
let graph: TenantGraph
let organizationId: string
let userId: string
let jobId: string
let source: Row & { readonly path: string }
let target: Row & { readonly path: string }
let copyJobId: string

const api = () => world.api('v8')

beforeAll(async () => {
  world = await startWorld({ users: 4, mails: 12, files: 4 })
  graph = graphOf(world.tenant)
  const { id, displayName, userPrincipalName: name } = [...world.tenant.state.users()][PERSON]!
  userId = id
  organizationId = (await world.addOrganization('v4')).id
  const user = { id, displayName, name, type: 'User' }
  const selectedItems = [{ type: 'User', user, mailbox: true, oneDrive: true }]
  jobId = await addJob(world, organizationId, { name: 'One', backupType: 'SelectedItems', selectedItems })
  source = (await good<Page<typeof source>>(api().get('/BackupRepositories'))).results[0]!
  const path = join(world.folder, 'second')
  await mkdir(path)
  const [proxy] = (await good<Page<Row>>(api().get('/Proxies'))).results
  const key = await good<Row>(api().post('/EncryptionKeys', { password: PASSWORD, description: 'second' }))
  target = await good(
    api().post('/BackupRepositories', {
      name: 'Second',
      encryptionKeyId: key.id,
      path,
      proxyId: proxy!.id,
      retentionType: 'SnapshotBased',
      retentionPeriodType: 'Yearly',
      yearlyRetentionPeriod: 'Years3',
    }),
  )
  target = { ...target, path }
}, 120_000)

afterAll(async () => {
  await graph?.[Symbol.asyncDispose]()
  await world?.[Symbol.asyncDispose]()
})

const copySessions = async (): Promise<readonly Session[]> =>
  (await good<Page<Session>>(api().get(`/JobSessions?jobType=Copy&jobId=${copyJobId}`))).results

const endOfCopy = async (runs: number): Promise<Session> => {
  for (let wait = 0; wait < 1_500; wait += 1) {
    const sessions = await copySessions()
    const [newest] = sessions
    if (newest !== undefined && sessions.length >= runs && typeof newest.endTime === 'string') return newest
    await delay(40)
  }
  throw new Error('the copy does not end')
}

const pointsIn = async (repositoryId: string): Promise<readonly Point[]> =>
  (await good<Page<Point>>(api().get(`/RestorePoints?repositoryId=${repositoryId}`))).results

const bytesBelow = async (path: string): Promise<number> =>
  (await readdir(path, { recursive: true, withFileTypes: true })).filter(
    (file) => file.isFile() && file.parentPath.includes('/data/'),
  ).length

describe('a copy job', () => {
  it('refuses what cannot be', async () => {
    const body = { backupJobId: jobId, organizationId, repositoryId: target.id }
    const refused = async (more: object): Promise<number> =>
      (await api().post('/CopyJobs', { ...body, ...more })).status
    expect(await refused({ repositoryId: source.id })).toBe(400)
    expect(await refused({ backupJobId: organizationId })).toBe(400)
    expect(await refused({ organizationId: jobId })).toBe(400)
    expect(await refused({ schedulePolicy: { type: 'Periodically' } })).toBe(400)
    expect(await refused({ schedulePolicy: { backupCopyWindowEnabled: true } })).toBe(400)
    expect((await api().get(`/Jobs/${jobId}/CopyJob`)).status).toBe(404)
  })

  it('is made for one backup job, and a second one is refused', async () => {
    const made = await api().post('/CopyJobs', {
      backupJobId: jobId,
      organizationId,
      repositoryId: target.id,
      schedulePolicy: { type: 'Immediate' },
    })
    expect(made.status).toBe(201)
    expect(made.json()).toMatchObject({ backupJobId: jobId, name: 'Copy of One', isEnabled: true })
    copyJobId = made.json<Row>().id
    const again = { backupJobId: jobId, organizationId, repositoryId: target.id }
    expect((await api().post('/CopyJobs', again)).status).toBe(409)
    expect(await good(api().get(`/Jobs/${jobId}/CopyJob`))).toMatchObject({ id: copyJobId })
    expect(await good(api().get(`/CopyJobs/${copyJobId}/BackupJob`))).toMatchObject({ id: jobId })
    expect(await good(world.api('v6').get('/CopyJobs'))).toMatchObject([{ id: copyJobId }])
    expect((await api().delete(`/BackupRepositories/${target.id}`)).status).toBe(409)
    expect((await api().delete(`/Jobs/${jobId}`)).status).toBe(409)
  })

  it('copies right after the backup, with a session of its own', async () => {
    await runJob(world, jobId)
    const session = await endOfCopy(1)
    expect(session).toMatchObject({ status: 'Success', jobType: 'Copy', jobId: copyJobId, progress: 100 })
    expect(session.statistics.transferredDataBytes).toBeGreaterThan(0)
    expect(await logOf(world, session.id)).toEqual([
      expect.stringMatching(/^Copied 1 restore points of shard 0: \d+ new blobs/),
      expect.stringMatching(/^1 restore points of 2 objects copied/),
    ])
    const job = await good<CopyJob>(api().get(`/CopyJobs/${copyJobId}`))
    expect(job).toMatchObject({ lastStatus: 'Success' })
    const [[original], [copy]] = [await pointsIn(source.id), await pointsIn(target.id)]
    expect(original).toMatchObject({ isCopy: false })
    expect(copy).toMatchObject({ isCopy: true, backupTime: original!.backupTime })
    expect(copy!.id).not.toBe(original!.id)
    const copies = await good<Page<Point>>(api().get('/RestorePoints?isCopy=true'))
    expect(copies.results.map(({ id }) => id)).toEqual([copy!.id])
    expect(await good(api().get(`/RestorePoints/${copy!.id}`))).toMatchObject({ repositoryId: target.id })
  }, 60_000)

  it('copies what is new and nothing else', async () => {
    const before = await endOfCopy(1)
    const files = await bytesBelow(target.path)
    const [folder] = await foldersOf(graph, userId)
    await graph.post(`/users/${userId}/mailFolders/${folder!.id}/messages`, {
      subject: 'after the first copy',
      body: { contentType: 'text', content: 'one more' },
    })
    await runJob(world, jobId)
    const session = await endOfCopy(2)
    const bytesOf = ({ statistics }: Session): number => statistics.transferredDataBytes ?? 0
    expect(session.status).toBe('Success')
    expect(bytesOf(session)).toBeLessThan(bytesOf(before) / 2)
    expect(await bytesBelow(target.path)).toBeGreaterThan(files)
    expect((await pointsIn(target.id)).length).toBe(2)
    await good(api().post(`/CopyJobs/${copyJobId}/start`, {}))
    expect(await endOfCopy(3)).toMatchObject({ status: 'Success', details: 'Nothing new to copy' })
  }, 60_000)

  it('leaves what stock restic finds whole', async () => {
    const entries = await readdir(target.path, { withFileTypes: true })
    const folder = entries.find((entry) => entry.isDirectory() && entry.name.includes('~'))!.name
    const shard = { path: join(target.path, folder, 's00'), password: PASSWORD }
    expect(await restic(shard, 'check', '--read-data')).toContain('no errors were found')
    expect(JSON.parse(await restic(shard, 'snapshots', '--json'))).toHaveLength(2)
  }, 60_000)

  it('stays as it is when a part of it is changed, and is not started while it is disabled', async () => {
    const policy = { type: 'DailyAtTime', dailyType: 'Workdays', dailyTime: '04:00:00' }
    expect((await api().put(`/CopyJobs/${copyJobId}`, { schedulePolicy: policy })).status).toBe(204)
    const job = await good<CopyJob>(api().get(`/CopyJobs/${copyJobId}`))
    expect(job).toMatchObject({ repositoryId: target.id, schedulePolicy: policy })
    expect(job.nextRun).toBeDefined()
    expect((await api().post(`/CopyJobs/${copyJobId}/disable`)).status).toBe(204)
    const disabled = await good<CopyJob>(api().get(`/CopyJobs/${copyJobId}`))
    expect(disabled.isEnabled).toBe(false)
    expect(disabled.nextRun ?? null).toBeNull()
    expect((await api().post(`/CopyJobs/${copyJobId}/enable`)).status).toBe(204)
    expect((await api().post(`/CopyJobs/${copyJobId}/stop`)).status).toBe(409)
  })

  it('gives everything back when the source and the mailbox are lost', async () => {
    const mailWas = await portraitOfMailbox(graph, userId)
    expect(mailWas.length).toBeGreaterThan(10)
    await rename(source.path, `${source.path}-lost`)
    for (const folder of await foldersOf(graph, userId)) {
      const messages = await messagesIn(graph, userId, folder.id)
      await forEachAtOnce(messages, ({ id }) => graph.post(`/users/${userId}/messages/${id}/permanentDelete`))
    }
    const at = `/BackupRepositories/${target.id}/explore?organizationId=${organizationId}`
    const opened = await good<Row>(world.api('v7').post(at, { type: 'vex' }))
    const path = `/RestoreSessions/${opened.id}/Organization/Mailboxes/${userId}/Action`
    const counts = await good<MailCounts>(world.api('v4').post(path, { restoreToOriginalLocation: null }))
    const whole = {
      createdItemsCount: mailWas.length,
      mergedItemsCount: 0,
      skippedItemsCount: 0,
      failedItemsCount: 0,
    }
    expect(counts).toMatchObject(whole)
    const { expected, found } = mailToCompare(mailWas, await portraitOfMailbox(graph, userId))
    expect(found).toEqual(expected)
  }, 60_000)

  it('tells that the source is gone, and can be removed', async () => {
    await good(api().post(`/CopyJobs/${copyJobId}/start`, {}))
    const session = await endOfCopy(4)
    expect(session.status).not.toBe('Success')
    expect(session.details).toMatch(/\S/)
    for (let wait = 0; wait < 100; wait += 1) {
      const { status } = await api().delete(`/CopyJobs/${copyJobId}`)
      if (status === 204) break
      await delay(40)
    }
    expect((await api().get(`/CopyJobs/${copyJobId}`)).status).toBe(404)
    expect((await pointsIn(target.id)).length).toBe(2)
  }, 60_000)
})
