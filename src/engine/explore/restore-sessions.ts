import { denied, HoldfastError, isHoldfastError, notBuilt, notFound, type Clock, type Random } from '#base'
import {
  restoreEventRows,
  restoreSessionRows,
  type Database,
  type Page,
  type PageRequest,
  type RestoreEventRow,
  type RestoreSessionRow,
} from '#database'
import type { Audit } from '../access/audit.ts'
import { requireOrganization, scopeOf, systemPrincipal, type Principal } from '../access/principal.ts'
import type { Catalogues } from '../catalogue/catalogues.ts'
import type { Job } from '../jobs/job.ts'
import type { BackupRepositories } from '../repositories/backup-repositories.ts'
import { PointView, type PointChoice, type Shard } from './point-view.ts'
import type {
  ExploreRequest,
  ExplorerType,
  ExploreScope,
  RestoreEvent,
  RestoreEventStatus,
  RestoreEventType,
  RestoreResult,
  RestoreSession,
  RestoreSessionFilter,
  RestoreStatistics,
} from './restore-session.ts'

const IDLE_MS = 30 * 60_000
const GONE = 'there is no such restore session, or it has ended'

const gone = (): HoldfastError => new HoldfastError('gone', GONE)

export interface RestoreSessionParts {
  readonly database: Database
  readonly clock: Clock
  readonly random: Random
  readonly audit: Audit
  readonly catalogues: Catalogues
  readonly jobs: { get(principal: Principal, id: string): Promise<Job> }
  readonly organizations: {
    get(principal: Principal, id: string): Promise<{ readonly id: string; readonly name: string }>
  }
  readonly repositories: Pick<BackupRepositories, 'list' | 'get' | 'shards' | 'backedUpOrganizations'>
}

interface SessionProperties {
  readonly kind: 'explore' | 'restore'
  readonly owner: string
  readonly organizationName: string
  readonly at: string
  readonly scope: ExploreScope
  readonly scopeName?: string
  readonly reason?: string
  readonly clientHost?: string
  readonly statistics?: RestoreStatistics
}

interface Scoped {
  readonly organizationId: string
  readonly organizationName: string
  readonly repositoryId?: string
  readonly jobId?: string
  readonly scopeName: string
}

export interface OpenView {
  readonly session: RestoreSession
  readonly view: PointView
}

export type NewRestoreEvent = Omit<RestoreEvent, 'id' | 'sessionId' | 'order'>

const NOTHING: RestoreStatistics = { total: 0, created: 0, updated: 0, skipped: 0, failed: 0 }

const ownerOf = (principal: Principal): string =>
  principal.kind === 'organization'
    ? `organization:${principal.organizationId}:${principal.name.toLowerCase()}`
    : `${principal.kind}:${principal.name.toLowerCase()}`

const shown = (type: ExplorerType): void => {
  if (type === 'Vesp') throw notBuilt('SharePoint sites cannot be explored yet')
  if (type === 'Vet') throw notBuilt('Teams cannot be explored yet')
}

/**
 * Restore sessions: somebody looks at an organization as it was at one moment. A session belongs to whoever opened it and
 * ends by itself when it has not been used for 30 minutes.
 */
export class RestoreSessions {
  readonly #parts: RestoreSessionParts
  readonly #views = new Map<string, { readonly view: PointView; usedAtMs: number }>()

  constructor(parts: RestoreSessionParts) {
    this.#parts = parts
  }

