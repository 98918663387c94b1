import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import PostalMime from 'postal-mime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWorld, type VersionClient, type World } from '#world'
import { mailToCompare } from './living/as-restored.ts'
import { addJob, good, runJob } from './living/backup.ts'
import { driveItemsOf, portraitOfDrive, type FilePortrait } from './living/drive-portrait.ts'
import { portraitOfMailbox, type MessagePortrait } from './living/mailbox-portrait.ts'
import { openZip } from './living/open-zip.ts'
import { graphOf, type TenantGraph } from './living/tenant-graph.ts'

// What one person lost goes to another one, and out of the server as files.
const SOURCE = 3
const TARGET = 4

interface Row {
  readonly id: string
  readonly name: string
  readonly subject: string
}

let world: World
let graph: TenantGraph
let organizationId: string
let source: string
let target: { readonly id: string; readonly name: string }

beforeAll(async () => {
  world = await startWorld({ users: 5, mails: 30, files: 20 })
  graph = graphOf(world.tenant)
  const people = [...world.tenant.state.users()]
  source = people[SOURCE]!.id
  target = { id: people[TARGET]!.id, name: people[TARGET]!.userPrincipalName }
  organizationId = (await world.addOrganization('v4')).id
  const user = { id: source, displayName: 'x', name: people[SOURCE]!.userPrincipalName, type: 'User' }
  const selectedItems = [{ type: 'User', user, mailbox: true, oneDrive: true }]
  await runJob(world, await addJob(world, organizationId, { backupType: 'SelectedItems', selectedItems }))
}, 120_000)

afterAll(async () => {
  await graph?.[Symbol.asyncDispose]()
  await world?.[Symbol.asyncDispose]()
})

const opened = async (api: VersionClient, type: 'Vex' | 'Veod'): Promise<string> => {
  const { id } = await good<{ id: string }>(api.post(`/Organizations/${organizationId}/explore`, { type }))
  const what = type === 'Vex' ? 'Mailboxes' : 'OneDrives'
  return `/RestoreSessions/${id}/Organization/${what}/${source}`
}

const rowsOf = async (api: VersionClient, path: string): Promise<Row[]> =>
  (await good<{ results: Row[] }>(api.get(path))).results

const folderOf = async (api: VersionClient, base: string, name: string): Promise<string> =>
  (await rowsOf(api, `${base}/Folders?parentId=null`)).find((row) => row.name === name)!.id

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const below = <Portrait extends { readonly folder: string }>(mails: readonly Portrait[], folder: string) =>
  mails
    .filter((mail) => mail.folder === folder || mail.folder.startsWith(`${folder}/`))
    .map((mail) => ({ ...mail, folder: mail.folder.slice(folder.length) }))

/** Both were restored without being drafts, so all is equal but the place. */
const inbox = async (userId: string, folder: string): Promise<MessagePortrait[]> =>
  below(await portraitOfMailbox(graph, userId), folder)

describe('mail goes to another mailbox', () => {
  it('v6: a folder with all below it, into a folder that is made', async () => {
    const api = world.api('v6')
    const mailbox = await opened(api, 'Vex')
    const folder = await folderOf(api, mailbox, 'Inbox')
    const body = {
      mailbox: target.name,
      folder: 'From a colleague/2026',
      changedItems: true,
      deletedItems: true,
    }
    const was = await inbox(source, '/Inbox')
    const counts = await good(api.post(`${mailbox}/Folders/${folder}/restoreTo`, body))
    expect(counts).toMatchObject({ createdItemsCount: was.length, failedItemsCount: 0 })
    const { expected, found } = mailToCompare(was, await inbox(target.id, '/From%20a%20colleague/2026/Inbox'))
    expect(found).toEqual(expected)
  })

  it('v8: in the background, and twice makes nothing twice', async () => {
    const api = world.api('v8')
    const mailbox = await opened(api, 'Vex')
    const folder = await folderOf(api, mailbox, 'Inbox')
    const body = {
      mailbox: target.name,
      folder: 'From a colleague/2026',
      changedItems: true,
      deletedItems: true,
    }
    const was = await inbox(source, '/Inbox')
    const { sessionId } = await good<{ sessionId: string }>(
      api.post(`${mailbox}/Folders/${folder}/restoreTo`, body),
    )
    await ended(api, sessionId)
    expect(await good(api.get(`/RestoreSessions/${sessionId}/Statistics`))).toMatchObject({
      totalItemsCount: was.length,
      restoredItemsCount: 0,
      skippedItemsCount: was.length,
      failedItemsCount: 0,
    })
  })

  it('v7: single messages, marked as unread', async () => {
    const api = world.api('v7')
    const mailbox = await opened(api, 'Vex')
    const folder = await folderOf(api, mailbox, 'Archive')
    const items = (await rowsOf(api, `${mailbox}/Items?parentId=${folder}`)).slice(0, 2)
    const body = {
      items: items.map(({ id }) => ({ id })),
      mailbox: target.name,
      folder: 'Unread',
      markRestoredAsUnread: true,
      changedItems: true,
      deletedItems: true,
    }
    expect(await good(api.post(`${mailbox}/Items/restoreTo`, body))).toMatchObject({ createdItemsCount: 2 })
    const restored = await inbox(target.id, '/Unread')
    expect(restored.map(({ properties }) => properties['isRead'])).toEqual([false, false])
    expect(restored.map(({ properties }) => properties['subject']).sort()).toEqual(
      items.map(({ subject }) => subject).sort(),
    )
  })
})

