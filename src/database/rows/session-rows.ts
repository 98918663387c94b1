import type { ChangesOf } from '../codecs.ts'
import type { Page, PageRequest } from '../page.ts'
import type { Queries } from '../open-database.ts'
import { jobSessions, type SessionRow } from '../tables.ts'
import { countOf, slice } from './paging.ts'

export interface SessionRowFilter extends PageRequest {
  readonly jobId?: string
  readonly organizationId?: string
  readonly repositoryId?: string
  readonly status?: string
  readonly jobType?: 'Backup' | 'Copy'
  readonly endTimeLowerBound?: Date
  readonly endTimeUpperBound?: Date
  readonly creationTimeLowerBound?: Date
  readonly creationTimeUpperBound?: Date
}

const filtered = (queries: Queries, filter: SessionRowFilter) => {
  let query = queries.selectFrom('jobSessions')
  for (const name of ['jobId', 'organizationId', 'repositoryId', 'status'] as const) {
    const value = filter[name]
    if (value !== undefined) query = query.where(name, '=', value)
  }
  if (filter.jobType === 'Copy') query = query.where('jobType', '=', 'Copy')
  if (filter.jobType === 'Backup') query = query.where('jobType', 'is', null)
  const bounds = [
    ['endTime', '>=', filter.endTimeLowerBound],
    ['endTime', '<=', filter.endTimeUpperBound],
    ['creationTime', '>=', filter.creationTimeLowerBound],
    ['creationTime', '<=', filter.creationTimeUpperBound],
  ] as const
  for (const [name, comparison, bound] of bounds)
    if (bound !== undefined) query = query.where(name, comparison, bound.toISOString())
  return query
}

export const sessionRows = {
  async insert(queries: Queries, row: SessionRow): Promise<void> {
    await queries.insertInto('jobSessions').values(jobSessions.encode(row)).execute()
  },
  /** Raises the eTag. */
  async update(queries: Queries, id: string, changes: ChangesOf<typeof jobSessions>): Promise<void> {
    await queries
      .updateTable('jobSessions')
      .set(jobSessions.encodeChanges(changes))
      .set((column) => ({ eTag: column('eTag', '+', 1) }))
      .where('id', '=', id)
      .execute()
  },
  async find(queries: Queries, id: string): Promise<SessionRow | undefined> {
    const row = await queries.selectFrom('jobSessions').selectAll().where('id', '=', id).executeTakeFirst()
    return row && jobSessions.decode(row)
  },
  /** Newest first. */
  async list(queries: Queries, filter: SessionRowFilter = {}): Promise<Page<SessionRow>> {
    const query = filtered(queries, filter)
    const sorted = query.selectAll().orderBy('creationTime', 'desc').orderBy('id')
    const rows = await slice(sorted, filter).execute()
    return { items: rows.map(jobSessions.decode), totalCount: await countOf(query) }
  },
  /** The newest one of a job, of the given statuses if any. */
  async last(queries: Queries, jobId: string, statuses?: readonly string[]): Promise<SessionRow | undefined> {
    let query = queries.selectFrom('jobSessions').selectAll().where('jobId', '=', jobId)
    if (statuses !== undefined) query = query.where('status', 'in', [...statuses])
    const row = await query.orderBy('creationTime', 'desc').orderBy('id').limit(1).executeTakeFirst()
    return row && jobSessions.decode(row)
  },
  /** When the last run ended that may have changed what is stored, by repository and organization. */
  async lastEnds(
    queries: Queries,
  ): Promise<
    readonly { readonly repositoryId: string; readonly organizationId: string; readonly endTime: Date }[]
  > {
    const rows = await queries
      .selectFrom('jobSessions')
      .select(({ fn }) => ['repositoryId', 'organizationId', fn.max('endTime').as('endTime')])
      .where('endTime', 'is not', null)
      .groupBy(['repositoryId', 'organizationId'])
      .execute()
    return rows.map(({ endTime, ...place }) => ({ ...place, endTime: new Date(endTime!) }))
  },
  /** When an organization was first and last protected; by the end of sessions with one of `statuses`. */
  async endTimes(
    queries: Queries,
    organizationId: string,
    statuses: readonly string[],
  ): Promise<{ readonly first: Date; readonly last: Date } | undefined> {
    const row = await queries
      .selectFrom('jobSessions')
      .select(({ fn }) => [fn.min('endTime').as('first'), fn.max('endTime').as('last')])
      .where('organizationId', '=', organizationId)
      .where('jobType', 'is', null)
      .where('status', 'in', [...statuses])
      .executeTakeFirst()
    if (!row?.first || !row.last) return undefined
    return { first: new Date(row.first), last: new Date(row.last) }
  },
}
