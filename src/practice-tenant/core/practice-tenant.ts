import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger, systemClock, systemRandom, type Clock, type Logger, type Random } from '#base'
import { directory } from '../directory/directory.ts'
import { UserRows } from '../directory/user-rows.ts'
import { Gate } from '../entra/gate.ts'
import { EntraRows } from '../entra/entra-rows.ts'
import { entraRoutes } from '../entra/entra.ts'
import { permissionsFor } from '../entra/permissions.ts'
import { newSigningKey, Tokens } from '../entra/tokens.ts'
import { parts as allParts } from '../parts.ts'
import { seedAccounts, seedLeaver, seedSentinels, type AdminAccount } from '../seed/accounts.ts'
import { seedApplication, type SeededApplication } from '../seed/application.ts'
import { seededUuid } from '../seed/ids.ts'
import { domainOf, hasSpecialPeople } from '../seed/people.ts'
import { Authority } from './authority.ts'
import { batchRoute } from './batch.ts'
import type { AccessToken, HostRole, Route, SeedOptions, TenantPart, TenantState } from './contract.ts'
import { PracticeControls } from './controls.ts'
import { Counters } from './counters.ts'
import { Faults } from './faults.ts'
import { practiceRoutes } from './practice-routes.ts'
import type { Call } from './request.ts'
import { Throttling } from './throttling.ts'
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
  /** Users whose names ask for faults, besides the others: `throttle-me`, `flaky`, `slow`. */
  readonly sentinels?: readonly string[]
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
  /** Grants, secrets, certificates, accounts, limits; its key opens `/_practice/…` on the login port. */
  readonly controls: PracticeControls
  readonly counters: Counters
  readonly faults: Faults
  /** A token of an application (default: the backup's) as the login host would give it to a certificate. */
  token(request?: TokenWish): string
}

export interface TokenWish {
  readonly audience?: string
  readonly application?: string
  readonly roles?: readonly string[]
}

const DEFAULT_SEED: SeedOptions = { users: 3, mails: 20, files: 10, seed: 1, name: 'contoso' }
const TOKEN_SECONDS = { least: 3600, spread: 1800 }

