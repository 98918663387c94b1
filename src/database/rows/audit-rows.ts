import type { Page, PageRequest } from '../page.ts'
import type { Queries } from '../open-database.ts'
import { audit, type AuditRow } from '../tables.ts'
import { countOf, slice } from './paging.ts'

export const auditRows = {
  async insert(queries: Queries, row: AuditRow): Promise<void> {
    await queries.insertInto('audit').values(audit.encode(row)).execute()
  },
  async putHash(queries: Queries, sequence: number, hash: string): Promise<void> {
    await queries.updateTable('audit').set({ hash }).where('sequence', '=', sequence).execute()
  },
  async last(queries: Queries): Promise<AuditRow | undefined> {
    const row = await queries
      .selectFrom('audit')
      .selectAll()
      .orderBy('sequence', 'desc')
      .limit(1)
      .executeTakeFirst()
    return row && audit.decode(row)
  },
  /** Oldest first. */
  async list(queries: Queries, page: PageRequest = {}): Promise<Page<AuditRow>> {
    const query = queries.selectFrom('audit')
    const rows = await slice(query.selectAll().orderBy('sequence'), page).execute()
    return { items: rows.map(audit.decode), totalCount: await countOf(query) }
  },
  async after(queries: Queries, sequence: number, limit: number): Promise<readonly AuditRow[]> {
    const rows = await queries
      .selectFrom('audit')
      .selectAll()
      .where('sequence', '>', sequence)
      .orderBy('sequence')
      .limit(limit)
      .execute()
    return rows.map(audit.decode)
  },
}
