import type { Queries } from '../open-database.ts'
import { tokens, type TokenRow } from '../tables.ts'

export const tokenRows = {
  async insert(queries: Queries, row: TokenRow): Promise<void> {
    await queries.insertInto('tokens').values(tokens.encode(row)).execute()
  },
  async findByHash(queries: Queries, tokenHash: string): Promise<TokenRow | undefined> {
    const row = await queries
      .selectFrom('tokens')
      .selectAll()
      .where('tokenHash', '=', tokenHash)
      .executeTakeFirst()
    return row && tokens.decode(row)
  },
  /** True for the caller that uses it first. */
  async use(queries: Queries, id: string, usedAt: Date): Promise<boolean> {
    const result = await queries
      .updateTable('tokens')
      .set(tokens.encodeChanges({ usedAt }))
      .where('id', '=', id)
      .where('usedAt', 'is', null)
      .executeTakeFirst()
    return result.numUpdatedRows > 0n
  },
  async removeFamily(queries: Queries, familyId: string): Promise<void> {
    await queries.deleteFrom('tokens').where('familyId', '=', familyId).execute()
  },
  async removeOfPrincipal(
    queries: Queries,
    principalKind: TokenRow['principalKind'],
    principalId: string,
  ): Promise<void> {
    await queries
      .deleteFrom('tokens')
      .where('principalKind', '=', principalKind)
      .where('principalId', '=', principalId)
      .execute()
  },
  async removeExpired(queries: Queries, at: Date): Promise<void> {
    await queries.deleteFrom('tokens').where('expiresAt', '<', at.toISOString()).execute()
  },
}