  /** Errors: `not-found` for job, organization and repository, `not-built` for SharePoint and Teams. */
  async open(principal: Principal, request: ExploreRequest): Promise<RestoreSession> {
    shown(request.type)
    const scoped = await this.#resolve(principal, request.scope)
    const { clock, random, audit, database } = this.#parts
    const now = clock.now()
    const at = request.at === undefined || request.at > now ? now : request.at
    const properties: SessionProperties = {
      kind: 'explore',
      owner: ownerOf(principal),
      organizationName: scoped.organizationName,
      at: at.toISOString(),
      scope: request.scope,
      scopeName: scoped.scopeName,
      ...(request.reason === undefined ? {} : { reason: request.reason }),
      ...(request.clientHost === undefined ? {} : { clientHost: request.clientHost }),
    }
    const row: RestoreSessionRow = {
      id: random.uuid(),
      organizationId: scoped.organizationId,
      repositoryId: scoped.repositoryId ?? '',
      type: request.type,
      name: `${scoped.scopeName} at ${at.toISOString()}`,
      state: 'Working',
      result: 'Success',
      initiatedBy: principal.name,
      creationTime: now,
      properties,
    }
    const view = await this.#load(scoped, at)
    await audit.around(principal, 'restoreSessions.open', scoped.scopeName, () =>
      restoreSessionRows.insert(database.queries, row),
    )
    this.#views.set(row.id, { view, usedAtMs: clock.nowMs() })
    return toSession(row)
  }

