import { isHoldfastError, messageOf, type Clock, type Logger, type Random } from '#base'
import type { Database, TrustRunRow } from '#database'
import type { Catalogues } from '../catalogue/catalogues.ts'
import type { OrganizationTenants } from '../organizations/tenants.ts'
import type { BackupRepositories } from '../repositories/backup-repositories.ts'
import type { OrganizationShard } from '../repositories/organization-shards.ts'
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

/** Brings the catalogue up to date as far as it can be read. */
export const syncIfWhole = async (
  { repository, catalogue }: OrganizationShard,
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
