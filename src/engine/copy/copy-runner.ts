import { cancelled, invalid, isHoldfastError, messageOf, notFound } from '#base'
import {
  copyJobRows,
  jobRows,
  logRows,
  organizationRows,
  sessionRows,
  type CopyJobRow,
  type SessionRow,
} from '#database'
import type { Logger } from '#base'
import type { Shards } from '../jobs/backup-run.ts'
import {
  COPY,
  COPY_RUNS,
  newSession,
  requestRetry,
  requestRun,
  type RunRequest,
  type RunRequestParts,
} from '../jobs/run-requests.ts'
import { GOOD_STATUSES, type SessionStatus } from '../sessions/job-session.ts'
import { SessionReport } from '../sessions/session-report.ts'
import type { RepositoryGate } from '../tasks/repository-gate.ts'
import type { Task } from '../tasks/task-queue.ts'
import { LOST, MOST_ATTEMPTS, SHUTDOWN, TaskWorker } from '../tasks/task-worker.ts'
import type { CopySchedule } from './copy-job.ts'
import { copyPoints, type CopyOutcome, type CopyPointsParts } from './copy-points.ts'
import { mayCopyAt, nextCopy } from './copy-schedule.ts'

export interface CopyRunnerParts extends CopyPointsParts, RunRequestParts {
  readonly repositories: {
    shards(
      repositoryId: string,
      organization: { readonly id: string; readonly name: string },
      options?: { readonly shardCount?: number },
    ): Promise<Shards>
    /** Told when a run has written. */
    remeasure?(repositoryId: string, organizationId: string): void
  }
  readonly log: Logger
  readonly gate?: RepositoryGate
}

const POLL_MS = 1_000
const RUNS_AT_ONCE = 2
const RETRIES = 3
const RETRY_MS = 10 * 60_000

const WINDOW_ENDED = cancelled('the copy window has ended')

interface Ending {
  readonly status: SessionStatus
  readonly details: string
  readonly isRetryable?: boolean
}

/** Queues copies when their time has come, takes them from the queue and does them. What was cut off goes on in its session. */
export class CopyRunner extends TaskWorker {
  readonly #parts: CopyRunnerParts

  constructor(parts: CopyRunnerParts) {
    super(parts, { kinds: [COPY], atOnce: RUNS_AT_ONCE, pollMs: POLL_MS, what: 'copies' })
    this.#parts = parts
  }

  start(): void {
    this.look()
  }

  /** A person's stop. False when no run of the job is under way here. */
  stop(copyJobId: string): boolean {
    return this.stopTasks(({ key }) => key === copyJobId)
  }

  protected override async queueDue(): Promise<void> {
    const { queries } = this.#parts.database
    for (const job of await copyJobRows.enabled(queries)) {
      if ((job.schedulePolicy as CopySchedule).type === 'Immediate') await this.#followBackup(job)
      else if (job.nextRun !== undefined && job.nextRun <= this.#parts.clock.now())
        await this.#startByTime(job)
    }
  }

  /** A run of the backup job that ended well since the last copy is copied, once the window is open. */
  async #followBackup(job: CopyJobRow): Promise<void> {
    const { database, clock, timeZone } = this.#parts
    const last = await sessionRows.last(database.queries, job.backupJobId, GOOD_STATUSES)
    if (last === undefined || last.id === job.seenSessionId) return
    if (!mayCopyAt(job.schedulePolicy as CopySchedule, clock.now(), timeZone)) return
    await this.#request(job, { seenSessionId: last.id })
  }

