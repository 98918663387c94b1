import type { RetentionRunRow } from '#database'
import type { SessionStatus } from '../sessions/job-session.ts'

export type RetentionRunKind = RetentionRunRow['kind']

/** What a run did, so far. */
export interface RetentionResult {
  readonly removedPoints: number
  readonly keptPoints: number
  /** Points that were to go and that the storage did not let go. */
  readonly refusedPoints: number
  /** Points that were written anew without some of what they held. */
  readonly rewrittenPoints: number
  readonly removedItems: number
  /** Given back on the storage. */
  readonly freedBytes: number
  /** Needed by nothing, and given back when its time has come. */
  readonly waitingBytes: number
  /** ISO 8601: when the last of it may go. */
  readonly waitingUntil?: string
}

export const NO_RESULT: RetentionResult = {
  removedPoints: 0,
  keptPoints: 0,
  refusedPoints: 0,
  rewrittenPoints: 0,
  removedItems: 0,
  freedBytes: 0,
  waitingBytes: 0,
}

/** A run that removed, or removes, what is no longer kept. */
export interface RetentionRun extends RetentionResult {
  readonly id: string
  readonly repositoryId: string
  readonly status: SessionStatus
  readonly initiatedBy: string
  /** The moment that ages are counted from. */
  readonly at: Date
  readonly creationTime: Date
  readonly endTime?: Date
  readonly details?: string
}

export interface RetentionRequest {
  readonly at: string
  /** A person says that the clock is right. */
  readonly isClockConfirmed: boolean
}

export const presentRun = (row: RetentionRunRow): RetentionRun => ({
  ...NO_RESULT,
  ...row.result,
  id: row.id,
  repositoryId: row.repositoryId ?? '',
  status: row.status as SessionStatus,
  initiatedBy: row.initiatedBy,
  at: new Date((row.request as RetentionRequest).at),
  creationTime: row.creationTime,
  ...(row.endTime === undefined ? {} : { endTime: row.endTime }),
  ...(row.details === undefined ? {} : { details: row.details }),
})

/** How a run ended, for its row and for people. */
export interface RunEnding {
  readonly status: 'Success' | 'Warning' | 'Failed' | 'Stopped'
  readonly details?: string
}
