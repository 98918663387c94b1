import type { ChangesOf } from '../codecs.ts'
import type { Queries } from '../open-database.ts'
import { objectStorages, type ObjectStorageRow } from '../tables.ts'

export const objectStorageRows = {
  async insert(queries: Queries, row: ObjectStorageRow): Promise<void> {
    await queries.insertInto('objectStorages').values(objectStorages.encode(row)).execute()
  },
  async update(queries: Queries, id: string, changes: ChangesOf<typeof objectStorages>): Promise<void> {
    await queries
      .updateTable('objectStorages')
      .set(objectStorages.encodeChanges(changes))
      .where('id', '=', id)
      .execute()
  },
  async remove(queries: Queries, id: string): Promise<boolean> {
    const result = await queries.deleteFrom('objectStorages').where('id', '=', id).executeTakeFirst()
    return result.numDeletedRows > 0n
  },
  async find(queries: Queries, id: string): Promise<ObjectStorageRow | undefined> {
    const row = await queries.selectFrom('objectStorages').selectAll().where('id', '=', id).executeTakeFirst()
    return row && objectStorages.decode(row)
  },
  async findByPlace(queries: Queries, placeKey: string): Promise<ObjectStorageRow | undefined> {
    const row = await queries
      .selectFrom('objectStorages')
      .selectAll()
      .where('placeKey', '=', placeKey)
      .executeTakeFirst()
    return row && objectStorages.decode(row)
  },
  /** By name. */
  async list(
    queries: Queries,
    filter: { readonly accountId?: string } = {},
  ): Promise<readonly ObjectStorageRow[]> {
    let query = queries.selectFrom('objectStorages').selectAll()
    if (filter.accountId !== undefined) query = query.where('accountId', '=', filter.accountId)
    const rows = await query.orderBy('name').orderBy('id').execute()
    return rows.map(objectStorages.decode)
  },
}
