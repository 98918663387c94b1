import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NEWEST, type Version } from '#api'
import { silentLogger, type Clock, type Logger } from '#base'
import { startPracticeTenant, type PracticeTenant, type PracticeTenantOptions } from '#practice-tenant'
import { startServer, type RunningServer, type ServerOptions } from '#server'
import { HttpClient, VersionClient } from './http-client.ts'

export interface WorldOptions {
  readonly users?: number
  /** Messages in each mailbox. */
  readonly mails?: number
  /** Files in each drive. */
  readonly files?: number
  readonly seed?: number
  readonly tenant?: Omit<PracticeTenantOptions, 'seed'>
  readonly server?: Partial<ServerOptions>
  readonly clock?: Clock
  readonly log?: Logger
}

export interface AddedOrganization {
  readonly id: string
  readonly name: string
}

/** A Microsoft 365 tenant and a Holdfast server beside it, in this process and in a folder that goes with them. */
export interface World extends AsyncDisposable {
  readonly tenant: PracticeTenant
  readonly server: RunningServer
  readonly client: HttpClient
  /** For whatever a test has to put somewhere. */
  readonly folder: string
  /** The administrator's password. */
  readonly password: string
  /** An access token of the administrator. */
  readonly token: string
  /** The API as the administrator. */
  api(version?: Version): VersionClient
  /** The API as whoever has this account and password. */
  as(account: string, password: string, version?: Version): Promise<VersionClient>
  /** The body of `POST /Organizations` for an organization with MFA and legacy protocols. */
  organizationRequest(): OrganizationRequest
  addOrganization(version?: Version): Promise<AddedOrganization>
  /** Stops the server and starts it again on the same data. */
  restart(): Promise<void>
  /** Stops the server, throws its data folder away, and starts another one beside the same tenant. */
  loseServer(): Promise<void>
}

export interface OrganizationRequest {
  readonly type: 'Office365'
  readonly region: 'Worldwide'
  readonly isExchangeOnline: true
  readonly isSharePointOnline: true
  readonly exchangeOnlineSettings: OnlineSettings
  readonly sharePointOnlineSettings: OnlineSettings
}

interface OnlineSettings {
  readonly account: string
  readonly password: string
  readonly grantAdminAccess: boolean
  readonly useMfa: boolean
  readonly applicationId: string
  readonly applicationSecret: string
}

/** Boots a world: `await using world = await startWorld({ users: 3 })`. */
export const startWorld = async (options: WorldOptions = {}): Promise<World> => {
  await using opened = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-world-'))
  opened.defer(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  const tenant = opened.use(await startTenant(options))
  const running = new Running(options, tenant, folder)
  opened.defer(() => running.stop())
  await running.start()
  const closing = opened.move()
  return {
    tenant,
    folder,
    get server() {
      return running.server
    },
    get client() {
      return running.client
    },
    get token() {
      return running.token
    },
    get password() {
      return running.password
    },
    api: (version = NEWEST) => new VersionClient(running.client, version, running.token),
    as: async (account, password, version = NEWEST) =>
      new VersionClient(running.client, version, await logIn(running.client, account, password)),
    organizationRequest: () => organizationRequest(tenant),
    addOrganization: async (version = 'v4') => {
      const api = new VersionClient(running.client, version, running.token)
      const answer = await api.post('/Organizations', organizationRequest(tenant))
      if (answer.status >= 300) throw new Error(`adding failed: ${answer.status} ${answer.text}`)
      return answer.json<AddedOrganization>()
    },
    restart: async () => {
      await running.stop()
      await running.start()
    },
    loseServer: async () => {
      await running.stop()
      rmSync(join(folder, 'data'), { recursive: true, maxRetries: 3 })
      await running.start()
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  }
}

const startTenant = (options: WorldOptions): Promise<PracticeTenant> => {
  const { users = 3, mails = 5, files = 5, seed = 1, clock } = options
  return startPracticeTenant({
    throttling: false,
    ...(clock === undefined ? {} : { clock }),
    ...options.tenant,
    seed: { users, mails, files, seed },
  })
}

const FIRST_ADMINISTRATOR = 'administrator'

/** A server that can be stopped and started again. */
class Running {
  readonly #options: WorldOptions
  readonly #tenant: PracticeTenant
  readonly #folder: string
  #server: RunningServer | undefined
  #client: HttpClient | undefined
  #token = ''
  #password = ''

  constructor(options: WorldOptions, tenant: PracticeTenant, folder: string) {
    this.#options = options
    this.#tenant = tenant
    this.#folder = folder
  }

  get server(): RunningServer {
    if (this.#server === undefined) throw new Error('the server does not run')
    return this.#server
  }
  get client(): HttpClient {
    if (this.#client === undefined) throw new Error('the server does not run')
    return this.#client
  }
  get token(): string {
    return this.#token
  }
  get password(): string {
    return this.#password
  }

  async start(): Promise<void> {
    const { server = {}, clock, log = silentLogger } = this.#options
    this.#server = await startServer(
      {
        dataFolder: join(this.#folder, 'data'),
        host: '127.0.0.1',
        port: 0,
        loginsPerMinute: 100_000,
        ...server,
        microsoft365: {
          proxyUrl: this.#tenant.proxyUrl,
          caFiles: [this.#tenant.caFile],
          ...server.microsoft365,
        },
      },
      { log, ...(clock === undefined ? {} : { clock }) },
    )
    this.#client = new HttpClient(this.#server.url, this.#server.caFile)
    this.#password = this.#server.firstPassword?.reveal() ?? this.#password
    this.#token = await logIn(this.#client, FIRST_ADMINISTRATOR, this.#password)
  }

  async stop(): Promise<void> {
    await this.#client?.[Symbol.asyncDispose]()
    await this.#server?.stop()
    this.#client = undefined
    this.#server = undefined
  }
}

const logIn = async (client: HttpClient, account: string, password: string): Promise<string> => {
  const body = new URLSearchParams({ grant_type: 'password', username: account, password }).toString()
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await client.send('/v8/token', { method: 'POST', body, headers })
  if (answer.status !== 200) throw new Error(`log-in failed: ${answer.status} ${answer.text}`)
  return answer.json<{ access_token: string }>().access_token
}

type AdminAccount = PracticeTenant['admin']

const organizationRequest = ({
  admin,
  sharepointAdmin,
  application,
}: PracticeTenant): OrganizationRequest => {
  const settings = (account: AdminAccount): OnlineSettings => ({
    account: account.account,
    password: account.appPassword,
    grantAdminAccess: true,
    useMfa: true,
    applicationId: application.id,
    applicationSecret: application.secret,
  })
  return {
    type: 'Office365',
    region: 'Worldwide',
    isExchangeOnline: true,
    isSharePointOnline: true,
    exchangeOnlineSettings: settings(admin),
    sharePointOnlineSettings: settings(sharepointAdmin),
  }
}
