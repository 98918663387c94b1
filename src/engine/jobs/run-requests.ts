import { conflict, type Clock, type Random } from '#base'
import {
  checkpointRows,
  logRows,
  sessionRows,
  type Database,
  type JobRow,
  type Queries,
  type SessionRow,
} from '#database'
import { GOOD_STATUSES } from '../sessions/job-session.ts'
import { NO_STATISTICS } from '../sessions/session-report.ts'
import type { Task, TaskQueue } from '../tasks/task-queue.ts'

export const RUN = 'job-run'
export const COPY = 'copy-run'

/** Backup jobs and copy jobs are queued, retried and stopped alike; tasks and sessions tell them apart. */
export interface RunKind {
  readonly task: typeof RUN | typeof COPY
  readonly session: Pick<SessionRow, 'jobType'>
}
export const BACKUP_RUNS: RunKind = { task: RUN, session: {} }
export const COPY_RUNS: RunKind = { task: COPY, session: { jobType: 'Copy' } }

/** What a run needs of its job. */
export type QueuedJob = Pick<JobRow, 'id' | 'name' | 'organizationId' | 'repositoryId'>

/** What a task of a run carries. */
export interface RunRequest {
  readonly sessionId: string
  /** Of a copy: also what was copied and is gone from the target since. */
  readonly full: boolean
  /** By the schedule, or after a backup: it ends with the window. */
  readonly isScheduled: boolean
  readonly retryCount: number
}

export interface RunRequestParts {
  readonly tasks: TaskQueue
  readonly clock: Clock
  readonly random: Random
}

/** The session of a run, as it begins. */
export const newSession = async (
  clock: Clock,
  queries: Queries,
  kind: RunKind,
  job: QueuedJob,
  request: RunRequest,
): Promise<SessionRow> => {
  const isFirst = (await sessionRows.last(queries, job.id, GOOD_STATUSES)) === undefined
  const session: SessionRow = {
    id: request.sessionId,
    jobId: job.id,
    ...kind.session,
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

/** Queues a run of a job with its session. `conflict` while one runs or waits; a run that only waits to be retried gives way. */
export const requestRun = async (
  parts: RunRequestParts,
  queries: Queries,
  kind: RunKind,
  job: QueuedJob,
  run: Pick<RunRequest, 'full' | 'isScheduled'>,
): Promise<SessionRow> => {
  await giveWay(parts, queries, kind, job)
  const request: RunRequest = { ...run, sessionId: parts.random.uuid(), retryCount: 0 }
  await parts.tasks.add(queries, { kind: kind.task, key: job.id, payload: request })
  return newSession(parts.clock, queries, kind, job, request)
}

/** Queues the next try of a run. Its session is made when it begins. */
export const requestRetry = async (
  { tasks, random }: RunRequestParts,
  queries: Queries,
  kind: RunKind,
  job: QueuedJob,
  { full, isScheduled, retryCount }: RunRequest,
  runAt: Date,
): Promise<void> => {
  const request: RunRequest = { full, isScheduled, sessionId: random.uuid(), retryCount: retryCount + 1 }
  await tasks.add(queries, { kind: kind.task, key: job.id, payload: request, runAt })
}

const giveWay = async (
  { tasks, clock }: RunRequestParts,
  queries: Queries,
  kind: RunKind,
  job: QueuedJob,
): Promise<void> => {
  const there = await tasks.find(queries, kind.task, job.id)
  if (there === undefined) return
  if (there.isLeased || there.runAt <= clock.now()) throw conflict(`${job.name} is running already`)
  await endWaiting({ tasks, clock }, queries, there)
}

/** Ends a run that nobody works on: its session is Stopped. */
export const endWaiting = async (
  { tasks, clock }: Pick<RunRequestParts, 'tasks' | 'clock'>,
  queries: Queries,
  task: Task,
): Promise<void> => {
  const { sessionId } = task.payload as RunRequest
  const endTime = clock.now()
  await sessionRows.update(queries, sessionId, {
    status: 'Stopped',
    endTime,
    details: 'Stopped before it began',
  })
  await logRows.endOpen(queries, sessionId, 'Stop', endTime)
  await checkpointRows.removeAll(queries, sessionId)
  await tasks.finish(queries, task)
}

/**
 * Asks the run of a job to stop; one that nobody works on ends at once. Returns whether somebody works on it and has to
 * hear of it. `conflict` when none runs.
 */
export const requestStop = async (
  parts: RunRequestParts & { readonly database: Database },
  kind: RunKind,
  job: Pick<QueuedJob, 'id' | 'name'>,
): Promise<boolean> => {
  const isWorkedOn = await parts.database.transaction(async (queries) => {
    const task = await parts.tasks.find(queries, kind.task, job.id)
    if (task === undefined) throw conflict(`${job.name} is not running`)
    if (!task.isLeased) await endWaiting(parts, queries, task)
    return task.isLeased
  })
  if (isWorkedOn) await parts.tasks.requestStop(kind.task, job.id)
  return isWorkedOn
}
