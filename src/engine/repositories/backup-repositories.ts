import { conflict, HoldfastError, invalid, isHoldfastError, messageOf, notFound } from '#base'
import {
  encryptionKeyRows,
  isDuplicate,
  copyJobRows,
  jobRows,
  objectStorageRows,
  organizationRows,
  proxyRows,
  repositoryOrganizationRows,
  repositoryRows,
  type ObjectStorageRow,
  type Page,
  type PageRequest,
  type Queries,
  type RepositoryOrganizationRow,
  type RepositoryRow,
} from '#database'
import { keepReserve, spendReserve, type RecoveryOptions, type RecoveryReport, type Storage } from '#storage'
import type { Audit } from '../access/audit.ts'
import { requireAdministrator, scopeOf, systemPrincipal, type Principal } from '../access/principal.ts'
import type { Shards } from '../jobs/backup-run.ts'
import type { UsedRepository } from '../organizations/organization.ts'
import { BYTES_OF_GB, placeOf, type ObjectStorages } from '../object-storage/object-storages.ts'
import { resticUrl } from '../object-storage/place.ts'
import { needed, readFlag, readGuid, readSecret, readText } from '../organizations/read-input.ts'
import type {
  AttachInput,
  BackupRepository,
  BackupRepositoryInput,
  PasswordInput,
  RecoveryKit,
  Retention,
} from './backup-repository.ts'
import { openOrganizations, type FoundOrganization, type GivenPassword } from './attach-organizations.ts'
import { isLiving, OwnerLease, type Taking } from './owner-lease.ts'
import { newestRecord } from './owner-record.ts'
import { recoveryInstructions } from './recovery-instructions.ts'
import {
  readRepositoryFile,
  removeRepositoryFile,
  REPOSITORY_FILE,
  writeRepositoryFile,
} from './repository-file.ts'
import { readRepositoryDescription, readRepositoryName, readRetention } from './repository-input.ts'
import { acceptRepositoryPath, checkEmpty, checkWritable, holdsOnly } from './repository-path.ts'
import { keptForOf, RepositoryPlaces, type PlaceParts } from './repository-places.ts'
import { RepositorySpace } from './repository-space.ts'
import type { ChangedPasswords } from './shard-passwords.ts'
import { shardFolder, ShardRepositories, type ShardOwner, type ShardParts } from './shard-repositories.ts'

/** An organization that has data in a repository. It may have been removed from the server since. */
export interface BackedUpOrganization {
  readonly organizationId: string
  readonly name: string
  readonly usedSpaceBytes?: number
  readonly isInObjectStorage: boolean
}

/** A repository that was taken up, with everything that was found in it. */
export interface AttachedRepository {
  readonly repository: BackupRepository
  readonly organizations: readonly FoundOrganization[]
}

/** An organization whose shards have a new password. */
export interface RotatedOrganization extends ChangedPasswords {
  readonly organizationId: string
  readonly name: string
}

/** A repository whose recovery kit is out of date from now on. */
export interface RotatedPasswords {
  readonly repositoryId: string
  readonly repositoryName: string
  readonly organizations: readonly RotatedOrganization[]
}

/** Whose a repository is. */
export interface RepositoryOwner {
  /** Undefined where nobody has ever written to it. */
  readonly serverId?: string
  readonly serverName?: string
  /** ISO 8601, by the clock of that server. */
  readonly since?: string
  readonly isThisServer: boolean
  /** Whether it is at work, as far as can be seen from here. */
  readonly isAtWork: boolean
}

export interface BackupRepositoriesParts extends ShardParts, PlaceParts {
  readonly audit: Audit
  /** The server's own folders: no repository goes there by request. */
  readonly reserved: readonly string[]
}

const unknown = 'the backup repository is not known'

/** What a repository is made of, but for its id. */
type NewRepository = Omit<RepositoryRow, 'id' | 'nameKey' | 'createdAt'>

/** Backup repositories: folders, here or in object storage, that hold one set of shard repositories per organization. */
export class BackupRepositories implements AsyncDisposable {
  readonly #parts: BackupRepositoriesParts
  readonly #places: RepositoryPlaces
  readonly #shards: ShardRepositories
  readonly #space: RepositorySpace
  /** Repositories whose passwords are being changed. */
  readonly #changing = new Set<string>()

