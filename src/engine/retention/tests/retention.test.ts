import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { jobRows } from '#database'
import { keepWorkers } from '../../backup/tests/backup-world.ts'
import { dyingStorage } from '../../backup/tests/dying-storage.ts'
import type { Keep } from '../retention-rule.ts'
import { administrator, ORGANIZATION, REPOSITORY, RetentionWorld } from './retention-world.ts'

keepWorkers()

/** Each day another mail comes and one is deleted. */
const dailyRuns = async (world: RetentionWorld, days: number): Promise<void> => {
  const meg = world.backup.mailboxes.get('meg') ?? world.backup.mailbox('meg').folder('in', 'Inbox')
  for (let day = 0; day < days; day += 1) {
    await world.days(1)
    const n = meg.calls.changes + day
    meg.put(`m${n}`, 'in', { subject: `Mail ${n}` }).put('always', 'in', { isRead: day % 2 === 0 })
    if (day > 0) meg.delete(`m${n - 2}`)
    await world.run()
  }
}

describe('retention by points', () => {
  let world: RetentionWorld
  beforeEach(async () => {
    world = await RetentionWorld.start()
  })
  afterEach(async () => {
    await world[Symbol.asyncDispose]()
  })

  const check = async (): Promise<void> => {
    expect(await world.backup.repository.check({ readData: true })).toMatchObject({ problems: [] })
  }

  it('removes what is older than the period, gives the space back, and leaves a sound repository', async () => {
    await dailyRuns(world, 6)
    expect(await world.points()).toHaveLength(6)
    const run = await world.retain()
    expect(run).toMatchObject({ status: 'Success', removedPoints: 3, keptPoints: 3 })
    expect(await world.points()).toEqual(['run-4', 'run-5', 'run-6'])
    expect(run.freedBytes).toBeGreaterThan(0)
    const { items } = await world.retention.logItems(administrator, run.id)
    expect(items[0]!.message).toMatch(/^Removed the restore point of .*: not kept by the rule/)
    await check()
    await world.run()
    await check()
  })

  it('does what the preview said, whatever the rules are', async () => {
    await dailyRuns(world, 7)
    const keep = fc.record<Keep>(
      { last: fc.nat(7), daily: fc.nat(7), weekly: fc.nat(3), monthly: fc.nat(2) },
      { requiredKeys: ['last'] },
    )
    // Wider rules first: what went does not come back.
    for (const wanted of fc.sample(keep, { numRuns: 8, seed: 3 })) {
      await world.retention.setJobRule(administrator, 'job-1', { type: 'SnapshotBased', keep: wanted })
      const at = world.clock.now()
      const preview = await world.retention.preview(administrator, REPOSITORY, { at })
      const told = preview.points.filter(({ goes }) => !goes).map(({ point }) => point.id)
      const run = await world.retain()
      expect((await world.points()).sort()).toEqual(told.sort())
      expect(run.removedPoints).toBe(preview.pointsGoing)
    }
    await check()
  })

  it('shows what would go without touching it', async () => {
    await dailyRuns(world, 6)
    const preview = await world.retention.preview(administrator, REPOSITORY)
    expect(preview).toMatchObject({ pointsGoing: 3, pointsStaying: 3, rule: 'points of 3 days' })
    expect(preview.points.map(({ reasons }) => reasons[0]!.kind)).toEqual([
      ...Array<string>(3).fill('Age'),
      'Expired',
      'Expired',
      'Expired',
    ])
    expect(preview.objects).toMatchObject([{ userId: 'meg', kind: 'mail' }])
    expect(preview.objects[0]!.items).toBeGreaterThan(0)
    const later = new Date(world.clock.nowMs() + 400 * 86_400_000)
    const far = await world.retention.preview(administrator, REPOSITORY, { at: later })
    expect(far.points.filter(({ goes }) => !goes).map(({ reasons }) => reasons[0]!.kind)).toEqual(['Newest'])
    expect(await world.points()).toHaveLength(6)
  })

  it('keeps the last of a job that stopped running, and lets all go when the job is gone', async () => {
    await dailyRuns(world, 2)
    await world.days(5)
    await world.retain()
    expect(await world.points()).toEqual(['run-2'])
    await jobRows.remove(world.database.queries, 'job-1')
    await world.retain()
    expect(await world.points()).toEqual([])
    await check()
  })

  it("follows a job's own rule before the repository's, and the repository's again without it", async () => {
    await world.addJob('job-2')
    await dailyRuns(world, 2)
    await world.run({ jobId: 'job-2' })
    await world.days(4)
    await world.run()
    await world.retention.setJobRule(administrator, 'job-1', {
      type: 'SnapshotBased',
      keep: { forever: true },
    })
    expect(await world.retain()).toMatchObject({ removedPoints: 0 })
    await world.retention.removeJobRule(administrator, 'job-1')
    expect(await world.retain()).toMatchObject({ removedPoints: 2 })
    expect(await world.points()).toEqual(['run-3', 'run-4'])
  })

  it('lets an object that nobody protects any more age out with its points', async () => {
    world.backup.mailbox('bob').folder('in', 'Inbox').put('b', 'in')
    await dailyRuns(world, 1)
    world.backup.mailboxes.delete('bob')
    await dailyRuns(world, 1)
    await world.days(3)
    await world.run()
    const preview = await world.retention.preview(administrator, REPOSITORY)
    expect(preview.objects.map(({ userId }) => userId)).toContain('bob')
    await world.retain()
    expect(world.backup.catalogue.points('mail-bob')).toEqual([])
  })

  it('leaves points of an object under hold until the hold is released', async () => {
    world.backup.mailbox('bob').folder('in', 'Inbox').put('b', 'in')
    await dailyRuns(world, 1)
    world.backup.mailboxes.delete('bob')
    await dailyRuns(world, 1)
    await world.days(9)
    await world.run()
    const hold = await world.holds.set(administrator, {
      organizationId: ORGANIZATION,
      userId: 'bob',
      reason: 'case 7',
    })
    await world.retain()
    expect(await world.points()).toEqual(['run-1', 'run-3'])
    const preview = await world.retention.preview(administrator, REPOSITORY)
    expect(preview.points.at(-1)!.reasons).toMatchObject([{ kind: 'Hold', holdId: hold.id }])
    await world.holds.release(administrator, hold.id, { reason: 'closed' })
    await world.retain()
    expect(await world.points()).toEqual(['run-3'])
    const actions = (await world.audit.list(administrator, { limit: 100 })).items.map(({ action }) => action)
    expect(actions).toEqual(
      expect.arrayContaining(['legalHolds.set', 'legalHolds.release', 'retention.start']),
    )
  })

  it('keeps what an unfinished run has saved', async () => {
    await dailyRuns(world, 2)
    world.backup.savePointMs = -1
    const controller = new AbortController()
    const meg = world.backup.mailboxes.get('meg')!
    meg.put('late', 'in')
    meg.beforePage = () => controller.abort(new Error('killed'))
    await expect(world.backup.run({ signal: controller.signal, sessionId: 'cut' })).rejects.toThrow('killed')
    meg.beforePage = () => {}
    const { checkpointRows } = await import('#database')
    for (const [key, value] of world.backup.checkpoints)
      await checkpointRows.put(world.database.queries, 'cut', key, value)
    await world.days(9)
    await jobRows.remove(world.database.queries, 'job-1')
    await world.retain()
    for (const value of world.backup.checkpoints.values()) {
      const { stateTree } = value as { stateTree: never }
      expect(await world.backup.repository.tree(stateTree)).not.toEqual([])
    }
  })

  it('keeps what a backup that is under way may go on from, and gives it back with the next run', async () => {
    await dailyRuns(world, 2)
    await world.days(9)
    const trees = world.backup.catalogue.points().map(({ tree }) => tree)
    await world.addJob('other')
    await jobRows.remove(world.database.queries, 'job-1')
    const { queries } = world.database
    await world.tasks.add(queries, { kind: 'job-run', key: 'other', payload: {} })
    const task = await world.tasks.lease('job-run')
    await world.retain()
    expect(await world.points()).toEqual([])
    for (const tree of trees) expect(await world.backup.repository.tree(tree)).not.toEqual([])
    await world.tasks.finish(queries, task!)
    expect((await world.retain()).freedBytes).toBeGreaterThan(0)
    for (const tree of trees) expect(world.backup.repository.hasBlob('tree', tree)).toBe(false)
  })

  it('killed at any write and started again ends as if it had not been', async () => {
    await dailyRuns(world, 6)
    for (const writes of [0, 1, 2, 3]) {
      await world.backup.restart(dyingStorage(world.backup.storage, writes))
      await world.retention.start(administrator, REPOSITORY).catch(() => undefined)
      await world.runner.drain()
      await world.backup.restart()
      world.restartRunner()
    }
    const run = await world.retain()
    expect(run.status).toBe('Success')
    expect(await world.points()).toEqual(['run-4', 'run-5', 'run-6'])
    await check()
  })

  it('begins by the schedule, once, and is left out while one waits', async () => {
    await dailyRuns(world, 6)
    await world.scheduler.tick()
    expect((await world.retention.runs(administrator)).totalCount).toBe(0)
    await world.days(1)
    await world.scheduler.tick()
    await world.scheduler.tick()
    expect((await world.retention.runs(administrator)).items).toMatchObject([
      { status: 'Queued', initiatedBy: 'holdfast' },
    ])
    await world.days(1)
    await world.scheduler.tick()
    expect((await world.retention.runs(administrator)).totalCount).toBe(1)
    await world.runner.drain()
    expect((await world.retention.runs(administrator)).items[0]).toMatchObject({
      status: 'Success',
      removedPoints: 4,
    })
  })
})

