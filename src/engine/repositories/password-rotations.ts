import { HoldfastError } from '#base'
import { repositoryOrganizationRows, type Database, type RepositoryRow } from '#database'
import type { Audit } from '../access/audit.ts'
import { requireAdministrator, type Principal } from '../access/principal.ts'
import type { RotatedOrganization, RotatedPasswords } from './backup-repository.ts'
import type { KnownRepositories } from './known-repositories.ts'
import type { RepositoryOwners } from './repository-owners.ts'
import type { RepositoryPlaces } from './repository-places.ts'
import type { ShardRepositories } from './shard-repositories.ts'

export interface PasswordRotationsParts {
  readonly database: Database
  readonly audit: Audit
}

/** New passwords for the shards of a repository. */
export class PasswordRotations {
  readonly #parts: PasswordRotationsParts
  readonly #known: KnownRepositories
  readonly #owners: RepositoryOwners
  readonly #places: RepositoryPlaces
  readonly #shards: ShardRepositories
  /** Repositories whose passwords are being changed. */
  readonly #changing = new Set<string>()

  constructor(
    parts: PasswordRotationsParts,
    nouns: {
      readonly known: KnownRepositories
      readonly owners: RepositoryOwners
      readonly places: RepositoryPlaces
      readonly shards: ShardRepositories
    },
  ) {
    this.#parts = parts
    this.#known = nouns.known
    this.#owners = nouns.owners
    this.#places = nouns.places
    this.#shards = nouns.shards
  }

  /** Of every organization. Goes on with what was cut off; `conflict` while another call does it. */
  async rotate(principal: Principal, id: string, signal?: AbortSignal): Promise<RotatedPasswords> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, 'repositories.rotatePasswords', id, async () => {
      const row = await this.#known.find(principal, id)
      await this.#places.checkThere(row)
      await this.#owners.check(row.id, signal)
      const organizations = await this.#changePasswords(row, {
        mayBegin: true,
        ...(signal === undefined ? {} : { signal }),
      })
      return { repositoryId: row.id, repositoryName: row.name, organizations }
    })
  }

  /** Of changes that were cut off. Begins none. */
  async finish(row: RepositoryRow): Promise<void> {
    await this.#changePasswords(row, { mayBegin: false })
  }

  /** While nobody changes what opens the repository. `conflict` while somebody does. */
  async alone<Result>(row: Pick<RepositoryRow, 'id' | 'name'>, work: () => Promise<Result>): Promise<Result> {
    if (this.#changing.has(row.id))
      throw new HoldfastError('conflict', `the passwords of ${row.name} are being changed already`, {
        reason: 'locked',
      })
    this.#changing.add(row.id)
    try {
      return await work()
    } finally {
      this.#changing.delete(row.id)
    }
  }

  #changePasswords(
    row: RepositoryRow,
    options: { readonly mayBegin: boolean; readonly signal?: AbortSignal },
  ): Promise<readonly RotatedOrganization[]> {
    return this.alone(row, async () => {
      const { queries } = this.#parts.database
      const organizations: RotatedOrganization[] = []
      for (const one of await repositoryOrganizationRows.list(queries, { repositoryId: row.id })) {
        const changed = await this.#shards.changePassword(row, one, options)
        if (changed === undefined) continue
        organizations.push({ organizationId: one.organizationId, name: one.organizationName, ...changed })
      }
      return organizations
    })
  }
}