  constructor(parts: BackupRepositoriesParts) {
    this.#parts = parts
    this.#places = new RepositoryPlaces(parts)
    this.#shards = new ShardRepositories(parts, this.#places)
    this.#space = new RepositorySpace(parts, this.#places)
  }

  /**
   * Makes the folder and `repo.json`. `invalid` for a place that will not do, `conflict` for a name in use. A place that
   * was a repository of this server before gets its id and its data back.
   */
  async add(principal: Principal, input: BackupRepositoryInput): Promise<BackupRepository> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, 'repositories.add', String(input.name ?? ''), async () => {
      const name = needed(readRepositoryName(input), 'name')
      const cachePath = readCachePath(input)
      const given = {
        name,
        description: readRepositoryDescription(input) ?? '',
        retention: readRetention(input),
        proxyId: await this.#proxyId(input),
        ...(await this.#owned(input)),
      }
      const storage = await this.#objectStorageFor(input, name)
      if (storage === undefined) {
        if (cachePath !== undefined)
          throw invalid('a repository in a folder has no object storage cache', 'objectStorageCachePath')
        return this.#make({ ...given, path: await this.#pathFor(input) })
      }
      const cache = cachePath ?? readText(input.path, 'path', 1_024)
      const place = { path: storage.placeKey, objectStorageId: storage.id }
      return this.#make({ ...given, ...place, ...(cache === undefined ? {} : { cachePath: cache }) }, storage)
    })
  }

  /**
   * Takes up a repository that another server made, or this one before it lost its database: its id, and those of its
   * organizations that a password is given for. Each of their shards gets a key of this server; those it has stay.
   * `invalid` naming the organization's folder for a password that does not open it: nothing is changed then.
   */
  async attach(principal: Principal, input: AttachInput, signal?: AbortSignal): Promise<AttachedRepository> {
    requireAdministrator(principal)
    const label = String(input.name ?? input.path ?? '')
    return this.#parts.audit.around(principal, 'repositories.attach', label, async () => {
      const objectStorage = await this.#objectStorageFor(input, readRepositoryName(input) ?? 'Repository')
      const path = objectStorage?.placeKey ?? (await this.#pathFor(input))
      await using storage = await this.#openNew({ path }, objectStorage)
      const row = await this.#rowToAttach(storage, input, { path, objectStorage })
      const taking = readFlag(input.takeOver, 'takeOver') === true ? 'any' : 'left'
      const lease = await this.#leaseToBe(storage, row.name, taking)
      if (objectStorage !== undefined) await this.#checkCanKeep(objectStorage, row.retention as Retention)
      const organizations = await this.#attachInto(row, storage, input, {
        ...(signal === undefined ? {} : { signal }),
        take: async () => lease?.take(taking, signal),
        first: async (queries) => {
          if (objectStorage !== undefined)
            await this.#objectStorages().insert(queries, { ...objectStorage, name: row.name })
          await repositoryRows.insert(queries, row)
        },
      })
      return { repository: await this.#present(row), organizations }
    })
  }

  /** The same for organizations of a repository that is here already. */
  async attachOrganizations(
    principal: Principal,
    id: string,
    input: Pick<AttachInput, 'passwords'>,
    signal?: AbortSignal,
  ): Promise<AttachedRepository> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, 'repositories.attachOrganizations', id, async () => {
      const row = await this.#find(principal, id)
      await this.#places.checkThere(row)
      const storage = await this.#places.storage(row)
      const organizations = await this.#attachInto(
        row,
        storage,
        input,
        signal === undefined ? {} : { signal },
      )
      return { repository: await this.#present(row), organizations }
    })
  }

  /** Makes this server the owner, whoever it was. The former one writes nothing more from its next renewal on. */
  async takeOver(principal: Principal, id: string, signal?: AbortSignal): Promise<RepositoryOwner> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, 'repositories.takeOver', id, async () => {
      const row = await this.#find(principal, id)
      await this.#places.checkThere(row)
      const lease = await this.#places.lease(row)
      if (lease === undefined) throw invalid('this server does not own repositories')
      await lease.take('any', signal)
      return this.owner(principal, id, signal)
    })
  }

  async owner(principal: Principal, id: string, signal?: AbortSignal): Promise<RepositoryOwner> {
    requireAdministrator(principal)
    const row = await this.#find(principal, id)
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

  /**
   * Gives the shards of every organization new passwords, beside whatever runs: their data is not touched. Cut off, it is
   * finished at the next start or call. `conflict` while another call does it.
   */
  async rotatePasswords(principal: Principal, id: string, signal?: AbortSignal): Promise<RotatedPasswords> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, 'repositories.rotatePasswords', id, async () => {
      const row = await this.#find(principal, id)
      await this.#places.checkThere(row)
      await this.checkOwned(row.id, signal)
      const organizations = await this.#changePasswords(row, {
        mayBegin: true,
        ...(signal === undefined ? {} : { signal }),
      })
      return { repositoryId: row.id, repositoryName: row.name, organizations }
    })
  }

  /** Renews the hold on every repository that can be reached, so that others see this server at work, and goes on there. */
  async begin(): Promise<void> {
    const { items } = await repositoryRows.list(this.#parts.database.queries)
    await Promise.all(
      items.map(async (row) => {
        try {
          await this.#places.checkThere(row)
          await (await this.#places.lease(row))?.renew()
          await this.#changePasswords(row, { mayBegin: false })
        } catch (error) {
          this.#parts.log.warn({ repositoryId: row.id, reason: messageOf(error) }, 'repository not held')
        }
      }),
    )
  }

  /** The repository of the first start, in a folder that requests may not name. Returns the one that is there. */
  async addDefault(path: string, proxyId: string): Promise<BackupRepository> {
    const name = 'Default Backup Repository'
    const there = await repositoryRows.findByName(this.#parts.database.queries, nameKeyOf(name))
    if (there !== undefined) return this.#present(there)
    const description = 'Made at the first start'
    return this.#make({ name, description, path, proxyId, retention: readRetention({}) })
  }

  /** Merges. The place cannot change. */
  async update(principal: Principal, id: string, input: BackupRepositoryInput): Promise<BackupRepository> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, 'repositories.update', id, async () => {
      const row = await this.#find(principal, id)
      const storage = await this.#changedPlace(row, input)
      const name = readRepositoryName(input) ?? row.name
      const changed = {
        ...row,
        name,
        nameKey: nameKeyOf(name),
        description: readRepositoryDescription(input) ?? row.description,
        proxyId: await this.#proxyId(input, row.proxyId),
        retention: readRetention(input, row.retention as Retention),
        encryptionKeyId: undefined,
        ...(await this.#owned(input, row)),
      }
      if (storage !== undefined) await this.#checkCanKeep(storage, changed.retention)
      if (changed.encryptionKeyId !== row.encryptionKeyId)
        await this.#shards.changeEncryptionKey(row, changed.encryptionKeyId)
      await this.#parts.database.transaction(async (queries) => {
        if (storage !== undefined) await objectStorageRows.update(queries, storage.id, storage)
        await repositoryRows.update(queries, id, changed).catch((error: unknown) => {
          throw named(error, name)
        })
      })
      return this.#present(await this.#find(principal, id))
    })
  }

  /** `conflict` while a job uses it. The data stays where it is, and so do its passwords. */
  async remove(principal: Principal, id: string): Promise<void> {
    requireAdministrator(principal)
    await this.#parts.audit.around(principal, 'repositories.remove', id, async () => {
      const row = await this.#find(principal, id)
      await this.#parts.database.transaction(async (queries) => {
        const using = await jobRows.list(queries, { repositoryId: id, limit: 1 })
        if (using.totalCount > 0)
          throw conflict(`${row.name} is used by ${using.totalCount} jobs, such as ${using.items[0]!.name}`)
        const copying = await copyJobRows.list(queries, { repositoryId: id, limit: 1 })
        if (copying.totalCount > 0)
          throw conflict(
            `${row.name} is where ${copying.items[0]!.name} copies to: remove the copy job first`,
          )
        await repositoryRows.remove(queries, id)
        const storage = row.objectStorageId && (await objectStorageRows.find(queries, row.objectStorageId))
        if (storage && storage.isPartOfRepository) await objectStorageRows.remove(queries, storage.id)
      })
      await this.#places.letGo(id)
      await this.#shards.close(id)
    })
  }

  async get(principal: Principal, id: string): Promise<BackupRepository> {
    return seenBy(principal, await this.#present(await this.#find(principal, id)))
  }

  /** By name. A tenant sees those that hold its data. */
  async list(principal: Principal, page: PageRequest = {}): Promise<Page<BackupRepository>> {
    const organizationId = scopeOf(principal)
    const filter = organizationId === undefined ? page : { ...page, organizationId }
    const { items, totalCount } = await repositoryRows.list(this.#parts.database.queries, filter)
    const presented = await Promise.all(items.map((row) => this.#present(row)))
    return { items: presented.map((one) => seenBy(principal, one)), totalCount }
  }

  /** Those of one proxy, by name. */
  async ofProxy(principal: Principal, proxyId: string): Promise<readonly BackupRepository[]> {
    const { items } = await this.list(principal)
    return items.filter((repository) => repository.proxyId === proxyId)
  }

  async backedUpOrganizations(principal: Principal, id: string): Promise<readonly BackedUpOrganization[]> {
    const repository = await this.#find(principal, id)
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
        ...(await this.#usedSpaceOf(repository, row).catch(() => ({}))),
      })),
    )
  }

  /** Where an organization has data. No principal: the caller has looked. */
  async usedBy(organizationId: string): Promise<readonly UsedRepository[]> {
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
      const space = await this.#usedSpaceOf(repository, row).catch((error: unknown) => ({
        details: messageOf(error),
      }))
      used.push({ ...names, ...space, isAvailable: !('details' in space) })
    }
    return used
  }

  /** For an administrator at the server alone: never to be reached by REST. */
  async recoveryKit(id: string): Promise<RecoveryKit> {
    return this.#parts.audit.around(systemPrincipal, 'repositories.recoveryKit', id, async () => {
      const repository = await this.#find(systemPrincipal, id)
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

  /**
   * For backup (makes what is missing) and for reading. `expectedObjects` decides the number of shards the first time
   * and nothing later, unless `shardCount` says it; without both an organization that has no data here has no shards.
   * `givesBack`: for what takes away more than it adds, which may use the room that is set aside on a full disk.
   */
  async shards(
    repositoryId: string,
    organization: ShardOwner,
    options: {
      readonly expectedObjects?: number
      readonly shardCount?: number
      readonly givesBack?: boolean
    } = {},
  ): Promise<Shards> {
    const repository = await this.#find(systemPrincipal, repositoryId)
    await this.#places.checkThere(repository)
    if (options.expectedObjects !== undefined || options.shardCount !== undefined) {
      await this.checkOwned(repository.id)
      await this.#checkRoom(repository)
    }
    if (options.givesBack === true) await this.checkOwned(repository.id)
    if (options.givesBack === true) await spendReserve(await this.#places.storage(repository))
    return this.#shards.of(repository, organization, options)
  }

  /** Where the repository lives, for the engine itself: it stays open, do not dispose of it. */
  async storageFor(id: string): Promise<Storage> {
    return this.#places.storage(await this.#find(systemPrincipal, id))
  }

  /** Brings a repository in object storage back to a moment. What is open of it is closed before and after. */
  async recover(id: string, moment: Date, options: RecoveryOptions): Promise<RecoveryReport> {
    const repository = await this.#find(systemPrincipal, id)
    if (repository.objectStorageId === undefined)
      throw invalid('only repositories in object storage that keeps versions come back to a moment')
    const storages = this.#objectStorages()
    const row = await storages.row(repository.objectStorageId)
    const keptFor = keptForOf(row, repository.retention as Retention)
    if (options.preview !== true) await this.checkOwned(id)
    if (options.preview !== true) await this.#shards.close(id)
    try {
      return await storages.recover(row, moment, {
        ...options,
        ...(keptFor === undefined ? {} : { keptFor }),
      })
    } finally {
      if (options.preview !== true) await this.#shards.close(id)
    }
  }

  /** Throws `conflict` where the repository belongs to another server. */
  async checkOwned(id: string, signal?: AbortSignal): Promise<void> {
    await (await this.#places.lease(await this.#find(systemPrincipal, id)))?.renew(signal)
  }

  /** A run has written: what the organization takes up is measured anew, in the background. */
  remeasure(repositoryId: string, organizationId: string): void {
    this.#space.remeasure(repositoryId, organizationId)
  }

  async #changePasswords(
    row: RepositoryRow,
    options: { readonly mayBegin: boolean; readonly signal?: AbortSignal },
  ): Promise<readonly RotatedOrganization[]> {
    if (this.#changing.has(row.id)) throw conflict(`the passwords of ${row.name} are being changed already`)
    this.#changing.add(row.id)
    try {
      const { queries } = this.#parts.database
      const organizations: RotatedOrganization[] = []
      for (const one of await repositoryOrganizationRows.list(queries, { repositoryId: row.id })) {
        const changed = await this.#shards.changePassword(row, one, options)
        if (changed === undefined) continue
        organizations.push({ organizationId: one.organizationId, name: one.organizationName, ...changed })
      }
      return organizations
    } finally {
      this.#changing.delete(row.id)
    }
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
      proxyId: await this.#proxyId(input),
      retention: readRetention(input),
      createdAt: this.#parts.clock.now(),
      ...(place.objectStorage === undefined ? {} : { objectStorageId: place.objectStorage.id }),
      ...(cachePath === undefined ? {} : { cachePath }),
      ...(await this.#owned(input)),
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

  /** Closes what is open. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#space[Symbol.asyncDispose]()
    await this.#shards[Symbol.asyncDispose]()
    await this.#places[Symbol.asyncDispose]()
  }

  async #find(principal: Principal, id: string): Promise<RepositoryRow> {
    const { queries } = this.#parts.database
    const row = await repositoryRows.find(queries, id)
    const organizationId = scopeOf(principal)
    const isForeign =
      organizationId !== undefined &&
      (await repositoryOrganizationRows.find(queries, id, organizationId)) === undefined
    if (row === undefined || isForeign) throw notFound(unknown)
    return row
  }

  async #proxyId(input: BackupRepositoryInput, stored?: string): Promise<string> {
    const { queries } = this.#parts.database
    const given = readGuid(input.proxyId, 'proxyId')
    if (given === undefined) return stored ?? (await proxyRows.list(queries))[0]?.id ?? ''
    if ((await proxyRows.find(queries, given)) === undefined)
      throw invalid('proxyId names no backup proxy', 'proxyId')
    return given
  }

  /** The object storage that is asked for, or undefined for a folder. Writes nothing. */
  async #objectStorageFor(input: BackupRepositoryInput, name: string): Promise<ObjectStorageRow | undefined> {
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
    return this.#objectStorages().accept(input.objectStorage, { name, isPartOfRepository: true })
  }

  #objectStorages(): ObjectStorages {
    return needed(this.#parts.objectStorages, 'objectStorage')
  }

  async #pathFor(input: BackupRepositoryInput): Promise<string> {
    const others = await repositoryRows.list(this.#parts.database.queries)
    const taken = others.items.filter((row) => row.objectStorageId === undefined).map(({ path }) => path)
    return acceptRepositoryPath(input.path, { taken, reserved: this.#parts.reserved })
  }

  /** The row of the object storage as it will be; undefined where nothing of it is given. */
  async #changedPlace(
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
    const storages = this.#objectStorages()
    return storages.changed(await storages.row(row.objectStorageId), input.objectStorage)
  }

  async #checkCanKeep(storage: ObjectStorageRow, retention: Retention): Promise<void> {
    const keptFor = keptForOf(storage, retention)
    if (keptFor !== undefined) await this.#objectStorages().checkCanKeep(storage, keptFor)
  }

  /** The encryption key and the organization that are given, or that are there. */
  async #owned(input: BackupRepositoryInput, stored?: RepositoryRow) {
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

  /** Beyond its size limit an object storage takes no more runs. What is there stays readable. */
  async #checkRoom(repository: RepositoryRow): Promise<void> {
    if (repository.objectStorageId === undefined) {
      await checkWritable(repository.path)
      return keepReserve(await this.#places.storage(repository), this.#parts.random)
    }
    const storages = this.#objectStorages()
    const {
      sizeLimitEnabled,
      sizeLimitGB = 0,
      usedSpaceBytes,
    } = await storages.find(repository.objectStorageId)
    if (!sizeLimitEnabled || usedSpaceBytes < sizeLimitGB * BYTES_OF_GB) return
    const used = (usedSpaceBytes / BYTES_OF_GB).toFixed(1)
    throw new HoldfastError(
      'full',
      `the object storage of ${repository.name} holds ${used} GB, and ${sizeLimitGB} GB is its limit`,
    )
  }

  /** Where stock restic finds the repository, and what it needs for that. */
  async #resticPlace(repository: RepositoryRow) {
    if (repository.objectStorageId === undefined) return { root: repository.path, environment: {} }
    const row = await this.#places.objectStorageRow(repository.objectStorageId)
    return { root: resticUrl(placeOf(row)), environment: await this.#objectStorages().environment(row) }
  }

  async #make(given: NewRepository, objectStorage?: ObjectStorageRow): Promise<BackupRepository> {
    const { database, clock, random } = this.#parts
    if ((await repositoryRows.findByName(database.queries, nameKeyOf(given.name))) !== undefined)
      throw conflict(`the name ${given.name} is in use`)
    if (objectStorage !== undefined) await this.#checkCanKeep(objectStorage, given.retention as Retention)
    await using storage = await this.#openNew(given, objectStorage)
    const before = await this.#formerId(storage, given)
    const row = {
      ...given,
      id: before ?? random.uuid(),
      nameKey: nameKeyOf(given.name),
      createdAt: clock.now(),
    }
    if (before === undefined) await this.#claim(storage, row)
    else await (await this.#leaseToBe(storage, row.name, 'left'))?.take('left')
    try {
      await database.transaction(async (queries) => {
        if (objectStorage !== undefined) await this.#objectStorages().insert(queries, objectStorage)
        await repositoryRows.insert(queries, row)
      })
    } catch (error) {
      if (before === undefined) await removeRepositoryFile(storage)
      throw named(error, row.name)
    }
    await (await this.#places.lease(row))?.renew()
    return this.#present(row)
  }

  /** For a place that is not known here yet. Throws `conflict` at once where it would not be given. */
  async #leaseToBe(storage: Storage, name: string, taking: Taking): Promise<OwnerLease | undefined> {
    const { owner } = this.#parts
    if (owner === undefined) return undefined
    const lease = new OwnerLease({ ...this.#parts, owner }, storage, name)
    await lease.checkMayTake(taking)
    return lease
  }

  async #openNew(
    given: Pick<NewRepository, 'path'>,
    objectStorage: ObjectStorageRow | undefined,
  ): Promise<Storage> {
    if (objectStorage === undefined) return this.#parts.openStorage(given.path)
    // Without dates: what the making of a repository leaves behind when it fails can be removed.
    return this.#objectStorages().open(objectStorage)
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

  async #present(row: RepositoryRow): Promise<BackupRepository> {
    const state = await this.#stateOf(row).catch((error: unknown) => ({
      isOutOfOrder: true,
      outOfOrderReason: messageOf(error),
    }))
    const { id, name, description, path, proxyId, objectStorageId, cachePath } = row
    const { encryptionKeyId, organizationId } = row
    const objectStorage =
      objectStorageId === undefined ? undefined : await this.#objectStorages().find(objectStorageId)
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

  async #usedSpaceOf(
    repository: RepositoryRow,
    row: RepositoryOrganizationRow,
  ): Promise<{ readonly usedSpaceBytes: number }> {
    return { usedSpaceBytes: await this.#space.usedBytes(repository, row) }
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

const readCachePath = (input: BackupRepositoryInput): string | undefined =>
  readText(input.objectStorageCachePath, 'objectStorageCachePath', 1_024)

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

const nameKeyOf = (name: string): string => name.normalize('NFC').toLowerCase()

const named = (error: unknown, name: string): HoldfastError | unknown =>
  isDuplicate(error) ? conflict(`the name ${name} or the path is in use`) : error
