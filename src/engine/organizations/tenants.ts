import { notFound } from '#base'
import { organizationRows, type Database } from '#database'
import type { ApplicationCredentials, Connectors, Region, Tenant } from '../connectors/connectors.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { SettingsName } from './connection-input.ts'
import { readSecrets, type StoredSecrets } from './organization-secrets.ts'
import type { ConnectionSettings } from './organization.ts'

/** The tenant as the applications that were given see it. The same object where both parts use one application. */
export interface OrganizationTenants {
  readonly directory: Tenant
  /** Present when Exchange Online is protected. */
  readonly mail?: Tenant
  /** Present when SharePoint Online and OneDrive are protected. */
  readonly onedrive?: Tenant
}

const credentialsOf = (settings: ConnectionSettings, stored: StoredSecrets): ApplicationCredentials => {
  const { applicationSecret, applicationCertificate, applicationCertificatePassword } = stored
  if (applicationCertificate === undefined)
    return {
      applicationId: settings.applicationId,
      ...(applicationSecret === undefined ? {} : { secret: applicationSecret }),
    }
  const password =
    applicationCertificatePassword === undefined ? {} : { password: applicationCertificatePassword }
  return {
    applicationId: settings.applicationId,
    certificate: { pfxBase64: applicationCertificate, ...password },
  }
}

const isSameApplication = (left: ApplicationCredentials, right: ApplicationCredentials): boolean =>
  left.applicationId === right.applicationId &&
  (left.secret?.reveal() ?? left.certificate?.pfxBase64.reveal()) ===
    (right.secret?.reveal() ?? right.certificate?.pfxBase64.reveal())

/**
 * The open connections to tenants: one per organization and application, shared by all that work on it, so that they
 * share one limiter. Do not dispose of what it hands out.
 */
export class Tenants implements AsyncDisposable {
  readonly #database: Database
  readonly #secrets: Secrets
  readonly #connectors: Connectors
  readonly #open = new Map<string, Promise<OrganizationTenants>>()
  readonly #replaced: OrganizationTenants[] = []

  constructor(parts: {
    readonly database: Database
    readonly secrets: Secrets
    readonly connectors: Connectors
  }) {
    this.#database = parts.database
    this.#secrets = parts.secrets
    this.#connectors = parts.connectors
  }

  /** Throws `not-found` for an organization that is gone. */
  of(organizationId: string): Promise<OrganizationTenants> {
    const there = this.#open.get(organizationId)
    if (there !== undefined) return there
    const connecting = this.#connect(organizationId)
    this.#open.set(organizationId, connecting)
    connecting.catch(() => {
      if (this.#open.get(organizationId) === connecting) this.#open.delete(organizationId)
    })
    return connecting
  }

  /**
   * After a change of credentials or a removal: the next `of` connects anew. Who works on the old connection keeps it;
   * it is closed with the others.
   */
  async forget(organizationId: string): Promise<void> {
    const there = this.#open.get(organizationId)
    this.#open.delete(organizationId)
    const tenants = await there?.catch(() => undefined)
    if (tenants !== undefined) this.#replaced.push(tenants)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const organizationId of [...this.#open.keys()]) await this.forget(organizationId)
    const all = this.#replaced
      .splice(0)
      .flatMap(({ directory, mail, onedrive }) => [directory, mail, onedrive])
    for (const tenant of new Set(all)) await tenant?.[Symbol.asyncDispose]()
  }

  async #connect(organizationId: string): Promise<OrganizationTenants> {
    const { queries } = this.#database
    const row = await organizationRows.find(queries, organizationId)
    if (row === undefined) throw notFound('the organization is not known')
    const read = async (part: SettingsName): Promise<ApplicationCredentials | undefined> => {
      const settings = row[part] as ConnectionSettings | undefined
      if (settings === undefined) return undefined
      return credentialsOf(settings, await readSecrets(this.#secrets, queries, organizationId, part))
    }
    const exchange = await read('exchangeOnlineSettings')
    const sharePoint = await read('sharePointOnlineSettings')
    const open = (application: ApplicationCredentials): Tenant =>
      this.#connectors.connect({ region: row.region as Region, tenant: row.tenantId, application })
    const mail = exchange && open(exchange)
    const isShared =
      exchange !== undefined && sharePoint !== undefined && isSameApplication(exchange, sharePoint)
    const onedrive = isShared ? mail : sharePoint && open(sharePoint)
    const directory = mail ?? onedrive
    if (directory === undefined) throw notFound('the organization has no connection')
    return {
      directory,
      ...(mail === undefined ? {} : { mail }),
      ...(onedrive === undefined ? {} : { onedrive }),
    }
  }
}
