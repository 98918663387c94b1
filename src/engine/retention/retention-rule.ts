import { invalid } from '#base'
import type { Retention, RetentionType, YearlyRetentionPeriod } from '../repositories/backup-repository.ts'

// One model for how long what is kept. The API's settings of a repository and Holdfast's own rule of a job both become a
// `RetentionRule`. Meaning: docs/design/retention.md.

export const AGE_UNITS = ['hours', 'days', 'weeks', 'months', 'years'] as const
export type AgeUnit = (typeof AGE_UNITS)[number]

export interface Age {
  readonly amount: number
  readonly unit: AgeUnit
}

/** What keeps a point: any part of it is enough. Without any part nothing but the newest point is kept. */
export interface Keep {
  readonly forever?: boolean
  /** So many of the newest points. */
  readonly last?: number
  /** Everything younger. */
  readonly age?: Age
  /** The newest point of each of so many days, weeks (from Monday), months and years that have points. */
  readonly daily?: number
  readonly weekly?: number
  readonly monthly?: number
  readonly yearly?: number
}

export interface RetentionRule {
  /** `SnapshotBased`: points go. `ItemLevel`: items go, by their own age, out of all points. */
  readonly type: RetentionType
  readonly keep: Keep
  /** Where days begin, for the calendar parts of `keep`. Absent: the server's. */
  readonly timeZone?: string
}

const YEARS: Readonly<Record<Exclude<YearlyRetentionPeriod, 'Keep'>, number>> = {
  Year1: 1,
  Years2: 2,
  Years3: 3,
  Years5: 5,
  Years7: 7,
  Years10: 10,
  Years25: 25,
}

const keepOf = (settings: Retention): Keep => {
  switch (settings.retentionPeriodType) {
    case 'Daily':
      return { age: { amount: settings.dailyRetentionPeriod ?? 36_500, unit: 'days' } }
    case 'Monthly':
      return { age: { amount: settings.monthlyRetentionPeriod ?? 1_200, unit: 'months' } }
    case 'Yearly': {
      const period = settings.yearlyRetentionPeriod ?? 'Keep'
      return period === 'Keep' ? { forever: true } : { age: { amount: YEARS[period], unit: 'years' } }
    }
  }
}

/** The rule that a repository's settings stand for. A period that is missing keeps longest. */
export const ruleOfSettings = (settings: Retention): RetentionRule => ({
  type: settings.retentionType,
  keep: keepOf(settings),
})

/** The moment before which something is too old. Months and years are those of the calendar, in UTC. */
export const cutoffOf = ({ amount, unit }: Age, now: Date): Date => {
  const back = HOURS[unit]
  if (back !== undefined) return new Date(now.getTime() - amount * back * 3_600_000)
  return monthsBefore(now, unit === 'years' ? amount * 12 : amount)
}

const HOURS: Partial<Readonly<Record<AgeUnit, number>>> = { hours: 1, days: 24, weeks: 168 }

/** The same day so many months ago, or that month's last one: a point of the 31st is not let go a day early. */
const monthsBefore = (now: Date, months: number): Date => {
  const first = new Date(now)
  first.setUTCDate(1)
  first.setUTCMonth(first.getUTCMonth() - months)
  const lastDay = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate()
  first.setUTCDate(Math.min(now.getUTCDate(), lastDay))
  return first
}

/** Items older than this are to go; undefined for a rule under which none do. */
export const itemCutoff = ({ type, keep }: RetentionRule, now: Date): Date | undefined =>
  type === 'ItemLevel' && keep.forever !== true && keep.age !== undefined
    ? cutoffOf(keep.age, now)
    : undefined

const counted = (amount: number, unit: string): string => `${amount} ${amount === 1 ? unit : `${unit}s`}`

export const ageText = ({ amount, unit }: Age): string => counted(amount, unit.slice(0, -1))

/** For a person: `points of 30 days, the last of 12 months`. */
export const ruleText = ({ type, keep }: RetentionRule): string => {
  if (keep.forever === true) return 'everything, for ever'
  const parts = [
    keep.age === undefined ? '' : `${type === 'ItemLevel' ? 'items' : 'points'} of ${ageText(keep.age)}`,
    keep.last === undefined ? '' : `the last ${counted(keep.last, 'point')}`,
    ...(['daily', 'weekly', 'monthly', 'yearly'] as const).map((name) =>
      keep[name] === undefined ? '' : `the last point of ${counted(keep[name], CALENDAR[name])}`,
    ),
  ].filter(Boolean)
  return parts.length === 0 ? 'the newest point alone' : parts.join(', ')
}

export const CALENDAR = { daily: 'day', weekly: 'week', monthly: 'month', yearly: 'year' } as const
export type CalendarPart = keyof typeof CALENDAR

/** Throws `invalid` for a rule that says nothing, or something that its type cannot mean. */
export const checkRule = ({ type, keep, timeZone }: RetentionRule): void => {
  if (type === 'ItemLevel' && keep.forever !== true && keep.age === undefined)
    throw invalid('keep.age is needed: items go by their age', 'keep.age')
  const others = (['last', 'daily', 'weekly', 'monthly', 'yearly'] as const).filter(
    (name) => keep[name] !== undefined,
  )
  if (type === 'ItemLevel' && others.length > 0)
    throw invalid(`keep.${others[0]!} counts points: items go by their age`, `keep.${others[0]!}`)
  if (keep.forever !== true && keep.age === undefined && others.length === 0)
    throw invalid('keep has to say what is kept', 'keep')
  checkTimeZone(timeZone)
}

const checkTimeZone = (timeZone: string | undefined): void => {
  try {
    new Intl.DateTimeFormat('en', timeZone === undefined ? {} : { timeZone })
  } catch {
    throw invalid('timeZone is not the name of a time zone like Europe/Berlin', 'timeZone')
  }
}
