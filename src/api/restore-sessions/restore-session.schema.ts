import { Type } from 'typebox'
import { links } from '../contract/pages.ts'
import {
  count,
  flag,
  integer,
  listOf,
  moment,
  needed,
  object,
  oneOf,
  text,
  uuid,
} from '../contract/schema.ts'

const EXPLORERS = ['Vex', 'Veod', 'Vesp', 'Vet'] as const
const explorer = () => oneOf(EXPLORERS, { valueLifetimes: { Vet: { since: 'v5' } } })

export const ExploreOptions = object('ExploreOptions', {
  dateTime: moment({ description: 'The state at this time; the newest one when left out.' }),
  type: needed(explorer()),
  showDeleted: flag(),
  showAllVersions: flag(),
  reason: text(),
  repositoryId: uuid({ since: 'v8', description: 'Restore points of this repository alone.' }),
})

export const RestoreSession = object('RestoreSession', {
  id: uuid(),
  name: text(),
  organization: text(),
  type: explorer(),
  creationTime: moment(),
  endTime: moment(),
  state: oneOf(['Working', 'Stopped']),
  result: oneOf(['Success', 'Warning', 'Failed']),
  initiatedBy: text(),
  details: text(),
  scopeName: text({ since: 'v6' }),
  clientHost: text({ since: 'v6' }),
  reason: text({ since: 'v6' }),
  eTag: integer({ since: 'v8', format: 'int64' }),
  _links: links(),
})

export const SessionListQuery = Type.Object({
  startTimeFrom: moment(),
  startTimeTo: moment(),
  endTimeFrom: moment(),
  endTimeTo: moment(),
})

export const RestoreSessionEvent = object('RestoreSessionEvent', {
  id: uuid(),
  itemName: text(),
  itemType: text(),
  itemSizeBytes: count(),
  source: text(),
  target: text(),
  type: oneOf(['None', 'Save', 'Export', 'Send', 'Restore', 'View']),
  status: oneOf(['Running', 'Success', 'Warning', 'Failed', 'Cancelled', 'Skipped']),
  startTime: moment(),
  endTime: moment(),
  duration: text(),
  title: text(),
  message: text(),
  order: integer(),
  organizationId: uuid({ since: 'v7' }),
  _links: links(),
})

export const RestoreSessionStatistics = object('RestoreSessionStatistics', {
  totalItemsCount: count(),
  restoredItemsCount: count(),
  failedItemsCount: count(),
  skippedItemsCount: count(),
  warnings: listOf(Type.String()),
  errors: listOf(Type.String()),
  items: listOf(object('ItemRestoreDetails', { name: text(), status: text(), message: text() })),
})

export const BackupOrganization = object('BackupOrganization', {
  id: uuid(),
  name: text(),
  type: oneOf(['Office365', 'OnPremises', 'Hybrid'], { since: 'v6' }),
  _links: links(),
})

/** Which session to watch: a restore goes on after its call has been answered. */
export const AsyncRestore = object('AsyncRestoreResponse', { sessionId: uuid() })

export const RestorePoint = object('RestorePoint', {
  id: text(),
  isDeleted: flag({ since: 'v7' }),
  repositoryId: uuid(),
  backupTime: moment(),
  jobId: uuid(),
  organizationId: uuid(),
  isExchange: flag(),
  isSharePoint: flag(),
  isOneDrive: flag(),
  isTeams: flag(),
  isLongTermCopy: flag(),
  isCopy: flag({ since: 'v7' }),
  isRetrieved: flag(),
  eTag: integer({ since: 'v8', format: 'int64' }),
  _links: links(),
})

/** Whose data in a repository is looked at. */
export const RepositoryExploreQuery = Type.Object({ organizationId: uuid() })

export const RestorePointQuery = Type.Object({
  organizationId: uuid(),
  jobId: uuid(),
  repositoryId: uuid(),
  userId: text(),
  from: moment(),
  to: moment(),
  orderAsc: flag(),
})

/** Asks for what no restore point is or holds yet, beside the filters that all have. */
export const RestorePointListQuery = Type.Object({
  ...RestorePointQuery.properties,
  isLongTermCopy: flag(),
  isCopy: flag({ since: 'v7' }),
  isRetrieved: flag(),
  groupId: text({ since: 'v8' }),
  siteId: text({ since: 'v8' }),
  teamId: text({ since: 'v8' }),
})
