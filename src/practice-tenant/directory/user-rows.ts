import type Database from 'better-sqlite3'
import type { JsonObject } from '#base'
import { GraphError, type PracticeUser, type SeedOptions } from '../core/contract.ts'
import { seededPerson, type SeededPerson } from '../seed/people.ts'
import { mailOf, userDocument } from './user-document.ts'

export interface UserRow {
  readonly id: string
  readonly idx: number
  readonly upn: string
  readonly mail: string | null
  readonly name: string
  readonly licensed: number
  readonly mailbox: PracticeUser['mailboxKind']
  readonly drive: number
  readonly locked: number
  /** The user as Graph shows it; absent while it is as it was seeded. */
  readonly doc: string | null
  readonly deleted_at: string | null
  readonly purged: number
  readonly created: number
  readonly changed: number
}

const TABLE = `
CREATE TABLE IF NOT EXISTS users (
  id TEXT PRIMARY KEY, idx INTEGER NOT NULL UNIQUE, upn TEXT NOT NULL COLLATE NOCASE, mail TEXT COLLATE NOCASE,
  name TEXT NOT NULL, licensed INTEGER NOT NULL, mailbox TEXT NOT NULL, drive INTEGER NOT NULL, locked INTEGER NOT NULL,
  doc TEXT, deleted_at TEXT, purged INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL, changed INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS users_upn ON users (upn);
CREATE INDEX IF NOT EXISTS users_mail ON users (mail);
CREATE INDEX IF NOT EXISTS users_changed ON users (changed);
CREATE TABLE IF NOT EXISTS directory_clock (only INTEGER PRIMARY KEY CHECK (only = 1), seq INTEGER NOT NULL) STRICT;
INSERT OR IGNORE INTO directory_clock VALUES (1, 0);`

const INSERT = `INSERT INTO users (id, idx, upn, mail, name, licensed, mailbox, drive, locked, doc, created, changed)
VALUES (@id, @idx, @upn, @mail, @name, @licensed, @mailbox, @drive, @locked, @doc, @seq, @seq)`

const toUser = (row: UserRow): PracticeUser => ({
  id: row.id,
  index: row.idx,
  userPrincipalName: row.upn,
  displayName: row.name,
  isLicensed: row.licensed === 1,
  mailboxKind: row.mailbox,
  hasDrive: row.drive === 1,
  isDriveLocked: row.locked === 1,
})

export const notInDirectory = (id: string): GraphError =>
  new GraphError(
    404,
    'Request_ResourceNotFound',
    `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`,
  )

/** The directory's users, with a look-up in memory for the many requests that name one. */
export class UserRows {
  readonly #db: Database.Database
  readonly #seed: SeedOptions
  readonly #byName = new Map<string, PracticeUser>()
  readonly #find: Database.Statement<[string, string, string], UserRow>

