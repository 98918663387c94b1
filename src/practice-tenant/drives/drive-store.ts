import type Database from 'better-sqlite3'
import { GraphError, type PracticeUser, type TenantState } from '../core/contract.ts'
import { Contents } from './contents.ts'
import { driveIdOf, userIdOf } from './drive-ids.ts'
import { foldedName } from './names.ts'
import { createDriveTables, type DriveRow, type ItemRow } from './schema.ts'
import { seedDrive } from './seed-drive.ts'

const itemNotFound = (): GraphError => new GraphError(404, 'itemNotFound', 'The resource could not be found.')
const mysiteNotFound = (): GraphError => new GraphError(404, 'ResourceNotFound', "User's mysite not found.")

/** A drive, its owner, and what of the owner matters here. */
export interface Drive extends DriveRow {
  readonly owner: PracticeUser
}

/** Drives and their items as they are. A drive is filled when it is first touched. Changes are made by `DriveEdits`. */
export class DriveStore {
  readonly db: Database.Database
  readonly contents: Contents
  readonly #state: TenantState
  readonly #statements = new Map<string, Database.Statement>()

  constructor(state: TenantState) {
    createDriveTables(state.db)
    this.db = state.db
    this.#state = state
    this.contents = new Contents(state.db)
  }

  /** The OneDrive of a user. Throws the 404 of a user without one and the 423 of a locked one. */
  driveOf(owner: PracticeUser): Drive {
    if (!owner.hasDrive) throw mysiteNotFound()
    if (owner.isDriveLocked) {
      throw new GraphError(423, 'resourceLocked', 'Access to this site has been blocked.', {
        innerCode: 'siteLocked',
      })
    }
    return { ...this.#row(owner), owner }
  }

  drive(id: string): Drive {
    const userId = userIdOf(id)
    if (userId === undefined) throw itemNotFound()
    return this.driveOf(this.#state.user(userId))
  }

  root(drive: DriveRow): ItemRow {
    return this.one<ItemRow>(`SELECT * FROM drive_items WHERE drive = ? AND parent IS NULL`, drive.key)!
  }

  /** A live item by its id, or `root`. Throws the 404. */
  item(drive: DriveRow, id: string): ItemRow {
    if (id.toLowerCase() === 'root') return this.root(drive)
    const item = this.anyItem(drive, id)
    if (item.state !== 'live') throw itemNotFound()
    return item
  }

  /** An item by its id, deleted ones included. */
  anyItem(drive: DriveRow, id: string): ItemRow {
    const item = this.one<ItemRow>(
      'SELECT * FROM drive_items WHERE id = ? AND drive = ?',
      id.toUpperCase(),
      drive.key,
    )
    if (item === undefined) throw itemNotFound()
    return item
  }

  byKey(key: number): ItemRow {
    return this.one<ItemRow>('SELECT * FROM drive_items WHERE key = ?', key)!
  }

  child(parent: number, name: string): ItemRow | undefined {
    return this.one<ItemRow>(
      `SELECT * FROM drive_items WHERE parent = ? AND folded = ? AND state = 'live'`,
      parent,
      foldedName(name),
    )
  }

  /** The live item at a path below another. Throws the 404. */
  below(start: ItemRow, path: string): ItemRow {
    let item: ItemRow | undefined = start
    for (const name of path.split('/').filter(Boolean)) {
      item = this.child(item.key, name)
      if (item === undefined) throw itemNotFound()
    }
    return item
  }

  /** Live children in the order of their names, of which `after` was the last seen. */
  children(parent: ItemRow, limit: number, order: 'asc' | 'desc' = 'asc', after?: string): ItemRow[] {
    const beyond = after === undefined ? '' : `AND folded ${order === 'asc' ? '>' : '<'} ?`
    return this.all<ItemRow>(
      `SELECT * FROM drive_items WHERE parent = ? AND state = 'live' ${beyond} ORDER BY folded ${order} LIMIT ?`,
      parent.key,
      ...(after === undefined ? [] : [after]),
      limit,
    )
  }

  childCount(item: ItemRow): number {
    const row = this.one<{ n: number }>(
      `SELECT count(*) AS n FROM drive_items WHERE parent = ? AND state = 'live'`,
      item.key,
    )
    return row!.n
  }

  /** The folders above an item, the nearest first. */
  ancestors(item: ItemRow): ItemRow[] {
    const found: ItemRow[] = []
    for (let key = item.parent; key !== null;) {
      const above = this.byKey(key)
      found.push(above)
      key = above.parent
    }
    return found
  }

  /** `/A/b.txt`; nothing for the root. */
  pathOf(item: ItemRow): string {
    const names = [item, ...this.ancestors(item)].slice(0, -1).map(({ name }) => name)
    return names.reverse().reduce((path, name) => `${path}/${name}`, '')
  }

  /** Bytes in the recycle bin. */
  recycledBytes(drive: DriveRow): number {
    const row = this.one<{ n: number }>(
      `SELECT coalesce(sum(size), 0) AS n FROM drive_items WHERE drive = ? AND state = 'recycled' AND kind = 'file'`,
      drive.key,
    )
    return row!.n
  }

  one<Row>(sql: string, ...values: readonly unknown[]): Row | undefined {
    return this.#prepare(sql).get(...values) as Row | undefined
  }

  all<Row>(sql: string, ...values: readonly unknown[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[]
  }

  run(sql: string, ...values: readonly unknown[]): void {
    this.#prepare(sql).run(...values)
  }

  #prepare(sql: string): Database.Statement {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const made = this.db.prepare(sql)
    this.#statements.set(sql, made)
    return made
  }

  #row(owner: PracticeUser): DriveRow {
    const sql = 'SELECT * FROM drives WHERE user_id = ?'
    const known = this.one<DriveRow>(sql, owner.id)
    if (known !== undefined) return known
    this.db.transaction(() => seedDrive(this, this.#state, owner, driveIdOf(owner.id)))()
    return this.one<DriveRow>(sql, owner.id)!
  }
}
