import { afterEach, describe, expect, it } from 'vitest'
import { jobRows } from '#database'
import { initRepository } from '#repository'
import { memoryStorage, type Storage } from '#storage'
import { BackupWorld, clock, keepWorkers, options } from '../../backup/tests/backup-world.ts'
import { dyingStorage } from '../../backup/tests/dying-storage.ts'
import { ShardedWorld } from '../../backup/tests/sharded-world.ts'
import { openCatalogue } from '../../catalogue/catalogue.ts'
import { OBJECTS_FOLDER } from '../../catalogue/object-state.ts'
import { expiredSnapshots } from '../expired-snapshots.ts'
import { RetentionRunner } from '../retention-runner.ts'
import { Retentions } from '../retentions.ts'
import { administrator, DAY_MS, ORGANIZATION, REPOSITORY, RetentionWorld } from './retention-world.ts'

keepWorkers()

describe('points that no rule keeps, and that hold an object under legal hold', () => {
  let world: RetentionWorld
  afterEach(async () => {
    await world[Symbol.asyncDispose]()
  })

  /** Of each user a mailbox and a drive with something new each day; then time goes on until the rule keeps the last alone. */
  const start = async (
    of: { readonly type?: 'ItemLevel' | 'SnapshotBased'; readonly backup?: BackupWorld } = {},
  ): Promise<void> => {
    world = await RetentionWorld.start({ retentionType: of.type ?? 'SnapshotBased' }, of.backup)
    for (const user of ['meg', 'bob', 'kim']) {
      world.backup.mailbox(user).folder('in', 'Inbox')
      world.backup.drive(user)
    }
    for (let day = 1; day <= 3; day += 1) {
      for (const user of ['meg', 'bob', 'kim']) {
        const receivedAt = world.clock.now()
        const subject = `${user}'s of day ${day}`
        world.backup.mailboxes.get(user)!.put(`${user}${day}`, 'in', { subject, receivedAt })
        world.backup.drives
          .get(user)!
          .file(`f${day}`, `${day}.txt`, 'root', subject, { modifiedAt: receivedAt })
      }
      await world.run()
      await world.days(day === 3 ? 4 : 1)
    }
    await world.run()
  }
  const hold = (userId: string, objectType?: string) =>
    world.holds.set(administrator, {
      organizationId: ORGANIZATION,
      userId,
      reason: 'case 7',
      ...(objectType === undefined ? {} : { objectType }),
    })
  /** By run: the objects of its point with their items, by the catalogues. */
  const contents = async (): Promise<Record<string, string[]>> => {
    const found: Record<string, string[]> = {}
    for (const { repository, catalogue } of world.backup.opened) {
      await repository.refresh()
      await catalogue.sync()
      await catalogue.load()
      for (const { snapshot, sessionId } of catalogue.points().reverse())
        for (const { key, version } of catalogue.objectsAt(snapshot)) {
          const { items } = catalogue.items(key, version, undefined, { offset: 0, limit: 100 })
          found[sessionId] = [
            ...(found[sessionId] ?? []),
            `${key}: ${items
              .map(({ id }) => id)
              .sort()
              .join()}`,
          ]
        }
    }
    for (const list of Object.values(found)) list.sort()
    return found
  }
  /** Sound, and the catalogue, the trees and the records of runs say the same, in a new cache too. */
  const isWhole = async (): Promise<void> => {
    for (const { repository } of world.backup.opened) {
      expect(await repository.check({ readData: true })).toMatchObject({ problems: [] })
      using fresh = openCatalogue(':memory:', repository)
      await fresh.sync()
      for (const { snapshot, run, tree } of fresh.points()) {
        const keys = fresh.objectsAt(snapshot).map(({ key }) => key)
        expect(run.objects.map(({ key }) => key).sort()).toEqual(keys)
        const folder = await repository.entryAt(tree, OBJECTS_FOLDER)
        const entries = folder?.type === 'folder' ? await repository.tree(folder.subtree) : []
        expect(entries.map(({ name }) => name).sort()).toEqual(keys)
        const users = await repository.entryAt(tree, 'users')
        const held = users?.type === 'folder' ? await repository.tree(users.subtree) : []
        const named = new Set(keys.map((key) => key.replace(/^(mail|onedrive)-/, '')))
        for (const { name } of held) expect(named).toContain(name.split('@')[0])
      }
    }
  }
  const preview = () => world.retention.preview(administrator, REPOSITORY, { at: world.clock.now() })
  const BOBS = {
    'run-1': ['mail-bob: bob1', 'onedrive-bob: f1'],
    'run-2': ['mail-bob: bob1,bob2', 'onedrive-bob: f1,f2'],
    'run-3': ['mail-bob: bob1,bob2,bob3', 'onedrive-bob: f1,f2,f3'],
  }

  it('keep that object, and nothing else', async () => {
    await start()
    const last = (await contents())['run-4']!
    expect(last).toHaveLength(6)
    const { id } = await hold('bob')
    const told = await preview()
    expect(told).toMatchObject({ pointsGoing: 0, pointsStaying: 4, pointsReduced: 3 })
    expect(told.points.at(-1)).toMatchObject({
      goes: false,
      heldAlone: ['mail-bob', 'onedrive-bob'],
      reasons: [{ kind: 'Hold', holdId: id }, { kind: 'Expired' }],
    })
    const run = await world.retain()
    expect(run).toMatchObject({ status: 'Success', removedPoints: 0, keptPoints: 4, rewrittenPoints: 3 })
    expect(run.freedBytes).toBeGreaterThan(0)
    expect(await contents()).toEqual({ ...BOBS, 'run-4': last })
    await isWhole()
    expect(await preview()).toMatchObject({ pointsReduced: 0 })
    expect(await world.retain()).toMatchObject({ status: 'Success', rewrittenPoints: 0 })
  })

  it('lose what a release no longer holds, and go when nothing in them is held', async () => {
    await start()
    const mail = await hold('bob', 'Mailbox')
    const drive = await hold('bob', 'OneDrive')
    await world.retain()
    await world.holds.release(administrator, drive.id, { reason: 'closed' })
    await world.retain()
    expect(Object.values(await contents()).slice(0, 3)).toEqual(Object.values(BOBS).map(([first]) => [first]))
    await isWhole()
    await world.holds.release(administrator, mail.id, { reason: 'closed' })
    expect(await world.retain()).toMatchObject({ removedPoints: 3 })
    expect(Object.keys(await contents())).toEqual(['run-4'])
    await isWhole()
  })

  it('let the next run go on from what the newest point has', async () => {
    await start()
    await hold('bob')
    await world.retain()
    const reads = world.backup.drives.get('kim')!.calls.contents
    const last = (await contents())['run-4']
    await world.run()
    expect((await contents())['run-5']).toEqual(last)
    expect(world.backup.drives.get('kim')!.calls.contents).toBe(reads)
    await isWhole()
  })

  it.each(['SnapshotBased', 'ItemLevel'] as const)(
    'keep it in its shard, and leave the others (%s)',
    async (type) => {
      await start({ type, backup: await ShardedWorld.of(4) })
      await hold('bob')
      const isByItems = type === 'ItemLevel'
      expect(await world.retain()).toMatchObject({ status: 'Success', rewrittenPoints: isByItems ? 4 : 3 })
      const { 'run-4': last, ...former } = await contents()
      expect(former).toEqual(BOBS)
      // Others' items that are too old have left the newest point too.
      expect(last).toContain(isByItems ? 'mail-kim: ' : 'mail-kim: kim1,kim2,kim3')
      expect(last).toContain('mail-bob: bob1,bob2,bob3')
      await isWhole()
      expect(await world.retain()).toMatchObject({ status: 'Success', rewrittenPoints: 0 })
    },
  )

  it('are not what a wider rule counts afterwards', async () => {
    await start()
    const keep = (daily: number) =>
      world.retention.setJobRule(administrator, 'job-1', { type: 'SnapshotBased', keep: { daily } })
    await keep(2)
    await hold('bob')
    await world.retain()
    await keep(4)
    // The points of two days are whole. Those that are reduced stay for the hold alone.
    const { points } = await preview()
    expect(points.map(({ reasons }) => reasons.map(({ kind }) => kind))).toEqual([
      ['Calendar', 'Newest', 'Hold'],
      ['Calendar', 'Hold'],
      ['Hold'],
      ['Hold'],
    ])
  })

  it('stay for what is held when their job is gone', async () => {
    await start()
    await hold('kim', 'OneDrive')
    await jobRows.remove(world.database.queries, 'job-1')
    await world.retain()
    await world.days(4)
    await world.retain()
    expect(Object.values(await contents())).toEqual([
      ['onedrive-kim: f1'],
      ['onedrive-kim: f1,f2'],
      ['onedrive-kim: f1,f2,f3'],
      ['onedrive-kim: f1,f2,f3'],
    ])
    await isWhole()
  })

  it('are there twice until the storage lets go of the whole ones, and what is held stays immutable', async () => {
    const policy = { periodMs: 10 * DAY_MS, windowMs: 4 * DAY_MS }
    const backup = new BackupWorld()
    backup.storage = memoryStorage('immutable', { immutable: policy, clock })
    backup.repository = await initRepository(backup.storage, options)
    backup.catalogue = openCatalogue(':memory:', backup.repository)
    await start({ backup })
    const { storage } = world.backup
    const until = (path: string) => storage.retention!.until(path.replace('contoso/s00/', ''))
    const place = { retention: { ...storage.retention!, until } } as unknown as Storage
    const repositories = { ...world.parts.repositories, storageFor: async () => Promise.resolve(place) }
    const parts = { ...world.parts, repositories }
    await using runner = new RetentionRunner(parts)
    const retention = new Retentions({ ...parts, runner })
    const retain = async () => {
      const { id } = await retention.start(administrator, REPOSITORY)
      await runner.drain()
      return retention.run(administrator, id)
    }
    await hold('bob')
    const whole = new Set<string>(world.backup.catalogue.points().map(({ snapshot }) => snapshot))
    const newest = world.backup.catalogue.points()[0]!.snapshot
    expect((await expiredSnapshots(parts, REPOSITORY)).size).toBe(0)
    expect(await retain()).toMatchObject({ status: 'Warning', rewrittenPoints: 3 })
    await contents()
    expect(world.backup.catalogue.points()).toHaveLength(7)
    const { points } = await retention.preview(administrator, REPOSITORY, { at: world.clock.now() })
    expect(points.at(-1)!.reasons.map(({ kind }) => kind)).toEqual(['Hold', 'Locked', 'Expired'])
    // The dates of the whole ones run out, those of what is held alone are moved on.
    whole.delete(newest)
    expect(await expiredSnapshots(parts, REPOSITORY)).toEqual(whole)
    expect(await retain()).toMatchObject({ status: 'Warning' })
    await world.days(15)
    await world.run()
    expect(await retain()).toMatchObject({ status: 'Success' })
    const { 'run-5': _last, ...former } = await contents()
    expect(former).toEqual({ ...BOBS, 'run-4': BOBS['run-3'] })
    expect(world.backup.catalogue.points()).toHaveLength(5)
    await isWhole()
  })

  it('killed at any write and started again end as if it had not been', async () => {
    await start()
    await hold('bob')
    for (const writes of [0, 1, 2, 3, 4, 5, 6]) {
      await world.backup.restart(dyingStorage(world.backup.storage, writes))
      await world.retention.start(administrator, REPOSITORY).catch(() => undefined)
      await world.runner.drain()
      await world.backup.restart()
      world.restartRunner()
    }
    expect(await world.retain()).toMatchObject({ status: 'Success' })
    const { 'run-4': _last, ...former } = await contents()
    expect(former).toEqual(BOBS)
    expect(world.backup.catalogue.points()).toHaveLength(4)
    await isWhole()
  })
})
