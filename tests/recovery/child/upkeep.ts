import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '#base'
import { openDatabase } from '#database'
import type { BlobId, Repository } from '#repository'
import type { ObjectProgress } from '../../../src/engine/backup/object-draft.ts'
import { removePersonFromShard } from '../../../src/engine/retention/remove-person.ts'
import type { Ground, RemovalOrder, RetentionOrder } from './order.ts'

/** A shard that is there. */
export interface OpenShard {
  readonly shard: number
  readonly repository: Repository
}

/** Trees of sessions that are not done, in all shards. */
const treesOfSavePoints = (folder: string, repository: Repository): BlobId[] => {
  const root = join(folder, 'checkpoints')
  if (!existsSync(root)) return []
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.json'),
  )
  return files
    .map((name) => JSON.parse(readFileSync(join(root, name), 'utf8')) as ObjectProgress)
    .flatMap(({ dataTree, versionsTree, stateTree }) => [dataTree, versionsTree, stateTree])
    .filter((tree) => tree !== undefined && tree !== null)
    .filter((tree) => repository.hasBlob('tree', tree))
}

const throwIfPostponed = (postponed: string | undefined): void => {
  if (postponed !== undefined) throw new Error(`somebody seems to be at work: ${postponed}`)
}

/** Forgets points and gives their space back. */
export const retain = async (
  { folder }: Ground,
  { forget, graceMs }: RetentionOrder,
  shards: readonly OpenShard[],
): Promise<void> => {
  for (const { shard, repository } of shards) {
    const going = (await repository.snapshots()).filter(({ time }) =>
      forget.includes(`${shard} ${time.toISOString()}`),
    )
    await repository.forget(going.map(({ id }) => id))
    const keepTrees = async (): Promise<BlobId[]> => Promise.resolve(treesOfSavePoints(folder, repository))
    const { postponed } = await repository.prune({ keepTrees, graceMs })
    throwIfPostponed(postponed)
  }
}

/** Takes a person out of every point, as the server does it. */
export const removePerson = async (
  { folder }: Ground,
  { runId, user }: RemovalOrder,
  shards: readonly OpenShard[],
): Promise<void> => {
  await using database = await openDatabase(join(folder, 'upkeep.sqlite'), systemClock)
  for (const { shard, repository } of shards) {
    const { remaining } = await removePersonFromShard({
      repository,
      database,
      runId,
      place: `s${shard}`,
      objectKeys: [`mail-${user}`, `onedrive-${user}`],
      signal: new AbortController().signal,
    })
    if (remaining.length > 0) throw new Error(`of ${user} is left: ${remaining.join('; ')}`)
  }
}

export const repair = async (shards: readonly OpenShard[]): Promise<void> => {
  for (const { repository } of shards) {
    const { lostBlobs } = await repository.repair({})
    if (lostBlobs.length > 0) throw new Error(`${lostBlobs.length} blobs are lost`)
  }
}

export const copy = async (
  shards: readonly OpenShard[],
  target: (shard: number) => Promise<Repository>,
): Promise<void> => {
  for (const { shard, repository } of shards) {
    await using to = await target(shard)
    await to.copyFrom(repository, {})
  }
}
