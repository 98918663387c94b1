import { messageOf, type Logger } from '#base'
import { repositoryOrganizationRows, type Database, type RepositoryOrganizationRow } from '#database'
import type { Repository } from '#repository'
import type { EncryptionKeys } from '../encryption-keys/encryption-keys.ts'

export interface ShardKeyParts {
  readonly database: Database
  readonly log: Logger
  readonly encryptionKeys?: Pick<EncryptionKeys, 'password'>
}

/**
 * Sees to it that a shard is opened by the password of the repository's encryption key, beside its own, and by no earlier
 * one. Killed half-way it leaves a key too many with the right password, never one too few.
 */
export const keepEncryptionKey = async (
  parts: ShardKeyParts,
  at: {
    readonly row: RepositoryOrganizationRow
    readonly shard: number
    readonly repository: Repository
    readonly encryptionKeyId: string | undefined
  },
): Promise<void> => {
  const { row, shard, repository, encryptionKeyId } = at
  const { queries } = parts.database
  const current = await repositoryOrganizationRows.find(queries, row.repositoryId, row.organizationId)
  const before = current?.keyFiles?.[shard]
  if (current === undefined || before?.encryptionKeyId === encryptionKeyId) return
  const made = await addKeyOf(parts, repository, encryptionKeyId)
  await rememberKeyFile(parts.database, current, shard, made)
  if (before === undefined) return
  await repository.removeKey(before.id).catch((error: unknown) => {
    // Kept until its date where nothing can be removed, or gone already: the new password opens the shard either way.
    const names = { repositoryId: row.repositoryId, shard, message: messageOf(error) }
    parts.log.warn(names, 'earlier encryption key not removed')
  })
}

const addKeyOf = async (
  { encryptionKeys }: ShardKeyParts,
  repository: Repository,
  encryptionKeyId: string | undefined,
) => {
  if (encryptionKeyId === undefined || encryptionKeys === undefined) return undefined
  const password = await encryptionKeys.password(encryptionKeyId)
  return { encryptionKeyId, id: await repository.addKey(password.reveal()) }
}

/** Reads again inside: shards of one organization are opened at the same time. */
const rememberKeyFile = async (
  database: Database,
  { repositoryId, organizationId }: RepositoryOrganizationRow,
  shard: number,
  made: { readonly encryptionKeyId: string; readonly id: string } | undefined,
): Promise<void> =>
  database.transaction(async (queries) => {
    const row = await repositoryOrganizationRows.find(queries, repositoryId, organizationId)
    const { [String(shard)]: _, ...others } = row?.keyFiles ?? {}
    const keyFiles = made === undefined ? others : { ...others, [String(shard)]: made }
    await repositoryOrganizationRows.update(queries, repositoryId, organizationId, { keyFiles })
  })
