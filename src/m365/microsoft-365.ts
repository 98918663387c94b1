import { createHash } from 'node:crypto'
import { invalid, type Clock, type Logger, type Random, type Secret } from '#base'
import { GraphTenant } from './graph-tenant.ts'
import { hostsOf, type HostOverrides, type Region } from './hosts.ts'
import { GraphClient } from './http/graph-client.ts'
import { RETRY_LIMITS, type RetryLimits } from './http/retry-plan.ts'
import { TrafficCounter } from './http/traffic.ts'
import { Transport, type Pace } from './http/transport.ts'
import { Pools, QUOTA_LIMITS, type QuotaLimits } from './pools.ts'
import { AppTokens, type ApplicationCredentials } from './sign-in/app-tokens.ts'
import { readPfx } from './sign-in/pfx/read-pfx.ts'
import { verifyAccount, type AccountVerification, type LegacyAccount } from './sign-in/verify-account.ts'

export interface Microsoft365Options {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Hosts that an administrator set differently from Microsoft's, region by region. */
  readonly hosts?: HostOverrides
  /** PEM texts of authorities to trust besides the usual ones. */
  readonly caCertificates?: readonly string[]
  /** What HTTPS_PROXY says. */
  readonly proxyUrl?: string
  readonly userAgent?: string
  readonly limits?: Partial<Limits>
  /** Keeps all traffic with Microsoft 365 within a bandwidth. */
  readonly pace?: Pace
}

export interface Limits {
  readonly quotas: QuotaLimits
  readonly retries: RetryLimits
  /** How long the service may keep silent before and within an answer. */
  readonly silenceTimeoutMs: number
  /** Largest JSON answer that is read. */
  readonly maxJsonBytes: number
}

export interface TenantConnection {
  readonly region: Region
  /** Tenant GUID or any of its domains, such as `contoso.onmicrosoft.com`. */
  readonly tenant: string
  readonly application: ApplicationCredentials
}

export interface CertificateFacts {
  /** SHA-1 in hex, as the Entra portal shows it. */
  readonly thumbprint: string
  readonly subject: string
  readonly notBefore: Date
  readonly notAfter: Date
  readonly keyType: 'RSA' | 'ECDSA'
}

const LIMITS: Limits = {
  quotas: QUOTA_LIMITS,
  retries: RETRY_LIMITS,
  silenceTimeoutMs: 60_000,
  maxJsonBytes: 64 * 1024 * 1024,
}
/** The form that Microsoft asks for, to be told apart from other traffic. */
const USER_AGENT = 'NONISV|Holdfast|Holdfast/0.1'

/** What all connections to a tenant as one application share: allowances belong to the two, not to a connection. */
interface Session {
  readonly pools: Pools
  readonly traffic: TrafficCounter
  readonly tokens: Map<string, AppTokens>
  users: number
}

/** Microsoft 365 through Graph. Dispose of it to close its connections to the service. */
export class Microsoft365 implements AsyncDisposable {
  readonly #options: Microsoft365Options
  readonly #limits: Limits
  readonly #transport: Transport
  readonly #sessions = new Map<string, Session>()

  constructor(options: Microsoft365Options) {
    this.#options = options
    this.#limits = { ...LIMITS, ...options.limits }
    this.#transport = new Transport({
      userAgent: options.userAgent ?? USER_AGENT,
      silenceTimeoutMs: this.#limits.silenceTimeoutMs,
      pace: options.pace,
      ...(options.caCertificates === undefined ? {} : { caCertificates: options.caCertificates }),
      ...(options.proxyUrl === undefined ? {} : { proxyUrl: options.proxyUrl }),
    })
  }

  /** Cheap: nothing is asked of the service before the first call. */
  connect(connection: TenantConnection): GraphTenant {
    const { clock, random } = this.#options
    const log = this.#options.log.child({ region: connection.region, tenant: connection.tenant })
    const hosts = hostsOf(connection.region, this.#options.hosts)
    const key = JSON.stringify([
      connection.region,
      connection.tenant.toLowerCase(),
      connection.application.applicationId.toLowerCase(),
    ])
    const session = this.#sessionOf(key)
    const { traffic, pools } = session
    const common = { hosts, transport: this.#transport, clock, random, log, traffic }
    const tokens = tokensOf(session, connection, () => {
      return new AppTokens({ ...common, tenant: connection.tenant, credentials: connection.application })
    })
    const { retries, maxJsonBytes } = this.#limits
    const graph = new GraphClient({ ...common, tokens, retries, maxJsonBytes })
    let isReleased = false
    return new GraphTenant({ graph, tokens, pools, traffic, clock, log }, () => {
      if (isReleased) return
      isReleased = true
      session.users -= 1
      if (session.users === 0) this.#sessions.delete(key)
    })
  }

  /** Tries an account with its (app) password where Exchange still answers; says so when that has been retired. */
  async verifyAccount(account: LegacyAccount): Promise<AccountVerification> {
    const hosts = hostsOf(account.region, this.#options.hosts)
    return await verifyAccount(account, { hosts, transport: this.#transport })
  }

  /** Reads a PFX and judges its dates. Throws `invalid` with a message for a person. */
  async inspectCertificate(pfxBase64: Secret, password: Secret | undefined): Promise<CertificateFacts> {
    const { certificate, notBefore, notAfter, keyType } = await readPfx(pfxBase64, password)
    const now = this.#options.clock.now()
    if (notAfter <= now) throw invalid(`the certificate expired on ${dayOf(notAfter)}`)
    if (notBefore > now) throw invalid(`the certificate is not valid before ${dayOf(notBefore)}`)
    const thumbprint = certificate.fingerprint.replaceAll(':', '')
    return { thumbprint, subject: certificate.subject.replaceAll('\n', ', '), notBefore, notAfter, keyType }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#sessions.clear()
    await this.#transport[Symbol.asyncDispose]()
  }

  #sessionOf(key: string): Session {
    let session = this.#sessions.get(key)
    if (session === undefined) {
      const traffic = new TrafficCounter()
      const pools = new Pools(this.#limits.quotas, this.#options.clock, traffic)
      session = { traffic, pools, tokens: new Map(), users: 0 }
      this.#sessions.set(key, session)
    }
    session.users += 1
    return session
  }
}

export function microsoft365(options: Microsoft365Options): Microsoft365 {
  return new Microsoft365(options)
}

/** One sign-in object per set of credentials: changed ones never meet a token of the old ones. */
function tokensOf(session: Session, { application }: TenantConnection, make: () => AppTokens): AppTokens {
  const { secret, certificate } = application
  const parts = [secret?.reveal(), certificate?.pfxBase64.reveal(), certificate?.password?.reveal()]
  const key = createHash('sha256').update(JSON.stringify(parts)).digest('base64')
  const known = session.tokens.get(key)
  if (known !== undefined) return known
  const tokens = make()
  session.tokens.set(key, tokens)
  return tokens
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10)
}