/** Starts a Microsoft 365 tenant on loopback. Dispose it to stop: sockets are cut, state in a data folder stays. */
export const startPracticeTenant = async (options: PracticeTenantOptions = {}): Promise<PracticeTenant> => {
  const random = options.random ?? systemRandom
  const folder = options.data ?? mkdtempSync(join(tmpdir(), 'practice-tenant-'))
  mkdirSync(folder, { recursive: true })
  const tenant = openTenant(options, random)
  const { state, controls, entra, tokens } = tenant
  const authority = await Authority.open(folder, random)
  const ownOrigin = (role: HostRole): string => hosts.origin(role)
  const dispatcher = buildDispatcher(tenant, ownOrigin, options.parts ?? allParts)
  const hosts = await Hosts.listen({
    authority,
    tenantName: state.seed.name,
    port: options.port ?? 0,
    log: state.log,
    answer: (call) => dispatcher.dispatch(call),
  })
  return {
    tenantId: state.tenantId,
    domain: domainOf(state.seed),
    state,
    origin: ownOrigin,
    proxyUrl: hosts.proxyUrl,
    caFile: authority.file,
    ca: authority.pem,
    application: tenant.application,
    editor: tenant.editor,
    admin: tenant.admin,
    sharepointAdmin: tenant.sharepointAdmin,
    controls,
    counters: controls.counters,
    faults: controls.faults,
    token: (wish = {}) => issueToken(tenant.application.id, { entra, tokens, state }, wish),
    async [Symbol.asyncDispose]() {
      await hosts[Symbol.asyncDispose]()
      state.db.close()
      if (options.data === undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}

interface OpenTenant {
  readonly state: TenantState
  readonly controls: PracticeControls
  readonly users: UserRows
  readonly entra: EntraRows
  readonly tokens: Tokens
  readonly application: SeededApplication
  readonly editor: SeededApplication
  readonly admin: AdminAccount
  readonly sharepointAdmin: AdminAccount
}

/** Opens the state, and seeds it when it is new. */
const openTenant = (options: PracticeTenantOptions, random: Random): OpenTenant => {
  const clock = options.clock ?? systemClock
  const db = openDatabase(options.data)
  const wanted = { ...DEFAULT_SEED, ...options.seed }
  const seed = JSON.parse(lasting(db, 'seed', () => JSON.stringify(wanted))) as SeedOptions
  const users = new UserRows(db, seed)
  const entra = new EntraRows(db, clock, random)
  const isNew = users.isEmpty
  if (isNew) users.seed()
  const settings = { legacyEws: options.legacyEws ?? false, throttling: options.throttling ?? true }
  const state = tenantState({
    db,
    clock,
    random,
    log: options.log ?? silentLogger,
    seed,
    settings,
    users,
    entra,
  })
  const application = seedApplication({ db, rows: entra, seed, random }, 'backup')
  const editor = seedApplication({ db, rows: entra, seed, random }, 'editor')
  const accounts = seedAccounts({ db, entra, users, seed, random })
  if (isNew && hasSpecialPeople(seed)) seedLeaver(users, seed, clock.nowMs())
  seedSentinels(users, seed, options.sentinels ?? [])
  const controls = new PracticeControls({
    settings,
    counters: new Counters(clock),
    faults: new Faults(state),
    entra,
    users,
    nowMs: () => clock.nowMs(),
    application: application.id,
    key: Buffer.from(random.bytes(24)).toString('base64url'),
    userCount: seed.users,
  })
  const pem = lasting(db, 'signing-key', newSigningKey)
  const tokens = new Tokens({ pem, tenantId: state.tenantId, clock, random })
  return { state, controls, users, entra, tokens, application, editor, ...accounts }
}

type StateParts = Pick<TenantState, 'db' | 'clock' | 'random' | 'log' | 'seed' | 'settings'> & {
  readonly users: UserRows
  readonly entra: EntraRows
}

const tenantState = ({ users, entra, ...parts }: StateParts): TenantState => ({
  ...parts,
  tenantId: seededUuid(parts.seed.seed, 'tenant', parts.seed.name),
  user: (name) => users.get(name),
  users: () => users.all(),
  basicAccount: (name, password) => {
    const id = entra.basicUserId(name, password)
    return id === undefined ? undefined : users.find(id)
  },
  isSentinel: (user, name) => new RegExp(`^${name}(-[^@]*)?@`, 'i').test(user.userPrincipalName),
})

/** Joins routes, door and filters. */
const buildDispatcher = (
  tenant: OpenTenant,
  ownOrigin: (role: HostRole) => string,
  parts: readonly TenantPart[],
): Dispatcher => {
  const { state, controls, users, entra, tokens } = tenant
  const { clock, random, log, seed, settings } = state
  const gatekeeper = new Gate({ tokens, tenantName: seed.name, ownOrigin, permissionsFor })
  const tokenLifetimeSeconds = (): number =>
    controls.tokenLifetimeSeconds ??
    TOKEN_SECONDS.least + Math.floor(random.fraction() * TOKEN_SECONDS.spread)
  const router = new Router()
  const login = entraRoutes({
    state,
    rows: entra,
    tokens,
    domain: domainOf(seed),
    ownOrigin,
    isPrincipal: (name) => users.find(name) !== undefined,
    tokenLifetimeSeconds,
  })
  const batch = batchRoute({ dispatcher: () => dispatcher, gatekeeper, random })
  const own = directory(state, users, entra)
  const routes = [
    ...login,
    ...own,
    ...practiceRoutes(controls),
    batch,
    ...parts.flatMap((part) => part(state)),
  ]
  for (const route of routes) router.add(route)
  const limits = () => controls.limits
  const throttling = new Throttling({ clock, settings, limits, tenantId: state.tenantId })
  const dispatcher = new Dispatcher({
    router,
    gatekeeper,
    filters: [controls.counters, throttling, controls.faults],
    clock,
    random,
    log,
    note: (call, status, route, token) => noteCall(controls.counters, call, { status, route, token }),
  })
  return dispatcher
}

const noteCall = (
  counters: Counters,
  call: Call,
  answer: { status: number; route: Route | undefined; token: AccessToken | undefined },
): void => {
  const agent = call.headers['user-agent']
  counters.note(
    {
      role: call.role,
      method: call.method,
      path: call.url.pathname + call.url.search,
      ...(answer.token === undefined ? {} : { application: answer.token.applicationId }),
      ...(agent === undefined ? {} : { userAgent: agent }),
    },
    answer.status,
    answer.route,
  )
}

const issueToken = (
  backupApplication: string,
  parts: { entra: EntraRows; tokens: Tokens; state: TenantState },
  wish: TokenWish,
): string => {
  const { entra, tokens, state } = parts
  const row = entra.application(wish.application ?? backupApplication)!
  const audience = wish.audience ?? 'https://graph.microsoft.com'
  return tokens.issue({
    issuer: `https://sts.windows.net/${state.tenantId}/`,
    audience,
    application: { id: row.id, name: row.name, principalId: row.principal_id },
    roles: wish.roles ?? entra.roles(row.id, 'graph'),
    appidacr: '2',
    lifetimeSeconds: TOKEN_SECONDS.least,
  })
}
