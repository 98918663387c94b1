import { conflict, invalid } from '#base'
import {
  encryptionKeyRows,
  objectStorageRows,
  organizationRows,
  proxyRows,
  repositoryRows,
  type Database,
  type ObjectStorageRow,
  type RepositoryRow,
} from '#database'
import type { ObjectStorages } from '../object-storage/object-storages.ts'
import { needed, readFlag, readGuid, readText } from '../organizations/read-input.ts'
import type { BackupRepositoryInput, Retention } from './backup-repository.ts'
import { acceptRepositoryPath } from './repository-path.ts'
import { keptForOf } from './repository-places.ts'

export interface RepositoryRequestsParts {
  readonly database: Database
  /** Absent: repositories are in folders of this machine alone. */
  readonly objectStorages?: ObjectStorages
  /** The server's own folders: no repository goes there by request. */
  readonly reserved: readonly string[]
}

/** What a request for a repository names, looked up among what is known here. Writes nothing into the database. */
export class RepositoryRequests {
  readonly #parts: RepositoryRequestsParts

  constructor(parts: RepositoryRequestsParts) {
    this.#parts = parts
  }

  /** The one that is given, else the one that is there, else the first. */
  async proxyId(input: BackupRepositoryInput, stored?: string): Promise<string> {
    const { queries } = this.#parts.database
    const given = readGuid(input.proxyId, 'proxyId')
    if (given === undefined) return stored ?? (await proxyRows.list(queries))[0]?.id ?? ''
    if ((await proxyRows.find(queries, given)) === undefined)
      throw invalid('proxyId names no backup proxy', 'proxyId')
    return given
  }

  /** The object storage that is asked for, or undefined for a folder. */
  async objectStorage(input: BackupRepositoryInput, name: string): Promise<ObjectStorageRow | undefined> {
    const id = readGuid(input.objectStorageId, 'objectStorageId')
    if (id !== undefined) {
      const { queries } = this.#parts.database
      const row = await objectStorageRows.find(queries, id)
      if (row === undefined) throw invalid('objectStorageId names no object storage', 'objectStorageId')
      const using = await repositoryRows.findByObjectStorage(queries, id)
      if (using !== undefined) throw conflict(`${row.name} is used by the repository ${using.name}`)
      return row
    }
    if (input.objectStorage === undefined || input.objectStorage === null) return undefined
    return this.storages().accept(input.objectStorage, { name, isPartOfRepository: true })
  }

  /** `invalid` where there is no object storage. */
  storages(): ObjectStorages {
    return needed(this.#parts.objectStorages, 'objectStorage')
  }

  /** A folder of this machine that will do. */
  async path(input: BackupRepositoryInput): Promise<string> {
    const others = await repositoryRows.list(this.#parts.database.queries)
    const taken = others.items.filter((row) => row.objectStorageId === undefined).map(({ path }) => path)
    return acceptRepositoryPath(input.path, { taken, reserved: this.#parts.reserved })
  }

  /** The row of the object storage as it will be; undefined where nothing of it is given. */
  async changedObjectStorage(
    row: RepositoryRow,
    input: BackupRepositoryInput,
  ): Promise<ObjectStorageRow | undefined> {
    const path = (input.path ?? '').replace(/(?<=.)\/+$/, '')
    if (path !== '' && path !== row.path && path !== row.cachePath)
      throw invalid('the path of a repository cannot be changed', 'path')
    const objectStorageId = readGuid(input.objectStorageId, 'objectStorageId')
    if (objectStorageId !== undefined && objectStorageId !== row.objectStorageId)
      throw invalid('the object storage of a repository cannot be changed', 'objectStorageId')
    if (input.objectStorage === undefined || input.objectStorage === null) return undefined
    if (row.objectStorageId === undefined)
      throw invalid('a repository in a folder cannot be moved into object storage', 'objectStorage')
    const storages = this.storages()
    return storages.changed(await storages.row(row.objectStorageId), input.objectStorage)
  }

  /** Throws where the storage cannot keep files for as long as they have to stay. */
  async checkCanKeep(storage: ObjectStorageRow, retention: Retention): Promise<void> {
    const keptFor = keptForOf(storage, retention)
    if (keptFor !== undefined) await this.storages().checkCanKeep(storage, keptFor)
  }

  /** The encryption key and the organization that are given, or that are there. */
  async owned(input: BackupRepositoryInput, stored?: RepositoryRow) {
    const { queries } = this.#parts.database
    const isEncrypted = readFlag(input.objectStorageEncryptionEnabled, 'objectStorageEncryptionEnabled')
    const given = readGuid(input.encryptionKeyId, 'encryptionKeyId')
    if (given !== undefined && (await encryptionKeyRows.find(queries, given)) === undefined)
      throw invalid('encryptionKeyId names no encryption key', 'encryptionKeyId')
    const encryptionKeyId = isEncrypted === false ? undefined : (given ?? stored?.encryptionKeyId)
    if (isEncrypted === true) needed(encryptionKeyId, 'encryptionKeyId')
    const owner = readGuid(input.organizationId, 'organizationId')
    if (owner !== undefined && (await organizationRows.find(queries, owner)) === undefined)
      throw invalid('organizationId names no organization', 'organizationId')
    const organizationId = owner ?? stored?.organizationId
    return {
      ...(encryptionKeyId === undefined ? {} : { encryptionKeyId }),
      ...(organizationId === undefined ? {} : { organizationId }),
    }
  }
}

export const readCachePath = (input: BackupRepositoryInput): string | undefined =>
  readText(input.objectStorageCachePath, 'objectStorageCachePath', 1_024)
