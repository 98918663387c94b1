import type { ChangesOf } from '../codecs.ts'
import type { Queries } from '../open-database.ts'
import { proxies, type ProxyRow } from '../tables.ts'

export const proxyRows = {
  async insert(queries: Queries, row: ProxyRow): Promise<void> {
    await queries.insertInto('proxies').values(proxies.encode(row)).execute()
  },
  async find(queries: Queries, id: string): Promise<ProxyRow | undefined> {
    const row = await queries.selectFrom('proxies').selectAll().where('id', '=', id).executeTakeFirst()
    return row && proxies.decode(row)
  },
  async update(queries: Queries, id: string, changes: ChangesOf<typeof proxies>): Promise<void> {
    await queries.updateTable('proxies').set(proxies.encodeChanges(changes)).where('id', '=', id).execute()
  },
  /** Oldest first: the built-in one is the first. */
  async list(queries: Queries): Promise<readonly ProxyRow[]> {
    const rows = await queries.selectFrom('proxies').selectAll().orderBy('createdAt').orderBy('id').execute()
    return rows.map(proxies.decode)
  },
}
