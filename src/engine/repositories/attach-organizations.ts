import { corrupt, invalid, isHoldfastError, messageOf, Secret } from '#base'
import { repositoryOrganizationRows, type Queries, type RepositoryOrganizationRow } from '#database'
import { openRepository, type Repository } from '#repository'
import { subfolder, type Storage } from '#storage'
import { newShardPassword, shardsSecretPlace } from './shard-passwords.ts'
import { shardFolder, type ShardParts } from './shard-repositories.ts'
import { findOrganizationFolders, type OrganizationFolder } from './repository-file.ts'

/** A password that opens the shards of an organization: of a recovery kit, or what an administrator chose. */
export interface GivenPassword {
  /** Its folder, id or name; absent: tried for every organization. */
  readonly organization?: string
  readonly password: Secret
  /** Where it is the password of an encryption key. */
  readonly encryptionKeyId?: string
}

/** What was found in a place for an organization. */
export interface FoundOrganization {
  readonly organizationId: string
  readonly name: string
  readonly folder: string
  readonly shards: number
  /** False where no password was given for it: its data stays as it is and is not shown. */
  readonly isAttached: boolean
}

/** Shards that were opened, with a key of this server in each. */
export interface OpenedOrganizations extends AsyncDisposable {
  readonly found: readonly FoundOrganization[]
  /** In the transaction that makes the attachment. */
  keep(queries: Queries): Promise<void>
  /** Takes the new keys away again. */
  undo(): Promise<void>
}

interface Opened {
  readonly folder: OrganizationFolder
  readonly shards: readonly OpenedShard[]
  readonly encryptionKeyId: string | undefined
}

interface OpenedShard {
  readonly index: number
  readonly repository: Repository
}

/**
 * Opens what the passwords open and adds a key of this server to each shard. `invalid` naming the folder for a password
 * that does not open it, before anything is written. `known` are organizations that are attached already.
 */
export const openOrganizations = async (
  parts: ShardParts,
  given: {
    readonly storage: Storage
    readonly repositoryId: string
    readonly passwords: readonly GivenPassword[]
    readonly known: readonly RepositoryOrganizationRow[]
    readonly signal?: AbortSignal
  },
): Promise<OpenedOrganizations> => {
  await using opening = new AsyncDisposableStack()
  const { storage, known, passwords, signal } = given
  const folders = await findOrganizationFolders(storage, signal)
  checkNames(folders, passwords)
  const opened: Opened[] = []
  for (const folder of folders) {
    signal?.throwIfAborted()
    if (known.some(({ organizationId }) => organizationId === folder.file.organizationId)) continue
    const one = await openOrganization(parts, { storage, folder, passwords, opening })
    if (one !== undefined) opened.push(one)
  }
  const isOpen = (id: string) =>
    [...known, ...opened.map(({ folder }) => folder.file)].some(({ organizationId }) => organizationId === id)
  const found = folders.map(({ folder, file }) => ({
    organizationId: file.organizationId,
    name: file.name,
    folder,
    shards: file.shards,
    isAttached: isOpen(file.organizationId),
  }))
  checkUsed(found, passwords, opened)
  return addKeys(parts, { ...given, opened, found, opening: opening.move() })
}

const isMeant = ({ folder, file }: OrganizationFolder, { organization }: GivenPassword): boolean => {
  const wanted = organization?.toLowerCase()
  return (
    wanted === undefined ||
    [folder, file.organizationId, file.name].some((name) => name.toLowerCase() === wanted)
  )
}

const checkNames = (folders: readonly OrganizationFolder[], passwords: readonly GivenPassword[]): void => {
  const stray = passwords.find((password) => !folders.some((folder) => isMeant(folder, password)))
  if (stray === undefined || folders.length === 0) return
  const names = folders.map(({ folder }) => folder).join(', ')
  throw invalid(`the place has no organization ${stray.organization}; it has ${names}`, 'passwords')
}

/** Somebody who gave passwords of which none opens anything was wrong, even where no organization was named. */
const checkUsed = (
  found: readonly FoundOrganization[],
  passwords: readonly GivenPassword[],
  opened: readonly Opened[],
): void => {
  const closed = found.filter(({ isAttached }) => !isAttached).map(({ folder }) => folder)
  if (opened.length > 0 || closed.length === 0) return
  const why = passwords.length === 0 ? 'a password is needed for' : 'the password does not open'
  throw invalid(`${why} ${closed.join(', ')}`, 'passwords')
}

