import { isHoldfastError, type HoldfastError } from '#base'
import type { BlobId, SnapshotId } from '#repository'
import type { TaskQueue } from '../tasks/task-queue.ts'
import type { OrganizationShard } from '../repositories/organization-shards.ts'
import type { ClockGuard } from './clock-guard.ts'
import { doubtByPoints } from './clock-guard.ts'
import { holdsInForce } from './legal-holds.ts'
import { keepHeldAlone } from './keep-held.ts'
import { isBackedUpNow } from './person-removals.ts'
import { heldKeys, planPoints, type PointVerdict } from './plan-points.ts'
import { agedPoints, removeAgedItems } from './remove-items.ts'
import { locksOf } from './point-locks.ts'
import { pruneGraceOf } from './prune-grace.ts'
import { queueReclaim } from './reclaim-later.ts'
import { reclaimSpace } from './reclaim-space.ts'
import {
  openShards,
  retentionFacts,
  storedPoints,
  syncShard,
  type ContentsParts,
  type StoredPoint,
} from './repository-contents.ts'
import { NO_RESULT, type RetentionResult, type RunEnding } from './retention-run.ts'
import type { RunLog } from './run-log.ts'

export interface Expiry {
  readonly repositoryId: string
  /** Ages count from here. */
  readonly at: Date
  readonly isClockConfirmed: boolean
  readonly log: RunLog
  /** What an earlier attempt did, and where to write down what this one does. */
  readonly result: RetentionResult
  readonly keepResult: (result: RetentionResult) => Promise<void>
  readonly signal: AbortSignal
}

/** What a repository holds at a moment, judged. The preview and the run both come from here. */
export const judgeRepository = async (
  parts: ContentsParts,
  repositoryId: string,
  at: Date,
  { givesBack, signal }: { readonly givesBack: boolean; readonly signal?: AbortSignal | undefined },
): Promise<{
  readonly shards: readonly OrganizationShard[]
  readonly points: readonly StoredPoint[]
  readonly verdicts: readonly PointVerdict[]
}> => {
  const facts = await retentionFacts(parts, repositoryId)
  const shards = await openShards(parts, { repositoryId, givesBack }, signal)
  const stored = await storedPoints(shards, parts.database.queries)
  const planned = planPoints({ ...facts, points: stored, now: at })
  // Dates are asked of the storage one by one: only where they decide.
  const asked = new Set(
    planned
      .filter(
        ({ goes, heldAlone, itemCutoff }) => goes || heldAlone !== undefined || itemCutoff !== undefined,
      )
      .map(({ point }) => point.id),
  )
  const { queries } = parts.database
  const inQuestion = stored.filter(({ id }) => asked.has(id))
  const locks = await locksOf({ ...parts, queries }, repositoryId, inQuestion, signal)
  if (locks.size === 0) return { shards, points: stored, verdicts: planned }
  const points = stored.map((point) => {
    const lockedUntil = locks.get(point.id)
    return lockedUntil === undefined ? point : { ...point, lockedUntil }
  })
  return { shards, points, verdicts: planPoints({ ...facts, points, now: at }) }
}

/** Removes from a repository what no rule keeps. May be cut off anywhere and called again. */
export const removeExpired = async (
  parts: RemovalParts & { readonly guard: ClockGuard; readonly clock: { now(): Date } },
  expiry: Expiry,
): Promise<RunEnding> => {
  const doubted = await parts.guard.look()
  const now = parts.clock.now()
  // A run that was asked for while the clock was ahead counts from the time that it is now.
  const at = expiry.at < now ? expiry.at : now
  const { shards, points, verdicts } = await judgeRepository(parts, expiry.repositoryId, at, {
    givesBack: true,
    signal: expiry.signal,
  })
  const doubt = doubted ?? (expiry.isClockConfirmed ? undefined : doubtByPoints(points, now))
  if (doubt !== undefined) {
    const going = verdicts.filter(({ goes }) => goes).length
    return { status: 'Warning', details: `Nothing was removed (${going} points were to go): ${doubt}` }
  }
  const { graceMs } = await pruneGraceOf(parts.database.queries, expiry.repositoryId, parts.graceMs ?? 0)
  const removal = new Removal(parts, { ...expiry, graceMs }, points)
  for (const shard of shards) await removal.removeFrom(shard, verdicts)
  if (removal.waitingUntil !== undefined) await queueReclaim(parts, expiry.repositoryId, removal.waitingUntil)
  return removal.ending(verdicts)
}

/** The storage keeps it: immutable until a date, or not ours to remove. */
const isRefusal = (error: unknown): error is HoldfastError =>
  isHoldfastError(error, 'denied') || (isHoldfastError(error, 'conflict') && error.reason === 'Locked')

