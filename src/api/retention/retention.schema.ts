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
  part,
  text,
  uuid,
} from '../contract/schema.ts'
import { SESSION_STATUSES } from '../jobs/job.schema.ts'

const reasonKinds = [
  'Forever',
  'Count',
  'Age',
  'Calendar',
  'Newest',
  'Hold',
  'Locked',
  'Future',
  'Expired',
] as const

const ACTIONS = ['Remove', 'Reduce', 'Keep'] as const

const RetentionReason = object('HoldfastRetentionReason', {
  kind: oneOf(reasonKinds),
  text: text(),
  until: moment({ description: 'Of a lock of the storage.' }),
  legalHoldId: uuid(),
})

export const PreviewedPoint = object('HoldfastPreviewedPoint', {
  restorePointId: uuid(),
  organizationId: uuid(),
  jobId: uuid(),
  jobName: text(),
  backupTime: moment(),
  action: oneOf(ACTIONS, {
    description: 'Reduce: what is under legal hold stays of the point, and all else goes.',
  }),
  rule: text({ description: 'What is kept by the rule that the point is judged by.' }),
  ruleSource: oneOf(['Job', 'Repository']),
  reasons: listOf(RetentionReason),
  objects: count({ description: 'Mailboxes and OneDrives in the point.' }),
  objectsToRemove: count({ description: 'Of these, what leaves it: all, or all but what is held.' }),
})

export const PreviewedObject = object('HoldfastPreviewedObject', {
  organizationId: uuid(),
  userId: text(),
  objectType: oneOf(['Mailbox', 'OneDrive']),
  displayName: text(),
  userPrincipalName: text(),
  items: count({ description: 'Items that no restore point would hold any more.' }),
  expiredItems: count({ description: 'Of these, what is too old itself and leaves points that stay.' }),
  expiredBytes: count(),
  bytes: count({
    description: 'Their bytes and those of former contents, before deduplication: at most so much is freed.',
  }),
})

export const PreviewedItem = object('HoldfastPreviewedItem', {
  organizationId: uuid(),
  userId: text(),
  objectType: oneOf(['Mailbox', 'OneDrive']),
  displayName: text(),
  userPrincipalName: text(),
  itemId: text(),
  name: text({ description: 'The subject of a message, the name of a file.' }),
  path: text({ description: 'Where it lies in the backup.' }),
  time: moment({ description: 'By which it is too old: received, else sent, else made; changed last.' }),
  sizeBytes: count(),
})
export const ItemsQuery = Type.Object({ at: moment(), userId: text({ maxLength: 128 }) })

const hours = (options: { description?: string } = {}) =>
  Type.Optional(Type.Number({ minimum: 0, maximum: 8_784, ...options }))

export const PruneGraceSchema = object('HoldfastPruneGrace', {
  repositoryId: uuid({ readOnly: true }),
  graceHours: hours({ description: 'Stored data that nothing needs any more is removed so long after.' }),
  source: oneOf(['Server', 'Repository'], { readOnly: true }),
})
export const PruneGraceBody = object('HoldfastPruneGraceToSet', {
  graceHours: needed(Type.Number({ minimum: 0, maximum: 8_784 })),
})

export const PreviewSummary = object('HoldfastRetentionPreviewSummary', {
  repositoryId: uuid(),
  at: moment(),
  rule: text({ description: 'What is kept by the rule of the repository.' }),
  clockDoubt: text({ description: 'Why a run removes nothing until the clock is confirmed.' }),
  pointsToRemove: count(),
  pointsToKeep: count(),
  pointsToReduce: count({ description: 'Of these, what stays for what is under legal hold in it alone.' }),
  items: count(),
  bytes: count({ description: 'At most so much is freed.' }),
  graceHours: hours({ description: 'What goes is given back on the storage so long after.' }),
})

export const PreviewQuery = Type.Object({
  at: moment({ description: 'The next run by the schedule when left out.' }),
  action: oneOf(ACTIONS),
})
export const AtQuery = Type.Object({ at: moment() })

