import { cancelled, isHoldfastError, messageOf } from '#base'
import { trustLineRows, trustRunRows, type TrustRunRow } from '#database'
import type { Task, TaskQueue } from '../tasks/task-queue.ts'
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
const PULSE_MS = 10_000
/** A run that ended its process this often is given up: it would do so for ever. */
const MOST_ATTEMPTS = 10
const COME_AGAIN_MS = 60_000

const SHUTDOWN = cancelled('the server is stopping')
const STOPPED = cancelled('stopped')
const LOST = cancelled('another worker has the run')

const WORK: Readonly<Record<TrustRunKind, DoTrustWork>> = {
  Verification: verifyRepository,
  Repair: repairRepository,
  RestoreTest: testRestores,
  Recovery: recoverRepository,
}

/** Verifies, repairs and tests, one run after the other, beside backups. What was cut off goes on in the same run. */
export class TrustRunner implements AsyncDisposable {
  readonly #parts: TrustParts & { readonly tasks: TaskQueue }
  readonly #closing = new AbortController()
  #current: { readonly runId: string; readonly stop: AbortController } | undefined
  #loop: Promise<void> | undefined
  #working: Promise<void> | undefined

  constructor(parts: TrustParts & { readonly tasks: TaskQueue }) {
    this.#parts = parts
  }

  start(): void {
    this.#loop ??= this.#poll()
  }

  /** A run may have been queued: no need to wait for the next look. */
  wake(): void {
    if (this.#loop === undefined) return
    this.tick().catch((error: unknown) => this.#parts.log.error({ err: error }, 'verification not begun'))
  }

  /** A person's stop, without waiting for the next pulse. */
  stop(runId: string): void {
    if (this.#current?.runId === runId) this.#current.stop.abort(STOPPED)
  }

  /** Does all that waits. */
  async tick(): Promise<void> {
    this.#working ??= this.#workAll().finally(() => {
      this.#working = undefined
    })
    await this.#working
  }

  /** A run that is under way stops where it is and goes on at the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(SHUTDOWN)
    await this.#loop
    await this.#working?.catch(() => undefined)
  }

  async #poll(): Promise<void> {
    const { clock, log } = this.#parts
    while (!this.#closing.signal.aborted) {
      await this.tick().catch((error: unknown) => log.error({ err: error }, 'verification not begun'))
      await clock.sleep(POLL_MS, this.#closing.signal).catch(() => undefined)
    }
  }

  async #workAll(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      const task = await this.#parts.tasks.lease(TRUST)
      if (task === undefined) return
      await this.#work(task)
    }
  }

  async #work(task: Task): Promise<void> {
    const { database, tasks } = this.#parts
    const { runId } = task.payload as { runId: string }
    const row = await trustRunRows.find(database.queries, runId)
    if (row === undefined) return tasks.finish(database.queries, task)
    const stop = new AbortController()
    const pulsing = new AbortController()
    this.#current = { runId, stop }
    const pulse = this.#pulse(task, stop, pulsing.signal)
    if ((await tasks.pulse(task)) === 'stop-requested') stop.abort(STOPPED)
    try {
      await this.#run(task, row, AbortSignal.any([stop.signal, this.#closing.signal]))
    } finally {
      this.#current = undefined
      pulsing.abort()
      await pulse
    }
  }

  /** Says that the run is alive, and hears of stops. */
  async #pulse(task: Task, stop: AbortController, done: AbortSignal): Promise<void> {
    const { clock, tasks, log } = this.#parts
    while (!done.aborted) {
      await clock.sleep(PULSE_MS, done).catch(() => undefined)
      if (done.aborted) return
      const pulse = await tasks.pulse(task).catch((error: unknown) => {
        log.warn({ err: error, runId: task.id }, 'pulse failed')
        return 'goes-on' as const
      })
      if (pulse === 'lost') stop.abort(LOST)
      if (pulse === 'stop-requested') stop.abort(STOPPED)
    }
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
