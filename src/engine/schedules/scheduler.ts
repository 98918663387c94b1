import { isHoldfastError, type Clock, type Logger, type Random } from '#base'
import { jobRows, type Database, type JobRow } from '#database'
import { BACKUP_RUNS, requestRun } from '../jobs/run-requests.ts'
import type { SchedulePolicy } from '../jobs/job.ts'
import type { TaskQueue } from '../tasks/task-queue.ts'
import { nextRun } from './next-run.ts'

export interface SchedulerParts {
  readonly database: Database
  readonly tasks: TaskQueue
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Of the server: what schedules without a time zone mean. */
  readonly timeZone: string
}

const POLL_MS = 1_000

/**
 * Queues runs when their time has come. A time that passed while the server was off is made up for once, at the start;
 * one that comes while the job still runs is left out.
 */
export class Scheduler implements AsyncDisposable {
  readonly #parts: SchedulerParts
  readonly #closing = new AbortController()
  #loop: Promise<void> | undefined
  #lastTick: Date | undefined

  constructor(parts: SchedulerParts) {
    this.#parts = parts
  }

  start(): void {
    this.#loop ??= this.#poll()
  }

  /** When schedules were last looked at without a fault; undefined before the first time. */
  get lastTick(): Date | undefined {
    return this.#lastTick
  }

  /** Queues what is due. */
  async tick(): Promise<void> {
    const { database, clock } = this.#parts
    for (const job of await jobRows.due(database.queries, clock.now())) await this.#startByTime(job)
    this.#lastTick = clock.now()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await this.#loop
  }

  async #poll(): Promise<void> {
    const { clock, log } = this.#parts
    while (!this.#closing.signal.aborted) {
      await this.tick().catch((error: unknown) => log.error({ err: error }, 'schedules not looked at'))
      await clock.sleep(POLL_MS, this.#closing.signal).catch(() => undefined)
    }
  }

  async #startByTime(job: JobRow): Promise<void> {
    const { database, clock, log, timeZone } = this.#parts
    await database.transaction(async (queries) => {
      const next = nextRun(job.schedulePolicy as SchedulePolicy, clock.now(), timeZone)
      await jobRows.update(queries, job.id, { nextRun: next })
      await requestRun(this.#parts, queries, BACKUP_RUNS, job, { full: false, isScheduled: true }).catch(
        (error: unknown) => {
          if (!isHoldfastError(error, 'conflict')) throw error
          log.info({ jobId: job.id }, 'scheduled run left out: the job still runs')
        },
      )
    })
  }
}
