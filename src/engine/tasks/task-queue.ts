import { conflict, type Clock, type Random } from '#base'
import { isDuplicate, taskRows, type Database, type Queries, type TaskRow } from '#database'

/** A piece of work that survives the process that does it. */
export interface Task {
  readonly id: string
  readonly kind: string
  readonly key: string
  readonly payload: object
  readonly runAt: Date
  /** How often it was begun; a number that grows without an end means that it ends its process. */
  readonly attempts: number
  readonly isLeased: boolean
}

export interface NewTask {
  readonly kind: string
  /** At most one task of a kind has a key until it is finished. */
  readonly key: string
  readonly payload: object
  readonly runAt?: Date
}

/** What a worker learns when it says that it is alive. `lost`: another one has the task by now. */
export type Pulse = 'goes-on' | 'stop-requested' | 'lost'

/**
 * Tasks with leases: who takes one has to keep telling that it is alive, else another may take it. Calls that change
 * several things take the queries of the transaction they belong to.
 */
export interface TaskQueue {
  /** `conflict` when a task of this kind and key is there. */
  add(queries: Queries, task: NewTask): Promise<Task>
  /** The longest waiting one that is due; undefined when there is none. */
  lease(kind: string): Promise<Task | undefined>
  pulse(task: Task): Promise<Pulse>
  finish(queries: Queries, task: Pick<Task, 'id'>): Promise<void>
  /** Gives a task back unfinished. */
  release(task: Task, runAt?: Date): Promise<void>
  find(queries: Queries, kind: string, key: string): Promise<Task | undefined>
  /** Asks whoever works on it to stop. False when there is no such task. */
  requestStop(kind: string, key: string): Promise<boolean>
  /** Takes the leases of workers that cannot be alive, when this process is the only one. */
  takeOver(): Promise<void>
}

export const LEASE_MS = 60_000

/** The queue of the embedded server: a table. One process works on it at a time. */
export class TableTaskQueue implements TaskQueue {
  readonly #database: Database
  readonly #clock: Clock
  readonly #random: Random
  readonly #owner: string

  constructor(parts: { readonly database: Database; readonly clock: Clock; readonly random: Random }) {
    this.#database = parts.database
    this.#clock = parts.clock
    this.#random = parts.random
    this.#owner = parts.random.uuid()
  }

  async add(queries: Queries, task: NewTask): Promise<Task> {
    const now = this.#clock.now()
    const row: TaskRow = {
      id: this.#random.uuid(),
      kind: task.kind,
      key: task.key,
      payload: task.payload,
      runAt: task.runAt ?? now,
      attempts: 0,
      stopRequested: false,
      createdAt: now,
    }
    await taskRows.insert(queries, row).catch((error: unknown) => {
      throw isDuplicate(error) ? conflict(`a task ${task.kind} of this key is there already`) : error
    })
    return this.#present(row)
  }

  async lease(kind: string): Promise<Task | undefined> {
    const at = this.#clock.now()
    const row = await this.#database.transaction((queries) =>
      taskRows.lease(queries, { kind, owner: this.#owner, at, until: new Date(at.getTime() + LEASE_MS) }),
    )
    return row && this.#present(row)
  }

  async pulse(task: Task): Promise<Pulse> {
    const { queries } = this.#database
    const until = new Date(this.#clock.nowMs() + LEASE_MS)
    if (!(await taskRows.extend(queries, task.id, this.#owner, until))) return 'lost'
    const row = await taskRows.find(queries, task.id)
    return row?.stopRequested === true ? 'stop-requested' : 'goes-on'
  }

  async finish(queries: Queries, task: Pick<Task, 'id'>): Promise<void> {
    await taskRows.remove(queries, task.id)
  }

  async release(task: Task, runAt?: Date): Promise<void> {
    await taskRows.release(this.#database.queries, task.id, this.#owner, runAt ?? this.#clock.now())
  }

  async find(queries: Queries, kind: string, key: string): Promise<Task | undefined> {
    const row = await taskRows.findByKey(queries, kind, key)
    return row && this.#present(row)
  }

  async requestStop(kind: string, key: string): Promise<boolean> {
    return taskRows.requestStop(this.#database.queries, kind, key)
  }

  async takeOver(): Promise<void> {
    await taskRows.releaseOthers(this.#database.queries, this.#owner)
  }

  #present(row: TaskRow): Task {
    const { id, kind, key, payload, runAt, attempts } = row
    return { id, kind, key, payload, runAt, attempts, isLeased: row.leaseOwner !== undefined }
  }
}
