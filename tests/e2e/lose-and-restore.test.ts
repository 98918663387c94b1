import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWorld, type World } from '#world'
import { driveAsRestored, mailToCompare } from './living/as-restored.ts'
import {
  addJob,
  explore,
  good,
  runJob,
  type FileCounts,
  type MailCounts,
  type Session,
} from './living/backup.ts'
import {
  driveItemsOf,
  portraitOfDrive,
  type FilePortrait,
  type LiveDriveItem,
} from './living/drive-portrait.ts'
import { forEachAtOnce } from './living/each.ts'
import {
  foldersOf,
  messagesIn,
  portraitOfMailbox,
  type LiveMessage,
  type MessagePortrait,
} from './living/mailbox-portrait.ts'
import { graphOf, type TenantGraph } from './living/tenant-graph.ts'

// The demo's story with every message and every document of the corpus: user 0 holds them all. One test goes on where the
// one before it stopped.
const FILES = 70

let world: World
let graph: TenantGraph
let userId: string
let organizationId: string
let full: Session
let mailWas: readonly MessagePortrait[]
let filesWere: readonly FilePortrait[]

beforeAll(async () => {
  world = await startWorld({ users: 2, mails: 12, files: FILES })
  graph = graphOf(world.tenant)
  userId = [...world.tenant.state.users()][0]!.id
  mailWas = await portraitOfMailbox(graph, userId)
  filesWere = await portraitOfDrive(graph, userId)
  organizationId = (await world.addOrganization('v4')).id
  full = await runJob(world, await addJob(world, organizationId))
}, 120_000)

afterAll(async () => {
  await graph?.[Symbol.asyncDispose]()
  await world?.[Symbol.asyncDispose]()
})

const restoreMailbox = async (): Promise<MailCounts> => {
  const path = await explore(world, organizationId, 'vex')
  return good(world.api('v4').post(`${path}/Mailboxes/${userId}/Action`, { restoreToOriginalLocation: null }))
}

const restoreDrive = async (): Promise<FileCounts> => {
  const path = await explore(world, organizationId, 'veod')
  const how = { restoreToOriginalLocation: { documentVersion: 'last', documentAction: 'overwrite' } }
  return good(world.api('v4').post(`${path}/OneDrives/${userId}/Action`, how))
}

const expectMailAsItWas = async (): Promise<void> => {
  const { expected, found } = mailToCompare(mailWas, await portraitOfMailbox(graph, userId))
  expect(found).toEqual(expected)
}

const expectFilesAsTheyWere = async (): Promise<void> => {
  expect(await portraitOfDrive(graph, userId)).toEqual(driveAsRestored(filesWere))
}

describe('the backup', () => {
  it('holds every message and every document of the corpus', () => {
    expect(mailWas.length).toBeGreaterThan(150)
    expect(filesWere.filter(({ sha256 }) => sha256 !== undefined).length).toBeGreaterThan(FILES)
    expect(full.details).toBeUndefined()
    expect(full.status).toBe('Warning')
  })
})

describe('a mailbox', () => {
  it('is set back where it was changed, and nothing else is touched', async () => {
    await changeMailbox()
    const counts = await restoreMailbox()
    expect(counts).toMatchObject({ createdItemsCount: 1, mergedItemsCount: 4, failedItemsCount: 0 })
    expect(counts.skippedItemsCount).toBe(mailWas.length - 5)
    expect(await portraitOfMailbox(graph, userId)).toEqual(mailWas)
  }, 120_000)

  it('comes back equal after all of it was deleted for good, folders too', async () => {
    await destroyMailbox()
    expect(await portraitOfMailbox(graph, userId)).toEqual([])
    const counts = await restoreMailbox()
    expect(counts).toMatchObject({
      createdItemsCount: mailWas.length,
      failedItemsCount: 0,
      skippedItemsCount: 0,
    })
    await expectMailAsItWas()
  }, 120_000)

  it('has no message twice when it is restored again', async () => {
    const counts = await restoreMailbox()
    expect(counts).toMatchObject({ createdItemsCount: 0, mergedItemsCount: 0, failedItemsCount: 0 })
    expect(counts.skippedItemsCount).toBe(mailWas.length)
    await expectMailAsItWas()
  }, 120_000)
})