type RemovalParts = ContentsParts & {
  readonly tasks: TaskQueue
  /** Of the server, where a repository has none of its own. */
  readonly graceMs?: number
}

class Removal {
  readonly #parts: RemovalParts
  readonly #expiry: Expiry & { readonly graceMs: number }
  readonly #points: ReadonlyMap<string, StoredPoint>
  readonly #refused = new Set<string>()
  readonly #removed = new Set<string>()
  readonly #postponed: string[] = []
  readonly #rewritten = new Set<string>()
  readonly #kept = new Set<string>()
  #items = 0
  #freedBytes = 0
  #waitingBytes = 0
  /** When the last of what waits may go. */
  waitingUntil: Date | undefined

  constructor(
    parts: RemovalParts,
    expiry: Expiry & { readonly graceMs: number },
    points: readonly StoredPoint[],
  ) {
    this.#parts = parts
    this.#expiry = expiry
    this.#points = new Map(points.map((point) => [point.id, point]))
  }

  async removeFrom(shard: OrganizationShard, verdicts: readonly PointVerdict[]): Promise<void> {
    const { signal } = this.#expiry
    const going = await this.#stillGoing(verdicts)
    const forgotten: BlobId[] = []
    for (const verdict of going) {
      signal.throwIfAborted()
      const part = this.#points.get(verdict.point.id)?.snapshots.find((one) => one.shard === shard)
      if (part === undefined) continue
      const { tree } = await shard.repository.snapshot(part.snapshot)
      if (await this.#forget(shard, part.snapshot, verdict)) forgotten.push(tree)
    }
    const takeOut = async (work: () => Promise<readonly BlobId[]>): Promise<void> => {
      const former = await work().catch(async (error: unknown) => {
        if (!isHoldfastError(error, 'full')) throw error
        // Points are written anew before the old ones go: what the forgotten ones held makes room for that.
        await this.#reclaim(shard, forgotten)
        return work()
      })
      forgotten.push(...former)
    }
    await takeOut(() => this.#keepHeldAlone(shard, verdicts))
    await syncShard(shard, signal)
    await takeOut(() => this.#takeOutItems(shard, verdicts))
    // Also where nothing goes now: an earlier run may have left what nothing needs.
    await this.#reclaim(shard, forgotten)
    await this.#expiry.keepResult(this.#result(verdicts))
  }

  /** Points that stay for what is held in them alone are written again. Returns the trees that they had. */
  async #keepHeldAlone(
    shard: OrganizationShard,
    verdicts: readonly PointVerdict[],
  ): Promise<readonly BlobId[]> {
    const { signal, log } = this.#expiry
    const alone = new Map(
      verdicts.flatMap(({ point, heldAlone }) => (heldAlone === undefined ? [] : [[point.id, heldAlone]])),
    )
    const parts = [...this.#points.values()]
      .filter(({ id }) => alone.has(id))
      .flatMap(({ snapshots }) => snapshots.filter((part) => part.shard === shard))
    // Holds that were set since the plan was made are heeded; those that were released meanwhile are, once more.
    const held = new Set([
      ...[...alone.values()].flat(),
      ...heldKeys(shard.organizationId, await holdsInForce(this.#parts.database.queries)),
    ])
    const ids = parts.map(({ snapshot }) => snapshot)
    const { reduced, formerTrees, kept } = await keepHeldAlone(shard, { ids, held }, signal)
    for (const reason of kept) this.#kept.add(reason)
    this.#noteRewritten(reduced)
    if (reduced.length > 0)
      await log.note(
        'Success',
        `Took all but what is under legal hold out of ${reduced.length} points of ${shard.organizationName} that are not kept`,
      )
    return formerTrees
  }

  #noteRewritten(ids: readonly SnapshotId[]): void {
    const rewritten = new Set(ids)
    for (const { id, snapshots } of this.#points.values())
      if (snapshots.some(({ snapshot }) => rewritten.has(snapshot))) this.#rewritten.add(id)
  }

  /** What is too old leaves the points that stay. Returns the trees that they had. */
  async #takeOutItems(
    shard: OrganizationShard,
    verdicts: readonly PointVerdict[],
  ): Promise<readonly BlobId[]> {
    const { signal, log } = this.#expiry
    const former: BlobId[] = []
    const points = [...this.#points.values()]
    const holds = await holdsInForce(this.#parts.database.queries)
    for (const aged of await agedPoints(shard, { points, verdicts, holds, signal })) {
      const isBackedUp = (): Promise<boolean> => isBackedUpNow(this.#parts, shard.organizationId)
      const removal = await removeAgedItems(aged, isBackedUp, signal)
      former.push(...removal.formerTrees)
      this.#items += removal.items
      this.#noteRewritten(removal.rewrittenPoints)
      for (const reason of removal.kept) this.#kept.add(reason)
      if (removal.items > 0)
        await log.note(
          'Success',
          `Removed ${removal.items} items older than ${new Date(aged.cutoff * 1000).toISOString()} of ${shard.organizationName} from ${removal.rewrittenPoints.length} points`,
        )
    }
    return former
  }

  /** A hold that was set since the plan was made is heeded. */
  async #stillGoing(verdicts: readonly PointVerdict[]): Promise<readonly PointVerdict[]> {
    const holds = await holdsInForce(this.#parts.database.queries)
    return verdicts.filter(
      ({ goes, point }) =>
        goes && !point.objectKeys.some((key) => heldKeys(point.organizationId, holds).has(key)),
    )
  }

  async #forget(
    { repository }: OrganizationShard,
    snapshot: StoredPoint['snapshots'][number]['snapshot'],
    verdict: PointVerdict,
  ): Promise<boolean> {
    const { id, time } = verdict.point
    const name = `the restore point of ${time.toISOString()}, made by ${this.#points.get(id)?.jobName ?? ''}`
    try {
      await repository.forget([snapshot])
    } catch (error) {
      if (!isRefusal(error)) throw error
      if (!this.#refused.has(id))
        await this.#expiry.log.note('Warning', `The storage keeps ${name}: ${error.message}`)
      this.#refused.add(id)
      return false
    }
    if (!this.#removed.has(id))
      await this.#expiry.log.note('Success', `Removed ${name}: ${verdict.reasons[0]?.text ?? ''}`)
    this.#removed.add(id)
    return true
  }

  /** A backup that is under way may go on from a state that only a forgotten point held: its trees stay until the next run. */
  async #reclaim(shard: OrganizationShard, forgotten: readonly BlobId[]): Promise<void> {
    const { queries } = this.#parts.database
    const keep = async (): Promise<readonly BlobId[]> =>
      (await isBackedUpNow(this.#parts, shard.organizationId)) ? forgotten : []
    const { graceMs, signal } = this.#expiry
    const given = await reclaimSpace(queries, shard.repository, { keep, graceMs }, signal)
    const { bytes, waitingBytes, waitingUntil, postponed } = given
    this.#freedBytes += bytes
    this.#waitingBytes += waitingBytes
    if (waitingUntil !== undefined && waitingUntil > (this.waitingUntil ?? new Date(0)))
      this.waitingUntil = waitingUntil
    if (postponed !== undefined) this.#postponed.push(postponed)
  }

  #result(verdicts: readonly PointVerdict[]): RetentionResult {
    const before = this.#expiry.result
    return {
      ...NO_RESULT,
      removedPoints: before.removedPoints + this.#removed.size,
      keptPoints: verdicts.length - this.#removed.size,
      refusedPoints: this.#refused.size,
      rewrittenPoints: before.rewrittenPoints + this.#rewritten.size,
      removedItems: before.removedItems + this.#items,
      freedBytes: before.freedBytes + this.#freedBytes,
      waitingBytes: this.#waitingBytes,
      ...(this.waitingUntil === undefined ? {} : { waitingUntil: this.waitingUntil.toISOString() }),
    }
  }

  ending(verdicts: readonly PointVerdict[]): RunEnding {
    const { removedPoints, keptPoints, refusedPoints, removedItems } = this.#result(verdicts)
    const items = verdicts.some(({ itemCutoff }) => itemCutoff !== undefined)
    const counted = `${removedPoints} points removed, ${keptPoints} kept${items ? `, ${removedItems} items removed` : ''}`
    if (refusedPoints > 0)
      return { status: 'Warning', details: `${counted}; the storage refused to remove ${refusedPoints}` }
    const [kept] = [...this.#kept, ...lockedWithItems(verdicts)]
    if (kept !== undefined)
      return { status: 'Warning', details: `${counted}; some points keep more than they should: ${kept}` }
    const [postponed] = this.#postponed
    if (postponed !== undefined)
      return { status: 'Success', details: `${counted}. Space is given back by the next run: ${postponed}` }
    return { status: 'Success', details: counted }
  }
}

/** Points that cannot be written again yet. */
const lockedWithItems = (verdicts: readonly PointVerdict[]): readonly string[] =>
  verdicts.flatMap(({ goes, itemCutoff, reasons }) =>
    goes || itemCutoff === undefined
      ? []
      : reasons.filter(({ kind }) => kind === 'Locked').map(({ text }) => text),
  )
