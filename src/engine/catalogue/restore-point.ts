import type { BlobId, SnapshotId } from '#repository'
import type { ObjectIdentity, RunRecord } from './object-state.ts'

/** One snapshot of a shard that a job run made. */
export interface RestorePoint {
  readonly snapshot: SnapshotId
  readonly time: Date
  readonly tree: BlobId
  readonly jobId: string
  readonly sessionId: string
  readonly holdsMail: boolean
  readonly holdsDrives: boolean
  /** Read when it is asked for. */
  readonly run: RunRecord
}

/** An object at a restore point. Hand `key` and `version` on to the other calls. */
export interface ObjectAtPoint extends ObjectIdentity {
  readonly key: string
  readonly version: number
  readonly point: SnapshotId
  /** Of the restore point. */
  readonly time: Date
  readonly status: 'success' | 'warning' | 'failed' | 'skipped'
  readonly reason?: string
}

/** Which restore points count. */
export interface Moment {
  /** None after it. */
  readonly at: Date
  /** Those of one job alone. */
  readonly jobId?: string
  /** Those alone whose run could read the object. */
  readonly isRead?: boolean
}