const destroyMailbox = async (): Promise<void> => {
  const base = `/users/${userId}`
  const folders = await foldersOf(graph, userId)
  for (const folder of folders) {
    const messages = await messagesIn(graph, userId, folder.id)
    await forEachAtOnce(messages, ({ id }) => graph.post(`${base}/messages/${id}/permanentDelete`))
  }
  for (const { id } of folders.toReversed()) {
    const { status, bytes } = await graph.call(`${base}/mailFolders/${id}/permanentDelete`, {
      method: 'POST',
    })
    // The mailbox's own folders cannot be deleted.
    if (status >= 300) expect(bytes.toString()).toContain('ErrorDeleteDistinguishedFolder')
  }
}

type Five = [LiveMessage, LiveMessage, LiveMessage, LiveMessage, LiveMessage]

const changeMailbox = async (): Promise<void> => {
  const base = `/users/${userId}`
  const folders = await foldersOf(graph, userId)
  const collection = folders.find(({ path }) => path === '/Collections/rubymail')!
  const [read, categorized, flagged, important, deleted] = (await messagesIn(
    graph,
    userId,
    collection.id,
  )) as Five
  await graph.patch(`${base}/messages/${read.id}`, { isRead: read['isRead'] !== true })
  await graph.patch(`${base}/messages/${categorized.id}`, { categories: ['Blue category', 'Other'] })
  await graph.patch(`${base}/messages/${flagged.id}`, { flag: { flagStatus: 'flagged' } })
  await graph.patch(`${base}/messages/${important.id}`, { importance: 'high', isRead: false })
  await graph.post(`${base}/messages/${deleted.id}/move`, { destinationId: 'deleteditems' })
}

describe('a OneDrive', () => {
  it('is set back where files were overwritten, renamed or lost their permissions', async () => {
    const renamed = await changeDrive()
    const counts = await restoreDrive()
    expect(counts).toMatchObject({ failedItemsCount: 0, restoreIssues: [] })
    // What somebody named otherwise is theirs: it stays beside the one that came back.
    const stayed = (await driveItemsOf(graph, userId)).filter(({ id }) => id === renamed.id)
    expect(stayed.map(({ name }) => name)).toEqual([`renamed ${renamed.name}`])
    await graph.post(`/users/${userId}/drive/items/${renamed.id}/permanentDelete`)
    expect(await portraitOfDrive(graph, userId)).toEqual(filesWere)
  }, 120_000)

  it('comes back equal after all of it was deleted for good', async () => {
    const items = await driveItemsOf(graph, userId)
    for (const { id } of items.filter(({ path }) => path.lastIndexOf('/') === 0))
      await graph.post(`/users/${userId}/drive/items/${id}/permanentDelete`)
    expect(await driveItemsOf(graph, userId)).toEqual([])
    const counts = await restoreDrive()
    const expected = driveAsRestored(filesWere)
    expect(counts).toMatchObject({
      restoredItemsCount: expected.length,
      failedItemsCount: 0,
      restoreIssues: [],
    })
    await expectFilesAsTheyWere()
  }, 120_000)

  it('has no file twice when it is restored again', async () => {
    const counts = await restoreDrive()
    expect(counts).toMatchObject({ restoredItemsCount: 0, failedItemsCount: 0 })
    expect(counts.skippedItemsByNoChangesCount).toBe(driveAsRestored(filesWere).length)
    await expectFilesAsTheyWere()
  }, 120_000)
})

const changeDrive = async (): Promise<LiveDriveItem> => {
  const base = `/users/${userId}/drive/items`
  const files = (await driveItemsOf(graph, userId)).filter(({ file }) => file !== undefined)
  const plain = files.filter(({ shared }) => shared === undefined)
  const [overwritten, renamed] = plain as [LiveDriveItem, LiveDriveItem]
  const shared = files.find((item) => item['shared'] !== undefined)!
  await graph.ok(`${base}/${overwritten.id}/content`, {
    method: 'PUT',
    body: 'something else\n',
    headers: { 'content-type': 'text/plain' },
  })
  await graph.patch(`${base}/${renamed.id}`, { name: `renamed ${renamed.name}` })
  const permissions = await graph.all(`${base}/${shared.id}/permissions`)
  const own = permissions.filter(
    ({ roles, inheritedFrom }) => !(roles as string[]).includes('owner') && inheritedFrom === undefined,
  )
  for (const { id } of own)
    await graph.call(`${base}/${shared.id}/permissions/${String(id)}`, { method: 'DELETE' })
  return renamed
}
