import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HoldfastError } from '#base'
import { readMailItemFile } from '#formats'
import type { MailRow } from '../catalogue/rows.ts'
import { BackupWorld, keepWorkers } from './tests/backup-world.ts'
import { cannotRead, type FakeMailbox } from './tests/fake-mailbox.ts'

const ROOT = 'meg@contoso.com~meg/mail'
const big = Buffer.alloc(3 << 20, 'attachment ')

keepWorkers()

describe('backup of a mailbox', () => {
  let world: BackupWorld
  let meg: FakeMailbox
  beforeEach(async () => {
    world = await BackupWorld.start()
    meg = world.mailbox('meg').folder('f-in', 'Inbox').folder('f-old', 'Old')
    for (const id of ['m1', 'm2', 'm3', 'm4', 'm5']) meg.put(id, 'f-in')
  })
  afterEach(async () => {
    await world[Symbol.asyncDispose]()
  })

  const rows = (): MailRow[] => world.rows()['mail-meg'] as MailRow[]
  const rowOf = (id: string): MailRow => rows().find((row) => row.id === id)!
  const storedBytes = (): number => world.totals!.writtenBytes

  it('saves each message as a file that reads back equal', async () => {
    await expect(world.run()).resolves.toMatchObject({ succeeded: 1, warnings: 0, failed: 0 })
    expect(await world.paths()).toHaveLength(5)
    for (const path of await world.paths())
      expect(path).toMatch(/^meg@contoso.com~meg\/mail\/Inbox\/2026\/03\/04\/050607-[0-9a-f]{12}\.eml$/)
    for (const item of meg.items) {
      const row = rowOf(item.id)
      const file = await readMailItemFile(world.repository.readFile(row))
      expect(file.item).toEqual(item)
    }
  })

  it('asks once for each folder when nothing changed, and keeps the tree', async () => {
    await world.run()
    const before = await world.repository.entryAt((await world.newest()).tree, 'users')
    Object.assign(meg.calls, { folders: 0, changes: 0, attachments: 0 })
    await world.run()
    expect(meg.calls).toMatchObject({ folders: 1, changes: 2, attachments: 0 })
    expect(await world.repository.entryAt((await world.newest()).tree, 'users')).toEqual(before)
    expect(world.catalogue.points()).toHaveLength(2)
    expect(world.catalogue.objectsAt(world.catalogue.points()[0]!.snapshot)[0]!.version).toBe(1)
  })

  it('follows new, changed and deleted messages', async () => {
    await world.run()
    meg.put('m6', 'f-in').put('m1', 'f-in', { isRead: true, categories: ['Red'] })
    meg.delete('m2')
    await world.run()
    expect(rows().map(({ id, isRead }) => [id, isRead])).toEqual([
      ['m1', true],
      ['m3', false],
      ['m4', false],
      ['m5', false],
      ['m6', false],
    ])
    expect(await world.paths()).toHaveLength(5)
  })

  it.each([
    ['from the first folder to the second', 'f-in', 'f-old'],
    ['from the second folder to the first', 'f-old', 'f-in'],
  ])('moves one file %s, whichever folder comes first', async (_name, from, to) => {
    meg.put('mv', from, {}, [{ name: 'a.bin', bytes: big }])
    await world.run()
    const contents = meg.calls.contents
    meg.move('mv', to)
    meg.put('m1', 'f-old')
    await world.run()
    expect(rowOf('mv').folderId).toBe(to)
    expect(await world.paths()).toHaveLength(6)
    expect(meg.calls.contents).toBe(contents)
  })

  it('renames and moves folders without touching their messages', async () => {
    meg.folder('f-sub', 'Sub', 'f-in').put('s1', 'f-sub')
    await world.run()
    meg.folder('f-in', 'Eingang').folder('f-sub', 'Below', 'f-old')
    await world.run()
    const folders = new Set((await world.paths()).map((path) => path.replace(/\/2026.*/, '')))
    expect(folders).toEqual(new Set([`${ROOT}/Eingang`, `${ROOT}/Old/Below`]))
    expect(world.totals?.readBytes).toBe(0)
  })

  it('turns a folder and the one that holds it round', async () => {
    meg.folder('f-sub', 'Sub', 'f-in').put('s1', 'f-sub')
    await world.run()
    meg.folder('f-sub', 'Sub').folder('f-in', 'Inbox', 'f-sub')
    await world.run()
    const folders = new Set((await world.paths()).map((path) => path.replace(/\/2026.*/, '')))
    expect(folders).toEqual(new Set([`${ROOT}/Sub`, `${ROOT}/Sub/Inbox`]))
  })

  it('keeps apart folders whose names only people can tell apart', async () => {
    meg.folder('x1', 'a/b').folder('x2', 'a:b').folder('x3', 'A_B').folder('y', '2026', 'f-in')
    for (const folder of ['x1', 'x2', 'x3', 'y']) meg.put(`in-${folder}`, folder)
    await world.run()
    const folders = new Set((await world.paths()).map((path) => path.replace(/\/2026\/.*/, '')))
    expect(folders).toEqual(
      new Set([`${ROOT}/Inbox`, `${ROOT}/a_b`, `${ROOT}/a_b~2`, `${ROOT}/A_B~3`, `${ROOT}/Inbox/2026~2`]),
    )
  })

  it('removes a folder that is gone, but not what was moved out of it', async () => {
    meg.put('o1', 'f-old').put('o2', 'f-old')
    await world.run()
    meg.move('o1', 'f-in')
    meg.removeFolder('f-old')
    await world.run()
    expect(rows().map(({ id }) => id)).toEqual(['m1', 'm2', 'm3', 'm4', 'm5', 'o1'])
    expect((await world.paths()).every((path) => path.startsWith(`${ROOT}/Inbox/`))).toBe(true)
  })

  it('compares when the tokens have lapsed: no second copy, nothing fetched again, what went is removed', async () => {
    meg.put('at', 'f-in', {}, [{ name: 'a.bin', bytes: big }])
    await world.run()
    const before = await world.files()
    const { contents, attachments } = meg.calls
    meg.delete('m2')
    meg.expireTokens()
    await world.run()
    const gone = rowsPath('m2', before)
    delete before[gone]
    expect(await world.files()).toEqual(before)
    expect(meg.calls).toMatchObject({ contents, attachments })
    expect(rows().map(({ id }) => id)).toEqual(['at', 'm1', 'm3', 'm4', 'm5'])
  })
  const rowsPath = (id: string, files: Record<string, string>): string =>
    Object.keys(files).find((path) => files[path]!.includes(`Subject of ${id}\r\n`))!

  it('takes attachments from the repository when only the flags changed', async () => {
    meg.put('at', 'f-in', {}, [{ name: 'a.bin', bytes: big }])
    await world.run()
    meg.put('at', 'f-in', { isRead: true })
    await world.run()
    expect(meg.calls).toMatchObject({ lists: 1, attachments: 1, contents: 1 })
    expect(storedBytes()).toBeLessThan(20_000)
    const { attachments } = await readMailItemFile(world.repository.readFile(rowOf('at')))
    for await (const { content } of attachments) {
      const pieces: Uint8Array[] = []
      for await (const piece of content!) pieces.push(piece)
      expect(Buffer.concat(pieces).equals(big)).toBe(true)
    }
  })

  it('fetches only what is attached anew', async () => {
    const [first, second] = ['a.bin', 'b.bin'].map((name) => ({ name, bytes: big }))
    meg.put('at', 'f-in', {}, [first!])
    await world.run()
    meg.put('at', 'f-in', {}, [first!, second!])
    await world.run()
    expect(meg.calls.contents).toBe(2)
    meg.put('at', 'f-in', {}, [second!])
    await world.run()
    const { attachments } = await readMailItemFile(world.repository.readFile(rowOf('at')))
    const names: string[] = []
    for await (const { attachment } of attachments) names.push(attachment.name)
    expect(names).toEqual(['b.bin'])
  })

  it('stores one attachment sent to ten people once', async () => {
    const noise = Buffer.from(
      Uint32Array.from({ length: 1 << 19 }, (_, i) => Math.imul(i ^ (i >>> 7), 2654435761)).buffer,
    )
    for (let person = 0; person < 10; person += 1)
      world
        .mailbox(`p${person}`)
        .folder('f', 'Inbox')
        .put(`to-${person}`, 'f', {}, [{ name: 'a.bin', bytes: noise }])
    world.drive('p1').file('d', 'kept.bin', 'root', noise.toString('latin1'))
    await expect(world.run()).resolves.toMatchObject({ succeeded: 11 })
    expect(world.totals!.readBytes).toBeGreaterThan(10 * noise.length)
    expect(storedBytes()).toBeLessThan(4 * noise.length)
  })

  it('records an item that cannot be read, goes on, and reads it in the next run', async () => {
    meg
      .put('bad', 'f-in', {}, [{ name: 'a.bin', bytes: big }])
      .put('good', 'f-in', {}, [{ name: 'b.bin', bytes: big }])
    meg.unreadable.set('bad', cannotRead)
    await expect(world.run()).resolves.toMatchObject({ warnings: 1, failed: 0 })
    expect(rows().map(({ id }) => id)).toContain('good')
    expect(rows().map(({ id }) => id)).not.toContain('bad')
    expect(world.log[0]).toContain('Subject of bad: the attachment cannot be read')
    await expect(world.run()).resolves.toMatchObject({ warnings: 1 })
    meg.unreadable.clear()
    await expect(world.run()).resolves.toMatchObject({ succeeded: 1, warnings: 0 })
    expect(rows().map(({ id }) => id)).toContain('bad')
  })

  it('takes a message that is gone by the time it is read for what it is', async () => {
    meg.put('gone', 'f-in', {}, [{ name: 'a.bin', bytes: big }])
    meg.unreadable.set('gone', new HoldfastError('not-found', 'no such message'))
    await expect(world.run()).resolves.toMatchObject({ succeeded: 1 })
    expect(rows()).toHaveLength(5)
  })

  it('skips a mailbox that is not there with its reason, and keeps what there was', async () => {
    await world.run()
    world.mailbox('bob').refusal = new HoldfastError('not-found', 'none', { reason: 'no-mailbox' })
    meg.refusal = new HoldfastError('denied', 'licence removed', { reason: 'not-licensed' })
    await expect(world.run()).resolves.toMatchObject({ succeeded: 1, warnings: 1, failed: 0 })
    expect(world.log).toContain('Success: Mailbox of bob@contoso.com skipped: there is no mailbox (none)')
    expect(await world.paths()).toHaveLength(5)
    expect(world.catalogue.objectsAt(world.catalogue.points()[0]!.snapshot)).toMatchObject([
      { key: 'mail-meg', status: 'skipped' },
    ])
  })

  it('fails one mailbox and not the others', async () => {
    world.mailbox('bob').refusal = new HoldfastError('unavailable', 'no answer')
    await expect(world.run()).resolves.toMatchObject({ succeeded: 1, failed: 1 })
    expect(await world.paths()).toHaveLength(5)
  })

  it('leaves out excluded folders with all below them', async () => {
    meg.folder('f-sub', 'Sub', 'f-old').put('s1', 'f-sub')
    world.excludedFolders = ['OLD']
    await world.run()
    expect(await world.paths()).toHaveLength(5)
  })

  it('reads everything again in a full run, and stores next to nothing', async () => {
    await world.run()
    const before = await world.files()
    await world.run({ full: true })
    expect(await world.files()).toEqual(before)
    expect(world.totals!.processedItems).toBe(5)
  })
})
