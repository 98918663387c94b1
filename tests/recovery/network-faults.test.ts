import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { startWorld, type World } from '#world'
import { HAS_ENDED, type JobSession } from './live-server.ts'

const SEED = 503

const ended = async (world: World, jobId: string): Promise<JobSession> => {
  for (const until = Date.now() + 100_000; Date.now() < until; await delay(50)) {
    const [session] = (await world.api('v4').get(`/Jobs/${jobId}/JobSessions`)).json<JobSession[]>()
    if (session !== undefined && HAS_ENDED.includes(session.status)) return session
  }
  throw new Error('the session does not end')
}

const backUp = async (world: World, jobId: string): Promise<JobSession> => {
  expect((await world.api('v4').post(`/Jobs/${jobId}/Action`, { start: null })).status).toBeLessThan(300)
  return ended(world, jobId)
}

const makeJob = async (world: World): Promise<string> => {
  const api = world.api('v4')
  const { id } = await world.addOrganization()
  const [repository] = (await api.get('/BackupRepositories')).json<{ id: string }[]>()
  const body = { name: 'Everything', repositoryId: repository!.id, backupType: 'EntireOrganization' }
  return (await api.post(`/Organizations/${id}/Jobs`, body)).json<{ id: string }>().id
}

/** How many items each object has, as the session's log tells. */
const itemsOf = async (world: World, session: JobSession): Promise<string[]> => {
  const log = await world.api('v8').get(`/JobSessions/${session.id}/LogItems?limit=1000`)
  const { results } = log.json<{ results: { message: string }[] }>()
  return results
    .flatMap(({ message }) => /^(Mailbox|OneDrive) of .*: \d+ items/.exec(message)?.[0] ?? [])
    .sort()
}

it('a backup in bad weather ends well, has each item once, and repeats no refused call early', async () => {
  await using world = await startWorld({ users: 2, mails: 60, files: 15 })
  const { faults, counters } = world.tenant.controls
  faults.addRule({ path: '*/oauth2/v2.0/token*', kind: 'emptyUnavailable', times: 1 })
  const jobId = await makeJob(world)
  faults.setPlan({
    seed: SEED,
    rates: {
      throttled: 0.02,
      unavailable: 0.01,
      timeout: 0.01,
      emptyUnavailable: 0.01,
      cut: 0.02,
      slow: 0.01,
    },
  })
  counters.reset()
  const stormy = await backUp(world, jobId)
  faults.clear()
  const requests = counters.recent()
  expect(stormy.status, `seed ${SEED}: ${stormy.details}`).toMatch(/Success|Warning/)
  const refused = requests.filter(({ status }) => status === 429)
  expect(refused.length, `seed ${SEED}`).toBeGreaterThan(3)
  for (const { atMs, method, path } of refused) {
    const again = requests.find(
      (other) => other.atMs > atMs && other.method === method && other.path === path,
    )
    // The service said: in one second.
    if (again !== undefined) expect(again.atMs - atMs, `seed ${SEED}: ${path}`).toBeGreaterThanOrEqual(990)
  }
  const calm = await backUp(world, jobId)
  expect(await itemsOf(world, stormy), `seed ${SEED}`).toEqual(await itemsOf(world, calm))
}, 240_000)

it('delta tokens that have lapsed cost a slower run and no second copy', async () => {
  await using world = await startWorld({ users: 1, mails: 30, files: 10 })
  const jobId = await makeJob(world)
  const first = await backUp(world, jobId)
  const { faults } = world.tenant.controls
  faults.addRule({ path: '*/messages/delta*deltatoken*', status: 410, code: 'syncStateNotFound', times: 3 })
  faults.addRule({ path: '*/root/delta*token*', status: 410, code: 'resyncRequired', times: 1 })
  const second = await backUp(world, jobId)
  expect(second.status).toBe(first.status)
  expect(await itemsOf(world, second)).toEqual(await itemsOf(world, first))
  expect(faults.rules().every(({ seen }) => seen > 0)).toBe(true)
}, 240_000)

it('a restore in bad weather brings each message back once', async () => {
  await using world = await startWorld({ users: 1, mails: 30, files: 5 })
  const jobId = await makeJob(world)
  const session = await backUp(world, jobId)
  const before = await itemsOf(world, session)
  const api = world.api('v4')
  const [organization] = (await api.get('/Organizations')).json<{ id: string }[]>()
  const explored = await api.post(`/Organizations/${organization!.id}/Action`, { explore: { type: 'vex' } })
  const base = `/RestoreSessions/${explored.json<{ id: string }>().id}/Organization/Mailboxes`
  const { results } = (await api.get(base)).json<{ results: { id: string }[] }>()
  const { faults } = world.tenant.controls
  faults.setPlan({
    seed: SEED,
    rates: { throttled: 0.02, unavailable: 0.01, timeout: 0.01, cut: 0.02, lost: 0.02 },
  })
  const restored = await api.post(`${base}/${results[0]!.id}/Action`, { restoreToOriginalLocation: null })
  faults.clear()
  expect(restored.status, `seed ${SEED}: ${restored.text}`).toBeLessThan(300)
  // Nothing was missing: whatever a lost answer repeats would be a second copy.
  expect(await itemsOf(world, await backUp(world, jobId)), `seed ${SEED}`).toEqual(before)
}, 240_000)
