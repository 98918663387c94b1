import { repositoryOrganizationRows, type Database } from '#database'
import type { Repository } from '#repository'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Catalogues } from '../catalogue/catalogues.ts'
import type { BackupRepositories } from './backup-repositories.ts'

/** A shard of an organization, with its catalogue. */
export interface OrganizationShard {
  readonly repositoryId: string
  readonly organizationId: string
  readonly organizationName: string
  readonly index: number
  readonly repository: Repository
  readonly catalogue: Catalogue
  /** Names it among the shards of its repository. */
  readonly name: string
}

export interface OrganizationShardsParts {
  readonly database: Database
  readonly repositories: Pick<BackupRepositories, 'shards'>
  readonly catalogues: Catalogues
}

export interface ShardsWanted {
  readonly repositoryId: string
  /** All organizations unless told. */
  readonly organizationId?: string
  /** Whether something is to be removed; else they are looked at alone. True unless told. */
  readonly givesBack?: boolean
}

/** The shards that are in a repository. Nothing of them is read yet: catalogues say what they said last. */
export const organizationShards = async (
  { database, repositories, catalogues }: OrganizationShardsParts,
  { givesBack = true, ...place }: ShardsWanted,
  signal?: AbortSignal,
): Promise<readonly OrganizationShard[]> => {
  const shards: OrganizationShard[] = []
  for (const row of await repositoryOrganizationRows.list(database.queries, place)) {
    signal?.throwIfAborted()
    const owner = { id: row.organizationId, name: row.organizationName }
    const found = await repositories.shards(row.repositoryId, owner, { givesBack })
    for (const shard of await found.existing(signal)) shards.push(shardOf(catalogues, row, shard))
  }
  return shards
}

/** One that is open. */
export const shardOf = (
  catalogues: Catalogues,
  of: Pick<OrganizationShard, 'repositoryId' | 'organizationId' | 'organizationName'>,
  { index, repository }: Pick<OrganizationShard, 'index' | 'repository'>,
): OrganizationShard => {
  const { repositoryId, organizationId, organizationName } = of
  const catalogue = catalogues.of({ repositoryId, organizationId, shard: index }, repository)
  const name = `${organizationId}/${index}`
  return { repositoryId, organizationId, organizationName, index, repository, catalogue, name }
}