const ended = async (api: VersionClient, sessionId: string): Promise<void> => {
  for (let wait = 0; wait < 500; wait += 1) {
    const { state } = await good<{ state: string }>(api.get(`/RestoreSessions/${sessionId}`))
    if (state === 'Stopped') return
    await delay(30)
  }
  throw new Error('the restore does not end')
}

describe('files go to another OneDrive', () => {
  it('v7: a folder with all below it, into a folder that is made', async () => {
    const api = world.api('v7')
    const drive = await opened(api, 'Veod')
    const folder = await folderOf(api, drive, 'Documents')
    const body = {
      onedrive: { id: target.id },
      folder: 'Taken over/From a colleague',
      changedItems: true,
      deletedItems: true,
      documentVersion: 'Last',
      documentLastVersionAction: 'Overwrite',
    }
    const counts = await good<{ restoredItemsCount: number }>(
      api.post(`${drive}/Folders/${folder}/copyTo`, body),
    )
    expect(counts).toMatchObject({ failedItemsCount: 0 })
    const was = filesBelow(await portraitOfDrive(graph, source), '/Documents')
    expect(counts.restoredItemsCount).toBe(was.length)
    const is = filesBelow(await portraitOfDrive(graph, target.id), '/Taken over/From a colleague/Documents')
    expect(is).toEqual(was)
  })
})

/** Permissions stay behind unless they are asked for. */
const filesBelow = (files: readonly FilePortrait[], folder: string): FilePortrait[] =>
  files
    .filter(({ path }) => path === folder || path.startsWith(`${folder}/`))
    .map((file) => ({ ...file, path: file.path.slice(folder.length), permissions: [] }))

describe('a message leaves as EML', () => {
  it('with its subject, people, dates and the bytes of its attachments', async () => {
    const api = world.api('v7')
    const mailbox = await opened(api, 'Vex')
    const messages = await graph.all(
      `/users/${source}/messages?$top=200&$filter=hasAttachments eq true&$select=id,subject,sentDateTime,from,toRecipients`,
    )
    expect(messages.length).toBeGreaterThan(0)
    for (const message of messages.slice(0, 4)) {
      const answer = await api.post(`${mailbox}/Items/${String(message['id'])}/save`, {})
      expect(answer.status).toBe(200)
      expect(answer.headers['content-disposition']).toMatch(/\.eml/)
      const eml = await PostalMime.parse(answer.bytes)
      expect(eml.subject ?? '').toBe(message['subject'])
      expect(new Date(eml.date ?? 0)).toEqual(new Date(String(message['sentDateTime'])))
      const contained = eml.attachments.map(({ content }) => hash(Buffer.from(content as ArrayBuffer)))
      const base = `/users/${source}/messages/${String(message['id'])}/attachments`
      for (const { id, '@odata.type': type } of await graph.all(base)) {
        const bytes = await graph.bytes(`${base}/${String(id)}/$value`)
        // An attached message stands in the EML as it is.
        if (type === '#microsoft.graph.itemAttachment') expect(answer.bytes.includes(bytes)).toBe(true)
        else expect(contained).toContain(hash(bytes))
      }
    }
  })

  it('among several in a ZIP, by folder', async () => {
    const api = world.api('v7')
    const mailbox = await opened(api, 'Vex')
    const folder = await folderOf(api, mailbox, 'Sent Items')
    const items = await rowsOf(api, `${mailbox}/Items?parentId=${folder}`)
    expect(items.length).toBeGreaterThan(1)
    const answer = await api.post(`${mailbox}/Items/Save`, { items: items.map(({ id }) => ({ id })) })
    expect(answer.headers['content-disposition']).toMatch(/\.zip/)
    const files = await openZip(answer.bytes)
    expect(files).toHaveLength(items.length)
    const subjects: string[] = []
    for (const { path, bytes } of files) {
      expect(path).toMatch(/^Sent Items\/\d{4}-\d\d-\d\d .*\.eml$/)
      subjects.push((await PostalMime.parse(bytes)).subject ?? '')
    }
    expect(subjects.sort()).toEqual(items.map(({ subject }) => subject).sort())
  })
})

describe('files leave', () => {
  it('one as it is', async () => {
    const api = world.api('v7')
    const drive = await opened(api, 'Veod')
    const file = (await driveItemsOf(graph, source)).find(
      (item) => item.file !== undefined && item.malware === undefined,
    )!
    const answer = await api.post(`${drive}/Documents/${file.id}/save`, {})
    expect(hash(answer.bytes)).toBe(
      hash(await graph.bytes(`/users/${source}/drive/items/${file.id}/content`)),
    )
  })

  it('a folder as a ZIP with paths, bytes and dates', async () => {
    const api = world.api('v7')
    const drive = await opened(api, 'Veod')
    const folder = await folderOf(api, drive, 'Projects')
    const answer = await api.post(`${drive}/Folders/${folder}/save`, {})
    const zipped = new Map((await openZip(answer.bytes)).map((file) => [`/${file.path}`, file]))
    const was = (await portraitOfDrive(graph, source)).filter(
      ({ path, kind }) => path.startsWith('/Projects/') && kind === 'file',
    )
    expect([...zipped.keys()].sort()).toEqual(was.map(({ path }) => path).sort())
    for (const { path, sha256, fileSystemInfo } of was) {
      const { lastModifiedDateTime } = fileSystemInfo as { lastModifiedDateTime: string }
      expect(hash(zipped.get(path)!.bytes)).toBe(sha256)
      expect(zipped.get(path)!.modifiedAt).toEqual(new Date(lastModifiedDateTime))
    }
  })
})
