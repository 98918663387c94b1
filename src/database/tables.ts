import type { Json } from '#base'
import {
  boolean,
  count,
  date,
  json,
  optional,
  table,
  text,
  word,
  type RowOf,
  type StoredRow,
} from './codecs.ts'

// One entry per table, camel case here and snake case in the database. The engine's own words (statuses, settings)
// pass through as text and JSON: this layer keeps them and knows nothing of them.

export const organizations = table({
  id: text,
  type: text,
  region: text,
  name: text,
  officeName: text,
  description: optional(text),
  tenantId: text,
  isExchangeOnline: boolean,
  isSharePointOnline: boolean,
  exchangeOnlineSettings: optional(json<object>()),
  sharePointOnlineSettings: optional(json<object>()),
  verification: json<object>(),
  createdAt: date,
  updatedAt: date,
  versionBackupMode: optional(text),
})
export type OrganizationRow = RowOf<typeof organizations>

/** The accounts that an organization was added with, for the log-in of its tenant. */
export const organizationAccounts = table({ organizationId: text, part: text, accountKey: text })

export const secrets = table({
  tableName: text,
  rowId: text,
  field: text,
  envelope: text,
  updatedAt: date,
})
export type SecretRow = RowOf<typeof secrets>

export const users = table({
  id: text,
  name: text,
  nameKey: text,
  passwordHash: text,
  role: text,
  isEnabled: boolean,
  createdAt: date,
  passwordChangedAt: date,
})
export type UserRow = RowOf<typeof users>

/** Failed log-ins by account name, known or not. */
export const loginFailures = table({
  accountKey: text,
  failures: count,
  lastFailedAt: date,
  lockedUntil: optional(date),
})
export type LoginFailureRow = RowOf<typeof loginFailures>

export const tokens = table({
  id: text,
  /** All tokens that came from one log-in. */
  familyId: text,
  kind: word<'access' | 'refresh'>(),
  tokenHash: text,
  principalKind: word<'administrator' | 'organization'>(),
  /** The user or the organization. */
  principalId: text,
  name: text,
  issuedAt: date,
  expiresAt: date,
  usedAt: optional(date),
})
export type TokenRow = RowOf<typeof tokens>

export const audit = table({
  sequence: count,
  time: date,
  actorKind: text,
  actor: text,
  action: text,
  object: text,
  result: text,
  address: optional(text),
  details: optional(text),
  hash: text,
})
export type AuditRow = RowOf<typeof audit>

/** What an administrator set, also while it is off. */
export interface ProxyThrottling {
  readonly isOn: boolean
  readonly value?: number
  readonly unit?: 'Mbps' | 'MBs' | 'KBs'
}

export const proxies = table({
  id: text,
  hostName: text,
  description: text,
  port: count,
  createdAt: date,
  throttling: optional(json<ProxyThrottling>()),
})
export type ProxyRow = RowOf<typeof proxies>

/** Credentials of object storage; the secret is in an envelope. */
export const accounts = table({
  id: text,
  type: text,
  userName: text,
  description: text,
  organizationId: optional(text),
  /** How its service is spoken to, where it is not as usual. */
  connection: optional(json<object>()),
  createdAt: date,
})
export type AccountRow = RowOf<typeof accounts>

/** Passwords that administrators chose for repositories; the password is in an envelope. */
export const encryptionKeys = table({
  id: text,
  description: text,
  organizationId: optional(text),
  createdAt: date,
})
export type EncryptionKeyRow = RowOf<typeof encryptionKeys>

/** Places for repositories in buckets and containers. */
export const objectStorages = table({
  id: text,
  name: text,
  description: text,
  accountId: text,
  place: json<object>(),
  /** What tells places apart: two rows never have the same. */
  placeKey: text,
  settings: json<object>(),
  /** Made with its repository and removed with it. */
  isPartOfRepository: boolean,
  createdAt: date,
})
export type ObjectStorageRow = RowOf<typeof objectStorages>

export const repositories = table({
  id: text,
  name: text,
  nameKey: text,
  description: text,
  path: text,
  proxyId: text,
  retention: json<object>(),
  createdAt: date,
  /** Where the data is, unless it is in a folder of the machine. */
  objectStorageId: optional(text),
  /** The password that opens every shard beside the shard's own. */
  encryptionKeyId: optional(text),
  /** Whose it is, where it is meant for one organization. */
  organizationId: optional(text),
  cachePath: optional(text),
})
export type RepositoryRow = RowOf<typeof repositories>

