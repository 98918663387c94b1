import type { ChangesOf } from '../codecs.ts'
import type { Page, PageRequest } from '../page.ts'
import type { Queries } from '../open-database.ts'
import { jobItems, jobs, type JobItemRow, type JobRow } from '../tables.ts'
import { countOf, slice } from './paging.ts'

export interface JobRowFilter extends PageRequest {
  readonly organizationId?: string
  readonly repositoryId?: string
}

export const jobRows = {
  /** Throws a duplicate for a name in use in the organization. */
  async insert(queries: Queries, row: JobRow): Promise<void> {
    await queries.insertInto('jobs').values(jobs.encode(row)).execute()
  },
  /** Raises the eTag. */
  async update(queries: Queries, id: string, changes: ChangesOf<typeof jobs>): Promise<boolean> {
    const result = await queries
      .updateTable('jobs')
      .set(jobs.encodeChanges(changes))
      .set((column) => ({ eTag: column('eTag', '+', 1) }))
      .where('id', '=', id)
      .executeTakeFirst()
    return result.numUpdatedRows > 0n
  },
  async remove(queries: Queries, id: string): Promise<boolean> {
    await queries.deleteFrom('jobItems').where('jobId', '=', id).execute()
    const result = await queries.deleteFrom('jobs').where('id', '=', id).executeTakeFirst()
    return result.numDeletedRows > 0n
  },
  async find(queries: Queries, id: string): Promise<JobRow | undefined> {
    const row = await queries.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst()
    return row && jobs.decode(row)
  },
  /** By name. */
  async list(queries: Queries, filter: JobRowFilter = {}): Promise<Page<JobRow>> {
    let query = queries.selectFrom('jobs')
    if (filter.organizationId !== undefined) query = query.where('organizationId', '=', filter.organizationId)
    if (filter.repositoryId !== undefined) query = query.where('repositoryId', '=', filter.repositoryId)
    const rows = await slice(query.selectAll().orderBy('nameKey').orderBy('id'), filter).execute()
    return { items: rows.map(jobs.decode), totalCount: await countOf(query) }
  },
  /** Enabled jobs whose next run is at or before `at`, the longest waiting first. */
  async due(queries: Queries, at: Date): Promise<readonly JobRow[]> {
    const rows = await queries
      .selectFrom('jobs')
      .selectAll()
      .where('isEnabled', '=', 1)
      .where('nextRun', '<=', at.toISOString())
      .orderBy('nextRun')
      .execute()
    return rows.map(jobs.decode)
  },
}

export const jobItemRows = {
  async insert(queries: Queries, row: JobItemRow): Promise<void> {
    await queries.insertInto('jobItems').values(jobItems.encode(row)).execute()
  },
  async update(queries: Queries, id: string, changes: ChangesOf<typeof jobItems>): Promise<void> {
    await queries.updateTable('jobItems').set(jobItems.encodeChanges(changes)).where('id', '=', id).execute()
  },
  /** In the order they were added. */
  async list(queries: Queries, jobId: string, list: JobItemRow['list']): Promise<readonly JobItemRow[]> {
    const rows = await queries
      .selectFrom('jobItems')
      .selectAll()
      .where('jobId', '=', jobId)
      .where('list', '=', list)
      .orderBy('position')
      .execute()
    return rows.map(jobItems.decode)
  },
  async remove(queries: Queries, id: string): Promise<void> {
    await queries.deleteFrom('jobItems').where('id', '=', id).execute()
  },
  async removeList(queries: Queries, jobId: string, list: JobItemRow['list']): Promise<void> {
    await queries.deleteFrom('jobItems').where('jobId', '=', jobId).where('list', '=', list).execute()
  },
}
