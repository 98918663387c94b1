import { invalid, notFound } from '#base'
import { pruneGraceRows, repositoryRows, type Queries } from '#database'

const HOUR_MS = 3_600_000

/** A day: whoever removed too much can call on what the packs still hold, and a lost index is not the end of them. */
export const DEFAULT_GRACE_HOURS = 24
export const MOST_GRACE_HOURS = 366 * 24

/** How long packs that nothing needs stay before they are removed. */
export interface PruneGrace {
  readonly repositoryId: string
  readonly graceMs: number
  readonly from: 'repository' | 'server'
}

export const graceMsOf = (hours: number): number => {
  if (!Number.isFinite(hours) || hours < 0 || hours > MOST_GRACE_HOURS)
    throw invalid(`a grace period has from 0 to ${MOST_GRACE_HOURS} hours`, 'graceHours')
  return Math.round(hours * HOUR_MS)
}

export const pruneGraceOf = async (
  queries: Queries,
  repositoryId: string,
  serverMs: number,
): Promise<PruneGrace> => {
  const own = await pruneGraceRows.find(queries, repositoryId)
  return own === undefined
    ? { repositoryId, graceMs: serverMs, from: 'server' }
    : { repositoryId, graceMs: own, from: 'repository' }
}

/** Undefined: that of the server is in force again. */
export const setPruneGrace = async (
  queries: Queries,
  repositoryId: string,
  hours: number | undefined,
): Promise<void> => {
  if ((await repositoryRows.find(queries, repositoryId)) === undefined)
    throw notFound('the backup repository is not known')
  if (hours === undefined) await pruneGraceRows.remove(queries, repositoryId)
  else await pruneGraceRows.put(queries, repositoryId, graceMsOf(hours))
}
