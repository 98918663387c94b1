import { describe, expect, it } from 'vitest'
import { HoldfastError } from '#base'
import type { SchedulePolicy } from '../jobs/job.ts'
import { nextRun } from './next-run.ts'
import { MANUAL, readSchedulePolicy } from './schedule-input.ts'

const daily = (changes: Partial<SchedulePolicy> = {}): SchedulePolicy => ({
  ...MANUAL,
  scheduleEnabled: true,
  type: 'Daily',
  dailyType: 'Everyday',
  dailyTime: '02:30:00',
  ...changes,
})
const next = (policy: SchedulePolicy, after: string, timeZone = 'UTC'): string | undefined =>
  nextRun(policy, new Date(after), timeZone)?.toISOString()

/** A window of the given hours of every day. */
const window = (allowed: (hour: number, day: number) => boolean, minuteOffset?: number) => ({
  backupWindow: Array.from({ length: 168 }, (_, at) => allowed(at % 24, Math.floor(at / 24))),
  ...(minuteOffset === undefined ? {} : { minuteOffset }),
})

describe('a daily schedule', () => {
  it('is strictly later than the moment asked for', () => {
    expect(next(daily(), '2026-01-01T02:29:59Z')).toBe('2026-01-01T02:30:00.000Z')
    expect(next(daily(), '2026-01-01T02:30:00Z')).toBe('2026-01-02T02:30:00.000Z')
  })

  it.each([
    ['Workdays', '2026-01-05'],
    ['Weekends', '2026-01-03'],
    ['Sunday', '2026-01-04'],
    ['Thursday', '2026-01-08'],
  ] as const)('%s after a Friday is %s', (dailyType, day) => {
    expect(next(daily({ dailyType }), '2026-01-02T12:00:00Z')).toBe(`${day}T02:30:00.000Z`)
  })

  it('follows the time zone of the policy before that of the server', () => {
    expect(next(daily({ timeZone: 'America/New_York' }), '2026-01-01T12:00:00Z', 'Europe/Berlin')).toBe(
      '2026-01-02T07:30:00.000Z',
    )
    expect(next(daily(), '2026-01-01T12:00:00Z', 'Europe/Berlin')).toBe('2026-01-02T01:30:00.000Z')
  })

  it('runs once in the night of spring, after the hour that is left out', () => {
    const berlin = daily({ timeZone: 'Europe/Berlin' })
    expect(next(berlin, '2026-03-28T12:00:00Z')).toBe('2026-03-29T01:00:00.000Z')
    expect(next(berlin, '2026-03-29T01:00:00Z')).toBe('2026-03-30T00:30:00.000Z')
  })

  it('runs once in the night of autumn, in the first of the two hours', () => {
    const berlin = daily({ timeZone: 'Europe/Berlin' })
    expect(next(berlin, '2026-10-24T12:00:00Z')).toBe('2026-10-25T00:30:00.000Z')
    expect(next(berlin, '2026-10-25T00:30:00Z')).toBe('2026-10-26T01:30:00.000Z')
  })

  it('skips days whose hour the window forbids', () => {
    const policy = daily({ backupWindowEnabled: true, backupWindowSettings: window((_, day) => day === 3) })
    expect(next(policy, '2026-01-01T12:00:00Z')).toBe('2026-01-07T02:30:00.000Z')
    const never = daily({ backupWindowEnabled: true, backupWindowSettings: window((hour) => hour === 5) })
    expect(next(never, '2026-01-01T12:00:00Z')).toBeUndefined()
  })
})