describe('a clock that jumped', () => {
  it.each([
    ['ahead', 400],
    ['back', -1],
  ])('%s lets nothing go, until a person confirms it', async (_where, days) => {
    await using world = await RetentionWorld.start()
    await dailyRuns(world, 6)
    await world.guard.look()
    world.clock.advance(days * 86_400_000)
    await world.scheduler.tick()
    const run = await world.retain()
    expect(run).toMatchObject({ status: 'Warning', removedPoints: 0 })
    expect(run.details).toMatch(/^Nothing was removed .* the clock/)
    expect((await world.retention.preview(administrator, REPOSITORY)).clockDoubt).toMatch('the clock')
    expect(await world.points()).toHaveLength(6)
    world.clock.advance(3_600_000)
    world.restartRunner()
    expect(await world.retain()).toMatchObject({ status: 'Warning', removedPoints: 0 })
    const confirmed = await world.retain({ confirmClock: true })
    expect(confirmed.status).toBe('Success')
    expect(confirmed.removedPoints).toBe(days > 0 ? 5 : 2)
  })

  it('and was set back lets a run that was asked for meanwhile count from the right time', async () => {
    await using world = await RetentionWorld.start()
    await dailyRuns(world, 5)
    await world.guard.look()
    world.clock.advance(400 * 86_400_000)
    const { id } = await world.retention.start(administrator, REPOSITORY)
    world.clock.advance(-400 * 86_400_000)
    await world.runner.drain()
    expect(await world.retention.run(administrator, id)).toMatchObject({
      status: 'Success',
      removedPoints: 2,
    })
  })

  it('does not put off the next clean-up to its own time', async () => {
    await using world = await RetentionWorld.start()
    await world.scheduler.tick()
    world.clock.advance(400 * 86_400_000)
    await world.scheduler.tick()
    world.clock.advance(-400 * 86_400_000)
    await world.scheduler.tick()
    const preview = await world.retention.preview(administrator, REPOSITORY)
    expect(preview.at.getTime() - world.clock.nowMs()).toBeLessThanOrEqual(86_400_000)
  })
})
