import { repositoryOrganizationRows, type Database, type RepositoryRow } from '#database'
import type { Audit } from '../access/audit.ts'
import { systemPrincipal } from '../access/principal.ts'
import { placeOf, type ObjectStorages } from '../object-storage/object-storages.ts'
import { resticUrl } from '../object-storage/place.ts'
import { needed } from '../organizations/read-input.ts'
import type { RecoveryKit } from './backup-repository.ts'
import type { KnownRepositories } from './known-repositories.ts'
import { recoveryInstructions } from './recovery-instructions.ts'
import type { RepositoryPlaces } from './repository-places.ts'
import { shardFolder, type ShardRepositories } from './shard-repositories.ts'

export interface RecoveryKitsParts {
  readonly database: Database
  readonly audit: Audit
  /** Absent: repositories are in folders of this machine alone. */
  readonly objectStorages?: ObjectStorages
}

/** What reads repositories without Holdfast. */
export class RecoveryKits {
  readonly #parts: RecoveryKitsParts
  readonly #known: KnownRepositories
  readonly #places: RepositoryPlaces
  readonly #shards: ShardRepositories

  constructor(
    parts: RecoveryKitsParts,
    nouns: {
      readonly known: KnownRepositories
      readonly places: RepositoryPlaces
      readonly shards: ShardRepositories
    },
  ) {
    this.#parts = parts
    this.#known = nouns.known
    this.#places = nouns.places
    this.#shards = nouns.shards
  }

  /** For an administrator at the server alone: never to be reached by REST. */
  async write(id: string): Promise<RecoveryKit> {
    return this.#parts.audit.around(systemPrincipal, 'repositories.recoveryKit', id, async () => {
      const repository = await this.#known.find(systemPrincipal, id)
      const rows = await repositoryOrganizationRows.list(this.#parts.database.queries, { repositoryId: id })
      const { root, environment } = await this.#resticPlace(repository)
      const shards = []
      for (const row of rows) {
        const password = await this.#shards.password(row)
        if (password === undefined) continue
        for (const index of await this.#shards.made(repository, row)) {
          const path = `${root}/${shardFolder(row, index)}`
          const { organizationId, organizationName } = row
          shards.push({ organizationId, organizationName, path, environment, password })
        }
      }
      const instructions = recoveryInstructions(repository.name, shards)
      return { repositoryName: repository.name, instructions, shards }
    })
  }

  /** Where stock restic finds the repository, and what it needs for that. */
  async #resticPlace(repository: RepositoryRow) {
    if (repository.objectStorageId === undefined) return { root: repository.path, environment: {} }
    const row = await this.#places.objectStorageRow(repository.objectStorageId)
    return {
      root: resticUrl(placeOf(row)),
      environment: await needed(this.#parts.objectStorages, 'objectStorage').environment(row),
    }
  }
}
