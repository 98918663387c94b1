import { isHoldfastError, type Clock, type Logger } from '#base'
import { repositoryRows } from '#database'
import type { Task, TaskQueue } from '../tasks/task-queue.ts'
import { isBackedUpNow } from './person-removals.ts'
import { pruneGraceOf } from './prune-grace.ts'
import { reclaimSpace } from './reclaim-space.ts'
import { openShards, type ContentsParts } from './repository-contents.ts'

export const RECLAIM = 'reclaim-space'

export interface ReclaimParts extends ContentsParts {
  readonly tasks: TaskQueue
  readonly clock: Clock
  readonly log: Logger
  readonly graceMs?: number
}

const HOUR_MS = 3_600_000
/** A date of which nobody knows, or which has passed without effect, is looked at again after so long. */
const AGAIN_MS = HOUR_MS
const AFTER_MS = 1_000

/** Packs of a repository wait: they are removed when their time has come, without waiting for the next clean-up. */
export const queueReclaim = async (
  { tasks, database }: Pick<ReclaimParts, 'tasks' | 'database'>,
  repositoryId: string,
  waitingUntil: Date,
): Promise<void> => {
  await database.transaction(async (queries) => {
    const there = await tasks.find(queries, RECLAIM, repositoryId)
    if (there !== undefined) {
      if (there.isLeased) return
      await tasks.finish(queries, there)
    }
    const runAt = new Date(waitingUntil.getTime() + AFTER_MS)
    await tasks.add(queries, { kind: RECLAIM, key: repositoryId, payload: { repositoryId }, runAt })
  })
}

/** Removes the packs whose time has come, and comes again while others wait. */
export const reclaimLater = async (parts: ReclaimParts, task: Task, signal: AbortSignal): Promise<void> => {
  const { database, tasks, clock, log } = parts
  const { repositoryId } = task.payload as { repositoryId: string }
  if ((await repositoryRows.find(database.queries, repositoryId)) === undefined)
    return tasks.finish(database.queries, task)
  try {
    const next = await reclaimDue(parts, repositoryId, signal)
    if (next === undefined) return await tasks.finish(database.queries, task)
    await tasks.release(task, new Date(Math.max(next.getTime() + AFTER_MS, clock.nowMs() + AGAIN_MS)))
  } catch (error) {
    if (signal.aborted) return tasks.release(task)
    const reason = isHoldfastError(error) ? { message: error.message } : { err: error }
    log.warn({ repositoryId, ...reason }, 'space not given back yet')
    await tasks.release(task, new Date(clock.nowMs() + AGAIN_MS))
  }
}

/** When to come again; undefined when nothing waits any more. */
const reclaimDue = async (
  parts: ReclaimParts,
  repositoryId: string,
  signal: AbortSignal,
): Promise<Date | undefined> => {
  const { database, clock } = parts
  const { graceMs } = await pruneGraceOf(database.queries, repositoryId, parts.graceMs ?? 0)
  let next: Date | undefined
  const comeAt = (at: Date): void => void (next = next === undefined || at < next ? at : next)
  for (const shard of await openShards(parts, { repositoryId }, signal)) {
    // It may go on from what only a forgotten point held.
    if (await isBackedUpNow(parts, shard.organizationId)) {
      comeAt(clock.now())
      continue
    }
    const keep = async () => Promise.resolve([])
    const given = await reclaimSpace(database.queries, shard.repository, { keep, graceMs }, signal)
    if (given.postponed !== undefined) comeAt(clock.now())
    if (given.waitingBytes > 0) comeAt(given.waitingUntil ?? clock.now())
  }
  return next
}
