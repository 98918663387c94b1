import { conflict, invalid, notFound, type Clock, type Random } from '#base'
import {
  jobItemRows,
  jobRows,
  logRows,
  organizationFolderRows,
  repositoryOrganizationRows,
  retentionRunRows,
  type Database,
  type Page,
  type PageRequest,
  type Queries,
  type RepositoryOrganizationRow,
  type RetentionRunRow,
} from '#database'
import type { Audit } from '../access/audit.ts'
import { requireAdministrator, type Principal } from '../access/principal.ts'
import type { Catalogues } from '../catalogue/catalogues.ts'
import type { JobItem } from '../jobs/job.ts'
import { RUN } from '../jobs/run-requests.ts'
import type { Given } from '../organizations/organization.ts'
import { needed, readText } from '../organizations/read-input.ts'
import type { LogItem, LogItemType, SessionStatus } from '../sessions/job-session.ts'
import type { TaskQueue } from '../tasks/task-queue.ts'
import { directoryId, holdsInForce, keysOf } from './legal-holds.ts'
import { locksOf } from './point-locks.ts'
import { openShards, storedPoints, type ContentsParts } from './repository-contents.ts'
import { removePersonFromShard, type ShardRemoval } from './remove-person.ts'
import type { RunEnding } from './retention-run.ts'
import type { RunLog } from './run-log.ts'

export const PERSON_REMOVAL = 'person-removal'

export interface PersonRemovalInput {
  /** The directory's id. */
  readonly userId?: Given<string>
  /** For the record; the id when left out. */
  readonly name?: Given<string>
  readonly reason?: Given<string>
  /** The id once more, typed by whoever asks. */
  readonly confirmation?: Given<string>
}

interface Request {
  readonly userId: string
  readonly name: string
  readonly reason: string
}

interface Result {
  readonly repositories: number
  readonly rewrittenPoints: number
  readonly removedBlobs: number
  readonly sharedBlobs: number
  readonly freedBytes: number
  readonly isProven: boolean
}

const NO_RESULT: Result = {
  repositories: 0,
  rewrittenPoints: 0,
  removedBlobs: 0,
  sharedBlobs: 0,
  freedBytes: 0,
  isProven: false,
}

/** The record of a removal: who asked for it, when, and what became of it. Not the content. */
export interface PersonRemoval extends Request, Result {
  readonly id: string
  readonly organizationId: string
  readonly requestedBy: string
  readonly status: SessionStatus
  readonly creationTime: Date
  readonly endTime?: Date
  readonly details?: string
  /** Jobs that protect the person: their next run brings the data back. */
  readonly jobs: readonly string[]
}

export interface PersonRemovalsParts {
  readonly database: Database
  readonly tasks: TaskQueue
  readonly audit: Audit
  readonly clock: Clock
  readonly random: Random
  readonly repositories: ContentsParts['repositories']
  readonly catalogues: Catalogues
}

const unknown = 'the removal is not known'

/** Takes one person's data out of all repositories, for good. For administrators alone. */
export class PersonRemovals {
  readonly #parts: PersonRemovalsParts & { readonly runner: { wake(): void } }

  constructor(parts: PersonRemovalsParts & { readonly runner: { wake(): void } }) {
    this.#parts = parts
  }

