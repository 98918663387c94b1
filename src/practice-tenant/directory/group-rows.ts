import type Database from 'better-sqlite3'
import type { JsonObject } from '#base'
import type { UserRows } from './user-rows.ts'

export interface GroupRow {
  readonly id: string
  readonly idx: number
  readonly doc: string
  readonly deleted_at: string | null
  readonly purged: number
  readonly created: number
  readonly changed: number
}

export type Relation = 'member' | 'owner'

interface LinkRow {
  readonly group_id: string
  readonly object_id: string
  readonly kind: 'user' | 'group'
  readonly added: number
  readonly removed: number | null
}

const TABLES = `
CREATE TABLE IF NOT EXISTS groups (id TEXT PRIMARY KEY, idx INTEGER NOT NULL UNIQUE, doc TEXT NOT NULL, deleted_at TEXT,
  purged INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL, changed INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS groups_changed ON groups (changed);
CREATE TABLE IF NOT EXISTS group_links (group_id TEXT NOT NULL, relation TEXT NOT NULL, object_id TEXT NOT NULL,
  kind TEXT NOT NULL, added INTEGER NOT NULL, removed INTEGER, PRIMARY KEY (group_id, relation, object_id)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS group_links_object ON group_links (object_id, relation);`

/** Groups, and who belongs to them. Links that were removed stay as a memory for delta. */
export class GroupRows {
  readonly #db: Database.Database
  readonly #users: UserRows

  constructor(db: Database.Database, users: UserRows) {
    db.exec(TABLES)
    this.#db = db
    this.#users = users
  }

  get isEmpty(): boolean {
    return this.#db.prepare('SELECT 1 FROM groups LIMIT 1').get() === undefined
  }

  add(id: string, document: JsonObject, seq = this.#users.tick()): void {
    this.#db
      .prepare(
        `INSERT INTO groups (id, idx, doc, created, changed)
         VALUES (?, (SELECT coalesce(max(idx), -1) + 1 FROM groups), ?, ?, ?)`,
      )
      .run(id, JSON.stringify(document), seq, seq)
  }

  row(id: string): GroupRow | undefined {
    return this.#db.prepare<[string], GroupRow>('SELECT * FROM groups WHERE id = ?').get(id.toLowerCase())
  }

  document(row: GroupRow): JsonObject {
    const document = JSON.parse(row.doc) as JsonObject
    return row.deleted_at === null ? document : { ...document, deletedDateTime: row.deleted_at }
  }

  after(idx: number, deleted: boolean): GroupRow[] {
    return this.#db
      .prepare<[number], GroupRow>(
        `SELECT * FROM groups WHERE idx > ? AND purged = 0 AND deleted_at IS ${deleted ? 'NOT NULL' : 'NULL'} ORDER BY idx`,
      )
      .all(idx)
  }

  changedAfter(seq: number): GroupRow[] {
    return this.#db
      .prepare<[number], GroupRow>('SELECT * FROM groups WHERE changed > ? ORDER BY changed')
      .all(seq)
  }

  update(id: string, document: JsonObject): void {
    this.#db
      .prepare('UPDATE groups SET doc = ?, changed = ? WHERE id = ?')
      .run(JSON.stringify(document), this.#users.tick(), id)
  }

  setDeleted(id: string, deletedAt: string | undefined, more: { purged?: boolean } = {}): void {
    this.#db
      .prepare('UPDATE groups SET deleted_at = ?, purged = ?, changed = ? WHERE id = ?')
      .run(deletedAt ?? null, Number(more.purged === true), this.#users.tick(), id)
  }

  /** False when the object belonged to it already. */
  link(
    group: string,
    relation: Relation,
    object: { id: string; kind: 'user' | 'group' },
    seq = this.#users.tick(),
  ): boolean {
    const { changes } = this.#db
      .prepare(
        `INSERT INTO group_links VALUES (?, ?, ?, ?, ?, NULL)
         ON CONFLICT DO UPDATE SET added = excluded.added, removed = NULL WHERE removed IS NOT NULL`,
      )
      .run(group, relation, object.id, object.kind, seq)
    if (changes === 1) this.#touch(group, seq)
    return changes === 1
  }

  /** False when the object did not belong to it. */
  unlink(group: string, relation: Relation, object: string): boolean {
    const seq = this.#users.tick()
    const { changes } = this.#db
      .prepare(
        'UPDATE group_links SET removed = ? WHERE group_id = ? AND relation = ? AND object_id = ? AND removed IS NULL',
      )
      .run(seq, group, relation, object)
    if (changes === 1) this.#touch(group, seq)
    return changes === 1
  }

  links(group: string, relation: Relation): LinkRow[] {
    return this.#db
      .prepare<[string, string], LinkRow>(
        'SELECT * FROM group_links WHERE group_id = ? AND relation = ? AND removed IS NULL ORDER BY object_id',
      )
      .all(group, relation)
  }

  /** Links that came or went after this moment. */
  linkChanges(group: string, relation: Relation, seq: number): LinkRow[] {
    return this.#db
      .prepare<[string, string, number, number], LinkRow>(
        'SELECT * FROM group_links WHERE group_id = ? AND relation = ? AND (added > ? OR removed > ?) ORDER BY object_id',
      )
      .all(group, relation, seq, seq)
  }

  /** The groups to which an object belongs directly. */
  groupsOf(object: string): string[] {
    return this.#db
      .prepare<[string], { group_id: string }>(
        `SELECT group_id FROM group_links WHERE object_id = ? AND relation = 'member' AND removed IS NULL ORDER BY group_id`,
      )
      .all(object)
      .map(({ group_id }) => group_id)
  }

  /** Members of members, too, each once. Groups may stand in a circle. */
  transitiveMembers(group: string): { id: string; kind: 'user' | 'group' }[] {
    const found = new Map<string, 'user' | 'group'>()
    const open = [group]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      for (const { object_id: id, kind } of this.links(next, 'member')) {
        if (found.has(id)) continue
        found.set(id, kind)
        if (kind === 'group') open.push(id)
      }
    }
    return [...found].map(([id, kind]) => ({ id, kind }))
  }

  #touch(group: string, seq: number): void {
    this.#db.prepare('UPDATE groups SET changed = ? WHERE id = ?').run(seq, group)
  }
}
