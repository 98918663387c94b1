import type { DailyType } from '../repositories/backup-repository.ts'
import type { Given } from '../organizations/organization.ts'
import type { SessionStatus } from '../sessions/job-session.ts'

export type BackupType = 'EntireOrganization' | 'SelectedItems'
export type JobItemType =
  'Group' | 'User' | 'Site' | 'PartialOrganization' | 'PersonalSites' | 'OneDriveFolders' | 'Team'
export type PeriodicallyEvery =
  'Minutes5' | 'Minutes10' | 'Minutes15' | 'Minutes30' | 'Hours1' | 'Hours2' | 'Hours4' | 'Hours8' | 'Hours12'

export interface BackupWindow {
  /** 7 × 24 hours from Sunday 00:00; true where a run may start. */
  readonly backupWindow: readonly boolean[]
  /** Minutes east of UTC that the hours are meant in; absent: the schedule's time zone. */
  readonly minuteOffset?: number
}

export interface SchedulePolicy {
  readonly scheduleEnabled: boolean
  readonly type: 'Daily' | 'Periodically' | 'ManualOnly'
  readonly dailyType?: DailyType
  /** `HH:mm:ss` in the time zone. */
  readonly dailyTime?: string
  readonly periodicallyEvery?: PeriodicallyEvery
  readonly periodicallyOffsetMinutes?: number
  readonly backupWindowEnabled: boolean
  readonly backupWindowSettings?: BackupWindow
  readonly periodicallyWindowEnabled?: boolean
  readonly periodicallyWindowSettings?: BackupWindow
  readonly retryEnabled: boolean
  readonly retryNumber: number
  /** Minutes. */
  readonly retryWaitInterval: number
  /** IANA name; absent: the server's own. */
  readonly timeZone?: string
}

export interface JobItemUser {
  readonly id: string
  readonly displayName?: string
  /** The user principal name. */
  readonly name?: string
}
export interface JobItemGroup {
  readonly id: string
  readonly displayName?: string
  readonly name?: string
}

/** What a job protects or leaves out. Which flags count depends on `type`. */
export interface JobItem {
  readonly id: string
  readonly type: JobItemType
  readonly user?: JobItemUser
  readonly group?: JobItemGroup
  readonly site?: { readonly id: string; readonly name?: string; readonly url?: string }
  readonly team?: { readonly id: string; readonly displayName?: string }
  readonly folders?: readonly string[]
  readonly mailbox?: boolean
  readonly oneDrive?: boolean
  readonly archiveMailbox?: boolean
  readonly personalSite?: boolean
  readonly sites?: boolean
  readonly teams?: boolean
  readonly teamsChats?: boolean
  readonly members?: boolean
  readonly memberMailbox?: boolean
  readonly memberArchiveMailbox?: boolean
  readonly memberOnedrive?: boolean
  readonly memberSite?: boolean
  readonly groupSite?: boolean
}

export type JobItemInput = {
  readonly [Name in keyof Omit<JobItem, 'id' | 'type'>]?: Given<JobItem[Name]>
} & {
  readonly type?: Given<string>
}

export interface Job {
  readonly id: string
  readonly organizationId: string
  readonly repositoryId: string
  readonly name: string
  readonly description: string
  readonly backupType: BackupType
  readonly isEnabled: boolean
  readonly schedulePolicy: SchedulePolicy
  readonly lastRun?: Date
  readonly nextRun?: Date
  /** The last session that ended with Success or Warning. */
  readonly lastBackup?: Date
  readonly lastStatus?: SessionStatus
  /** Grows with every change. */
  readonly eTag: number
}

export type SchedulePolicyInput = {
  readonly [Name in keyof Omit<SchedulePolicy, 'type' | 'dailyType' | 'periodicallyEvery'>]?: Given<
    SchedulePolicy[Name]
  >
} & {
  readonly type?: Given<string>
  readonly dailyType?: Given<string>
  readonly periodicallyEvery?: Given<string>
}

/** For adding (organizationId, repositoryId, name, backupType needed) and changing (what is left out stays). */
export interface JobInput {
  readonly organizationId?: Given<string>
  readonly repositoryId?: Given<string>
  readonly name?: Given<string>
  readonly description?: Given<string>
  readonly backupType?: Given<string>
  readonly isEnabled?: Given<boolean>
  readonly runNow?: Given<boolean>
  readonly selectedItems?: Given<readonly JobItemInput[]>
  readonly excludedItems?: Given<readonly JobItemInput[]>
  readonly schedulePolicy?: Given<SchedulePolicyInput>
}
