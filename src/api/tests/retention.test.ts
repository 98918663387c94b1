import { setTimeout as delay } from 'node:timers/promises'
import { startWorld, type World } from '#world'
import { afterAll, beforeAll, expect, it } from 'vitest'

// How long what is kept, over REST. One test goes on where the one before it stopped.

type Json = Readonly<Record<string, unknown>>
interface Listed {
  readonly results: readonly Json[]
}

let world: World
let organizationId: string
let repositoryId: string
let jobId: string
let userIds: string[]

const call = async <Body = Json>(
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: object,
  status = 200,
): Promise<Body> => {
  const answer = await world.api('v8').send(path, { method, ...(body === undefined ? {} : { body }) })
  expect([answer.status, answer.status === status ? '' : answer.text]).toEqual([status, ''])
  return answer.text === '' ? ({} as Body) : answer.json<Body>()
}

const ended = async (path: string): Promise<Json> => {
  for (let turn = 0; turn < 600; turn += 1) {
    const run = await call('GET', path)
    if (run['status'] !== 'Running' && run['status'] !== 'Queued') return run
    await delay(25)
  }
  throw new Error(`${path} does not end`)
}

const backup = async (): Promise<void> => {
  const session = await call('POST', `/Jobs/${jobId}/start`)
  expect(await ended(`/JobSessions/${String(session['id'])}`)).toMatchObject({ status: 'Success' })
}
const base = (): string => `/Holdfast/BackupRepositories/${repositoryId}`

beforeAll(async () => {
  world = await startWorld({ users: 5, mails: 2, files: 2 })
  organizationId = (await world.addOrganization()).id
  repositoryId = String((await call<Listed>('GET', '/BackupRepositories')).results[0]!['id'])
  // The first three have mail and files of the corpus, which are many.
  userIds = [...world.tenant.state.users()].slice(3, 5).map(({ id }) => id)
  const { results } = await call<Listed>('GET', `/Organizations/${organizationId}/Users`)
  const selectedItems = results
    .filter(({ id }) => userIds.some((user) => String(id).startsWith(user)))
    .map(({ id }) => ({ type: 'User', user: { id }, mailbox: true, oneDrive: true }))
  expect(selectedItems).toHaveLength(2)
  const job = { name: 'one', organizationId, repositoryId, selectedItems }
  jobId = String((await call('POST', '/Jobs', job, 201))['id'])
  for (let run = 0; run < 3; run += 1) await backup()
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
})

it("previews by the repository's rule, and by a job's own", async () => {
  expect(await call('GET', `${base()}/RetentionPreview/Summary`)).toMatchObject({
    pointsToRemove: 0,
    pointsToKeep: 3,
    rule: 'everything, for ever',
  })
  const rule = { retentionType: 'SnapshotBased', keepLast: 2 }
  expect(await call('PUT', `/Holdfast/Jobs/${jobId}/Retention`, rule)).toMatchObject({
    source: 'Job',
    summary: 'the last 2 points',
    keepLast: 2,
  })
  const { results } = await call<Listed>('GET', `${base()}/RetentionPreview`)
  expect(results.map(({ action, ruleSource }) => [action, ruleSource])).toEqual([
    ['Keep', 'Job'],
    ['Keep', 'Job'],
    ['Remove', 'Job'],
  ])
  expect(results[2]).toMatchObject({ jobName: 'one', reasons: [{ kind: 'Expired' }] })
  expect(
    (await call<Listed>('GET', `${base()}/RetentionPreview?action=remove&limit=1`)).results,
  ).toHaveLength(1)
  await call('GET', `${base()}/RetentionPreview/Objects`)
})

it('removes what the preview named', async () => {
  const run = await call('POST', `${base()}/RetentionRuns`, {}, 201)
  const path = `/Holdfast/RetentionRuns/${String(run['id'])}`
  expect(await ended(path)).toMatchObject({ status: 'Success', removedPoints: 1, keptPoints: 2 })
  const { results } = await call<Listed>('GET', `${path}/LogItems`)
  expect(results[0]!['message']).toMatch(/^Removed the restore point/)
  expect((await call<Listed>('GET', '/RestorePoints')).results).toHaveLength(2)
  expect((await call<Listed>('GET', '/Holdfast/RetentionRuns')).results).toHaveLength(1)
})

it.each([
  [{ keepLast: 2, retentionType: 'ItemLevel' }],
  [{}],
  [{ keepAge: { amount: 1, unit: 'Days' }, timeZone: 'Mars/Olympus' }],
])('refuses the rule %o', async (rule) => {
  await call('PUT', `/Holdfast/Jobs/${jobId}/Retention`, rule, 400)
})

it('sets a legal hold, which wins over a removal, and releases it', async () => {
  const hold = await call(
    'POST',
    '/Holdfast/LegalHolds',
    // As lists of users give the id: two GUIDs, the second of zeros.
    { organizationId, userId: `${userIds[0]}00000000-0000-0000-0000-000000000000`, reason: 'case 7' },
    201,
  )
  const removals = `/Holdfast/Organizations/${organizationId}/PersonRemovals`
  const removal = { userId: userIds[0], confirmation: userIds[0] }
  await call('POST', removals, removal, 409)
  const rule = (keepLast: number) =>
    call('PUT', `/Holdfast/Jobs/${jobId}/Retention`, { retentionType: 'SnapshotBased', keepLast })
  await rule(1)
  const { results: reduced } = await call<Listed>('GET', `${base()}/RetentionPreview?action=reduce`)
  expect(reduced).toMatchObject([
    { objects: 4, objectsToRemove: 2, reasons: [{ kind: 'Hold' }, { kind: 'Expired' }] },
  ])
  const summary = await call('GET', `${base()}/RetentionPreview/Summary`)
  expect(summary).toMatchObject({ pointsToRemove: 0, pointsToKeep: 2, pointsToReduce: 1 })
  await rule(2)
  await call('POST', `/Holdfast/LegalHolds/${String(hold['id'])}/Release`, { reason: 'closed' })
  await call('POST', `/Holdfast/LegalHolds/${String(hold['id'])}/Release`, { reason: 'again' }, 409)
  expect((await call<Listed>('GET', '/Holdfast/LegalHolds?isActive=true')).results).toEqual([])
  expect((await call<Listed>('GET', '/Holdfast/LegalHolds')).results).toMatchObject([
    { releaseReason: 'closed', setBy: 'administrator' },
  ])
})

it('removes a person for good and tells which job brings the data back', async () => {
  const removals = `/Holdfast/Organizations/${organizationId}/PersonRemovals`
  await call('POST', removals, { userId: userIds[0], confirmation: 'yes' }, 400)
  const removal = { userId: userIds[0], confirmation: userIds[0], reason: 'asked' }
  const begun = await call('POST', removals, removal, 201)
  expect(await ended(`${removals}/${String(begun['id'])}`)).toMatchObject({
    status: 'Success',
    isProven: true,
    rewrittenPoints: 2,
    jobs: ['one'],
  })
  const { results } = await call<Listed>('GET', `/BackupRepositories/${repositoryId}/UserData`)
  expect(results.map(({ id }) => String(id).includes(userIds[0]!))).toEqual([false])
  await backup()
  expect((await call<Listed>('GET', `/BackupRepositories/${repositoryId}/UserData`)).results).toHaveLength(2)
})
