import type { ChangesOf } from '../codecs.ts'
import type { Queries } from '../open-database.ts'
import type { Page, PageRequest } from '../page.ts'
import {
  organizationFolders,
  reencryptions,
  type OrganizationFolderRow,
  type ReencryptionRow,
} from '../tables.ts'
import { countOf, slice } from './paging.ts'

export const reencryptionRows = {
  async insert(queries: Queries, row: ReencryptionRow): Promise<void> {
    await queries.insertInto('reencryptions').values(reencryptions.encode(row)).execute()
  },
  async update(queries: Queries, id: string, changes: ChangesOf<typeof reencryptions>): Promise<void> {
    await queries
      .updateTable('reencryptions')
      .set(reencryptions.encodeChanges(changes))
      .where('id', '=', id)
      .execute()
  },
  async find(queries: Queries, id: string): Promise<ReencryptionRow | undefined> {
    const row = await queries.selectFrom('reencryptions').selectAll().where('id', '=', id).executeTakeFirst()
    return row && reencryptions.decode(row)
  },
  /** Newest first. */
  async list(
    queries: Queries,
    filter: PageRequest & { readonly repositoryId?: string } = {},
  ): Promise<Page<ReencryptionRow>> {
    let query = queries.selectFrom('reencryptions')
    if (filter.repositoryId !== undefined) query = query.where('repositoryId', '=', filter.repositoryId)
    const sorted = query.selectAll().orderBy('creationTime', 'desc').orderBy('id')
    const rows = await slice(sorted, filter).execute()
    return { items: rows.map(reencryptions.decode), totalCount: await countOf(query) }
  },
}

export const organizationFolderRows = {
  async insert(queries: Queries, row: OrganizationFolderRow): Promise<void> {
    await queries.insertInto('organizationFolders').values(organizationFolders.encode(row)).execute()
  },
  async update(
    queries: Queries,
    { repositoryId, folder }: Pick<OrganizationFolderRow, 'repositoryId' | 'folder'>,
    changes: ChangesOf<typeof organizationFolders>,
  ): Promise<void> {
    await queries
      .updateTable('organizationFolders')
      .set(organizationFolders.encodeChanges(changes))
      .where('repositoryId', '=', repositoryId)
      .where('folder', '=', folder)
      .execute()
  },
  async remove(
    queries: Queries,
    { repositoryId, folder }: Pick<OrganizationFolderRow, 'repositoryId' | 'folder'>,
  ): Promise<void> {
    await queries
      .deleteFrom('organizationFolders')
      .where('repositoryId', '=', repositoryId)
      .where('folder', '=', folder)
      .execute()
  },
  /** Oldest first. */
  async list(
    queries: Queries,
    filter: {
      readonly repositoryId: string
      readonly organizationId?: string
      readonly state?: OrganizationFolderRow['state']
    },
  ): Promise<readonly OrganizationFolderRow[]> {
    let query = queries
      .selectFrom('organizationFolders')
      .selectAll()
      .where('repositoryId', '=', filter.repositoryId)
    if (filter.organizationId !== undefined) query = query.where('organizationId', '=', filter.organizationId)
    if (filter.state !== undefined) query = query.where('state', '=', filter.state)
    const rows = await query.orderBy('since').orderBy('folder').execute()
    return rows.map(organizationFolders.decode)
  },
}
