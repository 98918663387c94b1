import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { writeRecoveryKit } from '#server'
import { startWorld, type World } from '#world'
import { explore, good, runJob, addJob, type MailCounts } from './living/backup.ts'
import { mailToCompare } from './living/as-restored.ts'
import { foldersOf, messagesIn, portraitOfMailbox } from './living/mailbox-portrait.ts'
import { graphOf, type TenantGraph } from './living/tenant-graph.ts'

// A server is lost with all that it knew. What is left is the folder with the backups, and the recovery kit.
const PERSON = 3

interface Row {
  readonly id: string
}
interface KitEntry {
  readonly repository: string
  readonly organization: string
  readonly passwordFile: string
}

let world: World
let graph: TenantGraph
let outside: string
let user: { readonly id: string; readonly name: string; readonly displayName: string; readonly type: 'User' }
let organizationId: string
let repositoryId: string

const jobFor = (name: string): Promise<string> =>
  addJob(world, organizationId, {
    name,
    repositoryId,
    backupType: 'SelectedItems',
    selectedItems: [{ type: 'User', user, mailbox: true, oneDrive: true }],
  })

beforeAll(async () => {
  outside = mkdtempSync(join(tmpdir(), 'holdfast-outside-'))
  world = await startWorld({ users: 4, mails: 8, files: 4 })
  graph = graphOf(world.tenant)
  const { id, displayName, userPrincipalName: name } = [...world.tenant.state.users()][PERSON]!
  user = { id, displayName, name, type: 'User' }
  organizationId = (await world.addOrganization('v4')).id
  const repository = { name: 'Kept', path: join(outside, 'backups'), retentionType: 'ItemLevel' }
  repositoryId = (await good<Row>(world.api('v8').post('/BackupRepositories', repository))).id
  expect((await runJob(world, await jobFor('First'))).status).toBe('Success')
  await writeRecoveryKit({ dataFolder: join(world.folder, 'data') }, join(outside, 'kit'))
  await world.loseServer()
}, 120_000)

afterAll(async () => {
  await graph?.[Symbol.asyncDispose]()
  await world?.[Symbol.asyncDispose]()
  rmSync(outside, { recursive: true, force: true })
})

const kitPasswords = (): { organization: string; password: string }[] => {
  const kit = join(outside, 'kit')
  const entries = JSON.parse(readFileSync(join(kit, 'repositories.json'), 'utf8')) as KitEntry[]
  return entries
    .filter(({ repository }) => repository === 'Kept')
    .map(({ organization, passwordFile }) => ({
      organization,
      password: readFileSync(join(kit, passwordFile), 'utf8').trim(),
    }))
}

it('a new server knows nothing of the folder, and a wrong password does not open it', async () => {
  const path = join(outside, 'backups')
  const [entry] = kitPasswords()
  const wrong = await world.api('v6').post('/Holdfast/BackupRepositories/Attach', {
    path,
    passwords: [{ organization: entry!.organization, password: 'not this one' }],
  })
  expect([wrong.status, wrong.text]).toEqual([400, expect.stringContaining('does not open')])
  const plain = await world.api('v8').post('/BackupRepositories', { name: 'x', path })
  expect([plain.status, plain.text]).toEqual([409, expect.stringContaining('attach it')])
})

it('with the recovery kit the folder is attached, with its restore points, before the organization is added', async () => {
  const body = { path: join(outside, 'backups'), passwords: kitPasswords() }
  const attached = await world.api('v8').post('/Holdfast/BackupRepositories/Attach', body)
  expect([attached.status, attached.json()]).toMatchObject([
    201,
    { id: repositoryId, name: 'Kept', organizations: [{ organizationId, isAttached: true }] },
  ])
  const held = await good<{ results: Row[] }>(
    world.api('v8').get(`/BackupRepositories/${repositoryId}/backedUpOrganizations`),
  )
  expect(held.results.map(({ id }) => id)).toEqual([organizationId])
})

it('the organization is the same one when it is added, and everything comes back into its tenant', async () => {
  expect((await world.addOrganization('v4')).id).toBe(organizationId)
  const mailWas = await portraitOfMailbox(graph, user.id)
  for (const folder of await foldersOf(graph, user.id))
    for (const { id } of await messagesIn(graph, user.id, folder.id))
      await graph.post(`/users/${user.id}/messages/${id}/permanentDelete`)
  const path = await explore(world, organizationId, 'vex')
  const mailboxes = await good<{ results: Row[] }>(world.api('v4').get(`${path}/Mailboxes`))
  expect(mailboxes.results.map(({ id }) => id)).toContain(user.id)
  const items = await good<{ results: Row[] }>(
    world.api('v4').get(`${path}/Mailboxes/${user.id}/items?limit=5`),
  )
  const saved = await world
    .api('v4')
    .post(`${path}/Mailboxes/${user.id}/items/${items.results[0]!.id}/Action`, { save: null })
  expect(saved.status, saved.text.slice(0, 200)).toBe(200)
  const counts = await good<MailCounts>(
    world.api('v4').post(`${path}/Mailboxes/${user.id}/Action`, { restoreToOriginalLocation: null }),
  )
  expect(counts).toMatchObject({ createdItemsCount: mailWas.length, failedItemsCount: 0 })
  const { expected, found } = mailToCompare(mailWas, await portraitOfMailbox(graph, user.id))
  expect(found).toEqual(expected)
}, 120_000)

it('a job of the new server goes on where the old one stopped', async () => {
  const jobId = await jobFor('Second')
  world.tenant.counters.reset()
  const run = await runJob(world, jobId)
  const asked = world.tenant.counters.recent().map(({ path }) => decodeURI(path))
  expect(run.status).toBe('Success')
  // The mails came back as new ones. The files were never touched: none is read a second time.
  expect(asked.filter((path) => path.includes('/content'))).toEqual([])
  expect(asked.length).toBeGreaterThan(0)
}, 120_000)
