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
import type { Task, TaskQueue } from '../tasks/task-queue.ts'
import type { BackupOutcome, Checkpoints, RunBackup, Shards } from './backup-run.ts'
import type { BackupType, JobItem, SchedulePolicy } from './job.ts'
import { newSession, requestRetry, RUN, type RunRequest } from './run-requests.ts'
import { selectObjects, type Selection } from './select-objects.ts'

export interface JobRunnerParts {
  readonly database: Database
  readonly tasks: TaskQueue
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
const PULSE_MS = 10_000
/** A run that ended its process this often is given up: it would do so for ever. */
const MOST_ATTEMPTS = 10

interface ActiveRun {
  readonly stop: AbortController
  readonly ended: Promise<void>
}

interface Ending {
  readonly status: SessionStatus
  readonly details?: string
  /** Whether the retry policy may try again. */
  readonly isRetryable: boolean
}

const SHUTDOWN = cancelled('the server is stopping')
const STOPPED = cancelled('stopped')
const WINDOW_ENDED = cancelled('the backup window has ended')
const LOST = cancelled('another worker has the run')

/**
 * Takes runs from the queue and does them. A run that was cut off, by a stop of the server or by its death, goes on in
 * the same session from its checkpoints.
 */
export class JobRunner implements AsyncDisposable {
  readonly #parts: JobRunnerParts
  readonly #active = new Map<string, ActiveRun>()
  readonly #closing = new AbortController()
  #loop: Promise<void> | undefined
  #ticking: Promise<void> | undefined

  constructor(parts: JobRunnerParts) {
    this.#parts = parts
  }

  /** Takes over what an earlier process left and goes on until disposed of. */
  async start(): Promise<void> {
    await this.#parts.tasks.takeOver()
    this.#loop ??= this.#poll()
  }

  /** Begins what is due and fits. */
  async tick(): Promise<void> {
    this.#ticking ??= this.#begin().finally(() => {
      this.#ticking = undefined
    })
    await this.#ticking
  }

  /** Resolves when no run is under way. */
  async idle(): Promise<void> {
    while (this.#active.size > 0) await Promise.all([...this.#active.values()].map(({ ended }) => ended))
  }

  /** A run may have been queued: no need to wait for the next look. */
  wake(): void {
    if (this.#loop === undefined) return
    this.tick().catch((error: unknown) => this.#parts.log.error({ err: error }, 'runs not begun'))
  }

  /** A person's stop, without waiting for the next pulse. False when no run of the job is under way here. */
  stop(jobId: string): boolean {
    const run = this.#active.get(jobId)
    run?.stop.abort(STOPPED)
    return run !== undefined
  }

  /** Runs that are under way stop where they are and go on at the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(SHUTDOWN)
    await this.#loop
    await this.#ticking
    for (const { stop } of this.#active.values()) stop.abort(SHUTDOWN)
    await this.idle()
  }

  async #poll(): Promise<void> {
    const { clock, log } = this.#parts
    while (!this.#closing.signal.aborted) {
      await this.tick().catch((error: unknown) => log.error({ err: error }, 'runs not begun'))
      await clock.sleep(POLL_MS, this.#closing.signal).catch(() => undefined)
    }
  }

  async #begin(): Promise<void> {
    while (this.#active.size < (this.#parts.runsAtOnce ?? RUNS_AT_ONCE) && !this.#closing.signal.aborted) {
      const task = await this.#parts.tasks.lease(RUN)
      if (task === undefined) return
      const stop = new AbortController()
      const ended = this.#work(task, stop)
        .catch((error: unknown) => this.#parts.log.error({ err: error, jobId: task.key }, 'run not ended'))
        .finally(() => this.#active.delete(task.key))
      this.#active.set(task.key, { stop, ended })
    }
  }

  async #work(task: Task, stop: AbortController): Promise<void> {
    const { queries } = this.#parts.database
    const request = task.payload as RunRequest
    const job = await jobRows.find(queries, task.key)
    if (job === undefined) {
      await this.#parts.tasks.finish(queries, task)
      return
    }
    const session =
      (await sessionRows.find(queries, request.sessionId)) ??
      (await newSession(this.#parts.clock, queries, job, request))
    const pulsing = new AbortController()
    const pulse = this.#pulse(task, job, stop, pulsing.signal)
    try {
      await this.#run(task, job, session, stop.signal)
    } finally {
      pulsing.abort()
      await pulse
    }
  }

  /** Says that the run is alive, and hears of stops and of the end of the backup window. */
  async #pulse(task: Task, job: JobRow, stop: AbortController, done: AbortSignal): Promise<void> {
    const { clock, tasks, log } = this.#parts
    while (!done.aborted) {
      await clock.sleep(PULSE_MS, done).catch(() => undefined)
      if (done.aborted) return
      const pulse = await tasks.pulse(task).catch((error: unknown) => {
        log.warn({ err: error, jobId: job.id }, 'pulse failed')
        return 'goes-on' as const
      })
      if (pulse === 'lost') stop.abort(LOST)
      if (pulse === 'stop-requested') stop.abort(STOPPED)
      if ((task.payload as RunRequest).isScheduled && !this.#isInWindow(job)) stop.abort(WINDOW_ENDED)
    }
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
      if (retryAt !== undefined) await requestRetry(this.#parts, queries, job, request, retryAt)
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
