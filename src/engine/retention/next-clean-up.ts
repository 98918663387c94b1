import { Cron } from 'croner'
import { DAYS, type DayNumber, type Retention } from '../repositories/backup-repository.ts'
import { MANUAL } from '../schedules/schedule-input.ts'
import { nextRun } from '../schedules/next-run.ts'

const NTH: Readonly<Record<DayNumber, string>> = {
  First: '#1',
  Second: '#2',
  Third: '#3',
  Fourth: '#4',
  Last: '#L',
}

/** When a repository is cleaned up next by its settings, strictly after `after`, in the server's time zone. */
export const nextCleanUp = (settings: Retention, after: Date, timeZone: string): Date | undefined => {
  if (settings.retentionFrequencyType === 'Daily') {
    const { dailyTime = '00:00:00', dailyType = 'Everyday' } = settings
    return nextRun({ ...MANUAL, scheduleEnabled: true, type: 'Daily', dailyTime, dailyType }, after, timeZone)
  }
  const { monthlyTime = '00:00:00', monthlyDaynumber = 'First', monthlyDayofweek = 'Sunday' } = settings
  const [hour, minute, second] = monthlyTime.split(':').map(Number)
  const day = `${DAYS.indexOf(monthlyDayofweek)}${NTH[monthlyDaynumber]}`
  const pattern = `${second} ${minute} ${hour} * * ${day}`
  return new Cron(pattern, { timezone: timeZone, paused: true }).nextRun(after) ?? undefined
}

/** Changes when, and only when, the settings that decide about it do. */
export const cleanUpKey = ({
  retentionFrequencyType,
  dailyTime,
  dailyType,
  monthlyTime,
  monthlyDaynumber,
  monthlyDayofweek,
}: Retention): string =>
  retentionFrequencyType === 'Daily'
    ? `Daily ${dailyTime} ${dailyType}`
    : `Monthly ${monthlyTime} ${monthlyDaynumber} ${monthlyDayofweek}`
