import {
  conflict,
  isHoldfastError,
  messageOf,
  notFound,
  type Secret,
  type Clock,
  type Logger,
  type Random,
} from '#base'
import {
  isDuplicate,
  repositoryOrganizationRows,
  type Database,
  type RepositoryOrganizationRow,
  type RepositoryRow,
} from '#database'
import { storedName } from '#formats'
import {
  initRepository,
  openRepository,
  type OpenOptions,
  type Repository,
  type ScryptCost,
} from '#repository'
import { subfolder, type Storage } from '#storage'
import type { EncryptionKeys } from '../encryption-keys/encryption-keys.ts'
import type { Shards } from '../jobs/backup-run.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { OwnerIdentity } from './owner-record.ts'
import { hasOrganizationFile, keepOrganizationFile, organizationFileOf } from './repository-file.ts'
import type { RepositoryPlaces } from './repository-places.ts'
import { keepEncryptionKey } from './shard-keys.ts'
import {
  changeShardPassword,
  findShardPasswords,
  newShardPassword,
  settlePassword,
  shardsSecretPlace,
  type ChangedPasswords,
  type ShardPasswords,
  type ShardsOf,
} from './shard-passwords.ts'

const OBJECTS_PER_SHARD = 2_000
export const MOST_SHARDS = 64

export interface ShardParts {
  readonly database: Database
  readonly secrets: Secrets
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Absent: no repository has one. */
  readonly encryptionKeys?: Pick<EncryptionKeys, 'password' | 'stamp' | 'earlierPasswords'>
  /** This server, for the locks. */
  readonly owner?: OwnerIdentity
  /** Cost of new key files; a smaller one than restic's for tests alone. */
  readonly scrypt?: ScryptCost
  /** For organizations that are backed up for the first time; absent: by their size. 1 to 64. */
  readonly shardsPerOrganization?: number
}

export interface ShardOwner {
  readonly id: string
  readonly name: string
}

export const shardFolder = (row: Pick<RepositoryOrganizationRow, 'folder'>, index: number): string =>
  `${row.folder}/s${String(index).padStart(2, '0')}`

/** More shards for more objects, so that no index grows without end; one where one is enough, so that equal bytes meet. */
const shardCountFor = (expectedObjects: number): number =>
  Math.min(MOST_SHARDS, Math.max(1, Math.ceil(expectedObjects / OBJECTS_PER_SHARD)))

/** The shard repositories: made at first use, kept open, closed together. */
export class ShardRepositories implements AsyncDisposable {
  readonly #parts: ShardParts
  readonly #places: RepositoryPlaces
  readonly #open = new Map<string, Promise<Repository>>()

  constructor(parts: ShardParts, places: RepositoryPlaces) {
    this.#parts = parts
    this.#places = places
  }

