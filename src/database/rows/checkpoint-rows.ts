import type { Json } from '#base'
import type { Queries } from '../open-database.ts'
import { checkpoints } from '../tables.ts'

export const checkpointRows = {
  /** Inserts or replaces. */
  async put(queries: Queries, sessionId: string, key: string, value: Json): Promise<void> {
    const row = checkpoints.encode({ sessionId, key, value })
    await queries
      .insertInto('checkpoints')
      .values(row)
      .onConflict((there) => there.columns(['sessionId', 'key']).doUpdateSet({ value: row.value }))
      .execute()
  },
  async find(queries: Queries, sessionId: string, key: string): Promise<Json | undefined> {
    const row = await queries
      .selectFrom('checkpoints')
      .selectAll()
      .where('sessionId', '=', sessionId)
      .where('key', '=', key)
      .executeTakeFirst()
    return row && checkpoints.decode(row).value
  },
  async list(queries: Queries, sessionId: string): Promise<ReadonlyMap<string, Json>> {
    const rows = await queries
      .selectFrom('checkpoints')
      .selectAll()
      .where('sessionId', '=', sessionId)
      .execute()
    return new Map(rows.map((row) => [row.key, checkpoints.decode(row).value]))
  },
  async remove(queries: Queries, sessionId: string, key: string): Promise<void> {
    await queries
      .deleteFrom('checkpoints')
      .where('sessionId', '=', sessionId)
      .where('key', '=', key)
      .execute()
  },
  async removeAll(queries: Queries, sessionId: string): Promise<void> {
    await queries.deleteFrom('checkpoints').where('sessionId', '=', sessionId).execute()
  },
  /** Of every session: what a prune must keep. */
  async listAll(queries: Queries): Promise<readonly { sessionId: string; key: string; value: Json }[]> {
    const rows = await queries.selectFrom('checkpoints').selectAll().execute()
    return rows.map(checkpoints.decode)
  },
}
