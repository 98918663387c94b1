import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWorld, type World } from '#world'
import { addJob, explore, good, runJob, type FileCounts } from './living/backup.ts'
import { driveItemsOf, type LiveDriveItem } from './living/drive-portrait.ts'
import { graphOf, type Json, type TenantGraph } from './living/tenant-graph.ts'

interface Version extends Json {
  readonly id: string
  readonly size: number
  readonly lastModifiedDateTime: string
}

interface ListedVersion {
  readonly versionId: number
  readonly version: string
  readonly sizeBytes: number
  readonly modificationTime: string
  readonly _links: { readonly self: { readonly href: string } }
}

let world: World
let graph: TenantGraph
let userId: string
let organizationId: string
let jobId: string
/** Has a version for each of the texts. */
let edited: LiveDriveItem
let texts: readonly string[]

beforeAll(async () => {
  world = await startWorld({ users: 2, mails: 1, files: 8 })
  graph = graphOf(world.tenant)
  const user = [...world.tenant.state.users()][1]!
  userId = user.id
  organizationId = (await world.addOrganization('v4')).id
  const selected = { id: userId, displayName: user.displayName, name: user.userPrincipalName, type: 'User' }
  const selectedItems = [{ type: 'User', user: selected, mailbox: false, oneDrive: true }]
  jobId = await addJob(world, organizationId, { backupType: 'SelectedItems', selectedItems })
  texts = ['one', 'two, longer', 'three, longer still']
  for (const text of texts)
    edited = await graph.ok(`/users/${userId}/drive/root:/Minutes.txt:/content`, {
      method: 'PUT',
      body: text,
    })
}, 120_000)

afterAll(async () => {
  await graph?.[Symbol.asyncDispose]()
  await world?.[Symbol.asyncDispose]()
})

const options = (): string => `/Organizations/${organizationId}/versionBackupOptions`

const liveTexts = async (itemId: string): Promise<string[]> => {
  const base = `/users/${userId}/drive/items/${itemId}`
  const versions = await graph.all<Version>(`${base}/versions`)
  const texts: string[] = []
  for (const [index, { id }] of versions.entries())
    texts.unshift(
      String(await graph.bytes(index === 0 ? `${base}/content` : `${base}/versions/${id}/content`)),
    )
  return texts
}

const findEdited = async (): Promise<LiveDriveItem | undefined> =>
  (await driveItemsOf(graph, userId)).find(({ path }) => path === '/Minutes.txt')

const loseEdited = async (): Promise<void> => {
  const there = await findEdited()
  await graph.post(`/users/${userId}/drive/items/${there!.id}/permanentDelete`)
}

/** v4's restore of the one file. */
const restore = async (session: string, more: Json = {}): Promise<FileCounts> =>
  good<FileCounts>(
    world.api('v4').post(`${session}/OneDrives/${userId}/Documents/${edited.id}/Action`, {
      restoreToOriginalLocation: {
        userName: world.tenant.admin.account,
        userPassword: world.tenant.admin.appPassword,
        ...more,
      },
    }),
  )

describe('older versions of files', () => {
  it('are not protected unless it is asked for, and a restore of all says so', async () => {
    await expect(good(world.api('v8').get(options()))).resolves.toEqual({ sharePointBackupMode: 'Latest' })
    await runJob(world, jobId)
    await loseEdited()
    const counts = await restore(await explore(world, organizationId, 'veod'), { documentVersion: 'All' })
    expect(counts).toMatchObject({ restoredItemsCount: 1, failedItemsCount: 0 })
    expect(counts.restoreIssues[0]!.message).toContain('older versions were not protected')
    expect(await liveTexts((await findEdited())!.id)).toEqual([texts.at(-1)])
  }, 120_000)

  it('come back from the oldest to the newest once they were protected', async () => {
    await loseEdited()
    for (const text of texts)
      edited = await graph.ok(`/users/${userId}/drive/root:/Minutes.txt:/content`, {
        method: 'PUT',
        body: text,
      })
    await good(world.api('v8').put(options(), { sharePointBackupMode: 'All' }))
    await expect(good(world.api('v8').get(options()))).resolves.toEqual({ sharePointBackupMode: 'All' })
    await runJob(world, jobId)
    await loseEdited()
    const counts = await restore(await explore(world, organizationId, 'veod'), { documentVersion: 'All' })
    expect(counts).toMatchObject({ restoredItemsCount: 1, failedItemsCount: 0, restoreIssues: [] })
    expect(await liveTexts((await findEdited())!.id)).toEqual(texts)
  }, 120_000)

  it('stay away when only the last one is wanted', async () => {
    await loseEdited()
    await restore(await explore(world, organizationId, 'veod'), { documentVersion: 'Last' })
    expect(await liveTexts((await findEdited())!.id)).toEqual([texts.at(-1)])
  }, 120_000)

  it('are listed, saved and restored one by one', async () => {
    const api = world.api('v7')
    const session = await explore(world, organizationId, 'veod')
    const path = `${session}/OneDrives/${userId}/Documents/${edited.id}/Versions`
    const { results } = await good<{ results: ListedVersion[] }>(api.get(path))
    expect(results.map(({ version, versionId }) => [version, versionId])).toEqual([
      ['3.0', 1536],
      ['2.0', 1024],
      ['1.0', 512],
    ])
    expect(results.map(({ sizeBytes }) => sizeBytes)).toEqual(texts.toReversed().map(({ length }) => length))
    await expect(good(api.get(`${path}/1024`))).resolves.toMatchObject({ version: '2.0', sizeBytes: 11 })
    expect((await api.get(`${path}/9999`)).status).toBe(404)
    const saved = await api.post(`${path}/1024/save`, {})
    expect(saved.text).toBe(texts[1])
    const counts = await good<FileCounts>(api.post(`${path}/512/restore`, {}))
    expect(counts).toMatchObject({ restoredItemsCount: 1, failedItemsCount: 0 })
    expect((await liveTexts((await findEdited())!.id)).at(-1)).toBe(texts[0])
  }, 120_000)
})
