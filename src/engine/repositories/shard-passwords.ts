import { corrupt, messageOf, Secret, type Logger, type Random } from '#base'
import type { Database, Queries, RepositoryOrganizationRow } from '#database'
import type { Repository } from '#repository'
import type { Secrets } from '../secrets/secrets.ts'

const PASSWORD_BYTES = 32

export interface ShardPasswordParts {
  readonly database: Database
  readonly secrets: Secrets
  readonly random: Random
  readonly log: Logger
}

/** What an organization's shards are opened by. */
export interface ShardPasswords {
  /** Opens every shard, at every moment of a change too. */
  readonly current: Secret
  /** A change has begun: it becomes the current one when it opens every shard. */
  readonly next?: Secret
  /** Replaced, and perhaps still opening a shard. */
  readonly leaving: readonly Secret[]
  /** Every one that was replaced, newest first: a place that is brought back to an earlier moment has its keys. */
  readonly earlier: readonly Secret[]
}

/** The organization that a password belongs to. */
export type ShardsOf = Pick<RepositoryOrganizationRow, 'repositoryId' | 'organizationId'>

interface StoredChange {
  readonly next?: string
  readonly leaving?: readonly string[]
  readonly earlier?: readonly string[]
}

/** Where the password of an organization's shards is sealed. */
export const shardsSecretPlace = (repositoryId: string, organizationId: string) => ({
  table: 'repositories',
  row: repositoryId,
  field: `shards.${organizationId}`,
})

export const changePlace = ({ repositoryId, organizationId }: ShardsOf) => {
  const place = shardsSecretPlace(repositoryId, organizationId)
  return { ...place, field: `${place.field}.change` }
}

export const newShardPassword = (random: Random): Secret =>
  new Secret(Buffer.from(random.bytes(PASSWORD_BYTES)).toString('base64url'))

/** Undefined where this server has none. */
export const findShardPasswords = async (
  { secrets }: Pick<ShardPasswordParts, 'secrets'>,
  queries: Queries,
  of: ShardsOf,
): Promise<ShardPasswords | undefined> => {
  const current = await secrets.find(queries, shardsSecretPlace(of.repositoryId, of.organizationId))
  if (current === undefined) return undefined
  const sealed = await secrets.find(queries, changePlace(of))
  const { next, leaving = [], earlier = [] } = sealed === undefined ? {} : changeFrom(sealed)
  return {
    current,
    ...(next === undefined ? {} : { next: new Secret(next) }),
    leaving: leaving.map((password) => new Secret(password)),
    earlier: earlier.map((password) => new Secret(password)),
  }
}

/** Replaces what is known. Give it the queries of a transaction. */
const keepShardPasswords = async (
  { secrets }: Pick<ShardPasswordParts, 'secrets'>,
  queries: Queries,
  of: ShardsOf,
  { current, next, leaving, earlier }: ShardPasswords,
): Promise<void> => {
  const change: StoredChange = {
    ...(next === undefined ? {} : { next: next.reveal() }),
    leaving: leaving.map((password) => password.reveal()),
    earlier: earlier.map((password) => password.reveal()),
  }
  await secrets.put(queries, shardsSecretPlace(of.repositoryId, of.organizationId), current)
  await secrets.put(queries, changePlace(of), new Secret(JSON.stringify(change)))
}

/** A shard, and the key of the repository's encryption key in it. */
export interface ShardToChange {
  readonly index: number
  readonly repository: Repository
}

/** What a change left in the shards of an organization. */
export interface ChangedPasswords {
  readonly shards: number
  /** In how many of them the earlier password could not be removed yet. */
  readonly shardsWithEarlierPassword: number
}

/**
 * Gives the shards of an organization a new password, or finishes a change that was cut off; `mayBegin: false`: only that.
 * First it opens every shard beside the current one, then it becomes the current one, then the earlier one is removed: so
 * one password opens everything at every moment. `shards` is called when whoever makes a shard knows of the change.
 */
