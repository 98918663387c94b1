import { isHoldfastError } from '#base'
import { repositoryOrganizationRows, type DamagedItemRow } from '#database'
import type { Problem, Repository } from '#repository'
import type { OrganizationShard } from '../repositories/organization-shards.ts'
import { markForgotten, recheckDamaged } from './damaged-items.ts'
import type { TrustParts } from './trust-work.ts'

export type Healing =
  | { readonly outcome: 'done'; readonly notes: readonly string[]; readonly healedItems: number }
  /** Somebody is at work in the repository: come again. */
  | { readonly outcome: 'busy'; readonly reason: string }

/** The packs that problems are about. */
export const packsOf = (problems: readonly Problem[]): string[] => [
  ...new Set(
    problems.flatMap(({ file }) =>
      file?.startsWith('data/') === true ? [file.slice(file.lastIndexOf('/') + 1)] : [],
    ),
  ),
]

/** Other repositories that hold the same organization: copies may have what is lost here. One that cannot be read is left out. */
export const copiesOf = async (
  { database, repositories, log }: Pick<TrustParts, 'database' | 'repositories' | 'log'>,
  { repositoryId, organizationId }: Pick<OrganizationShard, 'repositoryId' | 'organizationId'>,
  signal?: AbortSignal,
): Promise<readonly Repository[]> => {
  const copies: Repository[] = []
  for (const row of await repositoryOrganizationRows.list(database.queries, { organizationId })) {
    if (row.repositoryId === repositoryId) continue
    try {
      const owner = { id: organizationId, name: row.organizationName }
      const shards = await (await repositories.shards(row.repositoryId, owner)).existing(signal)
      copies.push(...shards.map(({ repository }) => repository))
    } catch (error) {
      signal?.throwIfAborted()
      log.warn({ err: error, repositoryId: row.repositoryId }, 'a copy cannot be asked')
    }
  }
  return copies
}

/**
 * Makes the index forget what cannot be read, durably, after asking copies for it: what they have is stored again at once.
 * The rest is `Waiting` for the next run.
 */
export const heal = async (
  parts: TrustParts,
  shard: OrganizationShard,
  damage: { readonly problems: readonly Problem[]; readonly rows: readonly DamagedItemRow[] },
  signal: AbortSignal,
): Promise<Healing> => {
  try {
    const sources = await copiesOf(parts, shard, signal)
    const isNews = damage.rows.length === 0 || damage.rows.some(({ status }) => status === 'Damaged')
    if (!isNews && sources.length === 0 && damage.problems.every(({ kind }) => kind === 'blob-missing'))
      return { outcome: 'done', notes: [], healedItems: 0 }
    const report = await shard.repository.repair({ data: packsOf(damage.problems), sources }, signal)
    await markForgotten(parts, damage.rows)
    const healedItems = await recheckDamaged(parts, shard)
    return { outcome: 'done', notes: report.notes, healedItems }
  } catch (error) {
    if (isHoldfastError(error, 'conflict') && error.reason === 'locked')
      return { outcome: 'busy', reason: error.message }
    throw error
  }
}