/** A key file of an encryption key in a shard. */
export interface EncryptionKeyFile {
  readonly encryptionKeyId: string
  readonly id: string
  /** Which of the key's passwords it was made with; absent: the first. */
  readonly stamp?: string
  /** Earlier key files that could not be removed yet. */
  readonly leaving?: readonly string[]
  /** An earlier password of the key may still open the shard. */
  readonly hasEarlier?: boolean
}

/** An organization's folder in a repository. Stays when the organization is removed: the data does too. */
export const repositoryOrganizations = table({
  repositoryId: text,
  organizationId: text,
  organizationName: text,
  folder: text,
  shardCount: count,
  createdAt: date,
  /** As it was last measured. */
  usedBytes: optional(count),
  measuredAt: optional(date),
  /** By the number of the shard: the key file that the encryption key has there. */
  keyFiles: optional(json<Readonly<Record<string, EncryptionKeyFile>>>()),
})
export type RepositoryOrganizationRow = RowOf<typeof repositoryOrganizations>

export const jobs = table({
  id: text,
  organizationId: text,
  repositoryId: text,
  name: text,
  nameKey: text,
  description: text,
  backupType: text,
  isEnabled: boolean,
  schedulePolicy: json<object>(),
  nextRun: optional(date),
  eTag: count,
  createdAt: date,
})
export type JobRow = RowOf<typeof jobs>

export const jobItems = table({
  id: text,
  jobId: text,
  list: word<'selected' | 'excluded'>(),
  /** What the item stands for, so that it is listed once. */
  objectKey: text,
  position: count,
  item: json<object>(),
})
export type JobItemRow = RowOf<typeof jobItems>

export const jobSessions = table({
  id: text,
  jobId: text,
  organizationId: text,
  repositoryId: text,
  details: optional(text),
  creationTime: date,
  endTime: optional(date),
  retryCount: count,
  jobWillBeRetried: boolean,
  progress: count,
  configType: text,
  status: text,
  statistics: json<object>(),
  eTag: count,
  /** `Copy`; absent: a backup. `jobId` is then a copy job's. */
  jobType: optional(text),
})
export type SessionRow = RowOf<typeof jobSessions>

/** Copies the restore points of one backup job to another repository. */
export const copyJobs = table({
  id: text,
  backupJobId: text,
  organizationId: text,
  repositoryId: text,
  name: text,
  isEnabled: boolean,
  schedulePolicy: json<object>(),
  nextRun: optional(date),
  /** By the number of the shard: the time of the newest snapshot that was copied. */
  marks: json<Readonly<Record<string, string>>>(),
  /** The newest session of the backup job that a run was begun for. */
  seenSessionId: optional(text),
  eTag: count,
  createdAt: date,
})
export type CopyJobRow = RowOf<typeof copyJobs>

export const logItems = table({
  usn: count,
  id: text,
  sessionId: text,
  itemKey: optional(text),
  type: text,
  message: text,
  creationTime: date,
  endTime: optional(date),
})
export type LogRow = RowOf<typeof logItems>

export const checkpoints = table({ sessionId: text, key: text, value: json<Json>() })
export type CheckpointRow = RowOf<typeof checkpoints>

export const tasks = table({
  id: text,
  kind: text,
  /** At most one unfinished task of a kind has a key. */
  key: text,
  payload: json<object>(),
  runAt: date,
  attempts: count,
  leaseOwner: optional(text),
  leaseUntil: optional(date),
  stopRequested: boolean,
  createdAt: date,
})
export type TaskRow = RowOf<typeof tasks>

export const restoreSessions = table({
  id: text,
  organizationId: text,
  repositoryId: text,
  type: text,
  name: text,
  state: text,
  result: optional(text),
  initiatedBy: text,
  details: optional(text),
  creationTime: date,
  endTime: optional(date),
  /** What the session needs to open again: its point in time, its owner. */
  properties: json<object>(),
})
export type RestoreSessionRow = RowOf<typeof restoreSessions>

export const restoreEvents = table({
  sequence: count,
  id: text,
  sessionId: text,
  type: text,
  status: text,
  title: text,
  message: optional(text),
  startTime: date,
  endTime: optional(date),
  properties: json<object>(),
})
export type RestoreEventRow = RowOf<typeof restoreEvents>

