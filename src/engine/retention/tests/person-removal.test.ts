import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { jobItemRows } from '#database'
import { keepWorkers } from '../../backup/tests/backup-world.ts'
import { dyingStorage } from '../../backup/tests/dying-storage.ts'
import { administrator, ORGANIZATION, RetentionWorld } from './retention-world.ts'

keepWorkers()

const SHARED = randomBytes(40_000)
const HERS = randomBytes(40_000)

describe('the removal of a person', () => {
  let world: RetentionWorld
  beforeEach(async () => {
    world = await RetentionWorld.start()
    const meg = world.backup.mailbox('meg').folder('in', 'Inbox')
    const bob = world.backup.mailbox('bob').folder('in', 'Inbox')
    const attachment = (name: string, bytes: Buffer) => [{ name, bytes }]
    meg.put('m1', 'in', { subject: 'Secret of Meg' }, attachment('to all', SHARED))
    bob.put('b1', 'in', { subject: 'Of Bob' }, attachment('to all', SHARED))
    world.backup.drive('meg').folder('d', 'Docs').file('f1', 'diary', 'd', HERS.toString('latin1'))
    await world.run()
    meg.put('m2', 'in', { subject: 'Second of Meg' })
    await world.days(1)
    await world.run()
  })
  afterEach(async () => {
    await world[Symbol.asyncDispose]()
  })

  const request = (userId: string) =>
    world.removals.request(administrator, ORGANIZATION, { userId, confirmation: userId, reason: 'asked' })
  const remove = async (userId: string) => {
    const { id } = await request(userId)
    await world.runner.drain()
    return world.removals.get(administrator, ORGANIZATION, id)
  }
  const users = async (): Promise<Set<string>> => {
    await world.backup.repository.refresh()
    await world.backup.catalogue.sync()
    const { catalogue } = world.backup
    return new Set(
      catalogue.points().flatMap(({ snapshot }) => catalogue.objectsAt(snapshot).map(({ userId }) => userId)),
    )
  }
  const check = async (): Promise<void> => {
    expect(await world.backup.repository.check({ readData: true })).toMatchObject({ problems: [] })
  }

  it('leaves nothing of them in any point, and everything of the others', async () => {
    const bobBefore = (await world.backup.paths()).filter((path) => path.startsWith('bob@'))
    const removal = await remove('meg')
    expect(removal).toMatchObject({ status: 'Success', isProven: true, rewrittenPoints: 2, jobs: ['job-1'] })
    expect(removal.removedBlobs).toBeGreaterThan(5)
    expect(removal.sharedBlobs).toBeGreaterThan(0)
    expect(await users()).toEqual(new Set(['bob']))
    expect(await world.points()).toEqual(['run-1', 'run-2'])
    expect(await world.backup.paths()).toEqual(bobBefore)
    for (const { run } of world.backup.catalogue.points())
      expect(run.objects.map(({ key }) => key)).toEqual(['mail-bob'])
    expect(world.removedCaches).toEqual([ORGANIZATION])
    expect(world.endedSessions).toEqual([ORGANIZATION])
    await check()
  })

  it('removes points that held nobody else', async () => {
    await remove('bob')
    await remove('meg')
    expect(await world.points()).toEqual([])
    await check()
  })

  it('is put on record without the content', async () => {
    const removal = await remove('meg')
    const { items } = await world.audit.list(administrator, { limit: 100 })
    expect(items.map(({ action }) => action)).toEqual(['personRemovals.request', 'personRemovals.done'])
    expect(JSON.stringify([items, removal])).not.toMatch('Secret')
    expect((await world.removals.list(administrator, ORGANIZATION)).items).toMatchObject([
      { id: removal.id, userId: 'meg', requestedBy: 'administrator', reason: 'asked' },
    ])
  })

  it('is refused under legal hold, and without the typed confirmation', async () => {
    const wrong = { userId: 'meg', confirmation: 'bob' }
    await expect(world.removals.request(administrator, ORGANIZATION, wrong)).rejects.toThrow('confirmation')
    const hold = { organizationId: ORGANIZATION, userId: 'meg', objectType: 'OneDrive', reason: 'case' }
    await world.holds.set(administrator, hold)
    await expect(request('meg')).rejects.toThrow('legal hold')
    expect(await users()).toContain('meg')
  })

  it('heeds a hold that is set while it waits', async () => {
    const { id } = await request('meg')
    await world.holds.set(administrator, { organizationId: ORGANIZATION, userId: 'meg', reason: 'case' })
    await world.runner.drain()
    expect((await world.removals.get(administrator, ORGANIZATION, id)).status).toBe('Failed')
    expect(await users()).toContain('meg')
  })

  it('tells of no job that leaves the person out', async () => {
    await jobItemRows.insert(world.database.queries, {
      id: 'i',
      jobId: 'job-1',
      list: 'excluded',
      objectKey: 'user meg',
      position: 1,
      item: { type: 'User', user: { id: 'meg' } },
    })
    expect((await remove('meg')).jobs).toEqual([])
  })

  it('killed at any write and started again ends with the proof', async () => {
    const statusOf = async () => (await world.removals.list(administrator, ORGANIZATION)).items[0]!.status
    await request('meg')
    for (const writes of [0, 1, 2, 3, 5, 8, 1_000]) {
      if ((await statusOf()) === 'Failed') await request('meg')
      await world.backup.restart(dyingStorage(world.backup.storage, writes))
      await world.runner.drain()
      await world.backup.restart()
      world.restartRunner()
      // As a start does with the locks of processes that are gone; this one is alive.
      const { storage } = world.backup
      for await (const { path } of storage.list('locks')) await storage.remove(path)
      await world.days(1)
    }
    expect((await world.removals.list(administrator, ORGANIZATION)).items[0]).toMatchObject({
      status: 'Success',
      isProven: true,
    })
    expect(await users()).toEqual(new Set(['bob']))
    await check()
  })
})
