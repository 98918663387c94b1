import type { Queries } from '../open-database.ts'
import type { Page, PageRequest } from '../page.ts'
import {
  pruneGraces,
  spaceHistory,
  spaceObjects,
  spacePoints,
  spaceSurveys,
  type SpaceHistoryRow,
  type SpaceObjectRow,
  type SpacePointRow,
  type SpaceSurveyRow,
} from '../tables.ts'
import { countOf, slice } from './paging.ts'

/** SQLite takes so many values in one statement. */
const ROWS_AT_ONCE = 500

export interface SpacePlace {
  readonly repositoryId: string
  readonly organizationId?: string | undefined
}

/** What was found out of an organization in a repository, and when. */
export const spaceSurveyRows = {
  /** Inserts or replaces. */
  async put(queries: Queries, row: SpaceSurveyRow): Promise<void> {
    const { repositoryId: _, organizationId: __, ...changes } = spaceSurveys.encode(row)
    await queries
      .insertInto('spaceSurveys')
      .values(spaceSurveys.encode(row))
      .onConflict((there) => there.columns(['repositoryId', 'organizationId']).doUpdateSet(changes))
      .execute()
  },
  async list(queries: Queries, { repositoryId, organizationId }: Partial<SpacePlace> = {}) {
    let query = queries.selectFrom('spaceSurveys').selectAll()
    if (repositoryId !== undefined) query = query.where('repositoryId', '=', repositoryId)
    if (organizationId !== undefined) query = query.where('organizationId', '=', organizationId)
    return (await query.execute()).map(spaceSurveys.decode)
  },
}

/** What each mailbox and drive takes up. */
export const spaceObjectRows = {
  /** Instead of all that were there of the organization. */
  async replace(
    queries: Queries,
    place: Required<SpacePlace>,
    rows: readonly SpaceObjectRow[],
  ): Promise<void> {
    await queries
      .deleteFrom('spaceObjects')
      .where('repositoryId', '=', place.repositoryId)
      .where('organizationId', '=', place.organizationId ?? '')
      .execute()
    for (let at = 0; at < rows.length; at += ROWS_AT_ONCE)
      await queries
        .insertInto('spaceObjects')
        .values(rows.slice(at, at + ROWS_AT_ONCE).map(spaceObjects.encode))
        .execute()
  },
  /** Those first that would give back most. */
  async list(queries: Queries, filter: SpacePlace & PageRequest): Promise<Page<SpaceObjectRow>> {
    let query = queries.selectFrom('spaceObjects').where('repositoryId', '=', filter.repositoryId)
    if (filter.organizationId !== undefined) query = query.where('organizationId', '=', filter.organizationId)
    const sorted = query.selectAll().orderBy('exclusiveBytes', 'desc').orderBy('objectKey')
    const rows = await slice(sorted, filter).execute()
    return { items: rows.map(spaceObjects.decode), totalCount: await countOf(query) }
  },
}

/** What each restore point added. */
export const spacePointRows = {
  /** Instead of all that were there of the organization. */
  async replace(
    queries: Queries,
    place: Required<SpacePlace>,
    rows: readonly SpacePointRow[],
  ): Promise<void> {
    await queries
      .deleteFrom('spacePoints')
      .where('repositoryId', '=', place.repositoryId)
      .where('organizationId', '=', place.organizationId ?? '')
      .execute()
    for (let at = 0; at < rows.length; at += ROWS_AT_ONCE)
      await queries
        .insertInto('spacePoints')
        .values(rows.slice(at, at + ROWS_AT_ONCE).map(spacePoints.encode))
        .execute()
  },
  /** Newest first. */
  async list(queries: Queries, filter: SpacePlace & PageRequest): Promise<Page<SpacePointRow>> {
    let query = queries.selectFrom('spacePoints').where('repositoryId', '=', filter.repositoryId)
    if (filter.organizationId !== undefined) query = query.where('organizationId', '=', filter.organizationId)
    const sorted = query.selectAll().orderBy('time', 'desc').orderBy('sessionId')
    const rows = await slice(sorted, filter).execute()
    return { items: rows.map(spacePoints.decode), totalCount: await countOf(query) }
  },
}

/** One row a day; `organizationId` is empty for the repository as a whole. */
export const spaceHistoryRows = {
  /** The last word of a day counts. */
  async put(queries: Queries, row: SpaceHistoryRow): Promise<void> {
    const { repositoryId: _, organizationId: __, day: ___, ...changes } = spaceHistory.encode(row)
    await queries
      .insertInto('spaceHistory')
      .values(spaceHistory.encode(row))
      .onConflict((there) => there.columns(['repositoryId', 'organizationId', 'day']).doUpdateSet(changes))
      .execute()
  },
  /** Oldest first. */
  async list(
    queries: Queries,
    filter: { readonly repositoryId: string; readonly organizationId: string; readonly since?: string },
  ): Promise<readonly SpaceHistoryRow[]> {
    let query = queries
      .selectFrom('spaceHistory')
      .selectAll()
      .where('repositoryId', '=', filter.repositoryId)
      .where('organizationId', '=', filter.organizationId)
    if (filter.since !== undefined) query = query.where('day', '>=', filter.since)
    return (await query.orderBy('day').execute()).map(spaceHistory.decode)
  },
  async removeBefore(queries: Queries, day: string): Promise<void> {
    await queries.deleteFrom('spaceHistory').where('day', '<', day).execute()
  },
}

/** How long packs that nothing needs stay, where a repository has its own time. */
export const pruneGraceRows = {
  async put(queries: Queries, repositoryId: string, graceMs: number): Promise<void> {
    await queries
      .insertInto('pruneGraces')
      .values(pruneGraces.encode({ repositoryId, graceMs }))
      .onConflict((there) => there.column('repositoryId').doUpdateSet({ graceMs }))
      .execute()
  },
  async find(queries: Queries, repositoryId: string): Promise<number | undefined> {
    const row = await queries
      .selectFrom('pruneGraces')
      .selectAll()
      .where('repositoryId', '=', repositoryId)
      .executeTakeFirst()
    return row && pruneGraces.decode(row).graceMs
  },
  async remove(queries: Queries, repositoryId: string): Promise<void> {
    await queries.deleteFrom('pruneGraces').where('repositoryId', '=', repositoryId).execute()
  },
}
