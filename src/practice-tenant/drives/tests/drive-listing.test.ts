import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PracticeTenant } from '../../core/practice-tenant.ts'
import { corpusDocuments } from '../../seed/corpus.ts'
import { quickXorHash } from '../quick-xor-hash.ts'
import { ODD_NAMES } from '../seed-names.ts'
import { DriveClient, errorOf, MovingClock, startDrives, type Item } from './drive-world.ts'

describe('drives as they are seeded', () => {
  let tenant: PracticeTenant
  let alice: DriveClient

  beforeAll(async () => {
    tenant = await startDrives(new MovingClock(), { users: 10 })
    alice = DriveClient.of(tenant, 0)
  })
  afterAll(() => tenant[Symbol.asyncDispose]())

  it('hold every document of the corpus as it is, in the first three together', async () => {
    const hashes = new Set<string | undefined>()
    for (const index of [0, 1, 2]) {
      const { items } = await DriveClient.of(tenant, index).pages('/root/delta')
      for (const { file } of items) hashes.add(file?.hashes?.quickXorHash)
    }
    const missing = corpusDocuments().filter(({ bytes }) => !hashes.has(quickXorHash(bytes)))
    expect(missing.map(({ name }) => name)).toEqual([])
  })

  it('give each file the bytes that its size and hash promise', async () => {
    const { items } = await alice.pages('/root/delta?$top=50')
    const files = items.filter(({ file, malware }) => file?.hashes !== undefined && malware === undefined)
    expect(files.length).toBeGreaterThan(40)
    for (const file of files) {
      const { bytes } = await alice.plain('GET', file['@microsoft.graph.downloadUrl']!)
      expect([bytes.length, quickXorHash(bytes)]).toEqual([file.size, file.file?.hashes?.quickXorHash])
    }
  })

  it('are the same in every tenant of one seed', async () => {
    await using other = await startDrives(new MovingClock(), { users: 10 })
    const listing = async (client: DriveClient) =>
      (await client.pages('/root/delta?$select=id,name,size,eTag,file,fileSystemInfo,parentReference')).items
    expect(await listing(DriveClient.of(other, 4))).toEqual(await listing(DriveClient.of(tenant, 4)))
  })

  it('differ from each other', async () => {
    const hashes = async (index: number) =>
      (await DriveClient.of(tenant, index).pages('/root/delta')).items.map(
        ({ file }) => file?.hashes?.quickXorHash,
      )
    const fourth = new Set(await hashes(3))
    expect((await hashes(4)).filter((hash) => hash !== undefined && fourth.has(hash))).toEqual([])
  })

  it('have the names that break what does not quote them, reachable by path', async () => {
    for (const name of ODD_NAMES) {
      const item = await alice.item(`/root:/Odd things/${encodeURIComponent(name)}`.replaceAll(' ', '%20'))
      expect(item.name).toBe(name)
      expect((await alice.content(`/items/${item.id}`)).toString()).toContain(name)
    }
  })

  it('have a notebook, a shortcut, an empty file, an empty folder and a file with malware', async () => {
    const odd = (await alice.pages('/root:/Odd%20things:/children')).items
    const notebook = odd.find((item) => item.package !== undefined)!
    expect(notebook.package).toEqual({ type: 'oneNote' })
    const sections = (await alice.pages(`/items/${notebook.id}/children`)).items
    expect(sections.map(({ name }) => name).sort()).toEqual([
      'Meetings.one',
      'Open Notebook.onetoc2',
      'Quick notes.one',
    ])
    const shortcut = odd.find((item) => item.remoteItem !== undefined)!.remoteItem as Item
    const target = await DriveClient.of(tenant, 1).item(`/items/${shortcut.id}`)
    expect(target).toMatchObject({
      name: 'Documents',
      parentReference: { driveId: shortcut.parentReference.driveId },
    })
    expect(odd.find(({ name }) => name === 'empty.txt')).toMatchObject({ size: 0 })
    expect(await alice.item('/root:/Empty%20folder')).toMatchObject({ size: 0, folder: { childCount: 0 } })
    const infected = odd.find((item) => item.malware !== undefined)!
    expect(errorOf(await alice.call('GET', `/items/${infected.id}/content`))).toEqual({
      status: 403,
      code: 'malwareDetected',
    })
  })

  it('tell a folder’s size as the sum of all below it', async () => {
    const { items } = await alice.pages('/root/delta')
    const files = items.filter(({ file }) => file !== undefined)
    const total = files.reduce((sum, { size }) => sum + size, 0)
    expect(items[0]).toMatchObject({ size: total, root: {} })
    const drive = (await alice.call('GET', '')).json<{ quota: { used: number } }>()
    expect(drive.quota.used).toBe(total)
  })

  it('refuse who has none, who is locked, and ids of other tenants', async () => {
    const users = [...tenant.state.users()]
    const without = users.find(({ hasDrive }) => !hasDrive)!
    const locked = users.find(({ isDriveLocked }) => isDriveLocked)!
    expect(errorOf(await alice.graph('GET', `/users/${without.id}/drive`))).toEqual({
      status: 404,
      code: 'ResourceNotFound',
    })
    expect(errorOf(await alice.graph('GET', `/users/${locked.id}/drive`))).toMatchObject({
      status: 423,
      code: 'resourceLocked',
    })
    expect(errorOf(await alice.graph('GET', `/drives/b!${'A'.repeat(64)}/root`)).status).toBe(404)
    expect(errorOf(await alice.call('GET', '/items/01NOSUCHITEM')).code).toBe('itemNotFound')
  })

  it('find items by id, by path in any letter case, and relative to another item', async () => {
    const byPath = await alice.item('/root:/dOcUmEnTs/contracts')
    expect(byPath.name).toBe('Contracts')
    expect(byPath.parentReference.path).toMatch(/\/root:\/Documents$/)
    const documents = await alice.item('/root:/Documents:')
    expect((await alice.item(`/items/${documents.id}:/Contracts:`)).id).toBe(byPath.id)
    expect((await alice.item(`/items/${byPath.id.toLowerCase()}`)).id).toBe(byPath.id)
    expect((await alice.graph('GET', `/users/${alice.user}/drive/items/${byPath.id}`)).json<Item>().id).toBe(
      byPath.id,
    )
  })

  it('page children by name in both directions without loss or repetition', async () => {
    const whole = (await alice.pages('/root:/Odd%20things:/children')).items.map(({ id }) => id)
    const up = await alice.pages('/root:/Odd%20things:/children?$top=3&$select=id')
    expect(up.items.map(({ id }) => id)).toEqual(whole)
    expect(up.pages).toBe(Math.ceil(whole.length / 3))
    expect(Object.keys(up.items[0]!)).toEqual(['id'])
    const down = await alice.pages('/root:/Odd%20things:/children?$top=4&$orderby=name%20desc')
    expect(down.items.map(({ id }) => id)).toEqual(whole.toReversed())
  })

  it('expand children, permissions and versions, and refuse what they do not know', async () => {
    const folder = await alice.call('GET', '/root?$expand=children&$select=id')
    expect(folder.json<{ children: Item[] }>().children.length).toBe(6)
    const file = await alice.call(
      'GET',
      '/root:/Odd%20things/Shared%20folder/inherits.txt?$expand=permissions,versions',
    )
    expect(file.json()).toMatchObject({
      shared: { scope: 'users' },
      permissions: [{ inheritedFrom: { name: 'Shared folder' } }, { roles: ['owner'] }],
      versions: [{ id: '1.0' }],
    })
    expect((await alice.call('GET', '/root?$expand=thumbnails')).status).toBe(501)
    expect((await alice.call('GET', '/root?$expand=nonsense')).status).toBe(400)
    expect((await alice.call('GET', '/root/children?$filter=x')).status).toBe(400)
    expect((await alice.call('GET', '/root/thumbnails')).status).toBe(501)
  })
})
