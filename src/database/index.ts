export type * from './page.ts'
export type {
  AccountRow,
  AuditRow,
  CheckpointRow,
  ClockMarkRow,
  CopyJobRow,
  EncryptionKeyFile,
  EncryptionKeyRow,
  JobItemRow,
  JobRetentionRow,
  JobRow,
  LegalHoldRow,
  LogRow,
  LoginFailureRow,
  ObjectStorageRow,
  OrganizationFolderRow,
  OrganizationRow,
  ProxyRow,
  RecoveryKitRow,
  ReencryptionRow,
  RepositoryOrganizationRow,
  RepositoryRow,
  RestoreEventRow,
  RestoreSessionRow,
  RetentionRunRow,
  RetentionScheduleRow,
  DamagedItemRow,
  TrustRunRow,
  TrustScheduleRow,
  SecretRow,
  SessionRow,
  SpaceHistoryRow,
  SpaceObjectRow,
  SpacePointRow,
  SpaceSurveyRow,
  TaskRow,
  TokenRow,
  UserRow,
} from './tables.ts'
export { isDuplicate } from './errors.ts'
export * from './open-database.ts'
export * from './rows/account-rows.ts'
export * from './rows/audit-rows.ts'
export * from './rows/checkpoint-rows.ts'
export * from './rows/copy-job-rows.ts'
export * from './rows/encryption-key-rows.ts'
export * from './rows/job-rows.ts'
export * from './rows/log-rows.ts'
export * from './rows/object-storage-rows.ts'
export * from './rows/organization-rows.ts'
export * from './rows/proxy-rows.ts'
export * from './rows/recovery-kit-rows.ts'
export * from './rows/reencryption-rows.ts'
export * from './rows/repository-rows.ts'
export * from './rows/restore-session-rows.ts'
export * from './rows/retention-rows.ts'
export * from './rows/trust-rows.ts'
export * from './rows/secret-rows.ts'
export * from './rows/session-rows.ts'
export * from './rows/space-rows.ts'
export * from './rows/task-rows.ts'
export * from './rows/token-rows.ts'
export * from './rows/user-rows.ts'
