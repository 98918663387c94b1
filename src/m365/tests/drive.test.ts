import { createHash } from 'node:crypto'
import { QuickXorHash, type DriveItem } from '#items'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { GraphDrive } from '../drives/graph-drive.ts'
import { bytesOf, ImpatientClock, inPieces, practice } from './practice.ts'

type World = Awaited<ReturnType<typeof practice>>

const allOf = async (drive: GraphDrive, token?: string) => {
  const items = new Map<string, DriveItem>()
  const removed: string[] = []
  let last = ''
  for await (const page of drive.changes(token)) {
    page.items.forEach((item) => items.set(item.id, item))
    removed.push(...page.removed)
    last = page.token
  }
  return { items: [...items.values()], removed, token: last }
}

const MODIFIED = new Date('2025-03-04T05:06:07Z')
const CREATED = new Date('2024-01-02T03:04:05Z')

describe('a drive', () => {
  let world: World
  let drive: GraphDrive
  const clock = new ImpatientClock()
  beforeAll(async () => {
    world = await practice({ users: 5, mails: 2, files: 60 }, { connectors: { clock } })
    drive = world.connection.drive(world.idOf(3))
  })
  afterAll(() => world[Symbol.asyncDispose]())
  beforeEach(() => world.tenant.faults.clear())

  const put = async (name: string, bytes: Uint8Array, onConflict: 'fail' | 'replace' | 'rename' = 'fail') => {
    const root = await drive.root()
    const request = { parentId: root.id, name, sizeBytes: bytes.length, onConflict }
    return await drive.upload({ ...request, createdAt: CREATED, modifiedAt: MODIFIED }, inPieces(bytes))
  }
  const rule = (path: string, more: object) => world.tenant.faults.addRule({ path, ...more })

  it('lists everything, parents before children, and keeps no download address', async () => {
    const { items } = await allOf(drive)
    const seen = new Set<string>()
    for (const item of items) {
      if (item.kind !== 'root') expect(seen).toContain(item.parentId)
      seen.add(item.id)
    }
    expect(items.filter(({ kind }) => kind === 'file').length).toBeGreaterThanOrEqual(60)
    expect(JSON.stringify(items)).not.toContain('downloadUrl')
  })

  it('reads files by one call each, without asking for their address', async () => {
    const { items } = await allOf(drive)
    const files = items.filter(({ kind, isMalware }) => kind === 'file' && !isMalware).slice(0, 20)
    const before = world.connection.traffic().requests
    for (const file of files) expect(await bytesOf(drive.content(file))).toHaveLength(file.sizeBytes)
    expect(world.connection.traffic().requests - before).toBe(files.length)
  })

  it('finds the content of an item that was listed long ago', async () => {
    const item = await put('long-ago.txt', Buffer.from('still here'))
    expect((await bytesOf(drive.content({ ...item }))).toString()).toBe('still here')
  })

  it('costs one request when nothing changed, and then sees what did', async () => {
    const { token } = await allOf(drive)
    const before = world.connection.traffic().requests
    expect(await allOf(drive, token)).toMatchObject({ removed: [] })
    expect(world.connection.traffic().requests - before).toBe(1)
    const item = await put('new.txt', Buffer.from('new'))
    const later = await allOf(drive, token)
    expect(later.items.map(({ id }) => id)).toContain(item.id)
  })

  it('asks to start again when the token has lapsed', async () => {
    const { token } = await allOf(drive)
    rule('*/root/delta*', { status: 410, code: 'resyncRequired' })
    await expect(allOf(drive, token)).rejects.toMatchObject({ reason: 'resync' })
  })

  it('goes on by range after a cut and gives every byte once', async () => {
    const bytes = Buffer.alloc(3_000_000, 'cut here ')
    const item = await put('cut.bin', bytes)
    const { items } = await allOf(drive)
    const listed = items.find(({ id }) => id === item.id)!
    rule('*', { method: 'GET', kind: 'cut', times: 3 })
    expect((await bytesOf(drive.content(listed))).equals(bytes)).toBe(true)
  })

  it('asks for a new address when the old one has lapsed', async () => {
    const item = await put('lapsed.txt', Buffer.from('again'))
    const { items } = await allOf(drive)
    rule('*', { method: 'GET', status: 401, code: 'unauthenticated' })
    const listed = items.find(({ id }) => id === item.id)!
    expect((await bytesOf(drive.content(listed))).toString()).toBe('again')
  })

  it('notices content that is not what the service said', async () => {
    const item = await put('wrong.txt', Buffer.from('content'))
    await expect(
      bytesOf(drive.content({ ...item, quickXorHash: 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=' })),
    ).rejects.toMatchObject({ code: 'conflict', reason: 'changed' })
  })

  it.each([0, 1, 4 * 1024 * 1024, 4 * 1024 * 1024 + 1, 25_000_003])(
    'uploads %i bytes with dates and reads them back',
    async (size) => {
      const bytes = Buffer.alloc(size, createHash('sha256').update(String(size)).digest())
      const item = await put(`size-${size}.bin`, bytes)
      expect(item).toMatchObject({ sizeBytes: size, createdAt: CREATED, modifiedAt: MODIFIED })
      expect(item.quickXorHash).toBe(new QuickXorHash().update(bytes).digest())
      expect((await bytesOf(drive.content(item))).equals(bytes)).toBe(true)
    },
  )

  it('keeps to what was asked for when a name is taken', async () => {
    const first = await put('taken.txt', Buffer.from('one'))
    await expect(put('taken.txt', Buffer.from('two'))).rejects.toMatchObject({ code: 'conflict' })
    const renamed = await put('taken.txt', Buffer.from('two'), 'rename')
    expect(renamed.id).not.toBe(first.id)
    const replaced = await put('taken.txt', Buffer.from('three'), 'replace')
    expect(replaced.id).toBe(first.id)
    await expect(put('taken.txt', Buffer.alloc(5_000_000))).rejects.toMatchObject({ code: 'conflict' })
  })

  it('makes one file when the answer to its upload is lost', async () => {
    rule('*/content*', { method: 'PUT', kind: 'lost' })
    const item = await put('lost #1 & 100%.txt', Buffer.from('once'))
    expect((await drive.child((await drive.root()).id, 'lost #1 & 100%.txt'))?.id).toBe(item.id)
  })

  it('carries an upload through lost and refused fragments', async () => {
    const bytes = Buffer.alloc(22_000_000, 'fragment')
    rule('*', { method: 'PUT', kind: 'lost', nth: 1 })
    rule('*', { method: 'PUT', kind: 'unavailable', nth: 3 })
    rule('*', { method: 'PUT', kind: 'cut', nth: 5 })
    const item = await put('fragments.bin', bytes)
    expect((await bytesOf(drive.content(item))).equals(bytes)).toBe(true)
  })

  it('finds what arrived when the answer to the last fragment is lost', async () => {
    rule('*', { method: 'PUT', kind: 'lost', nth: 3 })
    const item = await put('last.bin', Buffer.alloc(22_000_000, 'last'))
    expect((await drive.child((await drive.root()).id, 'last.bin'))?.id).toBe(item.id)
  })

  it('finds the folder that is there already, and refuses to take a file for one', async () => {
    const root = await drive.root()
    const folder = await drive.createFolder(root.id, 'Folder')
    expect((await drive.createFolder(root.id, 'Folder')).id).toBe(folder.id)
    await put('not-a-folder', Buffer.from('file'))
    await expect(drive.createFolder(root.id, 'not-a-folder')).rejects.toMatchObject({ code: 'conflict' })
    expect(await drive.child(root.id, 'nobody')).toBeUndefined()
    expect(await drive.item(`${folder.id.slice(0, -3)}ZZZ`)).toBeUndefined()
  })

  it('reads earlier versions and the current one', async () => {
    const item = await put('versions.txt', Buffer.from('first'))
    await put('versions.txt', Buffer.from('second!'), 'replace')
    const versions = await drive.versions(item.id)
    expect(versions.map(({ isCurrent }) => isCurrent)).toEqual([true, ...versions.slice(1).map(() => false)])
    const texts = await Promise.all(
      versions.map(async ({ id }) => (await bytesOf(drive.versionContent(item.id, id))).toString()),
    )
    expect(texts[0]).toBe('second!')
    expect(texts.at(-1)).toBe('first')
  })

  it('grants to a restored file what was granted to the original', async () => {
    const { items } = await allOf(drive)
    const shared = items.filter(({ isShared, kind }) => isShared && kind === 'file')
    expect(shared.length).toBeGreaterThan(0)
    const own = async (id: string) =>
      (await drive.permissions(id)).filter(({ isInherited, isOwner }) => !isInherited && !isOwner)
    const target = await put('granted.txt', Buffer.from('for others'))
    const granted = await own(shared[0]!.id)
    expect(granted.length).toBeGreaterThan(0)
    for (const permission of granted) await drive.grant(target.id, permission)
    expect((await own(target.id)).map(kindOf).toSorted()).toEqual(granted.map(kindOf).toSorted())
  })

  it('says why a drive as a whole cannot be read', async () => {
    const without = world.people.find(({ hasDrive }) => !hasDrive)!
    await expect(world.connection.drive(without.id).info()).rejects.toMatchObject({ reason: 'no-drive' })
    rule('*/root/delta*', { status: 423, code: 'resourceLocked' })
    await expect(allOf(drive)).rejects.toMatchObject({ code: 'conflict', reason: 'locked' })
  })
})

function kindOf({
  isLink,
  roles,
  graph,
}: {
  isLink: boolean
  roles: readonly string[]
  graph: object
}): string {
  const link = 'link' in graph ? (graph.link as { type?: string; scope?: string }) : undefined
  return isLink && link?.scope !== 'users' ? `${link?.type} ${link?.scope}` : `people ${roles.join()}`
}
