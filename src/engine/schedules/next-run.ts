import { Cron } from 'croner'
import type { BackupWindow, PeriodicallyEvery, SchedulePolicy } from '../jobs/job.ts'
import { DAYS, type DailyType } from '../repositories/backup-repository.ts'

const MINUTE_MS = 60_000
const WEEK_MS = 7 * 24 * 60 * MINUTE_MS

const MINUTES: Readonly<Record<PeriodicallyEvery, number>> = {
  Minutes5: 5,
  Minutes10: 10,
  Minutes15: 15,
  Minutes30: 30,
  Hours1: 60,
  Hours2: 120,
  Hours4: 240,
  Hours8: 480,
  Hours12: 720,
}

const CRON_DAYS = (type: DailyType): string => {
  if (type === 'Everyday') return '*'
  if (type === 'Workdays') return '1-5'
  if (type === 'Weekends') return '0,6'
  return String(DAYS.indexOf(type))
}

/** Hours since Sunday 00:00 of a moment, in a time zone. */
const hourOfWeek = (at: Date, timeZone: string): number => {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    weekday: 'long',
    hour: 'numeric',
    hourCycle: 'h23',
  }).formatToParts(at)
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? ''
  return DAYS.findIndex((day) => day === part('weekday')) * 24 + Number(part('hour'))
}

/** Whether a run may go on at a moment. */
export const isWithinWindow = (window: BackupWindow | undefined, at: Date, timeZone: string): boolean => {
  if (window === undefined) return true
  const hour =
    window.minuteOffset === undefined
      ? hourOfWeek(at, timeZone)
      : hourOfWeek(new Date(at.getTime() + window.minuteOffset * MINUTE_MS), 'UTC')
  return window.backupWindow[hour] ?? true
}

/** The windows that a policy sets, both of which have to allow a start. */
const windowsOf = (policy: SchedulePolicy): readonly (BackupWindow | undefined)[] => [
  policy.backupWindowEnabled ? policy.backupWindowSettings : undefined,
  policy.periodicallyWindowEnabled === true ? policy.periodicallyWindowSettings : undefined,
]

/** The first moment after `after` that the clock shows the daily time; in spring the hour that is left out gives the next one. */
const nextDaily = (policy: SchedulePolicy, after: Date, timeZone: string): Date | undefined => {
  const [hour, minute, second] = (policy.dailyTime ?? '00:00:00').split(':').map(Number)
  const pattern = `${second} ${minute} ${hour} * * ${CRON_DAYS(policy.dailyType ?? 'Everyday')}`
  return new Cron(pattern, { timezone: timeZone, paused: true }).nextRun(after) ?? undefined
}

/** Counted in UTC, so that a change of the clock neither leaves out nor doubles a run. */
const nextPeriodic = (policy: SchedulePolicy, after: Date): Date => {
  const everyMs = MINUTES[policy.periodicallyEvery ?? 'Hours1'] * MINUTE_MS
  const offsetMs = (policy.periodicallyOffsetMinutes ?? 0) * MINUTE_MS
  const rounds = Math.floor((after.getTime() - offsetMs) / everyMs) + 1
  return new Date(rounds * everyMs + offsetMs)
}

/**
 * When a job starts next by its schedule, strictly after `after`; undefined for a manual one and for one that no window
 * lets start within a week.
 */
export const nextRun = (policy: SchedulePolicy, after: Date, serverTimeZone: string): Date | undefined => {
  if (!policy.scheduleEnabled || policy.type === 'ManualOnly') return undefined
  const timeZone = policy.timeZone ?? serverTimeZone
  const windows = windowsOf(policy)
  const limitMs = after.getTime() + WEEK_MS + WEEK_MS / 7
  let at: Date | undefined = after
  do {
    at = policy.type === 'Daily' ? nextDaily(policy, at, timeZone) : nextPeriodic(policy, at)
    if (at === undefined || at.getTime() > limitMs) return undefined
  } while (!windows.every((window) => isWithinWindow(window, at!, timeZone)))
  return at
}
