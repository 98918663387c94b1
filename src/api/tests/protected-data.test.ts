import { setTimeout as delay } from 'node:timers/promises'
import { startWorld, type World } from '#world'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

interface Listed {
  readonly totalCount?: number
  readonly results: readonly Record<string, unknown>[]
}
interface Person {
  readonly id: string
  readonly displayName: string
  readonly name: string
}

let world: World
let organizationId: string
let repositoryId: string
/** With mailbox and OneDrive, and with a mailbox alone. */
let both: Person
let mailOnly: Person
let pointId: string

const idsOf = ({ results }: Listed, name = 'id'): unknown[] => results.map((each) => each[name]).sort()
const listOf = async (path: string, version: 'v4' | 'v7' | 'v8' = 'v8'): Promise<Listed> => {
  const answer = await world.api(version).get(path)
  expect(answer.status, path).toBe(200)
  return answer.json<Listed>()
}

const runJob = async (): Promise<void> => {
  const api = world.api('v8')
  const items = [
    { type: 'User', user: { id: both.id }, mailbox: true, oneDrive: true },
    { type: 'User', user: { id: mailOnly.id }, mailbox: true, oneDrive: false },
  ]
  const job = { name: 'one', organizationId, repositoryId, selectedItems: items }
  const { id } = (await api.post('/Jobs', job)).json<{ id: string }>()
  const session = (await api.post(`/Jobs/${id}/start`)).json<{ id: string }>()
  for (let turn = 0; turn < 400; turn += 1) {
    const { status } = (await api.get(`/JobSessions/${session.id}`)).json<{ status: string }>()
    if (status === 'Success') return
    if (status !== 'Running' && status !== 'Queued') throw new Error(`the session ended with ${status}`)
    await delay(25)
  }
  throw new Error('the session does not end')
}

beforeAll(async () => {
  world = await startWorld({ users: 5, mails: 2, files: 2 })
  organizationId = (await world.addOrganization()).id
  repositoryId = String((await listOf('/BackupRepositories')).results[0]!['id'])
  const people = (await listOf(`/Organizations/${organizationId}/Users`)).results as unknown as Person[]
  // The first three have mail and files of the corpus, which are many.
  const [first, second] = [...world.tenant.state.users()].slice(3)
  both = people.find(({ name }) => name === first!.userPrincipalName)!
  mailOnly = people.find(({ name }) => name === second!.userPrincipalName)!
  await runJob()
  pointId = String((await listOf('/RestorePoints')).results[0]!['id'])
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
})

const base = (): string => `/BackupRepositories/${repositoryId}`
const directoryId = ({ id }: Person): string => id.slice(0, 36)

it.each(['v4', 'v8'] as const)('%s tells whom a repository holds something of, and what', async (version) => {
  const page = await listOf(`${base()}/UserData`, version)
  expect(idsOf(page)).toEqual([both.id, mailOnly.id].sort())
  const answer = await world.api(version).get(`${base()}/UserData/${mailOnly.id}`)
  expect(answer.json()).toMatchObject({
    id: mailOnly.id,
    accountId: directoryId(mailOnly),
    email: mailOnly.name,
    displayName: mailOnly.displayName,
    isMailboxBackedUp: true,
    isOneDriveBackedUp: false,
    isArchiveBackedUp: false,
    organizationId,
  })
  const missing = await world.api(version).get(`${base()}/UserData/${organizationId}`)
  expect(missing.status).toBe(404)
})

it('tells the organizations of a repository', async () => {
  const { results } = await listOf(`${base()}/OrganizationData`)
  expect(results).toMatchObject([{ organizationId, backedUpOrganizationId: organizationId }])
  expect((await world.api().get(`${base()}/OrganizationData/${organizationId}`)).json()).toEqual(results[0])
})

describe('mailboxes and drives', () => {
  it('are listed apart, each with the time of its newest restore point', async () => {
    const mailboxes = await listOf(`${base()}/MailboxData`)
    expect(idsOf(mailboxes)).toEqual([both, mailOnly].map(directoryId).sort())
    const drives = await listOf(`${base()}/OneDriveData`)
    expect(idsOf(drives)).toEqual([directoryId(both)])
    const { backupTime } = (await listOf('/RestorePoints')).results[0]!
    expect(drives.results[0]!['backedUpTime']).toBe(backupTime)
  })

  it('are filtered by name, organization and time', async () => {
    const name = encodeURIComponent(both.displayName.toUpperCase())
    expect(idsOf(await listOf(`${base()}/MailboxData?filter=${name}`))).toEqual([directoryId(both)])
    const other = repositoryId
    expect((await listOf(`${base()}/MailboxData?organizationId=${other}`)).results).toEqual([])
    const before = '2001-01-01T00:00:00Z'
    expect((await listOf(`${base()}/MailboxData?pointInTime=${before}`)).results).toEqual([])
    expect((await listOf(`${base()}/MailboxData?limit=1&offset=1`)).results.length).toBe(1)
  })
})