describe('a periodic schedule', () => {
  const every = (periodicallyEvery: SchedulePolicy['periodicallyEvery'], offset = 0): SchedulePolicy => ({
    ...MANUAL,
    scheduleEnabled: true,
    type: 'Periodically',
    periodicallyEvery: periodicallyEvery!,
    periodicallyOffsetMinutes: offset,
  })

  it.each([
    ['Minutes5', 0, '2026-01-01T10:05:00.000Z'],
    ['Minutes30', 0, '2026-01-01T10:30:00.000Z'],
    ['Hours1', 0, '2026-01-01T11:00:00.000Z'],
    ['Hours1', 20, '2026-01-01T10:20:00.000Z'],
    ['Hours8', 0, '2026-01-01T16:00:00.000Z'],
    ['Hours12', 30, '2026-01-01T12:30:00.000Z'],
  ] as const)('%s with %i minutes', (period, offset, expected) => {
    expect(next(every(period, offset), '2026-01-01T10:01:00Z')).toBe(expected)
  })

  it('neither leaves out nor doubles a run in the nights of spring and autumn', () => {
    for (const [from, to] of [
      ['2026-03-28T20:00:00Z', '2026-03-29T08:00:00Z'],
      ['2026-10-24T20:00:00Z', '2026-10-25T08:00:00Z'],
    ] as const) {
      let at = new Date(from)
      const steps: number[] = []
      while (at < new Date(to)) {
        const following = nextRun(every('Hours1'), at, 'Europe/Berlin')!
        steps.push(following.getTime() - at.getTime())
        at = following
      }
      expect(steps).toEqual(Array(12).fill(3_600_000))
    }
  })

  it("keeps to its window, in the window's own offset or the time zone", () => {
    const nights = { periodicallyWindowEnabled: true }
    const plusTwo = {
      ...every('Hours1'),
      ...nights,
      periodicallyWindowSettings: window((hour) => hour === 22, 120),
    }
    expect(next(plusTwo, '2026-01-01T10:00:00Z')).toBe('2026-01-01T20:00:00.000Z')
    const zoned = { ...every('Hours1'), ...nights, periodicallyWindowSettings: window((hour) => hour === 22) }
    expect(next(zoned, '2026-01-01T10:00:00Z', 'Asia/Tokyo')).toBe('2026-01-01T13:00:00.000Z')
  })
})

describe('no schedule', () => {
  it('never runs by itself', () => {
    expect(next(MANUAL, '2026-01-01T00:00:00Z')).toBeUndefined()
    expect(next(daily({ scheduleEnabled: false }), '2026-01-01T00:00:00Z')).toBeUndefined()
  })
})

describe('reading a policy', () => {
  const property = (work: () => unknown): string | undefined => {
    try {
      work()
      return undefined
    } catch (error) {
      return (error as HoldfastError).property
    }
  }

  it('completes what is given', () => {
    expect(readSchedulePolicy({ dailyTime: '22:15' })).toMatchObject({
      type: 'Daily',
      scheduleEnabled: true,
      dailyType: 'Everyday',
      dailyTime: '22:15:00',
    })
    expect(readSchedulePolicy({ type: 'periodically', periodicallyEvery: 'hours4' })).toMatchObject({
      type: 'Periodically',
      periodicallyEvery: 'Hours4',
      scheduleEnabled: true,
    })
    expect(readSchedulePolicy({ type: 'Daily', scheduleEnabled: false }).scheduleEnabled).toBe(false)
    expect(readSchedulePolicy(undefined)).toEqual(MANUAL)
  })

  it('merges into what is stored', () => {
    const stored = readSchedulePolicy({ type: 'Daily', dailyTime: '22:15', timeZone: 'Europe/Berlin' })
    expect(readSchedulePolicy({ dailyType: 'Workdays' }, stored)).toEqual({
      ...stored,
      dailyType: 'Workdays',
    })
  })

  it.each([
    [{ type: 'Hourly' }, 'type'],
    [{ type: 'Periodically' }, 'periodicallyEvery'],
    [{ type: 'Periodically', periodicallyEvery: 'Minutes7' }, 'periodicallyEvery'],
    [{ type: 'Daily', dailyTime: '24:00' }, 'dailyTime'],
    [{ type: 'Daily', dailyType: 'Mondays' }, 'dailyType'],
    [{ type: 'Daily', timeZone: 'Mars/Olympus' }, 'timeZone'],
    [{ type: 'Daily', retryNumber: -1 }, 'retryNumber'],
    [{ type: 'Daily', backupWindowEnabled: true }, 'backupWindowSettings'],
    [{ type: 'Daily', backupWindowSettings: { backupWindow: [true] } }, 'backupWindowSettings.backupWindow'],
    [{ type: 'Daily', backupWindowSettings: window(() => false) }, 'backupWindowSettings.backupWindow'],
  ])('refuses %o', (input, name) => {
    expect(property(() => readSchedulePolicy(input))).toBe(`schedulePolicy.${name}`)
  })
})
