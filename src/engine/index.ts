export * from './connectors/connectors.ts'
export { Access, type AccessParts, type Caller } from './access/access.ts'
export * from './access/audit.ts'
export { ACCESS_TOKEN_LIFETIME, type IssuedTokens } from './access/token-store.ts'
export * from './access/principal.ts'
export * from './organizations/organization.ts'
export * from './organizations/organizations.ts'
export * from './organizations/listings.ts'
export { readRegion, REGIONS, ORGANIZATION_TYPES } from './organizations/organization-input.ts'
export * from './organizations/tenants.ts'
export type * from './accounts/account.ts'
export type * from './accounts/account-connection.ts'
export * from './accounts/accounts.ts'
export type * from './encryption-keys/encryption-key.ts'
export * from './encryption-keys/encryption-keys.ts'
export type * from './object-storage/cloud-opener.ts'
export * from './object-storage/cloud-resources.ts'
export { isPrivateAddress } from './object-storage/service-point.ts'
export type * from './object-storage/object-storage.ts'
export { ObjectStorages, type ObjectStoragesParts } from './object-storage/object-storages.ts'
export {
  endpointOf,
  type AzureRegionType,
  type AzureService,
  type CloudPlace,
  type CloudService,
  type S3RegionType,
  type S3Service,
  type StorageClass,
} from './object-storage/place.ts'
export * from './repositories/backup-repository.ts'
export * from './repositories/backup-repositories.ts'
export { type OwnerIdentity } from './repositories/owner-record.ts'
export { type FoundOrganization } from './repositories/attach-organizations.ts'
export { MOST_SHARDS } from './repositories/shard-repositories.ts'
export { prepareFirstStart } from './repositories/first-start.ts'
export * from './proxies/proxy.ts'
export * from './proxies/proxies.ts'
export * from './jobs/job.ts'
export * from './jobs/jobs.ts'
export * from './jobs/job-runner.ts'
export * from './jobs/backup-run.ts'
export type * from './copy/copy-job.ts'
export { CopyJobs, type CopyJobFilter } from './copy/copy-jobs.ts'
export { CopyRunner } from './copy/copy-runner.ts'
export * from './sessions/job-session.ts'
export { JobSessions } from './sessions/job-sessions.ts'
export * from './schedules/scheduler.ts'
export * from './tasks/task-queue.ts'
export type { DamagedItemRow, Page, PageRequest } from '#database'
export * from './secrets/root-key.ts'
export * from './secrets/seal-anew.ts'
export * from './secrets/secrets.ts'
export * from './explore/restore-session.ts'
export * from './explore/restore-sessions.ts'
export * from './explore/restore-points.ts'
export * from './explore/protected-objects.ts'
export { Explorer, type ListRequest } from './explore/explorer.ts'
export type { LocatedObject } from './explore/point-view.ts'
export type { Selection } from './explore/saved-items.ts'
export * from './retention/retentions.ts'
export * from './retention/retention-rule.ts'
export type { PointVerdict, Reason, ReasonKind, RetainedPoint } from './retention/plan-points.ts'
export { DEFAULT_GRACE_HOURS, graceMsOf, type PruneGrace } from './retention/prune-grace.ts'
export type { RetentionRun } from './retention/retention-run.ts'
export { RetentionRunner } from './retention/retention-runner.ts'
export { RetentionScheduler } from './retention/retention-scheduler.ts'
export { itemCutoffOf } from './retention/item-cutoff.ts'
export { ClockGuard } from './retention/clock-guard.ts'
export { PersonRemovals, type PersonRemoval, type PersonRemovalInput } from './retention/person-removals.ts'
export { LegalHolds, type LegalHold, type LegalHoldInput } from './retention/legal-holds.ts'
export { Space, type RepositorySpaceReport, type SurveyedOrganization } from './space/space.ts'
export type { Forecast } from './space/forecast.ts'
export { SpaceRunner } from './space/space-runner.ts'
export { Trust, type TrustAsked, type TrustSettings, type TrustState } from './trust/trust.ts'
export type { TrustRequest, TrustRun, TrustRunKind } from './trust/trust-run.ts'
export { TrustRunner } from './trust/trust-runner.ts'
export { TrustScheduler } from './trust/trust-scheduler.ts'
export { healing } from './trust/healing-backup.ts'
export { Reencryptions } from './reencryption/reencryptions.ts'
export { ReencryptionRunner } from './reencryption/reencryption-runner.ts'
export type { Reencryption, ReencryptedOrganization } from './reencryption/reencryption-run.ts'
export { RepositoryGate } from './tasks/repository-gate.ts'
export * from './restore/restores.ts'
export type { RestoreReport } from './restore/restore-report.ts'
export * from './export/exports.ts'
export type * from './catalogue/rows.ts'
export { versionNumber, versionsOf, type ListedVersion } from './catalogue/file-versions.ts'
export {
  objectKey,
  objectPath,
  shardOf,
  type ObjectIdentity,
  type ObjectKind,
} from './catalogue/object-state.ts'
export {
  openCatalogue,
  type Catalogue,
  type CatalogueFolder,
  type ObjectAtPoint,
  type RestorePoint,
} from './catalogue/catalogue.ts'
export { Catalogues, type ShardAddress } from './catalogue/catalogues.ts'
export { createRunBackup, type BackupSettings } from './backup/run-backup.ts'
