import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { systemClock, type Clock } from '#base'
import { startWorld, type World } from '#world'
import { HAS_ENDED, type JobSession } from './live-server.ts'

const DAY_MS = 86_400_000

/** Runs like the machine's own, so many days before or after it. */
class MovedClock implements Clock {
  days = 0
  nowMs(): number {
    return systemClock.nowMs() + this.days * DAY_MS
  }
  now(): Date {
    return new Date(this.nowMs())
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(ms, signal)
  }
}

const made = async (world: World, path: string, body: unknown): Promise<string> => {
  const answer = await world.api('v4').post(path, body)
  expect(answer.status, answer.text).toBeLessThan(300)
  return answer.json<{ id: string }>().id
}

const ended = async <Seen extends { readonly status: string }>(
  look: () => Promise<Seen | undefined>,
): Promise<Seen> => {
  for (let tries = 0; tries < 1_200; tries += 1, await delay(50)) {
    const seen = await look()
    if (seen !== undefined && HAS_ENDED.includes(seen.status)) return seen
  }
  throw new Error('it does not end')
}

const sessions = async (world: World, jobId: string): Promise<JobSession[]> =>
  (await world.api('v4').get(`/Jobs/${jobId}/JobSessions`)).json<JobSession[]>()

const backUp = async (world: World, jobId: string): Promise<JobSession> => {
  const before = new Set((await sessions(world, jobId)).map(({ id }) => id))
  await world.api('v4').post(`/Jobs/${jobId}/Action`, { start: null })
  return ended(async () => (await sessions(world, jobId)).find(({ id }) => !before.has(id)))
}

/** The daily run may be at work: another one is begun when it is over. */
const retain = async (world: World, repositoryId: string): Promise<{ readonly status: string }> => {
  const path = `/Holdfast/BackupRepositories/${repositoryId}/RetentionRuns`
  let answer = await world.api('v4').post(path, {})
  for (let tries = 0; tries < 600 && answer.status === 409; tries += 1, await delay(50))
    answer = await world.api('v4').post(path, {})
  expect(answer.status, answer.text).toBeLessThan(300)
  const { id } = answer.json<{ id: string }>()
  return ended(async () =>
    (await world.api('v4').get(`/Holdfast/RetentionRuns/${id}`)).json<{ status: string }>(),
  )
}

const storedPoints = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\/snapshots\/[0-9a-f]{64}$/.test(name),
  )

it('a clock that jumps a day back or 400 days ahead takes no point early, and backups go on', async () => {
  const clock = new MovedClock()
  await using world = await startWorld({ users: 1, mails: 4, files: 3, clock })
  const folder = join(world.folder, 'kept')
  const [there] = (await world.api('v4').get('/BackupRepositories')).json<{ proxyId: string }[]>()
  const repositoryId = await made(world, '/BackupRepositories', {
    name: 'Kept',
    path: folder,
    proxyId: there!.proxyId,
    retentionType: 'SnapshotBased',
    retentionPeriodType: 'Yearly',
    yearlyRetentionPeriod: 'Year1',
  })
  const organization = await world.addOrganization()
  const jobId = await made(world, `/Organizations/${organization.id}/Jobs`, {
    name: 'Everything',
    repositoryId,
    backupType: 'EntireOrganization',
  })
  expect((await backUp(world, jobId)).status).toMatch(/Success|Warning/)
  expect(await retain(world, repositoryId)).toMatchObject({ status: 'Success' })
  let before = storedPoints(folder)
  expect(before).not.toEqual([])
  for (const days of [400, -1, 0]) {
    clock.days = days
    if (days > 0) expect((await world.api('v4').get('/Jobs')).status, 'a token of long ago').toBe(401)
    await world.restart()
    expect(await retain(world, repositoryId), `${days} days`).toMatchObject({ status: 'Warning' })
    expect((await backUp(world, jobId)).status, `${days} days`).toMatch(/Success|Warning/)
    expect(storedPoints(folder), `${days} days`).toEqual(expect.arrayContaining(before))
    before = storedPoints(folder)
  }
  expect(await sessions(world, jobId), 'no schedule ran by itself').toHaveLength(4)
}, 120_000)
