import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWorld, type World } from '#world'
import { addJob, explore, good, runJob, type Session } from './living/backup.ts'
import {
  driveItemsOf,
  portraitOfDrive,
  type FilePortrait,
  type LiveDriveItem,
} from './living/drive-portrait.ts'
import { foldersOf, messagesIn, portraitOfMailbox, type MessagePortrait } from './living/mailbox-portrait.ts'
import { graphOf, type TenantGraph } from './living/tenant-graph.ts'

// A day in the tenant between two runs. The last person has no corpus, so that the numbers are small.
const PERSON = 3

let world: World
let graph: TenantGraph
let userId: string
let colleagueId: string
let organizationId: string
let jobId: string
let between: Date
let second: Session
let mailWas: readonly MessagePortrait[]
let filesWere: readonly FilePortrait[]
let mailNow: readonly MessagePortrait[]
let filesNow: readonly FilePortrait[]

beforeAll(async () => {
  world = await startWorld({ users: 4, mails: 30, files: 20 })
  graph = graphOf(world.tenant)
  const people = [...world.tenant.state.users()]
  userId = people[PERSON]!.id
  colleagueId = people[0]!.id
  organizationId = (await world.addOrganization('v4')).id
  const { id, displayName } = people[PERSON]!
  const user = { id, displayName, name: people[PERSON]!.userPrincipalName, type: 'User' }
  const selectedItems = [{ type: 'User', user, mailbox: true, oneDrive: true }]
  jobId = await addJob(world, organizationId, { backupType: 'SelectedItems', selectedItems })
  await runJob(world, jobId)
  mailWas = await portraitOfMailbox(graph, userId)
  filesWere = await portraitOfDrive(graph, userId)
  between = new Date()
  await workADay()
  world.tenant.counters.reset()
  second = await runJob(world, jobId)
  readAfterwards = world.tenant.counters.recent().map(({ method, path }) => `${method} ${decodeURI(path)}`)
  mailNow = await portraitOfMailbox(graph, userId)
  filesNow = await portraitOfDrive(graph, userId)
}, 120_000)

afterAll(async () => {
  await graph?.[Symbol.asyncDispose]()
  await world?.[Symbol.asyncDispose]()
})

let readAfterwards: readonly string[] = []

const workADay = async (): Promise<void> => {
  await workOnMail()
  await workOnFiles()
}

const workOnMail = async (): Promise<void> => {
  const base = `/users/${userId}`
  const folders = await foldersOf(graph, userId)
  const idOf = (path: string): string => folders.find((folder) => folder.path === path)!.id
  const inbox = idOf('/Inbox')
  const messages = await messagesIn(graph, userId, inbox)
  const [moved, deleted, flagged, categorized] = messages
  await graph.post(`${base}/mailFolders/${inbox}/messages`, {
    subject: 'New since the first run',
    body: { contentType: 'html', content: '<p>Fresh</p>' },
    toRecipients: [{ emailAddress: { name: 'Meg', address: 'meg@example.com' } }],
    singleValueExtendedProperties: [{ id: 'Integer 0x0E07', value: '1' }],
  })
  await graph.post(`${base}/messages/${moved!.id}/move`, { destinationId: idOf('/Archive') })
  await graph.post(`${base}/messages/${deleted!.id}/permanentDelete`)
  await graph.patch(`${base}/messages/${flagged!.id}`, { isRead: false, flag: { flagStatus: 'flagged' } })
  await graph.patch(`${base}/messages/${categorized!.id}`, {
    categories: ['Blue category'],
    importance: 'high',
  })
  await graph.patch(`${base}/mailFolders/${idOf('/Inbox/Projects')}`, { displayName: 'Projects of 2026' })
}

const workOnFiles = async (): Promise<void> => {
  const base = `/users/${userId}/drive`
  const items = await driveItemsOf(graph, userId)
  const files = items.filter(({ file, shared }) => file !== undefined && shared === undefined)
  const [edited, moved, deleted, shared] = files as [
    LiveDriveItem,
    LiveDriveItem,
    LiveDriveItem,
    LiveDriveItem,
  ]
  const desktop = items.find(({ path }) => path === '/Desktop')!
  const renamed = items.find(({ path }) => path === '/Documents/Finance')!
  const put = (path: string, body: string) =>
    graph.ok<{ id: string }>(path, { method: 'PUT', body, headers: { 'content-type': 'text/plain' } })
  await put(`${base}/items/${desktop.id}:/new.txt:/content`, 'new since the first run\n')
  await put(`${base}/items/${edited.id}/content`, 'a new version\n')
  await graph.patch(`${base}/items/${moved.id}`, {
    parentReference: { id: desktop.id },
    name: `moved ${moved.name}`,
  })
  await graph.post(`${base}/items/${deleted.id}/permanentDelete`)
  await graph.patch(`${base}/items/${renamed.id}`, { name: 'Money' })
  await graph.post(`${base}/items/${shared.id}/invite`, {
    recipients: [{ objectId: colleagueId }],
    roles: ['write'],
    requireSignIn: true,
    sendInvitation: false,
  })
}

