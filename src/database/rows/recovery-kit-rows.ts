import type { Queries } from '../open-database.ts'
import { recoveryKits, type RecoveryKitRow } from '../tables.ts'

export const recoveryKitRows = {
  /** Inserts or replaces. */
  async put(queries: Queries, row: RecoveryKitRow): Promise<void> {
    const { id: _, ...changes } = recoveryKits.encode(row)
    await queries
      .insertInto('recoveryKits')
      .values(recoveryKits.encode(row))
      .onConflict((there) => there.column('id').doUpdateSet(changes))
      .execute()
  },
  async find(queries: Queries, id: string): Promise<RecoveryKitRow | undefined> {
    const row = await queries.selectFrom('recoveryKits').selectAll().where('id', '=', id).executeTakeFirst()
    return row && recoveryKits.decode(row)
  },
}
