import { createHash, timingSafeEqual } from 'node:crypto'
import type Database from 'better-sqlite3'
import type { Clock, Random } from '#base'

export interface ApplicationRow {
  readonly id: string
  readonly object_id: string
  readonly principal_id: string
  readonly name: string
  readonly enabled: number
}

export interface AccountRow {
  readonly user_id: string
  readonly name: string
  readonly password: string | null
  readonly app_password: string | null
  readonly mfa: number
  /** `ok`, `disabled`, `locked`, `expired`, `empty`, `enrol` (must set MFA up), `blocked` (Conditional Access). */
  readonly state: string
}

export interface Grant {
  readonly resource: string
  readonly role: string
}

const TABLES = `
CREATE TABLE IF NOT EXISTS applications (id TEXT PRIMARY KEY, object_id TEXT NOT NULL, principal_id TEXT NOT NULL,
  name TEXT NOT NULL, enabled INTEGER NOT NULL DEFAULT 1) STRICT;
CREATE TABLE IF NOT EXISTS application_secrets (key_id TEXT PRIMARY KEY, application TEXT NOT NULL, hash TEXT NOT NULL,
  expires_ms INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS application_certificates (key_id TEXT PRIMARY KEY, application TEXT NOT NULL, pem TEXT NOT NULL,
  sha1 TEXT NOT NULL, sha256 TEXT NOT NULL, expires_ms INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS grants (application TEXT NOT NULL, resource TEXT NOT NULL, role TEXT NOT NULL,
  PRIMARY KEY (application, resource, role)) STRICT;
CREATE TABLE IF NOT EXISTS accounts (user_id TEXT PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE UNIQUE, password TEXT,
  app_password TEXT, mfa INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'ok') STRICT;
CREATE TABLE IF NOT EXISTS refresh_tokens (hash TEXT PRIMARY KEY, user_id TEXT NOT NULL, application TEXT NOT NULL,
  scope TEXT NOT NULL, expires_ms INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS device_codes (code TEXT PRIMARY KEY, user_code TEXT NOT NULL, application TEXT NOT NULL,
  scope TEXT NOT NULL, expires_ms INTEGER NOT NULL, state TEXT NOT NULL, user_id TEXT) STRICT;
CREATE TABLE IF NOT EXISTS used_assertions (jti TEXT PRIMARY KEY, expires_ms INTEGER NOT NULL) STRICT;`

const hash = (text: string): string => createHash('sha256').update(text).digest('hex')

const same = (left: string, right: string): boolean =>
  timingSafeEqual(Buffer.from(hash(left)), Buffer.from(hash(right)))

const TWO_YEARS_MS = 2 * 365 * 24 * 3600 * 1000

/** What Entra ID knows: applications with their keys and grants, accounts with their passwords. */
export class EntraRows {
  readonly db: Database.Database
  readonly #clock: Clock
  readonly #random: Random

  constructor(db: Database.Database, clock: Clock, random: Random) {
    db.exec(TABLES)
    this.db = db
    this.#clock = clock
    this.#random = random
  }

  addApplication(application: { id: string; name: string }): void {
    this.db
      .prepare('INSERT INTO applications (id, object_id, principal_id, name) VALUES (?, ?, ?, ?)')
      .run(application.id, this.#random.uuid(), this.#random.uuid(), application.name)
  }

  application(id: string): ApplicationRow | undefined {
    return this.db
      .prepare<[string], ApplicationRow>('SELECT * FROM applications WHERE id = ?')
      .get(id.toLowerCase())
  }

  applications(): ApplicationRow[] {
    return this.db.prepare<[], ApplicationRow>('SELECT * FROM applications ORDER BY rowid').all()
  }

  setApplicationEnabled(id: string, enabled: boolean): void {
    this.db.prepare('UPDATE applications SET enabled = ? WHERE id = ?').run(Number(enabled), id)
  }

  /** Only its hash is kept. */
  addSecret(application: string, secret: string, expiresMs = this.#clock.nowMs() + TWO_YEARS_MS): void {
    this.db
      .prepare('INSERT INTO application_secrets VALUES (?, ?, ?, ?)')
      .run(this.#random.uuid(), application, hash(secret), expiresMs)
  }

  expireSecrets(application: string, atMs: number): void {
    this.db
      .prepare('UPDATE application_secrets SET expires_ms = ? WHERE application = ?')
      .run(atMs, application)
  }

  checkSecret(application: string, secret: string): 'good' | 'expired' | 'wrong' {
    const row = this.db
      .prepare<[string, string], { expires_ms: number }>(
        'SELECT expires_ms FROM application_secrets WHERE application = ? AND hash = ? ORDER BY expires_ms DESC',
      )
      .get(application, hash(secret))
    if (row === undefined) return 'wrong'
    return row.expires_ms <= this.#clock.nowMs() ? 'expired' : 'good'
  }

  grant(application: string, grants: readonly Grant[]): void {
    const insert = this.db.prepare('INSERT OR IGNORE INTO grants VALUES (?, ?, ?)')
    this.db.transaction(() => {
      for (const { resource, role } of grants) insert.run(application, resource, role)
    })()
  }

  revoke(application: string, grants: readonly Grant[]): void {
    const remove = this.db.prepare('DELETE FROM grants WHERE application = ? AND resource = ? AND role = ?')
    for (const { resource, role } of grants) remove.run(application, resource, role)
  }

  grants(application: string): Grant[] {
    return this.db
      .prepare<[string], Grant>(
        'SELECT resource, role FROM grants WHERE application = ? ORDER BY resource, role',
      )
      .all(application)
  }

  roles(application: string, resource: string): string[] {
    return this.grants(application)
      .filter((grant) => grant.resource === resource)
      .map(({ role }) => role)
  }

  setAccount(account: AccountRow): void {
    this.db
      .prepare(
        `INSERT INTO accounts VALUES (@user_id, @name, @password, @app_password, @mfa, @state)
         ON CONFLICT (user_id) DO UPDATE SET name = @name, password = @password, app_password = @app_password,
         mfa = @mfa, state = @state`,
      )
      .run(account)
  }

  account(name: string): AccountRow | undefined {
    return this.db.prepare<[string], AccountRow>('SELECT * FROM accounts WHERE name = ?').get(name)
  }

  /** Basic authentication: an app password, or the password of an account without MFA. */
  basicUserId(name: string, password: string): string | undefined {
    const account = this.account(name)
    if (account === undefined || account.state !== 'ok') return undefined
    // People type app passwords as they are shown, in groups of four.
    const byApp = account.app_password !== null && same(account.app_password, password.replaceAll(' ', ''))
    const byPassword = account.mfa === 0 && account.password !== null && same(account.password, password)
    return byApp || byPassword ? account.user_id : undefined
  }
}
