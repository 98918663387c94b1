import { conflict, HoldfastError, invalid, messageOf } from '#base'
import {
  copyJobRows,
  jobRows,
  objectStorageRows,
  repositoryRows,
  type Page,
  type PageRequest,
  type RepositoryRow,
} from '#database'
import { keepReserve, spendReserve, type RecoveryOptions, type RecoveryReport, type Storage } from '#storage'
import type { Audit } from '../access/audit.ts'
import { requireAdministrator, systemPrincipal, type Principal } from '../access/principal.ts'
import type { Shards } from '../jobs/backup-run.ts'
import { BYTES_OF_GB } from '../object-storage/object-storages.ts'
import type { UsedRepository } from '../organizations/organization.ts'
import { BackedUpOrganizations } from './backed-up-organizations.ts'
import type {
  AttachedRepository,
  AttachInput,
  BackedUpOrganization,
  BackupRepository,
  BackupRepositoryInput,
  RecoveryKit,
  RenewedRepository,
  RepositoryOwner,
  Retention,
  RotatedPasswords,
} from './backup-repository.ts'
import { KnownRepositories } from './known-repositories.ts'
import { NewRepositories } from './new-repositories.ts'
import { OrganizationFolders } from './organization-folders.ts'
import { PasswordRotations } from './password-rotations.ts'
import { RecoveryKits } from './recovery-kits.ts'
import { RepositoryAttachments } from './repository-attachments.ts'
import { readRepositoryDescription, readRepositoryName, readRetention } from './repository-input.ts'
import { named, nameKeyOf } from './repository-name.ts'
import { RepositoryOwners } from './repository-owners.ts'
import { checkWritable } from './repository-path.ts'
import { keptForOf, RepositoryPlaces, type PlaceParts } from './repository-places.ts'
import { RepositoryRequests } from './repository-requests.ts'
import { RepositorySpace } from './repository-space.ts'
import { ShardRepositories, type ShardOwner, type ShardParts } from './shard-repositories.ts'

export interface BackupRepositoriesParts extends ShardParts, PlaceParts {
  readonly audit: Audit
  /** The server's own folders: no repository goes there by request. */
  readonly reserved: readonly string[]
}

/** Backup repositories: folders, here or in object storage, that hold one set of shard repositories per organization. */
export class BackupRepositories implements AsyncDisposable {
  readonly #parts: BackupRepositoriesParts
  readonly #places: RepositoryPlaces
  readonly #known: KnownRepositories
  readonly #requests: RepositoryRequests
  readonly #new: NewRepositories
  readonly #attachments: RepositoryAttachments
  readonly #owners: RepositoryOwners
  readonly #shards: ShardRepositories
  readonly #rotations: PasswordRotations
  readonly #kits: RecoveryKits
  readonly #space: RepositorySpace
  readonly #organizations: BackedUpOrganizations
  /** Their folders under another key. */
  readonly folders: OrganizationFolders

  constructor(parts: BackupRepositoriesParts) {
    this.#parts = parts
    const places = new RepositoryPlaces(parts)
    const known = new KnownRepositories(parts, places)
    const requests = new RepositoryRequests(parts)
    const owners = new RepositoryOwners(parts, known, places)
    const shards = new ShardRepositories(parts, places)
    this.#places = places
    this.#known = known
    this.#requests = requests
    this.#new = new NewRepositories(parts, places, requests)
    this.#attachments = new RepositoryAttachments(parts, { known, places, requests })
    this.#owners = owners
    this.#shards = shards
    const rotations = new PasswordRotations(parts, { known, owners, places, shards })
    this.#rotations = rotations
    this.folders = new OrganizationFolders(parts, { known, owners, places, shards, rotations })
    this.#kits = new RecoveryKits(parts, { known, places, shards })
    this.#space = new RepositorySpace(parts, places)
    this.#organizations = new BackedUpOrganizations(parts, known, this.#space)
  }

