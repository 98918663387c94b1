import { sql } from 'kysely'
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
  type Tables,
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

type Surveyed = 'spaceObjects' | 'spacePoints'

/** A table of what was found of an organization in a repository. */
const surveyedRows = <Row extends SpaceObjectRow | SpacePointRow>(
  name: Surveyed,
  table: { encode(row: Row): Tables[Surveyed]; decode(stored: never): Row },
  [first, second]: readonly [string, string],
) => ({
  /** Instead of all that were there of the organization. */
  async replace(queries: Queries, place: Required<SpacePlace>, rows: readonly Row[]): Promise<void> {
    await queries
      .deleteFrom(name)
      .where('repositoryId', '=', place.repositoryId)
      .where('organizationId', '=', place.organizationId ?? '')
      .execute()
    for (let at = 0; at < rows.length; at += ROWS_AT_ONCE)
      await queries
        .insertInto(name)
        .values(rows.slice(at, at + ROWS_AT_ONCE).map(table.encode))
        .execute()
  },
  /** Those of most bytes, or the newest, first. */
  async list(queries: Queries, filter: SpacePlace & PageRequest): Promise<Page<Row>> {
    let query = queries.selectFrom(name).where('repositoryId', '=', filter.repositoryId)
    if (filter.organizationId !== undefined) query = query.where('organizationId', '=', filter.organizationId)
    const sorted = query.selectAll().orderBy(sql.ref(first), 'desc').orderBy(sql.ref(second))
    const rows = await slice(sorted, filter).execute()
    return { items: rows.map((row) => table.decode(row as never)), totalCount: await countOf(query) }
  },
})

/** What each mailbox and drive takes up; those first that would give back most. */
export const spaceObjectRows = surveyedRows('spaceObjects', spaceObjects, ['exclusiveBytes', 'objectKey'])

/** What each restore point added, newest first. */
export const spacePointRows = surveyedRows('spacePoints', spacePoints, ['time', 'sessionId'])

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
