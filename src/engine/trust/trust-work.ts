import { isHoldfastError, messageOf, type Clock, type Logger, type Random } from '#base'
import { repositoryOrganizationRows, type Database, type TrustRunRow } from '#database'
import type { Repository } from '#repository'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Catalogues } from '../catalogue/catalogues.ts'
import type { OrganizationTenants } from '../organizations/tenants.ts'
import type { BackupRepositories } from '../repositories/backup-repositories.ts'
import type { TrustEnding, TrustRequest, TrustResult } from './trust-run.ts'

export interface TrustParts {
  readonly database: Database
  readonly repositories: Pick<BackupRepositories, 'shards'> &
    Partial<Pick<BackupRepositories, 'recover' | 'storageFor'>>
  readonly catalogues: Catalogues
  readonly tenants: { of(organizationId: string): Promise<OrganizationTenants> }
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Of the server, for the days of retention rules; UTC when left out. */
  readonly timeZone?: string
}

/** What a run of any kind is given. */
export interface TrustWork {
  readonly run: TrustRunRow
  readonly request: TrustRequest
  /** So far. */
  readonly result: TrustResult
  keep(result: TrustResult): Promise<void>
  /** Tells a line of what was found. */
  tell(line: object): Promise<void>
  readonly signal: AbortSignal
}

/** Undefined: not now, but later; what was kept is there then. */
export type DoTrustWork = (parts: TrustParts, work: TrustWork) => Promise<TrustEnding | undefined>

export interface TrustedShard {
  readonly repositoryId: string
  readonly organizationId: string
  readonly organizationName: string
  readonly index: number
  readonly repository: Repository
  readonly catalogue: Catalogue
  /** Names the shard in a run. */
  readonly name: string
}

/** The shards of a repository as they are on the storage now. Catalogues may be damaged: see `syncIfWhole`. */
export const shardsOf = async (
  { database, repositories, catalogues }: Pick<TrustParts, 'database' | 'repositories' | 'catalogues'>,
  place: { readonly repositoryId: string; readonly organizationId?: string },
  signal?: AbortSignal,
): Promise<readonly TrustedShard[]> => {
  const shards: TrustedShard[] = []
  for (const row of await repositoryOrganizationRows.list(database.queries, place)) {
    const { repositoryId, organizationId, organizationName } = row
    const owner = { id: organizationId, name: organizationName }
    const found = await repositories.shards(repositoryId, owner, { givesBack: true })
    for (const { index, repository } of await found.existing(signal)) {
      const catalogue = catalogues.of({ repositoryId, organizationId, shard: index }, repository)
      const name = `${organizationId}/${index}`
      shards.push({ repositoryId, organizationId, organizationName, index, repository, catalogue, name })
    }
  }
  return shards
}

/** Brings the catalogue up to date as far as it can be read. */
export const syncIfWhole = async (
  { repository, catalogue }: TrustedShard,
  log: Logger,
  signal?: AbortSignal,
): Promise<void> => {
  await repository.refresh()
  try {
    await catalogue.sync(signal)
  } catch (error) {
    if (!isHoldfastError(error, 'corrupt') && !isHoldfastError(error, 'not-found')) throw error
    log.warn({ message: messageOf(error) }, 'catalogue read in part')
  }
}