  /**
   * Makes the folder and `repo.json`. `invalid` for a place that will not do, `conflict` for a name in use. A place that
   * was a repository of this server before gets its id and its data back.
   */
  async add(principal: Principal, input: BackupRepositoryInput): Promise<BackupRepository> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, 'repositories.add', String(input.name ?? ''), async () =>
      this.#known.present(await this.#new.add(input)),
    )
  }

  /**
   * Takes up a repository that another server made, or this one before it lost its database: its id, and those of its
   * organizations that a password is given for. Each of their shards gets a key of this server; those it has stay.
   * `invalid` naming the organization's folder for a password that does not open it: nothing is changed then.
   */
  attach(principal: Principal, input: AttachInput, signal?: AbortSignal): Promise<AttachedRepository> {
    return this.#attachments.attach(principal, input, signal)
  }

  /** The same for organizations of a repository that is here already. */
  attachOrganizations(
    principal: Principal,
    id: string,
    input: Pick<AttachInput, 'passwords'>,
    signal?: AbortSignal,
  ): Promise<AttachedRepository> {
    return this.#attachments.attachOrganizations(principal, id, input, signal)
  }

  /** Makes this server the owner, whoever it was. The former one writes nothing more from its next renewal on. */
  takeOver(principal: Principal, id: string, signal?: AbortSignal): Promise<RepositoryOwner> {
    return this.#owners.takeOver(principal, id, signal)
  }

  owner(principal: Principal, id: string, signal?: AbortSignal): Promise<RepositoryOwner> {
    return this.#owners.owner(principal, id, signal)
  }

  /**
   * Gives the shards of every organization new passwords, beside whatever runs: their data is not touched. Cut off, it is
   * finished at the next start or call. `conflict` while another call does it.
   */
  rotatePasswords(principal: Principal, id: string, signal?: AbortSignal): Promise<RotatedPasswords> {
    return this.#rotations.rotate(principal, id, signal)
  }

  /**
   * An encryption key has a new password: every shard of every repository that uses it is opened by that, and by the earlier one
   * no more. What cannot be reached now gets it when it is opened.
   */
  async renewEncryptionKey(
    principal: Principal,
    encryptionKeyId: string,
  ): Promise<readonly RenewedRepository[]> {
    requireAdministrator(principal)
    const { items } = await repositoryRows.list(this.#parts.database.queries)
    const renewed: RenewedRepository[] = []
    for (const row of items.filter((one) => one.encryptionKeyId === encryptionKeyId)) {
      const names = { repositoryId: row.id, name: row.name }
      try {
        await this.#places.checkThere(row)
        await this.#owners.check(row.id)
        const changed = await this.#rotations.alone(row, () =>
          this.#shards.changeEncryptionKey(row, encryptionKeyId),
        )
        renewed.push({ ...names, ...changed })
      } catch (error) {
        this.#parts.log.warn({ repositoryId: row.id, reason: messageOf(error) }, 'password not renewed yet')
        renewed.push({ ...names, reason: messageOf(error) })
      }
    }
    return renewed
  }

  /** Renews the hold on every repository that can be reached, so that others see this server at work, and goes on there. */
  async begin(): Promise<void> {
    const { items } = await repositoryRows.list(this.#parts.database.queries)
    await Promise.all(
      items.map(async (row) => {
        try {
          await this.#places.checkThere(row)
          await (await this.#places.lease(row))?.renew()
          await this.#rotations.finish(row)
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
    if (there !== undefined) return this.#known.present(there)
    const description = 'Made at the first start'
    return this.#known.present(
      await this.#new.make({ name, description, path, proxyId, retention: readRetention({}) }),
    )
  }

  /** Merges. The place cannot change. */
  async update(principal: Principal, id: string, input: BackupRepositoryInput): Promise<BackupRepository> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, 'repositories.update', id, async () => {
      const row = await this.#known.find(principal, id)
      const storage = await this.#requests.changedObjectStorage(row, input)
      const name = readRepositoryName(input) ?? row.name
      const changed = {
        ...row,
        name,
        nameKey: nameKeyOf(name),
        description: readRepositoryDescription(input) ?? row.description,
        proxyId: await this.#requests.proxyId(input, row.proxyId),
        retention: readRetention(input, row.retention as Retention),
        encryptionKeyId: undefined,
        ...(await this.#requests.owned(input, row)),
      }
      if (storage !== undefined) await this.#requests.checkCanKeep(storage, changed.retention)
      if (changed.encryptionKeyId !== row.encryptionKeyId)
        await this.#rotations.alone(row, () => this.#shards.changeEncryptionKey(row, changed.encryptionKeyId))
      await this.#parts.database.transaction(async (queries) => {
        if (storage !== undefined) await objectStorageRows.update(queries, storage.id, storage)
        await repositoryRows.update(queries, id, changed).catch((error: unknown) => {
          throw named(error, name)
        })
      })
      return this.#known.present(await this.#known.find(principal, id))
    })
  }

  /** `conflict` while a job uses it. The data stays where it is, and so do its passwords. */
  async remove(principal: Principal, id: string): Promise<void> {
    requireAdministrator(principal)
    await this.#parts.audit.around(principal, 'repositories.remove', id, async () => {
      const row = await this.#known.find(principal, id)
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

  get(principal: Principal, id: string): Promise<BackupRepository> {
    return this.#known.get(principal, id)
  }

  /** By name. A tenant sees those that hold its data. */
  list(principal: Principal, page: PageRequest = {}): Promise<Page<BackupRepository>> {
    return this.#known.list(principal, page)
  }

  /** Those of one proxy, by name. */
  async ofProxy(principal: Principal, proxyId: string): Promise<readonly BackupRepository[]> {
    const { items } = await this.list(principal)
    return items.filter((repository) => repository.proxyId === proxyId)
  }

  backedUpOrganizations(principal: Principal, id: string): Promise<readonly BackedUpOrganization[]> {
    return this.#organizations.inRepository(principal, id)
  }

  /** Where an organization has data. No principal: the caller has looked. */
  usedBy(organizationId: string): Promise<readonly UsedRepository[]> {
    return this.#organizations.ofOrganization(organizationId)
  }

  /** For an administrator at the server alone: never to be reached by REST. */
  recoveryKit(id: string): Promise<RecoveryKit> {
    return this.#kits.write(id)
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
    const repository = await this.#known.find(systemPrincipal, repositoryId)
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
    return this.#places.storage(await this.#known.find(systemPrincipal, id))
  }

  /** Brings a repository in object storage back to a moment. What is open of it is closed before and after. */
  async recover(id: string, moment: Date, options: RecoveryOptions): Promise<RecoveryReport> {
    const repository = await this.#known.find(systemPrincipal, id)
    if (repository.objectStorageId === undefined)
      throw invalid('only repositories in object storage that keeps versions come back to a moment')
    const storages = this.#requests.storages()
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
      if (options.preview !== true) {
        await this.#shards.close(id)
        await this.folders.settleRecovered(id)
      }
    }
  }

  /** Throws `conflict` where the repository belongs to another server. */
  checkOwned(id: string, signal?: AbortSignal): Promise<void> {
    return this.#owners.check(id, signal)
  }

  /** A run has written: what the organization takes up is measured anew, in the background. */
  remeasure(repositoryId: string, organizationId: string): void {
    this.#space.remeasure(repositoryId, organizationId)
  }

  /** Closes what is open. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#space[Symbol.asyncDispose]()
    await this.#shards[Symbol.asyncDispose]()
    await this.#places[Symbol.asyncDispose]()
  }

  /** Beyond its size limit an object storage takes no more runs. What is there stays readable. */
  async #checkRoom(repository: RepositoryRow): Promise<void> {
    if (repository.objectStorageId === undefined) {
      await checkWritable(repository.path)
      return keepReserve(await this.#places.storage(repository), this.#parts.random)
    }
    const storages = this.#requests.storages()
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
}
