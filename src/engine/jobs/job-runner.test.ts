import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { unavailable } from '#base'
import { checkpointRows, taskRows } from '#database'
import {
  administrator,
  jobWorld,
  ORGANIZATION,
  outcome,
  REPOSITORY,
  totals,
  waitsAfter,
  type JobWorld,
} from '../tests/job-world.ts'
import type { JobInput } from './job.ts'
import { RUN } from './run-requests.ts'

let world: JobWorld
beforeEach(async () => {
  world = await jobWorld()
})
afterEach(() => world[Symbol.asyncDispose]())

const add = (changes: JobInput = {}) =>
  world.jobs.add(administrator, {
    organizationId: ORGANIZATION,
    repositoryId: REPOSITORY,
    name: 'Nightly',
    backupType: 'EntireOrganization',
    ...changes,
  })
const started = async (changes: JobInput = {}) => {
  const job = await add(changes)
  const session = await world.jobs.start(administrator, job.id)
  return { job, session }
}
const work = async (): Promise<void> => {
  await world.runner.tick()
  await world.runner.idle()
}
const log = async (sessionId: string) =>
  (await world.sessions.logItems(administrator, sessionId)).items.map(
    ({ type, message }) => `${type}: ${message}`,
  )
const untilRunning = () => vi.waitFor(() => expect(world.runs.length).toBeGreaterThan(0))

describe('a run', () => {
  it('protects every user of an entire organization and ends as Success', async () => {
    world.backup = async (run) => {
      await run.report.start('mail-1', 'Mailbox of alice')
      run.report.totals(totals({ objectsTotal: 2, objectsDone: 1, readBytes: 10 }))
      world.clock.advance(2_000)
      await run.report.finish('mail-1', 'Success', 'Mailbox of alice: 3 items')
      return outcome({
        succeeded: 2,
        totals: totals({
          objectsTotal: 2,
          objectsDone: 2,
          processedItems: 30,
          readBytes: 4_000,
          writtenBytes: 1_000,
          sourceWaitMs: 9,
          targetWaitMs: 2,
        }),
      })
    }
    const { job, session } = await started()
    expect(session).toMatchObject({ status: 'Queued', jobSessionConfigType: 'Full', progress: 0 })
    await work()
    expect(world.runs[0]).toMatchObject({
      sessionId: session.id,
      isResumed: false,
      full: false,
      jobName: 'Nightly',
    })
    expect(
      world.runs[0]!.objects.map(({ principalName, mailbox, oneDrive }) => [
        principalName,
        mailbox,
        oneDrive,
      ]),
    ).toEqual([
      ['alice@contoso.example', true, true],
      ['bob@contoso.example', true, true],
    ])
    expect(await world.sessions.get(administrator, session.id)).toMatchObject({
      status: 'Success',
      progress: 100,
      endTime: world.clock.now(),
      details: '2 protected, 0 with warnings, 0 failed',
      statistics: {
        processedObjects: 2,
        processingRateItemsPS: 15,
        processingRateBytesPS: 2_000,
        writeRateBytesPS: 500,
        transferredDataBytes: 4_000,
        bottleneck: 'Source',
      },
    })
    expect(await log(session.id)).toEqual([
      'Success: Found 2 users to protect',
      'Success: Mailbox of alice: 3 items',
    ])
    expect(await world.jobs.get(administrator, job.id)).toMatchObject({
      lastStatus: 'Success',
      lastRun: session.creationTime,
      lastBackup: world.clock.now(),
    })
    expect((await world.jobs.start(administrator, job.id)).jobSessionConfigType).toBe('Incremental')
  })

  it.each([
    [{ succeeded: 2 }, 'Success'],
    [{ succeeded: 1, warnings: 1 }, 'Warning'],
    [{ succeeded: 1, failed: 1 }, 'Warning'],
    [{ succeeded: 0, failed: 2 }, 'Failed'],
  ] as const)('that ends with %o is called %s', async (counts, status) => {
    world.backup = async () => Promise.resolve(outcome(counts))
    const { session } = await started()
    await work()
    expect(await world.sessions.get(administrator, session.id)).toMatchObject({ status })
  })

  it('that breaks is Failed with the reason, and its open rows are closed', async () => {
    world.backup = async (run) => {
      await run.report.start('k', 'Mailbox of alice')
      throw unavailable('the storage does not answer')
    }
    const { session } = await started()
    await work()
    expect(await world.sessions.get(administrator, session.id)).toMatchObject({
      status: 'Failed',
      details: 'the storage does not answer',
      progress: 0,
    })
    expect(await log(session.id)).toContain('Error: Mailbox of alice')
  })

  it('hides what an unexpected error says', async () => {
    world.backup = async () => Promise.reject(new Error('/secret/path'))
    const { session } = await started()
    await work()
    expect(
      JSON.stringify([await world.sessions.get(administrator, session.id), await log(session.id)]),
    ).not.toContain('/secret')
  })

  it('without anything to protect is a warning and asks for no backup', async () => {
    world.script.users = []
    const { session } = await started()
    await work()
    expect(await world.sessions.get(administrator, session.id)).toMatchObject({ status: 'Warning' })
    expect(world.runs).toEqual([])
  })

  it('of a tenant that does not answer is Failed', async () => {
    world.script.fails = unavailable('Graph does not answer')
    const { session } = await started()
    await work()
    expect(await world.sessions.get(administrator, session.id)).toMatchObject({
      status: 'Failed',
      details: 'Graph does not answer',
    })
  })

  it('is one at a time for a job', async () => {
    const { job } = await started()
    await expect(world.jobs.start(administrator, job.id)).rejects.toMatchObject({ code: 'conflict' })
    expect((await world.sessions.list(administrator)).totalCount).toBe(1)
    await work()
    await world.jobs.start(administrator, job.id)
  })
})

