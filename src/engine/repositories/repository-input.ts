import { invalid } from '#base'
import {
  needed,
  readDescription,
  readText,
  readTimeOfDay,
  readWhole,
  readWord,
} from '../organizations/read-input.ts'
import { DAYS } from './backup-repository.ts'
import type {
  BackupRepositoryInput,
  DailyType,
  DayNumber,
  Retention,
  RetentionPeriodType,
  RetentionType,
  YearlyRetentionPeriod,
} from './backup-repository.ts'

export const DAILY_TYPES: readonly DailyType[] = ['Everyday', 'Workdays', 'Weekends', ...DAYS]
const RETENTION_TYPES: readonly RetentionType[] = ['ItemLevel', 'SnapshotBased']
const PERIOD_TYPES: readonly RetentionPeriodType[] = ['Daily', 'Monthly', 'Yearly']
const YEARS: readonly YearlyRetentionPeriod[] = [
  'Year1',
  'Years2',
  'Years3',
  'Years5',
  'Years7',
  'Years10',
  'Years25',
  'Keep',
]
const YEAR_ALIASES: ReadonlyMap<string, YearlyRetentionPeriod> = new Map([['keepforever', 'Keep']])
const DAY_NUMBERS: readonly DayNumber[] = ['First', 'Second', 'Third', 'Fourth', 'Last']
const FREQUENCIES = ['Daily', 'Monthly'] as const

/** Whoever asks for no period loses nothing: old items are protected too, and stay. */
const DEFAULT_RETENTION: Retention = {
  retentionType: 'ItemLevel',
  retentionPeriodType: 'Yearly',
  yearlyRetentionPeriod: 'Keep',
  retentionFrequencyType: 'Daily',
  dailyTime: '00:00:00',
  dailyType: 'Everyday',
}

const readPeriod = (input: BackupRepositoryInput, stored: Retention) => {
  const daily = readWhole(input.dailyRetentionPeriod, 'dailyRetentionPeriod', { least: 1, most: 36_500 })
  const monthly = readWhole(input.monthlyRetentionPeriod, 'monthlyRetentionPeriod', { least: 1, most: 1_200 })
  const yearly = readWord(input.yearlyRetentionPeriod, 'yearlyRetentionPeriod', YEARS, YEAR_ALIASES)
  const retentionPeriodType =
    readWord(input.retentionPeriodType, 'retentionPeriodType', PERIOD_TYPES) ?? stored.retentionPeriodType
  switch (retentionPeriodType) {
    case 'Daily': {
      const dailyRetentionPeriod = needed(daily ?? stored.dailyRetentionPeriod, 'dailyRetentionPeriod')
      return { retentionPeriodType, dailyRetentionPeriod }
    }
    case 'Monthly': {
      const monthlyRetentionPeriod = needed(
        monthly ?? stored.monthlyRetentionPeriod,
        'monthlyRetentionPeriod',
      )
      return { retentionPeriodType, monthlyRetentionPeriod }
    }
    case 'Yearly': {
      const yearlyRetentionPeriod = needed(yearly ?? stored.yearlyRetentionPeriod, 'yearlyRetentionPeriod')
      return { retentionPeriodType, yearlyRetentionPeriod }
    }
  }
}

const readFrequency = (input: BackupRepositoryInput, stored: Retention) => {
  const dailyTime = readTimeOfDay(input.dailyTime, 'dailyTime') ?? stored.dailyTime
  const dailyType = readWord(input.dailyType, 'dailyType', DAILY_TYPES) ?? stored.dailyType
  const monthlyTime = readTimeOfDay(input.monthlyTime, 'monthlyTime') ?? stored.monthlyTime
  const number = readWord(input.monthlyDaynumber, 'monthlyDaynumber', DAY_NUMBERS) ?? stored.monthlyDaynumber
  const day = readWord(input.monthlyDayofweek, 'monthlyDayofweek', DAYS) ?? stored.monthlyDayofweek
  const retentionFrequencyType =
    readWord(input.retentionFrequencyType, 'retentionFrequencyType', FREQUENCIES) ??
    stored.retentionFrequencyType
  if (retentionFrequencyType === 'Daily')
    return {
      retentionFrequencyType,
      dailyTime: dailyTime ?? '00:00:00',
      dailyType: dailyType ?? ('Everyday' as const),
    }
  return {
    retentionFrequencyType,
    monthlyTime: monthlyTime ?? '00:00:00',
    monthlyDaynumber: number ?? ('First' as const),
    monthlyDayofweek: day ?? ('Sunday' as const),
  }
}

/** What is given over what is stored, or over the defaults. Only what the period and frequency need is kept. */
export const readRetention = (
  input: BackupRepositoryInput,
  stored: Retention = DEFAULT_RETENTION,
): Retention => {
  const retentionType =
    readWord(input.retentionType, 'retentionType', RETENTION_TYPES) ?? stored.retentionType
  return { retentionType, ...readPeriod(input, stored), ...readFrequency(input, stored) }
}

export const readRepositoryName = (input: BackupRepositoryInput): string | undefined =>
  readText(input.name, 'name', 256)

export const readRepositoryDescription = (input: BackupRepositoryInput): string | undefined =>
  readDescription(input.description, 'description')

/** Object storage comes with settings that this server does not have yet. */
export const refuseOtherStorage = (path: string): void => {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(path)) throw invalid('path has to be a folder of this machine', 'path')
}
