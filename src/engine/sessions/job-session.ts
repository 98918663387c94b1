export type SessionStatus =
  'Stopped' | 'Running' | 'Success' | 'Failed' | 'Warning' | 'NotConfigured' | 'Disconnected' | 'Queued'
/** A session that ended with one of these left a restore point. */
export const GOOD_STATUSES: readonly SessionStatus[] = ['Success', 'Warning']
export type Bottleneck = 'NA' | 'Detecting' | 'Source' | 'Target'

export interface JobStatistics {
  readonly processingRateBytesPS: number
  readonly processingRateItemsPS: number
  readonly readRateBytesPS: number
  readonly writeRateBytesPS: number
  readonly transferredDataBytes: number
  readonly processedObjects: number
  readonly bottleneck: Bottleneck
}

export type JobType = 'Backup' | 'Copy'

export interface JobSession {
  readonly id: string
  /** A backup job, or a copy job. */
  readonly jobId: string
  readonly organizationId: string
  readonly repositoryId: string
  readonly details?: string
  readonly creationTime: Date
  /** Always there once the session is finished. */
  readonly endTime?: Date
  readonly retryCount: number
  readonly jobWillBeRetried: boolean
  /** Percent. */
  readonly progress: number
  readonly jobType: JobType
  readonly jobSessionConfigType: 'Full' | 'Incremental'
  readonly status: SessionStatus
  readonly statistics: JobStatistics
  readonly eTag: number
}

export type LogItemType = 'Running' | 'Warning' | 'Error' | 'Success' | 'Stop'

export interface LogItem {
  readonly id: string
  readonly sessionId: string
  /** Ascending within the server. */
  readonly usn: number
  readonly type: LogItemType
  /** `title` of v4, `message` of later versions. */
  readonly message: string
  readonly creationTime: Date
  readonly endTime?: Date
}

export interface SessionFilter {
  readonly jobId?: string
  readonly organizationId?: string
  readonly status?: SessionStatus
  readonly jobType?: JobType
  readonly endTimeLowerBound?: Date
  readonly endTimeUpperBound?: Date
  readonly creationTimeLowerBound?: Date
  readonly creationTimeUpperBound?: Date
}
