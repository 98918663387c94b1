import { isHoldfastError, messageOf, type Logger } from '#base'
import {
  repositoryOrganizationRows,
  type Database,
  type EncryptionKeyFile,
  type RepositoryOrganizationRow,
} from '#database'
import type { Repository } from '#repository'
import type { EncryptionKeys } from '../encryption-keys/encryption-keys.ts'

export interface ShardKeyParts {
  readonly database: Database
  readonly log: Logger
  readonly encryptionKeys?: Pick<EncryptionKeys, 'password' | 'stamp' | 'earlierPasswords'>
}

/**
 * Sees to it that a shard is opened by the password of the repository's encryption key, beside its own, and by no earlier
 * one. Killed half-way it leaves a key too many with the right password, never one too few. Returns how many earlier key files
 * cannot be removed yet: the next call tries again.
 */
export const keepEncryptionKey = async (
  parts: ShardKeyParts,
  at: {
    readonly row: RepositoryOrganizationRow
    readonly shard: number
    readonly repository: Repository
    readonly encryptionKeyId: string | undefined
  },
): Promise<number> => {
  const { row, shard, repository, encryptionKeyId } = at
  const { queries } = parts.database
  const current = await repositoryOrganizationRows.find(queries, row.repositoryId, row.organizationId)
  const before = current?.keyFiles?.[shard]
  if (current === undefined) return 0
  const stamp = encryptionKeyId && (await parts.encryptionKeys?.stamp(encryptionKeyId))
  const isRight = before?.encryptionKeyId === encryptionKeyId && before?.stamp === stamp
  const earlier = before?.leaving ?? []
  if (isRight && earlier.length === 0 && before?.hasEarlier !== true) return 0
  const made = isRight ? before : await addKeyOf(parts, repository, encryptionKeyId, stamp)
  const leaving = isRight || before === undefined ? earlier : [...earlier, before.id]
  const hasEarlier = made !== undefined && (before?.hasEarlier === true || stamp !== undefined)
  // Before anything goes: what is not remembered is never removed.
  if (!isRight)
    await rememberKeyFile(parts.database, current, shard, made && withLeaving(made, leaving, hasEarlier))
  const names = { repositoryId: row.repositoryId, shard }
  const left = await removeKeys(parts, repository, leaving, names)
  const isLeft = hasEarlier && !(await removeEarlier(parts, repository, made.encryptionKeyId, names))
  if (made !== undefined)
    await rememberKeyFile(parts.database, current, shard, withLeaving(made, left, isLeft))
  return Math.max(left.length, isLeft ? 1 : 0)
}

const withLeaving = (
  { encryptionKeyId, id, stamp }: EncryptionKeyFile,
  leaving: readonly string[],
  hasEarlier: boolean,
): EncryptionKeyFile => ({
  ...{ encryptionKeyId, id },
  ...(stamp === undefined ? {} : { stamp }),
  ...(leaving.length === 0 ? {} : { leaving }),
  ...(hasEarlier ? { hasEarlier } : {}),
})

/** Also key files that a call left which was cut off before they were remembered. False where one of them stays. */
const removeEarlier = async (
  { encryptionKeys, log }: ShardKeyParts,
  repository: Repository,
  encryptionKeyId: string,
  names: object,
): Promise<boolean> => {
  try {
    for (const password of (await encryptionKeys?.earlierPasswords(encryptionKeyId)) ?? [])
      await repository.removePassword(password.reveal())
    return true
  } catch (error) {
    log.warn({ ...names, message: messageOf(error) }, 'earlier password of an encryption key not removed')
    return false
  }
}

/** Those that stay: where nothing can be removed before a date, or the storage does not answer. */
const removeKeys = async (
  { log }: Pick<ShardKeyParts, 'log'>,
  repository: Repository,
  ids: readonly string[],
  names: object,
): Promise<readonly string[]> => {
  const left: string[] = []
  for (const id of ids) {
    try {
      await repository.removeKey(id)
    } catch (error) {
      if (isHoldfastError(error, 'not-found')) continue
      log.warn({ ...names, message: messageOf(error) }, 'earlier encryption key not removed')
      left.push(id)
    }
  }
  return left
}

const addKeyOf = async (
  { encryptionKeys }: ShardKeyParts,
  repository: Repository,
  encryptionKeyId: string | undefined,
  stamp: string | undefined,
): Promise<EncryptionKeyFile | undefined> => {
  if (encryptionKeyId === undefined || encryptionKeys === undefined) return undefined
  const password = await encryptionKeys.password(encryptionKeyId)
  const id = await repository.addKey(password.reveal())
  return { encryptionKeyId, id, ...(stamp === undefined ? {} : { stamp }) }
}

/** Reads again inside: shards of one organization are opened at the same time. */
const rememberKeyFile = async (
  database: Database,
  { repositoryId, organizationId }: RepositoryOrganizationRow,
  shard: number,
  made: EncryptionKeyFile | undefined,
): Promise<void> =>
  database.transaction(async (queries) => {
    const row = await repositoryOrganizationRows.find(queries, repositoryId, organizationId)
    const { [String(shard)]: _, ...others } = row?.keyFiles ?? {}
    const keyFiles = made === undefined ? others : { ...others, [String(shard)]: made }
    await repositoryOrganizationRows.update(queries, repositoryId, organizationId, { keyFiles })
  })