it('tells what a restore point holds', async () => {
  const point = `/RestorePoints/${pointId}`
  expect(idsOf(await listOf(`${point}/protectedUsers`, 'v7'))).toEqual([both.id, mailOnly.id].sort())
  expect((await listOf(`${point}/protectedMailboxes`, 'v7')).results.length).toBe(2)
  expect(idsOf(await listOf(`${point}/protectedOnedrives`, 'v7'))).toEqual([directoryId(both)])
  const bare = (await world.api('v6').get(`${point}/mailboxes`)).json<unknown[]>()
  expect(bare.length).toBe(2)
})

it.each(['isCopy=true', 'isLongTermCopy=true', 'isRetrieved=true', 'siteId=x', 'groupId=x', 'teamId=x'])(
  'has no restore points with %s, which there are none of',
  async (query) => {
    expect((await listOf(`/RestorePoints?${query}`)).results).toEqual([])
    if (query.startsWith('is'))
      expect((await listOf(`/RestorePoints?${query.replace('true', 'false')}`)).results.length).toBe(1)
  },
)

it('lists protected users with their mailboxes and drives', async () => {
  const { results } = await listOf(`/ProtectedUsers?repositoryId=${repositoryId}`)
  expect(results.length).toBe(2)
  expect(idsOf(await listOf(`/ProtectedUsers?restorePointId=${pointId}`))).toEqual(idsOf({ results }))
  expect((await listOf(`/ProtectedUsers?organizationId=${repositoryId}`)).results).toEqual([])
  const one = (await world.api().get(`/ProtectedUsers/${both.id}`)).json<Record<string, unknown>>()
  expect(one['mailboxes']).toMatchObject([{ id: directoryId(both), email: both.name, isArchive: false }])
  expect(one['oneDrives']).toMatchObject([{ id: directoryId(both) }])
})

it('shows a tenant what is held of it', async () => {
  const { account, appPassword } = world.tenant.admin
  const tenant = await world.as(account, appPassword)
  expect((await tenant.get(`${base()}/UserData`)).json<Listed>().results.length).toBe(2)
  expect((await tenant.get('/ProtectedUsers')).json<Listed>().results.length).toBe(2)
})

describe('restoring several at once', () => {
  const open = async (type: 'Vex' | 'Veod'): Promise<string> => {
    const answer = await world.api('v8').post(`/Organizations/${organizationId}/explore`, { type })
    return `/RestoreSessions/${answer.json<{ id: string }>().id}/Organization`
  }

  it('restores mailboxes: v7 waits for the end, v8 names the session', async () => {
    const path = `${await open('Vex')}/Mailboxes/restore`
    const body = { mailboxes: [both, mailOnly].map((person) => ({ id: directoryId(person) })) }
    const waited = await world.api('v7').post(path, body)
    expect([waited.status, waited.json()]).toEqual([200, { status: 'Success' }])
    const begun = await world.api('v8').post(path, body)
    expect(begun.status).toBe(200)
    const { sessionId } = begun.json<{ sessionId: string }>()
    expect((await world.api('v8').get(`/RestoreSessions/${sessionId}`)).status).toBe(200)
  })

  it('restores drives', async () => {
    const body = { oneDrives: [{ id: directoryId(both) }], documentAction: 'keep' }
    const answer = await world.api('v7').post(`${await open('Veod')}/OneDrives/restore`, body)
    expect([answer.status, answer.json()]).toEqual([200, { status: 'Success' }])
  })

  it('refuses to guess: no mailbox named, one that is not there, what is not built', async () => {
    const path = `${await open('Vex')}/Mailboxes/restore`
    const statusOf = async (body: object) => (await world.api('v8').post(path, body)).status
    const mailboxes = [{ id: directoryId(both) }]
    expect(await statusOf({})).toBe(400)
    expect(await statusOf({ mailboxes: [{ id: organizationId }] })).toBe(404)
    expect(await statusOf({ mailboxes, recentItemRestorePeriod: 3 })).toBe(501)
  })
})