/** Undefined where no password that is meant for all opens it. */
const openOrganization = async (
  parts: ShardParts,
  given: {
    readonly storage: Storage
    readonly folder: OrganizationFolder
    readonly passwords: readonly GivenPassword[]
    readonly opening: AsyncDisposableStack
  },
): Promise<Opened | undefined> => {
  const { storage, folder, passwords, opening } = given
  const meant = passwords.filter((password) => isMeant(folder, password))
  if (meant.length === 0) return undefined
  const indexes: number[] = []
  for (let index = 0; index < folder.file.shards; index += 1)
    if ((await storage.stat(`${shardFolder(folder, index)}/config`)) !== undefined) indexes.push(index)
  for (const { password, encryptionKeyId } of meant) {
    const shards = await openShards(parts, { storage, folder, indexes, password })
    if (shards === undefined) continue
    for (const { repository } of shards) opening.use(repository)
    return { folder, shards, encryptionKeyId }
  }
  if (meant.some(({ organization }) => organization !== undefined))
    throw invalid(`the password does not open ${folder.folder}`, 'passwords')
  return undefined
}

/** Undefined for a wrong password. */
const openShards = async (
  { clock, random, log, scrypt }: ShardParts,
  at: {
    readonly storage: Storage
    readonly folder: OrganizationFolder
    readonly indexes: readonly number[]
    readonly password: Secret
  },
): Promise<readonly OpenedShard[] | undefined> => {
  await using opened = new AsyncDisposableStack()
  const shards: OpenedShard[] = []
  const options = { clock, random, log, ...(scrypt === undefined ? {} : { scrypt }) }
  for (const index of at.indexes) {
    const shard = subfolder(at.storage, shardFolder(at.folder, index))
    const repository = await openRepository(shard, { ...options, password: at.password.reveal() }).catch(
      (error: unknown) => {
        if (isHoldfastError(error, 'denied') && error.reason === 'wrong-password') return undefined
        throw error
      },
    )
    if (repository === undefined) return undefined
    shards.push({ index, repository: opened.use(repository) })
  }
  opened.move()
  return shards
}

const addKeys = async (
  parts: ShardParts,
  given: {
    readonly repositoryId: string
    readonly opened: readonly Opened[]
    readonly found: readonly FoundOrganization[]
    readonly opening: AsyncDisposableStack
  },
): Promise<OpenedOrganizations> => {
  const { repositoryId, opened, found, opening } = given
  const added: { readonly repository: Repository; readonly id: string }[] = []
  const undo = async (): Promise<void> => {
    for (const { repository, id } of added.splice(0))
      await repository.removeKey(id).catch((error: unknown) => {
        parts.log.warn({ repositoryId, message: messageOf(error) }, 'key of an attachment not removed')
      })
  }
  const kept: { readonly row: RepositoryOrganizationRow; readonly password: Secret }[] = []
  try {
    for (const one of opened) {
      const password = newShardPassword(parts.random)
      for (const { repository } of one.shards)
        added.push({ repository, id: await repository.addKey(password.reveal()) })
      kept.push({ row: await rowOf(parts, repositoryId, one), password })
    }
  } catch (error) {
    await undo()
    await opening.disposeAsync()
    throw error
  }
  return {
    found,
    undo,
    keep: async (queries) => {
      for (const { row, password } of kept) {
        await repositoryOrganizationRows.insert(queries, row)
        await parts.secrets.put(queries, shardsSecretPlace(repositoryId, row.organizationId), password)
      }
    },
    [Symbol.asyncDispose]: () => opening.disposeAsync(),
  }
}

const rowOf = async (
  { clock }: ShardParts,
  repositoryId: string,
  { folder: { folder, file }, shards, encryptionKeyId }: Opened,
): Promise<RepositoryOrganizationRow> => {
  const keyFiles: Record<string, { readonly encryptionKeyId: string; readonly id: string }> = {}
  for (const { index, repository } of encryptionKeyId === undefined ? [] : shards) {
    const current = (await repository.keys()).find(({ isCurrent }) => isCurrent)
    if (current === undefined) throw corrupt(`the keys of ${folder} cannot be listed`)
    keyFiles[index] = { encryptionKeyId: encryptionKeyId!, id: current.id }
  }
  return {
    repositoryId,
    organizationId: file.organizationId,
    organizationName: file.name,
    folder,
    shardCount: file.shards,
    createdAt: clock.now(),
    ...(encryptionKeyId === undefined ? {} : { keyFiles }),
  }
}
