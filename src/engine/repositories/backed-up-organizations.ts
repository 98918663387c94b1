import { messageOf } from '#base'
import {
  repositoryOrganizationRows,
  repositoryRows,
  type Database,
  type RepositoryOrganizationRow,
  type RepositoryRow,
} from '#database'
import { scopeOf, type Principal } from '../access/principal.ts'
import type { UsedRepository } from '../organizations/organization.ts'
import type { BackedUpOrganization } from './backup-repository.ts'
import type { KnownRepositories } from './known-repositories.ts'
import type { RepositorySpace } from './repository-space.ts'

export interface BackedUpOrganizationsParts {
  readonly database: Database
}

/** Which organizations have data in which repositories, and how much. */
export class BackedUpOrganizations {
  readonly #parts: BackedUpOrganizationsParts
  readonly #known: KnownRepositories
  readonly #space: RepositorySpace

  constructor(parts: BackedUpOrganizationsParts, known: KnownRepositories, space: RepositorySpace) {
    this.#parts = parts
    this.#known = known
    this.#space = space
  }

  /** Those in a repository. */
  async inRepository(principal: Principal, id: string): Promise<readonly BackedUpOrganization[]> {
    const repository = await this.#known.find(principal, id)
    const organizationId = scopeOf(principal)
    const rows = await repositoryOrganizationRows.list(this.#parts.database.queries, {
      repositoryId: id,
      ...(organizationId === undefined ? {} : { organizationId }),
    })
    return Promise.all(
      rows.map(async (row) => ({
        organizationId: row.organizationId,
        name: row.organizationName,
        isInObjectStorage: repository.objectStorageId !== undefined,
        ...(await this.#usedSpace(repository, row).catch(() => ({}))),
      })),
    )
  }

  /** Where an organization has data. No principal: the caller has looked. */
  async ofOrganization(organizationId: string): Promise<readonly UsedRepository[]> {
    const { queries } = this.#parts.database
    const rows = await repositoryOrganizationRows.list(queries, { organizationId })
    const used: UsedRepository[] = []
    for (const row of rows) {
      const repository = await repositoryRows.find(queries, row.repositoryId)
      if (repository === undefined) continue
      const names = {
        organizationId,
        repositoryId: repository.id,
        repositoryName: repository.name,
        isInObjectStorage: repository.objectStorageId !== undefined,
      }
      const space = await this.#usedSpace(repository, row).catch((error: unknown) => ({
        details: messageOf(error),
      }))
      used.push({ ...names, ...space, isAvailable: !('details' in space) })
    }
    return used
  }

  async #usedSpace(
    repository: RepositoryRow,
    row: RepositoryOrganizationRow,
  ): Promise<{ readonly usedSpaceBytes: number }> {
    return { usedSpaceBytes: await this.#space.usedBytes(repository, row) }
  }
}
