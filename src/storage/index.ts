export type * from './storage.ts'
export type * from './cloud-account.ts'
export { localStorage, type LocalStorageOptions } from './local-storage.ts'
export { probeFolder, type ProbedFiles, type ProbeOptions } from './probe-folder.ts'
export { azureStorage, type AzureStorageOptions } from './azure-storage.ts'
export { azureCloudAccount } from './azure-cloud-account.ts'
export { azureEndpoint, type AzureAccountOptions, type AzureCloud, type AzureTier } from './azure-account.ts'
export { s3Storage, type S3StorageOptions } from './s3-storage.ts'
export { checkObjectLock } from './check-object-lock.ts'
export {
  recoverS3,
  type RecoveryAction,
  type RecoveryOptions,
  type RecoveryReport,
  type RecoveryStep,
} from './s3-recovery.ts'
export { s3CloudAccount } from './s3-cloud-account.ts'
export { s3Endpoint, type S3AccountOptions, type S3Addressing, type S3Checksums } from './s3-account.ts'
export { type S3ImmutabilityOptions, type S3LockMode } from './s3-retention.ts'
export { isLocked, type Retention, type RetentionPolicy } from './retention.ts'
export {
  extendNeeded,
  extendRetention,
  type ExtendOptions,
  type ExtendReport,
  type Paths,
} from './extend-retention.ts'
export { memoryStorage, type MemoryStorageOptions } from './memory-storage.ts'
export { hostLookup, type HostRules } from './resolve-host.ts'
export { keepReserve, spendReserve } from './space-reserve.ts'
export { readOnly } from './read-only.ts'
export { subfolder } from './subfolder.ts'
export { Bandwidth } from './bandwidth.ts'
export { throttled } from './throttled.ts'
export { retrying, type RetryingOptions } from './retrying.ts'
export { faulty, type FaultyOptions, type OneFault, type RandomFaults } from './faulty.ts'