describe('the second run', () => {
  it('succeeds', () => {
    expect(second.status).toBe('Success')
  })

  it('fetches the two files that are new, and no other', () => {
    expect(readAfterwards.filter((line) => /download\.aspx|\/content/.test(line))).toHaveLength(2)
  })

  it('asks each folder once for what changed, and for no message alone', () => {
    const listed = readAfterwards.filter((line) => line.includes('/messages'))
    expect(listed.every((line) => line.includes('/messages/delta?'))).toBe(true)
    const folders = listed.map((line) => /mailFolders\/([^/]+)/.exec(line)?.[1])
    expect(new Set(folders).size).toBe(folders.length)
  })

  it('asks for the permissions of the one thing that was shared', () => {
    expect(readAfterwards.filter((line) => line.includes('/permissions'))).toHaveLength(1)
  })

  it('keeps the newest state as a restore point of its own', async () => {
    const names = await inboxAt()
    expect(names).toContain('New since the first run')
    const files = await filesAt('/Desktop')
    expect(files).toContain('new.txt')
  })
})

interface Row {
  readonly id: string
  readonly name: string
  readonly subject: string
}

const mailboxAt = async (at?: Date): Promise<string> => {
  const more = at === undefined ? {} : { dateTime: at.toISOString() }
  return `${await explore(world, organizationId, 'vex', more)}/Mailboxes/${userId}`
}
const driveAt = async (at?: Date): Promise<string> => {
  const more = at === undefined ? {} : { dateTime: at.toISOString() }
  return `${await explore(world, organizationId, 'veod', more)}/OneDrives/${userId}`
}

const rows = async (path: string): Promise<Row[]> =>
  (await good<{ results: Row[] }>(world.api('v4').get(`${path}${path.includes('?') ? '&' : '?'}limit=500`)))
    .results

const mailFolderAt = async (mailbox: string, ...names: string[]): Promise<Row[]> => {
  let parentId = 'null'
  for (const name of names) {
    const folders = await rows(`${mailbox}/Folders?parentId=${parentId}`)
    parentId = folders.find((folder) => folder.name === name)!.id
  }
  return rows(`${mailbox}/Folders?parentId=${parentId}`)
}

const inboxAt = async (at?: Date): Promise<string[]> => {
  const mailbox = await mailboxAt(at)
  const inbox = (await rows(`${mailbox}/Folders?parentId=null`)).find(({ name }) => name === 'Inbox')!
  return (await rows(`${mailbox}/Items?parentId=${inbox.id}`)).map(({ subject }) => subject)
}

const filesAt = async (path: string, at?: Date): Promise<string[]> => {
  const drive = await driveAt(at)
  let parentId = 'null'
  for (const part of path.split('/').filter(Boolean)) {
    const folders = await rows(`${drive}/Folders?parentId=${parentId}`)
    parentId = folders.find(({ name }) => name === part)!.id
  }
  return (await rows(`${drive}/Documents?parentId=${parentId}`)).map(({ name }) => name)
}

describe('the earlier restore point', () => {
  it('still shows the earlier names of folders', async () => {
    const earlier = await mailFolderAt(await mailboxAt(between), 'Inbox')
    expect(earlier.map(({ name }) => name)).toContain('Projects')
    const later = await mailFolderAt(await mailboxAt(), 'Inbox')
    expect(later.map(({ name }) => name)).toContain('Projects of 2026')
  })

  it('shows neither the new message nor the new file', async () => {
    expect(await inboxAt(between)).not.toContain('New since the first run')
    expect(await filesAt('/Desktop', between)).not.toContain('new.txt')
  })

  it('gives back the mailbox as it was, and leaves what is new alone', async () => {
    const path = await mailboxAt(between)
    await good(world.api('v4').post(`${path}/Action`, { restoreToOriginalLocation: null }))
    const restored = await portraitOfMailbox(graph, userId)
    const isNew = (mail: MessagePortrait): boolean => mail.properties['subject'] === 'New since the first run'
    // The folder that was renamed since keeps its new name: its messages are in their folder.
    const asBefore = (mail: MessagePortrait): MessagePortrait => ({
      ...mail,
      folder: mail.folder.replace('Projects%20of%202026', 'Projects'),
    })
    expect(restored.filter((mail) => !isNew(mail)).map(asBefore)).toEqual(mailWas)
    expect(restored.filter(isNew)).toHaveLength(1)
  }, 30_000)

  it('gives back the files as they were, and leaves what is new or moved alone', async () => {
    const path = await driveAt(between)
    const how = { documentVersion: 'last', documentAction: 'overwrite' }
    await good(world.api('v4').post(`${path}/Action`, { restoreToOriginalLocation: how }))
    const restored = new Map((await portraitOfDrive(graph, userId)).map((item) => [item.path, item]))
    for (const was of filesWere)
      expect(restored.get(was.path)).toMatchObject({ ...was, permissions: expect.anything() })
    expect(restored.get('/Desktop/new.txt')).toBeDefined()
  }, 30_000)
})

describe('the later restore point', () => {
  it('gives back the day after the earlier one was restored', async () => {
    const mailbox = await mailboxAt()
    await good(world.api('v4').post(`${mailbox}/Action`, { restoreToOriginalLocation: null }))
    const restored = await portraitOfMailbox(graph, userId)
    const keys = new Set(restored.map((mail) => JSON.stringify(mail)))
    for (const mail of mailNow) expect(keys).toContain(JSON.stringify(mail))
    expect(filesNow.length).toBeGreaterThan(0)
  }, 30_000)
})