  async #startByTime(job: CopyJobRow): Promise<void> {
    const { clock, timeZone, database } = this.#parts
    const nextRun = nextCopy(job.schedulePolicy as CopySchedule, clock.now(), timeZone)
    if (!(await this.#request(job, { nextRun })))
      await copyJobRows.keep(database.queries, job.id, { nextRun })
  }

  /** False when one runs. */
  async #request(job: CopyJobRow, changes: { seenSessionId?: string; nextRun?: Date | undefined }) {
    try {
      await this.#parts.database.transaction(async (queries) => {
        await requestRun(this.#parts, queries, COPY_RUNS, job, { full: false, isScheduled: true })
        await copyJobRows.keep(queries, job.id, changes)
      })
      return true
    } catch (error) {
      if (isHoldfastError(error, 'conflict')) return false
      throw error
    }
  }

  protected async work(task: Task, signal: AbortSignal): Promise<void> {
    const { queries } = this.#parts.database
    const request = task.payload as RunRequest
    const job = await copyJobRows.find(queries, task.key)
    if (job === undefined) return this.#parts.tasks.finish(queries, task)
    const session =
      (await sessionRows.find(queries, request.sessionId)) ??
      (await newSession(this.#parts.clock, queries, COPY_RUNS, job, request))
    await this.#run(task, job, session, signal)
  }

  protected override async repositoriesOf({ key }: Task): Promise<readonly string[]> {
    const { queries } = this.#parts.database
    const job = await copyJobRows.find(queries, key)
    if (job === undefined) return []
    const source = await jobRows.find(queries, job.backupJobId)
    return source === undefined ? [job.repositoryId] : [job.repositoryId, source.repositoryId]
  }

  protected override async reasonToStop(task: Task): Promise<Error | undefined> {
    if (!(task.payload as RunRequest).isScheduled) return undefined
    const { clock, database, timeZone } = this.#parts
    const job = await copyJobRows.find(database.queries, task.key)
    const mayGoOn = job === undefined || mayCopyAt(job.schedulePolicy as CopySchedule, clock.now(), timeZone)
    return mayGoOn ? undefined : WINDOW_ENDED
  }

  async #run(task: Task, job: CopyJobRow, session: SessionRow, signal: AbortSignal): Promise<void> {
    const { log, repositories } = this.#parts
    log.info({ jobId: job.id, sessionId: session.id, attempt: task.attempts }, 'copy begins')
    const report = new SessionReport(this.#parts, session)
    const ending = await this.#copy(task, job, session, report, signal).catch((error: unknown) =>
      this.#endingOf(error, signal, job),
    )
    if (signal.aborted && signal.reason === SHUTDOWN) {
      await report.settle()
      return this.#parts.tasks.release(task)
    }
    if (signal.aborted && signal.reason === LOST) return
    await this.#end(task, session, report, ending, job, signal)
    repositories.remeasure?.(job.repositoryId, job.organizationId)
    log.info({ jobId: job.id, sessionId: session.id, status: ending.status }, 'copy ended')
  }

  #endingOf(error: unknown, signal: AbortSignal, job: CopyJobRow): Ending {
    if (signal.aborted) return { status: 'Stopped', details: messageOf(signal.reason) }
    if (isHoldfastError(error, 'cancelled')) return { status: 'Stopped', details: error.message }
    const isExpected = isHoldfastError(error)
    if (!isExpected) this.#parts.log.error({ err: error, jobId: job.id }, 'copy failed')
    const details = isExpected ? error.message : 'an unexpected error: see the log of the server'
    return { status: 'Failed', details, isRetryable: true }
  }

  async #copy(
    task: Task,
    job: CopyJobRow,
    session: SessionRow,
    report: SessionReport,
    signal: AbortSignal,
  ): Promise<Ending> {
    const { database, repositories } = this.#parts
    if (task.attempts > MOST_ATTEMPTS)
      return { status: 'Failed', details: `given up: the run was cut off ${task.attempts - 1} times` }
    await sessionRows.update(database.queries, session.id, { status: 'Running' })
    if (session.status === 'Running') await report.note('Success', 'The run was cut off and goes on')
    const backupJob = await jobRows.find(database.queries, job.backupJobId)
    if (backupJob === undefined) throw notFound('the backup job is gone')
    if (backupJob.repositoryId === job.repositoryId)
      throw invalid('the backup job writes to the repository that it is to be copied to')
    const organization = await organizationRows.find(database.queries, job.organizationId)
    if (organization === undefined) throw notFound('the organization is gone')
    const owner = { id: organization.id, name: organization.name }
    const source = await repositories.shards(backupJob.repositoryId, owner)
    if (source.count === 0) return this.#nothing(report, 'The backup job has made no restore point yet')
    const target = await repositories.shards(job.repositoryId, owner, { shardCount: source.count })
    const outcome = await copyPoints(this.#parts, {
      backupJobId: backupJob.id,
      organization: owner,
      from: { repositoryId: backupJob.repositoryId, shards: source },
      to: { repositoryId: job.repositoryId, shards: target },
      marks: job.marks,
      keepMarks: (marks) => copyJobRows.keep(database.queries, job.id, { marks }),
      full: (task.payload as RunRequest).full,
      report,
      signal,
    })
    return this.#endingFrom(outcome, report)
  }

  async #nothing(report: SessionReport, text: string): Promise<Ending> {
    await report.note('Success', text)
    return { status: 'Success', details: text }
  }

  async #endingFrom(outcome: CopyOutcome, report: SessionReport): Promise<Ending> {
    for (const warning of outcome.warnings) await report.note('Warning', warning)
    const { points, objects, copiedBlobs, writtenBytes } = outcome
    const details =
      points === 0
        ? 'Nothing new to copy'
        : `${points} restore points of ${objects} objects copied: ${copiedBlobs} new blobs, ${writtenBytes} bytes`
    if (outcome.warnings.length > 0) return { status: 'Warning', details }
    return this.#nothing(report, details)
  }

  /** The end of a session, the end of its task and the next try are one change. */
  async #end(
    task: Task,
    session: SessionRow,
    report: SessionReport,
    ending: Ending,
    job: CopyJobRow,
    signal: AbortSignal,
  ): Promise<void> {
    const { database, clock, tasks } = this.#parts
    const request = task.payload as RunRequest
    const numbers = await report.settle()
    const endTime = clock.now()
    const mayRetry = ending.isRetryable === true && job.isEnabled && request.retryCount < RETRIES
    const isGood = ending.status === 'Success' || ending.status === 'Warning'
    if (ending.status === 'Failed') await report.note('Error', ending.details)
    if (ending.status === 'Stopped') await report.note('Stop', ending.details)
    await database.transaction(async (queries) => {
      await logRows.endOpen(queries, session.id, ending.status === 'Stopped' ? 'Stop' : 'Error', endTime)
      await sessionRows.update(queries, session.id, {
        ...numbers,
        ...(isGood ? { progress: 100 } : {}),
        status: ending.status,
        endTime,
        details: ending.details,
        jobWillBeRetried: mayRetry,
      })
      await tasks.finish(queries, task)
      // What the window cut off goes on when it opens again.
      if (signal.reason === WINDOW_ENDED)
        await copyJobRows.keep(queries, job.id, { seenSessionId: undefined })
      if (mayRetry)
        await requestRetry(
          this.#parts,
          queries,
          COPY_RUNS,
          job,
          request,
          new Date(endTime.getTime() + RETRY_MS),
        )
    })
  }
}
