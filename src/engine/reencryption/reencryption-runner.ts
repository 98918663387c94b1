import { isHoldfastError, messageOf, type Logger } from '#base'
import {
  organizationFolderRows,
  reencryptionRows,
  repositoryOrganizationRows,
  repositoryRows,
  type Database,
  type ReencryptionRow,
} from '#database'
import type { Task, TaskQueue } from '../tasks/task-queue.ts'
import { LOST, MOST_ATTEMPTS, STOPPED, TaskWorker } from '../tasks/task-worker.ts'
import { reencryptOrganization, type ReencryptParts } from './reencrypt-organization.ts'
import {
  FORMER_FOLDERS,
  NO_REENCRYPTION,
  REENCRYPTION,
  type ReencryptedOrganization,
  type ReencryptionEnding,
  type ReencryptionResult,
} from './reencryption-run.ts'

export interface ReencryptionRunnerParts extends ReencryptParts {
  readonly database: Database
  readonly tasks: TaskQueue
  readonly log: Logger
  /** Told when a new key came into force: what an earlier recovery kit holds opens nothing any more. */
  readonly onTurned?: () => void
}

const POLL_MS = 2_000
const COME_AGAIN_MS = 60_000
const HOUR_MS = 3_600_000
/** Numbers are written down at most so often. */
const KEEP_MS = 1_000

/** Writes repositories again under new master keys, one after the other, beside backups. What was cut off goes on. */
export class ReencryptionRunner extends TaskWorker {
  readonly #parts: ReencryptionRunnerParts
  #lookedAtMs = Number.NEGATIVE_INFINITY

  constructor(parts: ReencryptionRunnerParts) {
    super(
      // Its own gate is one that it closes itself.
      { tasks: parts.tasks, clock: parts.clock, log: parts.log },
      { kinds: [REENCRYPTION, FORMER_FOLDERS], atOnce: 1, pollMs: POLL_MS, what: 'encryption' },
    )
    this.#parts = parts
  }

  start(): void {
    this.look()
  }

  /** A person's stop, without waiting for the next pulse. */
  stop(runId: string): void {
    this.stopTasks(({ payload }) => (payload as { runId?: string }).runId === runId)
  }

  /** Folders that are not in force any more and may be removed. */
  protected override async queueDue(): Promise<void> {
    const { clock, database, tasks } = this.#parts
    if (Math.abs(clock.nowMs() - this.#lookedAtMs) < HOUR_MS) return
    this.#lookedAtMs = clock.nowMs()
    const { items } = await repositoryRows.list(database.queries)
    for (const { id: repositoryId } of items) {
      const former = await organizationFolderRows.list(database.queries, { repositoryId, state: 'Former' })
      if (former.every(({ keptUntil }) => keptUntil !== undefined && keptUntil > clock.now())) continue
      await database.transaction(async (queries) => {
        if ((await tasks.find(queries, REENCRYPTION, repositoryId)) !== undefined) return
        if ((await tasks.find(queries, FORMER_FOLDERS, repositoryId)) !== undefined) return
        await tasks.add(queries, { kind: FORMER_FOLDERS, key: repositoryId, payload: { repositoryId } })
      })
    }
  }

  protected async work(task: Task, signal: AbortSignal): Promise<void> {
    const { database, tasks } = this.#parts
    if (task.kind === FORMER_FOLDERS) return this.#removeFormer(task, signal)
    const { runId } = task.payload as { runId: string }
    const row = await reencryptionRows.find(database.queries, runId)
    if (row === undefined) return tasks.finish(database.queries, task)
    await this.#run(task, row, signal)
  }

  async #run(task: Task, row: ReencryptionRow, signal: AbortSignal): Promise<void> {
    const { clock, database, tasks, log } = this.#parts
    const { id, repositoryId } = row
    log.info({ runId: id, repositoryId, attempt: task.attempts }, 'encrypting a repository anew')
    await reencryptionRows.update(database.queries, id, { status: 'Running' })
    const progress = new Progress(this.#parts, row)
    const ending = await this.#do(task, row, progress, signal).catch((error: unknown) =>
      this.#endingOf(error, id, progress, signal),
    )
    if (ending === undefined) {
      if (signal.reason === LOST) return
      return tasks.release(task, signal.aborted ? undefined : new Date(clock.nowMs() + COME_AGAIN_MS))
    }
    await database.transaction(async (queries) => {
      await reencryptionRows.update(queries, id, { ...ending, endTime: clock.now() })
      await tasks.finish(queries, task)
    })
    this.#lookedAtMs = Number.NEGATIVE_INFINITY
    log.info({ runId: id, status: ending.status }, 'encrypted a repository anew')
  }

  async #do(
    task: Task,
    row: ReencryptionRow,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<ReencryptionEnding> {
    if (task.attempts > MOST_ATTEMPTS)
      return { status: 'Failed', details: `given up: the run was cut off ${task.attempts - 1} times` }
    await progress.begin()
    for (const organization of progress.result.organizations) {
      if (organization.step === 'Done') continue
      signal.throwIfAborted()
      const { organizationId } = organization
      await reencryptOrganization(this.#parts, {
        repositoryId: row.repositoryId,
        organization,
        tell: (changes) => progress.tell(organizationId, changes),
        turned: (queries, changes) => progress.turned(queries, organizationId, changes),
        signal,
      })
      this.#parts.onTurned?.()
    }
    return endingOf(progress.result.organizations)
  }

