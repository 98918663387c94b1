import { conflict, invalid, isHoldfastError, messageOf, type Clock, type Random } from '#base'
import {
  repositoryOrganizationRows,
  repositoryRows,
  type Database,
  type ObjectStorageRow,
  type RepositoryRow,
} from '#database'
import type { Storage } from '#storage'
import { needed, readText } from '../organizations/read-input.ts'
import type { BackupRepositoryInput, Retention } from './backup-repository.ts'
import {
  readRepositoryFile,
  removeRepositoryFile,
  REPOSITORY_FILE,
  writeRepositoryFile,
} from './repository-file.ts'
import { readRepositoryDescription, readRepositoryName, readRetention } from './repository-input.ts'
import { named, nameKeyOf } from './repository-name.ts'
import { checkEmpty, holdsOnly } from './repository-path.ts'
import type { RepositoryPlaces } from './repository-places.ts'
import { readCachePath, type RepositoryRequests } from './repository-requests.ts'

export interface NewRepositoriesParts {
  readonly database: Database
  readonly clock: Clock
  readonly random: Random
}

/** What a repository is made of, but for its id. */
type NewRepository = Omit<RepositoryRow, 'id' | 'nameKey' | 'createdAt'>

/** Makes repositories, or takes up again what this server left in a place. */
export class NewRepositories {
  readonly #parts: NewRepositoriesParts
  readonly #places: RepositoryPlaces
  readonly #requests: RepositoryRequests

  constructor(parts: NewRepositoriesParts, places: RepositoryPlaces, requests: RepositoryRequests) {
    this.#parts = parts
    this.#places = places
    this.#requests = requests
  }

  /** As a request asks for it. */
  async add(input: BackupRepositoryInput): Promise<RepositoryRow> {
    const name = needed(readRepositoryName(input), 'name')
    const cachePath = readCachePath(input)
    const given = {
      name,
      description: readRepositoryDescription(input) ?? '',
      retention: readRetention(input),
      proxyId: await this.#requests.proxyId(input),
      ...(await this.#requests.owned(input)),
    }
    const storage = await this.#requests.objectStorage(input, name)
    if (storage === undefined) {
      if (cachePath !== undefined)
        throw invalid('a repository in a folder has no object storage cache', 'objectStorageCachePath')
      return this.make({ ...given, path: await this.#requests.path(input) })
    }
    const cache = cachePath ?? readText(input.path, 'path', 1_024)
    const place = { path: storage.placeKey, objectStorageId: storage.id }
    return this.make({ ...given, ...place, ...(cache === undefined ? {} : { cachePath: cache }) }, storage)
  }

  /** In the place that is named, whatever requests may name. */
  async make(given: NewRepository, objectStorage?: ObjectStorageRow): Promise<RepositoryRow> {
    const { database, clock, random } = this.#parts
    if ((await repositoryRows.findByName(database.queries, nameKeyOf(given.name))) !== undefined)
      throw conflict(`the name ${given.name} is in use`)
    if (objectStorage !== undefined)
      await this.#requests.checkCanKeep(objectStorage, given.retention as Retention)
    await using storage = await this.#places.openNew(given.path, objectStorage)
    const before = await this.#formerId(storage, given)
    const row = {
      ...given,
      id: before ?? random.uuid(),
      nameKey: nameKeyOf(given.name),
      createdAt: clock.now(),
    }
    if (before === undefined) await this.#claim(storage, row)
    else await (await this.#places.leaseToBe(storage, row.name, 'left'))?.take('left')
    try {
      await database.transaction(async (queries) => {
        if (objectStorage !== undefined) await this.#requests.storages().insert(queries, objectStorage)
        await repositoryRows.insert(queries, row)
      })
    } catch (error) {
      if (before === undefined) await removeRepositoryFile(storage)
      throw named(error, row.name)
    }
    await (await this.#places.lease(row))?.renew()
    return row
  }

  /** The id of a place that was a repository here before; undefined for an empty one. */
  async #formerId(storage: Storage, given: NewRepository): Promise<string | undefined> {
    const isCloud = given.objectStorageId !== undefined
    const property = isCloud ? 'objectStorage' : 'path'
    const file = await readRepositoryFile(storage).catch((error: unknown) => {
      throw invalid(`${property} cannot be used: ${messageOf(error)}`, property)
    })
    if (file === undefined) {
      await (isCloud ? checkStorageEmpty(storage) : checkEmpty(given.path))
      return undefined
    }
    const { queries } = this.#parts.database
    if ((await repositoryRows.find(queries, file.id)) !== undefined)
      throw conflict(`${property} is the place of a repository that is there already`)
    if ((await repositoryOrganizationRows.list(queries, { repositoryId: file.id })).length > 0) return file.id
    // What a server left that stopped between the file and the row: there is nothing in it yet.
    const isBare = isCloud
      ? await isOnlyFile(storage, REPOSITORY_FILE)
      : await holdsOnly(given.path, REPOSITORY_FILE)
    if (isBare) return file.id
    throw conflict(`${property} is a repository of another server: attach it, with its passwords`)
  }

  async #claim(storage: Storage, row: RepositoryRow): Promise<void> {
    const file = { id: row.id, name: row.name, createdAt: row.createdAt.toISOString() }
    await writeRepositoryFile(storage, { format: 'holdfast', version: 1, ...file }).catch(
      (error: unknown) => {
        if (isHoldfastError(error, 'full')) throw error
        const isCloud = row.objectStorageId !== undefined
        if (isCloud)
          throw invalid(`the object storage cannot be written to: ${messageOf(error)}`, 'objectStorage')
        throw invalid('path cannot be written to by the server', 'path')
      },
    )
  }
}

/** Throws `invalid` when there are files already. */
const checkStorageEmpty = async (storage: Storage): Promise<void> => {
  for await (const file of storage.list(''))
    if (!file.path.startsWith('.'))
      throw invalid(
        'the folder of the object storage holds other files: choose an empty one',
        'objectStorage',
      )
}

const isOnlyFile = async (storage: Storage, name: string): Promise<boolean> => {
  for await (const { path } of storage.list(''))
    if (path !== name && !path.startsWith('.holdfast/')) return false
  return true
}
