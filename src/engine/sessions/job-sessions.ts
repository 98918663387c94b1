import { notFound } from '#base'
import {
  logRows,
  sessionRows,
  type Database,
  type LogRow,
  type Page,
  type PageRequest,
  type SessionRow,
} from '#database'
import { requireOrganization, scopeOf, type Principal } from '../access/principal.ts'
import type {
  JobSession,
  JobStatistics,
  LogItem,
  LogItemType,
  SessionFilter,
  SessionStatus,
} from './job-session.ts'

const unknown = 'the job session is not known'

export const presentSession = (row: SessionRow): JobSession => ({
  id: row.id,
  jobId: row.jobId,
  organizationId: row.organizationId,
  repositoryId: row.repositoryId,
  ...(row.details === undefined ? {} : { details: row.details }),
  creationTime: row.creationTime,
  ...(row.endTime === undefined ? {} : { endTime: row.endTime }),
  retryCount: row.retryCount,
  jobWillBeRetried: row.jobWillBeRetried,
  progress: row.progress,
  jobType: row.jobType === 'Copy' ? 'Copy' : 'Backup',
  jobSessionConfigType: row.configType as JobSession['jobSessionConfigType'],
  status: row.status as SessionStatus,
  statistics: row.statistics as JobStatistics,
  eTag: row.eTag,
})

const presentLogItem = ({ itemKey: _key, ...row }: LogRow): LogItem => ({
  ...row,
  type: row.type as LogItemType,
})

/** Job sessions and their logs, for reading. */
export class JobSessions {
  readonly #database: Database

  constructor(parts: { readonly database: Database }) {
    this.#database = parts.database
  }

  async get(principal: Principal, id: string): Promise<JobSession> {
    const row = await sessionRows.find(this.#database.queries, id)
    if (row === undefined) throw notFound(unknown)
    requireOrganization(principal, row.organizationId, unknown)
    return presentSession(row)
  }

  /** Newest first. */
  async list(principal: Principal, filter: SessionFilter & PageRequest = {}): Promise<Page<JobSession>> {
    const scope = scopeOf(principal)
    if (scope !== undefined && filter.organizationId !== undefined && filter.organizationId !== scope)
      return { items: [], totalCount: 0 }
    const narrowed = scope === undefined ? filter : { ...filter, organizationId: scope }
    const { items, totalCount } = await sessionRows.list(this.#database.queries, narrowed)
    return { items: items.map(presentSession), totalCount }
  }

  /** In the order they were written. */
  async logItems(principal: Principal, sessionId: string, page: PageRequest = {}): Promise<Page<LogItem>> {
    await this.get(principal, sessionId)
    const { items, totalCount } = await logRows.list(this.#database.queries, sessionId, page)
    return { items: items.map(presentLogItem), totalCount }
  }

  async logItem(principal: Principal, sessionId: string, logItemId: string): Promise<LogItem> {
    await this.get(principal, sessionId)
    const row = await logRows.find(this.#database.queries, sessionId, logItemId)
    if (row === undefined) throw notFound('the log item is not known')
    return presentLogItem(row)
  }
}