  /** Undefined when the run is to go on later. */
  #endingOf(
    error: unknown,
    runId: string,
    progress: Progress,
    signal: AbortSignal,
  ): ReencryptionEnding | undefined {
    const left = 'what was written serves the next run'
    if (signal.aborted && signal.reason === STOPPED) return { status: 'Stopped', details: `stopped; ${left}` }
    if (signal.aborted) return undefined
    // Somebody is at work in the repository: a program of another machine, a change of its passwords.
    if (isHoldfastError(error, 'conflict') && error.reason === 'locked') return undefined
    // The new key is in force: what is left is done whenever the storage lets it.
    if (isHoldfastError(error) && progress.isTurned) {
      this.#parts.log.warn({ runId, message: messageOf(error) }, 'data under an earlier key not removed yet')
      return undefined
    }
    const isExpected = isHoldfastError(error)
    if (!isExpected) this.#parts.log.error({ err: error, runId }, 'encryption failed')
    const details = isExpected ? messageOf(error) : 'an unexpected error: see the log of the server'
    return { status: 'Failed', details: `${details}; ${left}` }
  }

  async #removeFormer(task: Task, signal: AbortSignal): Promise<void> {
    const { database, tasks, log, repositories } = this.#parts
    const { repositoryId } = task.payload as { repositoryId: string }
    try {
      for (const { organizationId } of await repositoryOrganizationRows.list(database.queries, {
        repositoryId,
      })) {
        const placed = await repositories.folders.placed(repositoryId, organizationId)
        for (const former of await repositories.folders.former(placed.row))
          await repositories.folders.removeFormer(placed, former, signal)
      }
    } catch (error) {
      if (signal.aborted) return tasks.release(task)
      // Looked for again in an hour.
      log.warn({ repositoryId, message: messageOf(error) }, 'data under an earlier key not removed yet')
    }
    await tasks.finish(database.queries, task)
  }
}

const endingOf = (organizations: readonly ReencryptedOrganization[]): ReencryptionEnding => {
  const snapshots = organizations.reduce((sum, one) => sum + one.snapshots, 0)
  const kept = organizations.flatMap(({ formerKeptUntil }) => formerKeptUntil ?? []).sort()
  const done =
    organizations.length === 0
      ? 'the repository holds nothing yet'
      : `${snapshots} restore points of ${organizations.length} organizations have a new master key; ` +
        'a recovery kit made before opens them no more'
  if (kept.length === 0) return { status: 'Success', details: done }
  return {
    status: 'Warning',
    details: `${done}; the storage keeps what the earlier key opens until ${kept.at(-1)}, when it is removed`,
  }
}

/** What is written down of a run. */
class Progress {
  readonly #parts: ReencryptionRunnerParts
  readonly #row: ReencryptionRow
  #result: ReencryptionResult
  #keptAtMs = Number.NEGATIVE_INFINITY
  #keeping: Promise<void> = Promise.resolve()

  constructor(parts: ReencryptionRunnerParts, row: ReencryptionRow) {
    this.#parts = parts
    this.#row = row
    this.#result = { ...NO_REENCRYPTION, ...row.result }
  }

  get result(): ReencryptionResult {
    return this.#result
  }

  /** Whether the new key of an organization is in force and something is left to be done for it. */
  get isTurned(): boolean {
    return this.#result.organizations.some(({ step }) => step === 'Removing')
  }

  async begin(): Promise<void> {
    if (this.#result.organizations.length > 0) return
    const { queries } = this.#parts.database
    const rows = await repositoryOrganizationRows.list(queries, { repositoryId: this.#row.repositoryId })
    const organizations = rows.map(({ organizationId, organizationName: name }) => ({
      ...{ organizationId, name, step: 'Queued' as const },
      ...{ snapshots: 0, copiedBlobs: 0, writtenBytes: 0, verifiedPacks: 0 },
    }))
    this.#result = { organizations }
    await this.#keep()
  }

  /** A new step is written down at once, numbers now and then. */
  async tell(organizationId: string, changes: Partial<ReencryptedOrganization>): Promise<void> {
    const before = this.#result.organizations.find((one) => one.organizationId === organizationId)
    this.#result = changed(this.#result, organizationId, changes)
    const nowMs = this.#parts.clock.nowMs()
    if (before?.step === changes.step && Math.abs(nowMs - this.#keptAtMs) < KEEP_MS) return
    this.#keptAtMs = nowMs
    await this.#keep()
  }

  async turned(
    queries: Parameters<typeof reencryptionRows.update>[0],
    organizationId: string,
    changes: Partial<ReencryptedOrganization>,
  ): Promise<void> {
    const result = changed(this.#result, organizationId, changes)
    await reencryptionRows.update(queries, this.#row.id, { result })
  }

  async #keep(): Promise<void> {
    const keeping = this.#keeping.then(() =>
      reencryptionRows.update(this.#parts.database.queries, this.#row.id, { result: this.#result }),
    )
    this.#keeping = keeping.catch(() => undefined)
    await keeping
  }
}

const changed = (
  { organizations }: ReencryptionResult,
  organizationId: string,
  changes: Partial<ReencryptedOrganization>,
): ReencryptionResult => ({
  organizations: organizations.map((one) => {
    if (one.organizationId !== organizationId) return one
    const { formerFolder: _, formerKeptUntil: __, ...rest } = one
    return { ...rest, ...changes }
  }),
})
