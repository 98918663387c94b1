import { isHoldfastError, type Json } from '#base'
import { checkpointRows, type Queries } from '#database'
import type { BlobId, Repository } from '#repository'

export interface Reclaimed {
  readonly bytes: number
  /** Of packs that nothing needs and whose time has not come. */
  readonly waitingBytes: number
  readonly waitingUntil?: Date
  /** Space is given back by a later run, and why. */
  readonly postponed?: string
}

/** Trees of runs that are not done: no snapshot names them yet. */
export const treesOfCheckpoints = async (
  queries: Queries,
  repository: Repository,
): Promise<readonly BlobId[]> => {
  const trees: BlobId[] = []
  for (const { value } of await checkpointRows.listAll(queries))
    for (const name of ['dataTree', 'versionsTree', 'stateTree']) {
      const id = fieldOf(value, name)
      // Checkpoints of other shards name trees that are not here.
      if (typeof id === 'string' && repository.hasBlob('tree', id as BlobId)) trees.push(id as BlobId)
    }
  return trees
}

const fieldOf = (value: Json, name: string): Json | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, Json>>)[name]
    : undefined

/**
 * Gives back what no snapshot, no unfinished run and none of `keep` needs. Someone at work in the repository only postpones
 * it.
 */
export const reclaimSpace = async (
  queries: Queries,
  repository: Repository,
  { keep, graceMs }: { readonly keep: () => Promise<readonly BlobId[]>; readonly graceMs: number },
  signal: AbortSignal,
): Promise<Reclaimed> => {
  try {
    await repository.refresh()
    const keepTrees = async (): Promise<readonly BlobId[]> => [
      ...(await treesOfCheckpoints(queries, repository)),
      ...(await keep()),
    ]
    const report = await repository.prune({ keepTrees, graceMs }, signal)
    const { removedBytes, waitingBytes, waitingUntil, postponed } = report
    return {
      bytes: removedBytes,
      waitingBytes,
      ...(waitingUntil === undefined ? {} : { waitingUntil }),
      ...(postponed === undefined ? {} : { postponed }),
    }
  } catch (error) {
    if (isHoldfastError(error, 'conflict') || isHoldfastError(error, 'unavailable'))
      return { bytes: 0, waitingBytes: 0, postponed: error.message }
    throw error
  }
}
