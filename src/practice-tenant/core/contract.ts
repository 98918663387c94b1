import type { Clock, JsonObject, Logger, Random } from '#base'
import type Database from 'better-sqlite3'

// What the parts of the practice tenant (entra, directory, outlook, drives, ews) share. A part is a function from the
// tenant's state to routes; the core owns sockets, names, certificates, tokens, permissions, throttling and faults.

/** A role that a host plays, as at Microsoft. Each has its own port and its own public names. */
export type HostRole = 'login' | 'graph' | 'outlook' | 'sharepoint' | 'mysite'

export interface AccessToken {
  readonly applicationId: string
  readonly tenantId: string
  readonly audience: string
  readonly roles: readonly string[]
  /** `1` secret, `2` certificate. */
  readonly appidacr: string
  /** The user for delegated tokens. */
  readonly userPrincipalName?: string
}

export interface TenantRequest {
  readonly role: HostRole
  readonly method: string
  /** Decoded path parameters of the matched route. */
  readonly params: Readonly<Record<string, string>>
  /** The decoded path between the colons of `…:/a/b.txt:/content`, without slashes at its ends. Not part of the route's path. */
  readonly itemPath: string | undefined
  readonly url: URL
  /** OData options by lower-case name, `$` kept: `$select`, `$top`. Others likewise. */
  readonly query: ReadonlyMap<string, string>
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Set on routes that need one. */
  readonly token: AccessToken | undefined
  /** Preferences of the Prefer headers: lower-case name to value without quotes (`true` when it has none). */
  readonly prefer: ReadonlyMap<string, string>
  body(): Promise<Buffer>
  /** Throws a 400 answer when it is no JSON object. */
  json(): Promise<JsonObject>
  /** `https://graph.microsoft.com` or `https://localhost:41234`: how this very client reaches that role. */
  origin(role: HostRole): string
  /** Resolves when the client has gone. */
  readonly signal: AbortSignal
}

export interface TenantAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  /** JSON text that is already made. */
  readonly jsonText?: string | Buffer
  readonly bytes?: Uint8Array | AsyncIterable<Uint8Array>
}

export type Handler = (request: TenantRequest) => TenantAnswer | Promise<TenantAnswer>

/** Which dialect refusals and throttling follow. */
export type ServiceArea = 'login' | 'directory' | 'outlook' | 'files' | 'ews' | 'open'

export interface Route {
  readonly role: HostRole
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** On Graph without the version: `/users/:user/mailFolders/:folder/messages/delta`. Literal segments match in any case; `fn()` and `fn` are the same. */
  readonly path: string
  readonly area: ServiceArea
  /** Application permissions any of which is enough; absent: looked up in the permissions reference by the path. `[]`: any token will do. */
  readonly permissions?: readonly string[]
  /** The mailbox or drive whose allowance a call uses, from the request. Resolves aliases: two names of a mailbox are one pool. */
  readonly pool?: (request: TenantRequest) => string | undefined
  /** SharePoint resource units or directory units of a call; default 1. */
  readonly cost?: (request: TenantRequest) => number
  /** The host refuses a request that carries an Authorization header (pre-authenticated addresses). */
  readonly refusesToken?: boolean
  readonly handler: Handler
}

/** Throw it anywhere in a handler. The core adds innerError, request ids and headers. */
export class GraphError extends Error {
  readonly status: number
  readonly code: string
  readonly innerCode: string | undefined
  readonly headers: Readonly<Record<string, string>>
  constructor(
    status: number,
    code: string,
    message: string,
    more: { innerCode?: string; headers?: Record<string, string> } = {},
  ) {
    super(message)
    this.status = status
    this.code = code
    this.innerCode = more.innerCode
    this.headers = more.headers ?? {}
  }
}

export interface SeedOptions {
  readonly users: number
  /** Messages in each mailbox. */
  readonly mails: number
  /** Files in each drive. */
  readonly files: number
  readonly seed: number
  /** `contoso`: gives contoso.onmicrosoft.com. */
  readonly name: string
}

/** A person or resource with an account. */
export interface PracticeUser {
  readonly id: string
  readonly index: number
  readonly userPrincipalName: string
  readonly displayName: string
  readonly isLicensed: boolean
  readonly mailboxKind: 'user' | 'shared' | 'room' | 'equipment' | 'none'
  readonly hasDrive: boolean
  /** Its drive answers 423 resourceLocked. */
  readonly isDriveLocked: boolean
}

/** Switches of the tenant. They may be turned while it runs: read them when needed. */
export interface TenantSettings {
  /** EWS with Basic authentication answers as before October 2026; otherwise it is blocked (403). */
  legacyEws: boolean
  throttling: boolean
  /** Download and upload addresses take no offence at a bearer token, as before 2024. Older clients send one. */
  toleratesTokens?: boolean
}

export interface TenantState {
  readonly db: Database.Database
  readonly clock: Clock
  readonly random: Random
  readonly settings: TenantSettings
  readonly log: Logger
  readonly tenantId: string
  readonly seed: SeedOptions
  /** By id, principal name or mail address, in any case. Throws the directory's 404. */
  user(idOrName: string): PracticeUser
  /** Everyone who has not been deleted, in the order of their index. */
  users(): Iterable<PracticeUser>
  /** The account that this name and app password (or, without MFA, password) open for Basic authentication. */
  basicAccount(name: string, password: string): PracticeUser | undefined
  /** True when sentinel behaviour is asked for: a user whose name begins so (`throttle-me@…`). */
  isSentinel(user: PracticeUser, name: string): boolean
}

/** A part: registers its tables on first call and returns its routes. */
export type TenantPart = (state: TenantState) => readonly Route[]
