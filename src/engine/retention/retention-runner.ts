import { isHoldfastError, messageOf, type Clock, type Logger, type Random } from '#base'
import {
  checkpointRows,
  logRows,
  repositoryOrganizationRows,
  retentionRunRows,
  type RetentionRunRow,
} from '#database'
import type { Audit } from '../access/audit.ts'
import type { RepositoryGate } from '../tasks/repository-gate.ts'
import type { Task, TaskQueue } from '../tasks/task-queue.ts'
import { LOST, MOST_ATTEMPTS, TaskWorker } from '../tasks/task-worker.ts'
import type { ClockGuard } from './clock-guard.ts'
import { PERSON_REMOVAL, removePerson } from './person-removals.ts'
import { RECLAIM, reclaimLater } from './reclaim-later.ts'
import { removeExpired } from './remove-expired.ts'
import type { ContentsParts } from './repository-contents.ts'
import { RETENTION } from './retentions.ts'
import { NO_RESULT, type RetentionRequest, type RunEnding } from './retention-run.ts'
import { RunLog } from './run-log.ts'

export interface RetentionRunnerParts extends ContentsParts {
  readonly tasks: TaskQueue
  readonly gate?: RepositoryGate
  readonly audit: Audit
  readonly guard: ClockGuard
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** How long packs that nothing needs stay, where a repository does not say; 0 when left out. */
  readonly graceMs?: number
  /** Ends who looks at an organization: what they see is about to go. */
  readonly endSessionsOf: (organizationId: string) => Promise<void>
}

const POLL_MS = 2_000
const KINDS = [RETENTION, PERSON_REMOVAL, RECLAIM] as const
const COME_AGAIN_MS = 60_000

/** Does retention runs, one after the other, beside backups. What was cut off goes on in the same run. */
export class RetentionRunner extends TaskWorker {
  readonly #parts: RetentionRunnerParts

  constructor(parts: RetentionRunnerParts) {
    super(parts, { kinds: KINDS, atOnce: 1, pollMs: POLL_MS, what: 'retention' })
    this.#parts = parts
  }

  start(): void {
    this.look()
  }

  protected override async repositoriesOf({ kind, payload }: Task): Promise<readonly string[]> {
    if (kind === RECLAIM) return [(payload as { repositoryId: string }).repositoryId]
    const { queries } = this.#parts.database
    const row = await retentionRunRows.find(queries, (payload as { runId: string }).runId)
    if (row?.repositoryId !== undefined) return [row.repositoryId]
    if (row?.organizationId === undefined) return []
    const places = await repositoryOrganizationRows.list(queries, { organizationId: row.organizationId })
    return places.map(({ repositoryId }) => repositoryId)
  }

  protected async work(task: Task, signal: AbortSignal): Promise<void> {
    const { database, tasks } = this.#parts
    if (task.kind === RECLAIM) return reclaimLater(this.#parts, task, signal)
    const row = await retentionRunRows.find(database.queries, (task.payload as { runId: string }).runId)
    if (row === undefined) return tasks.finish(database.queries, task)
    await this.#run(task, row, signal)
  }

  async #run(task: Task, row: RetentionRunRow, signal: AbortSignal): Promise<void> {
    const { database, tasks, log } = this.#parts
    log.info({ runId: row.id, repositoryId: row.repositoryId, attempt: task.attempts }, 'retention begins')
    await retentionRunRows.update(database.queries, row.id, { status: 'Running' })
    const runLog = new RunLog(this.#parts, row.id)
    if (row.status === 'Running') await runLog.note('Success', 'The run was cut off and goes on')
    const ending = await this.#do(task, row, runLog, signal).catch((error: unknown) =>
      this.#endingOf(error, row, signal),
    )
    if (ending === undefined) {
      if (signal.reason === LOST) return
      const again = new Date(this.#parts.clock.nowMs() + COME_AGAIN_MS)
      return tasks.release(task, signal.aborted ? undefined : again)
    }
    await this.#end(task, row, runLog, ending)
    log.info({ runId: row.id, status: ending.status }, 'retention ended')
  }

  /** Undefined: not now, but later. */
  async #do(
    task: Task,
    row: RetentionRunRow,
    log: RunLog,
    signal: AbortSignal,
  ): Promise<RunEnding | undefined> {
    if (task.attempts > MOST_ATTEMPTS)
      return { status: 'Failed', details: `given up: the run was cut off ${task.attempts - 1} times` }
    if (row.kind === 'PersonRemoval') {
      const keepResult = (result: object): Promise<void> => this.#keepResult(row, result)
      return removePerson(this.#parts, { row, log, keepResult, signal })
    }
    const { at, isClockConfirmed } = row.request as RetentionRequest
    return removeExpired(this.#parts, {
      repositoryId: row.repositoryId ?? '',
      at: new Date(at),
      isClockConfirmed,
      log,
      result: { ...NO_RESULT, ...row.result },
      keepResult: (result) => this.#keepResult(row, result),
      signal,
    })
  }

  async #keepResult(row: RetentionRunRow, result: object): Promise<void> {
    await retentionRunRows.update(this.#parts.database.queries, row.id, { result })
  }

  /** Undefined when the run is to go on later. */
  #endingOf(error: unknown, row: RetentionRunRow, signal: AbortSignal): RunEnding | undefined {
    if (signal.aborted) return undefined
    // Somebody is at work in the repository: a backup that began meanwhile, a program of another machine.
    if (row.kind === 'PersonRemoval' && isHoldfastError(error, 'conflict') && error.reason === 'locked')
      return undefined
    const isExpected = isHoldfastError(error)
    if (!isExpected) this.#parts.log.error({ err: error, runId: row.id }, 'retention failed')
    return {
      status: 'Failed',
      details: isExpected ? messageOf(error) : 'an unexpected error: see the log of the server',
    }
  }

  async #end(task: Task, row: RetentionRunRow, log: RunLog, ending: RunEnding): Promise<void> {
    const { database, clock, tasks } = this.#parts
    if (ending.details !== undefined)
      await log.note(ending.status === 'Failed' ? 'Error' : typeOf(ending), ending.details)
    const endTime = clock.now()
    await database.transaction(async (queries) => {
      await logRows.endOpen(queries, row.id, 'Error', endTime)
      await checkpointRows.removeAll(queries, row.id)
      await retentionRunRows.update(queries, row.id, { ...ending, endTime })
      await tasks.finish(queries, task)
    })
  }
}

const typeOf = ({ status }: RunEnding): 'Success' | 'Warning' | 'Stop' =>
  status === 'Success' ? 'Success' : status === 'Stopped' ? 'Stop' : 'Warning'
