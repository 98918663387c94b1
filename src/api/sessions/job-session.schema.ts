import { Type } from 'typebox'
import { links } from '../contract/pages.ts'
import { count, flag, integer, moment, object, oneOf, part, text, uuid } from '../contract/schema.ts'
import { SESSION_STATUSES } from '../jobs/job.schema.ts'

const JOB_TYPES = ['Backup', 'Copy'] as const

export const JobStatistics = object('JobStatistics', {
  processingRateBytesPS: count(),
  processingRateItemsPS: count(),
  readRateBytesPS: count(),
  writeRateBytesPS: count(),
  transferredDataBytes: count(),
  processedObjects: count(),
  bottleneck: oneOf(['NA', 'Detecting', 'Source', 'Target']),
})

export const JobSession = object('JobSession', {
  id: uuid(),
  jobId: uuid({ since: 'v8' }),
  repositoryId: uuid({ since: 'v7' }),
  details: text({ since: 'v6' }),
  creationTime: moment(),
  endTime: moment({ changes: { v7: { nullable: true } } }),
  retryCount: integer({ since: 'v6' }),
  jobWillBeRetried: flag({ since: 'v7' }),
  progress: integer(),
  jobType: oneOf(JOB_TYPES, { since: 'v7' }),
  jobSessionConfigType: oneOf(['Full', 'Incremental'], { since: 'v8' }),
  status: oneOf(SESSION_STATUSES),
  statistics: part(JobStatistics),
  eTag: integer({ since: 'v8', format: 'int64' }),
  _links: links(),
})

export const LogItem = object('LogItem', {
  id: uuid(),
  usn: integer({ format: 'int64' }),
  type: oneOf(['Running', 'Warning', 'Error', 'Success', 'Stop'], { since: 'v8' }),
  title: text({ until: 'v8' }),
  message: text({ since: 'v8' }),
  creationTime: moment(),
  endTime: moment(),
  _links: links(),
})

export const SessionQuery = Type.Object({
  jobId: uuid(),
  jobType: oneOf(JOB_TYPES),
  status: oneOf(SESSION_STATUSES),
  startTimeFrom: moment(),
  startTimeTo: moment(),
  endTimeLowerBound: moment(),
  endTimeUpperBound: moment(),
})