  constructor(db: Database.Database, seed: SeedOptions) {
    db.exec(TABLE)
    this.#db = db
    this.#seed = seed
    this.#find = db.prepare(
      `SELECT * FROM users WHERE (id = ? OR upn = ? OR mail = ?) AND deleted_at IS NULL ORDER BY idx LIMIT 1`,
    )
  }

  get isEmpty(): boolean {
    return this.#db.prepare('SELECT 1 FROM users LIMIT 1').get() === undefined
  }

  /** The next moment of the directory: what changed later has a larger number. */
  tick(): number {
    const row = this.#db
      .prepare<[], { seq: number }>('UPDATE directory_clock SET seq = seq + 1 RETURNING seq')
      .get()
    return row!.seq
  }

  now(): number {
    return this.#db.prepare<[], { seq: number }>('SELECT seq FROM directory_clock').get()!.seq
  }

  /** Makes the seeded people. Their documents are made when somebody looks. */
  seed(): void {
    const insert = this.#db.prepare(INSERT)
    this.#db.transaction(() => {
      for (let index = 0; index < this.#seed.users; index += 1) {
        insert.run(this.#columns(seededPerson(this.#seed, index), null))
      }
    })()
  }

  /** Adds somebody who is not in the seed. */
  add(person: SeededPerson, document: JsonObject): PracticeUser {
    this.#db.prepare(INSERT).run({ ...this.#columns(person, document), seq: this.tick() })
    this.#byName.clear()
    return this.get(person.id)
  }

  nextIndex(): number {
    return this.#db
      .prepare<[], { next: number }>('SELECT coalesce(max(idx), -1) + 1 AS next FROM users')
      .get()!.next
  }

  get(idOrName: string): PracticeUser {
    const key = idOrName.toLowerCase()
    const known = this.#byName.get(key)
    if (known !== undefined) return known
    const row = this.#find.get(key, key, key)
    if (row === undefined) throw notInDirectory(idOrName)
    const user = toUser(row)
    this.#byName.set(key, user)
    return user
  }

  find(idOrName: string): PracticeUser | undefined {
    try {
      return this.get(idOrName)
    } catch {
      return undefined
    }
  }

  *all(): Iterable<PracticeUser> {
    const page = this.#db.prepare<[number], UserRow>(
      'SELECT * FROM users WHERE idx > ? AND deleted_at IS NULL ORDER BY idx LIMIT 1000',
    )
    for (let rows = page.all(-1); rows.length > 0; rows = page.all(rows.at(-1)!.idx)) yield* rows.map(toUser)
  }

  row(id: string): UserRow | undefined {
    return this.#db.prepare<[string], UserRow>('SELECT * FROM users WHERE id = ?').get(id.toLowerCase())
  }

  /** The user as Graph shows it, with every property. */
  document(row: UserRow): JsonObject {
    const plain =
      row.doc === null
        ? userDocument(seededPerson(this.#seed, row.idx), this.#seed)
        : (JSON.parse(row.doc) as JsonObject)
    return row.deleted_at === null ? plain : { ...plain, deletedDateTime: row.deleted_at }
  }

  update(row: UserRow, document: JsonObject): void {
    const mail = typeof document['mail'] === 'string' ? document['mail'] : null
    this.#db
      .prepare('UPDATE users SET doc = ?, upn = ?, mail = ?, name = ?, changed = ? WHERE id = ?')
      .run(
        JSON.stringify(document),
        String(document['userPrincipalName']),
        mail,
        String(document['displayName']),
        this.tick(),
        row.id,
      )
    this.#byName.clear()
  }

  /** Licence, mailbox and drive follow each other: who has no licence any more has neither, and the data waits. */
  setKind(
    id: string,
    kind: { licensed: boolean; mailbox: PracticeUser['mailboxKind']; drive: boolean },
  ): void {
    this.#db
      .prepare('UPDATE users SET licensed = ?, mailbox = ?, drive = ?, changed = ? WHERE id = ?')
      .run(Number(kind.licensed), kind.mailbox, Number(kind.drive), this.tick(), id)
    this.#byName.clear()
  }

  /** `deletedAt` absent: the user is back. */
  setDeleted(id: string, deletedAt: string | undefined, more: { purged?: boolean } = {}): void {
    this.#db
      .prepare('UPDATE users SET deleted_at = ?, purged = ?, changed = ? WHERE id = ?')
      .run(deletedAt ?? null, Number(more.purged === true), this.tick(), id)
    this.#byName.clear()
  }

  #columns(person: SeededPerson, document: JsonObject | null) {
    const mail = document === null ? mailOf(person) : document['mail']
    return {
      id: person.id,
      idx: person.index,
      upn: person.userPrincipalName,
      mail: typeof mail === 'string' ? mail : null,
      name: person.displayName,
      licensed: Number(person.isLicensed),
      mailbox: person.mailboxKind,
      drive: Number(person.hasDrive),
      locked: Number(person.isDriveLocked),
      doc: document === null ? null : JSON.stringify(document),
      seq: 0,
    }
  }
}
