import { conflict, HoldfastError, isHoldfastError, notFound, Secret } from '#base'
import {
  checkpointRows,
  organizationFolderRows,
  repositoryOrganizationRows,
  sessionRows,
  type OrganizationFolderRow,
  type Queries,
  type RepositoryOrganizationRow,
  type RepositoryRow,
} from '#database'
import { initRepository, openRepository, type Repository } from '#repository'
import { isLocked, subfolder, type Storage } from '#storage'
import { systemPrincipal } from '../access/principal.ts'
import { BYTES_OF_GB, type ObjectStorages } from '../object-storage/object-storages.ts'
import type { KnownRepositories } from './known-repositories.ts'
import type { PasswordRotations } from './password-rotations.ts'
import {
  folderOfGeneration,
  generationOf,
  hasOrganizationFile,
  keepOrganizationFile,
  ORGANIZATION_FILE,
  organizationFileOf,
} from './repository-file.ts'
import type { RepositoryOwners } from './repository-owners.ts'
import type { RepositoryPlaces } from './repository-places.ts'
import {
  changePlace,
  findShardPasswords,
  newShardPassword,
  shardsSecretPlace,
  type ShardsOf,
} from './shard-passwords.ts'
import { shardFolder, type ShardParts, type ShardRepositories } from './shard-repositories.ts'

export interface OrganizationFoldersParts extends ShardParts {
  readonly objectStorages?: ObjectStorages
}

/** An organization's data in a repository, as it is in force. */
export interface PlacedOrganization {
  readonly repository: RepositoryRow
  readonly row: RepositoryOrganizationRow
}

/** A further folder that is being filled, and its password. */
export interface GrowingFolder {
  readonly folder: string
  readonly password: Secret
}

/** More than the bytes that are there: indexes and packs do not come out equal. */
const ROOM_FACTOR = 1.05
const ROOM_BYTES = 64 * 1024 * 1024

const folderSecret = ({ repositoryId, organizationId }: ShardsOf, folder: string) => {
  const place = shardsSecretPlace(repositoryId, organizationId)
  return { ...place, field: `${place.field}.folder.${folder}` }
}

/**
 * Further folders of organizations: those that grow under another key, one of which comes into force in a single transaction,
 * and those that were in force before and go.
 */
export class OrganizationFolders {
  readonly #parts: OrganizationFoldersParts
  readonly #known: KnownRepositories
  readonly #owners: RepositoryOwners
  readonly #places: RepositoryPlaces
  readonly #shards: ShardRepositories
  readonly #rotations: PasswordRotations

  constructor(
    parts: OrganizationFoldersParts,
    nouns: {
      readonly known: KnownRepositories
      readonly owners: RepositoryOwners
      readonly places: RepositoryPlaces
      readonly shards: ShardRepositories
      readonly rotations: PasswordRotations
    },
  ) {
    this.#parts = parts
    this.#known = nouns.known
    this.#owners = nouns.owners
    this.#places = nouns.places
    this.#shards = nouns.shards
    this.#rotations = nouns.rotations
  }

  /** Throws where the repository is not there or belongs to another server. */
  async placed(repositoryId: string, organizationId: string): Promise<PlacedOrganization> {
    const repository = await this.#known.find(systemPrincipal, repositoryId)
    await this.#places.checkThere(repository)
    await this.#owners.check(repositoryId)
    const { queries } = this.#parts.database
    const row = await repositoryOrganizationRows.find(queries, repositoryId, organizationId)
    if (row === undefined) throw notFound('the repository holds nothing of that organization')
    return { repository, row }
  }

  /** The folder that grows, with what an earlier call left in it; a new one where there is none. */
  async grow({ row, repository }: PlacedOrganization): Promise<GrowingFolder> {
    const { database, secrets, clock, random } = this.#parts
    const { repositoryId, organizationId } = row
    for (const one of await this.#list(row, 'Growing')) {
      const password = await secrets.find(database.queries, folderSecret(row, one.folder))
      if (password !== undefined) return { folder: one.folder, password }
    }
    const folder = await this.#freeFolder(await this.#places.storage(repository), row)
    const password = newShardPassword(random)
    const added = { repositoryId, organizationId, folder, state: 'Growing', since: clock.now() } as const
    await database.transaction(async (queries) => {
      await organizationFolderRows.insert(queries, added)
      await secrets.put(queries, folderSecret(row, folder), password)
    })
    return { folder, password }
  }

  /** Throws `full` where the storage tells that a second copy of what is there does not fit. */
  async checkRoom({ repository, row }: PlacedOrganization, growing: GrowingFolder): Promise<void> {
    const storage = await this.#places.storage(repository)
    const there = await bytesBelow(storage, row.folder)
    const grown = await bytesBelow(storage, growing.folder)
    const neededBytes = Math.max(0, there - grown) * ROOM_FACTOR + ROOM_BYTES
    const free = await this.#freeBytes(repository, storage)
    if (free === undefined || free >= neededBytes) return
    const gb = (bytes: number): string => (bytes / BYTES_OF_GB).toFixed(1)
    throw new HoldfastError(
      'full',
      `the data of ${row.organizationName} is written a second time, which needs ${gb(neededBytes)} GB; ` +
        `${gb(free)} GB are free in ${repository.name}`,
    )
  }

