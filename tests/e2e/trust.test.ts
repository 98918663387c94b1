import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BlobId } from '#repository'
import { startWorld, type World } from '#world'
import { addJob, good, runJob } from './living/backup.ts'
import { commandOf, type Command } from './living/command.ts'
import { foldersOf, messagesIn, type LiveMessage } from './living/mailbox-portrait.ts'
import { MovedClock } from './living/moved-clock.ts'
import { ShardOnDisk } from './living/shard-on-disk.ts'
import { graphOf, type TenantGraph } from './living/tenant-graph.ts'

// A repository on a disk that loses things, looked after by the commands and by the API. Each test leaves it whole.
const PERSON = 3
const PASSWORD = 'for stock restic as well'
const REPOSITORY = 'Kept'
const DAY_MS = 86_400_000
const MINUTE_MS = 60_000

interface Row {
  readonly id: string
}
interface Page<Item> {
  readonly results: readonly Item[]
}
interface Run extends Row {
  readonly status: string
  readonly details?: string
  readonly endTime?: string
  readonly initiatedBy: string
  readonly problems: number
  readonly damagedItems: number
  readonly healedItems: number
}
interface Finding {
  readonly type: string
  readonly kind?: string
  readonly name?: string
  readonly path?: string
  readonly status?: string
  readonly message: string
}
interface Told {
  readonly run: Run
  readonly findings: readonly Finding[]
}
interface Tested {
  readonly name: string
  readonly objectType: string
  readonly tested: number
  readonly equal: number
  readonly equalToTenant: number
  readonly differing: number
  readonly remarks: readonly { readonly item: string; readonly outcome: string; readonly why: string }[]
}
interface Damaged {
  readonly name: string
  readonly kind: string
  readonly path: string
  readonly status: string
}

const clock = new MovedClock()
let world: World
let graph: TenantGraph
let cli: Command
let userId: string
export let userName: string
let repositoryId: string
let jobId: string
let shard: ShardOnDisk

beforeAll(async () => {
  world = await startWorld({ users: 4, mails: 8, files: 4, clock, tenant: { clock } })
  graph = graphOf(world.tenant)
  cli = commandOf(world)
  const { id, displayName, userPrincipalName: name } = [...world.tenant.state.users()][PERSON]!
  userId = id
  userName = name
  const organizationId = (await world.addOrganization('v4')).id
  const api = world.api('v8')
  const key = await good<Row>(api.post('/EncryptionKeys', { password: PASSWORD, description: 'kept' }))
  const path = join(world.folder, 'kept')
  const body = { name: REPOSITORY, path, encryptionKeyId: key.id, retentionType: 'ItemLevel' }
  repositoryId = (await good<Row>(api.post('/BackupRepositories', body))).id
  const user = { id, displayName, name, type: 'User' }
  const selectedItems = [{ type: 'User', user, mailbox: true, oneDrive: true }]
  jobId = await addJob(world, organizationId, {
    name: 'Trusted',
    repositoryId,
    backupType: 'SelectedItems',
    selectedItems,
  })
  expect((await runJob(world, jobId)).status).toBe('Success')
  shard = await ShardOnDisk.in(path, PASSWORD)
}, 120_000)

afterAll(async () => {
  await graph?.[Symbol.asyncDispose]()
  await world?.[Symbol.asyncDispose]()
})

const itemsOf = ({ findings }: Told): readonly Finding[] => findings.filter(({ type }) => type === 'Item')
const damaged = async (): Promise<readonly Damaged[]> =>
  (
    await good<Page<Damaged>>(
      world.api('v8').get(`/Holdfast/BackupRepositories/${repositoryId}/DamagedItems`),
    )
  ).results

/** Starts a run by the API and waits for its end. */
const run = async (kind: 'Verifications' | 'Repairs', body: object): Promise<Told> => {
  const api = world.api('v8')
  const { id } = await good<Row>(api.post(`/Holdfast/BackupRepositories/${repositoryId}/${kind}`, body))
  for (let wait = 0; wait < 600; wait += 1) {
    const now = await good<Run>(api.get(`/Holdfast/${kind}/${id}`))
    const findings = await good<Page<Finding>>(api.get(`/Holdfast/${kind}/${id}/Findings?limit=1000`))
    if (now.endTime !== undefined) return { run: now, findings: findings.results }
    await delay(50)
  }
  throw new Error('the run does not end')
}

