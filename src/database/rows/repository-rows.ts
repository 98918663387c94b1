import type { ChangesOf } from '../codecs.ts'
import type { Page, PageRequest } from '../page.ts'
import type { Queries } from '../open-database.ts'
import {
  repositories,
  repositoryOrganizations,
  type RepositoryOrganizationRow,
  type RepositoryRow,
} from '../tables.ts'
import { countOf, slice } from './paging.ts'

export const repositoryRows = {
  /** Throws a duplicate for a name or path in use. */
  async insert(queries: Queries, row: RepositoryRow): Promise<void> {
    await queries.insertInto('repositories').values(repositories.encode(row)).execute()
  },
  async update(queries: Queries, id: string, changes: ChangesOf<typeof repositories>): Promise<void> {
    await queries
      .updateTable('repositories')
      .set(repositories.encodeChanges(changes))
      .where('id', '=', id)
      .execute()
  },
  /** The organizations' entries stay, as the data does: the folder may be added again. */
  async remove(queries: Queries, id: string): Promise<boolean> {
    const result = await queries.deleteFrom('repositories').where('id', '=', id).executeTakeFirst()
    return result.numDeletedRows > 0n
  },
  async find(queries: Queries, id: string): Promise<RepositoryRow | undefined> {
    const row = await queries.selectFrom('repositories').selectAll().where('id', '=', id).executeTakeFirst()
    return row && repositories.decode(row)
  },
  async findByName(queries: Queries, nameKey: string): Promise<RepositoryRow | undefined> {
    const row = await queries
      .selectFrom('repositories')
      .selectAll()
      .where('nameKey', '=', nameKey)
      .executeTakeFirst()
    return row && repositories.decode(row)
  },
  async findByObjectStorage(queries: Queries, objectStorageId: string): Promise<RepositoryRow | undefined> {
    const row = await queries
      .selectFrom('repositories')
      .selectAll()
      .where('objectStorageId', '=', objectStorageId)
      .executeTakeFirst()
    return row && repositories.decode(row)
  },
  /** By name. With `organizationId` those that hold its data. */
  async list(
    queries: Queries,
    filter: PageRequest & { readonly organizationId?: string } = {},
  ): Promise<Page<RepositoryRow>> {
    let query = queries.selectFrom('repositories')
    const { organizationId } = filter
    if (organizationId !== undefined)
      query = query.where('id', 'in', (inner) =>
        inner
          .selectFrom('repositoryOrganizations')
          .select('repositoryId')
          .where('organizationId', '=', organizationId),
      )
    const rows = await slice(query.selectAll().orderBy('nameKey'), filter).execute()
    return { items: rows.map(repositories.decode), totalCount: await countOf(query) }
  },
}

export const repositoryOrganizationRows = {
  async insert(queries: Queries, row: RepositoryOrganizationRow): Promise<void> {
    await queries.insertInto('repositoryOrganizations').values(repositoryOrganizations.encode(row)).execute()
  },
  async find(
    queries: Queries,
    repositoryId: string,
    organizationId: string,
  ): Promise<RepositoryOrganizationRow | undefined> {
    const row = await queries
      .selectFrom('repositoryOrganizations')
      .selectAll()
      .where('repositoryId', '=', repositoryId)
      .where('organizationId', '=', organizationId)
      .executeTakeFirst()
    return row && repositoryOrganizations.decode(row)
  },
  async update(
    queries: Queries,
    repositoryId: string,
    organizationId: string,
    changes: ChangesOf<typeof repositoryOrganizations>,
  ): Promise<void> {
    await queries
      .updateTable('repositoryOrganizations')
      .set(repositoryOrganizations.encodeChanges(changes))
      .where('repositoryId', '=', repositoryId)
      .where('organizationId', '=', organizationId)
      .execute()
  },
  async list(
    queries: Queries,
    filter: { readonly repositoryId?: string; readonly organizationId?: string },
  ): Promise<readonly RepositoryOrganizationRow[]> {
    let query = queries.selectFrom('repositoryOrganizations').selectAll()
    if (filter.repositoryId !== undefined) query = query.where('repositoryId', '=', filter.repositoryId)
    if (filter.organizationId !== undefined) query = query.where('organizationId', '=', filter.organizationId)
    const rows = await query.orderBy('organizationName').orderBy('repositoryId').execute()
    return rows.map(repositoryOrganizations.decode)
  },
}
