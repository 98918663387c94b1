import type { Page, PageRequest } from '../page.ts'
import type { Queries } from '../open-database.ts'
import { organizations, organizationAccounts, type OrganizationRow } from '../tables.ts'
import type { ChangesOf, RowOf } from '../codecs.ts'
import { countOf, slice } from './paging.ts'

export type OrganizationAccountRow = RowOf<typeof organizationAccounts>

export const organizationRows = {
  /** Throws a duplicate when the tenant is there already. */
  async insert(queries: Queries, row: OrganizationRow): Promise<void> {
    await queries.insertInto('organizations').values(organizations.encode(row)).execute()
  },
  async update(queries: Queries, id: string, changes: ChangesOf<typeof organizations>): Promise<boolean> {
    const result = await queries
      .updateTable('organizations')
      .set(organizations.encodeChanges(changes))
      .where('id', '=', id)
      .executeTakeFirst()
    return result.numUpdatedRows > 0n
  },
  async remove(queries: Queries, id: string): Promise<boolean> {
    await queries.deleteFrom('organizationAccounts').where('organizationId', '=', id).execute()
    const result = await queries.deleteFrom('organizations').where('id', '=', id).executeTakeFirst()
    return result.numDeletedRows > 0n
  },
  async find(queries: Queries, id: string): Promise<OrganizationRow | undefined> {
    const row = await queries.selectFrom('organizations').selectAll().where('id', '=', id).executeTakeFirst()
    return row && organizations.decode(row)
  },
  async findByTenant(queries: Queries, tenantId: string): Promise<OrganizationRow | undefined> {
    const row = await queries
      .selectFrom('organizations')
      .selectAll()
      .where('tenantId', '=', tenantId)
      .executeTakeFirst()
    return row && organizations.decode(row)
  },
  /** By name. */
  async list(
    queries: Queries,
    filter: PageRequest & { readonly id?: string } = {},
  ): Promise<Page<OrganizationRow>> {
    let query = queries.selectFrom('organizations')
    if (filter.id !== undefined) query = query.where('id', '=', filter.id)
    const rows = await slice(query.selectAll().orderBy('name').orderBy('id'), filter).execute()
    return { items: rows.map(organizations.decode), totalCount: await countOf(query) }
  },
  async replaceAccounts(
    queries: Queries,
    organizationId: string,
    accounts: readonly OrganizationAccountRow[],
  ): Promise<void> {
    await queries.deleteFrom('organizationAccounts').where('organizationId', '=', organizationId).execute()
    for (const account of accounts)
      await queries.insertInto('organizationAccounts').values(organizationAccounts.encode(account)).execute()
  },
  async accountsNamed(queries: Queries, accountKey: string): Promise<readonly OrganizationAccountRow[]> {
    const rows = await queries
      .selectFrom('organizationAccounts')
      .selectAll()
      .where('accountKey', '=', accountKey)
      .orderBy('organizationId')
      .orderBy('part')
      .execute()
    return rows.map(organizationAccounts.decode)
  },
}
