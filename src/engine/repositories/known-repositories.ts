import { messageOf, notFound } from '#base'
import {
  repositoryOrganizationRows,
  repositoryRows,
  type Database,
  type Page,
  type PageRequest,
  type RepositoryRow,
} from '#database'
import { scopeOf, type Principal } from '../access/principal.ts'
import type { ObjectStorages } from '../object-storage/object-storages.ts'
import { needed } from '../organizations/read-input.ts'
import type { BackupRepository, Retention } from './backup-repository.ts'
import type { RepositoryPlaces } from './repository-places.ts'

export interface KnownRepositoriesParts {
  readonly database: Database
  /** Absent: repositories are in folders of this machine alone. */
  readonly objectStorages?: ObjectStorages
}

const unknown = 'the backup repository is not known'

/** The repositories of this server, as whoever asks may see them. */
export class KnownRepositories {
  readonly #parts: KnownRepositoriesParts
  readonly #places: RepositoryPlaces

  constructor(parts: KnownRepositoriesParts, places: RepositoryPlaces) {
    this.#parts = parts
    this.#places = places
  }

  /** `not-found` for a tenant that has no data in it, too. */
  async find(principal: Principal, id: string): Promise<RepositoryRow> {
    const { queries } = this.#parts.database
    const row = await repositoryRows.find(queries, id)
    const organizationId = scopeOf(principal)
    const isForeign =
      organizationId !== undefined &&
      (await repositoryOrganizationRows.find(queries, id, organizationId)) === undefined
    if (row === undefined || isForeign) throw notFound(unknown)
    return row
  }

  async get(principal: Principal, id: string): Promise<BackupRepository> {
    return seenBy(principal, await this.present(await this.find(principal, id)))
  }

  /** By name. A tenant sees those that hold its data. */
  async list(principal: Principal, page: PageRequest = {}): Promise<Page<BackupRepository>> {
    const organizationId = scopeOf(principal)
    const filter = organizationId === undefined ? page : { ...page, organizationId }
    const { items, totalCount } = await repositoryRows.list(this.#parts.database.queries, filter)
    const presented = await Promise.all(items.map((row) => this.present(row)))
    return { items: presented.map((one) => seenBy(principal, one)), totalCount }
  }

  /** Everything, whoever asks. A repository that cannot be reached says why. */
  async present(row: RepositoryRow): Promise<BackupRepository> {
    const state = await this.#stateOf(row).catch((error: unknown) => ({
      isOutOfOrder: true,
      outOfOrderReason: messageOf(error),
    }))
    const { id, name, description, path, proxyId, objectStorageId, cachePath } = row
    const { encryptionKeyId, organizationId } = row
    const objectStorage =
      objectStorageId === undefined
        ? undefined
        : await needed(this.#parts.objectStorages, 'objectStorage').find(objectStorageId)
    return {
      ...{ id, name, description, path, proxyId, ...(row.retention as Retention), ...state },
      ...(objectStorage === undefined ? {} : { objectStorage }),
      ...(cachePath === undefined ? {} : { objectStorageCachePath: cachePath }),
      ...(encryptionKeyId === undefined ? {} : { encryptionKeyId }),
      ...(organizationId === undefined ? {} : { organizationId }),
    }
  }

  async #stateOf(
    row: RepositoryRow,
  ): Promise<Pick<BackupRepository, 'isOutOfOrder'> & Partial<BackupRepository>> {
    const outOfOrderReason = await this.#places.outOfOrder(row)
    if (outOfOrderReason !== undefined) return { isOutOfOrder: true, outOfOrderReason }
    const space = await (await this.#places.storage(row)).space()
    if (space === undefined) return { isOutOfOrder: false }
    return { isOutOfOrder: false, capacityBytes: space.totalBytes, freeSpaceBytes: space.freeBytes }
  }
}

/** A tenant is not told where the provider keeps its data: no folder, bucket or account, and no reason that names them. */
const seenBy = (principal: Principal, repository: BackupRepository): BackupRepository => {
  if (scopeOf(principal) === undefined) return repository
  const {
    objectStorage: _place,
    objectStorageCachePath: _cache,
    outOfOrderReason: reason,
    ...rest
  } = repository
  const told = reason === undefined ? {} : { outOfOrderReason: 'the repository cannot be reached now' }
  return { ...rest, path: '', ...told }
}
