import { conflict, invalid, isHoldfastError, messageOf, notFound, type HoldfastError } from '#base'
import {
  isDuplicate,
  jobRows,
  proxyRows,
  repositoryOrganizationRows,
  repositoryRows,
  type Page,
  type PageRequest,
  type RepositoryOrganizationRow,
  type RepositoryRow,
} from '#database'
import type { Storage } from '#storage'
import type { Audit } from '../access/audit.ts'
import { requireAdministrator, scopeOf, systemPrincipal, type Principal } from '../access/principal.ts'
import type { Shards } from '../jobs/backup-run.ts'
import type { UsedRepository } from '../organizations/organization.ts'
import { needed, readGuid } from '../organizations/read-input.ts'
import type { BackupRepository, BackupRepositoryInput, RecoveryKit, Retention } from './backup-repository.ts'
import { recoveryInstructions } from './recovery-instructions.ts'
import {
  readRepositoryFile,
  removeRepositoryFile,
  REPOSITORY_FILE,
  writeRepositoryFile,
} from './repository-file.ts'
import { readRepositoryDescription, readRepositoryName, readRetention } from './repository-input.ts'
import { acceptRepositoryPath, checkEmpty, checkThere, holdsOnly } from './repository-path.ts'
import { shardFolder, ShardRepositories, type ShardOwner, type ShardParts } from './shard-repositories.ts'

/** An organization that has data in a repository. It may have been removed from the server since. */
export interface BackedUpOrganization {
  readonly organizationId: string
  readonly name: string
  readonly usedSpaceBytes?: number
}

export interface BackupRepositoriesParts extends ShardParts {
  readonly audit: Audit
  /** The server's own folders: no repository goes there by request. */
  readonly reserved: readonly string[]
}

const unknown = 'the backup repository is not known'
const USED_SPACE_KEPT_MS = 5 * 60_000

/** Backup repositories: folders that hold one set of shard repositories per organization. */
export class BackupRepositories implements AsyncDisposable {
  readonly #parts: BackupRepositoriesParts
  readonly #shards: ShardRepositories
  readonly #usedSpace = new Map<string, { readonly bytes: number; readonly atMs: number }>()

  constructor(parts: BackupRepositoriesParts) {
    this.#parts = parts
    this.#shards = new ShardRepositories(parts)
  }

