import { conflict, type Clock, type Random } from '#base'
import { sessionRows, type CopyJobRow, type Queries, type SessionRow } from '#database'
import { endWaiting } from '../jobs/run-requests.ts'
import { GOOD_STATUSES } from '../sessions/job-session.ts'
import { NO_STATISTICS } from '../sessions/session-report.ts'
import type { TaskQueue } from '../tasks/task-queue.ts'

export const COPY = 'copy-run'

/** What a task of a copy carries. */
export interface CopyRequest {
  readonly sessionId: string
  /** Also what was copied and is gone from the target since. */
  readonly full: boolean
  /** By the schedule or after a backup: it ends with the window. */
  readonly isScheduled: boolean
  readonly retryCount: number
}

export interface CopyRequestParts {
  readonly tasks: TaskQueue
  readonly clock: Clock
  readonly random: Random
}

export const newCopySession = async (
  clock: Clock,
  queries: Queries,
  job: CopyJobRow,
  request: CopyRequest,
): Promise<SessionRow> => {
  const isFirst = (await sessionRows.last(queries, job.id, GOOD_STATUSES)) === undefined
  const session: SessionRow = {
    id: request.sessionId,
    jobId: job.id,
    jobType: 'Copy',
    organizationId: job.organizationId,
    repositoryId: job.repositoryId,
    creationTime: clock.now(),
    retryCount: request.retryCount,
    jobWillBeRetried: false,
    progress: 0,
    configType: request.full || isFirst ? 'Full' : 'Incremental',
    status: 'Queued',
    statistics: NO_STATISTICS,
    eTag: 1,
  }
  await sessionRows.insert(queries, session)
  return session
}

/** Queues a run with its session. `conflict` while one runs or waits; one that only waits to be retried gives way. */
export const requestCopy = async (
  parts: CopyRequestParts,
  queries: Queries,
  job: CopyJobRow,
  run: Pick<CopyRequest, 'full' | 'isScheduled'>,
): Promise<SessionRow> => {
  const there = await parts.tasks.find(queries, COPY, job.id)
  if (there !== undefined) {
    if (there.isLeased || there.runAt <= parts.clock.now()) throw conflict(`${job.name} is running already`)
    await endWaiting(parts, queries, there)
  }
  const request: CopyRequest = { ...run, sessionId: parts.random.uuid(), retryCount: 0 }
  await parts.tasks.add(queries, { kind: COPY, key: job.id, payload: request })
  return newCopySession(parts.clock, queries, job, request)
}

export const requestCopyRetry = async (
  { tasks, random }: CopyRequestParts,
  queries: Queries,
  job: CopyJobRow,
  { full, isScheduled, retryCount }: CopyRequest,
  runAt: Date,
): Promise<void> => {
  const request: CopyRequest = { full, isScheduled, sessionId: random.uuid(), retryCount: retryCount + 1 }
  await tasks.add(queries, { kind: COPY, key: job.id, payload: request, runAt })
}
