import { cancelled, isHoldfastError, messageOf, notFound, type Clock, type Logger, type Random } from '#base'
import {
  checkpointRows,
  jobItemRows,
  jobRows,
  logRows,
  organizationRows,
  sessionRows,
  type Database,
  type JobRow,
  type SessionRow,
} from '#database'
import type { OrganizationTenants } from '../organizations/tenants.ts'
import { isWithinWindow } from '../schedules/next-run.ts'
import type { SessionStatus } from '../sessions/job-session.ts'
import { SessionReport } from '../sessions/session-report.ts'
import type { RepositoryGate } from '../tasks/repository-gate.ts'
import type { Task, TaskQueue } from '../tasks/task-queue.ts'
import { LOST, MOST_ATTEMPTS, SHUTDOWN, TaskWorker } from '../tasks/task-worker.ts'
import type { BackupOutcome, Checkpoints, RunBackup, Shards } from './backup-run.ts'
import type { BackupType, JobItem, SchedulePolicy } from './job.ts'
import { BACKUP_RUNS, newSession, requestRetry, RUN, type RunRequest } from './run-requests.ts'
import { selectObjects, type Selection } from './select-objects.ts'

export interface JobRunnerParts {
  readonly database: Database
  readonly tasks: TaskQueue
  readonly gate?: RepositoryGate
  readonly tenants: { of(organizationId: string): Promise<OrganizationTenants> }
  readonly repositories: {
    shards(
      repositoryId: string,
      organization: { readonly id: string; readonly name: string },
      options: { readonly expectedObjects: number },
    ): Promise<Shards>
    /** Told when a run has written. */
    remeasure?(repositoryId: string, organizationId: string): void
  }
  readonly runBackup: RunBackup
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Of the server: what schedules without a time zone mean. */
  readonly timeZone: string
  readonly runsAtOnce?: number
}

const RUNS_AT_ONCE = 4
const POLL_MS = 1_000

interface Ending {
  readonly status: SessionStatus
  readonly details?: string
  /** Whether the retry policy may try again. */
  readonly isRetryable: boolean
}

const WINDOW_ENDED = cancelled('the backup window has ended')

/** Does the runs of backup jobs. One that was cut off goes on in the same session from its checkpoints. */
export class JobRunner extends TaskWorker {
  readonly #parts: JobRunnerParts

  constructor(parts: JobRunnerParts) {
    super(parts, { kinds: [RUN], atOnce: parts.runsAtOnce ?? RUNS_AT_ONCE, pollMs: POLL_MS, what: 'runs' })
    this.#parts = parts
  }

  /** Takes over what an earlier process left and goes on until disposed of. */
  async start(): Promise<void> {
    await this.#parts.tasks.takeOver()
    this.look()
  }

  /** A person's stop. False when no run of the job is under way here. */
  stop(jobId: string): boolean {
    return this.stopTasks(({ key }) => key === jobId)
  }

