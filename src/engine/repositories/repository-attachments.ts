import { conflict, invalid, messageOf } from '#base'
import {
  repositoryOrganizationRows,
  repositoryRows,
  type ObjectStorageRow,
  type Queries,
  type RepositoryRow,
} from '#database'
import type { Storage } from '#storage'
import type { Audit } from '../access/audit.ts'
import { requireAdministrator, type Principal } from '../access/principal.ts'
import { needed, readFlag, readGuid, readSecret, readText } from '../organizations/read-input.ts'
import { openOrganizations, type FoundOrganization, type GivenPassword } from './attach-organizations.ts'
import type { AttachedRepository, AttachInput, PasswordInput, Retention } from './backup-repository.ts'
import type { KnownRepositories } from './known-repositories.ts'
import { readRepositoryFile } from './repository-file.ts'
import { readRepositoryDescription, readRepositoryName, readRetention } from './repository-input.ts'
import { named, nameKeyOf } from './repository-name.ts'
import type { RepositoryPlaces } from './repository-places.ts'
import { readCachePath, type RepositoryRequests } from './repository-requests.ts'
import type { ShardParts } from './shard-repositories.ts'

export interface RepositoryAttachmentsParts extends ShardParts {
  readonly audit: Audit
}

/** Repositories that another server made, or this one before it lost its database. */
export class RepositoryAttachments {
  readonly #parts: RepositoryAttachmentsParts
  readonly #known: KnownRepositories
  readonly #places: RepositoryPlaces
  readonly #requests: RepositoryRequests

  constructor(
    parts: RepositoryAttachmentsParts,
    nouns: {
      readonly known: KnownRepositories
      readonly places: RepositoryPlaces
      readonly requests: RepositoryRequests
    },
  ) {
    this.#parts = parts
    this.#known = nouns.known
    this.#places = nouns.places
    this.#requests = nouns.requests
  }

  /** With the row that it gets here, once all is open that a password was given for. */
  async attach(principal: Principal, input: AttachInput, signal?: AbortSignal): Promise<AttachedRepository> {
    requireAdministrator(principal)
    const label = String(input.name ?? input.path ?? '')
    return this.#parts.audit.around(principal, 'repositories.attach', label, async () => {
      const objectStorage = await this.#requests.objectStorage(
        input,
        readRepositoryName(input) ?? 'Repository',
      )
      const path = objectStorage?.placeKey ?? (await this.#requests.path(input))
      await using storage = await this.#places.openNew(path, objectStorage)
      const row = await this.#rowToAttach(storage, input, { path, objectStorage })
      const taking = readFlag(input.takeOver, 'takeOver') === true ? 'any' : 'left'
      const lease = await this.#places.leaseToBe(storage, row.name, taking)
      if (objectStorage !== undefined)
        await this.#requests.checkCanKeep(objectStorage, row.retention as Retention)
      const organizations = await this.#attachInto(row, storage, input, {
        ...(signal === undefined ? {} : { signal }),
        take: async () => lease?.take(taking, signal),
        first: async (queries) => {
          if (objectStorage !== undefined)
            await this.#requests.storages().insert(queries, { ...objectStorage, name: row.name })
          await repositoryRows.insert(queries, row)
        },
      })
      return { repository: await this.#known.present(row), organizations }
    })
  }

  /** Those that were left out when the repository was taken up. */
  async attachOrganizations(
    principal: Principal,
    id: string,
    input: Pick<AttachInput, 'passwords'>,
    signal?: AbortSignal,
  ): Promise<AttachedRepository> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, 'repositories.attachOrganizations', id, async () => {
      const row = await this.#known.find(principal, id)
      await this.#places.checkThere(row)
      const storage = await this.#places.storage(row)
      const organizations = await this.#attachInto(
        row,
        storage,
        input,
        signal === undefined ? {} : { signal },
      )
      return { repository: await this.#known.present(row), organizations }
    })
  }

  async #attachInto(
    row: RepositoryRow,
    storage: Storage,
    input: Pick<AttachInput, 'passwords'>,
    options: {
      readonly signal?: AbortSignal
      /** Once everything is open, before anything is known here. */
      readonly take?: () => Promise<void>
      readonly first?: (queries: Queries) => Promise<void>
    },
  ): Promise<readonly FoundOrganization[]> {
    const { database } = this.#parts
    await using opened = await openOrganizations(this.#parts, {
      storage,
      repositoryId: row.id,
      passwords: await this.#passwords(input.passwords ?? [], row.encryptionKeyId),
      known: await repositoryOrganizationRows.list(database.queries, { repositoryId: row.id }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
    try {
      await options.take?.()
      await database.transaction(async (queries) => {
        await options.first?.(queries)
        await opened.keep(queries)
      })
    } catch (error) {
      await opened.undo()
      throw named(error, row.name)
    }
    return opened.found
  }

  /** What `repo.json` says, under what is given. Writes nothing. */
  async #rowToAttach(
    storage: Storage,
    input: AttachInput,
    place: { readonly path: string; readonly objectStorage: ObjectStorageRow | undefined },
  ): Promise<RepositoryRow> {
    const { queries } = this.#parts.database
    const property = place.objectStorage === undefined ? 'path' : 'objectStorage'
    const file = await readRepositoryFile(storage).catch((error: unknown) => {
      throw invalid(`${property} cannot be used: ${messageOf(error)}`, property)
    })
    if (file === undefined) throw invalid(`${property} holds no repository of Holdfast`, property)
    const there = await repositoryRows.find(queries, file.id)
    if (there !== undefined)
      throw conflict(`this repository is here already, as ${there.name}: attach organizations of it there`)
    const name = readRepositoryName(input) ?? readText(file.name, 'name', 256) ?? 'Attached'
    if ((await repositoryRows.findByName(queries, nameKeyOf(name))) !== undefined)
      throw conflict(`the name ${name} is in use: give another one`)
    const cachePath = place.objectStorage && readCachePath(input)
    return {
      id: needed(readGuid(file.id, property), property),
      name,
      nameKey: nameKeyOf(name),
      description: readRepositoryDescription(input) ?? '',
      path: place.path,
      proxyId: await this.#requests.proxyId(input),
      retention: readRetention(input),
      createdAt: this.#parts.clock.now(),
      ...(place.objectStorage === undefined ? {} : { objectStorageId: place.objectStorage.id }),
      ...(cachePath === undefined ? {} : { cachePath }),
      ...(await this.#requests.owned(input)),
    }
  }

  /** Those that are given, and that of the repository's encryption key. */
  async #passwords(
    given: readonly PasswordInput[],
    encryptionKeyId: string | undefined,
  ): Promise<readonly GivenPassword[]> {
    const passwords: GivenPassword[] = given.map(({ organization, password }) => {
      const named = readText(organization, 'passwords.organization', 512)
      return {
        password: needed(readSecret(password, 'passwords.password', 1_024), 'passwords.password'),
        ...(named === undefined ? {} : { organization: named }),
      }
    })
    const { encryptionKeys } = this.#parts
    if (encryptionKeyId === undefined || encryptionKeys === undefined) return passwords
    return [...passwords, { encryptionKeyId, password: await encryptionKeys.password(encryptionKeyId) }]
  }
}
