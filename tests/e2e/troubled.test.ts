import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWorld, type World } from '#world'
import { addJob, explore, good, logOf, runJob, type Session } from './living/backup.ts'
import { foldersOf, messagesIn } from './living/mailbox-portrait.ts'
import { graphOf, type TenantGraph } from './living/tenant-graph.ts'

// A tenant as it really is: shared mailboxes, rooms and guests, people without licence, a locked drive, messages that
// cannot be read. Who is who: src/practice-tenant/seed/people.ts.
const DAVID = 3
const UNLICENSED = 6

let world: World
let graph: TenantGraph
let organizationId: string
let jobId: string
let first: Session
let log: readonly string[]
let unreadable: { readonly id: string; readonly subject: string }

const personAt = (index: number) => [...world.tenant.state.users()][index]!

beforeAll(async () => {
  world = await startWorld({ users: 11, mails: 10, files: 6, tenant: { sentinels: ['corrupt-item'] } })
  graph = graphOf(world.tenant)
  unreadable = await spoilMessage(personAt(DAVID).id)
  organizationId = (await world.addOrganization('v4')).id
  jobId = await addJob(world, organizationId)
  first = await runJob(world, jobId)
  log = await logOf(world, first.id)
}, 120_000)

afterAll(async () => {
  await graph?.[Symbol.asyncDispose]()
  await world?.[Symbol.asyncDispose]()
})

/** From now on the service refuses the attachments of one message. */
const spoilMessage = async (userId: string): Promise<{ id: string; subject: string }> => {
  const inbox = (await foldersOf(graph, userId)).find(({ path }) => path === '/Inbox')!
  const [message] = await messagesIn(graph, userId, inbox.id)
  const { id } = message!
  await graph.post(`/users/${userId}/messages/${id}/attachments`, {
    '@odata.type': '#microsoft.graph.fileAttachment',
    name: 'plan.txt',
    contentBytes: Buffer.from('the plan').toString('base64'),
  })
  const path = `/v1.0/users/${userId}/messages/${encodeURIComponent(id)}/attachments*`
  world.tenant.faults.addRule({ path, status: 500, code: 'ErrorCorruptData', times: 0 })
  return { id, subject: String(message!['subject']) }
}

const linesAbout = (what: string): string[] => log.filter((line) => line.startsWith(what))

describe('a run', () => {
  it('ends as a warning, not as a failure', () => {
    expect(first.status).toBe('Warning')
    expect(log.at(-1)).toMatch(/ 0 failed$/)
  })

  it('says which drives were skipped, and why', () => {
    expect(linesAbout('OneDrive of hiroshi')).toEqual([expect.stringMatching(/skipped: it is locked/)])
    expect(linesAbout('OneDrive of katarina')).toEqual([
      expect.stringMatching(/skipped: there is no OneDrive/),
    ])
  })

  it('protects the mailboxes of those people all the same, and those of rooms and shared ones', () => {
    for (const name of ['hiroshi', 'katarina', 'room9', 'shared5'])
      expect(linesAbout(`Mailbox of ${name}`)).toEqual([expect.stringMatching(/: 1\d items$/)])
  })

  it('does not bother about guests, and says nothing twice', () => {
    expect(log.join('\n')).not.toContain('#EXT#')
    expect(new Set(log).size).toBe(log.length)
  })

  it('names the message that cannot be read and protects all others of the mailbox', () => {
    expect(linesAbout('Mailbox of corrupt-item')).toEqual([
      expect.stringMatching(/: 12 items, 1 not read: .*ErrorCorruptData/),
    ])
    const david = linesAbout('Mailbox of david')
    expect(david).toEqual([expect.stringContaining('1 not read')])
    expect(david[0]).toContain(unreadable.subject)
  })

  it('says of somebody chosen by name without licence that there is nothing to protect', async () => {
    const { id, displayName, userPrincipalName } = personAt(UNLICENSED)
    const user = { id, displayName, name: userPrincipalName, type: 'User' }
    const selectedItems = [{ type: 'User', user, mailbox: true, oneDrive: true }]
    const other = await addJob(world, organizationId, {
      name: 'One',
      backupType: 'SelectedItems',
      selectedItems,
    })
    const session = await runJob(world, other)
    const lines = (await logOf(world, session.id)).filter((line) => line.includes(userPrincipalName))
    expect(lines).toHaveLength(2)
    expect(lines[0]).toMatch(/^Mailbox .* skipped: /)
    expect(lines[1]).toMatch(/^OneDrive .* skipped: /)
    expect(session.status).toBe('Success')
  })
})

describe('the next run', () => {
  it('tries again what could not be read, and nothing else', async () => {
    world.tenant.faults.clear()
    world.tenant.counters.reset()
    const second = await runJob(world, jobId)
    const paths = world.tenant.counters.recent().map(({ path }) => decodeURIComponent(path))
    const asked = paths.filter((path) => /\/messages\/(?!delta)/.test(path))
    const sentinel = world.tenant.state.user(`corrupt-item@${world.tenant.domain}`)
    const ofSentinel = asked.filter((path) => path.includes(sentinel.id))
    expect(ofSentinel.length).toBeGreaterThan(0)
    const others = asked.filter((path) => !path.includes(sentinel.id))
    expect(others.length).toBeGreaterThan(0)
    expect(others.every((path) => path.includes(unreadable.id))).toBe(true)
    log = await logOf(world, second.id)
    expect(linesAbout('Mailbox of david')).toEqual([expect.stringMatching(/: 13 items$/)])
    expect(linesAbout('Mailbox of corrupt-item')).toEqual([expect.stringContaining('1 not read')])
  })

  it('has the message that can be read again, with its attachment', async () => {
    const path = `${await explore(world, organizationId, 'vex')}/Mailboxes/${personAt(DAVID).id}/Items/${unreadable.id}`
    const answer = await world.api('v4').post(`${path}/Action`, { save: null })
    expect(answer.status).toBe(200)
    expect(answer.text).toContain(Buffer.from('the plan').toString('base64'))
    await good(world.api('v4').get(path))
  })
})
