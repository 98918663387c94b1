import { createHash, timingSafeEqual, X509Certificate } from 'node:crypto'
import type Database from 'better-sqlite3'
import type { Clock, Random } from '#base'

export interface ApplicationRow {
  readonly id: string
  readonly object_id: string
  readonly principal_id: string
  readonly name: string
  readonly enabled: number
}

export const ACCOUNT_STATES = [
  'ok',
  'disabled',
  'locked',
  'expired',
  'empty',
  'enrol',
  'register',
  'blocked',
  'unmanaged-device',
  'unconsented',
  'looping',
  'password-changed',
  'signed-out',
] as const
export type AccountState = (typeof ACCOUNT_STATES)[number]

export interface AccountRow {
  readonly user_id: string
  readonly name: string
  readonly password: string | null
  readonly app_password: string | null
  readonly mfa: number
  /**
   * `enrol`, `register`: must set MFA up; `blocked`, `unmanaged-device`: by Conditional Access; `unconsented`: to the
   * application; `looping`: asks the same too often; `password-changed`, `signed-out`: what earlier sign-ins gave is void.
   */
  readonly state: AccountState
}

export interface CertificateRow {
  readonly key_id: string
  readonly application: string
  readonly pem: string
  /** Thumbprints in lower-case hex. */
  readonly sha1: string
  readonly sha256: string
  readonly expires_ms: number
}

export interface RefreshRow {
  readonly user_id: string
  readonly application: string
  readonly scope: string
  readonly expires_ms: number
}

export interface DeviceRow {
  readonly code: string
  readonly user_code: string
  readonly application: string
  readonly scope: string
  readonly expires_ms: number
  readonly state: 'pending' | 'declined' | 'approved' | 'used'
  readonly user_id: string | null
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

  /** Registers a certificate (PEM) with which the application may sign. Returns its SHA-256 thumbprint in hex. */
  addCertificate(application: string, pem: string): string {
    const certificate = new X509Certificate(pem)
    const hex = (fingerprint: string): string => fingerprint.replaceAll(':', '').toLowerCase()
    const sha256 = hex(certificate.fingerprint256)
    this.db
      .prepare('INSERT INTO application_certificates VALUES (?, ?, ?, ?, ?, ?)')
      .run(
        this.#random.uuid(),
        application,
        certificate.toString(),
        hex(certificate.fingerprint),
        sha256,
        new Date(certificate.validTo).getTime(),
      )
    return sha256
  }

  certificates(application: string): CertificateRow[] {
    return this.db
      .prepare<[string], CertificateRow>('SELECT * FROM application_certificates WHERE application = ?')
      .all(application)
  }

  /** False when this assertion has been used before. */
  useAssertion(jti: string, expiresMs: number): boolean {
    this.db.prepare('DELETE FROM used_assertions WHERE expires_ms < ?').run(this.#clock.nowMs() - 600_000)
    return (
      this.db.prepare('INSERT OR IGNORE INTO used_assertions VALUES (?, ?)').run(jti, expiresMs).changes === 1
    )
  }

  addRefreshToken(token: string, row: RefreshRow): void {
    this.db
      .prepare('INSERT INTO refresh_tokens VALUES (?, ?, ?, ?, ?)')
      .run(hash(token), row.user_id, row.application, row.scope, row.expires_ms)
  }

  refreshToken(token: string): RefreshRow | undefined {
    return this.db
      .prepare<[string], RefreshRow>('SELECT * FROM refresh_tokens WHERE hash = ?')
      .get(hash(token))
  }

  addDevice(row: DeviceRow): void {
    this.db
      .prepare(
        'INSERT INTO device_codes VALUES (@code, @user_code, @application, @scope, @expires_ms, @state, @user_id)',
      )
      .run(row)
  }

  device(code: string): DeviceRow | undefined {
    return this.db
      .prepare<[string, string], DeviceRow>('SELECT * FROM device_codes WHERE code = ? OR user_code = ?')
      .get(code, code)
  }

  setDevice(code: string, state: DeviceRow['state'], userId: string | null): void {
    this.db.prepare('UPDATE device_codes SET state = ?, user_id = ? WHERE code = ?').run(state, userId, code)
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

  accountOf(userId: string): AccountRow | undefined {
    return this.db.prepare<[string], AccountRow>('SELECT * FROM accounts WHERE user_id = ?').get(userId)
  }

  isPassword(account: AccountRow, password: string): boolean {
    return account.password !== null && same(account.password, password)
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
