import type { BackupWindow, PeriodicallyEvery } from '../jobs/job.ts'
import type { Given } from '../organizations/organization.ts'
import type { DailyType } from '../repositories/backup-repository.ts'
import type { SessionStatus } from '../sessions/job-session.ts'

export interface CopySchedule {
  /** `Immediate`: as soon as a run of the backup job has ended well. */
  readonly type: 'Immediate' | 'Periodically' | 'DailyAtTime'
  readonly periodicallyEvery?: PeriodicallyEvery
  readonly dailyType?: DailyType
  /** `HH:mm:ss` in the time zone of the server. */
  readonly dailyTime?: string
  readonly backupCopyWindowEnabled: boolean
  readonly backupCopyWindowSettings?: BackupWindow
}

/** Copies the restore points of one backup job to another repository. */
export interface CopyJob {
  readonly id: string
  readonly backupJobId: string
  readonly organizationId: string
  /** Where it copies to. */
  readonly repositoryId: string
  readonly name: string
  readonly isEnabled: boolean
  readonly schedulePolicy: CopySchedule
  readonly lastRun?: Date
  readonly nextRun?: Date
  /** The end of the last session that ended with Success or Warning. */
  readonly lastBackup?: Date
  readonly lastStatus?: SessionStatus
  readonly eTag: number
}

export type CopyScheduleInput = {
  readonly [Name in 'type' | 'periodicallyEvery' | 'dailyType' | 'dailyTime']?: Given<string>
} & {
  readonly backupCopyWindowEnabled?: Given<boolean>
  readonly backupCopyWindowSettings?: Given<BackupWindow>
}

/** For adding (backupJobId, repositoryId needed) and changing (what is left out stays). */
export interface CopyJobInput {
  readonly backupJobId?: Given<string>
  readonly organizationId?: Given<string>
  readonly repositoryId?: Given<string>
  readonly name?: Given<string>
  readonly isEnabled?: Given<boolean>
  readonly schedulePolicy?: Given<CopyScheduleInput>
}
