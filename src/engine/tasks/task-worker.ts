import { cancelled, type Clock, type Logger } from '#base'
import type { RepositoryGate } from './repository-gate.ts'
import type { Task, TaskQueue } from './task-queue.ts'

/** Why a task's signal is aborted: the server ends and the task goes on later, a person's stop, or a lease that is gone. */
export const SHUTDOWN = cancelled('the server is stopping')
export const STOPPED = cancelled('stopped')
export const LOST = cancelled('another worker has the run')

/** A task that ended its process this often is given up: it would do so for ever. */
export const MOST_ATTEMPTS = 10

const PULSE_MS = 10_000

export interface TaskWorkerParts {
  readonly tasks: TaskQueue
  /** Who works in which repository; absent: nobody has to wait. */
  readonly gate?: RepositoryGate
  readonly clock: Clock
  readonly log: Logger
}

export interface TaskWorkerOptions {
  /** In the order in which they are looked for. */
  readonly kinds: readonly string[]
  readonly atOnce: number
  readonly pollMs: number
  /** For the log: `copies`. */
  readonly what: string
}

interface ActiveTask {
  readonly task: Task
  readonly stop: AbortController
  readonly ended: Promise<void>
}

/**
 * Takes tasks of some kinds from the queue and does them, so many at a time, telling the queue that they are alive. A task
 * that was cut off, by a stop of the server or by its death, is taken again.
 */
export abstract class TaskWorker implements AsyncDisposable {
  readonly #parts: TaskWorkerParts
  readonly #options: TaskWorkerOptions
  readonly #active = new Map<string, ActiveTask>()
  readonly #closing = new AbortController()
  #loop: Promise<void> | undefined
  #ticking: Promise<number> | undefined

  constructor(parts: TaskWorkerParts, options: TaskWorkerOptions) {
    this.#parts = parts
    this.#options = options
  }

  /** Does a task and finishes or releases it. */
  protected abstract work(task: Task, signal: AbortSignal): Promise<void>

  /** Those that the task looks into or writes to: it begins when none of them is closed. */
  protected repositoriesOf(_task: Task): Promise<readonly string[]> {
    return Promise.resolve([])
  }

  /** Before each look: queues what is due. */
  protected queueDue(): Promise<void> {
    return Promise.resolve()
  }

  /** Asked with each pulse: why a task has to stop, other than by a person. */
  protected reasonToStop(_task: Task): Promise<Error | undefined> {
    return Promise.resolve(undefined)
  }

  /** Looks for tasks until disposed of. */
  protected look(): void {
    this.#loop ??= this.#poll()
  }

  /** A person's stop, without waiting for the next pulse. False when no such task is under way here. */
  protected stopTasks(isMeant: (task: Task) => boolean): boolean {
    const meant = [...this.#active.values()].filter(({ task }) => isMeant(task))
    for (const { stop } of meant) stop.abort(STOPPED)
    return meant.length > 0
  }

  /** Queues what is due and begins what fits. Returns how many tasks were begun. */
  async tick(): Promise<number> {
    this.#ticking ??= this.queueDue()
      .then(() => this.#begin())
      .finally(() => {
        this.#ticking = undefined
      })
    return this.#ticking
  }

  /** Resolves when no task is under way. */
  async idle(): Promise<void> {
    while (this.#active.size > 0) await Promise.all([...this.#active.values()].map(({ ended }) => ended))
  }

  /** Does all that waits. */
  async drain(): Promise<void> {
    let begun: number
    do {
      begun = await this.tick()
      await this.idle()
    } while (begun > 0)
  }

  /** A task may have been queued: no need to wait for the next look. */
  wake(): void {
    if (this.#loop === undefined || this.#closing.signal.aborted) return
    this.tick().catch((error: unknown) => this.#notBegun(error))
  }

  /** Tasks that are under way stop where they are and go on at the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(SHUTDOWN)
    await this.#loop
    await this.#ticking?.catch(() => undefined)
    for (const { stop } of this.#active.values()) stop.abort(SHUTDOWN)
    await this.idle()
  }

  async #poll(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      await this.tick().catch((error: unknown) => this.#notBegun(error))
      await this.#parts.clock.sleep(this.#options.pollMs, this.#closing.signal).catch(() => undefined)
    }
  }

  #notBegun(error: unknown): void {
    this.#parts.log.error({ err: error }, `${this.#options.what} not begun`)
  }

  async #begin(): Promise<number> {
    let begun = 0
    while (this.#active.size < this.#options.atOnce && !this.#closing.signal.aborted) {
      const task = await this.#lease()
      if (task === undefined) return begun
      const stop = new AbortController()
      const ended = this.#doTask(task, stop)
        .catch((error: unknown) =>
          this.#parts.log.error({ err: error, key: task.key }, `${this.#options.what} not ended`),
        )
        .finally(() => this.#active.delete(task.id))
      this.#active.set(task.id, { task, stop, ended })
      begun += 1
    }
    return begun
  }

  async #lease(): Promise<Task | undefined> {
    for (const kind of this.#options.kinds) {
      const task = await this.#parts.tasks.lease(kind)
      if (task !== undefined) return task
    }
    return undefined
  }

  async #doTask(task: Task, stop: AbortController): Promise<void> {
    const done = new AbortController()
    // A stop may have been asked for while nobody worked on it.
    if ((await this.#pulse(task)) === 'stop-requested') stop.abort(STOPPED)
    const pulsing = this.#keepAlive(task, stop, done.signal)
    try {
      using _pass = await this.#parts.gate?.enter(await this.repositoriesOf(task), stop.signal)
      await this.work(task, stop.signal)
    } finally {
      done.abort()
      await pulsing
    }
  }

  async #keepAlive(task: Task, stop: AbortController, done: AbortSignal): Promise<void> {
    while (!done.aborted) {
      await this.#parts.clock.sleep(PULSE_MS, done).catch(() => undefined)
      if (done.aborted) return
      const pulse = await this.#pulse(task)
      if (pulse === 'lost') stop.abort(LOST)
      if (pulse === 'stop-requested') stop.abort(STOPPED)
      const reason = await this.reasonToStop(task)
      if (reason !== undefined) stop.abort(reason)
    }
  }

  #pulse(task: Task) {
    return this.#parts.tasks.pulse(task).catch((error: unknown) => {
      this.#parts.log.warn({ err: error, key: task.key }, 'pulse failed')
      return 'goes-on' as const
    })
  }
}
