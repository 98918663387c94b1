import type { Clock, Random } from '#base'
import type { Queries, TrustRunRow } from '#database'
import { trustRunRows } from '#database'
import type { SessionStatus } from '../sessions/job-session.ts'
import type { TaskQueue } from '../tasks/task-queue.ts'

export const TRUST = 'trust'

export type TrustRunKind = TrustRunRow['kind']

/** Whose data a verification reads: none, all, or the next share of thirty. */
export type DataChoice = 'none' | 'share' | 'all'

export interface TrustRequest {
  readonly data?: DataChoice
  /** Tells what would be done, and does nothing. */
  readonly dryRun?: boolean
  /** Of a restore test: chooses the samples; the same seed chooses the same ones. */
  readonly seed?: number
  readonly itemsPerObject?: number
  /** Of a recovery: the moment to come back to. */
  readonly to?: string
  /** Of a repair: writes restore points again without what nobody has. */
  readonly leaveOutLost?: boolean
}

/** Numbers of a run, so far. What does not belong to its kind stays 0. */
export interface TrustResult {
  /** Shards that are done, so that a run which was cut off goes on. */
  readonly done: readonly string[]
  readonly packs: number
  readonly snapshots: number
  readonly readPacks: number
  readonly readBytes: number
  readonly problems: number
  readonly damagedItems: number
  readonly healedItems: number
  readonly tested: number
  readonly equal: number
  readonly differing: number
  readonly notComparable: number
  /** Files that a recovery uncovered, restored and set aside. */
  readonly uncovered: number
  readonly restored: number
  readonly setAside: number
}

export const NO_TRUST_RESULT: TrustResult = {
  done: [],
  packs: 0,
  snapshots: 0,
  readPacks: 0,
  readBytes: 0,
  problems: 0,
  damagedItems: 0,
  healedItems: 0,
  tested: 0,
  equal: 0,
  differing: 0,
  notComparable: 0,
  uncovered: 0,
  restored: 0,
  setAside: 0,
}

export interface TrustRun extends Omit<TrustResult, 'done'> {
  readonly id: string
  readonly kind: TrustRunKind
  readonly repositoryId: string
  readonly initiatedBy: string
  readonly status: SessionStatus
  readonly creationTime: Date
  readonly endTime?: Date
  readonly details?: string
  readonly request: TrustRequest
}

export const presentTrustRun = (row: TrustRunRow): TrustRun => {
  const { done: _, ...numbers } = { ...NO_TRUST_RESULT, ...row.result }
  const { result: __, request, status, ...rest } = row
  return { ...numbers, ...rest, status: status as SessionStatus, request: request as TrustRequest }
}

/** How a run ended. */
export interface TrustEnding {
  readonly status: 'Success' | 'Warning' | 'Failed' | 'Stopped'
  readonly details?: string
}

/** Makes the task and the run. `conflict` while one of this kind runs or waits for this repository. */
export const requestTrustRun = async (
  { tasks, clock, random }: { readonly tasks: TaskQueue; readonly clock: Clock; readonly random: Random },
  queries: Queries,
  wanted: {
    readonly kind: TrustRunKind
    readonly repositoryId: string
    readonly initiatedBy: string
    readonly request: TrustRequest
  },
): Promise<TrustRunRow> => {
  const row: TrustRunRow = {
    ...wanted,
    id: random.uuid(),
    status: 'Queued',
    creationTime: clock.now(),
    result: NO_TRUST_RESULT,
  }
  const key = `${wanted.kind}/${wanted.repositoryId}`
  // Due whatever the clock shows: one that is set back must not leave the run waiting.
  await tasks.add(queries, { kind: TRUST, key, payload: { runId: row.id }, runAt: new Date(0) })
  await trustRunRows.insert(queries, row)
  return row
}
