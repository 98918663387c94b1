import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWorld, type Answer, type World } from '#world'
import { addJob, good, logOf, runJob, type Session } from '../e2e/living/backup.ts'
import { restic } from './stock-restic.ts'

// A repository and its copy, each on a small disk of its own that is really full, or really gone. Each test goes on where the
// one before stopped.
const LEAVER = 3
const STAYER = 4
const PASSWORD = 'of small disks'

interface Row {
  readonly id: string
}
interface Run extends Row {
  readonly status: string
  readonly endTime?: string
  readonly details?: string
  readonly freedBytes?: number
  readonly removedPoints?: number
  readonly isProven?: boolean
}
type Page<Item> = { readonly results: readonly Item[] }

let world: World
let disk: string
let copyDisk: string
let organizationId: string
let repositoryId: string
let jobId: string
let copyJobId: string
let leaverId: string
let isMounted = true

const api = () => world.api('v8')
const PERIOD = {
  retentionType: 'SnapshotBased',
  retentionPeriodType: 'Yearly',
  yearlyRetentionPeriod: 'Years3',
}

const mount = (...args: string[]): boolean => {
  try {
    execFileSync('mount', args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const smallDisk = (name: string, size: string): string => {
  const path = join(world.folder, name)
  mkdirSync(path)
  isMounted &&= mount('-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path)
  return path
}

const newRepository = async (name: string, path: string): Promise<string> => {
  const [proxy] = (await good<Page<Row>>(api().get('/Proxies'))).results
  const key = await good<Row>(api().post('/EncryptionKeys', { password: PASSWORD, description: name }))
  const body = { name, path, proxyId: proxy!.id, encryptionKeyId: key.id, ...PERIOD }
  return (await good<Row>(api().post('/BackupRepositories', body))).id
}

const itemOf = (index: number) => {
  const { id, displayName, userPrincipalName: name } = [...world.tenant.state.users()][index]!
  return {
    type: 'User',
    user: { id, displayName, name, type: 'User' },
    mailbox: true,
    oneDrive: true,
  }
}

beforeAll(async () => {
  world = await startWorld({ users: 5, mails: 15, files: 12 })
  disk = smallDisk('disk', '12m')
  copyDisk = smallDisk('copies', '12m')
  if (!isMounted) return
  organizationId = (await world.addOrganization('v4')).id
  repositoryId = await newRepository('Small', disk)
  leaverId = itemOf(LEAVER).user.id
  jobId = await addJob(world, organizationId, {
    name: 'Both',
    repositoryId,
    backupType: 'SelectedItems',
    selectedItems: [itemOf(LEAVER), itemOf(STAYER)],
  })
  await good(api().put(`/Holdfast/Jobs/${jobId}/Retention`, { retentionType: 'SnapshotBased', keepLast: 1 }))
}, 120_000)

afterAll(async () => {
  await world?.server.stop()
  for (const path of [disk, copyDisk, `${disk}.kept`, `${copyDisk}.kept`])
    execFileSync('sh', ['-c', `umount -l "${path}" 2>/dev/null || true`])
  await world?.[Symbol.asyncDispose]()
})

/** Filling a disk keeps this process busy, and its server answers 503 until it has come to rest. */
const asked = async <Body>(ask: () => Promise<Answer>): Promise<Body> => {
  for (let tries = 0; ; tries += 1) {
    const answer = await ask()
    if (answer.status !== 503 || tries === 50) return good(Promise.resolve(answer))
    await delay(100)
  }
}

/** Not a byte is left, but for what is set aside. */
const fill = (path: string): void => {
  const sizes = [1 << 20, 1 << 16, 1 << 12]
  for (const size of sizes)
    for (let number = 0; number < 400; number += 1) {
      try {
        writeFileSync(join(path, `.filler-${size}-${number}`), Buffer.alloc(size, 1), { flag: 'wx' })
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue
        rmSync(join(path, `.filler-${size}-${number}`), { force: true })
        break
      }
    }
}

const unfill = (path: string): void => {
  for (const name of readdirSync(path)) if (name.startsWith('.filler')) rmSync(join(path, name))
}

const endOf = async (path: string): Promise<Run> => {
  for (let wait = 0; wait < 1_500; wait += 1, await delay(40)) {
    const run = await asked<Run>(() => api().get(path))
    if (typeof run.endTime === 'string') return run
  }
  throw new Error('the run does not end')
}

const clean = async (): Promise<Run> => {
  const at = `/Holdfast/BackupRepositories/${repositoryId}/RetentionRuns`
  const { id } = await asked<Row>(() => api().post(at, { confirmClock: true }))
  return endOf(`/Holdfast/RetentionRuns/${id}`)
}
const lookAfter = async (what: 'Verifications' | 'Repairs'): Promise<Run> => {
  const { id } = await asked<Row>(() =>
    api().post(`/Holdfast/BackupRepositories/${repositoryId}/${what}`, {}),
  )
  return endOf(`/Holdfast/${what}/${id}`)
}
const removeLeaver = async (): Promise<Run> => {
  const at = `/Holdfast/Organizations/${organizationId}/PersonRemovals`
  const body = { userId: leaverId, confirmation: leaverId, reason: 'left' }
  const { id } = await asked<Row>(() => api().post(at, body))
  return endOf(`${at}/${id}`)
}
const copy = async (): Promise<Session> => {
  const sessions = async (): Promise<readonly Session[]> =>
    (await good<Page<Session>>(api().get(`/JobSessions?jobType=Copy&jobId=${copyJobId}`))).results
  const before = (await sessions()).length
  await asked(() => api().post(`/CopyJobs/${copyJobId}/start`, {}))
  for (let wait = 0; wait < 1_500; wait += 1, await delay(40)) {
    const [newest, ...others] = await sessions()
    if (newest !== undefined && others.length >= before && typeof newest.endTime === 'string') return newest
  }
  throw new Error('the copy does not end')
}

/** Nothing half-written is left, and stock restic reads every byte. */
const expectSound = async (path: string): Promise<void> => {
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' })
  expect(names.filter((name) => name.includes('-tmp-'))).toEqual([])
  const folder = readdirSync(path).find((name) => name.includes('~'))!
  const shard = { path: join(path, folder, 's00'), password: PASSWORD }
  expect(await restic(shard, 'check', '--read-data')).toContain('no errors were found')
}

const hasEnded = (status: RegExp, details?: RegExp) => ({
  status: expect.stringMatching(status) as string,
  ...(details === undefined ? {} : { details: expect.stringMatching(details) as string }),
})
const FULL = /full|no space|without free space|ENOSPC/i

describe('a disk that is full', () => {
  it('fails backups with a clear word, and lets verifications, clean-ups and repairs do their work', async ({
    skip,
  }) => {
    if (!isMounted) skip('mounting small disks needs root')
    for (let run = 0; run < 2; run += 1)
      expect(await runJob(world, jobId)).toMatchObject({ status: 'Success' })
    fill(disk)
    const failed = await runJob(world, jobId)
    expect(failed).toMatchObject({ status: 'Failed' })
    expect((await logOf(world, failed.id)).join()).toMatch(FULL)
    expect(await lookAfter('Verifications')).toMatchObject(hasEnded(/Success/))
    expect(await clean()).toMatchObject({ ...hasEnded(/Success/), removedPoints: 1 })
    expect(await lookAfter('Repairs')).toMatchObject(hasEnded(/Success/))
    await expectSound(disk)
  }, 120_000)

  it('without any room stops a removal with a clear word, and the next one gives back all that the person had', async ({
    skip,
  }) => {
    if (!isMounted) skip('mounting small disks needs root')
    fill(disk)
    expect(await removeLeaver()).toMatchObject(hasEnded(/Warning|Failed/, FULL))
    rmSync(join(disk, '.filler-1048576-0'))
    const removal = await removeLeaver()
    expect(removal).toMatchObject({ ...hasEnded(/Success/), isProven: true })
    expect(removal.freedBytes).toBeGreaterThan(100_000)
    await expectSound(disk)
    unfill(disk)
    expect(await runJob(world, jobId)).toMatchObject({ status: 'Success' })
  }, 120_000)

  it('fails a copy to it with a clear word, and the next one completes it', async ({ skip }) => {
    if (!isMounted) skip('mounting small disks needs root')
    const copies = await newRepository('Copies', copyDisk)
    const body = { backupJobId: jobId, organizationId, repositoryId: copies }
    const schedulePolicy = { type: 'DailyAtTime', dailyType: 'Everyday', dailyTime: '03:00:00' }
    copyJobId = (await good<Row>(api().post('/CopyJobs', { ...body, schedulePolicy }))).id
    fill(copyDisk)
    expect(await copy()).toMatchObject(hasEnded(/Failed/, FULL))
    // Enough to begin, and too little to end.
    for (let number = 0; number < 4; number += 1) rmSync(join(copyDisk, `.filler-65536-${number}`))
    expect(await copy()).toMatchObject(hasEnded(/Failed/, FULL))
    unfill(copyDisk)
    expect(await copy()).toMatchObject({ status: 'Success' })
    await expectSound(copyDisk)
  }, 120_000)
})

describe('a disk that is not there', () => {
  it('fails whatever is asked for with the reason, writes nothing in its place, and all is well when it is back', async ({
    skip,
  }) => {
    if (!isMounted) skip('mounting small disks needs root')
    for (const path of [disk, copyDisk]) {
      mkdirSync(`${path}.kept`)
      mount('--bind', path, `${path}.kept`)
      execFileSync('umount', ['-l', path])
    }
    const isGone = hasEnded(/Failed/, /is its disk mounted\?/)
    expect(await copy()).toMatchObject(isGone)
    expect(await clean()).toMatchObject(isGone)
    expect(await lookAfter('Verifications')).toMatchObject(isGone)
    expect(await lookAfter('Repairs')).toMatchObject(isGone)
    expect(await removeLeaver()).toMatchObject(isGone)
    expect(await runJob(world, jobId)).toMatchObject({ status: 'Failed' })
    for (const path of [disk, copyDisk]) {
      expect(readdirSync(path)).toEqual([])
      mount('--bind', `${path}.kept`, path)
      execFileSync('umount', ['-l', `${path}.kept`])
    }
    expect(await clean()).toMatchObject(hasEnded(/Success/))
    expect(await runJob(world, jobId)).toMatchObject({ status: 'Success' })
    expect(await copy()).toMatchObject({ status: 'Success' })
    for (const path of [disk, copyDisk]) await expectSound(path)
  }, 120_000)
})
