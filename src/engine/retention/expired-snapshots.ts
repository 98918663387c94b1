import type { Clock } from '#base'
import { ClockGuard, doubtByPoints } from './clock-guard.ts'
import { planPoints } from './plan-points.ts'
import {
  openShards,
  retentionFacts,
  storedPoints,
  type ContentsParts,
  type SnapshotOfPoint,
} from './repository-contents.ts'

/**
 * Snapshots of points that no rule keeps: their dates on the storage are to run out, or they would never go. None while the
 * clock is in doubt.
 */
export const expiredSnapshots = async (
  parts: ContentsParts & { readonly clock: Clock },
  repositoryId: string,
  signal?: AbortSignal,
): Promise<ReadonlySet<string>> => {
  const { database, clock } = parts
  const now = clock.now()
  const facts = await retentionFacts(parts, repositoryId)
  const shards = await openShards(parts, { repositoryId, givesBack: false }, signal)
  const points = await storedPoints(shards, database.queries)
  if ((await new ClockGuard({ database, clock }).look()) ?? doubtByPoints(points, now)) return new Set()
  const byId = new Map(points.map((point) => [point.id, point]))
  return new Set(
    planPoints({ ...facts, points, now }).flatMap(({ point, goes, heldAlone }) => {
      const { snapshots } = byId.get(point.id)!
      const expired = goes ? snapshots : heldAlone === undefined ? [] : replaced(snapshots, heldAlone)
      return expired.map(({ snapshot }) => snapshot as string)
    }),
  )
}

/** Parts that hold more than what is to stay of them, once that is stored by itself. */
const replaced = (
  snapshots: readonly SnapshotOfPoint[],
  heldAlone: readonly string[],
): readonly SnapshotOfPoint[] =>
  snapshots.filter(({ shard, objects }) => {
    const rest = objects.filter(({ key }) => heldAlone.includes(key))
    if (rest.length === objects.length) return false
    const isSame = (other: SnapshotOfPoint): boolean =>
      other.shard === shard &&
      other.objects.length === rest.length &&
      rest.every(({ key, version }) =>
        other.objects.some((each) => each.key === key && each.version === version),
      )
    return rest.length === 0 || snapshots.some(isSame)
  })
