import type { Queries } from '../open-database.ts'
import { encryptionKeys, type EncryptionKeyRow } from '../tables.ts'

export const encryptionKeyRows = {
  async insert(queries: Queries, row: EncryptionKeyRow): Promise<void> {
    await queries.insertInto('encryptionKeys').values(encryptionKeys.encode(row)).execute()
  },
  async remove(queries: Queries, id: string): Promise<boolean> {
    const result = await queries.deleteFrom('encryptionKeys').where('id', '=', id).executeTakeFirst()
    return result.numDeletedRows > 0n
  },
  async find(queries: Queries, id: string): Promise<EncryptionKeyRow | undefined> {
    const row = await queries.selectFrom('encryptionKeys').selectAll().where('id', '=', id).executeTakeFirst()
    return row && encryptionKeys.decode(row)
  },
  /** Oldest first. */
  async list(queries: Queries): Promise<readonly EncryptionKeyRow[]> {
    const rows = await queries
      .selectFrom('encryptionKeys')
      .selectAll()
      .orderBy('createdAt')
      .orderBy('id')
      .execute()
    return rows.map(encryptionKeys.decode)
  },
}
