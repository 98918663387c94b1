import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BackupWorld, clock, keepWorkers } from '../backup/tests/backup-world.ts'
import type { FakeMailbox } from '../backup/tests/fake-mailbox.ts'
import { openCatalogue, type Catalogue } from './catalogue.ts'
import { Catalogues } from './catalogues.ts'
import type { MailRow } from './rows.ts'

const ALL = { offset: 0, limit: 1000 }

keepWorkers()

describe('the catalogue', () => {
  let world: BackupWorld
  let meg: FakeMailbox
  beforeEach(async () => {
    world = await BackupWorld.start()
    meg = world.mailbox('meg').folder('in', 'Inbox').folder('sub', 'Sub', 'in')
    for (let n = 0; n < 8; n += 1)
      meg.put(`m${n}`, 'in', { subject: `Number ${n}`, receivedAt: new Date(Date.UTC(2026, 0, 1 + n)) })
  })
  afterEach(async () => {
    await world[Symbol.asyncDispose]()
  })

  /** Everything it answers, for each restore point. */
  const answers = (catalogue: Catalogue): unknown =>
    catalogue
      .points()
      .map((point) => [
        point,
        catalogue.objectsAt(point.snapshot).map(({ version: _numbered, ...object }) => object),
        catalogue
          .objectsAt(point.snapshot)
          .map(({ key, version }) => [
            catalogue.items(key, version, undefined, ALL),
            catalogue.folders(key, version),
            catalogue.allFolders(key, version).sort((a, b) => (a.id < b.id ? -1 : 1)),
            catalogue.item(key, version, 'm1'),
          ]),
      ])

  const months = async (count: number): Promise<void> => {
    for (let month = 0; month < count; month += 1) {
      clock.advance(60_000)
      meg.put(`n${month}`, month % 2 === 0 ? 'in' : 'sub').put('m1', 'in', { isRead: month % 2 === 0 })
      if (month % 3 === 0) meg.folder('sub', `Sub ${month}`, 'in')
      if (month === 2) meg.delete('m0')
      await world.run()
    }
  }

  it('answers the same after it was deleted and made again, for every restore point', async () => {
    await months(20)
    const again = openCatalogue(':memory:', world.repository)
    await again.sync()
    await again.load()
    expect(again.points()).toHaveLength(20)
    expect(answers(again)).toEqual(answers(world.catalogue))
    again[Symbol.dispose]()
  })

  it('shows each restore point as it was', async () => {
    await world.run()
    meg.delete('m0')
    meg.put('m1', 'in', { subject: 'Changed' })
    clock.advance(1000)
    await world.run()
    const subjects = (at: number): string[] => {
      const { snapshot } = world.catalogue.points()[at]!
      const { key, version } = world.catalogue.objectsAt(snapshot)[0]!
      return world.catalogue.items(key, version, 'in', ALL).items.map((row) => (row as MailRow).subject)
    }
    expect(subjects(0)).toEqual([7, 6, 5, 4, 3, 2].map((n) => `Number ${n}`).concat('Changed'))
    expect(subjects(1)).toEqual([7, 6, 5, 4, 3, 2, 1, 0].map((n) => `Number ${n}`))
  })

  it('answers for a moment in time with the newest point before it', async () => {
    await world.run()
    const between = new Date(clock.nowMs() + 1000)
    clock.advance(5000)
    meg.put('late', 'in')
    await world.run()
    const total = (at: Date): number => {
      const { key, version } = world.catalogue.objectsAt({ at })[0]!
      return world.catalogue.items(key, version, undefined, ALL).total
    }
    expect([total(between), total(clock.now())]).toEqual([8, 9])
    expect(world.catalogue.objectsAt({ at: new Date(0) })).toEqual([])
  })

  it('pages and searches a folder', async () => {
    await world.run()
    const page = world.catalogue.items('mail-meg', 1, 'in', { offset: 3, limit: 2 })
    expect(page.total).toBe(8)
    expect(page.items.map(({ id }) => id)).toEqual(['m4', 'm3'])
    const found = world.catalogue.items('mail-meg', 1, 'in', { ...ALL, search: 'NUMBER 5' })
    expect(found).toMatchObject({ total: 1, items: [{ id: 'm5' }] })
  })

  it('lists folders by where they are', async () => {
    await world.run()
    expect(world.catalogue.folders('mail-meg', 1)).toEqual([{ id: 'in', name: 'Inbox', isHidden: false }])
    expect(world.catalogue.folders('mail-meg', 1, 'in')).toMatchObject([
      { id: 'sub', name: 'Sub', parentId: 'in' },
    ])
  })

  it('tells what would be lost with some points, and what others hold too', async () => {
    await months(3)
    const versions = world.catalogue
      .points()
      .map(({ snapshot }) => world.catalogue.objectsAt(snapshot)[0]!.version)
      .reverse()
    // The third run took m0 away; m1 was another one in each.
    expect(world.catalogue.lostWith('mail-meg', versions.slice(0, 2), versions.slice(2)).items).toBe(1)
    expect(world.catalogue.lostWith('mail-meg', versions.slice(0, 1), versions.slice(1)).items).toBe(0)
    expect(world.catalogue.lostWith('mail-meg', versions.slice(2), versions.slice(0, 2)).items).toBe(1)
    const all = world.catalogue.lostWith('mail-meg', versions, [])
    expect(all.items).toBe(11)
    expect(all.bytes).toBeGreaterThan(all.items * 100)
  })

  it('forgets restore points that are gone', async () => {
    await world.run()
    clock.advance(1000)
    meg.put('x', 'in')
    await world.run()
    const [newest, oldest] = world.catalogue.points()
    await world.repository.forget([newest!.snapshot])
    await world.catalogue.sync()
    expect(world.catalogue.points()).toEqual([oldest])
    clock.advance(1000)
    await world.run()
    expect(world.rows()['mail-meg']!.map(({ id }) => id)).toContain('x')
    expect(world.rows()['mail-meg']).toHaveLength(9)
  })

  it('keeps its files apart by repository, organization and shard, and starts over with a broken one', async () => {
    await world.run()
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-catalogue-'))
    try {
      const address = { repositoryId: 'r', organizationId: 'o', shard: 0 }
      const file = join(folder, 'r', 'o', 's00.sqlite')
      using first = new Catalogues(folder)
      await first.of(address, world.repository).sync()
      expect(first.of(address, world.repository)).toBe(first.of(address, world.repository))
      first[Symbol.dispose]()
      const { writeFileSync } = await import('node:fs')
      writeFileSync(file, 'not a database '.repeat(1000))
      using second = new Catalogues(folder)
      const catalogue = second.of(address, world.repository)
      await catalogue.sync()
      expect(catalogue.points()).toHaveLength(1)
      second.remove('r')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
