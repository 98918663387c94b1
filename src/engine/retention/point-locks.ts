import { isHoldfastError } from '#base'
import { repositoryOrganizationRows, type Queries } from '#database'
import type { Storage } from '#storage'
import { shardFolder } from '../repositories/shard-repositories.ts'
import type { StoredPoint } from './repository-contents.ts'

export interface LockParts {
  readonly queries: Queries
  readonly repositories: { storageFor?(id: string): Promise<Storage> }
}

const AT_A_TIME = 16

/**
 * Until when the storage keeps restore points, whoever asks: the latest date of their snapshots. Only those that have one,
 * and none at all where the storage keeps nothing. One request for each snapshot of the points.
 */
export const locksOf = async (
  { queries, repositories }: LockParts,
  repositoryId: string,
  points: readonly StoredPoint[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, Date>> => {
  const retention =
    points.length === 0 ? undefined : (await repositories.storageFor?.(repositoryId))?.retention
  const locks = new Map<string, Date>()
  if (retention === undefined) return locks
  const rows = await repositoryOrganizationRows.list(queries, { repositoryId })
  const folders = new Map(rows.map((row) => [row.organizationId, row]))
  const looks = points.flatMap(({ id, snapshots }) =>
    snapshots.map(({ shard, snapshot }) => ({ id, shard, snapshot })),
  )
  const look = async ({ id, shard, snapshot }: (typeof looks)[number]): Promise<void> => {
    const row = folders.get(shard.organizationId)
    if (row === undefined) return
    const path = `${shardFolder(row, shard.index)}/snapshots/${snapshot}`
    const until = await retention.until(path, signal).catch((error: unknown) => {
      // Gone meanwhile.
      if (isHoldfastError(error, 'not-found')) return undefined
      throw error
    })
    const known = locks.get(id)
    if (until !== undefined && (known === undefined || until > known)) locks.set(id, until)
  }
  for (let at = 0; at < looks.length; at += AT_A_TIME) {
    signal?.throwIfAborted()
    await Promise.all(looks.slice(at, at + AT_A_TIME).map(look))
  }
  return locks
}
