import { sql } from 'kysely'
import type { ChangesOf } from '../codecs.ts'
import type { Page, PageRequest } from '../page.ts'
import type { Queries } from '../open-database.ts'
import { logItems, type LogRow } from '../tables.ts'
import { countOf, slice } from './paging.ts'

export const logRows = {
  /** Numbers the row itself. */
  async insert(queries: Queries, row: Omit<LogRow, 'usn'>): Promise<void> {
    const encoded = logItems.encode({ ...row, usn: 0 })
    const usn = sql<number>`(select coalesce(max(usn), 0) + 1 from log_items)`
    await queries
      .insertInto('logItems')
      .values({ ...encoded, usn })
      .execute()
  },
  /** The row of an item's key in a session. False when there is none. */
  async updateByKey(
    queries: Queries,
    sessionId: string,
    itemKey: string,
    changes: ChangesOf<typeof logItems>,
  ): Promise<boolean> {
    const result = await queries
      .updateTable('logItems')
      .set(logItems.encodeChanges(changes))
      .where('sessionId', '=', sessionId)
      .where('itemKey', '=', itemKey)
      .executeTakeFirst()
    return result.numUpdatedRows > 0n
  },
  /** Ends the rows of a session that are still open. */
  async endOpen(queries: Queries, sessionId: string, type: string, endTime: Date): Promise<void> {
    await queries
      .updateTable('logItems')
      .set(logItems.encodeChanges({ type, endTime }))
      .where('sessionId', '=', sessionId)
      .where('endTime', 'is', null)
      .execute()
  },
  async find(queries: Queries, sessionId: string, id: string): Promise<LogRow | undefined> {
    const row = await queries
      .selectFrom('logItems')
      .selectAll()
      .where('sessionId', '=', sessionId)
      .where('id', '=', id)
      .executeTakeFirst()
    return row && logItems.decode(row)
  },
  /** Oldest first. */
  async list(queries: Queries, sessionId: string, page: PageRequest = {}): Promise<Page<LogRow>> {
    const query = queries.selectFrom('logItems').where('sessionId', '=', sessionId)
    const rows = await slice(query.selectAll().orderBy('usn'), page).execute()
    return { items: rows.map(logItems.decode), totalCount: await countOf(query) }
  },
}
