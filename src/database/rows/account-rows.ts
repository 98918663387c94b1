import type { ChangesOf } from '../codecs.ts'
import type { Queries } from '../open-database.ts'
import { accounts, type AccountRow } from '../tables.ts'

export const accountRows = {
  async insert(queries: Queries, row: AccountRow): Promise<void> {
    await queries.insertInto('accounts').values(accounts.encode(row)).execute()
  },
  async update(queries: Queries, id: string, changes: ChangesOf<typeof accounts>): Promise<void> {
    await queries.updateTable('accounts').set(accounts.encodeChanges(changes)).where('id', '=', id).execute()
  },
  async remove(queries: Queries, id: string): Promise<boolean> {
    const result = await queries.deleteFrom('accounts').where('id', '=', id).executeTakeFirst()
    return result.numDeletedRows > 0n
  },
  async find(queries: Queries, id: string): Promise<AccountRow | undefined> {
    const row = await queries.selectFrom('accounts').selectAll().where('id', '=', id).executeTakeFirst()
    return row && accounts.decode(row)
  },
  /** Oldest first. */
  async list(queries: Queries): Promise<readonly AccountRow[]> {
    const rows = await queries.selectFrom('accounts').selectAll().orderBy('createdAt').orderBy('id').execute()
    return rows.map(accounts.decode)
  },
}
