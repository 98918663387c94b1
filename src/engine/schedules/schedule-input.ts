import { invalid } from '#base'
import type { Given } from '../organizations/organization.ts'
import { readFlag, readText, readTimeOfDay, readWhole, readWord } from '../organizations/read-input.ts'
import { DAILY_TYPES } from '../repositories/repository-input.ts'
import type { BackupWindow, PeriodicallyEvery, SchedulePolicy, SchedulePolicyInput } from '../jobs/job.ts'

const TYPES: readonly SchedulePolicy['type'][] = ['Daily', 'Periodically', 'ManualOnly']
export const PERIODS: readonly PeriodicallyEvery[] = [
  'Minutes5',
  'Minutes10',
  'Minutes15',
  'Minutes30',
  'Hours1',
  'Hours2',
  'Hours4',
  'Hours8',
  'Hours12',
]
const HOURS_OF_WEEK = 168

export const MANUAL: SchedulePolicy = {
  scheduleEnabled: false,
  type: 'ManualOnly',
  backupWindowEnabled: false,
  retryEnabled: false,
  retryNumber: 3,
  retryWaitInterval: 10,
}

export const readTimeZone = (value: Given<string>, property: string): string | undefined => {
  const timeZone = readText(value, property, 64)
  if (timeZone === undefined) return undefined
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone
  } catch {
    throw invalid(`${property} is not the name of a time zone like Europe/Berlin`, property)
  }
}

export const readWindow = (value: Given<BackupWindow>, property: string): BackupWindow | undefined => {
  if (value === undefined || value === null) return undefined
  const hours: unknown = value.backupWindow
  if (
    !Array.isArray(hours) ||
    hours.length !== HOURS_OF_WEEK ||
    hours.some((hour) => typeof hour !== 'boolean')
  )
    throw invalid(`${property}.backupWindow has to be ${HOURS_OF_WEEK} booleans`, `${property}.backupWindow`)
  if (!hours.includes(true))
    throw invalid(`${property}.backupWindow lets no run start at all`, `${property}.backupWindow`)
  const minuteOffset = readWhole(value.minuteOffset, `${property}.minuteOffset`, { least: -840, most: 840 })
  return { backupWindow: hours as boolean[], ...(minuteOffset === undefined ? {} : { minuteOffset }) }
}

const typeOf = (input: SchedulePolicyInput, at: string, stored: SchedulePolicy): SchedulePolicy['type'] => {
  const given = readWord(input.type, `${at}.type`, TYPES)
  if (given !== undefined) return given
  if (stored.type !== 'ManualOnly') return stored.type
  if ((input.periodicallyEvery ?? '') !== '') return 'Periodically'
  return (input.dailyTime ?? '') !== '' || (input.dailyType ?? '') !== '' ? 'Daily' : 'ManualOnly'
}

type Times = Pick<
  SchedulePolicy,
  'type' | 'dailyType' | 'dailyTime' | 'periodicallyEvery' | 'periodicallyOffsetMinutes'
>

const readTimes = (input: SchedulePolicyInput, at: string, stored: SchedulePolicy): Times => {
  const type = typeOf(input, at, stored)
  const dailyType = readWord(input.dailyType, `${at}.dailyType`, DAILY_TYPES) ?? stored.dailyType
  const dailyTime = readTimeOfDay(input.dailyTime, `${at}.dailyTime`) ?? stored.dailyTime
  const every =
    readWord(input.periodicallyEvery, `${at}.periodicallyEvery`, PERIODS) ?? stored.periodicallyEvery
  const offset =
    readWhole(input.periodicallyOffsetMinutes, `${at}.periodicallyOffsetMinutes`, { least: 0, most: 59 }) ??
    stored.periodicallyOffsetMinutes
  if (type === 'Daily')
    return { type, dailyType: dailyType ?? 'Everyday', dailyTime: dailyTime ?? '00:00:00' }
  if (type === 'ManualOnly') return { type }
  if (every === undefined) throw invalid(`${at}.periodicallyEvery is needed`, `${at}.periodicallyEvery`)
  return {
    type,
    periodicallyEvery: every,
    ...(offset === undefined ? {} : { periodicallyOffsetMinutes: offset }),
  }
}

const readWindows = (input: SchedulePolicyInput, at: string, stored: SchedulePolicy) => {
  const property = `${at}.backupWindowSettings`
  const backupWindowEnabled =
    readFlag(input.backupWindowEnabled, `${at}.backupWindowEnabled`) ?? stored.backupWindowEnabled
  const window = readWindow(input.backupWindowSettings, property) ?? stored.backupWindowSettings
  if (backupWindowEnabled && window === undefined) throw invalid(`${property} is needed`, property)
  const periodicProperty = `${at}.periodicallyWindowSettings`
  const periodicEnabled =
    readFlag(input.periodicallyWindowEnabled, `${at}.periodicallyWindowEnabled`) ??
    stored.periodicallyWindowEnabled
  const periodic =
    readWindow(input.periodicallyWindowSettings, periodicProperty) ?? stored.periodicallyWindowSettings
  if (periodicEnabled === true && periodic === undefined)
    throw invalid(`${periodicProperty} is needed`, periodicProperty)
  return {
    backupWindowEnabled,
    ...(window === undefined ? {} : { backupWindowSettings: window }),
    ...(periodicEnabled === undefined ? {} : { periodicallyWindowEnabled: periodicEnabled }),
    ...(periodic === undefined ? {} : { periodicallyWindowSettings: periodic }),
  }
}

/** What is given over what is stored. Throws `invalid` naming the property below `at`. */
export const readSchedulePolicy = (
  input: Given<SchedulePolicyInput>,
  stored: SchedulePolicy = MANUAL,
  at = 'schedulePolicy',
): SchedulePolicy => {
  if (input === undefined || input === null) return stored
  const times = readTimes(input, at, stored)
  const enabled = readFlag(input.scheduleEnabled, `${at}.scheduleEnabled`)
  const wasManual = stored.type === 'ManualOnly'
  const timeZone = readTimeZone(input.timeZone, `${at}.timeZone`) ?? stored.timeZone
  return {
    ...times,
    scheduleEnabled: times.type !== 'ManualOnly' && (enabled ?? (wasManual || stored.scheduleEnabled)),
    ...readWindows(input, at, stored),
    retryEnabled: readFlag(input.retryEnabled, `${at}.retryEnabled`) ?? stored.retryEnabled,
    retryNumber:
      readWhole(input.retryNumber, `${at}.retryNumber`, { least: 0, most: 100 }) ?? stored.retryNumber,
    retryWaitInterval:
      readWhole(input.retryWaitInterval, `${at}.retryWaitInterval`, { least: 0, most: 1_440 }) ??
      stored.retryWaitInterval,
    ...(timeZone === undefined ? {} : { timeZone }),
  }
}