/** A job's own rule of what is kept. */
export const jobRetentions = table({ jobId: text, rule: json<object>(), updatedAt: date })
export type JobRetentionRow = RowOf<typeof jobRetentions>

export const retentionSchedules = table({
  repositoryId: text,
  /** What `nextRun` was worked out from. */
  settings: text,
  nextRun: optional(date),
})
export type RetentionScheduleRow = RowOf<typeof retentionSchedules>

/** A run that removes what is no longer kept, or one person's data for good. Its log is in `logItems`. */
export const retentionRuns = table({
  id: text,
  kind: word<'Retention' | 'PersonRemoval'>(),
  repositoryId: optional(text),
  organizationId: optional(text),
  initiatedBy: text,
  request: json<object>(),
  status: text,
  creationTime: date,
  endTime: optional(date),
  details: optional(text),
  result: json<object>(),
})
export type RetentionRunRow = RowOf<typeof retentionRuns>

export const legalHolds = table({
  id: text,
  organizationId: text,
  userId: text,
  /** `Mailbox`, `OneDrive` or `User` for all of a person's. */
  objectType: text,
  name: text,
  reason: text,
  setBy: text,
  setAt: date,
  releasedBy: optional(text),
  releasedAt: optional(date),
  releaseReason: optional(text),
})
export type LegalHoldRow = RowOf<typeof legalHolds>

/** `trustedAt` is there while the clock is in doubt: the last moment before. */
export const clockMarks = table({ id: text, seenAt: date, trustedAt: optional(date) })
export type ClockMarkRow = RowOf<typeof clockMarks>

/** A verification, a repair, a restore test or a recovery. What it found is in `trustLines`. */
export const trustRuns = table({
  id: text,
  kind: word<'Verification' | 'Repair' | 'RestoreTest' | 'Recovery'>(),
  repositoryId: text,
  initiatedBy: text,
  request: json<object>(),
  status: text,
  creationTime: date,
  endTime: optional(date),
  details: optional(text),
  result: json<object>(),
})
export type TrustRunRow = RowOf<typeof trustRuns>

export const trustLines = table({ runId: text, position: count, line: json<object>() })

export const trustSchedules = table({
  repositoryId: text,
  settings: json<object>(),
  /** The share whose data is read next. */
  nextShare: count,
  lastVerifiedAt: optional(date),
  nextVerification: optional(date),
  nextRestoreTest: optional(date),
})
export type TrustScheduleRow = RowOf<typeof trustSchedules>

/**
 * Something stored that cannot be read in full. `Damaged`: found. `Waiting`: the index has forgotten its blobs, and the next
 * run stores them anew. `Lost`: that run did not bring them back. `Gone`: no restore point needs it any more.
 */
export const damagedItems = table({
  id: text,
  repositoryId: text,
  organizationId: text,
  shard: count,
  objectKey: optional(text),
  path: text,
  name: text,
  kind: word<'Mail' | 'Document' | 'Folder' | 'Catalogue'>(),
  problem: text,
  /** `type id` of each. */
  blobs: json<readonly string[]>(),
  /** Restore points that need it. */
  points: count,
  foundAt: date,
  status: word<'Damaged' | 'Waiting' | 'Lost' | 'Healed' | 'Gone'>(),
  endedAt: optional(date),
})
export type DamagedItemRow = RowOf<typeof damagedItems>

/** Objects that the next run reads in full. */
export const objectsToRead = table({ repositoryId: text, organizationId: text, objectKey: text, since: date })
export type ObjectToReadRow = RowOf<typeof objectsToRead>

/** What was last found out of an organization in a repository. Without `result`: nothing yet, and `details` says why. */
export const spaceSurveys = table({
  repositoryId: text,
  organizationId: text,
  triedAt: date,
  costMs: count,
  details: optional(text),
  surveyedAt: optional(date),
  result: optional(json<object>()),
})
export type SpaceSurveyRow = RowOf<typeof spaceSurveys>

export const spaceObjects = table({
  repositoryId: text,
  organizationId: text,
  objectKey: text,
  identity: json<object>(),
  fileBytes: count,
  dataBytes: count,
  plainBytes: count,
  storedBytes: count,
  exclusiveBytes: count,
})
export type SpaceObjectRow = RowOf<typeof spaceObjects>

