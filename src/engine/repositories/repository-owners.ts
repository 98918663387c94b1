import { invalid } from '#base'
import type { Audit } from '../access/audit.ts'
import { requireAdministrator, systemPrincipal, type Principal } from '../access/principal.ts'
import type { RepositoryOwner } from './backup-repository.ts'
import type { KnownRepositories } from './known-repositories.ts'
import { isLiving } from './owner-lease.ts'
import { newestRecord } from './owner-record.ts'
import type { PlaceParts, RepositoryPlaces } from './repository-places.ts'

export interface RepositoryOwnersParts extends PlaceParts {
  readonly audit: Audit
}

/** Which server has a repository to itself. */
export class RepositoryOwners {
  readonly #parts: RepositoryOwnersParts
  readonly #known: KnownRepositories
  readonly #places: RepositoryPlaces

  constructor(parts: RepositoryOwnersParts, known: KnownRepositories, places: RepositoryPlaces) {
    this.#parts = parts
    this.#known = known
    this.#places = places
  }

  /** Makes this server the owner, whoever it was. The former one writes nothing more from its next renewal on. */
  async takeOver(principal: Principal, id: string, signal?: AbortSignal): Promise<RepositoryOwner> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, 'repositories.takeOver', id, async () => {
      const row = await this.#known.find(principal, id)
      await this.#places.checkThere(row)
      const lease = await this.#places.lease(row)
      if (lease === undefined) throw invalid('this server does not own repositories')
      await lease.take('any', signal)
      return this.owner(principal, id, signal)
    })
  }

  /** As its place tells. */
  async owner(principal: Principal, id: string, signal?: AbortSignal): Promise<RepositoryOwner> {
    requireAdministrator(principal)
    const row = await this.#known.find(principal, id)
    const { owner, random } = this.#parts
    const storage = await this.#places.bare(row)
    const record = await newestRecord(storage, signal)
    if (record === undefined || owner === undefined) return { isThisServer: false, isAtWork: false }
    const isThisServer = record.server === owner.server
    return {
      ...{ serverId: record.server, serverName: record.name, since: record.since, isThisServer },
      isAtWork: isThisServer || (await isLiving({ owner, random }, storage, record, signal)),
    }
  }

  /** Throws `conflict` where the repository belongs to another server. */
  async check(id: string, signal?: AbortSignal): Promise<void> {
    await (await this.#places.lease(await this.#known.find(systemPrincipal, id)))?.renew(signal)
  }
}