  async #freeBytes(repository: RepositoryRow, storage: Storage): Promise<number | undefined> {
    if (repository.objectStorageId === undefined) return (await storage.space())?.freeBytes
    const found = await this.#parts.objectStorages?.find(repository.objectStorageId)
    if (found?.sizeLimitEnabled !== true) return undefined
    return (found.sizeLimitGB ?? 0) * BYTES_OF_GB - found.usedSpaceBytes
  }

  /** The shards in force. They stay open. */
  sources({ repository, row }: PlacedOrganization, signal?: AbortSignal) {
    return this.#shards.existing(repository, row, signal)
  }

  /** Shard `index` of a folder that grows, which cuts files as `source` does. The caller closes it. */
  async openGrowing(
    { repository, row }: PlacedOrganization,
    { folder, password }: GrowingFolder,
    { index, source }: { readonly index: number; readonly source: Repository },
  ): Promise<Repository> {
    const storage = subfolder(await this.#places.storage(repository), shardFolder({ folder }, index))
    const options = this.#shards.openOptions(row, password)
    try {
      return await openRepository(storage, options)
    } catch (error) {
      if (!isHoldfastError(error, 'not-found')) throw error
    }
    // A key file without a repository is what a process left that died while making one.
    for await (const file of storage.list('keys')) await storage.remove(file.path)
    return initRepository(storage, { ...options, cutLike: source })
  }

  /**
   * Puts the folder that grew into force: its name and its password, in one transaction, with whatever `also` does in it. Nobody may
   * be at work in the repository. Runs that were cut off begin anew, because what they saved without a point was not copied.
   */
  async turn(
    placed: PlacedOrganization,
    growing: GrowingFolder,
    also: (queries: Queries) => Promise<void>,
  ): Promise<void> {
    await this.#rotations.alone(placed.repository, async () => {
      await this.#parts.database.transaction(async (queries) => this.#turn(queries, placed, growing, also))
      await this.#shards.closeOrganization(placed.row)
    })
  }

  async #turn(
    queries: Queries,
    { row }: PlacedOrganization,
    { folder, password }: GrowingFolder,
    also: (queries: Queries) => Promise<void>,
  ): Promise<void> {
    const { secrets, clock } = this.#parts
    const { repositoryId, organizationId } = row
    const growing = await organizationFolderRows.list(queries, {
      repositoryId,
      organizationId,
      state: 'Growing',
    })
    const now = await repositoryOrganizationRows.find(queries, repositoryId, organizationId)
    if (now?.folder !== row.folder || !growing.some((one) => one.folder === folder))
      throw new HoldfastError('conflict', 'what was written under a new key was given up meanwhile', {
        reason: 'locked',
      })
    const before = await findShardPasswords(this.#parts, queries, row)
    const { current, next, leaving = [], earlier = [] } = before ?? {}
    const passwords = [current, next, ...leaving, ...earlier].flatMap((each) => each?.reveal() ?? [])
    const former = {
      repositoryId,
      organizationId,
      folder: row.folder,
      state: 'Former',
      since: clock.now(),
    } as const
    await organizationFolderRows.remove(queries, { repositoryId, folder })
    await organizationFolderRows.insert(queries, former)
    await secrets.put(queries, folderSecret(row, row.folder), new Secret(JSON.stringify(passwords)))
    await secrets.remove(queries, folderSecret(row, folder))
    await secrets.remove(queries, changePlace(row))
    await secrets.put(queries, shardsSecretPlace(repositoryId, organizationId), password)
    const changes = { folder, keyFiles: undefined, usedBytes: undefined, measuredAt: undefined }
    await repositoryOrganizationRows.update(queries, repositoryId, organizationId, changes)
    const running = { repositoryId, organizationId, status: 'Running', limit: 10_000 }
    for (const { id } of (await sessionRows.list(queries, running)).items)
      await checkpointRows.removeAll(queries, id)
    await also(queries)
  }

  /**
   * Says in the place which folder is in force, so that a server without this database finds it, and opens every shard, which
   * gives it the key of the repository's encryption key. May be repeated.
   */
  async settle({ repository, row }: PlacedOrganization, signal?: AbortSignal): Promise<void> {
    const storage = await this.#places.storage(repository)
    if (!(await hasOrganizationFile(storage, row.folder)))
      await keepOrganizationFile(storage, row.folder, organizationFileOf(row))
    await this.#shards.existing(repository, row, signal)
  }

  /** Folders that were in force before, or given up while they grew. */
  former(of: ShardsOf): Promise<readonly OrganizationFolderRow[]> {
    return this.#list(of, 'Former')
  }

  /**
   * Removes a folder that is not in force: what opens it first, then the rest. Undefined when it is gone; else until when the
   * storage keeps some of it.
   */
  async removeFormer(
    { repository, row }: PlacedOrganization,
    former: OrganizationFolderRow,
    signal?: AbortSignal,
  ): Promise<Date | undefined> {
    if (former.folder === row.folder || former.state !== 'Former')
      throw conflict(`the folder ${former.folder} is in force`)
    const storage = await this.#places.storage(repository)
    const { folder } = former
    const paths: string[] = []
    for await (const { path } of storage.list(folder, signal)) paths.push(path)
    paths.sort((a, b) => rankOf(a) - rankOf(b))
    let keptUntil: Date | undefined
    for (const path of paths) {
      signal?.throwIfAborted()
      const until = await removedOrKept(storage, path, signal)
      if (until !== undefined && (keptUntil === undefined || until > keptUntil)) keptUntil = until
    }
    const { database, secrets } = this.#parts
    await database.transaction(async (queries) => {
      if (keptUntil !== undefined) return organizationFolderRows.update(queries, former, { keptUntil })
      await organizationFolderRows.remove(queries, former)
      await secrets.remove(queries, folderSecret(row, folder))
    })
    return keptUntil
  }

  /**
   * After a place was brought back to an earlier moment: where the folder in force is not there and an earlier one is, that one
   * is in force again, with its passwords.
   */
  async settleRecovered(repositoryId: string): Promise<void> {
    const { database, log } = this.#parts
    const repository = await this.#known.find(systemPrincipal, repositoryId)
    const storage = await this.#places.storage(repository)
    for (const row of await repositoryOrganizationRows.list(database.queries, { repositoryId })) {
      if (generationOf(row.folder) === 1 || (await hasOrganizationFile(storage, row.folder))) continue
      for (const former of [...(await this.former(row))].reverse()) {
        if (!(await hasOrganizationFile(storage, former.folder))) continue
        await database.transaction((queries) => this.#turnBack(queries, row, former))
        await this.#shards.closeOrganization(row)
        log.warn({ repositoryId, folder: former.folder }, 'data under the earlier key is in force again')
        break
      }
    }
  }

  async #turnBack(
    queries: Queries,
    row: RepositoryOrganizationRow,
    former: OrganizationFolderRow,
  ): Promise<void> {
    const { secrets } = this.#parts
    const { repositoryId, organizationId } = row
    const sealed = await secrets.find(queries, folderSecret(row, former.folder))
    const [current, ...earlier] = sealed === undefined ? [] : (JSON.parse(sealed.reveal()) as string[])
    if (current === undefined) throw notFound('the passwords of the earlier folder are not known here')
    await secrets.put(queries, shardsSecretPlace(repositoryId, organizationId), new Secret(current))
    await secrets.put(queries, changePlace(row), new Secret(JSON.stringify({ earlier })))
    await secrets.remove(queries, folderSecret(row, former.folder))
    await organizationFolderRows.remove(queries, former)
    const changes = {
      folder: former.folder,
      keyFiles: undefined,
      usedBytes: undefined,
      measuredAt: undefined,
    }
    await repositoryOrganizationRows.update(queries, repositoryId, organizationId, changes)
  }

  #list(of: ShardsOf, state: OrganizationFolderRow['state']): Promise<readonly OrganizationFolderRow[]> {
    const { repositoryId, organizationId } = of
    return organizationFolderRows.list(this.#parts.database.queries, { repositoryId, organizationId, state })
  }

  /** Another server, or this one before it lost its database, may have left one. */
  async #freeFolder(storage: Storage, row: RepositoryOrganizationRow): Promise<string> {
    const { queries } = this.#parts.database
    const known = await organizationFolderRows.list(queries, { repositoryId: row.repositoryId })
    for (let generation = generationOf(row.folder) + 1; ; generation += 1) {
      const folder = folderOfGeneration(row.folder, generation)
      if (!known.some((one) => one.folder === folder) && (await isEmpty(storage, folder))) return folder
    }
  }
}

const isEmpty = async (storage: Storage, folder: string): Promise<boolean> => {
  for await (const _ of storage.list(folder)) return false
  return true
}

const bytesBelow = async (storage: Storage, folder: string): Promise<number> => {
  let bytes = 0
  for await (const { sizeBytes } of storage.list(folder)) bytes += sizeBytes
  return bytes
}

/** What opens the data goes first, then what says whose it is. */
const rankOf = (path: string): number => {
  if (/\/keys\/[^/]+$/.test(path)) return 0
  return path.endsWith(`/${ORGANIZATION_FILE}`) ? 1 : 2
}

/** Until when the file is kept; undefined when it is gone. */
const removedOrKept = async (
  storage: Storage,
  path: string,
  signal: AbortSignal | undefined,
): Promise<Date | undefined> => {
  const { retention } = storage
  try {
    await storage.remove(path, signal)
    return undefined
  } catch (error) {
    if (!isLocked(error) || retention === undefined) throw error
    return (await retention.until(path, signal)) ?? (await retention.now(signal))
  }
}
