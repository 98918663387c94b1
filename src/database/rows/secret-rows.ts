import type { Queries } from '../open-database.ts'
import { secrets, type SecretRow } from '../tables.ts'

export type SecretPlace = Pick<SecretRow, 'tableName' | 'rowId' | 'field'>

export const secretRows = {
  /** Inserts or replaces. */
  async put(queries: Queries, row: SecretRow): Promise<void> {
    const { envelope, updatedAt } = secrets.encode(row)
    await queries
      .insertInto('secrets')
      .values(secrets.encode(row))
      .onConflict((there) =>
        there.columns(['tableName', 'rowId', 'field']).doUpdateSet({ envelope, updatedAt }),
      )
      .execute()
  },
  async find(queries: Queries, place: SecretPlace): Promise<SecretRow | undefined> {
    const row = await queries
      .selectFrom('secrets')
      .selectAll()
      .where('tableName', '=', place.tableName)
      .where('rowId', '=', place.rowId)
      .where('field', '=', place.field)
      .executeTakeFirst()
    return row && secrets.decode(row)
  },
  async remove(queries: Queries, place: SecretPlace): Promise<void> {
    await queries
      .deleteFrom('secrets')
      .where('tableName', '=', place.tableName)
      .where('rowId', '=', place.rowId)
      .where('field', '=', place.field)
      .execute()
  },
  async removeOfRow(queries: Queries, tableName: string, rowId: string): Promise<void> {
    await queries
      .deleteFrom('secrets')
      .where('tableName', '=', tableName)
      .where('rowId', '=', rowId)
      .execute()
  },
  async list(queries: Queries): Promise<readonly SecretRow[]> {
    const rows = await queries.selectFrom('secrets').selectAll().execute()
    return rows.map(secrets.decode)
  },
  async any(queries: Queries): Promise<boolean> {
    return (await queries.selectFrom('secrets').select('rowId').limit(1).executeTakeFirst()) !== undefined
  },
}