describe('a stop', () => {
  it('ends the run as Stopped, drops its checkpoints and leaves the job free', async () => {
    world.backup = waitsAfter('alice', { page: 3 })
    const { job, session } = await started()
    await world.runner.tick()
    await untilRunning()
    await world.jobs.stop(administrator, job.id)
    await world.runner.idle()
    expect(await world.sessions.get(administrator, session.id)).toMatchObject({
      status: 'Stopped',
      endTime: world.clock.now(),
    })
    expect(await log(session.id)).toContain('Stop: working on alice')
    expect(await checkpointRows.listAll(world.database.queries)).toEqual([])
    await world.jobs.start(administrator, job.id)
  })

  it('before the run has begun ends its session too', async () => {
    const { job, session } = await started()
    await world.jobs.stop(administrator, job.id)
    await work()
    expect(await world.sessions.get(administrator, session.id)).toMatchObject({
      status: 'Stopped',
      endTime: world.clock.now(),
    })
    expect(world.runs).toEqual([])
    await expect(world.jobs.stop(administrator, job.id)).rejects.toMatchObject({ code: 'conflict' })
  })

  it('that another process asked for is heard with the next pulse', async () => {
    world.backup = waitsAfter('alice', {})
    const { job, session } = await started()
    await world.runner.tick()
    await untilRunning()
    await taskRows.requestStop(world.database.queries, RUN, job.id)
    world.clock.advance(10_000)
    await world.runner.idle()
    expect(await world.sessions.get(administrator, session.id)).toMatchObject({ status: 'Stopped' })
  })
})

describe('a run that was cut off', () => {
  /** Another process on the same database, after the first one is gone. */
  const nextProcess = async (): Promise<JobWorld> => {
    const later = await jobWorld({ database: world.database, clock: world.clock })
    await later.tasks.takeOver()
    return later
  }

  it('by the death of its process goes on in the same session, from its checkpoints', async () => {
    world.backup = waitsAfter('alice', { page: 3 })
    const { session } = await started()
    await world.runner.tick()
    await untilRunning()
    await using later = await nextProcess()
    later.backup = async (run) =>
      outcome({ details: `from page ${JSON.stringify(await run.checkpoints.load('alice'))}` })
    await later.runner.tick()
    await later.runner.idle()
    expect(later.runs[0]).toMatchObject({ sessionId: session.id, isResumed: true })
    const ended = await world.sessions.get(administrator, session.id)
    expect(ended.status).toBe('Success')
    expect(ended.details).toContain('from page {"page":3}')
    expect(await log(session.id)).toContain('Success: The run was cut off and goes on')
    expect((await world.sessions.list(administrator)).totalCount).toBe(1)
  })

  it('by a clean stop of the server is still Running and goes on', async () => {
    world.backup = waitsAfter('alice', { page: 5 })
    const { session } = await started()
    await world.runner.tick()
    await untilRunning()
    await world.runner[Symbol.asyncDispose]()
    expect(await world.sessions.get(administrator, session.id)).toMatchObject({ status: 'Running' })
    await using later = await nextProcess()
    await later.runner.tick()
    await later.runner.idle()
    expect(later.runs[0]).toMatchObject({ isResumed: true })
    expect(await world.sessions.get(administrator, session.id)).toMatchObject({ status: 'Success' })
  })

  it('loses its work to who has taken over, and writes no end of its own', async () => {
    world.backup = waitsAfter('alice', {})
    const { session } = await started()
    await world.runner.tick()
    await untilRunning()
    await using later = await nextProcess()
    later.backup = waitsAfter('alice', {})
    await later.runner.tick()
    await vi.waitFor(() => expect(later.runs).toHaveLength(1))
    world.clock.advance(10_000)
    await world.runner.idle()
    expect(await world.sessions.get(administrator, session.id)).toMatchObject({ status: 'Running' })
  })

  it('again and again is given up at last', async () => {
    const { session } = await started()
    await world.database.queries.updateTable('tasks').set({ attempts: 10 }).execute()
    await work()
    expect(world.runs).toEqual([])
    expect(await world.sessions.get(administrator, session.id)).toMatchObject({ status: 'Failed' })
  })
})

