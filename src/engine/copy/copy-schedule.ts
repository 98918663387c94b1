import { invalid } from '#base'
import type { Given } from '../organizations/organization.ts'
import { readFlag, readTimeOfDay, readWord } from '../organizations/read-input.ts'
import { DAILY_TYPES } from '../repositories/repository-input.ts'
import { isWithinWindow, nextRun } from '../schedules/next-run.ts'
import { PERIODS, readWindow } from '../schedules/schedule-input.ts'
import type { CopySchedule, CopyScheduleInput } from './copy-job.ts'

const TYPES: readonly CopySchedule['type'][] = ['Immediate', 'Periodically', 'DailyAtTime']

export const IMMEDIATE: CopySchedule = { type: 'Immediate', backupCopyWindowEnabled: false }

type Times = Pick<CopySchedule, 'type' | 'periodicallyEvery' | 'dailyType' | 'dailyTime'>

const readTimes = (input: CopyScheduleInput, stored: CopySchedule, at: string): Times => {
  const type = readWord(input.type, `${at}.type`, TYPES) ?? stored.type
  const every =
    readWord(input.periodicallyEvery, `${at}.periodicallyEvery`, PERIODS) ?? stored.periodicallyEvery
  const dailyType = readWord(input.dailyType, `${at}.dailyType`, DAILY_TYPES) ?? stored.dailyType
  const dailyTime = readTimeOfDay(input.dailyTime, `${at}.dailyTime`) ?? stored.dailyTime
  if (type === 'Immediate') return { type }
  if (type === 'DailyAtTime')
    return { type, dailyType: dailyType ?? 'Everyday', dailyTime: dailyTime ?? '00:00:00' }
  if (every === undefined) throw invalid(`${at}.periodicallyEvery is needed`, `${at}.periodicallyEvery`)
  return { type, periodicallyEvery: every }
}

/** What is given over what is stored. Throws `invalid` naming the property. */
export const readCopySchedule = (
  input: Given<CopyScheduleInput>,
  stored: CopySchedule = IMMEDIATE,
  at = 'schedulePolicy',
): CopySchedule => {
  if (input === undefined || input === null) return stored
  const times = readTimes(input, stored, at)
  const property = `${at}.backupCopyWindowSettings`
  const enabled =
    readFlag(input.backupCopyWindowEnabled, `${at}.backupCopyWindowEnabled`) ?? stored.backupCopyWindowEnabled
  const window = readWindow(input.backupCopyWindowSettings, property) ?? stored.backupCopyWindowSettings
  if (enabled && window === undefined) throw invalid(`${property} is needed`, property)
  return {
    ...times,
    backupCopyWindowEnabled: enabled,
    ...(window === undefined ? {} : { backupCopyWindowSettings: window }),
  }
}

const windowOf = (policy: CopySchedule) =>
  policy.backupCopyWindowEnabled ? policy.backupCopyWindowSettings : undefined

/** Whether a run that nobody asked for by hand may begin or go on. */
export const mayCopyAt = (policy: CopySchedule, at: Date, timeZone: string): boolean =>
  isWithinWindow(windowOf(policy), at, timeZone)

/** Undefined for a copy that follows its backup. */
export const nextCopy = (policy: CopySchedule, after: Date, timeZone: string): Date | undefined => {
  if (policy.type === 'Immediate') return undefined
  const window = windowOf(policy)
  const { periodicallyEvery, dailyType, dailyTime } = policy
  return nextRun(
    {
      scheduleEnabled: true,
      type: policy.type === 'DailyAtTime' ? 'Daily' : 'Periodically',
      ...(periodicallyEvery === undefined ? {} : { periodicallyEvery }),
      ...(dailyType === undefined ? {} : { dailyType }),
      ...(dailyTime === undefined ? {} : { dailyTime }),
      backupWindowEnabled: window !== undefined,
      ...(window === undefined ? {} : { backupWindowSettings: window }),
      retryEnabled: false,
      retryNumber: 0,
      retryWaitInterval: 0,
    },
    after,
    timeZone,
  )
}