  /**
   * Queues the removal. `invalid` without the typed confirmation, `conflict` under legal hold, while the storage keeps restore points of
   * the person until a date, while one is under way, and
   * while a backup of the organization runs; `not-found` for an organization without backups.
   */
  async request(
    principal: Principal,
    organizationId: string,
    input: PersonRemovalInput,
  ): Promise<PersonRemoval> {
    requireAdministrator(principal)
    const { audit, database, runner } = this.#parts
    return audit.around(principal, 'personRemovals.request', String(input.userId ?? ''), async () => {
      const request = readRequest(input)
      const { queries } = database
      if ((await repositoryOrganizationRows.list(queries, { organizationId })).length === 0)
        throw notFound('the organization has no backups here')
      await refuseHeld(queries, organizationId, request.userId)
      if (await isBackedUpNow(this.#parts, organizationId))
        throw conflict('a backup of the organization is running: stop it, or come back when it has ended')
      await refuseLocked(this.#parts, organizationId, request.userId)
      const row = await database.transaction((inner) =>
        this.#queue(inner, principal, organizationId, request),
      )
      runner.wake()
      return this.#present(row)
    })
  }

  async get(principal: Principal, organizationId: string, id: string): Promise<PersonRemoval> {
    requireAdministrator(principal)
    const row = await retentionRunRows.find(this.#parts.database.queries, id)
    if (row?.kind !== 'PersonRemoval' || row.organizationId !== organizationId) throw notFound(unknown)
    return this.#present(row)
  }

  /** Newest first. */
  async list(
    principal: Principal,
    organizationId: string,
    page: PageRequest = {},
  ): Promise<Page<PersonRemoval>> {
    requireAdministrator(principal)
    const { items, totalCount } = await retentionRunRows.list(this.#parts.database.queries, {
      ...page,
      kind: 'PersonRemoval',
      organizationId,
    })
    return { items: await Promise.all(items.map((row) => this.#present(row))), totalCount }
  }

  async logItems(
    principal: Principal,
    organizationId: string,
    id: string,
    page: PageRequest = {},
  ): Promise<Page<LogItem>> {
    await this.get(principal, organizationId, id)
    const { items, totalCount } = await logRows.list(this.#parts.database.queries, id, page)
    return {
      items: items.map(({ itemKey: _key, ...row }) => ({ ...row, type: row.type as LogItemType })),
      totalCount,
    }
  }

  async #queue(
    queries: Queries,
    principal: Principal,
    organizationId: string,
    request: Request,
  ): Promise<RetentionRunRow> {
    const { clock, random, tasks } = this.#parts
    const row: RetentionRunRow = {
      id: random.uuid(),
      kind: 'PersonRemoval',
      organizationId,
      initiatedBy: principal.name,
      request,
      status: 'Queued',
      creationTime: clock.now(),
      result: NO_RESULT,
    }
    const key = `${organizationId} ${request.userId}`
    await tasks.add(queries, { kind: PERSON_REMOVAL, key, payload: { runId: row.id }, runAt: new Date(0) })
    await retentionRunRows.insert(queries, row)
    return row
  }

  async #present(row: RetentionRunRow): Promise<PersonRemoval> {
    const request = row.request as Request
    const organizationId = row.organizationId ?? ''
    return {
      ...NO_RESULT,
      ...row.result,
      ...request,
      id: row.id,
      organizationId,
      requestedBy: row.initiatedBy,
      status: row.status as SessionStatus,
      creationTime: row.creationTime,
      ...(row.endTime === undefined ? {} : { endTime: row.endTime }),
      ...(row.details === undefined ? {} : { details: row.details }),
      jobs: await jobsThatProtect(this.#parts.database.queries, organizationId, request.userId),
    }
  }
}

const readRequest = (input: PersonRemovalInput): Request => {
  const userId = directoryId(needed(readText(input.userId, 'userId', 128), 'userId'))
  const confirmation = readText(input.confirmation, 'confirmation', 128)
  if (confirmation === undefined || directoryId(confirmation) !== userId)
    throw invalid('confirmation has to repeat userId: what is removed cannot be brought back', 'confirmation')
  return {
    userId,
    name: readText(input.name, 'name', 512) ?? userId,
    reason: readText(input.reason, 'reason', 2_000) ?? '',
  }
}

const refuseHeld = async (queries: Queries, organizationId: string, userId: string): Promise<void> => {
  const keys = keysOf(userId)
  const held = (await holdsInForce(queries)).find(
    (hold) => hold.organizationId === organizationId && hold.objectKeys.some((key) => keys.includes(key)),
  )
  if (held !== undefined) throw conflict(`the person is under legal hold ${held.id}: release it first`)
}

/** What the storage keeps until a date cannot be taken out before: said at once, and not after hours of work. */
const refuseLocked = async (
  parts: PersonRemovalsParts,
  organizationId: string,
  userId: string,
): Promise<void> => {
  const { database, repositories, clock } = parts
  const keys = keysOf(userId)
  for (const { repositoryId } of await repositoryOrganizationRows.list(database.queries, {
    organizationId,
  })) {
    if ((await repositories.storageFor?.(repositoryId))?.retention === undefined) continue
    const shards = await openShards(parts, { repositoryId, organizationId, givesBack: false })
    const points = await storedPoints(shards, database.queries)
    const persons = points.filter(({ objectKeys }) => objectKeys.some((key) => keys.includes(key)))
    const locks = await locksOf({ queries: database.queries, repositories }, repositoryId, persons)
    const until = new Date(Math.max(0, ...[...locks.values()].map((date) => date.getTime())))
    if (until > clock.now())
      throw conflict(
        `the storage keeps restore points that hold data of the person until ${until.toISOString()}: nothing can be removed ` +
          'before; switch immutability off where it shall end',
      )
  }
}

/** Whether a run of one of the organization's jobs is under way. */
export const isBackedUpNow = async (
  { database, tasks }: Pick<PersonRemovalsParts, 'database' | 'tasks'>,
  organizationId: string,
): Promise<boolean> => {
  const { items } = await jobRows.list(database.queries, { organizationId })
  for (const { id } of items)
    if ((await tasks.find(database.queries, RUN, id))?.isLeased === true) return true
  return false
}

/** Names of enabled jobs whose next run may protect the person again. Groups are not looked into: their jobs count. */
const jobsThatProtect = async (
  queries: Queries,
  organizationId: string,
  userId: string,
): Promise<readonly string[]> => {
  const { items } = await jobRows.list(queries, { organizationId })
  const names: string[] = []
  for (const job of items) {
    const named = async (list: 'selected' | 'excluded'): Promise<readonly Omit<JobItem, 'id'>[]> =>
      (await jobItemRows.list(queries, job.id, list)).map(({ item }) => item as Omit<JobItem, 'id'>)
    const isUser = ({ type, user }: Omit<JobItem, 'id'>): boolean =>
      type === 'User' && user?.id.toLowerCase() === userId.toLowerCase()
    if ((await named('excluded')).some(isUser)) continue
    const selected = await named('selected')
    const isSelected = selected.some((item) => item.type !== 'User' || isUser(item))
    if (job.backupType === 'EntireOrganization' || isSelected) names.push(job.name)
  }
  return names
}

export interface RemovalRun {
  readonly row: RetentionRunRow
  readonly log: RunLog
  readonly keepResult: (result: Result) => Promise<void>
  readonly signal: AbortSignal
}

/** Does a removal. Undefined: not now, because a backup runs; come again. */
export const removePerson = async (
  parts: PersonRemovalsParts & {
    readonly endSessionsOf: (organizationId: string) => Promise<void>
  },
  { row, log, keepResult, signal }: RemovalRun,
): Promise<RunEnding | undefined> => {
  const { database, repositories, catalogues } = parts
  const { userId, name } = row.request as Request
  const organizationId = row.organizationId ?? ''
  await refuseHeld(database.queries, organizationId, userId)
  if (await isBackedUpNow(parts, organizationId)) return undefined
  await parts.endSessionsOf(organizationId)
  let result = NO_RESULT
  const remaining: string[] = []
  for (const place of await repositoryOrganizationRows.list(database.queries, { organizationId })) {
    const owner = { id: organizationId, name: place.organizationName }
    const shards = await repositories.shards(place.repositoryId, owner, { givesBack: true })
    for (const { index, repository } of await shards.existing(signal)) {
      signal.throwIfAborted()
      const removal = await removePersonFromShard({
        repository,
        database,
        runId: row.id,
        place: `${place.repositoryId} ${index}`,
        objectKeys: keysOf(userId),
        signal,
      })
      remaining.push(...removal.remaining)
      result = added(result, removal)
    }
    remaining.push(...(await beside(database, place)))
    // What lists and searches knew of the person goes with the cache; the next look makes it again from what is left.
    catalogues.remove(place.repositoryId, organizationId)
    result = { ...result, repositories: result.repositories + 1 }
  }
  const isProven = remaining.length === 0
  await keepResult({ ...result, isProven })
  for (const text of remaining) await log.note('Warning', text)
  await parts.audit.record({
    actor: { kind: 'system', name: row.initiatedBy },
    action: isProven ? 'personRemovals.done' : 'personRemovals.incomplete',
    object: userId,
    result: 'done',
    details: `${result.rewrittenPoints} points rewritten, ${result.removedBlobs} pieces removed, ${remaining.length} warnings`,
  })
  return endingOf(name, result, remaining)
}

/** What was written under another key holds the person too: what was not in force yet is given up; what was is told. */
const beside = async (
  { queries }: Database,
  { repositoryId, organizationId }: RepositoryOrganizationRow,
): Promise<readonly string[]> => {
  const folders = await organizationFolderRows.list(queries, { repositoryId, organizationId })
  for (const growing of folders.filter(({ state }) => state === 'Growing'))
    await organizationFolderRows.update(queries, growing, { state: 'Former' })
  return folders.map(({ folder, keptUntil }) =>
    keptUntil === undefined
      ? `${folder}, which is not in force, goes within an hour`
      : `${folder}, which an earlier key opens, is kept by the storage until ${keptUntil.toISOString()}`,
  )
}

const added = (result: Result, removal: ShardRemoval): Result => ({
  ...result,
  rewrittenPoints: result.rewrittenPoints + removal.rewrittenPoints,
  removedBlobs: result.removedBlobs + removal.removedBlobs,
  sharedBlobs: result.sharedBlobs + removal.sharedBlobs,
  freedBytes: result.freedBytes + removal.freedBytes,
})

const endingOf = (name: string, result: Result, remaining: readonly string[]): RunEnding => {
  const counted = `${result.rewrittenPoints} restore points written again, ${result.removedBlobs} pieces of data removed`
  if (remaining.length > 0)
    return { status: 'Warning', details: `${counted}; not all of ${name} is gone: ${remaining[0]}` }
  return { status: 'Success', details: `${counted}; nothing of ${name} alone is stored any more` }
}
