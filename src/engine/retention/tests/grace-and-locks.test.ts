import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Storage } from '#storage'
import { keepWorkers } from '../../backup/tests/backup-world.ts'
import { expiredSnapshots } from '../expired-snapshots.ts'
import { PersonRemovals } from '../person-removals.ts'
import { RetentionRunner } from '../retention-runner.ts'
import { Retentions } from '../retentions.ts'
import { administrator, DAY_MS, ORGANIZATION, REPOSITORY, RetentionWorld } from './retention-world.ts'

keepWorkers()

describe('what waits', () => {
  let world: RetentionWorld
  beforeEach(async () => {
    world = await RetentionWorld.start()
    const meg = world.backup.mailbox('meg').folder('in', 'Inbox')
    for (let day = 0; day < 5; day += 1) {
      meg.put(`m${day}`, 'in', { subject: `Mail ${day}` })
      if (day > 0) meg.delete(`m${day - 1}`)
      await world.run()
      await world.days(1)
    }
  })
  afterEach(async () => {
    await world[Symbol.asyncDispose]()
  })

  const packs = async (): Promise<number> => (await Array.fromAsync(world.backup.storage.list('data'))).length

  it('is given back when the grace period is over, and not before', async () => {
    const parts = { ...world.parts, graceMs: 2 * DAY_MS }
    await using runner = new RetentionRunner(parts)
    const retention = new Retentions({ ...parts, runner })
    expect(await retention.grace(administrator, REPOSITORY)).toMatchObject({ from: 'server' })
    const { graceMs } = await retention.preview(administrator, REPOSITORY, { at: world.clock.now() })
    expect(graceMs).toBe(2 * DAY_MS)
    const { id } = await retention.start(administrator, REPOSITORY)
    await runner.drain()
    const run = await retention.run(administrator, id)
    expect(run.removedPoints).toBeGreaterThan(0)
    expect(run.waitingBytes).toBeGreaterThan(0)
    expect(run.freedBytes).toBe(0)
    const waiting = await packs()
    await world.days(1)
    await runner.drain()
    expect(await packs()).toBe(waiting)
    await world.days(2)
    await runner.drain()
    expect(await packs()).toBeLessThan(waiting)
    expect(await world.backup.repository.check({ readData: true })).toMatchObject({ problems: [] })
  })

  it('does not wait in a repository whose own grace period is none', async () => {
    const parts = { ...world.parts, graceMs: 2 * DAY_MS }
    await using runner = new RetentionRunner(parts)
    const retention = new Retentions({ ...parts, runner })
    expect(await retention.setGrace(administrator, REPOSITORY, 0)).toMatchObject({
      graceMs: 0,
      from: 'repository',
    })
    const { id } = await retention.start(administrator, REPOSITORY)
    await runner.drain()
    expect((await retention.run(administrator, id)).freedBytes).toBeGreaterThan(0)
    expect(await retention.setGrace(administrator, REPOSITORY, undefined)).toMatchObject({ from: 'server' })
    await expect(retention.setGrace(administrator, REPOSITORY, -1)).rejects.toMatchObject({ code: 'invalid' })
  })

  it('is named with its date where the storage keeps it, and nobody is removed from it', async () => {
    const until = new Date(world.clock.nowMs() + 30 * DAY_MS)
    const storage = { retention: { until: async () => Promise.resolve(until) } } as unknown as Storage
    const repositories = { ...world.parts.repositories, storageFor: async () => Promise.resolve(storage) }
    const parts = { ...world.parts, repositories, runner: world.runner }
    const free = await world.retention.preview(administrator, REPOSITORY, { at: world.clock.now() })
    expect(free.pointsGoing).toBeGreaterThan(0)
    const preview = await new Retentions(parts).preview(administrator, REPOSITORY, { at: world.clock.now() })
    expect(preview.pointsGoing).toBe(0)
    const locked = preview.points.filter(({ reasons }) => reasons.some(({ kind }) => kind === 'Locked'))
    expect(locked).toHaveLength(free.pointsGoing)
    expect(locked[0]!.reasons.map(({ kind, until: date }) => [kind, date])).toEqual([
      ['Locked', until],
      ['Expired', undefined],
    ])
    const request = new PersonRemovals(parts).request(administrator, ORGANIZATION, {
      userId: 'meg',
      confirmation: 'meg',
    })
    await expect(request).rejects.toMatchObject({ code: 'conflict' })
    await expect(request).rejects.toThrow(until.toISOString())
  })

  it('has its dates run out, but not while the clock is in doubt', async () => {
    const { points } = await world.retention.preview(administrator, REPOSITORY, { at: world.clock.now() })
    const expired = await expiredSnapshots(world.parts, REPOSITORY)
    expect(expired.size).toBe(points.filter(({ goes }) => goes).length)
    expect(expired.size).toBeGreaterThan(0)
    world.clock.set(new Date(world.clock.nowMs() + 400 * DAY_MS).toISOString())
    expect((await expiredSnapshots(world.parts, REPOSITORY)).size).toBe(0)
  })
})
