import type { Given } from '../organizations/organization.ts'
import type { CloudPlace, ObjectStorageType } from './place.ts'

/** How long what is written cannot be removed. */
export interface Immutability {
  /** Governance: somebody with a special right may still remove. */
  readonly mode: 'Compliance' | 'Governance'
  /** Undefined: as long as the repository's retention keeps. */
  readonly days?: number
}

/** What an object storage may hold and how. */
export interface ObjectStorageSettings {
  readonly sizeLimitEnabled: boolean
  readonly sizeLimitGB?: number
  readonly immutability?: Immutability
}

/** A place for one repository in a bucket or container. */
export interface ObjectStorage extends ObjectStorageSettings {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly type: ObjectStorageType
  readonly accountId: string
  readonly place: CloudPlace
  /** As last measured. */
  readonly usedSpaceBytes: number
  /** With a size limit alone. */
  readonly freeSpaceBytes?: number
}

export interface BucketInput {
  readonly name?: Given<string>
  readonly regionType?: Given<string>
  readonly regionId?: Given<string>
  readonly regionName?: Given<string>
}

export interface CompatibleBucketInput {
  readonly name?: Given<string>
  readonly servicePoint?: Given<string>
  readonly customRegionId?: Given<string>
  readonly trustServerCertificate?: Given<boolean>
  readonly trustedServerCertificateThumbprint?: Given<string>
}

/** For adding and changing (what is left out stays; the place itself cannot change). */
export interface ObjectStorageInput {
  readonly name?: Given<string>
  readonly description?: Given<string>
  readonly type?: Given<string>
  readonly accountId?: Given<string>
  readonly amazonBucketS3Aws?: Given<BucketInput>
  readonly amazonBucketS3Compatible?: Given<CompatibleBucketInput>
  readonly s3Folder?: Given<string>
  readonly azureContainer?: Given<{ readonly name?: Given<string>; readonly regionType?: Given<string> }>
  readonly azureFolder?: Given<string>
  readonly sizeLimitEnabled?: Given<boolean>
  readonly sizeLimitGB?: Given<number>
  readonly enableImmutability?: Given<boolean>
  readonly enableImmutabilityGovernanceMode?: Given<boolean>
  readonly immutabilityPeriodDays?: Given<number>
  readonly standardIaStorageClassEnabled?: Given<boolean>
  readonly oneZoneIaStorageClassEnabled?: Given<boolean>
  readonly glacierInstantRetrievalEnabled?: Given<boolean>
  readonly glacierDeepArchiveEnabled?: Given<boolean>
  readonly useArchiverAppliance?: Given<boolean>
}
