import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FixedClock, HoldfastError } from '#base'
import { openCatalogue } from '../catalogue/catalogue.ts'
import type { DriveRow } from '../catalogue/rows.ts'
import { backupDrive } from './backup-drive.ts'
import { ObjectDraft } from './object-draft.ts'
import { askSource } from './source-failure.ts'
import { BackupWorld, keepWorkers } from './tests/backup-world.ts'
import type { FakeDrive } from './tests/fake-drive.ts'
import { cannotRead } from './tests/fake-mailbox.ts'

keepWorkers()

describe('backup of a drive', () => {
  let world: BackupWorld
  let drive: FakeDrive
  beforeEach(async () => {
    world = await BackupWorld.start()
    drive = world.drive('meg').folder('d1', 'Docs').folder('d2', 'Deep', 'd1')
    drive
      .file('f1', 'one.txt', 'root', 'one')
      .file('f2', 'two.txt', 'd1', 'two')
      .file('f3', 'three.txt', 'd2', 'three')
  })
  afterEach(async () => {
    await world[Symbol.asyncDispose]()
  })

  const files = async (): Promise<Record<string, string>> =>
    Object.fromEntries(
      Object.entries(await world.files()).map(([path, text]) => [
        path.replace('meg@contoso.com~meg/onedrive/', ''),
        text,
      ]),
    )
  const rowOf = (id: string): DriveRow =>
    (world.rows()['onedrive-meg'] as DriveRow[]).find((row) => row.id === id)!

  it('keeps the files at their real paths, as they are', async () => {
    await expect(world.run()).resolves.toMatchObject({ succeeded: 1 })
    expect(await files()).toEqual({ 'one.txt': 'one', 'Docs/two.txt': 'two', 'Docs/Deep/three.txt': 'three' })
    const { key, version } = world.catalogue.objectsAt(world.catalogue.points()[0]!.snapshot)[0]!
    expect(world.catalogue.item(key, version, 'f3')).toMatchObject({
      path: 'users/meg@contoso.com~meg/onedrive/Docs/Deep/three.txt',
      row: { graph: { id: 'f3', name: 'three.txt' } },
    })
  })

  it('asks once when nothing changed', async () => {
    await world.run()
    Object.assign(drive.calls, { changes: 0, contents: 0 })
    await world.run()
    expect(drive.calls).toMatchObject({ changes: 1, contents: 0 })
  })

  it('fetches only content that changed', async () => {
    await world.run()
    drive.file('f1', 'one.txt', 'root', 'one, changed')
    drive.change('f2', { modifiedAt: new Date('2026-05-05T00:00:00Z') })
    await world.run()
    expect(drive.calls.contents).toBe(4)
    expect((await files())['one.txt']).toBe('one, changed')
    expect(rowOf('f2').modifiedAt).toBe('2026-05-05T00:00:00.000Z')
  })

  it('moves and renames files and folders without fetching them', async () => {
    await world.run()
    drive.change('d2', { name: 'Tief', parentId: 'root' })
    drive.change('f2', { name: 'zwei.txt', parentId: 'd2' })
    await world.run()
    expect(await files()).toEqual({ 'one.txt': 'one', 'Tief/zwei.txt': 'two', 'Tief/three.txt': 'three' })
    expect(drive.calls.contents).toBe(3)
  })

  it('turns a folder and the one that holds it round, whichever comes first', async () => {
    await world.run()
    drive.change('d1', { parentId: 'd2' })
    drive.change('d2', { parentId: 'root' })
    await world.run()
    expect(await files()).toEqual({ 'one.txt': 'one', 'Deep/Docs/two.txt': 'two', 'Deep/three.txt': 'three' })
  })

  it('removes a deleted folder with all below it, but not what was moved out', async () => {
    await world.run()
    drive.change('f3', { parentId: 'root' })
    drive.delete('d1')
    await world.run()
    expect(await files()).toEqual({ 'one.txt': 'one', 'three.txt': 'three' })
    expect(world.rows()['onedrive-meg']!.map(({ id }) => id)).toEqual(['f1', 'f3'])
  })

  it('compares when the token has lapsed: nothing is fetched again and what went is removed', async () => {
    await world.run()
    drive.delete('f2')
    drive.expireTokens()
    drive.file('f4', 'four.txt', 'd2', 'four')
    await world.run()
    expect(await files()).toEqual({
      'one.txt': 'one',
      'Docs/Deep/three.txt': 'three',
      'Docs/Deep/four.txt': 'four',
    })
    expect(drive.calls.contents).toBe(4)
  })

  it('keeps apart names that no file system could', async () => {
    drive
      .file('n1', 'a:b.txt', 'root', '1')
      .file('n2', 'a|b.txt', 'root', '2')
      .file('n3', 'con.txt', 'root', '3')
    drive.file('n4', 'A_B.txt', 'root', '4')
    await world.run()
    expect(await files()).toMatchObject({
      'a_b.txt': '1',
      'a_b~2.txt': '2',
      '_con.txt': '3',
      'A_B~3.txt': '4',
    })
    expect(rowOf('n1').name).toBe('a:b.txt')
  })

  it('asks for the permissions of what is shared, once for each change', async () => {
    drive.change('f1', { isShared: true })
    drive.change('d1', { isShared: true })
    await world.run()
    expect(rowOf('f1').permissions).toEqual([{ id: 'p-f1', roles: ['read'], link: { type: 'view' } }])
    await world.run()
    expect(drive.calls.permissions).toBe(2)
  })

  it('records a file that cannot be read, keeps its old version, and reads it in the next run', async () => {
    await world.run()
    drive.file('f1', 'one.txt', 'root', 'one, changed')
    drive.unreadable.set('f1', cannotRead)
    await expect(world.run()).resolves.toMatchObject({ warnings: 1 })
    expect((await files())['one.txt']).toBe('one')
    drive.unreadable.clear()
    await expect(world.run()).resolves.toMatchObject({ succeeded: 1 })
    expect((await files())['one.txt']).toBe('one, changed')
  })

  it('reports a file that the service calls malware', async () => {
    drive.file('bad', 'bad.exe', 'root', 'x', { isMalware: true })
    await expect(world.run()).resolves.toMatchObject({ warnings: 1 })
    expect(world.log[0]).toContain('bad.exe: the service found malware')
    expect(await files()).not.toHaveProperty('bad.exe')
  })

  it('skips a drive that is locked', async () => {
    drive.refusal = new HoldfastError('denied', 'site locked', { reason: 'locked' })
    await expect(world.run()).resolves.toMatchObject({ warnings: 1, failed: 0 })
    expect(world.catalogue.points()).toEqual([])
  })

  it('tells since when a drive is not protected, and when it last was', async () => {
    await world.run()
    drive.refusal = new HoldfastError('denied', 'site locked', { reason: 'locked' })
    await world.run()
    await world.run()
    expect(world.log.at(-1)).toBe(
      'Warning: OneDrive of meg@contoso.com skipped: it is locked (site locked); ' +
        'protected last on 2026-11-24, what was kept stays',
    )
    await world.newest()
    const [second, first, good] = world.catalogue.points()
    expect(second!.run.objects[0]).toMatchObject({
      status: 'skipped',
      since: first!.run.objects[0]!.since,
      protectedAt: good!.time.toISOString(),
    })
  })

  it('puts the files of a large folder into buckets', async () => {
    const names = Array.from({ length: 9 }, (_, index) => `file${index}`)
    for (const name of names) drive.file(name, name, 'd2', name)
    const catalogue = openCatalogue(':memory:', world.repository)
    await world.repository.withWriter(async (writer) => {
      const identity = { kind: 'onedrive' as const, userId: 'meg', principalName: 'meg', displayName: 'Meg' }
      const rows = catalogue.pending('onedrive-meg', 0)
      const clock = new FixedClock(0)
      const common = { reader: world.repository, writer, clock }
      const draft = await ObjectDraft.open({ ...common, identity, rows, previous: undefined })
      const signal = new AbortController().signal
      await backupDrive(
        drive,
        { ...common, draft, signal, ask: askSource, onItems: () => {}, savePoint: async () => {} },
        { largeFolder: 4 },
      )
      const { dataTree } = await draft.finish()
      const deep = await draft.data.get('Docs/Deep')
      expect(dataTree).toBeDefined()
      if (deep?.type !== 'folder') throw new Error('the folder is not there')
      const entries = await world.repository.tree(deep.subtree)
      expect(entries.filter(({ type }) => type === 'file')).toHaveLength(4)
      expect(
        entries.filter(({ type, name }) => type === 'folder' && /^~[0-9a-f]{2}$/.test(name)).length,
      ).toBeGreaterThan(2)
    })
    catalogue[Symbol.dispose]()
  })
})