  /** With `expectedObjects` or `shardCount` the organization gets its place when it has none; without, it has no shards then. */
  async of(
    repository: RepositoryRow,
    owner: ShardOwner,
    { expectedObjects, shardCount }: { readonly expectedObjects?: number; readonly shardCount?: number },
  ): Promise<Shards> {
    const wantedCount =
      shardCount ??
      (expectedObjects === undefined
        ? undefined
        : (this.#parts.shardsPerOrganization ?? shardCountFor(expectedObjects)))
    const there = await this.#find(repository.id, owner.id)
    if (there === undefined && wantedCount === undefined) return NO_SHARDS
    const row = there ?? (await this.#add(repository, owner, wantedCount!))
    if (there !== undefined && wantedCount !== undefined) await this.#keepOrganizationFile(repository, there)
    return {
      count: row.shardCount,
      open: async (index, signal) => {
        if (!Number.isInteger(index) || index < 0 || index >= row.shardCount)
          throw notFound('there is no such shard')
        return this.#opened(repository, row, index, {
          mayMake: true,
          ...(signal === undefined ? {} : { signal }),
        })
      },
      existing: async (signal) => this.existing(repository, row, signal),
    }
  }

  async password(row: RepositoryOrganizationRow): Promise<Secret | undefined> {
    const { database, secrets } = this.#parts
    return secrets.find(database.queries, shardsSecretPlace(row.repositoryId, row.organizationId))
  }

  /** Indexes of the shards that are on the storage. */
  async made(
    repository: RepositoryRow,
    row: Pick<RepositoryOrganizationRow, 'folder' | 'shardCount'>,
  ): Promise<readonly number[]> {
    const storage = await this.#places.storage(repository)
    const found: number[] = []
    for (let index = 0; index < row.shardCount; index += 1)
      if ((await storage.stat(`${shardFolder(row, index)}/config`)) !== undefined) found.push(index)
    return found
  }

  /** Closes what is open of a repository. */
  async close(repositoryId: string): Promise<void> {
    await this.#forgetBelow(`${repositoryId}/`)
    await this.#places.close(repositoryId)
  }

  /** Closes the shards of an organization. Who still has one may read on. */
  async closeOrganization({ repositoryId, organizationId }: ShardsOf): Promise<void> {
    await this.#forgetBelow(`${repositoryId}/${organizationId}/`)
  }

  async #forgetBelow(prefix: string): Promise<void> {
    for (const key of [...this.#open.keys()]) if (key.startsWith(prefix)) await this.#forget(key)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const key of [...this.#open.keys()]) await this.#forget(key)
  }

  /** Undefined where nothing was to do: with `mayBegin: false` a change that was cut off is finished, and none begun. */
  async changePassword(
    repository: RepositoryRow,
    row: RepositoryOrganizationRow,
    options: { readonly mayBegin: boolean; readonly signal?: AbortSignal },
  ): Promise<ChangedPasswords | undefined> {
    return changeShardPassword(this.#parts, row, {
      ...options,
      shards: () => this.existing(repository, row, options.signal),
    })
  }

  /** Makes every shard that is there open by the password of an encryption key, or by its own alone. */
  async changeEncryptionKey(
    repository: RepositoryRow,
    encryptionKeyId: string | undefined,
  ): Promise<ChangedPasswords> {
    const { queries } = this.#parts.database
    let [shards, shardsWithEarlierPassword] = [0, 0]
    for (const row of await repositoryOrganizationRows.list(queries, { repositoryId: repository.id }))
      for (const shard of await this.made(repository, row)) {
        const opened = await this.#opened(repository, row, shard, { mayMake: false })
        const left = await keepEncryptionKey(this.#parts, { row, shard, repository: opened, encryptionKeyId })
        shards += 1
        if (left > 0) shardsWithEarlierPassword += 1
      }
    return { shards, shardsWithEarlierPassword }
  }

  /** Those that are on the storage, which stay open: do not dispose of them. */
  async existing(repository: RepositoryRow, row: RepositoryOrganizationRow, signal?: AbortSignal) {
    const shards: { index: number; repository: Repository }[] = []
    for (const index of await this.made(repository, row)) {
      signal?.throwIfAborted()
      shards.push({ index, repository: await this.#opened(repository, row, index, { mayMake: false }) })
    }
    return shards
  }

  /** False when somebody took the folder away since it was opened. */
  async #isThere(repository: RepositoryRow, row: RepositoryOrganizationRow, index: number): Promise<boolean> {
    const config = `${shardFolder(row, index)}/config`
    return (await (await this.#places.storage(repository)).stat(config)) !== undefined
  }

  async #forget(key: string): Promise<void> {
    const opening = this.#open.get(key)
    this.#open.delete(key)
    const repository = await opening?.catch(() => undefined)
    await repository?.[Symbol.asyncDispose]()
  }

  async #opened(
    repository: RepositoryRow,
    row: RepositoryOrganizationRow,
    index: number,
    options: { readonly mayMake: boolean; readonly signal?: AbortSignal },
  ): Promise<Repository> {
    options.signal?.throwIfAborted()
    // With the folder: whoever read the row before another one came into force must not open the former one for the others.
    const key = `${repository.id}/${row.organizationId}/${row.folder}/${index}`
    const there = this.#open.get(key)
    if (there !== undefined) {
      await there
      if (await this.#isThere(repository, row, index)) return there
      if (this.#open.get(key) === there) await this.#forget(key)
      return this.#opened(repository, row, index, options)
    }
    const opening = this.#openOrMake(repository, row, index, options.mayMake)
    this.#open.set(key, opening)
    opening.catch(() => {
      if (this.#open.get(key) === opening) this.#open.delete(key)
    })
    return opening
  }

  async #openOrMake(
    repository: RepositoryRow,
    row: RepositoryOrganizationRow,
    index: number,
    mayMake: boolean,
  ): Promise<Repository> {
    const { encryptionKeyId } = repository
    const at = (opened: Repository) => ({ row, shard: index, repository: opened, encryptionKeyId })
    const passwords = await this.#passwords(row)
    const storage = subfolder(await this.#places.storage(repository), shardFolder(row, index))
    try {
      const opened = await this.#openBy(row, storage, passwords)
      await keepEncryptionKey(this.#parts, at(opened)).catch((error: unknown) => {
        // What can be read is not held back by what cannot be written.
        this.#parts.log.warn({ repositoryId: repository.id, message: messageOf(error) }, 'key not kept')
      })
      return opened
    } catch (error) {
      if (!isHoldfastError(error, 'not-found') || !mayMake) throw error
    }
    // A key file without a repository is what a process left that died while making one; a second one would confuse.
    for await (const file of storage.list('keys')) await storage.remove(file.path)
    const made = await initRepository(storage, this.openOptions(row, passwords.current))
    await settlePassword(this.#parts, row, made, passwords.current)
    await keepEncryptionKey(this.#parts, at(made))
    return made
  }

  /** A place that was brought back to an earlier moment has the keys of that moment: they are put right, if that can be. */
  async #openBy(
    row: RepositoryOrganizationRow,
    storage: Storage,
    { current, next, earlier }: ShardPasswords,
  ): Promise<Repository> {
    const others = [...(next === undefined ? [] : [next]), ...earlier]
    try {
      return await openRepository(storage, this.openOptions(row, current))
    } catch (error) {
      if (!isWrongPassword(error)) throw error
      const found = await this.#openByOne(row, storage, others)
      if (found === undefined) throw error
      return found
    }
  }

  async #openByOne(
    row: RepositoryOrganizationRow,
    storage: Storage,
    passwords: readonly Secret[],
  ): Promise<Repository | undefined> {
    for (const password of passwords) {
      const opened = await openRepository(storage, this.openOptions(row, password)).catch(
        (error: unknown) => {
          if (!isWrongPassword(error)) throw error
        },
      )
      if (opened === undefined) continue
      await settlePassword(this.#parts, row, opened, password).catch((error: unknown) => {
        const names = { repositoryId: row.repositoryId, message: messageOf(error) }
        this.#parts.log.warn(names, 'password of a shard not renewed')
      })
      return opened
    }
    return undefined
  }

  async #passwords(row: RepositoryOrganizationRow): Promise<ShardPasswords> {
    const found = await findShardPasswords(this.#parts, this.#parts.database.queries, row)
    if (found === undefined) throw notFound("the password of the organization's shards is not known here")
    return found
  }

  openOptions({ repositoryId }: Pick<ShardsOf, 'repositoryId'>, password: Secret): OpenOptions {
    const { clock, random, log, scrypt, owner } = this.#parts
    const isAlone = () => this.#places.isAlone(repositoryId)
    return {
      password: password.reveal(),
      ...{ clock, random, log },
      ...(owner === undefined ? {} : { owner: { id: owner.server, isAlone } }),
      ...(scrypt === undefined ? {} : { scrypt }),
    }
  }

  #find(repositoryId: string, organizationId: string): Promise<RepositoryOrganizationRow | undefined> {
    return repositoryOrganizationRows.find(this.#parts.database.queries, repositoryId, organizationId)
  }

  /** The password is in the database before the first byte that needs it is on the storage. */
  async #add(
    repository: RepositoryRow,
    owner: ShardOwner,
    shardCount: number,
  ): Promise<RepositoryOrganizationRow> {
    const { database, secrets, clock, random } = this.#parts
    const row = {
      repositoryId: repository.id,
      organizationId: owner.id,
      organizationName: owner.name,
      folder: `${storedName(owner.name)}~${owner.id.slice(0, 8)}`,
      shardCount,
      createdAt: clock.now(),
    }
    const storage = await this.#places.storage(repository)
    if (await hasOrganizationFile(storage, row.folder))
      throw conflict(
        `${repository.name} holds data of ${owner.name} that this server has no password of: attach it first`,
      )
    const password = newShardPassword(random)
    try {
      await database.transaction(async (queries) => {
        await repositoryOrganizationRows.insert(queries, row)
        await secrets.put(queries, shardsSecretPlace(repository.id, owner.id), password)
      })
    } catch (error) {
      const there = isDuplicate(error) ? await this.#find(repository.id, owner.id) : undefined
      if (there === undefined) throw error
      return there
    }
    await keepOrganizationFile(storage, row.folder, organizationFileOf(row))
    return row
  }

  /** Nothing is written into a folder that does not say whose it is: it would not be found without the database. */
  async #keepOrganizationFile(repository: RepositoryRow, row: RepositoryOrganizationRow): Promise<void> {
    const storage = await this.#places.storage(repository)
    if (await hasOrganizationFile(storage, row.folder)) return
    await keepOrganizationFile(storage, row.folder, organizationFileOf(row))
  }
}

const isWrongPassword = (error: unknown): boolean =>
  isHoldfastError(error, 'denied') && error.reason === 'wrong-password'

const NO_SHARDS: Shards = {
  count: 0,
  open: async () => Promise.reject(notFound('the organization has no data in this repository')),
  existing: async () => Promise.resolve([]),
}