  protected async work(task: Task, signal: AbortSignal): Promise<void> {
    const { queries } = this.#parts.database
    const request = task.payload as RunRequest
    const job = await jobRows.find(queries, task.key)
    if (job === undefined) return this.#parts.tasks.finish(queries, task)
    const session =
      (await sessionRows.find(queries, request.sessionId)) ??
      (await newSession(this.#parts.clock, queries, BACKUP_RUNS, job, request))
    await this.#run(task, job, session, signal)
  }

  protected override async repositoriesOf({ key }: Task): Promise<readonly string[]> {
    const job = await jobRows.find(this.#parts.database.queries, key)
    return job === undefined ? [] : [job.repositoryId]
  }

  protected override async reasonToStop(task: Task): Promise<Error | undefined> {
    if (!(task.payload as RunRequest).isScheduled) return undefined
    const job = await jobRows.find(this.#parts.database.queries, task.key)
    return job === undefined || this.#isInWindow(job) ? undefined : WINDOW_ENDED
  }

  #isInWindow(job: JobRow): boolean {
    const policy = job.schedulePolicy as SchedulePolicy
    const window = policy.backupWindowEnabled ? policy.backupWindowSettings : undefined
    return isWithinWindow(window, this.#parts.clock.now(), policy.timeZone ?? this.#parts.timeZone)
  }

  async #run(task: Task, job: JobRow, session: SessionRow, signal: AbortSignal): Promise<void> {
    const { log } = this.#parts
    const report = new SessionReport(this.#parts, session)
    log.info({ jobId: job.id, sessionId: session.id, attempt: task.attempts }, 'run begins')
    const ending = await this.#backup(task, job, session, report, signal).catch((error: unknown) =>
      this.#endingOf(error, signal, job),
    )
    if (signal.aborted && signal.reason === SHUTDOWN) {
      await report.settle()
      await this.#parts.tasks.release(task)
      return
    }
    if (signal.aborted && signal.reason === LOST) return
    await this.#end(task, session, report, ending, job)
    this.#parts.repositories.remeasure?.(job.repositoryId, job.organizationId)
    log.info({ jobId: job.id, sessionId: session.id, status: ending.status }, 'run ended')
  }

  #endingOf(error: unknown, signal: AbortSignal, job: JobRow): Ending {
    if (signal.aborted) return ended('Stopped', messageOf(signal.reason))
    if (isHoldfastError(error, 'cancelled')) return ended('Stopped', error.message)
    const isExpected = isHoldfastError(error)
    if (!isExpected) this.#parts.log.error({ err: error, jobId: job.id }, 'run failed')
    const details = isExpected ? error.message : 'an unexpected error: see the log of the server'
    return { status: 'Failed', details, isRetryable: true }
  }

  async #backup(
    task: Task,
    job: JobRow,
    session: SessionRow,
    report: SessionReport,
    signal: AbortSignal,
  ): Promise<Ending> {
    const { database, tenants, repositories, runBackup } = this.#parts
    const isResumed = session.status === 'Running'
    if (task.attempts > MOST_ATTEMPTS)
      return ended('Failed', `given up: the run was cut off ${task.attempts - 1} times`)
    await sessionRows.update(database.queries, session.id, { status: 'Running' })
    if (isResumed) await report.note('Success', 'The run was cut off and goes on')
    const organization = await organizationRows.find(database.queries, job.organizationId)
    if (organization === undefined) throw notFound('the organization is gone')
    const opened = await tenants.of(organization.id)
    const { objects, notes } = await this.#select(job, opened, report, signal)
    for (const note of notes) await report.note('Warning', note)
    if (objects.length === 0) {
      await report.note('Warning', 'There is nothing to protect')
      return { status: 'Warning', details: 'There is nothing to protect', isRetryable: false }
    }
    const owner = { id: organization.id, name: organization.name }
    const outcome = await runBackup({
      sessionId: session.id,
      jobId: job.id,
      jobName: job.name,
      organization: { ...owner, tenantId: organization.tenantId },
      repositoryId: job.repositoryId,
      full: (task.payload as RunRequest).full,
      fileVersions: organization.versionBackupMode === 'All' ? 'All' : 'Latest',
      isResumed,
      objects,
      tenants: opened,
      shards: await repositories.shards(job.repositoryId, owner, { expectedObjects: objects.length }),
      checkpoints: this.#checkpoints(session.id),
      report,
      signal,
    })
    report.totals(outcome.totals)
    return endingOf(outcome, notes.length)
  }

  async #select(job: JobRow, tenants: OrganizationTenants, report: SessionReport, signal: AbortSignal) {
    const { queries } = this.#parts.database
    const items = async (list: 'selected' | 'excluded'): Promise<readonly JobItem[]> =>
      (await jobItemRows.list(queries, job.id, list)).map(({ id, item }) => ({ ...item, id }) as JobItem)
    const wanted = {
      backupType: job.backupType as BackupType,
      selected: await items('selected'),
      excluded: await items('excluded'),
    }
    const key = 'select'
    await report.start(key, 'Looking up what to protect')
    const selection = await selectObjects(wanted, tenants.directory, signal).catch(async (error: unknown) => {
      await report.finish(
        key,
        signal.aborted ? 'Stop' : 'Error',
        `Looking up what to protect: ${messageOf(error)}`,
      )
      throw error
    })
    await report.finish(key, 'Success', foundText(selection))
    return selection
  }

