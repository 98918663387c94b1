import { repositoryOrganizationRows, type RepositoryOrganizationRow } from '#database'
import { extendNeeded, type ExtendReport, type Storage } from '#storage'
import { expiredSnapshots } from '../retention/expired-snapshots.ts'
import { shardFolder } from '../repositories/shard-repositories.ts'
import type { TrustParts } from './trust-work.ts'

/** Everything else of a shard that has to stay: not locks, and not packs that no index names any more. */
const FOLDERS = ['keys', 'index', 'snapshots'] as const

/**
 * Moves the dates of all files that a repository needs, where nobody can remove files before a date. Cheap when it is not
 * due. What no index names any more and points that no rule keeps are left out: their dates run out, and a clean-up may then remove them.
 */
export const keepImmutable = async (
  parts: Omit<TrustParts, 'tenants'>,
  repositoryId: string,
  signal?: AbortSignal,
): Promise<ExtendReport | undefined> => {
  const { database, repositories, random, log } = parts
  const storage = await repositories.storageFor?.(repositoryId)
  if (storage?.retention === undefined) return undefined
  const rows = await repositoryOrganizationRows.list(database.queries, { repositoryId })
  const expired = await expiredSnapshots(
    { ...parts, timeZone: parts.timeZone ?? 'UTC' },
    repositoryId,
    signal,
  )
  const paths = async function* (): AsyncGenerator<string> {
    for await (const path of neededFiles(parts, storage, rows, signal))
      if (!isSnapshotOf(path, expired)) yield path
  }
  const report = await extendNeeded(storage, paths, { random, ...(signal === undefined ? {} : { signal }) })
  const { looked, extended, missing } = report
  if (report.wasDue) log.info({ repositoryId, looked, extended }, 'dates of immutable files moved on')
  if (missing.length > 0) log.warn({ repositoryId, missing }, 'needed files are not stored')
  return report
}

const isSnapshotOf = (path: string, ids: ReadonlySet<string>): boolean =>
  /\/snapshots\/[^/]+$/.test(path) && ids.has(path.slice(path.lastIndexOf('/') + 1))

async function* neededFiles(
  { repositories }: Pick<TrustParts, 'repositories'>,
  storage: Storage,
  rows: readonly RepositoryOrganizationRow[],
  signal?: AbortSignal,
): AsyncGenerator<string> {
  yield* topFiles(storage, rows, signal)
  for (const row of rows) {
    const owner = { id: row.organizationId, name: row.organizationName }
    for (const { index, repository } of await (
      await repositories.shards(row.repositoryId, owner)
    ).existing(signal)) {
      const folder = shardFolder(row, index)
      await repository.refresh()
      yield `${folder}/config`
      for (const name of FOLDERS)
        for await (const { path } of storage.list(`${folder}/${name}`, signal)) yield path
      for (const pack of repository.packs()) yield `${folder}/data/${pack.slice(0, 2)}/${pack}`
    }
  }
}

/** What says whose repository it is. */
async function* topFiles(
  storage: Storage,
  rows: readonly RepositoryOrganizationRow[],
  signal?: AbortSignal,
): AsyncGenerator<string> {
  const names = ['repo.json', ...rows.map(({ folder }) => `${folder}/organization.json`)]
  for (const name of names) if ((await storage.stat(name, signal)) !== undefined) yield name
}
