import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock, type Clock } from '#base'
import { startWorld, type VersionClient, type World } from '#world'
import { addJob, endOfRun, good } from './living/backup.ts'

/** Real time, set forward. Only the server has it: the tenant knows the right one. */
class ShiftedClock implements Clock {
  #shiftMs = 0
  now(): Date {
    return new Date(this.nowMs())
  }
  nowMs(): number {
    return systemClock.nowMs() + this.#shiftMs
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(ms, signal)
  }
  setForwardTo(time: Date): void {
    this.#shiftMs = time.getTime() - systemClock.nowMs()
  }
}

const clock = new ShiftedClock()
let world: World
let organizationId: string

beforeAll(async () => {
  world = await startWorld({
    users: 1,
    mails: 1,
    files: 1,
    tenant: { clock: systemClock },
    clock,
  })
  organizationId = (await world.addOrganization('v4')).id
}, 120_000)

afterAll(async () => world?.[Symbol.asyncDispose]())

interface ScheduledJob {
  readonly id: string
  readonly nextRun: string
  readonly lastRun?: string
}

/** Logs in anew: a token does not outlive a night. */
const api = (): Promise<VersionClient> => world.as('administrator', world.password, 'v4')

const addScheduled = async (name: string, schedulePolicy: object): Promise<string> => {
  const client = await api()
  return addJob({ api: () => client }, organizationId, { name, schedulePolicy })
}
const jobNow = async (id: string): Promise<ScheduledJob> => good((await api()).get(`/Jobs/${id}`))
const runsOf = async (id: string): Promise<object[]> => good((await api()).get(`/Jobs/${id}/JobSessions`))

describe('a schedule', () => {
  it('starts a daily job by itself at its time in its zone, and plans the next day', async () => {
    const schedulePolicy = {
      scheduleEnabled: true,
      type: 'Daily',
      dailyType: 'Everyday',
      dailyTime: '22:00:00',
      timeZone: 'Europe/Berlin',
    }
    const id = await addScheduled('Daily', schedulePolicy)
    const { nextRun } = await jobNow(id)
    expect(timeIn('Europe/Berlin', nextRun)).toBe('22:00:00')
    expect(await runsOf(id)).toEqual([])
    clock.setForwardTo(new Date(nextRun))
    await endOfRun(await api(), id, 1)
    const after = await jobNow(id)
    expect(timeIn('Europe/Berlin', after.nextRun)).toBe('22:00:00')
    expect(Date.parse(after.nextRun)).toBeGreaterThan(Date.parse(nextRun))
  }, 30_000)

  it('starts a periodic job by itself, once for each period', async () => {
    const schedulePolicy = { scheduleEnabled: true, type: 'Periodically', periodicallyEvery: 'Minutes5' }
    const id = await addScheduled('Often', schedulePolicy)
    for (const runs of [1, 2]) {
      const { nextRun } = await jobNow(id)
      clock.setForwardTo(new Date(nextRun))
      await endOfRun(await api(), id, runs)
      expect(await runsOf(id)).toHaveLength(runs)
    }
  }, 30_000)

  it('starts nothing while the job is disabled', async () => {
    const schedulePolicy = { scheduleEnabled: true, type: 'Periodically', periodicallyEvery: 'Minutes5' }
    const idle = await addScheduled('Idle', schedulePolicy)
    const busy = await addScheduled('Busy', schedulePolicy)
    await good((await api()).post(`/Jobs/${idle}/Action`, { disable: null }))
    clock.setForwardTo(new Date((await jobNow(busy)).nextRun))
    await endOfRun(await api(), busy, 1)
    expect(await runsOf(idle)).toEqual([])
  }, 30_000)
})

const timeIn = (timeZone: string, iso: string): string =>
  new Date(iso).toLocaleTimeString('en-GB', { timeZone, hour12: false })
