import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SnapshotId } from '#repository'
import { openCatalogue } from '../../catalogue/catalogue.ts'
import { isDriveRow } from '../../catalogue/rows.ts'
import { keepWorkers } from '../../backup/tests/backup-world.ts'
import { dyingStorage } from '../../backup/tests/dying-storage.ts'
import { itemCutoffOf } from '../item-cutoff.ts'
import { administrator, DAY_MS, ORGANIZATION, REPOSITORY, RetentionWorld } from './retention-world.ts'

keepWorkers()

const PERIOD_DAYS = 30

describe('retention by the age of items', () => {
  let world: RetentionWorld
  beforeEach(async () => {
    world = await RetentionWorld.start({ retentionType: 'ItemLevel', dailyRetentionPeriod: PERIOD_DAYS })
  })
  afterEach(async () => {
    await world[Symbol.asyncDispose]()
  })

  const daysAgo = (days: number): Date => new Date(world.clock.nowMs() - days * DAY_MS)
  const mail = (id: string, days: number, user = 'meg'): void => {
    const mailbox = world.backup.mailboxes.get(user) ?? world.backup.mailbox(user).folder('in', 'Inbox')
    mailbox.put(id, 'in', { subject: id, receivedAt: daysAgo(days), sentAt: daysAgo(days) })
  }
  const file = (id: string, days: number, folder = 'root'): void => {
    const drive = world.backup.drives.get('meg') ?? world.backup.drive('meg')
    const modifiedAt = daysAgo(days)
    drive.file(id, `${id}.txt`, folder, `content of ${id}`, { modifiedAt })
  }
  const backUp = async (): Promise<string> => {
    world.backup.itemCutoff = await itemCutoffOf(world.parts, { jobId: 'job-1', repositoryId: REPOSITORY })
    return world.run({ fileVersions: 'All' })
  }

  /** Ids of all items at each point, by a catalogue, and the files of each point's trees. */
  const contents = async (catalogue = world.backup.catalogue) => {
    await world.backup.repository.refresh()
    await catalogue.sync()
    await catalogue.load()
    return catalogue
      .points()
      .reverse()
      .map(({ snapshot }) =>
        catalogue
          .objectsAt(snapshot)
          .flatMap(({ key, version }) =>
            catalogue
              .items(key, version, undefined, { offset: 0, limit: 1000 })
              .items.map((row) => `${key}:${row.id}${versionsOf(row)}`),
          )
          .sort(),
      )
  }
  const versionsOf = (row: Parameters<typeof isDriveRow>[0]): string =>
    isDriveRow(row) && row.versions !== undefined ? `(${row.versions.length})` : ''

  /** The repository is sound, a new cache says what the old one does, and counts and trees are those of the rows. */
  const isWhole = async (): Promise<void> => {
    const { repository } = world.backup
    expect(await repository.check({ readData: true })).toMatchObject({ problems: [] })
    using fresh = openCatalogue(':memory:', repository)
    expect(await contents()).toEqual(await contents(fresh))
    for (const catalogue of [fresh, world.backup.catalogue])
      for (const { snapshot } of catalogue.points()) await matches(catalogue, snapshot)
  }
  const matches = async (catalogue: typeof world.backup.catalogue, snapshot: SnapshotId): Promise<void> => {
    const { repository } = world.backup
    const { tree } = await repository.snapshot(snapshot)
    for (const { key, version } of catalogue.objectsAt(snapshot)) {
      const { items } = catalogue.items(key, version, undefined, { offset: 0, limit: 1000 })
      for (const { id } of items) {
        const { path, row } = catalogue.item(key, version, id)!
        if (isDriveRow(row) && row.kind !== 'file') continue
        expect(await repository.entryAt(tree, path)).toMatchObject({ content: row.content })
      }
      const state = (await catalogue.previous(key))!
      if (state.snapshot === snapshot) expect(state.state.counts.items).toBe(items.length)
    }
  }

  const preview = (at = world.clock.now()) => world.retention.preview(administrator, REPOSITORY, { at })

  const expired = ({ objects }: Awaited<ReturnType<typeof preview>>): number =>
    objects.reduce((sum, { expiredItems }) => sum + expiredItems, 0)

  it('takes what is too old out of every point, and ends well', async () => {
    mail('old', 20)
    mail('young', 1)
    file('a', 20)
    file('b', 2)
    await backUp()
    mail('later', 0)
    await world.days(3)
    await backUp()
    await world.days(8)
    await backUp()
    const told = await preview()
    const items = await world.retention.previewItems(administrator, REPOSITORY, { at: world.clock.now() })
    const run = await world.retain()
    expect(run).toMatchObject({ status: 'Success', removedPoints: 0, rewrittenPoints: 3, removedItems: 2 })
    expect(expired(told)).toBe(2)
    expect(items).toMatchObject({ totalCount: 2, items: [{ name: 'old', kind: 'mail' }, { name: 'a.txt' }] })
    const [first, , last] = await contents()
    expect(first).toEqual(['mail-meg:young', 'onedrive-meg:b(0)'])
    expect(last).toEqual(['mail-meg:later', 'mail-meg:young', 'onedrive-meg:b(0)'])
    await isWhole()
    expect(await world.retain()).toMatchObject({ status: 'Success', removedItems: 0, rewrittenPoints: 0 })
  })

  it('lets the next run of an unchanged tenant read nothing, also in full and after a lapsed token', async () => {
    for (let n = 0; n < 12; n += 1) mail(`m${n}`, n * 4)
    for (let n = 0; n < 6; n += 1) file(`f${n}`, n * 8)
    world.backup.itemCutoff = undefined
    await world.run({ fileVersions: 'All' })
    await world.retain()
    const before = await contents()
    const reads = world.backup.drives.get('meg')!.calls.contents
    await backUp()
    expect((await contents()).at(-1)).toEqual(before.at(-1))
    world.backup.mailboxes.get('meg')!.expireTokens()
    world.backup.drives.get('meg')!.expireTokens()
    await backUp()
    expect((await contents()).at(-1)).toEqual(before.at(-1))
    expect(world.backup.drives.get('meg')!.calls.contents).toBe(reads)
    world.backup.itemCutoff = await itemCutoffOf(world.parts, { jobId: 'job-1', repositoryId: REPOSITORY })
    await world.run({ fileVersions: 'All', full: true })
    expect((await contents()).at(-1)).toEqual(before.at(-1))
    await isWhole()
  })

  it('takes an old file that is changed again as a new one, without the version that is too old', async () => {
    file('f', 40)
    await world.run()
    await world.retain()
    expect((await contents()).at(-1)).toEqual([])
    await world.days(1)
    file('f', 0)
    await backUp()
    expect((await contents()).at(-1)).toEqual(['onedrive-meg:f(0)'])
    await isWhole()
  })

  it('goes by the last word on an item, also where it is older than the one before', async () => {
    file('f', 5)
    file('g', 5)
    await world.run()
    file('f', 45)
    await world.run()
    await world.retain()
    expect(await contents()).toEqual([['onedrive-meg:f', 'onedrive-meg:g'], ['onedrive-meg:g']])
    await isWhole()
  })

  it('lets all that is held be, in all points, until the hold is released', async () => {
    for (const user of ['meg', 'bob']) for (const days of [10, 40]) mail(`${user}${days}`, days, user)
    await world.run()
    const hold = await world.holds.set(administrator, {
      organizationId: ORGANIZATION,
      userId: 'bob',
      reason: 'case 7',
    })
    expect(await world.retain()).toMatchObject({ removedItems: 1 })
    expect(await contents()).toEqual([['mail-bob:bob10', 'mail-bob:bob40', 'mail-meg:meg10']])
    await isWhole()
    await world.holds.release(administrator, hold.id, { reason: 'closed' })
    await world.retain()
    expect(await contents()).toEqual([['mail-bob:bob10', 'mail-meg:meg10']])
  })

  it('removes nothing while the clock is in doubt, and backups read everything then', async () => {
    mail('old', 20)
    await backUp()
    world.clock.advance(400 * DAY_MS)
    expect(await itemCutoffOf(world.parts, { jobId: 'job-1', repositoryId: REPOSITORY })).toBeUndefined()
    expect(await world.retain()).toMatchObject({ status: 'Warning', removedItems: 0 })
    expect((await contents()).at(-1)).toEqual(['mail-meg:old'])
  })

  it('leaves each job the items of its own rule', async () => {
    await world.addJob('job-2')
    mail('old', 40)
    mail('young', 1)
    await world.run()
    await world.run({ jobId: 'job-2' })
    await world.retention.setJobRule(administrator, 'job-2', { type: 'ItemLevel', keep: { forever: true } })
    await world.retain()
    expect(await contents()).toEqual([['mail-meg:young'], ['mail-meg:old', 'mail-meg:young']])
    await isWhole()
  })

  it('removes what the preview said, whatever there is and however long it is kept', async () => {
    const ages = fc.array(fc.integer({ min: 0, max: 120 }), { minLength: 1, maxLength: 12 })
    const sets = fc.sample(fc.tuple(ages, ages, fc.integer({ min: 100, max: 20 * 7 })), {
      numRuns: 5,
      seed: 11,
    })
    let n = 0
    for (const [mails, files] of sets) {
      for (const days of mails) mail(`m${(n += 1)}`, days)
      for (const days of files) file(`f${(n += 1)}`, days)
      await world.run({ fileVersions: 'All' })
      await world.days(1)
    }
    for (const period of [115, 90, 60, 33, 10]) {
      await world.set({ dailyRetentionPeriod: period })
      const told = await preview()
      const run = await world.retain()
      expect(run.removedItems).toBe(expired(told))
      expect(expired(await preview())).toBe(0)
      const cutoff = daysAgo(period)
      for (const { key, version } of world.backup.catalogue
        .points()
        .flatMap(({ snapshot }) => world.backup.catalogue.objectsAt(snapshot)))
        for (const row of world.backup.catalogue.items(key, version, undefined, { offset: 0, limit: 1000 })
          .items)
          expect(Date.parse((isDriveRow(row) ? row.modifiedAt : row.receivedAt)!)).toBeGreaterThanOrEqual(
            cutoff.getTime() - 1000,
          )
      await isWhole()
    }
  })

  it('killed at any write and started again ends as if it had not been', async () => {
    for (const days of [1, 10, 35, 50]) mail(`m${days}`, days)
    file('f', 50)
    await world.run()
    mail('new', 0)
    await world.run()
    for (const writes of [0, 1, 2, 3, 4, 5]) {
      await world.backup.restart(dyingStorage(world.backup.storage, writes))
      await world.retention.start(administrator, REPOSITORY).catch(() => undefined)
      await world.runner.drain()
      await world.backup.restart()
      world.restartRunner()
    }
    expect((await world.retain()).status).toBe('Success')
    expect(await contents()).toEqual([
      ['mail-meg:m1', 'mail-meg:m10'],
      ['mail-meg:m1', 'mail-meg:m10', 'mail-meg:new'],
    ])
    await isWhole()
  })
})
