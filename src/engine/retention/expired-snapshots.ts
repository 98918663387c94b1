import type { Clock } from '#base'
import { ClockGuard, doubtByPoints } from './clock-guard.ts'
import { planPoints } from './plan-points.ts'
import { openShards, retentionFacts, storedPoints, type ContentsParts } from './repository-contents.ts'

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
  const going = new Set(
    planPoints({ ...facts, points, now })
      .filter(({ goes }) => goes)
      .map(({ point }) => point.id),
  )
  return new Set(
    points
      .filter(({ id }) => going.has(id))
      .flatMap(({ snapshots }) => snapshots.map(({ snapshot }) => snapshot as string)),
  )
}