const expectWhole = async (): Promise<void> => {
  const whole = { run: { status: 'Success', problems: 0 }, findings: [] }
  expect(await run('Verifications', { data: 'All' })).toMatchObject(whole)
  expect(await shard.check()).toContain('no errors were found')
}
const backUp = async (): Promise<void> => expect((await runJob(world, jobId)).status).toBe('Success')

interface Message {
  readonly id: string
  readonly subject: string
  readonly path: string
  readonly blob: BlobId
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')

const liveMessages = async (): Promise<LiveMessage[]> => {
  const folders = await foldersOf(graph, userId)
  return (await Promise.all(folders.map(({ id }) => messagesIn(graph, userId, id)))).flat()
}

/** A mail that the tenant has, and where it is stored. */
const aMail = async (): Promise<Message> => {
  const live = await liveMessages()
  for (const [path, blob] of await shard.firstBlobs()) {
    const message = live.find(({ id }) => path.endsWith(`-${hashOf(id).slice(0, 12)}.eml`))
    if (message !== undefined) return { id: message.id, subject: String(message['subject']), path, blob }
  }
  throw new Error('no mail is stored')
}

describe('holdfast verify', () => {
  it('finds nothing wrong in a whole repository, and says how much it read', async () => {
    expect(await cli('verify', REPOSITORY, '--all')).toMatch(/^Success\n(\d+) of \1 packs read/)
    expect(await cli('damaged', REPOSITORY)).toContain('Nothing is damaged.')
  })

  it('names the mail that a flipped bit touches; the next backup heals it, as stock restic finds', async () => {
    const { path, subject, blob } = await aMail()
    await shard.flipBitOf(blob)
    await expect(shard.check()).rejects.toThrow()
    const told = await cli.json<Told>('verify', REPOSITORY, '--all')
    expect(told.run).toMatchObject({ status: 'Warning', damagedItems: 1, healedItems: 0 })
    expect(itemsOf(told)).toMatchObject([{ kind: 'Mail', name: subject, path, status: 'Waiting' }])
    expect(await cli('damaged', REPOSITORY)).toContain(subject)
    await backUp()
    expect(await damaged()).toEqual([])
    const [healed] = await cli.json<Damaged[]>('damaged', REPOSITORY, '--all')
    expect(healed).toMatchObject({ name: subject, status: 'Healed' })
    await expectWhole()
  })
})

describe('holdfast repair', () => {
  it('tells of lost indexes and does nothing, and with --yes makes them anew', async () => {
    await shard.lose('index', await shard.files('index'))
    const told = await cli.json<Told>('repair', REPOSITORY)
    expect(told.run).toMatchObject({ status: 'Warning', dryRun: true })
    expect(told.findings).toContainEqual(
      expect.objectContaining({
        type: 'Done',
        message: expect.stringContaining('would be named by an index again') as string,
      }),
    )
    expect(await shard.files('index')).toEqual([])
    expect(await cli('repair', REPOSITORY, '--yes')).toMatch(/^Success/)
    await expectWhole()
  })

  it('brings back a restore point whose snapshot file is lost', async () => {
    const points = async (): Promise<unknown[]> =>
      (
        await good<Page<{ backupTime: string }>>(
          world.api('v8').get(`/RestorePoints?repositoryId=${repositoryId}`),
        )
      ).results.map(({ backupTime }) => backupTime)
    const before = await shard.files('snapshots')
    await backUp()
    const [newest] = (await shard.files('snapshots')).filter((name) => !before.includes(name))
    const were = await points()
    await shard.lose('snapshots', [newest!])
    const { run: done, findings } = await run('Repairs', { dryRun: false })
    expect(done).toMatchObject({ status: 'Success', dryRun: false })
    expect(findings.map(({ message }) => message)).toContain(
      '1 restore points without their snapshot file brought back',
    )
    expect(await points()).toHaveLength(were.length)
    await expectWhole()
  })

  it('says by item what nobody has, brings back the rest, and leaves the lost out when told to', async () => {
    const mail = await aMail()
    const { file } = await shard.placeOf(mail.blob)
    await graph.post(`/users/${userId}/messages/${mail.id}/permanentDelete`)
    await rm(file)
    const told = await cli.json<Told>('repair', REPOSITORY, '--yes')
    expect(told.run.status).toBe('Warning')
    expect(told.run.details).toContain('cannot be brought back from here')
    expect(itemsOf(told).map(({ path }) => path)).toContain(mail.path)
    await backUp()
    expect(await damaged()).toContainEqual(
      expect.objectContaining({ path: mail.path, name: mail.subject, status: 'Lost' }),
    )
    expect(
      (await damaged()).filter(({ path, status }) => path.startsWith('users/') && status !== 'Lost'),
    ).toEqual([])
    expect((await damaged()).filter(({ status }) => status !== 'Lost')).toEqual([])
    await run('Repairs', { dryRun: false, leaveOutLost: true })
    await expectWhole()
    expect(await damaged()).toEqual([])
  })
})

describe('a restore test', () => {
  const of = ({ tested, equal, equalToTenant, differing }: Tested) => [
    tested > 0,
    equal === tested,
    equalToTenant > 0,
    differing,
  ]

  it('reads samples of every object back, and finds them as in the tenant', async () => {
    const done = await cli.json<{ run: Run; objects: Tested[] }>('restore-test', REPOSITORY, '--items', '50')
    expect(done.run).toMatchObject({ status: 'Success', initiatedBy: 'administrator' })
    expect(done.objects.map(({ objectType, name }) => `${objectType} of ${name}`).sort()).toEqual([
      `Mailbox of ${userName}`,
      `OneDrive of ${userName}`,
    ])
    expect(done.objects.map(of)).toEqual([
      [true, true, true, 0],
      [true, true, true, 0],
    ])
  })

  it('runs by its schedule, and names the item that is not as in the tenant', async () => {
    const trust = `/Holdfast/BackupRepositories/${repositoryId}/Trust`
    const settings = { restoreTestDays: 1, restoreTestItems: 50, verifyDaily: false }
    await good(world.api('v8').put(trust, settings))
    const { subject } = await forge()
    clock.moveOn(MINUTE_MS)
    await until(
      async () =>
        (await good<{ nextRestoreTestTime?: string }>(world.api('v8').get(trust))).nextRestoreTestTime,
    )
    clock.moveOn(DAY_MS)
    // A token does not outlive a night.
    const api = await world.as('administrator', world.password)
    const done = await until(async () => {
      const { results } = await good<Page<Run>>(
        api.get(`/Holdfast/RestoreTests?repositoryId=${repositoryId}`),
      )
      return results.find(
        ({ initiatedBy, endTime }) => initiatedBy !== 'administrator' && endTime !== undefined,
      )
    })
    expect(done.status).toBe('Warning')
    const { results } = await good<Page<Tested>>(api.get(`/Holdfast/RestoreTests/${done.id}/Objects`))
    const [mailbox] = results.filter(({ objectType }) => objectType === 'Mailbox')
    expect(mailbox!.remarks).toEqual([
      { item: subject, outcome: 'Differs', why: 'categories is not as in the mailbox' },
    ])
    expect(results.map(({ differing }) => differing).sort()).toEqual([0, 1])
    expect((await good<{ lastRestoreTest: Run }>(api.get(trust))).lastRestoreTest.id).toBe(done.id)
  })

  /** A message of the tenant becomes another one, which no change key tells. */
  const forge = async (): Promise<{ readonly subject: string }> => {
    world.tenant.state.db
      .prepare(
        `UPDATE mail_messages SET categories = '["Forged"]' WHERE id =
          (SELECT m.id FROM mail_messages m JOIN mail_boxes b ON m.id / 4294967296 = b.box WHERE b.user = ? LIMIT 1)`,
      )
      .run(userId)
    const found = (await liveMessages()).filter(({ categories }) => String(categories) === 'Forged')
    expect(found).toHaveLength(1)
    return { subject: String(found[0]!['subject']) }
  }
})

const until = async <Value>(look: () => Promise<Value | undefined>): Promise<Value> => {
  for (let wait = 0; wait < 400; wait += 1) {
    const value = await look()
    if (value !== undefined) return value
    await delay(50)
  }
  throw new Error('it does not come')
}
