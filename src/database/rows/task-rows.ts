import type { Queries } from '../open-database.ts'
import { tasks, type TaskRow } from '../tables.ts'

const lapsed = (queries: Queries, kind: string, at: string) =>
  queries
    .selectFrom('tasks')
    .where('kind', '=', kind)
    .where('runAt', '<=', at)
    .where(({ eb, or }) => or([eb('leaseUntil', 'is', null), eb('leaseUntil', '<', at)]))

export const taskRows = {
  /** Throws a duplicate when a task of this kind and key is there. */
  async insert(queries: Queries, row: TaskRow): Promise<void> {
    await queries.insertInto('tasks').values(tasks.encode(row)).execute()
  },
  /** Takes the task that waits longest and gives it to `owner` until `until`. Call it in a transaction. */
  async lease(
    queries: Queries,
    options: { readonly kind: string; readonly owner: string; readonly at: Date; readonly until: Date },
  ): Promise<TaskRow | undefined> {
    const next = await lapsed(queries, options.kind, options.at.toISOString())
      .selectAll()
      .orderBy('runAt')
      .orderBy('createdAt')
      .orderBy('id')
      .limit(1)
      .executeTakeFirst()
    if (next === undefined) return undefined
    const row = tasks.decode(next)
    const taken = { attempts: row.attempts + 1, leaseOwner: options.owner, leaseUntil: options.until }
    await queries.updateTable('tasks').set(tasks.encodeChanges(taken)).where('id', '=', row.id).execute()
    return { ...row, ...taken }
  },
  /** False when the lease is another's by now. */
  async extend(queries: Queries, id: string, owner: string, leaseUntil: Date): Promise<boolean> {
    const result = await queries
      .updateTable('tasks')
      .set(tasks.encodeChanges({ leaseUntil }))
      .where('id', '=', id)
      .where('leaseOwner', '=', owner)
      .executeTakeFirst()
    return result.numUpdatedRows > 0n
  },
  /** Gives a task back, to be leased again from `runAt` on; this attempt does not count. */
  async release(queries: Queries, id: string, owner: string, runAt: Date): Promise<void> {
    await queries
      .updateTable('tasks')
      .set(tasks.encodeChanges({ leaseOwner: undefined, leaseUntil: undefined, runAt }))
      .set((column) => ({ attempts: column('attempts', '-', 1) }))
      .where('id', '=', id)
      .where('leaseOwner', '=', owner)
      .execute()
  },
  /** Frees all leases that others than `owner` hold: for a start where nobody else can be alive. */
  async releaseOthers(queries: Queries, owner: string): Promise<void> {
    await queries
      .updateTable('tasks')
      .set(tasks.encodeChanges({ leaseOwner: undefined, leaseUntil: undefined }))
      .where('leaseOwner', '!=', owner)
      .execute()
  },
  async requestStop(queries: Queries, kind: string, key: string): Promise<boolean> {
    const result = await queries
      .updateTable('tasks')
      .set(tasks.encodeChanges({ stopRequested: true }))
      .where('kind', '=', kind)
      .where('key', '=', key)
      .executeTakeFirst()
    return result.numUpdatedRows > 0n
  },
  async find(queries: Queries, id: string): Promise<TaskRow | undefined> {
    const row = await queries.selectFrom('tasks').selectAll().where('id', '=', id).executeTakeFirst()
    return row && tasks.decode(row)
  },
  async findByKey(queries: Queries, kind: string, key: string): Promise<TaskRow | undefined> {
    const row = await queries
      .selectFrom('tasks')
      .selectAll()
      .where('kind', '=', kind)
      .where('key', '=', key)
      .executeTakeFirst()
    return row && tasks.decode(row)
  },
  /** When the next task of a kind may be leased; undefined when none waits. */
  async nextRunAt(queries: Queries, kind: string): Promise<Date | undefined> {
    const row = await queries
      .selectFrom('tasks')
      .select(({ fn }) => fn.min('runAt').as('runAt'))
      .where('kind', '=', kind)
      .where('leaseOwner', 'is', null)
      .executeTakeFirst()
    return row?.runAt ? new Date(row.runAt) : undefined
  },
  async remove(queries: Queries, id: string): Promise<void> {
    await queries.deleteFrom('tasks').where('id', '=', id).execute()
  },
}
