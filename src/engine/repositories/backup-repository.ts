import type { Secret } from '#base'
import type { Given } from '../organizations/organization.ts'

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
  readonly path: string
  readonly proxyId: string
  /** Undefined while the folder cannot be reached. */
  readonly capacityBytes?: number
  readonly freeSpaceBytes?: number
  readonly isOutOfOrder: boolean
  readonly outOfOrderReason?: string
}

/** For adding (name and path needed) and changing (what is left out stays). */
export interface BackupRepositoryInput {
  readonly name?: Given<string>
  readonly description?: Given<string>
  readonly path?: Given<string>
  readonly proxyId?: Given<string>
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

/** What reads a repository without Holdfast. Holds passwords: for an administrator at the server alone. */
export interface RecoveryKit {
  readonly repositoryName: string
  readonly instructions: string
  readonly shards: readonly RecoveryShard[]
}

export interface RecoveryShard {
  readonly organizationId: string
  readonly organizationName: string
  readonly path: string
  readonly password: Secret
}
