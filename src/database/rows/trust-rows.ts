import type { ChangesOf } from '../codecs.ts'
import type { Queries } from '../open-database.ts'
import type { Page, PageRequest } from '../page.ts'
import {
  damagedItems,
  objectsToRead,
  trustLines,
  trustRuns,
  trustSchedules,
  type DamagedItemRow,
  type ObjectToReadRow,
  type TrustRunRow,
  type TrustScheduleRow,
} from '../tables.ts'
import { countOf, slice } from './paging.ts'

export interface TrustRunFilter extends PageRequest {
  readonly kind?: TrustRunRow['kind']
  readonly repositoryId?: string
}

export const trustRunRows = {
  async insert(queries: Queries, row: TrustRunRow): Promise<void> {
    await queries.insertInto('trustRuns').values(trustRuns.encode(row)).execute()
  },
  async update(queries: Queries, id: string, changes: ChangesOf<typeof trustRuns>): Promise<void> {
    await queries
      .updateTable('trustRuns')
      .set(trustRuns.encodeChanges(changes))
      .where('id', '=', id)
      .execute()
  },
  async find(queries: Queries, id: string): Promise<TrustRunRow | undefined> {
    const row = await queries.selectFrom('trustRuns').selectAll().where('id', '=', id).executeTakeFirst()
    return row && trustRuns.decode(row)
  },
  /** Newest first. */
  async list(queries: Queries, filter: TrustRunFilter = {}): Promise<Page<TrustRunRow>> {
    let query = queries.selectFrom('trustRuns')
    for (const name of ['kind', 'repositoryId'] as const) {
      const value = filter[name]
      if (value !== undefined) query = query.where(name, '=', value)
    }
    const sorted = query.selectAll().orderBy('creationTime', 'desc').orderBy('id')
    const rows = await slice(sorted, filter).execute()
    return { items: rows.map(trustRuns.decode), totalCount: await countOf(query) }
  },
}

/** What a run tells, line by line, in the order it was told. */
export const trustLineRows = {
  async add(queries: Queries, runId: string, line: object): Promise<void> {
    const { last } = await queries
      .selectFrom('trustLines')
      .select(({ fn }) => fn.max('position').as('last'))
      .where('runId', '=', runId)
      .executeTakeFirstOrThrow()
    const position = Number(last ?? 0) + 1
    await queries.insertInto('trustLines').values(trustLines.encode({ runId, position, line })).execute()
  },
  async list(queries: Queries, runId: string, page: PageRequest = {}): Promise<Page<object>> {
    const query = queries.selectFrom('trustLines').where('runId', '=', runId)
    const rows = await slice(query.selectAll().orderBy('position'), page).execute()
    return { items: rows.map((row) => trustLines.decode(row).line), totalCount: await countOf(query) }
  },
}

export const trustScheduleRows = {
  /** Inserts or replaces. */
  async put(queries: Queries, row: TrustScheduleRow): Promise<void> {
    const { repositoryId: _, ...changes } = trustSchedules.encode(row)
    await queries
      .insertInto('trustSchedules')
      .values(trustSchedules.encode(row))
      .onConflict((there) => there.column('repositoryId').doUpdateSet(changes))
      .execute()
  },
  async update(
    queries: Queries,
    repositoryId: string,
    changes: ChangesOf<typeof trustSchedules>,
  ): Promise<void> {
    await queries
      .updateTable('trustSchedules')
      .set(trustSchedules.encodeChanges(changes))
      .where('repositoryId', '=', repositoryId)
      .execute()
  },
  async find(queries: Queries, repositoryId: string): Promise<TrustScheduleRow | undefined> {
    const row = await queries
      .selectFrom('trustSchedules')
      .selectAll()
      .where('repositoryId', '=', repositoryId)
      .executeTakeFirst()
    return row && trustSchedules.decode(row)
  },
}

export interface DamagedItemFilter extends PageRequest {
  readonly repositoryId: string
  readonly organizationId?: string
  readonly shard?: number
  readonly status?: readonly DamagedItemRow['status'][]
}

export const damagedItemRows = {
  async insert(queries: Queries, row: DamagedItemRow): Promise<void> {
    await queries.insertInto('damagedItems').values(damagedItems.encode(row)).execute()
  },
  async update(queries: Queries, id: string, changes: ChangesOf<typeof damagedItems>): Promise<void> {
    await queries
      .updateTable('damagedItems')
      .set(damagedItems.encodeChanges(changes))
      .where('id', '=', id)
      .execute()
  },
  /** Those found last first. */
  async list(queries: Queries, filter: DamagedItemFilter): Promise<Page<DamagedItemRow>> {
    let query = queries.selectFrom('damagedItems').where('repositoryId', '=', filter.repositoryId)
    if (filter.organizationId !== undefined) query = query.where('organizationId', '=', filter.organizationId)
    if (filter.shard !== undefined) query = query.where('shard', '=', filter.shard)
    if (filter.status !== undefined) query = query.where('status', 'in', [...filter.status])
    const sorted = query.selectAll().orderBy('foundAt', 'desc').orderBy('path').orderBy('id')
    const rows = await slice(sorted, filter).execute()
    return { items: rows.map(damagedItems.decode), totalCount: await countOf(query) }
  },
}

/** Objects that the next run reads in full, because something of theirs is not stored any more. */
export const objectToReadRows = {
  async put(queries: Queries, row: ObjectToReadRow): Promise<void> {
    await queries
      .insertInto('objectsToRead')
      .values(objectsToRead.encode(row))
      .onConflict((there) => there.columns(['repositoryId', 'organizationId', 'objectKey']).doNothing())
      .execute()
  },
  async list(queries: Queries, repositoryId: string, organizationId: string): Promise<readonly string[]> {
    const rows = await queries
      .selectFrom('objectsToRead')
      .select('objectKey')
      .where('repositoryId', '=', repositoryId)
      .where('organizationId', '=', organizationId)
      .execute()
    return rows.map(({ objectKey }) => objectKey)
  },
  async remove(
    queries: Queries,
    repositoryId: string,
    organizationId: string,
    objectKey: string,
  ): Promise<void> {
    await queries
      .deleteFrom('objectsToRead')
      .where('repositoryId', '=', repositoryId)
      .where('organizationId', '=', organizationId)
      .where('objectKey', '=', objectKey)
      .execute()
  },
}