export const spacePoints = table({
  repositoryId: text,
  organizationId: text,
  sessionId: text,
  jobId: text,
  jobName: text,
  time: date,
  grownBytes: count,
  exclusiveBytes: count,
})
export type SpacePointRow = RowOf<typeof spacePoints>

/** One row a day. `organizationId` is empty for a repository as a whole. */
export const spaceHistory = table({
  repositoryId: text,
  organizationId: text,
  /** `2026-11-24`, in UTC. */
  day: text,
  at: date,
  usedBytes: count,
  neededBytes: optional(count),
  freeBytes: optional(count),
})
export type SpaceHistoryRow = RowOf<typeof spaceHistory>

/** How long packs that nothing needs stay, where a repository has its own time. */
/** New master keys for all that a repository holds. */
export const reencryptions = table({
  id: text,
  repositoryId: text,
  initiatedBy: text,
  request: json<object>(),
  status: text,
  creationTime: date,
  endTime: optional(date),
  details: optional(text),
  result: json<object>(),
})
export type ReencryptionRow = RowOf<typeof reencryptions>

/**
 * Further folders of an organization, beside the one in force. `Growing`: its data is being written into it under another
 * key. `Former`: what was in force before, and goes; where it cannot be removed yet, `keptUntil` says when.
 */
export const organizationFolders = table({
  repositoryId: text,
  folder: text,
  organizationId: text,
  state: word<'Growing' | 'Former'>(),
  since: date,
  keptUntil: optional(date),
})
export type OrganizationFolderRow = RowOf<typeof organizationFolders>

/** What the last recovery kit held, and where the server writes it by itself. */
export const recoveryKits = table({
  id: text,
  folder: optional(text),
  writtenAt: optional(date),
  contents: json<object>(),
  failure: optional(text),
})
export type RecoveryKitRow = RowOf<typeof recoveryKits>

export const pruneGraces = table({ repositoryId: text, graceMs: count })

/** The tables as Kysely sees them. */
export interface Tables {
  organizations: StoredRow<typeof organizations>
  organizationAccounts: StoredRow<typeof organizationAccounts>
  secrets: StoredRow<typeof secrets>
  users: StoredRow<typeof users>
  loginFailures: StoredRow<typeof loginFailures>
  tokens: StoredRow<typeof tokens>
  audit: StoredRow<typeof audit>
  proxies: StoredRow<typeof proxies>
  accounts: StoredRow<typeof accounts>
  encryptionKeys: StoredRow<typeof encryptionKeys>
  objectStorages: StoredRow<typeof objectStorages>
  repositories: StoredRow<typeof repositories>
  repositoryOrganizations: StoredRow<typeof repositoryOrganizations>
  jobs: StoredRow<typeof jobs>
  jobItems: StoredRow<typeof jobItems>
  jobSessions: StoredRow<typeof jobSessions>
  copyJobs: StoredRow<typeof copyJobs>
  logItems: StoredRow<typeof logItems>
  checkpoints: StoredRow<typeof checkpoints>
  tasks: StoredRow<typeof tasks>
  restoreSessions: StoredRow<typeof restoreSessions>
  restoreEvents: StoredRow<typeof restoreEvents>
  jobRetentions: StoredRow<typeof jobRetentions>
  retentionSchedules: StoredRow<typeof retentionSchedules>
  retentionRuns: StoredRow<typeof retentionRuns>
  legalHolds: StoredRow<typeof legalHolds>
  clockMarks: StoredRow<typeof clockMarks>
  trustRuns: StoredRow<typeof trustRuns>
  trustLines: StoredRow<typeof trustLines>
  trustSchedules: StoredRow<typeof trustSchedules>
  damagedItems: StoredRow<typeof damagedItems>
  objectsToRead: StoredRow<typeof objectsToRead>
  spaceSurveys: StoredRow<typeof spaceSurveys>
  spaceObjects: StoredRow<typeof spaceObjects>
  spacePoints: StoredRow<typeof spacePoints>
  spaceHistory: StoredRow<typeof spaceHistory>
  pruneGraces: StoredRow<typeof pruneGraces>
  reencryptions: StoredRow<typeof reencryptions>
  organizationFolders: StoredRow<typeof organizationFolders>
  recoveryKits: StoredRow<typeof recoveryKits>
}
