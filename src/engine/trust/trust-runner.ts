import { isHoldfastError, messageOf } from '#base'
import { trustLineRows, trustRunRows, type TrustRunRow } from '#database'
import type { RepositoryGate } from '../tasks/repository-gate.ts'
import type { Task, TaskQueue } from '../tasks/task-queue.ts'
import { LOST, MOST_ATTEMPTS, STOPPED, TaskWorker } from '../tasks/task-worker.ts'
import { recoverRepository } from './recover-repository.ts'
import { repairRepository } from './repair-repository.ts'
import { testRestores } from './test-restores.ts'
import {
  NO_TRUST_RESULT,
  TRUST,
  type TrustEnding,
  type TrustRequest,
  type TrustResult,
  type TrustRunKind,
} from './trust-run.ts'
import type { DoTrustWork, TrustParts, TrustWork } from './trust-work.ts'
import { verifyRepository } from './verify-repository.ts'

const POLL_MS = 2_000
const COME_AGAIN_MS = 60_000

const WORK: Readonly<Record<TrustRunKind, DoTrustWork>> = {
  Verification: verifyRepository,
  Repair: repairRepository,
  RestoreTest: testRestores,
  Recovery: recoverRepository,
}

export interface TrustRunnerParts extends TrustParts {
  readonly tasks: TaskQueue
  readonly gate?: RepositoryGate
}

/** Verifies, repairs and tests, one run after the other, beside backups. What was cut off goes on in the same run. */
export class TrustRunner extends TaskWorker {
  readonly #parts: TrustRunnerParts

  constructor(parts: TrustRunnerParts) {
    super(parts, { kinds: [TRUST], atOnce: 1, pollMs: POLL_MS, what: 'verification' })
    this.#parts = parts
  }

  start(): void {
    this.look()
  }

  /** A person's stop, without waiting for the next pulse. */
  stop(runId: string): void {
    this.stopTasks(({ payload }) => (payload as { runId: string }).runId === runId)
  }

  protected override async repositoriesOf({ payload }: Task): Promise<readonly string[]> {
    const row = await trustRunRows.find(this.#parts.database.queries, (payload as { runId: string }).runId)
    return row === undefined ? [] : [row.repositoryId]
  }

  protected async work(task: Task, signal: AbortSignal): Promise<void> {
    const { database, tasks } = this.#parts
    const { runId } = task.payload as { runId: string }
    const row = await trustRunRows.find(database.queries, runId)
    if (row === undefined) return tasks.finish(database.queries, task)
    await this.#run(task, row, signal)
  }

  async #run(task: Task, row: TrustRunRow, signal: AbortSignal): Promise<void> {
    const { clock, database, tasks, log } = this.#parts
    const { id, kind, repositoryId } = row
    log.info({ runId: id, kind, repositoryId, attempt: task.attempts }, 'looking after a repository')
    await trustRunRows.update(database.queries, id, { status: 'Running' })
    const ending = await this.#do(task, row, signal).catch((error: unknown) =>
      this.#endingOf(error, row, signal),
    )
    if (ending === undefined) {
      if (signal.reason === LOST) return
      return tasks.release(task, signal.aborted ? undefined : new Date(clock.nowMs() + COME_AGAIN_MS))
    }
    await database.transaction(async (queries) => {
      await trustRunRows.update(queries, id, { ...ending, endTime: clock.now() })
      await tasks.finish(queries, task)
    })
    log.info({ runId: id, kind, status: ending.status }, 'looked after a repository')
  }

  /** Undefined: not now, but later. */
  async #do(task: Task, row: TrustRunRow, signal: AbortSignal): Promise<TrustEnding | undefined> {
    if (task.attempts > MOST_ATTEMPTS)
      return { status: 'Failed', details: `given up: the run was cut off ${task.attempts - 1} times` }
    const { queries } = this.#parts.database
    const work: TrustWork = {
      run: row,
      request: row.request as TrustRequest,
      result: { ...NO_TRUST_RESULT, ...row.result },
      keep: (result: TrustResult) => trustRunRows.update(queries, row.id, { result }),
      tell: (line) => trustLineRows.add(queries, row.id, line),
      signal,
    }
    return WORK[row.kind](this.#parts, work)
  }

  /** Undefined when the run is to go on later. */
  #endingOf(error: unknown, row: TrustRunRow, signal: AbortSignal): TrustEnding | undefined {
    if (signal.aborted && signal.reason === STOPPED) return { status: 'Stopped', details: 'stopped' }
    if (signal.aborted) return undefined
    // Somebody is at work in the repository: a clean-up, a program of another machine.
    if (isHoldfastError(error, 'conflict') && error.reason === 'locked') return undefined
    const isExpected = isHoldfastError(error)
    if (!isExpected) this.#parts.log.error({ err: error, runId: row.id }, 'looking after a repository failed')
    const details = isExpected ? messageOf(error) : 'an unexpected error: see the log of the server'
    return { status: 'Failed', details }
  }
}