describe('the retry policy', () => {
  const policy = { retryEnabled: true, retryNumber: 2, retryWaitInterval: 10 }

  it('tries a failed run again after its wait, as often as it says', async () => {
    world.backup = async () => Promise.reject(unavailable('no answer'))
    await started({ schedulePolicy: policy })
    await work()
    world.clock.advance(599_999)
    await work()
    expect(world.runs).toHaveLength(1)
    for (let round = 0; round < 4; round += 1) {
      world.clock.advance(600_000)
      await work()
    }
    const { items } = await world.sessions.list(administrator)
    expect(items.map(({ retryCount, jobWillBeRetried }) => [retryCount, jobWillBeRetried])).toEqual([
      [2, false],
      [1, true],
      [0, true],
    ])
  })

  it('gives way to a start by hand, and ends when the job is disabled', async () => {
    world.backup = async () => Promise.reject(unavailable('no answer'))
    const { job } = await started({ schedulePolicy: policy })
    await work()
    expect(await world.jobs.get(administrator, job.id)).toMatchObject({ lastStatus: 'Failed' })
    await world.jobs.start(administrator, job.id)
    await work()
    expect(world.runs).toHaveLength(2)
    await world.jobs.disable(administrator, job.id)
    world.clock.advance(3_600_000)
    await work()
    expect(world.runs).toHaveLength(2)
  })

  it('leaves runs alone that were stopped or had warnings only', async () => {
    world.backup = async () => Promise.resolve(outcome({ warnings: 1 }))
    const { session } = await started({ schedulePolicy: policy })
    await work()
    expect(await world.sessions.get(administrator, session.id)).toMatchObject({ jobWillBeRetried: false })
  })
})

describe('schedules', () => {
  const step = async (): Promise<void> => {
    await world.scheduler.tick()
    await work()
  }

  it('start a job when its time comes, and say when the next one is', async () => {
    const job = await add({
      schedulePolicy: { type: 'Daily', dailyTime: '22:00', timeZone: 'Europe/Berlin' },
    })
    expect(job.nextRun).toEqual(new Date('2026-03-02T21:00:00Z'))
    world.clock.set('2026-03-02T20:59:59Z')
    await step()
    expect(world.runs).toHaveLength(0)
    world.clock.set('2026-03-02T21:00:00Z')
    await step()
    await step()
    expect(world.runs).toHaveLength(1)
    expect((await world.jobs.get(administrator, job.id)).nextRun).toEqual(new Date('2026-03-03T21:00:00Z'))
  })

  it('run once a night through the changes of the clock', async () => {
    for (const [from, to] of [
      ['2026-03-27T12:00:00Z', '2026-03-31T12:00:00Z'],
      ['2026-10-23T12:00:00Z', '2026-10-27T12:00:00Z'],
    ] as const) {
      world.clock.set(from)
      const job = await add({
        name: from,
        schedulePolicy: { type: 'Daily', dailyTime: '02:30', timeZone: 'Europe/Berlin' },
      })
      const before = world.runs.length
      while (world.clock.now() < new Date(to)) {
        world.clock.advance(15 * 60_000)
        await step()
      }
      expect(world.runs.length - before).toBe(4)
      await world.jobs.disable(administrator, job.id)
    }
  })

  it('that were missed while the server was off are made up for once', async () => {
    await add({ schedulePolicy: { type: 'Periodically', periodicallyEvery: 'Hours1' } })
    world.clock.advance(10 * 3_600_000)
    await step()
    await step()
    expect(world.runs).toHaveLength(1)
  })

  it('leave a job alone that still runs, that is disabled or manual', async () => {
    world.backup = waitsAfter('a', {})
    const job = await add({ schedulePolicy: { type: 'Periodically', periodicallyEvery: 'Minutes5' } })
    await add({
      name: 'Off',
      isEnabled: false,
      schedulePolicy: { type: 'Periodically', periodicallyEvery: 'Minutes5' },
    })
    await add({ name: 'By hand' })
    world.clock.advance(300_000)
    await world.scheduler.tick()
    await world.runner.tick()
    await untilRunning()
    world.clock.advance(300_000)
    await world.scheduler.tick()
    expect((await world.sessions.list(administrator)).totalCount).toBe(1)
    await world.jobs.stop(administrator, job.id)
    await world.runner.idle()
  })

  it('end a scheduled run with its window', async () => {
    world.backup = waitsAfter('a', {})
    const backupWindow = Array.from({ length: 168 }, (_, hour) => hour % 24 === 11)
    await add({
      schedulePolicy: {
        type: 'Periodically',
        periodicallyEvery: 'Minutes30',
        backupWindowEnabled: true,
        backupWindowSettings: { backupWindow },
      },
    })
    world.clock.set('2026-03-02T11:30:00Z')
    await world.scheduler.tick()
    await world.runner.tick()
    await untilRunning()
    world.clock.set('2026-03-02T12:00:00Z')
    await world.runner.idle()
    expect((await world.sessions.list(administrator)).items[0]).toMatchObject({
      status: 'Stopped',
      details: 'the backup window has ended',
    })
  })
})

describe('running by itself', () => {
  it('begins a queued run without being asked and stops cleanly', async () => {
    await world.runner.start()
    await started()
    await untilRunning()
    await world.runner[Symbol.asyncDispose]()
  })
})