  /** An administrator sees all sessions, a tenant its own. Newest first. */
  async list(principal: Principal, filter: RestoreSessionFilter = {}): Promise<Page<RestoreSession>> {
    const organizationId = scopeOf(principal) ?? filter.organizationId
    const { items, totalCount } = await restoreSessionRows.list(this.#parts.database.queries, {
      ...filter,
      ...(organizationId === undefined ? {} : { organizationId }),
    })
    return { items: items.map(toSession), totalCount }
  }

  async get(principal: Principal, id: string): Promise<RestoreSession> {
    return toSession(await this.#row(principal, id))
  }

  /** Ends a session. Ending it twice is no error. */
  async stop(principal: Principal, id: string): Promise<void> {
    const row = await this.#row(principal, id)
    await this.end(row.id, { result: (row.result ?? 'Success') as RestoreResult })
  }

  async events(principal: Principal, id: string, page: PageRequest = {}): Promise<Page<RestoreEvent>> {
    const row = await this.#row(principal, id)
    const { items, totalCount } = await restoreEventRows.list(this.#parts.database.queries, row.id, page)
    return { items: items.map(toEvent), totalCount }
  }

  async event(principal: Principal, id: string, eventId: string): Promise<RestoreEvent> {
    const row = await this.#row(principal, id)
    const found = await restoreEventRows.find(this.#parts.database.queries, row.id, eventId)
    if (found === undefined) throw notFound('there is no such event')
    return toEvent(found)
  }

  /**
   * What the session shows. Only for whoever opened it: `denied` for others who may see that it exists, `gone` when
   * it has ended.
   */
  async view(principal: Principal, id: string): Promise<OpenView> {
    const row = await this.#row(principal, id)
    const properties = propertiesOf(row)
    if (properties.owner !== ownerOf(principal))
      throw denied('a restore session belongs to whoever opened it')
    if (row.state !== 'Working' || properties.kind !== 'explore') throw gone()
    const nowMs = this.#parts.clock.nowMs()
    const open = this.#views.get(id)
    if (open !== undefined && nowMs - open.usedAtMs > IDLE_MS) {
      await this.end(id, { result: 'Success', details: 'ended: not used for 30 minutes' })
      throw gone()
    }
    if (open !== undefined) {
      open.usedAtMs = nowMs
      return { session: toSession(row), view: open.view }
    }
    // After a restart of the server, the same moment is looked up again.
    const view = await this.#load(await this.#resolve(principal, properties.scope), new Date(properties.at))
    this.#views.set(id, { view, usedAtMs: nowMs })
    return { session: toSession(row), view }
  }

  /** A session of its own for one restore, so that it can be watched and outlive the explorer. */
  async beginRestore(principal: Principal, explorer: RestoreSession, name: string): Promise<RestoreSession> {
    const { clock, random, database } = this.#parts
    const properties: SessionProperties = {
      kind: 'restore',
      owner: ownerOf(principal),
      organizationName: explorer.organizationName,
      at: explorer.at.toISOString(),
      scope: { kind: 'organization', organizationId: explorer.organizationId },
      statistics: NOTHING,
      ...(explorer.scopeName === undefined ? {} : { scopeName: explorer.scopeName }),
      ...(explorer.reason === undefined ? {} : { reason: explorer.reason }),
    }
    const row: RestoreSessionRow = {
      id: random.uuid(),
      organizationId: explorer.organizationId,
      repositoryId: explorer.repositoryId ?? '',
      type: explorer.type,
      name,
      state: 'Working',
      initiatedBy: principal.name,
      creationTime: clock.now(),
      properties,
    }
    await restoreSessionRows.insert(database.queries, row)
    return toSession(row)
  }

  async progress(id: string, statistics: RestoreStatistics): Promise<void> {
    const { queries } = this.#parts.database
    const row = await restoreSessionRows.find(queries, id)
    if (row === undefined) return
    await restoreSessionRows.update(queries, id, { properties: { ...row.properties, statistics } })
  }

  async end(
    id: string,
    outcome: { readonly result: RestoreResult; readonly details?: string },
  ): Promise<void> {
    const { database, clock } = this.#parts
    this.#views.delete(id)
    const row = await restoreSessionRows.find(database.queries, id)
    if (row === undefined || row.state === 'Stopped') return
    await restoreSessionRows.update(database.queries, id, {
      state: 'Stopped',
      result: outcome.result,
      endTime: clock.now(),
      ...(outcome.details === undefined ? {} : { details: outcome.details }),
    })
  }

  async note(sessionId: string, event: NewRestoreEvent): Promise<void> {
    const { startTime, endTime, type, status, title, message, ...properties } = event
    await restoreEventRows.insert(this.#parts.database.queries, {
      id: this.#parts.random.uuid(),
      sessionId,
      type,
      status,
      title,
      message,
      startTime,
      ...(endTime === undefined ? {} : { endTime }),
      properties,
    })
  }

  /** Ends whatever looks at an organization, or restores of it, because its points change. */
  async endOf(organizationId: string): Promise<void> {
    const { items } = await this.list(systemPrincipal, { organizationId, state: 'Working', limit: 10_000 })
    const details = 'what the session showed has changed; open another one'
    for (const { id } of items) await this.end(id, { result: 'Success', details })
  }

  /** What sessions of an organization have open is opened anew when they are used next: its data has moved. */
  async lookAgain(organizationId: string): Promise<void> {
    const { items } = await this.list(systemPrincipal, { organizationId, state: 'Working', limit: 10_000 })
    for (const { id } of items) this.#views.delete(id)
  }

  async isRestoring(organizationId: string): Promise<boolean> {
    const { items } = await this.list(systemPrincipal, { organizationId, state: 'Working', limit: 10_000 })
    return items.some(({ kind }) => kind === 'restore')
  }

  /** At the start of the server: restores that were cut off are over, and may be repeated without a second copy. */
  async endInterrupted(): Promise<void> {
    const { items } = await this.list(systemPrincipal, { state: 'Working' })
    const details = 'the server was stopped during this restore; repeat it, nothing is restored twice'
    for (const session of items.filter(({ kind }) => kind === 'restore'))
      await this.end(session.id, { result: 'Failed', details })
  }

  async #row(principal: Principal, id: string): Promise<RestoreSessionRow> {
    const row = await restoreSessionRows.find(this.#parts.database.queries, id)
    if (row === undefined) throw gone()
    requireOrganization(principal, row.organizationId, GONE)
    return row
  }

  async #resolve(principal: Principal, scope: ExploreScope): Promise<Scoped> {
    const { jobs, organizations, repositories } = this.#parts
    if (scope.kind === 'job') {
      const job = await jobs.get(principal, scope.jobId)
      const { id, name } = await organizations.get(principal, job.organizationId)
      return {
        organizationId: id,
        organizationName: name,
        repositoryId: job.repositoryId,
        jobId: job.id,
        scopeName: job.name,
      }
    }
    const at = scope.repositoryId === undefined ? {} : { repositoryId: scope.repositoryId }
    if (scope.kind === 'organization') {
      const { id, name } = await organizations.get(principal, scope.organizationId)
      if (scope.repositoryId !== undefined) await repositories.get(principal, scope.repositoryId)
      return { organizationId: id, organizationName: name, scopeName: name, ...at }
    }
    requireOrganization(principal, scope.organizationId, 'there is no such organization')
    const held = await repositories.backedUpOrganizations(principal, scope.repositoryId)
    const found = held.find(({ organizationId }) => organizationId === scope.organizationId)
    if (found === undefined) throw notFound('the repository holds nothing of that organization')
    return {
      organizationId: found.organizationId,
      organizationName: found.name,
      scopeName: found.name,
      ...at,
    }
  }

  async #load(scoped: Scoped, at: Date): Promise<PointView> {
    const choice: PointChoice = scoped.jobId === undefined ? { at } : { at, jobId: scoped.jobId }
    return PointView.load(await this.shards(scoped), choice)
  }

  /** The shards that hold an organization's data, in one repository or in all. */
  async shards(place: {
    readonly organizationId: string
    readonly organizationName: string
    readonly repositoryId?: string
  }): Promise<Shard[]> {
    const { repositories, catalogues } = this.#parts
    const { items } = await repositories.list(systemPrincipal)
    const chosen = items.filter(({ id }) => place.repositoryId === undefined || id === place.repositoryId)
    const found: Shard[] = []
    for (const { id: repositoryId } of chosen) {
      const organization = { id: place.organizationId, name: place.organizationName }
      const shards = await repositories.shards(repositoryId, organization).catch((error: unknown) => {
        if (isHoldfastError(error, 'not-found')) return undefined
        throw error
      })
      for (const { index, repository } of (await shards?.existing()) ?? []) {
        const where = { repositoryId, organizationId: place.organizationId, shard: index }
        found.push({ repositoryId, repository, catalogue: catalogues.of(where, repository) })
      }
    }
    return found
  }
}

