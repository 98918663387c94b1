import { sql } from 'kysely'
import type { ChangesOf } from '../codecs.ts'
import type { Page, PageRequest } from '../page.ts'
import type { Queries } from '../open-database.ts'
import { restoreEvents, restoreSessions, type RestoreEventRow, type RestoreSessionRow } from '../tables.ts'
import { countOf, slice } from './paging.ts'

export interface RestoreSessionRowFilter extends PageRequest {
  readonly organizationId?: string
  readonly state?: string
  readonly type?: string
  readonly startedFrom?: Date
  readonly startedTo?: Date
  /** With a bound on the end, only sessions that have ended. */
  readonly endedFrom?: Date
  readonly endedTo?: Date
}

export const restoreSessionRows = {
  async insert(queries: Queries, row: RestoreSessionRow): Promise<void> {
    await queries.insertInto('restoreSessions').values(restoreSessions.encode(row)).execute()
  },
  async update(queries: Queries, id: string, changes: ChangesOf<typeof restoreSessions>): Promise<void> {
    await queries
      .updateTable('restoreSessions')
      .set(restoreSessions.encodeChanges(changes))
      .where('id', '=', id)
      .execute()
  },
  async find(queries: Queries, id: string): Promise<RestoreSessionRow | undefined> {
    const row = await queries
      .selectFrom('restoreSessions')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirst()
    return row && restoreSessions.decode(row)
  },
  /** Newest first. */
  async list(queries: Queries, filter: RestoreSessionRowFilter = {}): Promise<Page<RestoreSessionRow>> {
    let query = queries.selectFrom('restoreSessions')
    for (const name of ['organizationId', 'state', 'type'] as const) {
      const value = filter[name]
      if (value !== undefined) query = query.where(name, '=', value)
    }
    const bounds = [
      ['creationTime', '>=', filter.startedFrom],
      ['creationTime', '<=', filter.startedTo],
      ['endTime', '>=', filter.endedFrom],
      ['endTime', '<=', filter.endedTo],
    ] as const
    for (const [name, comparison, bound] of bounds)
      if (bound !== undefined) query = query.where(name, comparison, bound.toISOString())
    const sorted = query.selectAll().orderBy('creationTime', 'desc').orderBy('id')
    const rows = await slice(sorted, filter).execute()
    return { items: rows.map(restoreSessions.decode), totalCount: await countOf(query) }
  },
}

export const restoreEventRows = {
  /** Numbers the row itself. */
  async insert(queries: Queries, row: Omit<RestoreEventRow, 'sequence'>): Promise<void> {
    const encoded = restoreEvents.encode({ ...row, sequence: 0 })
    const sequence = sql<number>`(select coalesce(max(sequence), 0) + 1 from restore_events)`
    await queries
      .insertInto('restoreEvents')
      .values({ ...encoded, sequence })
      .execute()
  },
  async update(queries: Queries, id: string, changes: ChangesOf<typeof restoreEvents>): Promise<void> {
    await queries
      .updateTable('restoreEvents')
      .set(restoreEvents.encodeChanges(changes))
      .where('id', '=', id)
      .execute()
  },
  async find(queries: Queries, sessionId: string, id: string): Promise<RestoreEventRow | undefined> {
    const row = await queries
      .selectFrom('restoreEvents')
      .selectAll()
      .where('sessionId', '=', sessionId)
      .where('id', '=', id)
      .executeTakeFirst()
    return row && restoreEvents.decode(row)
  },
  /** Oldest first. */
  async list(queries: Queries, sessionId: string, page: PageRequest = {}): Promise<Page<RestoreEventRow>> {
    const query = queries.selectFrom('restoreEvents').where('sessionId', '=', sessionId)
    const rows = await slice(query.selectAll().orderBy('sequence'), page).execute()
    return { items: rows.map(restoreEvents.decode), totalCount: await countOf(query) }
  },
}
