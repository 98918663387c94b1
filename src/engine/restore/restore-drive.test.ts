import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { HoldfastError } from '#base'
import type { DriveInfo, DriveItem, DrivePermission } from '#items'
import type { DriveTarget, DriveUpload } from '../connectors/connectors.ts'
import {
  besideName,
  restoreDriveItems,
  type DriveRestoreOptions,
  type SavedDriveItem,
} from './restore-drive.ts'
import type { RestoredItem } from './restore-report.ts'

const hashOf = (text: string): string => createHash('sha1').update(text).digest('base64')

const file = (name: string, text: string, parentId = 'root'): DriveItem => ({
  id: `old-${name}`,
  parentId,
  name,
  kind: 'file',
  sizeBytes: text.length,
  createdAt: new Date('2026-01-01T00:00:00Z'),
  modifiedAt: new Date('2026-02-01T00:00:00Z'),
  quickXorHash: hashOf(text),
  isMalware: false,
  isShared: false,
  graph: {},
})

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Promise.resolve(Buffer.from(text))
}

/** A drive that really keeps what it is told. */
class ScriptedDrive implements DriveTarget {
  readonly items = new Map<string, DriveItem>()
  readonly texts = new Map<string, string[]>()
  readonly granted: DrivePermission[] = []
  #next = 1
  async info(): Promise<DriveInfo> {
    return Promise.resolve({ id: 'd', name: 'drive', driveType: 'business' })
  }
  async root(): Promise<DriveItem> {
    const { quickXorHash: _hash, parentId: _parent, ...rest } = file('root', '')
    return Promise.resolve({ ...rest, id: 'root', kind: 'root' })
  }
  async item(id: string): Promise<DriveItem | undefined> {
    return Promise.resolve(this.items.get(id))
  }
  async child(parentId: string, name: string): Promise<DriveItem | undefined> {
    return Promise.resolve([...this.items.values()].find((i) => i.parentId === parentId && i.name === name))
  }
  async createFolder(parentId: string, name: string): Promise<DriveItem> {
    const there = await this.child(parentId, name)
    if (there !== undefined) return there
    const made: DriveItem = { ...file(name, '', parentId), id: `folder-${this.#next++}`, kind: 'folder' }
    this.items.set(made.id, made)
    return made
  }
  async upload(upload: DriveUpload, content: AsyncIterable<Uint8Array>): Promise<DriveItem> {
    const there = await this.child(upload.parentId, upload.name)
    if (there !== undefined && upload.onConflict === 'fail') throw new HoldfastError('conflict', 'taken')
    const text = Buffer.concat(await Array.fromAsync(content)).toString()
    const id = there?.id ?? `file-${this.#next++}`
    const made = { ...file(upload.name, text, upload.parentId), id, modifiedAt: upload.modifiedAt! }
    this.items.set(id, made)
    this.texts.set(id, [...(this.texts.get(id) ?? []), text])
    return made
  }
  async setDates(): Promise<void> {
    return Promise.resolve()
  }
  async permissions(): Promise<readonly DrivePermission[]> {
    return Promise.resolve(this.granted)
  }
  async grant(_itemId: string, permission: DrivePermission): Promise<void> {
    if (permission.id === 'gone') return Promise.reject(new Error('no such user'))
    this.granted.push(permission)
    return Promise.resolve()
  }
}

const saved = (name: string, text: string, over: Partial<SavedDriveItem> = {}): SavedDriveItem => ({
  item: file(name, text),
  parents: [{ id: 'p', name: 'Reports' }],
  permissions: [],
  content: () => bytesOf(text),
  versions: [],
  ...over,
})

const options: DriveRestoreOptions = {
  place: 'original',
  onDifferent: 'overwrite',
  missing: true,
  changed: true,
  withPermissions: true,
  withVersions: true,
  pointLabel: '2026-11-24 0930',
}

const run = async (
  target: ScriptedDrive,
  items: readonly SavedDriveItem[],
  over: Partial<DriveRestoreOptions> = {},
): Promise<RestoredItem[]> =>
  Array.fromAsync(
    restoreDriveItems(
      { target, targetName: 'alice', sourceName: 'alice', options: { ...options, ...over } },
      items,
    ),
  )

const permission = (id: string): DrivePermission => ({
  id,
  roles: ['write'],
  isInherited: false,
  isLink: false,
  isOwner: false,
  graph: { grantedToV2: { user: { id } } },
})

describe('restoring files', () => {
  it('brings a lost file back with its folder, dates and older versions, and leaves it alone when repeated', async () => {
    const target = new ScriptedDrive()
    const versions = [
      { sizeBytes: 3, modifiedAt: new Date('2026-01-15T00:00:00Z'), content: () => bytesOf('old') },
    ]
    const first = await run(target, [saved('a.txt', 'current', { versions })])
    const second = await run(target, [saved('a.txt', 'current', { versions })])
    expect([first[0]?.outcome, second[0]?.outcome]).toEqual(['created', 'skipped'])
    const restored = [...target.items.values()].find((item) => item.name === 'a.txt')!
    expect(target.texts.get(restored.id)).toEqual(['old', 'current'])
    expect(restored.modifiedAt).toEqual(new Date('2026-02-01T00:00:00Z'))
    expect(target.items.get(restored.parentId!)?.name).toBe('Reports')
  })

  it('replaces a changed file, or puts the saved one beside it, once', async () => {
    const target = new ScriptedDrive()
    await run(target, [saved('a.txt', 'changed by someone')])
    const kept = await run(target, [saved('a.txt', 'saved')], { onDifferent: 'keep' })
    const again = await run(target, [saved('a.txt', 'saved')], { onDifferent: 'keep' })
    expect([kept[0]?.outcome, again[0]?.outcome]).toEqual(['created', 'skipped'])
    expect([...target.items.values()].map((i) => i.name)).toEqual([
      'Reports',
      'a.txt',
      'a (2026-11-24 0930).txt',
    ])
    const replaced = await run(target, [saved('a.txt', 'saved')])
    expect(replaced[0]?.outcome).toBe('updated')
  })

  it('grants permissions again once, and says which it could not', async () => {
    const target = new ScriptedDrive()
    const permissions = [permission('bob'), permission('gone')]
    const [first] = await run(target, [saved('a.txt', 'x', { permissions })])
    await run(target, [saved('a.txt', 'x', { permissions })])
    expect(first?.message).toMatch(/no such user/)
    expect(target.granted.map((p) => p.id)).toEqual(['bob'])
  })

  it('grants nothing on the folder when a missing file is not asked for', async () => {
    const target = new ScriptedDrive()
    const [row] = await run(target, [saved('a.txt', 'x', { permissions: [permission('bob')] })], {
      missing: false,
    })
    expect(row?.outcome).toBe('skipped')
    expect(target.granted).toEqual([])
  })
})

it('puts the label before the ending of a file name', () => {
  expect(besideName('Plan.v2.docx', 'now')).toBe('Plan.v2 (now).docx')
  expect(besideName('.bashrc', 'now')).toBe('.bashrc (now)')
})
