import { describe, expect, it } from 'vitest'
import { notFound } from '#base'
import { spaceHistoryRows } from '#database'
import { keepWorkers } from '../../backup/tests/backup-world.ts'
import type { BackupRepository } from '../../repositories/backup-repository.ts'
import type { BackedUpOrganization } from '../../repositories/backup-repository.ts'
import {
  administrator,
  DAY_MS,
  ORGANIZATION,
  REPOSITORY,
  RetentionWorld,
} from '../../retention/tests/retention-world.ts'
import { SpaceRunner } from '../space-runner.ts'
import { Space } from '../space.ts'

/** What a storage would tell. */
let stored = { usedSpaceBytes: 1_000, freeSpaceBytes: 10_000 }

const spaceOf = (world: RetentionWorld, shards = world.parts.repositories.shards) => {
  const repositories = {
    shards,
    get: async () =>
      Promise.resolve({ freeSpaceBytes: stored.freeSpaceBytes, isOutOfOrder: false } as BackupRepository),
    backedUpOrganizations: async () =>
      Promise.resolve([
        {
          organizationId: ORGANIZATION,
          name: 'Contoso',
          isInObjectStorage: false,
          usedSpaceBytes: stored.usedSpaceBytes,
        } satisfies BackedUpOrganization,
      ]),
  }
  const runner = new SpaceRunner({ ...world.parts, repositories })
  return { runner, space: new Space({ ...world.parts, repositories, runner }) }
}

/** Two people with mail. */
const withMail = async (): Promise<RetentionWorld> => {
  const world = await RetentionWorld.start()
  for (const name of ['meg', 'tim']) {
    const mailbox = world.backup.mailbox(name).folder('in', 'Inbox')
    for (let mail = 0; mail < 5; mail += 1)
      mailbox.put(`${name}-${mail}`, 'in', { subject: `Mail ${mail} to ${name}` })
  }
  return world
}

keepWorkers()

describe('surveys of space', () => {
  it('tell what organization, mailboxes and points take up, and what would be given back', async () => {
    await using world = await withMail()
    const { runner, space } = spaceOf(world)
    await using _ = runner
    await world.run()
    await world.days(1)
    await world.run()
    await runner.drain()
    const report = await space.repository(administrator, REPOSITORY)
    expect(report).toMatchObject({ organizations: 1, surveyedOrganizations: 1, points: 2, unreadable: 0 })
    expect(report.neededBytes).toBeGreaterThan(0)
    expect(report.neededBytes + report.wasteBytes).toBe(report.storedBytes)
    expect(report.plainBytes).toBeGreaterThan(report.dataBytes)

    const objects = await space.objects(administrator, REPOSITORY)
    expect(objects.items.map(({ identity }) => identity.userId).sort()).toEqual(['meg', 'tim'])
    for (const { exclusiveBytes, storedBytes, identity } of objects.items) {
      expect(exclusiveBytes).toBeLessThanOrEqual(storedBytes)
      expect(identity.principalName).toContain('@')
    }
    const owned = objects.items.reduce((sum, { exclusiveBytes }) => sum + exclusiveBytes, 0)
    // The rest are folders above, records of runs, and what several objects share.
    expect(owned).toBeLessThanOrEqual(report.neededBytes)
    expect(owned).toBeGreaterThan(report.neededBytes / 2)

    const points = await space.points(administrator, REPOSITORY)
    expect(points.items.map(({ sessionId }) => sessionId)).toEqual(['run-2', 'run-1'])
    expect(points.items.reduce((sum, { grownBytes }) => sum + grownBytes, 0)).toBe(report.neededBytes)
    // Nothing changed between the runs.
    expect(points.items[0]!.grownBytes).toBeLessThan(points.items[1]!.grownBytes / 2)
  })

  it('come by themselves when something was stored, with rests in between, and when asked', async () => {
    await using world = await withMail()
    const { runner, space } = spaceOf(world)
    await using _ = runner
    const surveyedAt = async () => (await space.repository(administrator, REPOSITORY)).surveyedAt?.getTime()
    await runner.drain()
    expect(await surveyedAt()).toBeUndefined()
    await world.run()
    await runner.drain()
    const first = await surveyedAt()
    expect(first).toBeDefined()
    await world.days(1)
    await runner.drain()
    expect(await surveyedAt(), 'nothing new').toBe(first)
    await world.run()
    await runner.drain()
    const second = await surveyedAt()
    expect(second).toBeGreaterThan(first!)
    await world.run()
    await runner.drain()
    expect(await surveyedAt(), 'its rest is not over').toBe(second)
    await space.survey(administrator, REPOSITORY)
    expect((await space.repository(administrator, REPOSITORY)).isSurveying).toBe(true)
    await runner.drain()
    const report = await space.repository(administrator, REPOSITORY)
    expect(report).toMatchObject({ isSurveying: false, points: 3 })
  })

  it('write down every day how large it is, and tell when it will be full', async () => {
    await using world = await RetentionWorld.start()
    const { runner, space } = spaceOf(world)
    await using _ = runner
    for (let day = 0; day < 5; day += 1) {
      stored = { usedSpaceBytes: 1_000 + day * 100, freeSpaceBytes: 10_000 - day * 100 }
      await runner.tick()
      await world.days(1)
    }
    const history = await space.history(administrator, REPOSITORY)
    expect(history.map(({ usedBytes }) => usedBytes)).toEqual([1_000, 1_100, 1_200, 1_300, 1_400])
    const { forecast } = await space.repository(administrator, REPOSITORY)
    expect(forecast).toMatchObject({ days: 4, bytesPerDay: 100, in30DaysBytes: 4_400, in90DaysBytes: 10_400 })
    expect(forecast!.fullAt!.getTime()).toBe(world.clock.nowMs() + 96 * DAY_MS)
    const { queries } = world.database
    const own = await spaceHistoryRows.list(queries, {
      repositoryId: REPOSITORY,
      organizationId: ORGANIZATION,
    })
    expect(own).toHaveLength(5)
  })

  it('tell why they came to nothing, and keep what was found before', async () => {
    await using world = await withMail()
    const { runner, space } = spaceOf(world)
    await using _ = runner
    await world.run()
    await runner.drain()
    const before = await space.repository(administrator, REPOSITORY)
    const gone = async () => Promise.reject(notFound('the disk is not mounted'))
    const broken = spaceOf(world, gone)
    await using __ = broken.runner
    await broken.space.survey(administrator, REPOSITORY)
    await broken.runner.drain()
    const after = await space.repository(administrator, REPOSITORY)
    expect(after.details).toBe('the disk is not mounted')
    expect(after.isSurveying).toBe(false)
    expect(after.neededBytes).toBe(before.neededBytes)
  })
})
