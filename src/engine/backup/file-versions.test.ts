import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HoldfastError } from '#base'
import type { DriveRow } from '../catalogue/rows.ts'
import type { BackupOutcome } from '../jobs/backup-run.ts'
import { BackupWorld, keepWorkers } from './tests/backup-world.ts'
import type { FakeDrive } from './tests/fake-drive.ts'
import { cannotRead } from './tests/fake-mailbox.ts'

keepWorkers()

describe('older versions of files', () => {
  let world: BackupWorld
  let drive: FakeDrive
  beforeEach(async () => {
    world = await BackupWorld.start()
    drive = world.drive('meg').folder('d1', 'Docs')
    drive.file('f1', 'plan.txt', 'd1', 'first').file('f1', 'plan.txt', 'd1', 'second')
    drive.file('f1', 'plan.txt', 'd1', 'third').file('f2', 'other.txt', 'root', 'other')
  })
  afterEach(async () => {
    await world[Symbol.asyncDispose]()
  })

  const run = (): Promise<BackupOutcome> => world.run({ fileVersions: 'All' })
  const rowOf = (id: string): DriveRow =>
    (world.rows()['onedrive-meg'] as DriveRow[]).find((row) => row.id === id)!
  /** Path below `onedrive-versions` → text. */
  const kept = async (): Promise<Record<string, string>> => {
    const home = 'meg@contoso.com~meg/onedrive-versions/'
    const files = Object.entries(await world.files()).filter(([path]) => path.startsWith(home))
    return Object.fromEntries(files.map(([path, text]) => [path.slice(home.length), text]))
  }

  it('are left alone unless they are wanted', async () => {
    await world.run()
    expect(drive.calls).toMatchObject({ versions: 0, versionContents: 0 })
    expect(await kept()).toEqual({})
    expect(rowOf('f1')).not.toHaveProperty('versions')
  })

  it('are kept as files that people can open, oldest first in the catalogue', async () => {
    await run()
    expect(await kept()).toEqual({
      'Docs/plan.txt/20260301T000300Z 1.0.txt': 'first',
      'Docs/plan.txt/20260301T000500Z 2.0.txt': 'second',
    })
    expect(rowOf('f1').versions).toMatchObject([
      { id: '1.0', modifiedAt: '2026-03-01T00:03:00.000Z', modifiedBy: 'Ann', sizeBytes: 5 },
      { id: '2.0', modifiedAt: '2026-03-01T00:05:00.000Z', modifiedBy: 'Ann', sizeBytes: 6 },
    ])
    expect(rowOf('f1').currentVersion).toMatchObject({ id: '3.0' })
    expect(rowOf('f2').versions).toEqual([])
  })

  it('cost one call for a file that changed, and none of them is fetched twice', async () => {
    await run()
    Object.assign(drive.calls, { versions: 0, versionContents: 0 })
    drive.file('f1', 'plan.txt', 'd1', 'fourth')
    await run()
    expect(drive.calls).toMatchObject({ versions: 1, versionContents: 0 })
    expect(Object.values(await kept())).toEqual(['first', 'second', 'third'])
  })

  it('cost nothing where nothing changed, and go along with a file and its folder', async () => {
    await run()
    Object.assign(drive.calls, { versions: 0 })
    drive.change('f1', { name: 'idea.txt' })
    drive.change('d1', { name: 'Papers' })
    await run()
    expect(drive.calls.versions).toBe(0)
    expect(Object.keys(await kept())).toEqual([
      'Papers/idea.txt/20260301T000300Z 1.0.txt',
      'Papers/idea.txt/20260301T000500Z 2.0.txt',
    ])
  })

  it('leave with their file, and with its folder', async () => {
    drive.file('f2', 'other.txt', 'root', 'changed')
    await run()
    drive.delete('d1')
    drive.delete('f2')
    await run()
    expect(await kept()).toEqual({})
  })

  it('stay in earlier restore points when the service has dropped them', async () => {
    await run()
    const before = await world.newest()
    drive.dropVersion('f1', '1.0')
    drive.file('f1', 'plan.txt', 'd1', 'fourth')
    await run()
    expect(Object.values(await kept())).toEqual(['second', 'third'])
    const path = 'users/meg@contoso.com~meg/onedrive-versions/Docs/plan.txt'
    const entry = await world.repository.entryAt(before.tree, path)
    if (entry?.type !== 'folder') throw new Error('the folder is not there')
    expect(await world.repository.tree(entry.subtree)).toHaveLength(2)
  })

  it('that cannot be read leave the file protected, are told, and come with the next run', async () => {
    drive.unreadable.set('f1 1.0', cannotRead)
    await expect(run()).resolves.toMatchObject({ warnings: 1 })
    expect(world.log.at(-1)).toContain('plan.txt: version 1.0: ')
    expect(Object.values(await kept())).toEqual(['second'])
    drive.unreadable.clear()
    await expect(run()).resolves.toMatchObject({ succeeded: 1 })
    expect(Object.values(await kept())).toEqual(['first', 'second'])
  })

  it('stay as they are while the service does not list them', async () => {
    await run()
    drive.unreadable.set('versions of f1', new HoldfastError('unavailable', 'no answer'))
    drive.file('f1', 'plan.txt', 'd1', 'fourth')
    await expect(run()).resolves.toMatchObject({ warnings: 1 })
    expect(Object.values(await kept())).toEqual(['first', 'second'])
    expect((await world.files())['meg@contoso.com~meg/onedrive/Docs/plan.txt']).toBe('fourth')
  })

  it('come with a full run for files that did not change', async () => {
    await world.run()
    await world.run({ fileVersions: 'All', full: true })
    expect(Object.values(await kept())).toEqual(['first', 'second'])
  })
})
