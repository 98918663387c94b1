import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger, systemClock, systemRandom, type Clock, type Logger, type Random } from '#base'
import { UserRows } from '../directory/user-rows.ts'
import { Gate } from '../entra/gate.ts'
import { EntraRows, type Grant } from '../entra/entra-rows.ts'
import { entraRoutes } from '../entra/entra.ts'
import { newSigningKey, Tokens } from '../entra/tokens.ts'
import { parts as allParts } from '../parts.ts'
import { seedAccounts, type AdminAccount } from '../seed/accounts.ts'
import { seedApplication, type SeededApplication } from '../seed/application.ts'
import { seededUuid } from '../seed/ids.ts'
import { domainOf } from '../seed/people.ts'
import { Authority } from './authority.ts'
import type { HostRole, SeedOptions, TenantPart, TenantSettings, TenantState } from './contract.ts'
import { Dispatcher } from './dispatcher.ts'
import { Router } from './router.ts'
import { Hosts } from './server.ts'
import { lasting, openDatabase } from './state.ts'

export interface PracticeTenantOptions {
  /** Absent values: 3 users, 20 mails, 10 files, seed 1, `contoso`. A tenant that exists keeps the seed it began with. */
  readonly seed?: Partial<SeedOptions>
  /** Where state and certificates are kept; absent: in memory, certificates in a folder that goes with the tenant. */
  readonly data?: string
  /** The first of six ports; 0 (default): any. */
  readonly port?: number
  /** Default: on. */
  readonly throttling?: boolean
  /** Default: EWS is blocked as in the cloud since October 2026. */
  readonly legacyEws?: boolean
  readonly clock?: Clock
  readonly random?: Random
  readonly log?: Logger
  /** For tests of one part; default: all. */
  readonly parts?: readonly TenantPart[]
}

/** A running practice tenant. */
export interface PracticeTenant extends AsyncDisposable {
  readonly tenantId: string
  /** `contoso.onmicrosoft.com` */
  readonly domain: string
  readonly state: TenantState
  /** `https://localhost:41234`: the port of a role. */
  origin(role: HostRole): string
  /** `http://127.0.0.1:41239`: answers for Microsoft's names, refuses all others. */
  readonly proxyUrl: string
  /** The authority's certificate as a file (PEM), for NODE_EXTRA_CA_CERTS, SSL_CERT_FILE or a client's `ca`. */
  readonly caFile: string
  readonly ca: string
  /** The application of the backup, with the permissions that backup and restore need. */
  readonly application: SeededApplication
  /** An application with every permission, for changing the tenant through its APIs. */
  readonly editor: SeededApplication
  /** Two accounts with MFA; the first is for Exchange, the second for SharePoint. */
  readonly admin: AdminAccount
  readonly sharepointAdmin: AdminAccount
  readonly settings: TenantSettings
  /** A token of the application (default: the backup application) as the login host would give it. */
  token(request?: {
    readonly audience?: string
    readonly application?: string
    readonly roles?: readonly string[]
  }): string
  grant(grants: readonly Grant[], application?: string): void
  revoke(grants: readonly Grant[], application?: string): void
}

const DEFAULT_SEED: SeedOptions = { users: 3, mails: 20, files: 10, seed: 1, name: 'contoso' }
const TOKEN_SECONDS = { least: 3600, spread: 1800 }

/** Starts a Microsoft 365 tenant on loopback. Dispose it to stop: sockets are cut, state in a data folder stays. */
export const startPracticeTenant = async (options: PracticeTenantOptions = {}): Promise<PracticeTenant> => {
  const clock = options.clock ?? systemClock
  const random = options.random ?? systemRandom
  const log = options.log ?? silentLogger
  const folder = options.data ?? mkdtempSync(join(tmpdir(), 'practice-tenant-'))
  mkdirSync(folder, { recursive: true })
  const db = openDatabase(options.data)
  const seed = JSON.parse(
    lasting(db, 'seed', () => JSON.stringify({ ...DEFAULT_SEED, ...options.seed })),
  ) as SeedOptions
  const tenantId = seededUuid(seed.seed, 'tenant', seed.name)
  const users = new UserRows(db, seed)
  const entra = new EntraRows(db, clock, random)
  const isNew = users.isEmpty
  if (isNew) users.seed()
  const settings: TenantSettings = {
    legacyEws: options.legacyEws ?? false,
    throttling: options.throttling ?? true,
  }
  const state: TenantState = {
    db,
    clock,
    random,
    log,
    tenantId,
    seed,
    settings,
    user: (name) => users.get(name),
    users: () => users.all(),
    basicAccount: (name, password) => {
      const id = entra.basicUserId(name, password)
      return id === undefined ? undefined : users.find(id)
    },
    isSentinel: (user, name) => new RegExp(`^${name}(-[^@]*)?@`, 'i').test(user.userPrincipalName),
  }
  const application = seedApplication(db, entra, seed, random, 'backup')
  const editor = seedApplication(db, entra, seed, random, 'editor')
  const { admin, sharepointAdmin } = seedAccounts({ db, entra, users, seed, random })
  const tokens = new Tokens({ pem: lasting(db, 'signing-key', newSigningKey), tenantId, clock, random })

  let hosts: Hosts | undefined
  const ownOrigin = (role: HostRole): string => hosts!.origin(role)
  const router = new Router()
  const tokenLifetimeSeconds = (): number =>
    TOKEN_SECONDS.least + Math.floor(random.fraction() * TOKEN_SECONDS.spread)
  const login = entraRoutes({
    state,
    rows: entra,
    tokens,
    domain: domainOf(seed),
    ownOrigin,
    tokenLifetimeSeconds,
  })
  for (const route of login) router.add(route)
  for (const part of options.parts ?? allParts) for (const route of part(state)) router.add(route)
  const gatekeeper = new Gate({
    tokens,
    tenantName: seed.name,
    ownOrigin,
    permissionsFor: (route) => route.permissions ?? [],
  })
  const dispatcher = new Dispatcher({ router, gatekeeper, filters: [], clock, random, log })
  const authority = await Authority.open(folder, random)
  hosts = await Hosts.listen({
    authority,
    tenantName: seed.name,
    port: options.port ?? 0,
    log,
    answer: (call) => dispatcher.dispatch(call),
  })

  return {
    tenantId,
    domain: domainOf(seed),
    state,
    origin: ownOrigin,
    proxyUrl: hosts.proxyUrl,
    caFile: authority.file,
    ca: authority.pem,
    application,
    editor,
    admin,
    sharepointAdmin,
    settings,
    token: (request = {}) => {
      const row = entra.application(request.application ?? application.id)!
      return tokens.issue({
        issuer: `https://sts.windows.net/${tenantId}/`,
        audience: request.audience ?? 'https://graph.microsoft.com',
        application: { id: row.id, name: row.name, principalId: row.principal_id },
        roles: request.roles ?? entra.roles(row.id, 'graph'),
        appidacr: '2',
        lifetimeSeconds: TOKEN_SECONDS.least,
      })
    },
    grant: (grants, id = application.id) => entra.grant(id, grants),
    revoke: (grants, id = application.id) => entra.revoke(id, grants),
    async [Symbol.asyncDispose]() {
      await hosts[Symbol.asyncDispose]()
      db.close()
      if (options.data === undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}