export const changeShardPassword = async (
  parts: ShardPasswordParts,
  of: ShardsOf,
  options: {
    readonly mayBegin: boolean
    readonly shards: () => Promise<readonly ShardToChange[]>
    readonly signal?: AbortSignal
  },
): Promise<ChangedPasswords | undefined> => {
  const begun = await begin(parts, of, options.mayBegin)
  if (begun === undefined || (begun.next === undefined && begun.leaving.length === 0)) return undefined
  const shards = await options.shards()
  if (begun.next !== undefined)
    for (const { repository } of shards) {
      options.signal?.throwIfAborted()
      await repository.keepPassword(begun.next.reveal())
    }
  const changed = await changePasswords(parts, of, turned)
  let kept = 0
  for (const shard of shards) if (!(await removeLeaving(parts, of, shard, changed))) kept += 1
  if (kept === 0) await changePasswords(parts, of, (now) => ({ ...now, leaving: [] }))
  return { shards: shards.length, shardsWithEarlierPassword: kept }
}

const begin = async (
  parts: ShardPasswordParts,
  of: ShardsOf,
  mayBegin: boolean,
): Promise<ShardPasswords | undefined> => {
  if (!mayBegin) return findShardPasswords(parts, parts.database.queries, of)
  return changePasswords(parts, of, (now) => ({ ...now, next: now.next ?? newShardPassword(parts.random) }))
}

const changePasswords = (
  parts: ShardPasswordParts,
  of: ShardsOf,
  change: (now: ShardPasswords) => ShardPasswords,
): Promise<ShardPasswords> =>
  parts.database.transaction(async (queries) => {
    const now = await findShardPasswords(parts, queries, of)
    if (now === undefined) throw corrupt("the password of the organization's shards is missing")
    const changed = change(now)
    await keepShardPasswords(parts, queries, of, changed)
    return changed
  })

const turned = ({ current, next, leaving, earlier }: ShardPasswords): ShardPasswords =>
  next === undefined
    ? { current, leaving, earlier }
    : { current: next, leaving: [current, ...leaving], earlier: [current, ...earlier] }

/** False where an earlier password still opens the shard: nothing can be removed there now. */
const removeLeaving = async (
  { log }: Pick<ShardPasswordParts, 'log'>,
  of: ShardsOf,
  { index, repository }: ShardToChange,
  { current, leaving }: ShardPasswords,
): Promise<boolean> => {
  try {
    await repository.keepPassword(current.reveal())
    for (const password of leaving) await repository.removePassword(password.reveal())
    return true
  } catch (error) {
    const names = { repositoryId: of.repositoryId, shard: index, message: messageOf(error) }
    log.warn(names, 'earlier password of a shard not removed')
    return false
  }
}

/**
 * After a shard was opened by another password than the current one, or made: it gets the current one, and the next one
 * of a change that goes on. That it was opened by goes.
 */
export const settlePassword = async (
  parts: ShardPasswordParts,
  of: ShardsOf,
  repository: Repository,
  used: Secret,
): Promise<void> => {
  const now = await findShardPasswords(parts, parts.database.queries, of)
  if (now === undefined) return
  if (now.next !== undefined) await repository.keepPassword(now.next.reveal())
  if (isSame(now.current, used)) return
  await repository.keepPassword(now.current.reveal())
  if (now.next === undefined || !isSame(now.next, used)) await repository.removePassword(used.reveal())
}

const isSame = (a: Secret, b: Secret): boolean => a.reveal() === b.reveal()

const changeFrom = (sealed: Secret): StoredChange => {
  try {
    const { next, leaving, earlier } = JSON.parse(sealed.reveal()) as Record<string, unknown>
    return {
      ...(typeof next === 'string' ? { next } : {}),
      leaving: texts(leaving),
      earlier: texts(earlier),
    }
  } catch {
    throw corrupt('the passwords of shards cannot be read')
  }
}

const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