const propertiesOf = (row: RestoreSessionRow): SessionProperties => row.properties as SessionProperties

const toSession = (row: RestoreSessionRow): RestoreSession => {
  const { kind, organizationName, at, scopeName, reason, clientHost, statistics } = propertiesOf(row)
  return {
    id: row.id,
    name: row.name,
    organizationId: row.organizationId,
    organizationName,
    ...(row.repositoryId === '' ? {} : { repositoryId: row.repositoryId }),
    type: row.type as ExplorerType,
    kind,
    at: new Date(at),
    creationTime: row.creationTime,
    ...(row.endTime === undefined ? {} : { endTime: row.endTime }),
    state: row.state as RestoreSession['state'],
    result: (row.result ?? 'Success') as RestoreResult,
    initiatedBy: row.initiatedBy,
    ...(row.details === undefined ? {} : { details: row.details }),
    ...(scopeName === undefined ? {} : { scopeName }),
    ...(reason === undefined ? {} : { reason }),
    ...(clientHost === undefined ? {} : { clientHost }),
    statistics: statistics ?? NOTHING,
  }
}

const toEvent = (row: RestoreEventRow): RestoreEvent => ({
  ...(row.properties as Pick<RestoreEvent, 'itemName' | 'itemType' | 'itemSizeBytes' | 'source' | 'target'>),
  id: row.id,
  sessionId: row.sessionId,
  type: row.type as RestoreEventType,
  status: row.status as RestoreEventStatus,
  title: row.title,
  message: row.message ?? '',
  startTime: row.startTime,
  ...(row.endTime === undefined ? {} : { endTime: row.endTime }),
  order: row.sequence,
})
