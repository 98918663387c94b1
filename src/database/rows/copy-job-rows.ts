import type { ChangesOf } from '../codecs.ts'
import type { Page, PageRequest } from '../page.ts'
import type { Queries } from '../open-database.ts'
import { copyJobs, type CopyJobRow } from '../tables.ts'
import { countOf, slice } from './paging.ts'

export interface CopyJobRowFilter extends PageRequest {
  readonly organizationId?: string
  readonly repositoryId?: string
}

export const copyJobRows = {
  /** Throws a duplicate for a backup job that has one already. */
  async insert(queries: Queries, row: CopyJobRow): Promise<void> {
    await queries.insertInto('copyJobs').values(copyJobs.encode(row)).execute()
  },
  /** What the job itself remembers: the eTag stays. */
  async keep(queries: Queries, id: string, changes: ChangesOf<typeof copyJobs>): Promise<void> {
    await queries.updateTable('copyJobs').set(copyJobs.encodeChanges(changes)).where('id', '=', id).execute()
  },
  /** Raises the eTag. */
  async update(queries: Queries, id: string, changes: ChangesOf<typeof copyJobs>): Promise<void> {
    await queries
      .updateTable('copyJobs')
      .set(copyJobs.encodeChanges(changes))
      .set((column) => ({ eTag: column('eTag', '+', 1) }))
      .where('id', '=', id)
      .execute()
  },
  async remove(queries: Queries, id: string): Promise<void> {
    await queries.deleteFrom('copyJobs').where('id', '=', id).execute()
  },
  async find(queries: Queries, id: string): Promise<CopyJobRow | undefined> {
    const row = await queries.selectFrom('copyJobs').selectAll().where('id', '=', id).executeTakeFirst()
    return row && copyJobs.decode(row)
  },
  async findByBackupJob(queries: Queries, backupJobId: string): Promise<CopyJobRow | undefined> {
    const row = await queries
      .selectFrom('copyJobs')
      .selectAll()
      .where('backupJobId', '=', backupJobId)
      .executeTakeFirst()
    return row && copyJobs.decode(row)
  },
  /** By name. */
  async list(queries: Queries, filter: CopyJobRowFilter = {}): Promise<Page<CopyJobRow>> {
    let query = queries.selectFrom('copyJobs')
    for (const name of ['organizationId', 'repositoryId'] as const) {
      const value = filter[name]
      if (value !== undefined) query = query.where(name, '=', value)
    }
    const rows = await slice(query.selectAll().orderBy('name').orderBy('id'), filter).execute()
    return { items: rows.map(copyJobs.decode), totalCount: await countOf(query) }
  },
  async enabled(queries: Queries): Promise<readonly CopyJobRow[]> {
    const rows = await queries
      .selectFrom('copyJobs')
      .selectAll()
      .where('isEnabled', '=', 1)
      .orderBy('id')
      .execute()
    return rows.map(copyJobs.decode)
  },
}