  #checkpoints(sessionId: string): Checkpoints {
    const { queries } = this.#parts.database
    return {
      load: (key) => checkpointRows.find(queries, sessionId, key),
      all: () => checkpointRows.list(queries, sessionId),
      save: (key, value) => checkpointRows.put(queries, sessionId, key, value),
      remove: (key) => checkpointRows.remove(queries, sessionId, key),
    }
  }

  /** The end of a session, the end of its task and the next try are one change. */
  async #end(
    task: Task,
    session: SessionRow,
    report: SessionReport,
    ending: Ending,
    job: JobRow,
  ): Promise<void> {
    const { database, clock, tasks } = this.#parts
    const request = task.payload as RunRequest
    const numbers = await report.settle()
    const endTime = clock.now()
    const retryAt = retryTime(job, request, ending, endTime)
    if (ending.details !== undefined && ending.status !== 'Success')
      await report.note(logTypeOf(ending.status), ending.details)
    await database.transaction(async (queries) => {
      await logRows.endOpen(queries, session.id, ending.status === 'Stopped' ? 'Stop' : 'Error', endTime)
      await sessionRows.update(queries, session.id, {
        ...numbers,
        ...(ending.status === 'Stopped' || ending.status === 'Failed' ? {} : { progress: 100 }),
        status: ending.status,
        endTime,
        details: ending.details,
        jobWillBeRetried: retryAt !== undefined,
      })
      await checkpointRows.removeAll(queries, session.id)
      await tasks.finish(queries, task)
      if (retryAt !== undefined) await requestRetry(this.#parts, queries, BACKUP_RUNS, job, request, retryAt)
    })
  }
}

const ended = (status: SessionStatus, details: string): Ending => ({ status, details, isRetryable: false })

const logTypeOf = (status: SessionStatus): 'Stop' | 'Error' | 'Warning' =>
  status === 'Stopped' ? 'Stop' : status === 'Failed' ? 'Error' : 'Warning'

/** All objects failed: Failed. Some did, or lost items: Warning. */
const endingOf = (outcome: BackupOutcome, notes: number): Ending => {
  const { succeeded, warnings, failed, details } = outcome
  const isFailed = failed > 0 && succeeded === 0 && warnings === 0
  const status = isFailed ? 'Failed' : failed + warnings + notes > 0 ? 'Warning' : 'Success'
  const counted = [`${succeeded} protected`, `${warnings} with warnings`, `${failed} failed`].join(', ')
  return {
    status,
    details: details === undefined ? counted : `${counted}. ${details}`,
    isRetryable: failed > 0,
  }
}

const retryTime = (job: JobRow, request: RunRequest, ending: Ending, at: Date): Date | undefined => {
  const { retryEnabled, retryNumber, retryWaitInterval } = job.schedulePolicy as SchedulePolicy
  if (!ending.isRetryable || !retryEnabled || !job.isEnabled || request.retryCount >= retryNumber)
    return undefined
  // At least a moment later: a waiting retry is told from a run by its time.
  return new Date(at.getTime() + Math.max(retryWaitInterval * 60_000, 1_000))
}

const NAMED = 5

/** Whoever is not protected is named too, so that nobody has to guess. */
const foundText = ({ objects, leftOut }: Selection): string => {
  const found = `Found ${objects.length} users to protect`
  if (leftOut.length === 0) return found
  const more = leftOut.length > NAMED ? ` and ${leftOut.length - NAMED} more` : ''
  const names = leftOut.slice(0, NAMED).join(', ')
  return `${found}; left out, for having neither licence nor mailbox: ${names}${more}`
}
