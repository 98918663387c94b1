import type { Secret } from '#base'
import type { ObjectStorage, ObjectStorageInput } from '../object-storage/object-storage.ts'
import type { Given, SecretInput } from '../organizations/organization.ts'
import type { FoundOrganization } from './attach-organizations.ts'
import type { ChangedPasswords } from './shard-passwords.ts'

export type RetentionType = 'ItemLevel' | 'SnapshotBased'
export type RetentionPeriodType = 'Daily' | 'Monthly' | 'Yearly'
export type YearlyRetentionPeriod =
  'Year1' | 'Years2' | 'Years3' | 'Years5' | 'Years7' | 'Years10' | 'Years25' | 'Keep'
export type DayOfWeek = 'Sunday' | 'Monday' | 'Tuesday' | 'Wednesday' | 'Thursday' | 'Friday' | 'Saturday'
export const DAYS: readonly DayOfWeek[] = [
  'Sunday',
  'Monday',
  'Tuesday',
  'Wednesday',
  'Thursday',
  'Friday',
  'Saturday',
]
export type DailyType = 'Everyday' | 'Workdays' | 'Weekends' | DayOfWeek
export type DayNumber = 'First' | 'Second' | 'Third' | 'Fourth' | 'Last'

export interface Retention {
  readonly retentionType: RetentionType
  readonly retentionPeriodType: RetentionPeriodType
  readonly dailyRetentionPeriod?: number
  readonly monthlyRetentionPeriod?: number
  readonly yearlyRetentionPeriod?: YearlyRetentionPeriod
  readonly retentionFrequencyType: 'Daily' | 'Monthly'
  /** `HH:mm:ss`. */
  readonly dailyTime?: string
  readonly dailyType?: DailyType
  readonly monthlyTime?: string
  readonly monthlyDaynumber?: DayNumber
  readonly monthlyDayofweek?: DayOfWeek
}

export interface BackupRepository extends Retention {
  readonly id: string
  readonly name: string
  readonly description: string
  /** A folder of this machine, or the address of the place in object storage. */
  readonly path: string
  readonly proxyId: string
  readonly objectStorage?: ObjectStorage
  /** Kept for callers. Holdfast has its caches in its data folder. */
  readonly objectStorageCachePath?: string
  /** The password that opens every shard beside the shard's own. */
  readonly encryptionKeyId?: string
  readonly organizationId?: string
  /** Undefined while the folder cannot be reached. */
  readonly capacityBytes?: number
  readonly freeSpaceBytes?: number
  readonly isOutOfOrder: boolean
  readonly outOfOrderReason?: string
}

/** For adding (name and either path or object storage needed) and changing (what is left out stays). */
export interface BackupRepositoryInput {
  readonly name?: Given<string>
  readonly description?: Given<string>
  readonly path?: Given<string>
  readonly proxyId?: Given<string>
  /** An object storage that is there, instead of a folder. */
  readonly objectStorageId?: Given<string>
  /** An object storage that is made with the repository. */
  readonly objectStorage?: Given<ObjectStorageInput>
  readonly objectStorageCachePath?: Given<string>
  readonly objectStorageEncryptionEnabled?: Given<boolean>
  readonly encryptionKeyId?: Given<string>
  readonly organizationId?: Given<string>
  readonly retentionType?: Given<string>
  readonly retentionPeriodType?: Given<string>
  readonly dailyRetentionPeriod?: Given<number>
  readonly monthlyRetentionPeriod?: Given<number>
  readonly yearlyRetentionPeriod?: Given<string>
  readonly retentionFrequencyType?: Given<string>
  readonly dailyTime?: Given<string>
  readonly dailyType?: Given<string>
  readonly monthlyTime?: Given<string>
  readonly monthlyDaynumber?: Given<string>
  readonly monthlyDayofweek?: Given<string>
}

export interface PasswordInput {
  /** The folder, id or name of the organization; absent: tried for every one. */
  readonly organization?: Given<string>
  readonly password?: Given<SecretInput>
}

/** For attaching: a place, and what opens it. Without a name it is called as before. */
export interface AttachInput extends BackupRepositoryInput {
  readonly passwords?: readonly PasswordInput[]
  /** Takes the repository from a server that seems to be at work. That one writes nothing more from then on. */
  readonly takeOver?: Given<boolean>
}

/** What reads a repository without Holdfast. Holds passwords: for an administrator at the server alone. */
export interface RecoveryKit {
  readonly repositoryName: string
  readonly instructions: string
  readonly shards: readonly RecoveryShard[]
}

export interface RecoveryShard {
  readonly organizationId: string
  readonly organizationName: string
  /** As stock restic takes it: a folder, or `s3:https://…`. */
  readonly path: string
  /** What restic has to find in its environment beside the password, by variable: no secret of the account. */
  readonly environment: Readonly<Record<string, string>>
  readonly password: Secret
}

/** An organization that has data in a repository. It may have been removed from the server since. */
export interface BackedUpOrganization {
  readonly organizationId: string
  readonly name: string
  readonly usedSpaceBytes?: number
  readonly isInObjectStorage: boolean
}

/** A repository that was taken up, with everything that was found in it. */
export interface AttachedRepository {
  readonly repository: BackupRepository
  readonly organizations: readonly FoundOrganization[]
}

/** An organization whose shards have a new password. */
export interface RotatedOrganization extends ChangedPasswords {
  readonly organizationId: string
  readonly name: string
}

/** A repository whose recovery kit is out of date from now on. */
export interface RotatedPasswords {
  readonly repositoryId: string
  readonly repositoryName: string
  readonly organizations: readonly RotatedOrganization[]
}

/** A repository whose encryption key has a new password. */
export interface RenewedRepository extends Partial<ChangedPasswords> {
  readonly repositoryId: string
  readonly name: string
  /** Why it does not have it yet. */
  readonly reason?: string
}

/** Whose a repository is. */
export interface RepositoryOwner {
  /** Undefined where nobody has ever written to it. */
  readonly serverId?: string
  readonly serverName?: string
  /** ISO 8601, by the clock of that server. */
  readonly since?: string
  readonly isThisServer: boolean
  /** Whether it is at work, as far as can be seen from here. */
  readonly isAtWork: boolean
}