  /**
   * Makes the folder and `repo.json`. `invalid` for a path that will not do, `conflict` for a name in use. A folder that
   * was a repository of this server before gets its id and its data back.
   */
  async add(principal: Principal, input: BackupRepositoryInput): Promise<BackupRepository> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, 'repositories.add', String(input.name ?? ''), async () => {
      const name = needed(readRepositoryName(input), 'name')
      const description = readRepositoryDescription(input) ?? ''
      const retention = readRetention(input)
      const proxyId = await this.#proxyId(input)
      const others = await repositoryRows.list(this.#parts.database.queries)
      const taken = others.items.map(({ path }) => path)
      const path = await acceptRepositoryPath(input.path, { taken, reserved: this.#parts.reserved })
      return this.#make({ name, description, path, proxyId, retention })
    })
  }

  /** The repository of the first start, in a folder that requests may not name. Returns the one that is there. */
  async addDefault(path: string, proxyId: string): Promise<BackupRepository> {
    const name = 'Default Backup Repository'
    const there = await repositoryRows.findByName(this.#parts.database.queries, nameKeyOf(name))
    if (there !== undefined) return this.#present(there)
    const description = 'Made at the first start'
    return this.#make({ name, description, path, proxyId, retention: readRetention({}) })
  }

  /** Merges. The path cannot change. */
  async update(principal: Principal, id: string, input: BackupRepositoryInput): Promise<BackupRepository> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, 'repositories.update', id, async () => {
      const row = await this.#find(principal, id)
      if ((input.path ?? '') !== '' && input.path!.replace(/\/+$/, '') !== row.path)
        throw invalid('the path of a repository cannot be changed', 'path')
      const name = readRepositoryName(input) ?? row.name
      const changed = {
        ...row,
        name,
        nameKey: nameKeyOf(name),
        description: readRepositoryDescription(input) ?? row.description,
        proxyId: await this.#proxyId(input, row.proxyId),
        retention: readRetention(input, row.retention as Retention),
      }
      await repositoryRows.update(this.#parts.database.queries, id, changed).catch((error: unknown) => {
        throw named(error, name)
      })
      return this.#present(changed)
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
        await repositoryRows.remove(queries, id)
      })
      await this.#shards.close(id)
    })
  }

  async get(principal: Principal, id: string): Promise<BackupRepository> {
    return this.#present(await this.#find(principal, id))
  }

  /** By name. A tenant sees those that hold its data. */
  async list(principal: Principal, page: PageRequest = {}): Promise<Page<BackupRepository>> {
    const organizationId = scopeOf(principal)
    const filter = organizationId === undefined ? page : { ...page, organizationId }
    const { items, totalCount } = await repositoryRows.list(this.#parts.database.queries, filter)
    return { items: await Promise.all(items.map((row) => this.#present(row))), totalCount }
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
      const names = { organizationId, repositoryId: repository.id, repositoryName: repository.name }
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
      const shards = []
      for (const row of rows) {
        const password = await this.#shards.password(row)
        if (password === undefined) continue
        for (const index of await this.#shards.made(repository, row)) {
          const path = `${repository.path}/${shardFolder(row, index)}`
          const { organizationId, organizationName } = row
          shards.push({ organizationId, organizationName, path, password })
        }
      }
      const instructions = recoveryInstructions(repository.name, shards)
      return { repositoryName: repository.name, instructions, shards }
    })
  }

  /**
   * For backup (makes what is missing) and for reading. `expectedObjects` decides the number of shards the first time
   * and nothing later; without it an organization that has no data here has no shards.
   */
  async shards(
    repositoryId: string,
    organization: ShardOwner,
    options: { readonly expectedObjects?: number } = {},
  ): Promise<Shards> {
    const repository = await this.#find(systemPrincipal, repositoryId)
    // A share that is not mounted must not be taken for an empty repository.
    await checkThere(repository.path)
    if ((await this.#repositoryFile(repository))?.id !== repositoryId)
      throw notFound(`the folder of ${repository.name} is not this repository: is its disk mounted?`)
    return this.#shards.of(repository, organization, options.expectedObjects)
  }

  /** Closes what is open. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#shards[Symbol.asyncDispose]()
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

  async #make(
    given: Pick<RepositoryRow, 'name' | 'description' | 'path' | 'proxyId' | 'retention'>,
  ): Promise<BackupRepository> {
    const { database, clock, random, openStorage } = this.#parts
    if ((await repositoryRows.findByName(database.queries, nameKeyOf(given.name))) !== undefined)
      throw conflict(`the name ${given.name} is in use`)
    await using storage = openStorage(given.path)
    const before = await this.#formerId(storage, given.path)
    const row = {
      ...given,
      id: before ?? random.uuid(),
      nameKey: nameKeyOf(given.name),
      createdAt: clock.now(),
    }
    if (before === undefined) await this.#claim(storage, row)
    try {
      await repositoryRows.insert(database.queries, row)
    } catch (error) {
      if (before === undefined) await removeRepositoryFile(storage)
      throw named(error, row.name)
    }
    return this.#present(row)
  }

  /** The id of a folder that was a repository here before; undefined for an empty one. */
  async #formerId(storage: Storage, path: string): Promise<string | undefined> {
    const file = await readRepositoryFile(storage).catch((error: unknown) => {
      throw invalid(`path cannot be used: ${messageOf(error)}`, 'path')
    })
    if (file === undefined) {
      await checkEmpty(path)
      return undefined
    }
    const { queries } = this.#parts.database
    if ((await repositoryRows.find(queries, file.id)) !== undefined)
      throw conflict('path is the folder of a repository that is there already')
    if ((await repositoryOrganizationRows.list(queries, { repositoryId: file.id })).length > 0) return file.id
    // What a server left that stopped between the file and the row: there is nothing in it yet.
    if (await holdsOnly(path, REPOSITORY_FILE)) return file.id
    throw conflict('path is a repository of another server: taking it over is not built yet')
  }

  async #claim(storage: Storage, row: RepositoryRow): Promise<void> {
    const file = { id: row.id, name: row.name, createdAt: row.createdAt.toISOString() }
    await writeRepositoryFile(storage, { format: 'holdfast', version: 1, ...file }).catch(
      (error: unknown) => {
        if (isHoldfastError(error, 'full')) throw error
        throw invalid('path cannot be written to by the server', 'path')
      },
    )
  }

  async #repositoryFile(row: RepositoryRow) {
    await using storage = this.#parts.openStorage(row.path)
    return await readRepositoryFile(storage)
  }

  async #present(row: RepositoryRow): Promise<BackupRepository> {
    const state = await this.#stateOf(row).catch((error: unknown) => ({
      isOutOfOrder: true,
      outOfOrderReason: messageOf(error),
    }))
    const { id, name, description, path, proxyId } = row
    return { id, name, description, path, proxyId, ...(row.retention as Retention), ...state }
  }

  async #stateOf(
    row: RepositoryRow,
  ): Promise<Pick<BackupRepository, 'isOutOfOrder'> & Partial<BackupRepository>> {
    if ((await this.#repositoryFile(row))?.id !== row.id) throw notFound('the folder cannot be reached')
    await using storage = this.#parts.openStorage(row.path)
    const space = await storage.space()
    if (space === undefined) return { isOutOfOrder: false }
    return { isOutOfOrder: false, capacityBytes: space.totalBytes, freeSpaceBytes: space.freeBytes }
  }

  /** Sums up the files; kept for some minutes, since a large repository has many. */
  async #usedSpaceOf(
    repository: RepositoryRow,
    row: RepositoryOrganizationRow,
  ): Promise<{ readonly usedSpaceBytes: number }> {
    const key = `${row.repositoryId}/${row.organizationId}`
    const nowMs = this.#parts.clock.nowMs()
    const there = this.#usedSpace.get(key)
    if (there !== undefined && nowMs - there.atMs < USED_SPACE_KEPT_MS) return { usedSpaceBytes: there.bytes }
    await checkThere(repository.path)
    await using storage = this.#parts.openStorage(repository.path)
    let bytes = 0
    for await (const file of storage.list(row.folder)) bytes += file.sizeBytes
    this.#usedSpace.set(key, { bytes, atMs: nowMs })
    return { usedSpaceBytes: bytes }
  }
}

const nameKeyOf = (name: string): string => name.normalize('NFC').toLowerCase()

const named = (error: unknown, name: string): HoldfastError | unknown =>
  isDuplicate(error) ? conflict(`the name ${name} or the path is in use`) : error
