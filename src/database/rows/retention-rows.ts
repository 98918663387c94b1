import type { ChangesOf } from '../codecs.ts'
import type { Queries } from '../open-database.ts'
import type { Page, PageRequest } from '../page.ts'
import {
  clockMarks,
  jobRetentions,
  legalHolds,
  retentionRuns,
  retentionSchedules,
  type ClockMarkRow,
  type JobRetentionRow,
  type LegalHoldRow,
  type RetentionRunRow,
  type RetentionScheduleRow,
} from '../tables.ts'
import { countOf, slice } from './paging.ts'

/** Rules of jobs. A rule outlives its job, as the job's points do. */
export const jobRetentionRows = {
  /** Inserts or replaces. */
  async put(queries: Queries, row: JobRetentionRow): Promise<void> {
    const { jobId: _, ...changes } = jobRetentions.encode(row)
    await queries
      .insertInto('jobRetentions')
      .values(jobRetentions.encode(row))
      .onConflict((there) => there.column('jobId').doUpdateSet(changes))
      .execute()
  },
  async find(queries: Queries, jobId: string): Promise<JobRetentionRow | undefined> {
    const row = await queries
      .selectFrom('jobRetentions')
      .selectAll()
      .where('jobId', '=', jobId)
      .executeTakeFirst()
    return row && jobRetentions.decode(row)
  },
  async list(queries: Queries): Promise<readonly JobRetentionRow[]> {
    const rows = await queries.selectFrom('jobRetentions').selectAll().orderBy('jobId').execute()
    return rows.map(jobRetentions.decode)
  },
  async remove(queries: Queries, jobId: string): Promise<boolean> {
    const result = await queries.deleteFrom('jobRetentions').where('jobId', '=', jobId).executeTakeFirst()
    return result.numDeletedRows > 0n
  },
}

/** When each repository is cleaned up next, and by which settings that was worked out. */
export const retentionScheduleRows = {
  async put(queries: Queries, row: RetentionScheduleRow): Promise<void> {
    const { repositoryId: _, ...changes } = retentionSchedules.encode(row)
    await queries
      .insertInto('retentionSchedules')
      .values(retentionSchedules.encode(row))
      .onConflict((there) => there.column('repositoryId').doUpdateSet(changes))
      .execute()
  },
  async list(queries: Queries): Promise<readonly RetentionScheduleRow[]> {
    const rows = await queries.selectFrom('retentionSchedules').selectAll().execute()
    return rows.map(retentionSchedules.decode)
  },
  async remove(queries: Queries, repositoryId: string): Promise<void> {
    await queries.deleteFrom('retentionSchedules').where('repositoryId', '=', repositoryId).execute()
  },
}

export interface RetentionRunFilter extends PageRequest {
  readonly kind?: string
  readonly repositoryId?: string
  readonly organizationId?: string
  readonly status?: string
}

export const retentionRunRows = {
  async insert(queries: Queries, row: RetentionRunRow): Promise<void> {
    await queries.insertInto('retentionRuns').values(retentionRuns.encode(row)).execute()
  },
  async update(queries: Queries, id: string, changes: ChangesOf<typeof retentionRuns>): Promise<void> {
    await queries
      .updateTable('retentionRuns')
      .set(retentionRuns.encodeChanges(changes))
      .where('id', '=', id)
      .execute()
  },
  async find(queries: Queries, id: string): Promise<RetentionRunRow | undefined> {
    const row = await queries.selectFrom('retentionRuns').selectAll().where('id', '=', id).executeTakeFirst()
    return row && retentionRuns.decode(row)
  },
  /** When the last clean-up of each repository ended. */
  async lastEnds(
    queries: Queries,
  ): Promise<readonly { readonly repositoryId: string; readonly endTime: Date }[]> {
    const rows = await queries
      .selectFrom('retentionRuns')
      .select(({ fn }) => ['repositoryId', fn.max('endTime').as('endTime')])
      .where('repositoryId', 'is not', null)
      .where('endTime', 'is not', null)
      .groupBy('repositoryId')
      .execute()
    return rows.map((row) => ({ repositoryId: row.repositoryId!, endTime: new Date(row.endTime!) }))
  },
  /** Newest first. */
  async list(queries: Queries, filter: RetentionRunFilter = {}): Promise<Page<RetentionRunRow>> {
    let query = queries.selectFrom('retentionRuns')
    for (const name of ['kind', 'repositoryId', 'organizationId', 'status'] as const) {
      const value = filter[name]
      if (value !== undefined) query = query.where(name, '=', value)
    }
    const sorted = query.selectAll().orderBy('creationTime', 'desc').orderBy('id')
    const rows = await slice(sorted, filter).execute()
    return { items: rows.map(retentionRuns.decode), totalCount: await countOf(query) }
  },
}

export interface LegalHoldFilter extends PageRequest {
  readonly organizationId?: string
  /** True: those in force. */
  readonly isActive?: boolean
}

export const legalHoldRows = {
  async insert(queries: Queries, row: LegalHoldRow): Promise<void> {
    await queries.insertInto('legalHolds').values(legalHolds.encode(row)).execute()
  },
  async update(queries: Queries, id: string, changes: ChangesOf<typeof legalHolds>): Promise<void> {
    await queries
      .updateTable('legalHolds')
      .set(legalHolds.encodeChanges(changes))
      .where('id', '=', id)
      .execute()
  },
  async find(queries: Queries, id: string): Promise<LegalHoldRow | undefined> {
    const row = await queries.selectFrom('legalHolds').selectAll().where('id', '=', id).executeTakeFirst()
    return row && legalHolds.decode(row)
  },
  /** Newest first. */
  async list(queries: Queries, filter: LegalHoldFilter = {}): Promise<Page<LegalHoldRow>> {
    let query = queries.selectFrom('legalHolds')
    if (filter.organizationId !== undefined) query = query.where('organizationId', '=', filter.organizationId)
    if (filter.isActive !== undefined)
      query = query.where('releasedAt', filter.isActive ? 'is' : 'is not', null)
    const sorted = query.selectAll().orderBy('setAt', 'desc').orderBy('id')
    const rows = await slice(sorted, filter).execute()
    return { items: rows.map(legalHolds.decode), totalCount: await countOf(query) }
  },
}

/** What the clock showed last. */
export const clockMarkRows = {
  async put(queries: Queries, row: ClockMarkRow): Promise<void> {
    const { id: _, ...changes } = clockMarks.encode(row)
    await queries
      .insertInto('clockMarks')
      .values(clockMarks.encode(row))
      .onConflict((there) => there.column('id').doUpdateSet(changes))
      .execute()
  },
  async find(queries: Queries, id: string): Promise<ClockMarkRow | undefined> {
    const row = await queries.selectFrom('clockMarks').selectAll().where('id', '=', id).executeTakeFirst()
    return row && clockMarks.decode(row)
  },
}
