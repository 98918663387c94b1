import { describe, expect, it } from 'vitest'
import type { DayNumber, DayOfWeek, Retention } from '../repositories/backup-repository.ts'
import { nextCleanUp } from './next-clean-up.ts'

const settings = (changes: Partial<Retention>): Retention => ({
  retentionType: 'SnapshotBased',
  retentionPeriodType: 'Daily',
  retentionFrequencyType: 'Daily',
  ...changes,
})
const next = (changes: Partial<Retention>, after: string, timeZone = 'UTC') =>
  nextCleanUp(settings(changes), new Date(after), timeZone)?.toISOString()
const monthly = (monthlyDaynumber: DayNumber, day: DayOfWeek) =>
  ({
    retentionFrequencyType: 'Monthly',
    monthlyTime: '03:30:00',
    monthlyDaynumber,
    monthlyDayofweek: day,
  }) as const

describe('a daily clean-up', () => {
  it('comes at its time, on its days', () => {
    expect(next({ dailyTime: '03:30:00' }, '2026-11-24T03:30:00Z')).toBe('2026-11-25T03:30:00.000Z')
    // 27 November 2026 is a Friday.
    expect(next({ dailyTime: '03:30:00', dailyType: 'Workdays' }, '2026-11-27T04:00:00Z')).toBe(
      '2026-11-30T03:30:00.000Z',
    )
  })

  it('comes once in a night in which the clock is changed', () => {
    const times: string[] = []
    let at = '2026-10-24T00:00:00Z'
    for (let night = 0; night < 3; night += 1)
      times.push((at = next({ dailyTime: '02:30:00' }, at, 'Europe/Berlin')!))
    expect(times).toEqual([
      '2026-10-24T00:30:00.000Z',
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ])
    const spring = next({ dailyTime: '02:30:00' }, '2026-03-28T12:00:00Z', 'Europe/Berlin')!
    expect(spring.slice(0, 10)).toBe('2026-03-29')
    expect(next({ dailyTime: '02:30:00' }, spring, 'Europe/Berlin')).toBe('2026-03-30T00:30:00.000Z')
  })
})

describe('a monthly clean-up', () => {
  it.each([
    ['First', 'Sunday', '2026-12-06'],
    ['Second', 'Tuesday', '2026-12-08'],
    ['Fourth', 'Thursday', '2026-11-26'],
    ['Last', 'Monday', '2026-11-30'],
    ['Last', 'Thursday', '2026-11-26'],
  ] as const)('on the %s %s', (number, day, date) => {
    expect(next(monthly(number, day), '2026-11-24T12:00:00Z')).toBe(`${date}T03:30:00.000Z`)
  })

  it('goes over to the next month, in the time zone of the server', () => {
    expect(next(monthly('Third', 'Monday'), '2026-11-24T12:00:00Z', 'America/New_York')).toBe(
      '2026-12-21T08:30:00.000Z',
    )
    // The last Sunday of October is the night in which the clock goes back.
    expect(next(monthly('Last', 'Sunday'), '2026-10-01T00:00:00Z', 'Europe/Berlin')).toBe(
      '2026-10-25T02:30:00.000Z',
    )
  })
})
