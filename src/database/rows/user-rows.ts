import type { Queries } from '../open-database.ts'
import { loginFailures, users, type LoginFailureRow, type UserRow } from '../tables.ts'

export const userRows = {
  async insert(queries: Queries, row: UserRow): Promise<void> {
    await queries.insertInto('users').values(users.encode(row)).execute()
  },
  async find(queries: Queries, id: string): Promise<UserRow | undefined> {
    const row = await queries.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst()
    return row && users.decode(row)
  },
  async findByName(queries: Queries, nameKey: string): Promise<UserRow | undefined> {
    const row = await queries
      .selectFrom('users')
      .selectAll()
      .where('nameKey', '=', nameKey)
      .executeTakeFirst()
    return row && users.decode(row)
  },
  async any(queries: Queries): Promise<boolean> {
    return (await queries.selectFrom('users').select('id').limit(1).executeTakeFirst()) !== undefined
  },
  async setPassword(
    queries: Queries,
    id: string,
    passwordHash: string,
    passwordChangedAt: Date,
  ): Promise<void> {
    await queries
      .updateTable('users')
      .set(users.encodeChanges({ passwordHash, passwordChangedAt }))
      .where('id', '=', id)
      .execute()
  },
}

export const loginFailureRows = {
  async find(queries: Queries, accountKey: string): Promise<LoginFailureRow | undefined> {
    const row = await queries
      .selectFrom('loginFailures')
      .selectAll()
      .where('accountKey', '=', accountKey)
      .executeTakeFirst()
    return row && loginFailures.decode(row)
  },
  async put(queries: Queries, row: LoginFailureRow): Promise<void> {
    const { failures, lastFailedAt, lockedUntil } = loginFailures.encode(row)
    await queries
      .insertInto('loginFailures')
      .values(loginFailures.encode(row))
      .onConflict((there) => there.column('accountKey').doUpdateSet({ failures, lastFailedAt, lockedUntil }))
      .execute()
  },
  async remove(queries: Queries, accountKey: string): Promise<void> {
    await queries.deleteFrom('loginFailures').where('accountKey', '=', accountKey).execute()
  },
  /** Forgets what is older than `before`, so that guessed names do not pile up. */
  async removeBefore(queries: Queries, before: Date): Promise<void> {
    await queries.deleteFrom('loginFailures').where('lastFailedAt', '<', before.toISOString()).execute()
  },
}
