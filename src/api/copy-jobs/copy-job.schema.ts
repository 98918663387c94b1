import { Type } from 'typebox'
import { links } from '../contract/pages.ts'
import { flag, integer, moment, needed, object, oneOf, part, text, uuid } from '../contract/schema.ts'
import { DAILY_TYPES } from '../jobs/calendar-words.ts'
import { BackupWindow, PERIODS, SESSION_STATUSES } from '../jobs/job.schema.ts'

const CopySchedule = object('CopySchedulePolicy', {
  type: oneOf(['Immediate', 'Periodically', 'DailyAtTime']),
  periodicallyEvery: oneOf(PERIODS, { valueLifetimes: { Hours12: { since: 'v8' } } }),
  dailyType: oneOf(DAILY_TYPES),
  dailyTime: text({ description: "HH:mm:ss in the server's time zone" }),
  backupCopyWindowEnabled: flag(),
  backupCopyWindowSettings: part(BackupWindow),
})

export const CopyJob = object('CopyJob', {
  backupJobId: uuid(),
  schedulePolicy: part(CopySchedule),
  id: uuid({ readOnly: true }),
  organizationId: uuid({ since: 'v8' }),
  repositoryId: uuid({ description: 'Where it copies to.' }),
  name: text(),
  lastRun: moment({ readOnly: true }),
  nextRun: moment({ readOnly: true }),
  lastBackup: moment({ since: 'v7', readOnly: true }),
  isEnabled: flag(),
  lastStatus: oneOf(SESSION_STATUSES, { readOnly: true }),
  eTag: integer({ since: 'v8', format: 'int64', readOnly: true }),
  _links: links(),
})

const changeable = {
  backupJobId: uuid(),
  schedulePolicy: part(CopySchedule),
  organizationId: uuid({ since: 'v8' }),
  repositoryId: uuid(),
  name: text({ maxLength: 512, until: 'v8' }),
  isEnabled: flag(),
}

/** The body of a change: a copy job as it was read may be sent back. */
export const CopyJobBody = object('CopyJobToChange', changeable)

export const NewCopyJob = object('CopyJobToAdd', {
  ...changeable,
  backupJobId: needed(changeable.backupJobId),
  organizationId: needed(changeable.organizationId),
  repositoryId: needed(changeable.repositoryId),
})

export const CopyJobQuery = Type.Object({ organizationId: uuid({ since: 'v8' }), repositoryId: uuid() })
