// Made by scripts/generate-client.ts out of the OpenAPI document of v8. Do not edit.
import type { Connection } from '../connect.ts'

export interface Account {
  readonly id?: string | undefined
  readonly accountType?: 'azureBlobAccount' | 'amazonS3Account' | 'amazonS3CompatibleAccount' | undefined
  readonly userName?: string | undefined
  readonly description?: string | undefined
  readonly organizationId?: string | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface AccountToSave {
  readonly accountType?: 'azureBlobAccount' | 'amazonS3Account' | 'amazonS3CompatibleAccount' | undefined
  readonly userName?: string | undefined
  readonly password?: string | undefined
  readonly description?: string | undefined
  readonly organizationId?: string | undefined
}

export interface Action {
  readonly uri?: string | undefined
  readonly method?: string | undefined
}

export interface AsyncRestoreResponse {
  readonly sessionId?: string | undefined
}

export interface AzureContainer {
  readonly name?: string | undefined
  readonly regionType?: 'Global' | 'Germany' | 'China' | 'Government' | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface BackedUpOrganization {
  readonly id?: string | undefined
  readonly name?: string | undefined
  readonly usedSpaceBytes?: number | undefined
  readonly localCacheUsedSpaceBytes?: number | undefined
  readonly objectStorageUsedSpaceBytes?: number | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface BackupJobToAdd {
  readonly name?: string | undefined
  readonly description?: string | undefined
  readonly backupType?: 'EntireOrganization' | 'SelectedItems' | undefined
  readonly repositoryId: string
  readonly selectedItems?: readonly (JobItem)[] | undefined
  readonly excludedItems?: readonly (JobItem)[] | undefined
  readonly schedulePolicy?: SchedulePolicy | undefined
  readonly runNow?: boolean | undefined
  readonly organizationId: string
  readonly isEnabled?: boolean | undefined
}

export interface BackupMailboxData {
  readonly id?: string | undefined
  readonly repositoryId?: string | undefined
  readonly organizationId?: string | undefined
  readonly backedUpOrganizationId?: string | undefined
  readonly itemType?: 'Mailbox' | 'OneDrive' | 'Site' | 'Team' | 'User' | 'Group' | undefined
  readonly displayName?: string | undefined
  readonly email?: string | undefined
  readonly isArchive?: boolean | undefined
  readonly backedUpTime?: string | null | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface BackupOneDriveData {
  readonly id?: string | undefined
  readonly repositoryId?: string | undefined
  readonly organizationId?: string | undefined
  readonly backedUpOrganizationId?: string | undefined
  readonly itemType?: 'Mailbox' | 'OneDrive' | 'Site' | 'Team' | 'User' | 'Group' | undefined
  readonly title?: string | undefined
  readonly backedUpTime?: string | null | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface BackupOrganization {
  readonly id?: string | undefined
  readonly name?: string | undefined
  readonly type?: 'Office365' | 'OnPremises' | 'Hybrid' | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface BackupOrganizationData {
  readonly organizationId?: string | undefined
  readonly displayName?: string | undefined
  readonly backedUpOrganizationId?: string | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface BackupRepository {
  readonly id?: string | undefined
  readonly name?: string | undefined
  readonly description?: string | undefined
  readonly path?: string | undefined
  readonly proxyId?: string | undefined
  readonly retentionType?: 'ItemLevel' | 'SnapshotBased' | undefined
  readonly retentionPeriodType?: 'Daily' | 'Monthly' | 'Yearly' | undefined
  readonly dailyRetentionPeriod?: number | undefined
  readonly monthlyRetentionPeriod?: number | undefined
  readonly yearlyRetentionPeriod?: 'Year1' | 'Years2' | 'Years3' | 'Years5' | 'Years7' | 'Years10' | 'Years25' | 'Keep' | undefined
  readonly retentionFrequencyType?: 'Daily' | 'Monthly' | undefined
  readonly dailyTime?: string | undefined
  readonly dailyType?: 'Everyday' | 'Workdays' | 'Weekends' | 'Sunday' | 'Monday' | 'Tuesday' | 'Wednesday' | 'Thursday' | 'Friday' | 'Saturday' | undefined
  readonly monthlyTime?: string | undefined
  readonly monthlyDaynumber?: 'First' | 'Second' | 'Third' | 'Fourth' | 'Last' | undefined
  readonly monthlyDayofweek?: 'Sunday' | 'Monday' | 'Tuesday' | 'Wednesday' | 'Thursday' | 'Friday' | 'Saturday' | undefined
  readonly capacityBytes?: number | undefined
  readonly freeSpaceBytes?: number | undefined
  readonly objectStorage?: ObjectStorage | undefined
  readonly objectStorageEncryptionEnabled?: boolean | undefined
  readonly encryptionKeyId?: string | undefined
  readonly organizationId?: string | undefined
  readonly isLongTerm?: boolean | undefined
  readonly isOutOfSync?: boolean | undefined
  readonly isOutdated?: boolean | undefined
  readonly isOutOfOrder?: boolean | undefined
  readonly outOfOrderReason?: string | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface BackupRepositoryToSave {
  readonly name?: string | undefined
  readonly description?: string | undefined
  readonly path?: string | undefined
  readonly proxyId?: string | undefined
  readonly retentionType?: 'ItemLevel' | 'SnapshotBased' | undefined
  readonly retentionPeriodType?: 'Daily' | 'Monthly' | 'Yearly' | undefined
  readonly dailyRetentionPeriod?: number | undefined
  readonly monthlyRetentionPeriod?: number | undefined
  readonly yearlyRetentionPeriod?: 'Year1' | 'Years2' | 'Years3' | 'Years5' | 'Years7' | 'Years10' | 'Years25' | 'Keep' | undefined
  readonly retentionFrequencyType?: 'Daily' | 'Monthly' | undefined
  readonly dailyTime?: string | undefined
  readonly dailyType?: 'Everyday' | 'Workdays' | 'Weekends' | 'Sunday' | 'Monday' | 'Tuesday' | 'Wednesday' | 'Thursday' | 'Friday' | 'Saturday' | undefined
  readonly monthlyTime?: string | undefined
  readonly monthlyDaynumber?: 'First' | 'Second' | 'Third' | 'Fourth' | 'Last' | undefined
  readonly monthlyDayofweek?: 'Sunday' | 'Monday' | 'Tuesday' | 'Wednesday' | 'Thursday' | 'Friday' | 'Saturday' | undefined
  readonly attachUsedRepository?: boolean | undefined
  readonly objectStorage?: ObjectStorageToSave | undefined
  readonly objectStorageEncryptionEnabled?: boolean | undefined
  readonly encryptionKeyId?: string | undefined
  readonly organizationId?: string | undefined
}

export interface BackupUserData {
  readonly id?: string | undefined
  readonly accountId?: string | undefined
  readonly displayName?: string | undefined
  readonly email?: string | undefined
  readonly isMailboxBackedUp?: boolean | undefined
  readonly isArchiveBackedUp?: boolean | undefined
  readonly isOneDriveBackedUp?: boolean | undefined
  readonly isPersonalSiteBackedUp?: boolean | undefined
  readonly repositoryId?: string | undefined
  readonly organizationId?: string | undefined
  readonly backedUpOrganizationId?: string | undefined
  readonly itemType?: 'Mailbox' | 'OneDrive' | 'Site' | 'Team' | 'User' | 'Group' | undefined
  readonly mailboxBackedUpTime?: string | null | undefined
  readonly oneDriveBackedUpTime?: string | null | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface BackupWindow {
  readonly backupWindow?: readonly (boolean)[] | undefined
  readonly minuteOffset?: number | undefined
}

export interface BulkRestoreConfig {
  readonly userName?: string | undefined
  readonly userPassword?: string | undefined
  readonly userCode?: string | undefined
  readonly applicationId?: string | undefined
  readonly applicationCertificate?: string | undefined
  readonly applicationCertificatePassword?: string | undefined
  readonly impersonationAccountName?: string | undefined
  readonly officeRegion?: 'Worldwide' | 'Germany' | 'China' | 'USDefence' | 'USGovernment' | undefined
  readonly office365UserName?: string | undefined
  readonly office365UserPassword?: string | undefined
  readonly officeUserName?: string | undefined
  readonly officeUserPassword?: string | undefined
  readonly onPremisesUserName?: string | undefined
  readonly onPremisesUserPassword?: string | undefined
  readonly domainName?: string | undefined
  readonly oneDrives?: readonly (OneDriveToRestore)[] | undefined
  readonly documentAction?: 'Overwrite' | 'Keep' | undefined
  readonly skipUnresolved?: boolean | undefined
}

export interface BulkRestoreOptions {
  readonly userName?: string | undefined
  readonly userPassword?: string | undefined
  readonly userCode?: string | undefined
  readonly applicationId?: string | undefined
  readonly applicationCertificate?: string | undefined
  readonly applicationCertificatePassword?: string | undefined
  readonly impersonationAccountName?: string | undefined
  readonly officeRegion?: 'Worldwide' | 'Germany' | 'China' | 'USDefence' | 'USGovernment' | undefined
  readonly office365UserName?: string | undefined
  readonly office365UserPassword?: string | undefined
  readonly officeUserName?: string | undefined
  readonly officeUserPassword?: string | undefined
  readonly onPremisesUserName?: string | undefined
  readonly onPremisesUserPassword?: string | undefined
  readonly domainName?: string | undefined
  readonly casServer?: string | undefined
  readonly mailboxes?: readonly (MailboxToRestore)[] | undefined
  readonly changedItems?: boolean | undefined
  readonly deletedItems?: boolean | undefined
  readonly markRestoredAsUnread?: boolean | undefined
  readonly skipUnresolved?: boolean | undefined
  readonly excludeDrafts?: boolean | undefined
  readonly excludeDeletedItems?: boolean | undefined
  readonly excludeInPlaceHoldItems?: boolean | undefined
  readonly excludeLitigationHoldItems?: boolean | undefined
  readonly recentItemRestorePeriod?: number | undefined
}

export interface CopyJob {
  readonly backupJobId?: string | undefined
  readonly schedulePolicy?: CopySchedulePolicy | undefined
  readonly id?: string | undefined
  readonly organizationId?: string | undefined
  readonly repositoryId?: string | undefined
  readonly name?: string | undefined
  readonly lastRun?: string | undefined
  readonly nextRun?: string | undefined
  readonly lastBackup?: string | undefined
  readonly isEnabled?: boolean | undefined
  readonly lastStatus?: 'Stopped' | 'Running' | 'Success' | 'Failed' | 'Warning' | 'NotConfigured' | 'Disconnected' | 'Queued' | undefined
  readonly eTag?: number | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface CopyJobToAdd {
  readonly backupJobId: string
  readonly schedulePolicy?: CopySchedulePolicy | undefined
  readonly organizationId: string
  readonly repositoryId: string
  readonly isEnabled?: boolean | undefined
}

export interface CopyJobToChange {
  readonly backupJobId?: string | undefined
  readonly schedulePolicy?: CopySchedulePolicy | undefined
  readonly organizationId?: string | undefined
  readonly repositoryId?: string | undefined
  readonly isEnabled?: boolean | undefined
}

export interface CopySchedulePolicy {
  readonly type?: 'Immediate' | 'Periodically' | 'DailyAtTime' | undefined
  readonly periodicallyEvery?: 'Minutes5' | 'Minutes10' | 'Minutes15' | 'Minutes30' | 'Hours1' | 'Hours2' | 'Hours4' | 'Hours8' | 'Hours12' | undefined
  readonly dailyType?: 'Everyday' | 'Workdays' | 'Weekends' | 'Sunday' | 'Monday' | 'Tuesday' | 'Wednesday' | 'Thursday' | 'Friday' | 'Saturday' | undefined
  readonly dailyTime?: string | undefined
  readonly backupCopyWindowEnabled?: boolean | undefined
  readonly backupCopyWindowSettings?: BackupWindow | undefined
}

export interface CopyTo {
  readonly userName?: string | undefined
  readonly userPassword?: string | undefined
  readonly userCode?: string | undefined
  readonly applicationId?: string | undefined
  readonly applicationCertificate?: string | undefined
  readonly applicationCertificatePassword?: string | undefined
  readonly impersonationAccountName?: string | undefined
  readonly officeRegion?: 'Worldwide' | 'Germany' | 'China' | 'USDefence' | 'USGovernment' | undefined
  readonly organizationName?: string | undefined
  readonly onedrive?: OneDriveTarget | undefined
  readonly folder?: string | undefined
  readonly changedItems?: boolean | undefined
  readonly deletedItems?: boolean | undefined
  readonly restorePermissions?: boolean | undefined
  readonly sendSharedLinksNotification?: boolean | undefined
  readonly documentVersion?: 'All' | 'Last' | undefined
  readonly documentLastVersionAction?: 'Overwrite' | 'Merge' | undefined
}

export interface CopyToDocuments {
  readonly userName?: string | undefined
  readonly userPassword?: string | undefined
  readonly userCode?: string | undefined
  readonly applicationId?: string | undefined
  readonly applicationCertificate?: string | undefined
  readonly applicationCertificatePassword?: string | undefined
  readonly impersonationAccountName?: string | undefined
  readonly officeRegion?: 'Worldwide' | 'Germany' | 'China' | 'USDefence' | 'USGovernment' | undefined
  readonly organizationName?: string | undefined
  readonly onedrive?: OneDriveTarget | undefined
  readonly folder?: string | undefined
  readonly changedItems?: boolean | undefined
  readonly deletedItems?: boolean | undefined
  readonly restorePermissions?: boolean | undefined
  readonly sendSharedLinksNotification?: boolean | undefined
  readonly documentVersion?: 'All' | 'Last' | undefined
  readonly documentLastVersionAction?: 'Overwrite' | 'Merge' | undefined
  readonly documents?: readonly (DocumentToCopy)[] | undefined
}

export interface CopyToFolders {
  readonly userName?: string | undefined
  readonly userPassword?: string | undefined
  readonly userCode?: string | undefined
  readonly applicationId?: string | undefined
  readonly applicationCertificate?: string | undefined
  readonly applicationCertificatePassword?: string | undefined
  readonly impersonationAccountName?: string | undefined
  readonly officeRegion?: 'Worldwide' | 'Germany' | 'China' | 'USDefence' | 'USGovernment' | undefined
  readonly organizationName?: string | undefined
  readonly onedrive?: OneDriveTarget | undefined
  readonly folder?: string | undefined
  readonly changedItems?: boolean | undefined
  readonly deletedItems?: boolean | undefined
  readonly restorePermissions?: boolean | undefined
  readonly sendSharedLinksNotification?: boolean | undefined
  readonly documentVersion?: 'All' | 'Last' | undefined
  readonly documentLastVersionAction?: 'Overwrite' | 'Merge' | undefined
  readonly folders?: readonly (FolderToCopy)[] | undefined
}

export interface DocumentInPlace {
  readonly id?: string | undefined
}

export interface DocumentToCopy {
  readonly id?: string | undefined
}

export interface DocumentToSave {
  readonly id?: string | undefined
}

export interface EncryptionKey {
  readonly id?: string | undefined
  readonly description?: string | undefined
  readonly organizationId?: string | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface EncryptionKeyToSave {
  readonly password?: string | undefined
  readonly newPassword?: string | undefined
  readonly oldPassword?: string | undefined
  readonly description?: string | undefined
  readonly organizationId?: string | undefined
}

export interface Error {
  readonly message?: string | undefined
  readonly errorCode?: 'ProxyOffline' | 'ResourceAccessDenied' | 'ResourceNotFound' | 'ParameterValidationFailure' | 'Timeout' | 'OperationConflict' | 'HttpError' | undefined
}

export interface ExchangeFolder {
  readonly id?: string | undefined
  readonly name?: string | undefined
  readonly type?: 'Journal' | 'Task' | 'StickyNote' | 'Contact' | 'Appointment' | 'None' | undefined
  readonly category?: 'Inbox' | 'Outbox' | 'Sent' | 'Deleted' | 'Drafts' | 'PermanentlyDeletedItems' | 'Purges' | 'DiscoveryHolds' | 'Conflicts' | 'SyncIssues' | 'LocalFailures' | 'ServerFailures' | 'Junk' | 'Versions' | 'TeamsMessagesData' | 'None' | undefined
  readonly description?: string | undefined
  readonly mailboxId?: string | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
  readonly _actions?: {  } | undefined
}

export interface ExchangeItem {
  readonly id?: string | undefined
  readonly mailboxId?: string | undefined
  readonly itemClass?: string | undefined
  readonly subject?: string | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly cc?: string | undefined
  readonly bcc?: string | undefined
  readonly sent?: string | undefined
  readonly received?: string | undefined
  readonly reminder?: boolean | undefined
  readonly importance?: 'Low' | 'Normal' | 'High' | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
  readonly _actions?: {  } | undefined
}

export interface ExchangeItemElsewhere {
  readonly id?: string | undefined
}

export interface ExchangeItemInPlace {
  readonly id?: string | undefined
}

export interface ExchangeItemToSave {
  readonly id?: string | undefined
}

export interface ExchangeMailbox {
  readonly id?: string | undefined
  readonly name?: string | undefined
  readonly email?: string | undefined
  readonly isArchive?: boolean | undefined
  readonly isPublic?: boolean | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
  readonly _actions?: {  } | undefined
}

export interface ExchangeServerSettings {
  readonly serverName?: string | undefined
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly useSSL?: boolean | undefined
  readonly skipCAverification?: boolean | undefined
  readonly skipCommonnameverification?: boolean | undefined
  readonly skipRevocationcheck?: boolean | undefined
  readonly grantImpersonation?: boolean | undefined
  readonly configureThrottlingpolicy?: boolean | undefined
}

export interface ExploreOptions {
  readonly dateTime?: string | undefined
  readonly type: 'Vex' | 'Veod' | 'Vesp' | 'Vet'
  readonly showDeleted?: boolean | undefined
  readonly showAllVersions?: boolean | undefined
  readonly reason?: string | undefined
  readonly repositoryId?: string | undefined
}

export interface FolderInPlace {
  readonly id?: string | undefined
}

export interface FolderToCopy {
  readonly id?: string | undefined
}

export interface FolderToSave {
  readonly id?: string | undefined
}

export interface Group {
  readonly id?: string | undefined
  readonly displayName?: string | undefined
  readonly name?: string | undefined
  readonly managedBy?: string | undefined
  readonly site?: string | undefined
  readonly type?: 'Office365' | 'Security' | 'Distribution' | 'DynamicDistribution' | undefined
  readonly locationType?: 'OnPremises' | 'Cloud' | 'Hybrid' | undefined
  readonly msid?: string | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface GroupMember {
  readonly groupId?: string | undefined
  readonly name?: string | undefined
  readonly login?: string | undefined
  readonly type?: 'Unknown' | 'User' | 'Group' | undefined
  readonly isCloud?: boolean | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface HealthEntry {
  readonly status?: 'Unhealthy' | 'Healthy' | undefined
  readonly description?: string | undefined
}

export interface HealthReport {
  readonly status?: 'Unhealthy' | 'Healthy' | undefined
  readonly entries: Readonly<Record<string, HealthEntry>>
}

export interface HoldfastAccountConnection {
  readonly addressing?: 'Automatic' | 'Path' | 'VirtualHost' | undefined
  readonly checksums?: 'Automatic' | 'WhenRequired' | 'WhenSupported' | undefined
  readonly certificateAuthority?: string | undefined
}

export interface HoldfastAccountConnectionToSave {
  readonly addressing?: 'Automatic' | 'Path' | 'VirtualHost' | undefined
  readonly checksums?: 'Automatic' | 'WhenRequired' | 'WhenSupported' | undefined
  readonly certificateAuthority?: string | undefined
}

export interface HoldfastAge {
  readonly amount: number
  readonly unit: 'Hours' | 'Days' | 'Weeks' | 'Months' | 'Years'
}

export interface HoldfastAttachedRepository {
  readonly id?: string | undefined
  readonly name?: string | undefined
  readonly organizations?: readonly (HoldfastFoundOrganization)[] | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface HoldfastDamagedItem {
  readonly id?: string | undefined
  readonly organizationId?: string | undefined
  readonly kind?: 'Mail' | 'Document' | 'Folder' | 'Catalogue' | undefined
  readonly name?: string | undefined
  readonly path?: string | undefined
  readonly problem?: string | undefined
  readonly restorePoints?: number | undefined
  readonly foundTime?: string | undefined
  readonly status?: 'Damaged' | 'Waiting' | 'Lost' | 'Healed' | 'Gone' | undefined
  readonly endTime?: string | undefined
}

export interface HoldfastFinding {
  readonly type?: 'Problem' | 'Item' | 'Done' | 'Note' | 'File' | undefined
  readonly organizationId?: string | undefined
  readonly kind?: string | undefined
  readonly name?: string | undefined
  readonly path?: string | undefined
  readonly file?: string | undefined
  readonly message?: string | undefined
  readonly status?: string | undefined
  readonly sizeBytes?: number | undefined
}

export interface HoldfastFoundOrganization {
  readonly organizationId?: string | undefined
  readonly name?: string | undefined
  readonly folder?: string | undefined
  readonly shards?: number | undefined
  readonly isAttached?: boolean | undefined
}

export interface HoldfastJobRetention {
  readonly jobId?: string | undefined
  readonly source?: 'Job' | 'Repository' | undefined
  readonly summary?: string | undefined
  readonly retentionType?: 'ItemLevel' | 'SnapshotBased' | undefined
  readonly keepForever?: boolean | undefined
  readonly keepLast?: number | undefined
  readonly keepAge?: HoldfastAge | undefined
  readonly keepDaily?: number | undefined
  readonly keepWeekly?: number | undefined
  readonly keepMonthly?: number | undefined
  readonly keepYearly?: number | undefined
  readonly timeZone?: string | undefined
}

export interface HoldfastJobRetentionToSave {
  readonly retentionType?: 'ItemLevel' | 'SnapshotBased' | undefined
  readonly keepForever?: boolean | undefined
  readonly keepLast?: number | undefined
  readonly keepAge?: HoldfastAge | undefined
  readonly keepDaily?: number | undefined
  readonly keepWeekly?: number | undefined
  readonly keepMonthly?: number | undefined
  readonly keepYearly?: number | undefined
  readonly timeZone?: string | undefined
}

export interface HoldfastLegalHold {
  readonly id?: string | undefined
  readonly organizationId?: string | undefined
  readonly userId?: string | undefined
  readonly objectType?: 'User' | 'Mailbox' | 'OneDrive' | undefined
  readonly name?: string | undefined
  readonly reason?: string | undefined
  readonly setBy?: string | undefined
  readonly setAt?: string | undefined
  readonly releasedBy?: string | undefined
  readonly releasedAt?: string | undefined
  readonly releaseReason?: string | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface HoldfastLegalHoldToRelease {
  readonly reason: string
}

export interface HoldfastLegalHoldToSet {
  readonly organizationId: string
  readonly userId: string
  readonly objectType?: 'User' | 'Mailbox' | 'OneDrive' | undefined
  readonly name?: string | undefined
  readonly reason: string
}

export interface HoldfastNewEncryptionKeyPassword {
  readonly newPassword: string
  readonly oldPassword?: string | undefined
}

export interface HoldfastObjectSpace {
  readonly organizationId?: string | undefined
  readonly userId?: string | undefined
  readonly objectType?: 'Mailbox' | 'OneDrive' | undefined
  readonly displayName?: string | undefined
  readonly userPrincipalName?: string | undefined
  readonly fileBytes?: number | undefined
  readonly dataBytes?: number | undefined
  readonly plainBytes?: number | undefined
  readonly deduplicationRatio?: number | undefined
  readonly compressionRatio?: number | undefined
  readonly storedBytes?: number | undefined
  readonly exclusiveBytes?: number | undefined
  readonly sharedBytes?: number | undefined
}

export interface HoldfastOpeningPassword {
  readonly organization?: string | undefined
  readonly password?: string | undefined
}

export interface HoldfastOrganizationSpace {
  readonly organizationId?: string | undefined
  readonly name?: string | undefined
  readonly usedBytes?: number | undefined
  readonly shards?: number | undefined
  readonly fileBytes?: number | undefined
  readonly dataBytes?: number | undefined
  readonly plainBytes?: number | undefined
  readonly deduplicationRatio?: number | undefined
  readonly compressionRatio?: number | undefined
  readonly storedBytes?: number | undefined
  readonly neededBytes?: number | undefined
  readonly wasteBytes?: number | undefined
  readonly unreadablePieces?: number | undefined
  readonly restorePoints?: number | undefined
  readonly surveyTime?: string | undefined
  readonly isSurveyUnderWay?: boolean | undefined
  readonly details?: string | undefined
}

export interface HoldfastOrganizationsToAttach {
  readonly passwords?: readonly (HoldfastOpeningPassword)[] | undefined
}

export interface HoldfastPersonRemoval {
  readonly id?: string | undefined
  readonly organizationId?: string | undefined
  readonly userId?: string | undefined
  readonly name?: string | undefined
  readonly reason?: string | undefined
  readonly requestedBy?: string | undefined
  readonly status?: 'Stopped' | 'Running' | 'Success' | 'Failed' | 'Warning' | 'NotConfigured' | 'Disconnected' | 'Queued' | undefined
  readonly creationTime?: string | undefined
  readonly endTime?: string | undefined
  readonly details?: string | undefined
  readonly repositories?: number | undefined
  readonly rewrittenPoints?: number | undefined
  readonly removedBlobs?: number | undefined
  readonly sharedBlobs?: number | undefined
  readonly freedBytes?: number | undefined
  readonly isProven?: boolean | undefined
  readonly jobs?: readonly (string)[] | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface HoldfastPersonRemovalToMake {
  readonly userId: string
  readonly name?: string | undefined
  readonly reason?: string | undefined
  readonly confirmation: string
}

export interface HoldfastPreviewedItem {
  readonly organizationId?: string | undefined
  readonly userId?: string | undefined
  readonly objectType?: 'Mailbox' | 'OneDrive' | undefined
  readonly displayName?: string | undefined
  readonly userPrincipalName?: string | undefined
  readonly itemId?: string | undefined
  readonly name?: string | undefined
  readonly path?: string | undefined
  readonly time?: string | undefined
  readonly sizeBytes?: number | undefined
}

export interface HoldfastPreviewedObject {
  readonly organizationId?: string | undefined
  readonly userId?: string | undefined
  readonly objectType?: 'Mailbox' | 'OneDrive' | undefined
  readonly displayName?: string | undefined
  readonly userPrincipalName?: string | undefined
  readonly items?: number | undefined
  readonly expiredItems?: number | undefined
  readonly expiredBytes?: number | undefined
  readonly bytes?: number | undefined
}

export interface HoldfastPreviewedPoint {
  readonly restorePointId?: string | undefined
  readonly organizationId?: string | undefined
  readonly jobId?: string | undefined
  readonly jobName?: string | undefined
  readonly backupTime?: string | undefined
  readonly action?: 'Remove' | 'Reduce' | 'Keep' | undefined
  readonly rule?: string | undefined
  readonly ruleSource?: 'Job' | 'Repository' | undefined
  readonly reasons?: readonly (HoldfastRetentionReason)[] | undefined
  readonly objects?: number | undefined
  readonly objectsToRemove?: number | undefined
}

export interface HoldfastPruneGrace {
  readonly repositoryId?: string | undefined
  readonly graceHours?: number | undefined
  readonly source?: 'Server' | 'Repository' | undefined
}

export interface HoldfastPruneGraceToSet {
  readonly graceHours: number
}

export interface HoldfastReencryptedOrganization {
  readonly organizationId?: string | undefined
  readonly name?: string | undefined
  readonly step?: 'Queued' | 'Copying' | 'Verifying' | 'Waiting' | 'Turning' | 'Removing' | 'Done' | undefined
  readonly restorePoints?: number | undefined
  readonly copiedBlobs?: number | undefined
  readonly writtenBytes?: number | undefined
  readonly verifiedPacks?: number | undefined
  readonly formerFolder?: string | undefined
  readonly formerKeptUntilTime?: string | undefined
}

export interface HoldfastReencryption {
  readonly id?: string | undefined
  readonly repositoryId?: string | undefined
  readonly initiatedBy?: string | undefined
  readonly status?: 'Stopped' | 'Running' | 'Success' | 'Failed' | 'Warning' | 'NotConfigured' | 'Disconnected' | 'Queued' | undefined
  readonly creationTime?: string | undefined
  readonly endTime?: string | undefined
  readonly details?: string | undefined
  readonly organizations?: readonly (HoldfastReencryptedOrganization)[] | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface HoldfastRenewedEncryptionKey {
  readonly id?: string | undefined
  readonly repositories?: readonly (HoldfastRenewedRepository)[] | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface HoldfastRenewedRepository {
  readonly id?: string | undefined
  readonly name?: string | undefined
  readonly shards?: number | undefined
  readonly shardsWithEarlierPassword?: number | undefined
  readonly reason?: string | undefined
}

export interface HoldfastRepositoryOwner {
  readonly serverId?: string | undefined
  readonly serverName?: string | undefined
  readonly since?: string | undefined
  readonly isThisServer?: boolean | undefined
  readonly isAtWork?: boolean | undefined
}

export interface HoldfastRepositorySpace {
  readonly repositoryId?: string | undefined
  readonly usedBytes?: number | undefined
  readonly capacityBytes?: number | undefined
  readonly freeBytes?: number | undefined
  readonly organizations?: number | undefined
  readonly surveyedOrganizations?: number | undefined
  readonly fileBytes?: number | undefined
  readonly dataBytes?: number | undefined
  readonly plainBytes?: number | undefined
  readonly deduplicationRatio?: number | undefined
  readonly compressionRatio?: number | undefined
  readonly storedBytes?: number | undefined
  readonly neededBytes?: number | undefined
  readonly wasteBytes?: number | undefined
  readonly unreadablePieces?: number | undefined
  readonly restorePoints?: number | undefined
  readonly surveyTime?: string | undefined
  readonly isSurveyUnderWay?: boolean | undefined
  readonly details?: string | undefined
  readonly forecast?: HoldfastSpaceForecast | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface HoldfastRepositoryToAttach {
  readonly name?: string | undefined
  readonly description?: string | undefined
  readonly path?: string | undefined
  readonly proxyId?: string | undefined
  readonly retentionType?: 'ItemLevel' | 'SnapshotBased' | undefined
  readonly retentionPeriodType?: 'Daily' | 'Monthly' | 'Yearly' | undefined
  readonly dailyRetentionPeriod?: number | undefined
  readonly monthlyRetentionPeriod?: number | undefined
  readonly yearlyRetentionPeriod?: 'Year1' | 'Years2' | 'Years3' | 'Years5' | 'Years7' | 'Years10' | 'Years25' | 'Keep' | undefined
  readonly retentionFrequencyType?: 'Daily' | 'Monthly' | undefined
  readonly dailyTime?: string | undefined
  readonly dailyType?: 'Everyday' | 'Workdays' | 'Weekends' | 'Sunday' | 'Monday' | 'Tuesday' | 'Wednesday' | 'Thursday' | 'Friday' | 'Saturday' | undefined
  readonly monthlyTime?: string | undefined
  readonly monthlyDaynumber?: 'First' | 'Second' | 'Third' | 'Fourth' | 'Last' | undefined
  readonly monthlyDayofweek?: 'Sunday' | 'Monday' | 'Tuesday' | 'Wednesday' | 'Thursday' | 'Friday' | 'Saturday' | undefined
  readonly objectStorageId?: string | undefined
  readonly objectStorage?: ObjectStorageToSave | undefined
  readonly encryptionKeyId?: string | undefined
  readonly passwords?: readonly (HoldfastOpeningPassword)[] | undefined
  readonly takeOver?: boolean | undefined
}

export interface HoldfastRestorePointSpace {
  readonly restorePointId?: string | undefined
  readonly organizationId?: string | undefined
  readonly jobId?: string | undefined
  readonly jobName?: string | undefined
  readonly backupTime?: string | undefined
  readonly addedBytes?: number | undefined
  readonly exclusiveBytes?: number | undefined
}

export interface HoldfastRestoreTestRemark {
  readonly item?: string | undefined
  readonly outcome?: 'Differs' | 'NotComparable' | undefined
  readonly why?: string | undefined
}

export interface HoldfastRetentionPreviewSummary {
  readonly repositoryId?: string | undefined
  readonly at?: string | undefined
  readonly rule?: string | undefined
  readonly clockDoubt?: string | undefined
  readonly pointsToRemove?: number | undefined
  readonly pointsToKeep?: number | undefined
  readonly pointsToReduce?: number | undefined
  readonly items?: number | undefined
  readonly bytes?: number | undefined
  readonly graceHours?: number | undefined
}

export interface HoldfastRetentionReason {
  readonly kind?: 'Forever' | 'Count' | 'Age' | 'Calendar' | 'Newest' | 'Hold' | 'Locked' | 'Future' | 'Expired' | undefined
  readonly text?: string | undefined
  readonly until?: string | undefined
  readonly legalHoldId?: string | undefined
}

export interface HoldfastRetentionRun {
  readonly id?: string | undefined
  readonly repositoryId?: string | undefined
  readonly status?: 'Stopped' | 'Running' | 'Success' | 'Failed' | 'Warning' | 'NotConfigured' | 'Disconnected' | 'Queued' | undefined
  readonly initiatedBy?: string | undefined
  readonly at?: string | undefined
  readonly creationTime?: string | undefined
  readonly endTime?: string | undefined
  readonly details?: string | undefined
  readonly removedPoints?: number | undefined
  readonly keptPoints?: number | undefined
  readonly refusedPoints?: number | undefined
  readonly rewrittenPoints?: number | undefined
  readonly removedItems?: number | undefined
  readonly freedBytes?: number | undefined
  readonly waitingBytes?: number | undefined
  readonly waitingUntil?: string | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface HoldfastRotatedOrganization {
  readonly organizationId?: string | undefined
  readonly name?: string | undefined
  readonly shards?: number | undefined
  readonly shardsWithEarlierPassword?: number | undefined
}

export interface HoldfastRotatedPasswords {
  readonly id?: string | undefined
  readonly name?: string | undefined
  readonly organizations?: readonly (HoldfastRotatedOrganization)[] | undefined
  readonly isRecoveryKitOutOfDate?: boolean | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface HoldfastSpaceDay {
  readonly day?: string | undefined
  readonly time?: string | undefined
  readonly usedBytes?: number | undefined
  readonly neededBytes?: number | undefined
  readonly freeBytes?: number | undefined
}

export interface HoldfastSpaceForecast {
  readonly days?: number | undefined
  readonly growthBytesPerDay?: number | undefined
  readonly in30DaysBytes?: number | undefined
  readonly in90DaysBytes?: number | undefined
  readonly fullTime?: string | undefined
}

export interface HoldfastSpaceSurveyToMake {
  readonly organizationId?: string | undefined
}

export interface HoldfastStartRecovery {
  readonly to: string
  readonly preview?: boolean | undefined
}

export interface HoldfastStartReencryption {
  readonly fresh?: boolean | undefined
}

export interface HoldfastStartRepair {
  readonly dryRun?: boolean | undefined
  readonly data?: 'None' | 'All' | undefined
  readonly leaveOutLost?: boolean | undefined
}

export interface HoldfastStartRestoreTest {
  readonly repositoryId: string
  readonly seed?: number | undefined
  readonly itemsPerObject?: number | undefined
}

export interface HoldfastStartRetention {
  readonly confirmClock?: boolean | undefined
}

export interface HoldfastStartVerification {
  readonly data?: 'None' | 'Share' | 'All' | undefined
}

export interface HoldfastStorageClass {
  readonly storageClass?: string | undefined
}

export interface HoldfastStorageClassToSave {
  readonly storageClass?: string | undefined
}

export interface HoldfastTestedObject {
  readonly organizationId?: string | undefined
  readonly objectType?: 'Mailbox' | 'OneDrive' | undefined
  readonly name?: string | undefined
  readonly backupTime?: string | undefined
  readonly items?: number | undefined
  readonly tested?: number | undefined
  readonly equal?: number | undefined
  readonly equalToTenant?: number | undefined
  readonly differing?: number | undefined
  readonly notComparable?: number | undefined
  readonly remarks?: readonly (HoldfastRestoreTestRemark)[] | undefined
}

export interface HoldfastTrust {
  readonly repositoryId?: string | undefined
  readonly verifyDaily?: boolean | undefined
  readonly restoreTests?: boolean | undefined
  readonly restoreTestDays?: number | undefined
  readonly restoreTestItems?: number | undefined
  readonly lastVerifiedTime?: string | undefined
  readonly nextVerificationTime?: string | undefined
  readonly nextRestoreTestTime?: string | undefined
  readonly damagedItems?: number | undefined
  readonly lastRestoreTest?: HoldfastTrustRun | undefined
}

export interface HoldfastTrustRun {
  readonly id?: string | undefined
  readonly kind?: 'Verification' | 'Repair' | 'RestoreTest' | 'Recovery' | undefined
  readonly repositoryId?: string | undefined
  readonly initiatedBy?: string | undefined
  readonly status?: 'Stopped' | 'Running' | 'Success' | 'Failed' | 'Warning' | 'NotConfigured' | 'Disconnected' | 'Queued' | undefined
  readonly creationTime?: string | undefined
  readonly endTime?: string | undefined
  readonly details?: string | undefined
  readonly data?: 'None' | 'Share' | 'All' | undefined
  readonly dryRun?: boolean | undefined
  readonly to?: string | undefined
  readonly seed?: number | undefined
  readonly packs?: number | undefined
  readonly snapshots?: number | undefined
  readonly readPacks?: number | undefined
  readonly readBytes?: number | undefined
  readonly problems?: number | undefined
  readonly damagedItems?: number | undefined
  readonly healedItems?: number | undefined
  readonly tested?: number | undefined
  readonly equal?: number | undefined
  readonly differing?: number | undefined
  readonly notComparable?: number | undefined
  readonly uncoveredFiles?: number | undefined
  readonly restoredFiles?: number | undefined
  readonly setAsideFiles?: number | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface HoldfastTrustToSave {
  readonly verifyDaily?: boolean | undefined
  readonly restoreTests?: boolean | undefined
  readonly restoreTestDays?: number | undefined
  readonly restoreTestItems?: number | undefined
}

export interface InternetProxySettings {
  readonly hostName?: string | undefined
  readonly port?: number | undefined
  readonly useAuthentication?: boolean | undefined
  readonly username?: string | undefined
}

export interface ItemRestoreDetails {
  readonly name?: string | undefined
  readonly status?: string | undefined
  readonly message?: string | undefined
}

export interface Job {
  readonly id?: string | undefined
  readonly organizationId?: string | undefined
  readonly repositoryId?: string | undefined
  readonly name?: string | undefined
  readonly description?: string | undefined
  readonly backupType?: 'EntireOrganization' | 'SelectedItems' | undefined
  readonly isEnabled?: boolean | undefined
  readonly schedulePolicy?: SchedulePolicy | undefined
  readonly lastRun?: string | undefined
  readonly nextRun?: string | undefined
  readonly lastBackup?: string | undefined
  readonly lastStatus?: 'Stopped' | 'Running' | 'Success' | 'Failed' | 'Warning' | 'NotConfigured' | 'Disconnected' | 'Queued' | undefined
  readonly eTag?: number | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface JobItem {
  readonly id?: string | undefined
  readonly type: 'Group' | 'User' | 'Site' | 'PartialOrganization' | 'PersonalSites' | 'OneDriveFolders' | 'Team'
  readonly user?: JobItemUser | undefined
  readonly group?: JobItemGroup | undefined
  readonly site?: JobItemSite | undefined
  readonly team?: JobItemTeam | undefined
  readonly folders?: readonly (string)[] | undefined
  readonly mailbox?: boolean | undefined
  readonly oneDrive?: boolean | undefined
  readonly archiveMailbox?: boolean | undefined
  readonly personalSite?: boolean | undefined
  readonly sites?: boolean | undefined
  readonly groupSite?: boolean | undefined
  readonly teams?: boolean | undefined
  readonly teamsChats?: boolean | undefined
  readonly members?: boolean | undefined
  readonly memberMailbox?: boolean | undefined
  readonly memberArchiveMailbox?: boolean | undefined
  readonly memberOnedrive?: boolean | undefined
  readonly memberSite?: boolean | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface JobItemGroup {
  readonly id?: string | undefined
  readonly displayName?: string | undefined
  readonly name?: string | undefined
  readonly type?: 'Office365' | 'Security' | 'Distribution' | 'DynamicDistribution' | undefined
  readonly locationType?: 'OnPremises' | 'Cloud' | 'Hybrid' | undefined
}

export interface JobItemSite {
  readonly id?: string | undefined
  readonly name?: string | undefined
  readonly url?: string | undefined
}

export interface JobItemTeam {
  readonly id?: string | undefined
  readonly displayName?: string | undefined
}

export interface JobItemUser {
  readonly id?: string | undefined
  readonly displayName?: string | undefined
  readonly name?: string | undefined
  readonly type?: 'User' | 'Shared' | 'Public' | undefined
  readonly locationType?: 'OnPremises' | 'Cloud' | 'Hybrid' | undefined
}

export interface JobSession {
  readonly id?: string | undefined
  readonly jobId?: string | undefined
  readonly repositoryId?: string | undefined
  readonly details?: string | undefined
  readonly creationTime?: string | undefined
  readonly endTime?: string | null | undefined
  readonly retryCount?: number | undefined
  readonly jobWillBeRetried?: boolean | undefined
  readonly progress?: number | undefined
  readonly jobType?: 'Backup' | 'Copy' | undefined
  readonly jobSessionConfigType?: 'Full' | 'Incremental' | undefined
  readonly status?: 'Stopped' | 'Running' | 'Success' | 'Failed' | 'Warning' | 'NotConfigured' | 'Disconnected' | 'Queued' | undefined
  readonly statistics?: JobStatistics | undefined
  readonly eTag?: number | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface JobStatistics {
  readonly processingRateBytesPS?: number | undefined
  readonly processingRateItemsPS?: number | undefined
  readonly readRateBytesPS?: number | undefined
  readonly writeRateBytesPS?: number | undefined
  readonly transferredDataBytes?: number | undefined
  readonly processedObjects?: number | undefined
  readonly bottleneck?: 'NA' | 'Detecting' | 'Source' | 'Target' | undefined
}

export interface JobToChange {
  readonly name?: string | undefined
  readonly description?: string | undefined
  readonly backupType?: 'EntireOrganization' | 'SelectedItems' | undefined
  readonly repositoryId?: string | undefined
  readonly selectedItems?: readonly (JobItem)[] | undefined
  readonly excludedItems?: readonly (JobItem)[] | undefined
  readonly schedulePolicy?: SchedulePolicy | undefined
  readonly runNow?: boolean | undefined
  readonly isEnabled?: boolean | undefined
}

export interface Link {
  readonly href?: string | undefined
}

export interface LogItem {
  readonly id?: string | undefined
  readonly usn?: number | undefined
  readonly type?: 'Running' | 'Warning' | 'Error' | 'Success' | 'Stop' | undefined
  readonly message?: string | undefined
  readonly creationTime?: string | undefined
  readonly endTime?: string | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface LoggedInOrganization {
  readonly id?: string | undefined
  readonly type?: 'Office365' | 'OnPremises' | 'Hybrid' | undefined
  readonly name?: string | undefined
  readonly description?: string | undefined
  readonly isBackedup?: boolean | undefined
  readonly firstBackuptime?: string | undefined
  readonly lastBackuptime?: string | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
  readonly _actions?: Readonly<Record<string, Action>> | undefined
}

export interface MailboxToRestore {
  readonly id?: string | undefined
}

export interface NewStorageFolder {
  readonly name?: string | undefined
}

export interface ObjectStorage {
  readonly id?: string | undefined
  readonly type?: 'AzureBlob' | 'AmazonS3' | 'AmazonS3Compatible' | 'AzureBlobArchive' | 'AmazonS3Glacier' | 'WasabiCloud' | 'IBMCloud' | undefined
  readonly accountId?: string | undefined
  readonly amazonBucketS3Aws?: S3Bucket | undefined
  readonly amazonBucketS3Compatible?: S3CompatibleBucket | undefined
  readonly s3Folder?: string | undefined
  readonly azureContainer?: AzureContainer | undefined
  readonly azureFolder?: string | undefined
  readonly sizeLimitEnabled?: boolean | undefined
  readonly sizeLimitGB?: number | undefined
  readonly enableImmutability?: boolean | undefined
  readonly enableImmutabilityGovernanceMode?: boolean | undefined
  readonly immutabilityPeriodDays?: number | undefined
  readonly standardIaStorageClassEnabled?: boolean | undefined
  readonly oneZoneIaStorageClassEnabled?: boolean | undefined
  readonly glacierInstantRetrievalEnabled?: boolean | undefined
  readonly glacierDeepArchiveEnabled?: boolean | undefined
  readonly useArchiverAppliance?: boolean | undefined
  readonly usedSpaceBytes?: number | undefined
  readonly freeSpaceBytes?: number | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface ObjectStorageToSave {
  readonly type?: 'AzureBlob' | 'AmazonS3' | 'AmazonS3Compatible' | 'AzureBlobArchive' | 'AmazonS3Glacier' | 'WasabiCloud' | 'IBMCloud' | undefined
  readonly accountId?: string | undefined
  readonly amazonBucketS3Aws?: S3Bucket | undefined
  readonly amazonBucketS3Compatible?: S3CompatibleBucket | undefined
  readonly s3Folder?: string | undefined
  readonly azureContainer?: AzureContainer | undefined
  readonly azureFolder?: string | undefined
  readonly sizeLimitEnabled?: boolean | undefined
  readonly sizeLimitGB?: number | undefined
  readonly enableImmutability?: boolean | undefined
  readonly enableImmutabilityGovernanceMode?: boolean | undefined
  readonly immutabilityPeriodDays?: number | undefined
  readonly standardIaStorageClassEnabled?: boolean | undefined
  readonly oneZoneIaStorageClassEnabled?: boolean | undefined
  readonly glacierInstantRetrievalEnabled?: boolean | undefined
  readonly glacierDeepArchiveEnabled?: boolean | undefined
  readonly useArchiverAppliance?: boolean | undefined
}

export interface OneDrive {
  readonly id?: string | undefined
  readonly name?: string | undefined
  readonly url?: string | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface OneDriveDocument {
  readonly id?: string | undefined
  readonly oneDriveId?: string | undefined
  readonly name?: string | undefined
  readonly version?: string | undefined
  readonly versionId?: number | undefined
  readonly createdBy?: string | undefined
  readonly creationTime?: string | undefined
  readonly modifiedBy?: string | undefined
  readonly modificationTime?: string | undefined
  readonly isFolder?: boolean | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
  readonly sizeBytes?: number | undefined
  readonly inheritedPermissions?: boolean | undefined
}

export interface OneDriveFolder {
  readonly id?: string | undefined
  readonly oneDriveId?: string | undefined
  readonly name?: string | undefined
  readonly version?: string | undefined
  readonly versionId?: number | undefined
  readonly createdBy?: string | undefined
  readonly creationTime?: string | undefined
  readonly modifiedBy?: string | undefined
  readonly modificationTime?: string | undefined
  readonly isFolder?: boolean | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface OneDriveSearchOptions {
  readonly query: string
}

export interface OneDriveTarget {
  readonly id?: string | undefined
  readonly url?: string | undefined
  readonly name?: string | undefined
}

export interface OneDriveToRestore {
  readonly id?: string | undefined
}

export interface OnlineSettings {
  readonly useApplicationOnlyAuth?: boolean | undefined
  readonly officeOrganizationName?: string | undefined
  readonly sharePointSaveAllWebParts?: boolean | undefined
  readonly account?: string | undefined
  readonly password?: string | undefined
  readonly grantAdminAccess?: boolean | undefined
  readonly useMfa?: boolean | undefined
  readonly useCustomVeeamAADApplication?: boolean | undefined
  readonly applicationId?: string | undefined
  readonly applicationSecret?: string | undefined
  readonly applicationCertificate?: string | undefined
  readonly applicationCertificatePassword?: string | undefined
  readonly applicationCertificateThumbprint?: string | undefined
}

export interface Organization {
  readonly id?: string | undefined
  readonly type?: 'Office365' | 'OnPremises' | 'Hybrid' | undefined
  readonly region?: 'Worldwide' | 'USGovernment' | 'Germany' | 'China' | 'USDefence' | undefined
  readonly name?: string | undefined
  readonly officeName?: string | undefined
  readonly description?: string | undefined
  readonly msid?: string | undefined
  readonly isExchangeOnline?: boolean | undefined
  readonly isSharePointOnline?: boolean | undefined
  readonly isTeamsOnline?: boolean | undefined
  readonly isTeamsChatsOnline?: boolean | undefined
  readonly exchangeOnlineSettings?: OnlineSettings | undefined
  readonly sharePointOnlineSettings?: OnlineSettings | undefined
  readonly isExchange?: boolean | undefined
  readonly exchangeSettings?: ExchangeServerSettings | undefined
  readonly isSharepoint?: boolean | undefined
  readonly sharepointSettings?: SharePointServerSettings | undefined
  readonly configureApplication?: boolean | undefined
  readonly userCode?: string | undefined
  readonly newApplicationName?: string | undefined
  readonly isBackedup?: boolean | undefined
  readonly firstBackuptime?: string | undefined
  readonly lastBackuptime?: string | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
  readonly _actions?: Readonly<Record<string, Action>> | undefined
}

export interface OrganizationToAdd {
  readonly id?: string | undefined
  readonly type: 'Office365' | 'OnPremises' | 'Hybrid'
  readonly region?: 'Worldwide' | 'USGovernment' | 'Germany' | 'China' | 'USDefence' | undefined
  readonly name?: string | undefined
  readonly officeName?: string | undefined
  readonly description?: string | undefined
  readonly msid?: string | undefined
  readonly isExchangeOnline?: boolean | undefined
  readonly isSharePointOnline?: boolean | undefined
  readonly isTeamsOnline?: boolean | undefined
  readonly isTeamsChatsOnline?: boolean | undefined
  readonly exchangeOnlineSettings?: OnlineSettings | undefined
  readonly sharePointOnlineSettings?: OnlineSettings | undefined
  readonly isExchange?: boolean | undefined
  readonly exchangeSettings?: ExchangeServerSettings | undefined
  readonly isSharepoint?: boolean | undefined
  readonly sharepointSettings?: SharePointServerSettings | undefined
  readonly configureApplication?: boolean | undefined
  readonly userCode?: string | undefined
  readonly newApplicationName?: string | undefined
  readonly isBackedup?: boolean | undefined
  readonly firstBackuptime?: string | undefined
  readonly lastBackuptime?: string | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
  readonly _actions?: Readonly<Record<string, Action>> | undefined
}

export interface PageOfBackedUpOrganization {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (BackedUpOrganization)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfBackupMailboxData {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (BackupMailboxData)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfBackupOneDriveData {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (BackupOneDriveData)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfBackupOrganizationData {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (BackupOrganizationData)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfBackupRepository {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (BackupRepository)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfBackupUserData {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (BackupUserData)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfCopyJob {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (CopyJob)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfExchangeFolder {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (ExchangeFolder)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfExchangeItem {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (ExchangeItem)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfExchangeMailbox {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (ExchangeMailbox)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfGroup {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (Group)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfGroupMember {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (GroupMember)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfHoldfastDamagedItem {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (HoldfastDamagedItem)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfHoldfastFinding {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (HoldfastFinding)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfHoldfastLegalHold {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (HoldfastLegalHold)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfHoldfastObjectSpace {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (HoldfastObjectSpace)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfHoldfastOrganizationSpace {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (HoldfastOrganizationSpace)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfHoldfastPersonRemoval {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (HoldfastPersonRemoval)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfHoldfastPreviewedItem {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (HoldfastPreviewedItem)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfHoldfastPreviewedObject {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (HoldfastPreviewedObject)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfHoldfastPreviewedPoint {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (HoldfastPreviewedPoint)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfHoldfastReencryption {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (HoldfastReencryption)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfHoldfastRestorePointSpace {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (HoldfastRestorePointSpace)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfHoldfastRetentionRun {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (HoldfastRetentionRun)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfHoldfastSpaceDay {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (HoldfastSpaceDay)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfHoldfastTestedObject {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (HoldfastTestedObject)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfHoldfastTrustRun {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (HoldfastTrustRun)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfJob {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (Job)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfJobItem {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (JobItem)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfJobSession {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (JobSession)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfLogItem {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (LogItem)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfOneDrive {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (OneDrive)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfOneDriveDocument {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (OneDriveDocument)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfOneDriveFolder {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (OneDriveFolder)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfOrganization {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (Organization)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfProtectedUser {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (ProtectedUser)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfProxy {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (Proxy)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfRestorePoint {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (RestorePoint)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfRestoreSession {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (RestoreSession)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfRestoreSessionEvent {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (RestoreSessionEvent)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfUsedRepository {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (UsedRepository)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface PageOfUser {
  readonly offset: number
  readonly limit: number
  readonly setId?: string | undefined
  readonly results: readonly (User)[]
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface ProtectedMailbox {
  readonly id?: string | undefined
  readonly displayName?: string | undefined
  readonly email?: string | undefined
  readonly isArchive?: boolean | undefined
}

export interface ProtectedOneDrive {
  readonly id?: string | undefined
  readonly displayName?: string | undefined
}

export interface ProtectedUser {
  readonly id?: string | undefined
  readonly msid?: string | undefined
  readonly displayName?: string | undefined
  readonly organizationId?: string | undefined
  readonly backedUpOrganizationId?: string | undefined
  readonly mailboxes?: readonly (ProtectedMailbox)[] | undefined
  readonly oneDrives?: readonly (ProtectedOneDrive)[] | undefined
}

export interface ProxiesToRescan {
  readonly proxies?: readonly (ProxyToRescan)[] | undefined
}

export interface Proxy {
  readonly id?: string | undefined
  readonly type?: 'Local' | 'Domain' | 'Workgroup' | undefined
  readonly hostName?: string | undefined
  readonly fqdn?: string | undefined
  readonly description?: string | undefined
  readonly port?: number | undefined
  readonly operatingSystem?: 'Windows' | 'Linux' | undefined
  readonly enableNetworkThrottling?: boolean | undefined
  readonly throttlingValue?: number | undefined
  readonly throttlingUnit?: 'Mbps' | 'MBs' | 'KBs' | undefined
  readonly useInternetProxy?: boolean | undefined
  readonly internetProxyType?: 'FromManagementServer' | 'Custom' | undefined
  readonly internetProxySettings?: InternetProxySettings | undefined
  readonly status?: 'Online' | 'Offline' | undefined
  readonly proxyPoolId?: string | undefined
  readonly maintenanceModeState?: 'Disabled' | 'Enabling' | 'Enabled' | undefined
  readonly version?: string | undefined
  readonly role?: readonly ('Unknown' | 'Orchestrator' | 'Scheduler' | 'ApplianceProcessor' | 'Processor')[] | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface ProxyToRescan {
  readonly id: string
}

export interface ProxyToSave {
  readonly hostName?: string | undefined
  readonly description?: string | undefined
  readonly port?: number | undefined
  readonly useInternetProxy?: boolean | undefined
  readonly enableNetworkThrottling?: boolean | undefined
  readonly throttlingValue?: number | undefined
  readonly throttlingUnit?: 'Mbps' | 'MBs' | 'KBs' | undefined
}

export interface RestorePoint {
  readonly id?: string | undefined
  readonly isDeleted?: boolean | undefined
  readonly repositoryId?: string | undefined
  readonly backupTime?: string | undefined
  readonly jobId?: string | undefined
  readonly organizationId?: string | undefined
  readonly isExchange?: boolean | undefined
  readonly isSharePoint?: boolean | undefined
  readonly isOneDrive?: boolean | undefined
  readonly isTeams?: boolean | undefined
  readonly isLongTermCopy?: boolean | undefined
  readonly isCopy?: boolean | undefined
  readonly isRetrieved?: boolean | undefined
  readonly eTag?: number | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface RestoreSession {
  readonly id?: string | undefined
  readonly name?: string | undefined
  readonly organization?: string | undefined
  readonly type?: 'Vex' | 'Veod' | 'Vesp' | 'Vet' | undefined
  readonly creationTime?: string | undefined
  readonly endTime?: string | undefined
  readonly state?: 'Working' | 'Stopped' | undefined
  readonly result?: 'Success' | 'Warning' | 'Failed' | undefined
  readonly initiatedBy?: string | undefined
  readonly details?: string | undefined
  readonly scopeName?: string | undefined
  readonly clientHost?: string | undefined
  readonly reason?: string | undefined
  readonly eTag?: number | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface RestoreSessionEvent {
  readonly id?: string | undefined
  readonly itemName?: string | undefined
  readonly itemType?: string | undefined
  readonly itemSizeBytes?: number | undefined
  readonly source?: string | undefined
  readonly target?: string | undefined
  readonly type?: 'None' | 'Save' | 'Export' | 'Send' | 'Restore' | 'View' | undefined
  readonly status?: 'Running' | 'Success' | 'Warning' | 'Failed' | 'Cancelled' | 'Skipped' | undefined
  readonly startTime?: string | undefined
  readonly endTime?: string | undefined
  readonly duration?: string | undefined
  readonly title?: string | undefined
  readonly message?: string | undefined
  readonly order?: number | undefined
  readonly organizationId?: string | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface RestoreSessionStatistics {
  readonly totalItemsCount?: number | undefined
  readonly restoredItemsCount?: number | undefined
  readonly failedItemsCount?: number | undefined
  readonly skippedItemsCount?: number | undefined
  readonly warnings?: readonly (string)[] | undefined
  readonly errors?: readonly (string)[] | undefined
  readonly items?: readonly (ItemRestoreDetails)[] | undefined
}

export interface RestoreToDifferentLocation {
  readonly userName?: string | undefined
  readonly userPassword?: string | undefined
  readonly userCode?: string | undefined
  readonly applicationId?: string | undefined
  readonly applicationCertificate?: string | undefined
  readonly applicationCertificatePassword?: string | undefined
  readonly impersonationAccountName?: string | undefined
  readonly officeRegion?: 'Worldwide' | 'Germany' | 'China' | 'USDefence' | 'USGovernment' | undefined
  readonly casServer?: string | undefined
  readonly mailbox?: string | undefined
  readonly folder?: string | undefined
  readonly officeOrganizationName?: string | undefined
  readonly changedItems?: boolean | undefined
  readonly deletedItems?: boolean | undefined
  readonly markRestoredAsUnread?: boolean | undefined
  readonly excludeDrafts?: boolean | undefined
  readonly excludeDeletedItems?: boolean | undefined
  readonly excludeInPlaceHoldItems?: boolean | undefined
  readonly excludeLitigationHoldItems?: boolean | undefined
}

export interface RestoreToDifferentLocationSelectedItems {
  readonly userName?: string | undefined
  readonly userPassword?: string | undefined
  readonly userCode?: string | undefined
  readonly applicationId?: string | undefined
  readonly applicationCertificate?: string | undefined
  readonly applicationCertificatePassword?: string | undefined
  readonly impersonationAccountName?: string | undefined
  readonly officeRegion?: 'Worldwide' | 'Germany' | 'China' | 'USDefence' | 'USGovernment' | undefined
  readonly casServer?: string | undefined
  readonly mailbox?: string | undefined
  readonly folder?: string | undefined
  readonly officeOrganizationName?: string | undefined
  readonly changedItems?: boolean | undefined
  readonly deletedItems?: boolean | undefined
  readonly markRestoredAsUnread?: boolean | undefined
  readonly excludeDrafts?: boolean | undefined
  readonly excludeDeletedItems?: boolean | undefined
  readonly excludeInPlaceHoldItems?: boolean | undefined
  readonly excludeLitigationHoldItems?: boolean | undefined
  readonly items?: readonly (ExchangeItemElsewhere)[] | undefined
}

export interface RestoreToOriginal {
  readonly userName?: string | undefined
  readonly userPassword?: string | undefined
  readonly userCode?: string | undefined
  readonly applicationId?: string | undefined
  readonly applicationCertificate?: string | undefined
  readonly applicationCertificatePassword?: string | undefined
  readonly impersonationAccountName?: string | undefined
  readonly officeRegion?: 'Worldwide' | 'Germany' | 'China' | 'USDefence' | 'USGovernment' | undefined
  readonly organizationName?: string | undefined
  readonly documentAction?: 'Overwrite' | 'Keep' | undefined
}

export interface RestoreToOriginalDocuments {
  readonly userName?: string | undefined
  readonly userPassword?: string | undefined
  readonly userCode?: string | undefined
  readonly applicationId?: string | undefined
  readonly applicationCertificate?: string | undefined
  readonly applicationCertificatePassword?: string | undefined
  readonly impersonationAccountName?: string | undefined
  readonly officeRegion?: 'Worldwide' | 'Germany' | 'China' | 'USDefence' | 'USGovernment' | undefined
  readonly organizationName?: string | undefined
  readonly documentAction?: 'Overwrite' | 'Keep' | undefined
  readonly documents?: readonly (DocumentInPlace)[] | undefined
}

export interface RestoreToOriginalFolders {
  readonly userName?: string | undefined
  readonly userPassword?: string | undefined
  readonly userCode?: string | undefined
  readonly applicationId?: string | undefined
  readonly applicationCertificate?: string | undefined
  readonly applicationCertificatePassword?: string | undefined
  readonly impersonationAccountName?: string | undefined
  readonly officeRegion?: 'Worldwide' | 'Germany' | 'China' | 'USDefence' | 'USGovernment' | undefined
  readonly organizationName?: string | undefined
  readonly documentAction?: 'Overwrite' | 'Keep' | undefined
  readonly folders?: readonly (FolderInPlace)[] | undefined
}

export interface RestoreToOriginalLocation {
  readonly userName?: string | undefined
  readonly userPassword?: string | undefined
  readonly userCode?: string | undefined
  readonly applicationId?: string | undefined
  readonly applicationCertificate?: string | undefined
  readonly applicationCertificatePassword?: string | undefined
  readonly impersonationAccountName?: string | undefined
  readonly officeRegion?: 'Worldwide' | 'Germany' | 'China' | 'USDefence' | 'USGovernment' | undefined
}

export interface RestoreToOriginalLocationSelectedItems {
  readonly userName?: string | undefined
  readonly userPassword?: string | undefined
  readonly userCode?: string | undefined
  readonly applicationId?: string | undefined
  readonly applicationCertificate?: string | undefined
  readonly applicationCertificatePassword?: string | undefined
  readonly impersonationAccountName?: string | undefined
  readonly officeRegion?: 'Worldwide' | 'Germany' | 'China' | 'USDefence' | 'USGovernment' | undefined
  readonly items?: readonly (ExchangeItemInPlace)[] | undefined
}

export interface S3Bucket {
  readonly name?: string | undefined
  readonly regionType?: 'Global' | 'USGovernment' | 'China' | undefined
  readonly regionId?: string | undefined
  readonly regionName?: string | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface S3CompatibleBucket {
  readonly name?: string | undefined
  readonly servicePoint?: string | undefined
  readonly customRegionId?: string | undefined
  readonly trustServerCertificate?: boolean | undefined
  readonly trustedServerCertificateThumbprint?: string | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface SaveDocumentsOptions {
  readonly documents?: readonly (DocumentToSave)[] | undefined
  readonly asZip?: boolean | undefined
}

export interface SaveOneDriveDocumentOptions {
  readonly asZip?: boolean | undefined
}

export interface SaveOneDriveFoldersOptions {
  readonly folders?: readonly (FolderToSave)[] | undefined
  readonly asZip?: boolean | undefined
}

export interface SaveToMsgOptions {
  readonly items?: readonly (ExchangeItemToSave)[] | undefined
}

export interface SchedulePolicy {
  readonly scheduleEnabled?: boolean | undefined
  readonly type?: 'Daily' | 'Periodically' | 'ManualOnly' | undefined
  readonly dailyType?: 'Everyday' | 'Workdays' | 'Weekends' | 'Sunday' | 'Monday' | 'Tuesday' | 'Wednesday' | 'Thursday' | 'Friday' | 'Saturday' | undefined
  readonly dailyTime?: string | undefined
  readonly periodicallyEvery?: 'Minutes5' | 'Minutes10' | 'Minutes15' | 'Minutes30' | 'Hours1' | 'Hours2' | 'Hours4' | 'Hours8' | 'Hours12' | undefined
  readonly periodicallyOffsetMinutes?: number | undefined
  readonly backupWindowEnabled?: boolean | undefined
  readonly backupWindowSettings?: BackupWindow | undefined
  readonly periodicallyWindowEnabled?: boolean | undefined
  readonly periodicallyWindowSettings?: BackupWindow | undefined
  readonly retryEnabled?: boolean | undefined
  readonly retryNumber?: number | undefined
  readonly retryWaitInterval?: number | undefined
  readonly timeZone?: string | undefined
}

export interface SearchOptions {
  readonly query: string
}

export interface ServiceInstance {
  readonly installationId?: string | undefined
  readonly version?: string | undefined
}

export interface SharePointServerSettings {
  readonly serverName?: string | undefined
  readonly serverPort?: number | undefined
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly useSSL?: boolean | undefined
  readonly skipCAverification?: boolean | undefined
  readonly skipCommonnameverification?: boolean | undefined
  readonly skipRevocationcheck?: boolean | undefined
  readonly grantAccesstositecollections?: boolean | undefined
}

export interface StartJobOptions {
  readonly full?: boolean | undefined
}

export interface StorageFolder {
  readonly name?: string | undefined
  readonly path?: string | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface Token {
  readonly access_token: string
  readonly token_type: string
  readonly expires_in: number
  readonly refresh_token: string
  readonly userName?: string | undefined
  readonly '.issued': string
  readonly '.expires': string
}

export interface TokenRequest {
  readonly grant_type: 'password' | 'refresh_token' | 'urn:ietf:params:oauth:grant-type:jwt-bearer' | 'integration' | 'operator'
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly refresh_token?: string | undefined
  readonly client_id?: string | undefined
  readonly assertion?: string | undefined
  readonly disable_antiforgery_token?: boolean | undefined
}

export interface UsedRepository {
  readonly repositoryId?: string | undefined
  readonly usedSpaceBytes?: number | undefined
  readonly localCacheUsedSpaceBytes?: number | undefined
  readonly objectStorageUsedSpaceBytes?: number | undefined
  readonly isAvailable?: boolean | undefined
  readonly details?: string | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface User {
  readonly id?: string | undefined
  readonly displayName?: string | undefined
  readonly name?: string | undefined
  readonly type?: 'User' | 'Shared' | 'Public' | undefined
  readonly locationType?: 'OnPremises' | 'Cloud' | 'Hybrid' | undefined
  readonly msid?: string | undefined
  readonly _links?: Readonly<Record<string, Link>> | undefined
}

export interface VersionBackupOptions {
  readonly sharePointBackupMode?: 'All' | 'Latest' | undefined
}

type Query = Readonly<Record<string, string | number | boolean | readonly string[] | null | undefined>>

const withQuery = (path: string, query: Query): string => {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null)
  const pairs = given.map(([name, value]): [string, string] => [name, String(value)])
  const text = new URLSearchParams(pairs).toString()
  return text === '' ? path : `${path}?${text}`
}

/** Every operation of v8, typed, over a connection. */
export const apiOf = (calls: Pick<Connection, 'get' | 'post' | 'put' | 'delete' | 'download'>) => ({
  /** Ends the log-in: its access and refresh tokens stop at once. */
  token_logout_Post: () => calls.post<void>(`/token/logout`, {}),
  /** All organizations, by name. */
  Organizations_Get: (query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined; extendedView?: boolean | undefined } = {}) => calls.get<PageOfOrganization>(withQuery(`/Organizations`, query)),
  /** Adds an organization after its credentials were tried at Microsoft 365. */
  Organizations_Post: (body: OrganizationToAdd) => calls.post<Organization>(`/Organizations`, body),
  /** One organization. */
  Organizations_organizationId_Get: (organizationId: string, query: { extendedView?: boolean | undefined } = {}) => calls.get<Organization>(withQuery(`/Organizations/${encodeURIComponent(organizationId)}`, query)),
  /** Changes an organization; what is left out stays, secrets too. */
  Organizations_organizationId_Put: (organizationId: string, body: Organization) => calls.put<void>(`/Organizations/${encodeURIComponent(organizationId)}`, body),
  /** Removes an organization; what was backed up stays. */
  Organizations_organizationId_Delete: (organizationId: string) => calls.delete(`/Organizations/${encodeURIComponent(organizationId)}`),
  /** The repositories that hold data of the organization. */
  Organizations_organizationId_usedRepositories_Get: (organizationId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.get<PageOfUsedRepository>(withQuery(`/Organizations/${encodeURIComponent(organizationId)}/usedRepositories`, query)),
  /** Which versions of files are protected. */
  Organizations_organizationId_versionBackupOptions_Get: (organizationId: string) => calls.get<VersionBackupOptions>(`/Organizations/${encodeURIComponent(organizationId)}/versionBackupOptions`),
  /** Sets which versions of files are protected, from the next run on. */
  Organizations_organizationId_versionBackupOptions_Put: (organizationId: string, body: VersionBackupOptions) => calls.put<void>(`/Organizations/${encodeURIComponent(organizationId)}/versionBackupOptions`, body),
  /** The organization of the tenant who asks. */
  Organization_Get: () => calls.get<LoggedInOrganization>(`/Organization`),
  /** Users of the organization. */
  Organizations_organizationId_Users_Get: (organizationId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined; userName?: string | undefined; displayName?: string | undefined; locationFilter?: 'OnPremises' | 'Cloud' | 'Hybrid' | undefined } = {}) => calls.get<PageOfUser>(withQuery(`/Organizations/${encodeURIComponent(organizationId)}/Users`, query)),
  /** One user. */
  Organizations_organizationId_Users_userId_Get: (organizationId: string, userId: string) => calls.get<User>(`/Organizations/${encodeURIComponent(organizationId)}/Users/${encodeURIComponent(userId)}`),
  /** Groups of the organization. */
  Organizations_organizationId_Groups_Get: (organizationId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined; groupName?: string | undefined; displayName?: string | undefined; locationFilter?: 'OnPremises' | 'Cloud' | 'Hybrid' | undefined } = {}) => calls.get<PageOfGroup>(withQuery(`/Organizations/${encodeURIComponent(organizationId)}/Groups`, query)),
  /** One group. */
  Organizations_organizationId_Groups_groupId_Get: (organizationId: string, groupId: string) => calls.get<Group>(`/Organizations/${encodeURIComponent(organizationId)}/Groups/${encodeURIComponent(groupId)}`),
  /** Users of a group, those of nested groups too. */
  Organizations_organizationId_Groups_groupId_Members_Get: (organizationId: string, groupId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.get<PageOfGroupMember>(withQuery(`/Organizations/${encodeURIComponent(organizationId)}/Groups/${encodeURIComponent(groupId)}/Members`, query)),
  /** All accounts of object storage, oldest first. */
  Accounts_Get: (query: { name?: string | undefined; accountType?: 'azureBlobAccount' | 'amazonS3Account' | 'amazonS3CompatibleAccount' | undefined; organizationId?: string | undefined } = {}) => calls.get<readonly (Account)[]>(withQuery(`/Accounts`, query)),
  /** Adds an account; its secret is kept and never answered. */
  Accounts_Post: (body: AccountToSave) => calls.post<Account>(`/Accounts`, body),
  /** One account. */
  Accounts_accountId_Get: (accountId: string) => calls.get<Account>(`/Accounts/${encodeURIComponent(accountId)}`),
  /** Changes an account, after its credentials were tried on what uses it; what is left out stays. */
  Accounts_accountId_Put: (accountId: string, body: AccountToSave) => calls.put<void>(`/Accounts/${encodeURIComponent(accountId)}`, body),
  /** Removes an account that nothing uses. */
  Accounts_accountId_Delete: (accountId: string) => calls.delete(`/Accounts/${encodeURIComponent(accountId)}`),
  /** How the service of an account is spoken to. */
  Holdfast_Accounts_accountId_Connection_Get: (accountId: string) => calls.get<HoldfastAccountConnection>(`/Holdfast/Accounts/${encodeURIComponent(accountId)}/Connection`),
  /** Changes that, after it was tried on what uses the account; what is left out stays. */
  Holdfast_Accounts_accountId_Connection_Put: (accountId: string, body: HoldfastAccountConnectionToSave) => calls.put<HoldfastAccountConnection>(`/Holdfast/Accounts/${encodeURIComponent(accountId)}/Connection`, body),
  /** All encryption keys, without their passwords. */
  EncryptionKeys_Get: (query: { description?: string | undefined; organizationId?: string | undefined } = {}) => calls.get<readonly (EncryptionKey)[]>(withQuery(`/EncryptionKeys`, query)),
  /** Adds an encryption key; its password is kept and never answered. */
  EncryptionKeys_Post: (body: EncryptionKeyToSave) => calls.post<EncryptionKey>(`/EncryptionKeys`, body),
  /** One encryption key, without its password. */
  EncryptionKeys_keyId_Get: (keyId: string) => calls.get<EncryptionKey>(`/EncryptionKeys/${encodeURIComponent(keyId)}`),
  /** Removes an encryption key that no repository uses. */
  EncryptionKeys_keyId_Delete: (keyId: string) => calls.delete(`/EncryptionKeys/${encodeURIComponent(keyId)}`),
  /** Gives an encryption key another password, in every repository that uses it. */
  Holdfast_EncryptionKeys_keyId_ChangePassword_Post: (keyId: string, body: HoldfastNewEncryptionKeyPassword) => calls.post<HoldfastRenewedEncryptionKey>(`/Holdfast/EncryptionKeys/${encodeURIComponent(keyId)}/ChangePassword`, body),
  /** The storage class of new packs of a repository in object storage. */
  Holdfast_BackupRepositories_repositoryId_StorageClass_Get: (repositoryId: string) => calls.get<HoldfastStorageClass>(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/StorageClass`),
  /** Chooses another class for new packs, after one file was written in it; what is stored stays as it is. */
  Holdfast_BackupRepositories_repositoryId_StorageClass_Put: (repositoryId: string, body: HoldfastStorageClassToSave) => calls.put<HoldfastStorageClass>(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/StorageClass`, body),
  /** The buckets of an account. */
  S3Resources_buckets_Get: (query: { accountId?: string | undefined; regionType?: 'Global' | 'USGovernment' | 'China' | undefined; regionId?: string | undefined; name?: string | undefined } = {}) => calls.get<readonly (S3Bucket)[]>(withQuery(`/S3Resources/buckets`, query)),
  /** One bucket of an account. */
  S3Resources_buckets_bucketName_Get: (bucketName: string, query: { accountId?: string | undefined; regionType?: 'Global' | 'USGovernment' | 'China' | undefined } = {}) => calls.get<S3Bucket>(withQuery(`/S3Resources/buckets/${encodeURIComponent(bucketName)}`, query)),
  /** The folders at the root of a bucket. */
  S3Resources_buckets_bucketName_folders_Get: (bucketName: string, query: { accountId?: string | undefined; regionType?: 'Global' | 'USGovernment' | 'China' | undefined; name?: string | undefined } = {}) => calls.get<readonly (StorageFolder)[]>(withQuery(`/S3Resources/buckets/${encodeURIComponent(bucketName)}/folders`, query)),
  /** Makes a folder at the root of a bucket. */
  S3Resources_buckets_bucketName_folders_Post: (bucketName: string, body: NewStorageFolder, query: { accountId?: string | undefined; regionType?: 'Global' | 'USGovernment' | 'China' | undefined } = {}) => calls.post<StorageFolder>(withQuery(`/S3Resources/buckets/${encodeURIComponent(bucketName)}/folders`, query), body),
  /** One folder at the root of a bucket. */
  S3Resources_buckets_bucketName_folders_folderName_Get: (bucketName: string, folderName: string, query: { accountId?: string | undefined; regionType?: 'Global' | 'USGovernment' | 'China' | undefined } = {}) => calls.get<StorageFolder>(withQuery(`/S3Resources/buckets/${encodeURIComponent(bucketName)}/folders/${encodeURIComponent(folderName)}`, query)),
  /** The buckets of an account. */
  S3CompatibleResources_buckets_Get: (query: { accountId?: string | undefined; servicePoint?: string | undefined; customRegionId?: string | undefined; trustedServerCertificateThumbprint?: string | undefined; trustServerCertificate?: boolean | undefined; name?: string | undefined } = {}) => calls.get<readonly (S3CompatibleBucket)[]>(withQuery(`/S3CompatibleResources/buckets`, query)),
  /** One bucket of an account. */
  S3CompatibleResources_buckets_bucketName_Get: (bucketName: string, query: { accountId?: string | undefined; servicePoint?: string | undefined; customRegionId?: string | undefined; trustedServerCertificateThumbprint?: string | undefined; trustServerCertificate?: boolean | undefined } = {}) => calls.get<S3CompatibleBucket>(withQuery(`/S3CompatibleResources/buckets/${encodeURIComponent(bucketName)}`, query)),
  /** The folders at the root of a bucket. */
  S3CompatibleResources_buckets_bucketName_folders_Get: (bucketName: string, query: { accountId?: string | undefined; servicePoint?: string | undefined; customRegionId?: string | undefined; trustedServerCertificateThumbprint?: string | undefined; trustServerCertificate?: boolean | undefined; name?: string | undefined } = {}) => calls.get<readonly (StorageFolder)[]>(withQuery(`/S3CompatibleResources/buckets/${encodeURIComponent(bucketName)}/folders`, query)),
  /** Makes a folder at the root of a bucket. */
  S3CompatibleResources_buckets_bucketName_folders_Post: (bucketName: string, body: NewStorageFolder, query: { accountId?: string | undefined; servicePoint?: string | undefined; customRegionId?: string | undefined; trustedServerCertificateThumbprint?: string | undefined; trustServerCertificate?: boolean | undefined } = {}) => calls.post<StorageFolder>(withQuery(`/S3CompatibleResources/buckets/${encodeURIComponent(bucketName)}/folders`, query), body),
  /** One folder at the root of a bucket. */
  S3CompatibleResources_buckets_bucketName_folders_folderName_Get: (bucketName: string, folderName: string, query: { accountId?: string | undefined; servicePoint?: string | undefined; customRegionId?: string | undefined; trustedServerCertificateThumbprint?: string | undefined; trustServerCertificate?: boolean | undefined } = {}) => calls.get<StorageFolder>(withQuery(`/S3CompatibleResources/buckets/${encodeURIComponent(bucketName)}/folders/${encodeURIComponent(folderName)}`, query)),
  /** The containers of an account. */
  AzureResources_containers_Get: (query: { accountId?: string | undefined; regionType?: 'Global' | 'Germany' | 'China' | 'Government' | undefined; name?: string | undefined } = {}) => calls.get<readonly (AzureContainer)[]>(withQuery(`/AzureResources/containers`, query)),
  /** One container of an account. */
  AzureResources_containers_containerName_Get: (containerName: string, query: { accountId?: string | undefined; regionType?: 'Global' | 'Germany' | 'China' | 'Government' | undefined } = {}) => calls.get<AzureContainer>(withQuery(`/AzureResources/containers/${encodeURIComponent(containerName)}`, query)),
  /** The folders at the root of a container. */
  AzureResources_containers_containerName_folders_Get: (containerName: string, query: { accountId?: string | undefined; regionType?: 'Global' | 'Germany' | 'China' | 'Government' | undefined; name?: string | undefined } = {}) => calls.get<readonly (StorageFolder)[]>(withQuery(`/AzureResources/containers/${encodeURIComponent(containerName)}/folders`, query)),
  /** Makes a folder at the root of a container. */
  AzureResources_containers_containerName_folders_Post: (containerName: string, body: NewStorageFolder, query: { accountId?: string | undefined; regionType?: 'Global' | 'Germany' | 'China' | 'Government' | undefined } = {}) => calls.post<StorageFolder>(withQuery(`/AzureResources/containers/${encodeURIComponent(containerName)}/folders`, query), body),
  /** One folder at the root of a container. */
  AzureResources_containers_containerName_folders_folderName_Get: (containerName: string, folderName: string, query: { accountId?: string | undefined; regionType?: 'Global' | 'Germany' | 'China' | 'Government' | undefined } = {}) => calls.get<StorageFolder>(withQuery(`/AzureResources/containers/${encodeURIComponent(containerName)}/folders/${encodeURIComponent(folderName)}`, query)),
  /** All backup repositories, by name. */
  BackupRepositories_Get: (query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined; proxyId?: string | undefined; longTerm?: boolean | undefined; organizationId?: string | undefined } = {}) => calls.get<PageOfBackupRepository>(withQuery(`/BackupRepositories`, query)),
  /** Adds a backup repository in a folder or in object storage. */
  BackupRepositories_Post: (body: BackupRepositoryToSave) => calls.post<BackupRepository>(`/BackupRepositories`, body),
  /** One backup repository. */
  BackupRepositories_repositoryId_Get: (repositoryId: string) => calls.get<BackupRepository>(`/BackupRepositories/${encodeURIComponent(repositoryId)}`),
  /** Changes a backup repository; what is left out stays. */
  BackupRepositories_repositoryId_Put: (repositoryId: string, body: BackupRepositoryToSave) => calls.put<void>(`/BackupRepositories/${encodeURIComponent(repositoryId)}`, body),
  /** Removes a backup repository from the server; its data stays. */
  BackupRepositories_repositoryId_Delete: (repositoryId: string) => calls.delete(`/BackupRepositories/${encodeURIComponent(repositoryId)}`),
  /** The organizations that have data in the repository. */
  BackupRepositories_repositoryId_backedUpOrganizations_Get: (repositoryId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.get<PageOfBackedUpOrganization>(withQuery(`/BackupRepositories/${encodeURIComponent(repositoryId)}/backedUpOrganizations`, query)),
  /** Takes up a repository that another server made, with passwords of its recovery kit. */
  Holdfast_BackupRepositories_Attach_Post: (body: HoldfastRepositoryToAttach) => calls.post<HoldfastAttachedRepository>(`/Holdfast/BackupRepositories/Attach`, body),
  /** Takes up further organizations of an attached repository. */
  Holdfast_BackupRepositories_repositoryId_Attach_Post: (repositoryId: string, body: HoldfastOrganizationsToAttach) => calls.post<HoldfastAttachedRepository>(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/Attach`, body),
  /** Which server a repository belongs to. */
  Holdfast_BackupRepositories_repositoryId_Owner_Get: (repositoryId: string) => calls.get<HoldfastRepositoryOwner>(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/Owner`),
  /** Makes this server the owner; the one before writes nothing more there. */
  Holdfast_BackupRepositories_repositoryId_TakeOver_Post: (repositoryId: string) => calls.post<HoldfastRepositoryOwner>(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/TakeOver`, {}),
  /** Gives the data of every organization a new password; the recovery kit has to be made anew. */
  Holdfast_BackupRepositories_repositoryId_RotatePasswords_Post: (repositoryId: string) => calls.post<HoldfastRotatedPasswords>(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/RotatePasswords`, {}),
  /** All backup proxies. */
  Proxies_Get: (query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.get<PageOfProxy>(withQuery(`/Proxies`, query)),
  /** One backup proxy. */
  Proxies_proxyId_Get: (proxyId: string) => calls.get<Proxy>(`/Proxies/${encodeURIComponent(proxyId)}`),
  /** Changes a backup proxy; what is left out stays. */
  Proxies_proxyId_Put: (proxyId: string, body: ProxyToSave) => calls.put<void>(`/Proxies/${encodeURIComponent(proxyId)}`, body),
  /** Looks anew at the repositories of backup proxies. */
  Proxies_Rescan_Post: (body: ProxiesToRescan) => calls.post<void>(`/Proxies/Rescan`, body),
  /** Looks anew at the repositories of a backup proxy. */
  Proxies_proxyId_Rescan_Post: (proxyId: string) => calls.post<void>(`/Proxies/${encodeURIComponent(proxyId)}/Rescan`, {}),
  /** The repositories that a proxy works on. */
  Proxies_proxyId_Repositories_Get: (proxyId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.get<PageOfBackupRepository>(withQuery(`/Proxies/${encodeURIComponent(proxyId)}/Repositories`, query)),
  /** All jobs, by name. */
  Jobs_Get: (query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined; organizationId?: string | undefined; repositoryId?: string | undefined } = {}) => calls.get<PageOfJob>(withQuery(`/Jobs`, query)),
  /** Adds a job. */
  Jobs_Post: (body: BackupJobToAdd) => calls.post<Job>(`/Jobs`, body),
  /** The jobs of an organization. */
  Organizations_organizationId_Jobs_Get: (organizationId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.get<PageOfJob>(withQuery(`/Organizations/${encodeURIComponent(organizationId)}/Jobs`, query)),
  /** One job. */
  Jobs_jobId_Get: (jobId: string) => calls.get<Job>(`/Jobs/${encodeURIComponent(jobId)}`),
  /** Changes a job; what is left out stays. */
  Jobs_jobId_Put: (jobId: string, body: JobToChange) => calls.put<void>(`/Jobs/${encodeURIComponent(jobId)}`, body),
  /** Removes a job; its restore points stay. */
  Jobs_jobId_Delete: (jobId: string) => calls.delete(`/Jobs/${encodeURIComponent(jobId)}`),
  /** Starts the job. */
  Jobs_jobId_start_Post: (jobId: string, body: StartJobOptions) => calls.post<JobSession>(`/Jobs/${encodeURIComponent(jobId)}/start`, body),
  /** Asks the run to stop. */
  Jobs_jobId_stop_Post: (jobId: string) => calls.post<void>(`/Jobs/${encodeURIComponent(jobId)}/stop`, {}),
  /** Lets the schedule start the job. */
  Jobs_jobId_enable_Post: (jobId: string) => calls.post<void>(`/Jobs/${encodeURIComponent(jobId)}/enable`, {}),
  /** Keeps the schedule from starting the job. */
  Jobs_jobId_disable_Post: (jobId: string) => calls.post<void>(`/Jobs/${encodeURIComponent(jobId)}/disable`, {}),
  /** Opens a restore session. */
  Jobs_jobId_explore_Post: (jobId: string, body: ExploreOptions) => calls.post<RestoreSession>(`/Jobs/${encodeURIComponent(jobId)}/explore`, body),
  /** The selected items of a job. */
  Jobs_jobId_SelectedItems_Get: (jobId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.get<PageOfJobItem>(withQuery(`/Jobs/${encodeURIComponent(jobId)}/SelectedItems`, query)),
  /** Adds selected items. */
  Jobs_jobId_SelectedItems_Post: (jobId: string, body: readonly (JobItem)[]) => calls.post<void>(`/Jobs/${encodeURIComponent(jobId)}/SelectedItems`, body),
  /** Removes selected items. */
  Jobs_jobId_SelectedItems_Delete: (jobId: string, body: readonly (string)[], query: { ids?: readonly (string)[] | undefined } = {}) => calls.delete(withQuery(`/Jobs/${encodeURIComponent(jobId)}/SelectedItems`, query)),
  /** One of the selected items. */
  Jobs_jobId_SelectedItems_itemId_Get: (jobId: string, itemId: string) => calls.get<JobItem>(`/Jobs/${encodeURIComponent(jobId)}/SelectedItems/${encodeURIComponent(itemId)}`),
  /** Changes one of the selected items. */
  Jobs_jobId_SelectedItems_itemId_Put: (jobId: string, itemId: string, body: JobItem) => calls.put<void>(`/Jobs/${encodeURIComponent(jobId)}/SelectedItems/${encodeURIComponent(itemId)}`, body),
  /** Removes one of the selected items. */
  Jobs_jobId_SelectedItems_itemId_Delete: (jobId: string, itemId: string) => calls.delete(`/Jobs/${encodeURIComponent(jobId)}/SelectedItems/${encodeURIComponent(itemId)}`),
  /** The excluded items of a job. */
  Jobs_jobId_ExcludedItems_Get: (jobId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.get<PageOfJobItem>(withQuery(`/Jobs/${encodeURIComponent(jobId)}/ExcludedItems`, query)),
  /** Adds excluded items. */
  Jobs_jobId_ExcludedItems_Post: (jobId: string, body: readonly (JobItem)[]) => calls.post<void>(`/Jobs/${encodeURIComponent(jobId)}/ExcludedItems`, body),
  /** Removes excluded items. */
  Jobs_jobId_ExcludedItems_Delete: (jobId: string, body: readonly (string)[], query: { ids?: readonly (string)[] | undefined } = {}) => calls.delete(withQuery(`/Jobs/${encodeURIComponent(jobId)}/ExcludedItems`, query)),
  /** One of the excluded items. */
  Jobs_jobId_ExcludedItems_itemId_Get: (jobId: string, itemId: string) => calls.get<JobItem>(`/Jobs/${encodeURIComponent(jobId)}/ExcludedItems/${encodeURIComponent(itemId)}`),
  /** Changes one of the excluded items. */
  Jobs_jobId_ExcludedItems_itemId_Put: (jobId: string, itemId: string, body: JobItem) => calls.put<void>(`/Jobs/${encodeURIComponent(jobId)}/ExcludedItems/${encodeURIComponent(itemId)}`, body),
  /** Removes one of the excluded items. */
  Jobs_jobId_ExcludedItems_itemId_Delete: (jobId: string, itemId: string) => calls.delete(`/Jobs/${encodeURIComponent(jobId)}/ExcludedItems/${encodeURIComponent(itemId)}`),
  /** All copy jobs, by name. */
  CopyJobs_Get: (query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined; organizationId?: string | undefined; repositoryId?: string | undefined } = {}) => calls.get<PageOfCopyJob>(withQuery(`/CopyJobs`, query)),
  /** Adds a copy job. */
  CopyJobs_Post: (body: CopyJobToAdd) => calls.post<CopyJob>(`/CopyJobs`, body),
  /** One copy job. */
  CopyJobs_copyJobId_Get: (copyJobId: string) => calls.get<CopyJob>(`/CopyJobs/${encodeURIComponent(copyJobId)}`),
  /** Changes a copy job; what is left out stays. */
  CopyJobs_copyJobId_Put: (copyJobId: string, body: CopyJobToChange) => calls.put<void>(`/CopyJobs/${encodeURIComponent(copyJobId)}`, body),
  /** Removes a copy job; what it copied stays. */
  CopyJobs_copyJobId_Delete: (copyJobId: string) => calls.delete(`/CopyJobs/${encodeURIComponent(copyJobId)}`),
  /** The backup job that is copied. */
  CopyJobs_copyJobId_BackupJob_Get: (copyJobId: string) => calls.get<Job>(`/CopyJobs/${encodeURIComponent(copyJobId)}/BackupJob`),
  /** The copy job of a job. */
  Jobs_jobId_CopyJob_Get: (jobId: string) => calls.get<CopyJob>(`/Jobs/${encodeURIComponent(jobId)}/CopyJob`),
  /** Starts the copy job. */
  CopyJobs_copyJobId_start_Post: (copyJobId: string, body: StartJobOptions) => calls.post<JobSession>(`/CopyJobs/${encodeURIComponent(copyJobId)}/start`, body),
  /** Asks the copy to stop. */
  CopyJobs_copyJobId_stop_Post: (copyJobId: string) => calls.post<void>(`/CopyJobs/${encodeURIComponent(copyJobId)}/stop`, {}),
  /** Lets the schedule start the copy job. */
  CopyJobs_copyJobId_enable_Post: (copyJobId: string) => calls.post<void>(`/CopyJobs/${encodeURIComponent(copyJobId)}/enable`, {}),
  /** Keeps the schedule from starting the copy job. */
  CopyJobs_copyJobId_disable_Post: (copyJobId: string) => calls.post<void>(`/CopyJobs/${encodeURIComponent(copyJobId)}/disable`, {}),
  /** All sessions, newest first. */
  JobSessions_Get: (query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined; jobId?: string | undefined; jobType?: 'Backup' | 'Copy' | undefined; status?: 'Stopped' | 'Running' | 'Success' | 'Failed' | 'Warning' | 'NotConfigured' | 'Disconnected' | 'Queued' | undefined; startTimeFrom?: string | undefined; startTimeTo?: string | undefined; endTimeLowerBound?: string | undefined; endTimeUpperBound?: string | undefined } = {}) => calls.get<PageOfJobSession>(withQuery(`/JobSessions`, query)),
  /** The sessions of a job, newest first. */
  Jobs_jobId_JobSessions_Get: (jobId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined; jobId?: string | undefined; jobType?: 'Backup' | 'Copy' | undefined; status?: 'Stopped' | 'Running' | 'Success' | 'Failed' | 'Warning' | 'NotConfigured' | 'Disconnected' | 'Queued' | undefined; startTimeFrom?: string | undefined; startTimeTo?: string | undefined; endTimeLowerBound?: string | undefined; endTimeUpperBound?: string | undefined } = {}) => calls.get<PageOfJobSession>(withQuery(`/Jobs/${encodeURIComponent(jobId)}/JobSessions`, query)),
  /** One session. */
  JobSessions_sessionId_Get: (sessionId: string) => calls.get<JobSession>(`/JobSessions/${encodeURIComponent(sessionId)}`),
  /** What a session has logged, in order. */
  JobSessions_sessionId_LogItems_Get: (sessionId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.get<PageOfLogItem>(withQuery(`/JobSessions/${encodeURIComponent(sessionId)}/LogItems`, query)),
  /** One row of the log. */
  JobSessions_sessionId_LogItems_logItemId_Get: (sessionId: string, logItemId: string) => calls.get<LogItem>(`/JobSessions/${encodeURIComponent(sessionId)}/LogItems/${encodeURIComponent(logItemId)}`),
  /** Opens a restore session. */
  Organizations_organizationId_explore_Post: (organizationId: string, body: ExploreOptions) => calls.post<RestoreSession>(`/Organizations/${encodeURIComponent(organizationId)}/explore`, body),
  /** Opens a restore session. */
  Organization_Explore_Post: (body: ExploreOptions) => calls.post<RestoreSession>(`/Organization/Explore`, body),
  /** Opens a restore session. */
  BackupRepositories_repositoryId_explore_Post: (repositoryId: string, body: ExploreOptions, query: { organizationId?: string | undefined } = {}) => calls.post<RestoreSession>(withQuery(`/BackupRepositories/${encodeURIComponent(repositoryId)}/explore`, query), body),
  /** Ends a restore session; a restore under way is stopped. */
  RestoreSessions_restoreSessionId_Stop_Post: (restoreSessionId: string) => calls.post<void>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Stop`, {}),
  /** Restore sessions, newest first. */
  RestoreSessions_Get: (query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined; startTimeFrom?: string | undefined; startTimeTo?: string | undefined; endTimeFrom?: string | undefined; endTimeTo?: string | undefined } = {}) => calls.get<PageOfRestoreSession>(withQuery(`/RestoreSessions`, query)),
  /** One restore session. */
  RestoreSessions_restoreSessionId_Get: (restoreSessionId: string) => calls.get<RestoreSession>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}`),
  /** What happened in a restore session, oldest first. */
  RestoreSessions_restoreSessionId_Events_Get: (restoreSessionId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.get<PageOfRestoreSessionEvent>(withQuery(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Events`, query)),
  /** One event. */
  RestoreSessions_restoreSessionId_Events_eventId_Get: (restoreSessionId: string, eventId: string) => calls.get<RestoreSessionEvent>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Events/${encodeURIComponent(eventId)}`),
  /** How far a restore has come. */
  RestoreSessions_restoreSessionId_Statistics_Get: (restoreSessionId: string) => calls.get<RestoreSessionStatistics>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Statistics`),
  /** The organization that is looked at. */
  RestoreSessions_restoreSessionId_Organization_Get: (restoreSessionId: string) => calls.get<BackupOrganization>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization`),
  /** Restore points, newest first. */
  RestorePoints_Get: (query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined; organizationId?: string | undefined; jobId?: string | undefined; repositoryId?: string | undefined; userId?: string | undefined; from?: string | undefined; to?: string | undefined; orderAsc?: boolean | undefined; isLongTermCopy?: boolean | undefined; isCopy?: boolean | undefined; isRetrieved?: boolean | undefined; groupId?: string | undefined; siteId?: string | undefined; teamId?: string | undefined } = {}) => calls.get<PageOfRestorePoint>(withQuery(`/RestorePoints`, query)),
  /** One restore point. */
  RestorePoints_restorePointId_Get: (restorePointId: string) => calls.get<RestorePoint>(`/RestorePoints/${encodeURIComponent(restorePointId)}`),
  /** Organizations that have data in the repository. */
  BackupRepositories_repositoryId_OrganizationData_Get: (repositoryId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.get<PageOfBackupOrganizationData>(withQuery(`/BackupRepositories/${encodeURIComponent(repositoryId)}/OrganizationData`, query)),
  /** One of them. */
  BackupRepositories_repositoryId_OrganizationData_organizationId_Get: (repositoryId: string, organizationId: string) => calls.get<BackupOrganizationData>(`/BackupRepositories/${encodeURIComponent(repositoryId)}/OrganizationData/${encodeURIComponent(organizationId)}`),
  /** Users that the repository holds something of, by name. */
  BackupRepositories_repositoryId_UserData_Get: (repositoryId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.get<PageOfBackupUserData>(withQuery(`/BackupRepositories/${encodeURIComponent(repositoryId)}/UserData`, query)),
  /** One user. */
  BackupRepositories_repositoryId_UserData_userId_Get: (repositoryId: string, userId: string) => calls.get<BackupUserData>(`/BackupRepositories/${encodeURIComponent(repositoryId)}/UserData/${encodeURIComponent(userId)}`),
  /** Mailboxes that the repository holds, by name. */
  BackupRepositories_repositoryId_MailboxData_Get: (repositoryId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined; filter?: string | undefined; organizationId?: string | undefined; pointInTime?: string | undefined } = {}) => calls.get<PageOfBackupMailboxData>(withQuery(`/BackupRepositories/${encodeURIComponent(repositoryId)}/MailboxData`, query)),
  /** One mailbox. */
  BackupRepositories_repositoryId_MailboxData_mailboxId_Get: (repositoryId: string, mailboxId: string) => calls.get<BackupMailboxData>(`/BackupRepositories/${encodeURIComponent(repositoryId)}/MailboxData/${encodeURIComponent(mailboxId)}`),
  /** OneDrives that the repository holds, by name. */
  BackupRepositories_repositoryId_OneDriveData_Get: (repositoryId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined; filter?: string | undefined; organizationId?: string | undefined; pointInTime?: string | undefined } = {}) => calls.get<PageOfBackupOneDriveData>(withQuery(`/BackupRepositories/${encodeURIComponent(repositoryId)}/OneDriveData`, query)),
  /** One OneDrive. */
  BackupRepositories_repositoryId_OneDriveData_oneDriveId_Get: (repositoryId: string, oneDriveId: string) => calls.get<BackupOneDriveData>(`/BackupRepositories/${encodeURIComponent(repositoryId)}/OneDriveData/${encodeURIComponent(oneDriveId)}`),
  /** Users that restore points hold something of, by name. */
  ProtectedUsers_Get: (query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined; organizationId?: string | undefined; backedUpOrganizationId?: string | undefined; repositoryId?: string | undefined; restorePointId?: string | undefined } = {}) => calls.get<PageOfProtectedUser>(withQuery(`/ProtectedUsers`, query)),
  /** One of them. */
  ProtectedUsers_protectedUserId_Get: (protectedUserId: string) => calls.get<ProtectedUser>(`/ProtectedUsers/${encodeURIComponent(protectedUserId)}`),
  /** Restores several mailboxes to where they were. */
  RestoreSessions_restoreSessionId_Organization_Mailboxes_restore_Post: (restoreSessionId: string, body: BulkRestoreOptions) => calls.post<AsyncRestoreResponse>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/Mailboxes/restore`, body),
  /** Restores several OneDrives to where they were. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_restore_Post: (restoreSessionId: string, body: BulkRestoreConfig) => calls.post<AsyncRestoreResponse>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives/restore`, body),
  /** Mailboxes at this point in time, by name. */
  RestoreSessions_restoreSessionId_Organization_Mailboxes_Get: (restoreSessionId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.get<PageOfExchangeMailbox>(withQuery(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/Mailboxes`, query)),
  /** One mailbox. */
  RestoreSessions_restoreSessionId_Organization_Mailboxes_mailboxId_Get: (restoreSessionId: string, mailboxId: string) => calls.get<ExchangeMailbox>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/Mailboxes/${encodeURIComponent(mailboxId)}`),
  /** Folders directly below another one, or at the top. */
  RestoreSessions_restoreSessionId_Organization_Mailboxes_mailboxId_Folders_Get: (restoreSessionId: string, mailboxId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined; parentId?: string | undefined; name?: string | undefined } = {}) => calls.get<PageOfExchangeFolder>(withQuery(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/Mailboxes/${encodeURIComponent(mailboxId)}/Folders`, query)),
  /** One folder. */
  RestoreSessions_restoreSessionId_Organization_Mailboxes_mailboxId_Folders_folderId_Get: (restoreSessionId: string, mailboxId: string, folderId: string) => calls.get<ExchangeFolder>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/Mailboxes/${encodeURIComponent(mailboxId)}/Folders/${encodeURIComponent(folderId)}`),
  /** Messages of a folder or of the whole mailbox, newest first. */
  RestoreSessions_restoreSessionId_Organization_Mailboxes_mailboxId_Items_Get: (restoreSessionId: string, mailboxId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined; parentId?: string | undefined } = {}) => calls.get<PageOfExchangeItem>(withQuery(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/Mailboxes/${encodeURIComponent(mailboxId)}/Items`, query)),
  /** One message. */
  RestoreSessions_restoreSessionId_Organization_Mailboxes_mailboxId_Items_itemId_Get: (restoreSessionId: string, mailboxId: string, itemId: string) => calls.get<ExchangeItem>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/Mailboxes/${encodeURIComponent(mailboxId)}/Items/${encodeURIComponent(itemId)}`),
  /** Messages whose subject or people hold a text. */
  RestoreSessions_restoreSessionId_Organization_Mailboxes_mailboxId_search_Post: (restoreSessionId: string, mailboxId: string, body: SearchOptions, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.post<PageOfExchangeItem>(withQuery(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/Mailboxes/${encodeURIComponent(mailboxId)}/search`, query), body),
  /** Messages whose subject or people hold a text. */
  RestoreSessions_restoreSessionId_Organization_Mailboxes_mailboxId_Folders_folderId_search_Post: (restoreSessionId: string, mailboxId: string, folderId: string, body: SearchOptions, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.post<PageOfExchangeItem>(withQuery(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/Mailboxes/${encodeURIComponent(mailboxId)}/Folders/${encodeURIComponent(folderId)}/search`, query), body),
  /** Restores to where it was. */
  RestoreSessions_restoreSessionId_Organization_Mailboxes_mailboxId_restore_Post: (restoreSessionId: string, mailboxId: string, body: RestoreToOriginalLocation) => calls.post<AsyncRestoreResponse>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/Mailboxes/${encodeURIComponent(mailboxId)}/restore`, body),
  /** Restores to another mailbox or folder. */
  RestoreSessions_restoreSessionId_Organization_Mailboxes_mailboxId_restoreTo_Post: (restoreSessionId: string, mailboxId: string, body: RestoreToDifferentLocation) => calls.post<AsyncRestoreResponse>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/Mailboxes/${encodeURIComponent(mailboxId)}/restoreTo`, body),
  /** Restores to where it was. */
  RestoreSessions_restoreSessionId_Organization_Mailboxes_mailboxId_Folders_folderId_restore_Post: (restoreSessionId: string, mailboxId: string, folderId: string, body: RestoreToOriginalLocation) => calls.post<AsyncRestoreResponse>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/Mailboxes/${encodeURIComponent(mailboxId)}/Folders/${encodeURIComponent(folderId)}/restore`, body),
  /** Restores to another mailbox or folder. */
  RestoreSessions_restoreSessionId_Organization_Mailboxes_mailboxId_Folders_folderId_restoreTo_Post: (restoreSessionId: string, mailboxId: string, folderId: string, body: RestoreToDifferentLocation) => calls.post<AsyncRestoreResponse>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/Mailboxes/${encodeURIComponent(mailboxId)}/Folders/${encodeURIComponent(folderId)}/restoreTo`, body),
  /** Restores messages to where they were. */
  RestoreSessions_restoreSessionId_Organization_Mailboxes_mailboxId_Items_restore_Post: (restoreSessionId: string, mailboxId: string, body: RestoreToOriginalLocationSelectedItems) => calls.post<AsyncRestoreResponse>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/Mailboxes/${encodeURIComponent(mailboxId)}/Items/restore`, body),
  /** Restores messages to another mailbox or folder. */
  RestoreSessions_restoreSessionId_Organization_Mailboxes_mailboxId_Items_restoreTo_Post: (restoreSessionId: string, mailboxId: string, body: RestoreToDifferentLocationSelectedItems) => calls.post<AsyncRestoreResponse>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/Mailboxes/${encodeURIComponent(mailboxId)}/Items/restoreTo`, body),
  /** Restores to where it was. */
  RestoreSessions_restoreSessionId_Organization_Mailboxes_mailboxId_Items_itemId_restore_Post: (restoreSessionId: string, mailboxId: string, itemId: string, body: RestoreToOriginalLocation) => calls.post<AsyncRestoreResponse>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/Mailboxes/${encodeURIComponent(mailboxId)}/Items/${encodeURIComponent(itemId)}/restore`, body),
  /** Restores to another mailbox or folder. */
  RestoreSessions_restoreSessionId_Organization_Mailboxes_mailboxId_Items_itemId_restoreTo_Post: (restoreSessionId: string, mailboxId: string, itemId: string, body: RestoreToDifferentLocation) => calls.post<AsyncRestoreResponse>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/Mailboxes/${encodeURIComponent(mailboxId)}/Items/${encodeURIComponent(itemId)}/restoreTo`, body),
  /** Saves messages as EML; several as ZIP. */
  RestoreSessions_restoreSessionId_Organization_Mailboxes_mailboxId_Items_Save_Post: (restoreSessionId: string, mailboxId: string, body: SaveToMsgOptions) => calls.download(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/Mailboxes/${encodeURIComponent(mailboxId)}/Items/Save`, body),
  /** Saves messages as EML; several as ZIP. */
  RestoreSessions_restoreSessionId_Organization_Mailboxes_mailboxId_Items_itemId_save_Post: (restoreSessionId: string, mailboxId: string, itemId: string, body: SaveToMsgOptions) => calls.download(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/Mailboxes/${encodeURIComponent(mailboxId)}/Items/${encodeURIComponent(itemId)}/save`, body),
  /** OneDrives at this point in time, by name. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_Get: (restoreSessionId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.get<PageOfOneDrive>(withQuery(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives`, query)),
  /** One OneDrive. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_oneDriveId_Get: (restoreSessionId: string, oneDriveId: string) => calls.get<OneDrive>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives/${encodeURIComponent(oneDriveId)}`),
  /** Folders directly below another one, or at the top. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_oneDriveId_Folders_Get: (restoreSessionId: string, oneDriveId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined; parentId?: string | undefined } = {}) => calls.get<PageOfOneDriveFolder>(withQuery(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives/${encodeURIComponent(oneDriveId)}/Folders`, query)),
  /** One folder. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_oneDriveId_Folders_folderId_Get: (restoreSessionId: string, oneDriveId: string, folderId: string) => calls.get<OneDriveFolder>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives/${encodeURIComponent(oneDriveId)}/Folders/${encodeURIComponent(folderId)}`),
  /** Files of a folder, by name. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_oneDriveId_Documents_Get: (restoreSessionId: string, oneDriveId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined; parentId?: string | undefined; includeFolders?: boolean | undefined } = {}) => calls.get<PageOfOneDriveDocument>(withQuery(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives/${encodeURIComponent(oneDriveId)}/Documents`, query)),
  /** One file. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_oneDriveId_Documents_documentId_Get: (restoreSessionId: string, oneDriveId: string, documentId: string) => calls.get<OneDriveDocument>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives/${encodeURIComponent(oneDriveId)}/Documents/${encodeURIComponent(documentId)}`),
  /** Files whose name holds a text. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_oneDriveId_search_Post: (restoreSessionId: string, oneDriveId: string, body: OneDriveSearchOptions, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.post<PageOfOneDriveDocument>(withQuery(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives/${encodeURIComponent(oneDriveId)}/search`, query), body),
  /** Files whose name holds a text. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_oneDriveId_Folders_folderId_search_Post: (restoreSessionId: string, oneDriveId: string, folderId: string, body: OneDriveSearchOptions, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.post<PageOfOneDriveDocument>(withQuery(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives/${encodeURIComponent(oneDriveId)}/Folders/${encodeURIComponent(folderId)}/search`, query), body),
  /** Restores to where it was. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_oneDriveId_restore_Post: (restoreSessionId: string, oneDriveId: string, body: RestoreToOriginal) => calls.post<AsyncRestoreResponse>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives/${encodeURIComponent(oneDriveId)}/restore`, body),
  /** Copies to another OneDrive or folder. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_oneDriveId_copyTo_Post: (restoreSessionId: string, oneDriveId: string, body: CopyTo) => calls.post<AsyncRestoreResponse>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives/${encodeURIComponent(oneDriveId)}/copyTo`, body),
  /** Saves a file as it is, several or a folder as ZIP. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_oneDriveId_save_Post: (restoreSessionId: string, oneDriveId: string, body: SaveOneDriveDocumentOptions) => calls.download(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives/${encodeURIComponent(oneDriveId)}/save`, body),
  /** Restores to where it was. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_oneDriveId_Folders_folderId_restore_Post: (restoreSessionId: string, oneDriveId: string, folderId: string, body: RestoreToOriginal) => calls.post<AsyncRestoreResponse>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives/${encodeURIComponent(oneDriveId)}/Folders/${encodeURIComponent(folderId)}/restore`, body),
  /** Copies to another OneDrive or folder. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_oneDriveId_Folders_folderId_copyTo_Post: (restoreSessionId: string, oneDriveId: string, folderId: string, body: CopyTo) => calls.post<AsyncRestoreResponse>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives/${encodeURIComponent(oneDriveId)}/Folders/${encodeURIComponent(folderId)}/copyTo`, body),
  /** Saves a file as it is, several or a folder as ZIP. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_oneDriveId_Folders_folderId_save_Post: (restoreSessionId: string, oneDriveId: string, folderId: string, body: SaveOneDriveDocumentOptions) => calls.download(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives/${encodeURIComponent(oneDriveId)}/Folders/${encodeURIComponent(folderId)}/save`, body),
  /** Restores to where it was. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_oneDriveId_Documents_documentId_restore_Post: (restoreSessionId: string, oneDriveId: string, documentId: string, body: RestoreToOriginal) => calls.post<AsyncRestoreResponse>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives/${encodeURIComponent(oneDriveId)}/Documents/${encodeURIComponent(documentId)}/restore`, body),
  /** Copies to another OneDrive or folder. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_oneDriveId_Documents_documentId_copyTo_Post: (restoreSessionId: string, oneDriveId: string, documentId: string, body: CopyTo) => calls.post<AsyncRestoreResponse>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives/${encodeURIComponent(oneDriveId)}/Documents/${encodeURIComponent(documentId)}/copyTo`, body),
  /** Saves a file as it is, several or a folder as ZIP. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_oneDriveId_Documents_documentId_save_Post: (restoreSessionId: string, oneDriveId: string, documentId: string, body: SaveOneDriveDocumentOptions) => calls.download(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives/${encodeURIComponent(oneDriveId)}/Documents/${encodeURIComponent(documentId)}/save`, body),
  /** Versions of a file that are kept, newest first. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_oneDriveId_Documents_documentId_Versions_Get: (restoreSessionId: string, oneDriveId: string, documentId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.get<PageOfOneDriveDocument>(withQuery(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives/${encodeURIComponent(oneDriveId)}/Documents/${encodeURIComponent(documentId)}/Versions`, query)),
  /** One version of a file. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_oneDriveId_Documents_documentId_Versions_versionId_Get: (restoreSessionId: string, oneDriveId: string, documentId: string, versionId: string) => calls.get<OneDriveDocument>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives/${encodeURIComponent(oneDriveId)}/Documents/${encodeURIComponent(documentId)}/Versions/${encodeURIComponent(versionId)}`),
  /** Restores to where it was. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_oneDriveId_Documents_documentId_Versions_versionId_restore_Post: (restoreSessionId: string, oneDriveId: string, documentId: string, versionId: string, body: RestoreToOriginal) => calls.post<AsyncRestoreResponse>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives/${encodeURIComponent(oneDriveId)}/Documents/${encodeURIComponent(documentId)}/Versions/${encodeURIComponent(versionId)}/restore`, body),
  /** Copies to another OneDrive or folder. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_oneDriveId_Documents_documentId_Versions_versionId_copyTo_Post: (restoreSessionId: string, oneDriveId: string, documentId: string, versionId: string, body: CopyTo) => calls.post<AsyncRestoreResponse>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives/${encodeURIComponent(oneDriveId)}/Documents/${encodeURIComponent(documentId)}/Versions/${encodeURIComponent(versionId)}/copyTo`, body),
  /** Saves a file as it is, several or a folder as ZIP. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_oneDriveId_Documents_documentId_Versions_versionId_save_Post: (restoreSessionId: string, oneDriveId: string, documentId: string, versionId: string, body: SaveOneDriveDocumentOptions) => calls.download(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives/${encodeURIComponent(oneDriveId)}/Documents/${encodeURIComponent(documentId)}/Versions/${encodeURIComponent(versionId)}/save`, body),
  /** Restores files to where they were. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_oneDriveId_Documents_restore_Post: (restoreSessionId: string, oneDriveId: string, body: RestoreToOriginalDocuments) => calls.post<AsyncRestoreResponse>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives/${encodeURIComponent(oneDriveId)}/Documents/restore`, body),
  /** Copies files to another OneDrive or folder. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_oneDriveId_Documents_copyTo_Post: (restoreSessionId: string, oneDriveId: string, body: CopyToDocuments) => calls.post<AsyncRestoreResponse>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives/${encodeURIComponent(oneDriveId)}/Documents/copyTo`, body),
  /** Saves a file as it is, several or a folder as ZIP. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_oneDriveId_Documents_save_Post: (restoreSessionId: string, oneDriveId: string, body: SaveDocumentsOptions) => calls.download(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives/${encodeURIComponent(oneDriveId)}/Documents/save`, body),
  /** Restores folders to where they were. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_oneDriveId_Folders_restore_Post: (restoreSessionId: string, oneDriveId: string, body: RestoreToOriginalFolders) => calls.post<AsyncRestoreResponse>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives/${encodeURIComponent(oneDriveId)}/Folders/restore`, body),
  /** Copies folders to another OneDrive or folder. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_oneDriveId_Folders_copyTo_Post: (restoreSessionId: string, oneDriveId: string, body: CopyToFolders) => calls.post<AsyncRestoreResponse>(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives/${encodeURIComponent(oneDriveId)}/Folders/copyTo`, body),
  /** Saves a file as it is, several or a folder as ZIP. */
  RestoreSessions_restoreSessionId_Organization_OneDrives_oneDriveId_Folders_save_Post: (restoreSessionId: string, oneDriveId: string, body: SaveOneDriveFoldersOptions) => calls.download(`/RestoreSessions/${encodeURIComponent(restoreSessionId)}/Organization/OneDrives/${encodeURIComponent(oneDriveId)}/Folders/save`, body),
  /** Which restore points would go and which would stay, and why; newest first. */
  Holdfast_BackupRepositories_repositoryId_RetentionPreview_Get: (repositoryId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined; at?: string | undefined; action?: 'Remove' | 'Reduce' | 'Keep' | undefined } = {}) => calls.get<PageOfHoldfastPreviewedPoint>(withQuery(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/RetentionPreview`, query)),
  /** How much would go. */
  Holdfast_BackupRepositories_repositoryId_RetentionPreview_Summary_Get: (repositoryId: string, query: { at?: string | undefined } = {}) => calls.get<HoldfastRetentionPreviewSummary>(withQuery(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/RetentionPreview/Summary`, query)),
  /** What no restore point would hold any more, by mailbox and OneDrive. */
  Holdfast_BackupRepositories_repositoryId_RetentionPreview_Objects_Get: (repositoryId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined; at?: string | undefined } = {}) => calls.get<PageOfHoldfastPreviewedObject>(withQuery(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/RetentionPreview/Objects`, query)),
  /** The items that are too old and would leave the restore points that stay. */
  Holdfast_BackupRepositories_repositoryId_RetentionPreview_Items_Get: (repositoryId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined; at?: string | undefined; userId?: string | undefined } = {}) => calls.get<PageOfHoldfastPreviewedItem>(withQuery(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/RetentionPreview/Items`, query)),
  /** Removes now what no rule keeps. */
  Holdfast_BackupRepositories_repositoryId_RetentionRuns_Post: (repositoryId: string, body: HoldfastStartRetention) => calls.post<HoldfastRetentionRun>(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/RetentionRuns`, body),
  /** Runs that removed what no rule keeps, newest first. */
  Holdfast_RetentionRuns_Get: (query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined; repositoryId?: string | undefined } = {}) => calls.get<PageOfHoldfastRetentionRun>(withQuery(`/Holdfast/RetentionRuns`, query)),
  /** One of these runs. */
  Holdfast_RetentionRuns_runId_Get: (runId: string) => calls.get<HoldfastRetentionRun>(`/Holdfast/RetentionRuns/${encodeURIComponent(runId)}`),
  /** What a run removed, what it could not, and why. */
  Holdfast_RetentionRuns_runId_LogItems_Get: (runId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.get<PageOfLogItem>(withQuery(`/Holdfast/RetentionRuns/${encodeURIComponent(runId)}/LogItems`, query)),
  /** The rule that the points of a job are judged by. */
  Holdfast_Jobs_jobId_Retention_Get: (jobId: string) => calls.get<HoldfastJobRetention>(`/Holdfast/Jobs/${encodeURIComponent(jobId)}/Retention`),
  /** Gives a job a rule of its own, instead of its repository's. */
  Holdfast_Jobs_jobId_Retention_Put: (jobId: string, body: HoldfastJobRetentionToSave) => calls.put<HoldfastJobRetention>(`/Holdfast/Jobs/${encodeURIComponent(jobId)}/Retention`, body),
  /** Takes a job's own rule away: its repository's is in force again. */
  Holdfast_Jobs_jobId_Retention_Delete: (jobId: string) => calls.delete(`/Holdfast/Jobs/${encodeURIComponent(jobId)}/Retention`),
  /** How long stored data that nothing needs any more stays before it is removed. */
  Holdfast_BackupRepositories_repositoryId_PruneGrace_Get: (repositoryId: string) => calls.get<HoldfastPruneGrace>(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/PruneGrace`),
  /** Gives a repository a grace period of its own, instead of the server's. */
  Holdfast_BackupRepositories_repositoryId_PruneGrace_Put: (repositoryId: string, body: HoldfastPruneGraceToSet) => calls.put<HoldfastPruneGrace>(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/PruneGrace`, body),
  /** Takes a repository's own grace period away: the server's is in force again. */
  Holdfast_BackupRepositories_repositoryId_PruneGrace_Delete: (repositoryId: string) => calls.delete(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/PruneGrace`),
  /** When a repository was verified last, what is damaged, and what is done by itself. */
  Holdfast_BackupRepositories_repositoryId_Trust_Get: (repositoryId: string) => calls.get<HoldfastTrust>(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/Trust`),
  /** Sets what is done by itself. */
  Holdfast_BackupRepositories_repositoryId_Trust_Put: (repositoryId: string, body: HoldfastTrustToSave) => calls.put<HoldfastTrust>(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/Trust`, body),
  /** Items that cannot be read in full, those found last first. */
  Holdfast_BackupRepositories_repositoryId_DamagedItems_Get: (repositoryId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined; all?: boolean | undefined } = {}) => calls.get<PageOfHoldfastDamagedItem>(withQuery(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/DamagedItems`, query)),
  /** Looks now whether everything is there and readable. */
  Holdfast_BackupRepositories_repositoryId_Verifications_Post: (repositoryId: string, body: HoldfastStartVerification) => calls.post<HoldfastTrustRun>(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/Verifications`, body),
  /** Verifications of a repository, newest first. */
  Holdfast_BackupRepositories_repositoryId_Verifications_Get: (repositoryId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.get<PageOfHoldfastTrustRun>(withQuery(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/Verifications`, query)),
  /** Brings back what is lost or damaged, or tells what it would do. */
  Holdfast_BackupRepositories_repositoryId_Repairs_Post: (repositoryId: string, body: HoldfastStartRepair) => calls.post<HoldfastTrustRun>(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/Repairs`, body),
  /** Repairs of a repository, newest first. */
  Holdfast_BackupRepositories_repositoryId_Repairs_Get: (repositoryId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.get<PageOfHoldfastTrustRun>(withQuery(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/Repairs`, query)),
  /** Brings a repository in a bucket that keeps versions back to a moment, or tells what it would do. */
  Holdfast_BackupRepositories_repositoryId_Recoveries_Post: (repositoryId: string, body: HoldfastStartRecovery) => calls.post<HoldfastTrustRun>(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/Recoveries`, body),
  /** Recoveries of a repository, newest first. */
  Holdfast_BackupRepositories_repositoryId_Recoveries_Get: (repositoryId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.get<PageOfHoldfastTrustRun>(withQuery(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/Recoveries`, query)),
  /** One of these runs. */
  Holdfast_Verifications_runId_Get: (runId: string) => calls.get<HoldfastTrustRun>(`/Holdfast/Verifications/${encodeURIComponent(runId)}`),
  /** Stops it. */
  Holdfast_Verifications_runId_Stop_Post: (runId: string) => calls.post<void>(`/Holdfast/Verifications/${encodeURIComponent(runId)}/Stop`, {}),
  /** What it found, line by line. */
  Holdfast_Verifications_runId_Findings_Get: (runId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.get<PageOfHoldfastFinding>(withQuery(`/Holdfast/Verifications/${encodeURIComponent(runId)}/Findings`, query)),
  /** One of these runs. */
  Holdfast_Repairs_runId_Get: (runId: string) => calls.get<HoldfastTrustRun>(`/Holdfast/Repairs/${encodeURIComponent(runId)}`),
  /** Stops it. */
  Holdfast_Repairs_runId_Stop_Post: (runId: string) => calls.post<void>(`/Holdfast/Repairs/${encodeURIComponent(runId)}/Stop`, {}),
  /** What it found, line by line. */
  Holdfast_Repairs_runId_Findings_Get: (runId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.get<PageOfHoldfastFinding>(withQuery(`/Holdfast/Repairs/${encodeURIComponent(runId)}/Findings`, query)),
  /** One of these runs. */
  Holdfast_Recoveries_runId_Get: (runId: string) => calls.get<HoldfastTrustRun>(`/Holdfast/Recoveries/${encodeURIComponent(runId)}`),
  /** Stops it. */
  Holdfast_Recoveries_runId_Stop_Post: (runId: string) => calls.post<void>(`/Holdfast/Recoveries/${encodeURIComponent(runId)}/Stop`, {}),
  /** What it found, line by line. */
  Holdfast_Recoveries_runId_Findings_Get: (runId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.get<PageOfHoldfastFinding>(withQuery(`/Holdfast/Recoveries/${encodeURIComponent(runId)}/Findings`, query)),
  /** Reads samples back now, and compares them with the tenant. */
  Holdfast_RestoreTests_Post: (body: HoldfastStartRestoreTest) => calls.post<HoldfastTrustRun>(`/Holdfast/RestoreTests`, body),
  /** Restore tests, newest first. */
  Holdfast_RestoreTests_Get: (query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined; repositoryId?: string | undefined } = {}) => calls.get<PageOfHoldfastTrustRun>(withQuery(`/Holdfast/RestoreTests`, query)),
  /** One of these runs. */
  Holdfast_RestoreTests_runId_Get: (runId: string) => calls.get<HoldfastTrustRun>(`/Holdfast/RestoreTests/${encodeURIComponent(runId)}`),
  /** Stops it. */
  Holdfast_RestoreTests_runId_Stop_Post: (runId: string) => calls.post<void>(`/Holdfast/RestoreTests/${encodeURIComponent(runId)}/Stop`, {}),
  /** What the test of each mailbox and OneDrive says. */
  Holdfast_RestoreTests_runId_Objects_Get: (runId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.get<PageOfHoldfastTestedObject>(withQuery(`/Holdfast/RestoreTests/${encodeURIComponent(runId)}/Objects`, query)),
  /** Writes all data again under a new master key, puts that into force, and removes the earlier data. */
  Holdfast_BackupRepositories_repositoryId_Reencrypt_Post: (repositoryId: string, body: HoldfastStartReencryption) => calls.post<HoldfastReencryption>(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/Reencrypt`, body),
  /** New master keys of a repository, newest first. */
  Holdfast_BackupRepositories_repositoryId_Reencryptions_Get: (repositoryId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.get<PageOfHoldfastReencryption>(withQuery(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/Reencryptions`, query)),
  /** How far it is. */
  Holdfast_Reencryptions_runId_Get: (runId: string) => calls.get<HoldfastReencryption>(`/Holdfast/Reencryptions/${encodeURIComponent(runId)}`),
  /** Stops it; what it has written serves the next one. */
  Holdfast_Reencryptions_runId_Stop_Post: (runId: string) => calls.post<void>(`/Holdfast/Reencryptions/${encodeURIComponent(runId)}/Stop`, {}),
  /** What a repository takes up, how much of it is needed, and when it will be full. */
  Holdfast_BackupRepositories_repositoryId_Space_Get: (repositoryId: string) => calls.get<HoldfastRepositorySpace>(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/Space`),
  /** Looks anew, in the background, what takes up how much. */
  Holdfast_BackupRepositories_repositoryId_Space_Surveys_Post: (repositoryId: string, body: HoldfastSpaceSurveyToMake) => calls.post<void>(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/Space/Surveys`, body),
  /** The same by organization, those with most first. */
  Holdfast_BackupRepositories_repositoryId_Space_Organizations_Get: (repositoryId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.get<PageOfHoldfastOrganizationSpace>(withQuery(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/Space/Organizations`, query)),
  /** How large a repository, or an organization in it, was day by day; oldest first. */
  Holdfast_BackupRepositories_repositoryId_Space_History_Get: (repositoryId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined; organizationId?: string | undefined } = {}) => calls.get<PageOfHoldfastSpaceDay>(withQuery(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/Space/History`, query)),
  /** What each mailbox and OneDrive takes up; those first that would give back most. */
  Holdfast_BackupRepositories_repositoryId_Space_Objects_Get: (repositoryId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined; organizationId?: string | undefined } = {}) => calls.get<PageOfHoldfastObjectSpace>(withQuery(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/Space/Objects`, query)),
  /** What each restore point added; newest first. */
  Holdfast_BackupRepositories_repositoryId_Space_RestorePoints_Get: (repositoryId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined; organizationId?: string | undefined } = {}) => calls.get<PageOfHoldfastRestorePointSpace>(withQuery(`/Holdfast/BackupRepositories/${encodeURIComponent(repositoryId)}/Space/RestorePoints`, query)),
  /** Legal holds, newest first. */
  Holdfast_LegalHolds_Get: (query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined; organizationId?: string | undefined; isActive?: boolean | undefined } = {}) => calls.get<PageOfHoldfastLegalHold>(withQuery(`/Holdfast/LegalHolds`, query)),
  /** Sets a legal hold on a mailbox, a OneDrive or all of a user. */
  Holdfast_LegalHolds_Post: (body: HoldfastLegalHoldToSet) => calls.post<HoldfastLegalHold>(`/Holdfast/LegalHolds`, body),
  /** One legal hold. */
  Holdfast_LegalHolds_holdId_Get: (holdId: string) => calls.get<HoldfastLegalHold>(`/Holdfast/LegalHolds/${encodeURIComponent(holdId)}`),
  /** Releases a legal hold; it stays in the list. */
  Holdfast_LegalHolds_holdId_Release_Post: (holdId: string, body: HoldfastLegalHoldToRelease) => calls.post<HoldfastLegalHold>(`/Holdfast/LegalHolds/${encodeURIComponent(holdId)}/Release`, body),
  /** The record of removals, newest first. */
  Holdfast_Organizations_organizationId_PersonRemovals_Get: (organizationId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.get<PageOfHoldfastPersonRemoval>(withQuery(`/Holdfast/Organizations/${encodeURIComponent(organizationId)}/PersonRemovals`, query)),
  /** Removes a person's data from every restore point for good; `confirmation` repeats `userId`. */
  Holdfast_Organizations_organizationId_PersonRemovals_Post: (organizationId: string, body: HoldfastPersonRemovalToMake) => calls.post<HoldfastPersonRemoval>(`/Holdfast/Organizations/${encodeURIComponent(organizationId)}/PersonRemovals`, body),
  /** One removal. */
  Holdfast_Organizations_organizationId_PersonRemovals_removalId_Get: (organizationId: string, removalId: string) => calls.get<HoldfastPersonRemoval>(`/Holdfast/Organizations/${encodeURIComponent(organizationId)}/PersonRemovals/${encodeURIComponent(removalId)}`),
  /** What a removal could not do, and why. */
  Holdfast_Organizations_organizationId_PersonRemovals_removalId_LogItems_Get: (organizationId: string, removalId: string, query: { offset?: number | undefined; limit?: number | undefined; setId?: string | undefined } = {}) => calls.get<PageOfLogItem>(withQuery(`/Holdfast/Organizations/${encodeURIComponent(organizationId)}/PersonRemovals/${encodeURIComponent(removalId)}/LogItems`, query)),
  /** Which installation this is. */
  ServiceInstance_Get: () => calls.get<ServiceInstance>(`/ServiceInstance`),
  /** Whether the parts of the server work. */
  Health_Get: () => calls.get<HealthReport>(`/Health`),
})

export type Api = ReturnType<typeof apiOf>
