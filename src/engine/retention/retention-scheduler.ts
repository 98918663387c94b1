import { isHoldfastError, type Clock, type Logger, type Random } from '#base'
import { repositoryRows, retentionScheduleRows, type Database, type RepositoryRow } from '#database'
import { systemPrincipal } from '../access/principal.ts'
import type { Retention as RetentionSettings } from '../repositories/backup-repository.ts'
import type { TaskQueue } from '../tasks/task-queue.ts'
import type { ClockGuard } from './clock-guard.ts'
import { cleanUpKey, nextCleanUp } from './next-clean-up.ts'
import { requestRetention } from './retentions.ts'

export interface RetentionSchedulerParts {
  readonly database: Database
  readonly tasks: TaskQueue
  readonly guard: ClockGuard
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly timeZone: string
}

const POLL_MS = 30_000

/**
 * Queues the clean-up of each repository when its time has come, and looks at the clock. Times missed while the server was
 * off are made up for once; one that comes while a run is under way is left out.
 */
export class RetentionScheduler implements AsyncDisposable {
  readonly #parts: RetentionSchedulerParts
  readonly #closing = new AbortController()
  #loop: Promise<void> | undefined

  constructor(parts: RetentionSchedulerParts) {
    this.#parts = parts
  }

  start(): void {
    this.#loop ??= this.#poll()
  }

  /** Queues what is due. */
  async tick(): Promise<void> {
    const { database, guard } = this.#parts
    await guard.look()
    const { items } = await repositoryRows.list(database.queries)
    const known = new Map(
      (await retentionScheduleRows.list(database.queries)).map((r) => [r.repositoryId, r]),
    )
    for (const repository of items) await this.#look(repository, known.get(repository.id))
    const there = new Set(items.map(({ id }) => id))
    for (const id of known.keys())
      if (!there.has(id)) await retentionScheduleRows.remove(database.queries, id)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await this.#loop
  }

  async #poll(): Promise<void> {
    const { clock, log } = this.#parts
    while (!this.#closing.signal.aborted) {
      await this.tick().catch((error: unknown) =>
        log.error({ err: error }, 'retention schedules not looked at'),
      )
      await clock.sleep(POLL_MS, this.#closing.signal).catch(() => undefined)
    }
  }

  async #look(
    repository: RepositoryRow,
    known: { readonly settings: string; readonly nextRun?: Date } | undefined,
  ): Promise<void> {
    const { database, clock, timeZone } = this.#parts
    const settings = cleanUpKey(repository.retention as RetentionSettings)
    const now = clock.now()
    const next = nextCleanUp(repository.retention as RetentionSettings, now, timeZone)
    const isDue = known?.settings === settings && known.nextRun !== undefined && known.nextRun <= now
    // A time that lies further ahead than the next one comes from a clock that was wrong.
    const isRight = known?.settings === settings && known.nextRun?.getTime() === next?.getTime()
    if (isRight) return
    await database.transaction(async (queries) => {
      const row = { repositoryId: repository.id, settings }
      await retentionScheduleRows.put(queries, next === undefined ? row : { ...row, nextRun: next })
      if (!isDue) return
      const wanted = {
        repositoryId: repository.id,
        initiatedBy: systemPrincipal.name,
        isClockConfirmed: false,
      }
      await requestRetention(this.#parts, queries, wanted).catch((error: unknown) => {
        if (!isHoldfastError(error, 'conflict')) throw error
        this.#parts.log.info({ repositoryId: repository.id }, 'clean-up left out: one is under way')
      })
    })
  }
}
