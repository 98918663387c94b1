import { createHash } from 'node:crypto'
import { conflict, invalid, isHoldfastError, messageOf, notFound, type Clock, type Random } from '#base'
import {
  isDuplicate,
  objectStorageRows,
  repositoryOrganizationRows,
  repositoryRows,
  type Database,
  type ObjectStorageRow,
  type Queries,
} from '#database'
import type { RecoveryOptions, RecoveryReport, Storage } from '#storage'
import type { Audit } from '../access/audit.ts'
import { requireAdministrator, type Principal } from '../access/principal.ts'
import type { AccountCredentials } from '../accounts/account.ts'
import type { Accounts } from '../accounts/accounts.ts'
import { needed, readDescription, readGuid, readText } from '../organizations/read-input.ts'
import type { Retention } from '../repositories/backup-repository.ts'
import { immutabilityDays } from '../repositories/immutability.ts'
import type { CloudOpener, KeptFor } from './cloud-opener.ts'
import {
  checkAccountType,
  readPlace,
  readSettings,
  readType,
  withStorageClass,
} from './object-storage-input.ts'
import type { ObjectStorage, ObjectStorageInput, ObjectStorageSettings } from './object-storage.ts'
import { isOverlapping, placeKeyOf, type CloudPlace, type ObjectStorageType } from './place.ts'
import type { ServicePointRules } from './service-point.ts'

export interface ObjectStoragesParts {
  readonly database: Database
  readonly audit: Audit
  readonly accounts: Accounts
  readonly cloud: CloudOpener
  readonly servicePoints: ServicePointRules
  readonly clock: Clock
  readonly random: Random
}

/** What is in the place column: with the word that the API has for it. */
type StoredPlace = CloudPlace & { readonly type: ObjectStorageType }

const UNKNOWN = 'the object storage is not known'
export const BYTES_OF_GB = 1024 ** 3

/** Places for repositories in buckets and containers. For administrators alone. */
export class ObjectStorages {
  readonly #parts: ObjectStoragesParts

  constructor(parts: ObjectStoragesParts) {
    this.#parts = parts
    parts.accounts.triedOutBy((accountId, credentials) => this.#tryAccount(accountId, credentials))
  }

  /** The bucket or container has to be there and to be reachable with the account. */
  async add(principal: Principal, input: ObjectStorageInput): Promise<ObjectStorage> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, 'objectStorages.add', String(input.name ?? ''), async () => {
      const name = needed(readText(input.name, 'name', 256), 'name')
      const row = await this.accept(input, { name, isPartOfRepository: false })
      await this.insert(this.#parts.database.queries, row)
      return this.#present(row)
    })
  }