export const RetentionRunSchema = object('HoldfastRetentionRun', {
  id: uuid(),
  repositoryId: uuid(),
  status: oneOf(SESSION_STATUSES),
  initiatedBy: text(),
  at: moment({ description: 'The moment that ages are counted from.' }),
  creationTime: moment(),
  endTime: moment(),
  details: text(),
  removedPoints: count(),
  keptPoints: count(),
  refusedPoints: count({ description: 'What the storage did not let go.' }),
  rewrittenPoints: count(),
  removedItems: count(),
  freedBytes: count(),
  waitingBytes: count({ description: 'Needed by nothing; given back when the grace period is over.' }),
  waitingUntil: moment(),
  _links: links(),
})

export const StartRetention = object('HoldfastStartRetention', {
  confirmClock: flag({ description: 'The clock of the server is right, although it jumped.' }),
})

export const RunQuery = Type.Object({ repositoryId: uuid() })

const few = (description: string) => integer({ minimum: 1, maximum: 100_000, description })

const Age = object('HoldfastAge', {
  amount: needed(integer({ minimum: 1, maximum: 1_000_000 })),
  unit: needed(oneOf(['Hours', 'Days', 'Weeks', 'Months', 'Years'])),
})

const ruleFields = {
  retentionType: oneOf(['ItemLevel', 'SnapshotBased']),
  keepForever: flag(),
  keepLast: few('So many of the newest points.'),
  keepAge: part(Age),
  keepDaily: few('The newest point of each of so many days.'),
  keepWeekly: few('… of so many weeks, from Monday.'),
  keepMonthly: few('… of so many months.'),
  keepYearly: few('… of so many years.'),
  timeZone: text({ maxLength: 64, description: 'Where days begin, such as Europe/Berlin.' }),
}

export const JobRetention = object('HoldfastJobRetention', {
  jobId: uuid({ readOnly: true }),
  source: oneOf(['Job', 'Repository'], { readOnly: true }),
  summary: text({ readOnly: true }),
  ...ruleFields,
})
export const JobRetentionBody = object('HoldfastJobRetentionToSave', ruleFields)

const heldTypes = ['User', 'Mailbox', 'OneDrive'] as const

export const LegalHoldSchema = object('HoldfastLegalHold', {
  id: uuid(),
  organizationId: uuid(),
  userId: text(),
  objectType: oneOf(heldTypes),
  name: text(),
  reason: text(),
  setBy: text(),
  setAt: moment(),
  releasedBy: text(),
  releasedAt: moment(),
  releaseReason: text(),
  _links: links(),
})

export const LegalHoldBody = object('HoldfastLegalHoldToSet', {
  organizationId: needed(uuid()),
  userId: needed(text({ maxLength: 128, description: "The directory's id of the user." })),
  objectType: oneOf(heldTypes),
  name: text({ maxLength: 512 }),
  reason: needed(text({ maxLength: 2_000 })),
})

export const ReleaseBody = object('HoldfastLegalHoldToRelease', {
  reason: needed(text({ maxLength: 2_000 })),
})

export const LegalHoldQuery = Type.Object({
  organizationId: uuid(),
  isActive: flag({ description: 'Those in force, or those that were released.' }),
})

export const PersonRemovalSchema = object('HoldfastPersonRemoval', {
  id: uuid(),
  organizationId: uuid(),
  userId: text(),
  name: text(),
  reason: text(),
  requestedBy: text(),
  status: oneOf(SESSION_STATUSES),
  creationTime: moment(),
  endTime: moment(),
  details: text(),
  repositories: count(),
  rewrittenPoints: count({
    description: 'Restore points that were written again, or removed, without the person.',
  }),
  removedBlobs: count({ description: 'Pieces of data that nobody else needed and that are gone.' }),
  sharedBlobs: count({ description: 'Pieces that are equal to pieces of somebody else, who keeps them.' }),
  freedBytes: count(),
  isProven: flag({ description: 'It was looked for afterwards, and nothing of the person alone is stored.' }),
  jobs: listOf(Type.String(), { description: 'Jobs whose next run protects the person again.' }),
  _links: links(),
})

export const PersonRemovalBody = object('HoldfastPersonRemovalToMake', {
  userId: needed(text({ maxLength: 128, description: "The directory's id of the user." })),
  name: text({ maxLength: 512 }),
  reason: text({ maxLength: 2_000 }),
  confirmation: needed(text({ maxLength: 128, description: 'userId once more.' })),
})
