import type { AccountState, EntraRows, Grant } from '../entra/entra-rows.ts'
import type { UserRows } from '../directory/user-rows.ts'
import type { TenantSettings } from './contract.ts'
import { GraphError } from './contract.ts'
import type { Counters } from './counters.ts'
import type { Faults } from './faults.ts'
import { publishedLimits, type Limits } from './throttling.ts'

export interface AccountChange {
  readonly password?: string
  readonly appPassword?: string
  readonly mfa?: boolean
  readonly state?: AccountState
}

export interface ControlParts {
  readonly settings: TenantSettings
  readonly counters: Counters
  readonly faults: Faults
  readonly entra: EntraRows
  readonly users: UserRows
  readonly nowMs: () => number
  /** The application meant when none is named. */
  readonly application: string
  readonly key: string
  readonly userCount: number
}

/** What is decided outside the tenant's APIs: portals of administrators, limits, faults. */
export class PracticeControls {
  readonly settings: TenantSettings
  readonly counters: Counters
  readonly faults: Faults
  /** Opens `/_practice/…`. */
  readonly key: string
  readonly #parts: ControlParts
  #limits: Limits
  #tokenLifetimeSeconds: number | undefined

  constructor(parts: ControlParts) {
    this.settings = parts.settings
    this.counters = parts.counters
    this.faults = parts.faults
    this.key = parts.key
    this.#parts = parts
    this.#limits = publishedLimits(parts.userCount)
  }

  get limits(): Limits {
    return this.#limits
  }

  setLimits(limits: Partial<Limits>): void {
    this.#limits = { ...this.#limits, ...limits }
  }

  get tokenLifetimeSeconds(): number | undefined {
    return this.#tokenLifetimeSeconds
  }

  /** Absent: 60 to 90 minutes, by chance. */
  setTokenLifetime(seconds: number | undefined): void {
    this.#tokenLifetimeSeconds = seconds
  }

  /** New roles are in new tokens only. */
  grant(grants: readonly Grant[], application = this.#parts.application): void {
    this.#parts.entra.grant(application, grants)
  }

  revoke(grants: readonly Grant[], application = this.#parts.application): void {
    this.#parts.entra.revoke(application, grants)
  }

  /** Registers a certificate (PEM) and returns its SHA-256 thumbprint in hex. */
  registerCertificate(pem: string, application = this.#parts.application): string {
    return this.#parts.entra.addCertificate(application, pem)
  }

  addSecret(secret: string, application = this.#parts.application): void {
    this.#parts.entra.addSecret(application, secret)
  }

  expireSecrets(application = this.#parts.application): void {
    this.#parts.entra.expireSecrets(application, this.#parts.nowMs())
  }

  setApplicationEnabled(enabled: boolean, application = this.#parts.application): void {
    this.#parts.entra.setApplicationEnabled(application, enabled)
  }

  /** Gives a user of the directory a password, an app password, MFA or a state; what is absent stays. */
  setAccount(name: string, change: AccountChange): void {
    const { entra, users } = this.#parts
    const user = users.get(name)
    const known = entra.accountOf(user.id)
    entra.setAccount({
      user_id: user.id,
      name: user.userPrincipalName,
      password: change.password ?? known?.password ?? null,
      app_password: change.appPassword ?? known?.app_password ?? null,
      mfa: change.mfa === undefined ? (known?.mfa ?? 0) : Number(change.mfa),
      state: change.state ?? known?.state ?? 'ok',
    })
  }

  /** The person at the other screen: signs in as `account`, or declines. */
  answerDeviceCode(code: string, account: string | undefined): void {
    const { entra, users } = this.#parts
    const row = entra.device(code)
    if (row === undefined) throw new GraphError(404, 'itemNotFound', 'There is no such device code.')
    if (account === undefined) return entra.setDevice(row.code, 'declined', null)
    entra.setDevice(row.code, 'approved', users.get(account).id)
  }
}