  /** What is left out stays. The account may be another one that reaches the same place; the place cannot change. */
  async update(principal: Principal, id: string, input: ObjectStorageInput): Promise<ObjectStorage> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, 'objectStorages.update', id, async () => {
      const row = await this.row(id)
      const changed = await this.changed(row, input)
      await this.#checkImmutability(changed)
      await objectStorageRows.update(this.#parts.database.queries, row.id, changed)
      return this.#present(changed)
    })
  }

  /** `conflict` while a repository is in it. The data stays where it is. */
  async remove(principal: Principal, id: string): Promise<void> {
    requireAdministrator(principal)
    const { database, audit } = this.#parts
    await audit.around(principal, 'objectStorages.remove', id, async () => {
      const row = await this.row(id)
      await database.transaction(async (queries) => {
        const using = await repositoryRows.findByObjectStorage(queries, row.id)
        if (using !== undefined) throw conflict(`${row.name} is used by the repository ${using.name}`)
        await objectStorageRows.remove(queries, row.id)
      })
    })
  }

  async get(principal: Principal, id: string): Promise<ObjectStorage> {
    requireAdministrator(principal)
    return this.#present(await this.row(id))
  }

  /** By name. */
  async list(principal: Principal): Promise<readonly ObjectStorage[]> {
    requireAdministrator(principal)
    const rows = await objectStorageRows.list(this.#parts.database.queries)
    return Promise.all(rows.map((row) => this.#present(row)))
  }

  /** For repositories: their place as callers see it. No principal: the caller has looked. */
  async find(id: string): Promise<ObjectStorage> {
    return this.#present(await this.row(id))
  }

  async row(id: string): Promise<ObjectStorageRow> {
    const row = await objectStorageRows.find(this.#parts.database.queries, id.toLowerCase())
    if (row === undefined) throw notFound(UNKNOWN)
    return row
  }

  /** Checks everything and writes nothing. A row of the same place that no repository uses is taken over. */
  async accept(
    input: ObjectStorageInput,
    given: { readonly name: string; readonly isPartOfRepository: boolean },
  ): Promise<ObjectStorageRow> {
    const type = readType(input)
    const accountId = needed(readGuid(input.accountId, 'accountId'), 'accountId')
    const credentials = await this.#credentials(accountId)
    checkAccountType(type, credentials.type)
    const place = await readPlace(input, type, accountId, this.#parts.servicePoints)
    const settings = readSettings(input)
    const placeKey = placeKeyOf(place, credentials.userName)
    const unused = await this.#unused(placeKey, given)
    if (unused === undefined) await this.#checkFree(placeKey)
    await this.#reach(place, credentials)
    const stored: StoredPlace = { ...place, type }
    return {
      ...given,
      id: unused?.id ?? this.#parts.random.uuid(),
      description: readDescription(input.description, 'description') ?? '',
      accountId,
      place: stored,
      placeKey,
      settings,
      createdAt: this.#parts.clock.now(),
    }
  }

  /** A row of `accept`. Throws `conflict` for a place that is there already. */
  async insert(queries: Queries, row: ObjectStorageRow): Promise<void> {
    if ((await objectStorageRows.find(queries, row.id)) !== undefined)
      return objectStorageRows.update(queries, row.id, row)
    await objectStorageRows.insert(queries, row).catch((error: unknown) => {
      throw isDuplicate(error) ? conflict('this folder is an object storage already') : error
    })
  }

  /** The row as it will be. Checks everything and writes nothing. */
  async changed(row: ObjectStorageRow, input: ObjectStorageInput): Promise<ObjectStorageRow> {
    const before = row.place as StoredPlace
    if (input.type !== undefined && input.type !== null && readType(input) !== before.type)
      throw invalid('the type of an object storage cannot be changed', 'type')
    const accountId = readGuid(input.accountId, 'accountId') ?? row.accountId
    const credentials = await this.#credentials(accountId)
    checkAccountType(before.type, credentials.type)
    const place = { ...before, accountId }
    if (await this.#isElsewhere(row, input, credentials.userName))
      throw invalid('the folder of an object storage cannot be changed', placeProperty(before))
    if (accountId !== row.accountId) await this.#reach(place, credentials)
    return {
      ...row,
      name: readText(input.name, 'name', 256) ?? row.name,
      description: readDescription(input.description, 'description') ?? row.description,
      accountId,
      place,
      settings: readSettings(input, row.settings as ObjectStorageSettings),
    }
  }

  /** The storage of a row, as the account reaches it now. `keptFor`: see CloudOpener. The caller closes it. */
  async open(row: ObjectStorageRow, keptFor?: KeptFor): Promise<Storage> {
    const { accounts, cloud } = this.#parts
    return cloud.storage(placeOf(row), await accounts.credentials(row.accountId), keptFor)
  }

  /** Brings what is stored there back to a moment. Nobody may write meanwhile. */
  async recover(
    row: ObjectStorageRow,
    moment: Date,
    options: RecoveryOptions & { readonly keptFor?: KeptFor },
  ): Promise<RecoveryReport> {
    const { accounts, cloud } = this.#parts
    return cloud.recover(placeOf(row), await accounts.credentials(row.accountId), moment, options)
  }

  /** What stock restic needs in its environment, by variable; the values of secrets are left to the reader. */
  async environment(row: ObjectStorageRow): Promise<Readonly<Record<string, string>>> {
    const { userName } = await this.#parts.accounts.credentials(row.accountId)
    const place = placeOf(row)
    if (place.kind === 'azure')
      return { AZURE_ACCOUNT_NAME: userName, AZURE_ACCOUNT_KEY: 'the key of the account' }
    return {
      AWS_ACCESS_KEY_ID: userName,
      AWS_SECRET_ACCESS_KEY: 'the secret of the access key',
      AWS_DEFAULT_REGION: place.region,
    }
  }

  /** Changes when the credentials of a row's account do. Tells nothing of them. */
  async credentialsStamp(row: ObjectStorageRow): Promise<string> {
    const credentials = await this.#parts.accounts.credentials(row.accountId)
    const { type, userName, secret, connection } = credentials
    const told = [type, userName, secret.reveal(), JSON.stringify(connection)].join('\0')
    return createHash('sha256').update(told).digest('hex')
  }

  /** The class or tier of new packs of a repository; undefined for what the bucket or account has of itself. */
  async storageClass(principal: Principal, repositoryId: string): Promise<string | undefined> {
    requireAdministrator(principal)
    return classOf(placeOf(await this.#ofRepository(repositoryId)))
  }

  /** Of packs that are written from now on. Throws `invalid` when nothing can be written in it. */
  async setStorageClass(
    principal: Principal,
    repositoryId: string,
    given: string,
  ): Promise<string | undefined> {
    requireAdministrator(principal)
    const { audit, database, accounts, cloud } = this.#parts
    return audit.around(principal, 'objectStorages.setStorageClass', repositoryId, async () => {
      const row = await this.#ofRepository(repositoryId)
      const before = row.place as StoredPlace
      const place = withStorageClass(placeOf(row), given.trim())
      await using storage = cloud.storage(place, await accounts.credentials(row.accountId))
      await this.#tryWriting(storage)
      const stored: StoredPlace = { ...place, type: before.type }
      await objectStorageRows.update(database.queries, row.id, { place: stored })
      return classOf(place)
    })
  }

  async #ofRepository(repositoryId: string): Promise<ObjectStorageRow> {
    const repository = await repositoryRows.find(this.#parts.database.queries, repositoryId.toLowerCase())
    if (repository === undefined) throw notFound('the backup repository is not known')
    if (repository.objectStorageId === undefined)
      throw invalid('only repositories in object storage have a storage class', 'repositoryId')
    return this.row(repository.objectStorageId)
  }

  /** A pack of nothing, in the folder that the class is for. */
  async #tryWriting(storage: Storage): Promise<void> {
    const path = `data/00/holdfast-class-${this.#parts.random.uuid()}`
    try {
      await storage.write(path, [])
      await storage.remove(path)
    } catch (error) {
      if (!isHoldfastError(error, 'invalid') && !isHoldfastError(error, 'denied')) throw error
      throw invalid(`nothing can be written in that class: ${messageOf(error)}`, 'storageClass')
    }
  }

  /** Throws `invalid` where the place cannot keep files from being removed. */
  async checkCanKeep(row: ObjectStorageRow, keptFor: KeptFor): Promise<void> {
    const { accounts, cloud } = this.#parts
    await cloud.checkCanKeep(placeOf(row), await accounts.credentials(row.accountId), keptFor)
  }

  /** Whether the bucket can keep what is asked for; the days of a retention are the repository's, so that one will do here. */
  async #checkImmutability(row: ObjectStorageRow): Promise<void> {
    const { immutability } = row.settings as ObjectStorageSettings
    if (immutability === undefined) return
    const repository = await repositoryRows.findByObjectStorage(this.#parts.database.queries, row.id)
    const days =
      repository === undefined
        ? (immutability.days ?? 1)
        : immutabilityDays(immutability, repository.retention as Retention)
    await this.checkCanKeep(row, { mode: immutability.mode, days })
  }

  async #present(row: ObjectStorageRow): Promise<ObjectStorage> {
    const settings = row.settings as ObjectStorageSettings
    const { type, ...place } = row.place as StoredPlace
    const usedSpaceBytes = await this.#usedBytes(row.id)
    const { sizeLimitEnabled, sizeLimitGB = 0 } = settings
    const limitBytes = sizeLimitGB * BYTES_OF_GB
    return {
      id: row.id,
      name: row.name,
      description: row.description,
      type,
      accountId: row.accountId,
      place: place as CloudPlace,
      ...settings,
      usedSpaceBytes,
      ...(sizeLimitEnabled ? { freeSpaceBytes: Math.max(0, limitBytes - usedSpaceBytes) } : {}),
    }
  }

  async #usedBytes(objectStorageId: string): Promise<number> {
    const { queries } = this.#parts.database
    const repository = await repositoryRows.findByObjectStorage(queries, objectStorageId)
    if (repository === undefined) return 0
    const rows = await repositoryOrganizationRows.list(queries, { repositoryId: repository.id })
    return rows.reduce((sum, { usedBytes = 0 }) => sum + usedBytes, 0)
  }

  async #credentials(accountId: string): Promise<AccountCredentials> {
    return this.#parts.accounts.credentials(accountId).catch((error: unknown) => {
      if (isHoldfastError(error, 'not-found')) throw invalid('accountId names no account', 'accountId')
      throw error
    })
  }

  /** A row of the same place that no repository is in, for one that is made with its repository. */
  async #unused(
    placeKey: string,
    given: { readonly isPartOfRepository: boolean },
  ): Promise<ObjectStorageRow | undefined> {
    const { queries } = this.#parts.database
    const row = given.isPartOfRepository ? await objectStorageRows.findByPlace(queries, placeKey) : undefined
    const using = row && (await repositoryRows.findByObjectStorage(queries, row.id))
    return using === undefined ? row : undefined
  }

  async #checkFree(placeKey: string): Promise<void> {
    const rows = await objectStorageRows.list(this.#parts.database.queries)
    const there = rows.find((row) => isOverlapping(row.placeKey, placeKey))
    if (there !== undefined)
      throw conflict(`this folder belongs to the object storage ${there.name}, or holds it, or is inside it`)
  }

  /** Compares with what is given of a place; nothing given is the same place. */
  async #isElsewhere(row: ObjectStorageRow, input: ObjectStorageInput, userName: string): Promise<boolean> {
    const { type, ...before } = row.place as StoredPlace
    const isGiven =
      before.kind === 's3'
        ? [input.amazonBucketS3Aws, input.amazonBucketS3Compatible, input.s3Folder]
        : [input.azureContainer, input.azureFolder]
    if (!isGiven.some((part) => part !== undefined && part !== null)) return false
    const merged = { ...inputOf(before as CloudPlace, type), ...withoutNothing(input) }
    const place = await readPlace(merged, type, row.accountId, this.#parts.servicePoints)
    return placeKeyOf(place, userName) !== row.placeKey
  }

  async #reach(place: CloudPlace, credentials: AccountCredentials): Promise<void> {
    await using account = this.#parts.cloud.account(place, credentials)
    await account.container(place.container).catch((error: unknown) => {
      if (isHoldfastError(error, 'not-found')) throw invalid(messageOf(error), placeProperty(place))
      if (isHoldfastError(error, 'denied'))
        throw invalid(`the account is not let in: ${messageOf(error)}`, 'accountId')
      throw error
    })
  }

  async #tryAccount(accountId: string, credentials: AccountCredentials): Promise<void> {
    const rows = await objectStorageRows.list(this.#parts.database.queries, { accountId })
    for (const row of rows) {
      const place = placeOf(row)
      if (placeKeyOf(place, credentials.userName) !== row.placeKey)
        throw conflict(`${row.name} is in the storage account that the name says: it cannot be changed`)
      await this.#reach(place, credentials)
    }
  }
}

const classOf = (place: CloudPlace): string | undefined =>
  place.kind === 'azure' ? place.tier : place.storageClass

export const placeOf = (row: ObjectStorageRow): CloudPlace => {
  const { type: _, ...place } = row.place as StoredPlace
  return place as CloudPlace
}

const withoutNothing = <Values extends object>(values: Values): Values =>
  Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined && value !== null),
  ) as Values

const inputOf = (place: CloudPlace, type: ObjectStorageType): ObjectStorageInput => {
  if (place.kind === 'azure')
    return {
      azureContainer: { name: place.container, regionType: place.regionType },
      azureFolder: place.folder,
    }
  const { container: name, region, regionType, servicePoint, folder: s3Folder } = place
  if (type === 'AmazonS3') return { amazonBucketS3Aws: { name, regionId: region, regionType }, s3Folder }
  return { amazonBucketS3Compatible: { name, servicePoint, customRegionId: region }, s3Folder }
}

const placeProperty = (place: CloudPlace): string =>
  place.kind === 'azure'
    ? 'azureContainer'
    : place.servicePoint === undefined
      ? 'amazonBucketS3Aws'
      : 'amazonBucketS3Compatible'
