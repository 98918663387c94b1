import { HoldfastError, invalid, isHoldfastError, type Clock, type Secret } from '#base'
import type { DirectoryOrganization } from '#items'
import type {
  ApplicationCredentials,
  CertificateFacts,
  Connectors,
  PermissionFinding,
  Region,
  TenantVerification,
  Workload,
} from '../connectors/connectors.ts'
import type { AcceptedSettings, SettingsName } from './connection-input.ts'
import type { AcceptedOrganization } from './organization-input.ts'
import type { OrganizationVerification } from './organization.ts'

const WORKLOADS: Readonly<Record<SettingsName, readonly Workload[]>> = {
  exchangeOnlineSettings: ['directory', 'mail'],
  sharePointOnlineSettings: ['directory', 'onedrive'],
}
const SOON_MS = 30 * 24 * 3_600_000

export interface VerifiedOrganization {
  readonly directory: DirectoryOrganization
  readonly verification: OrganizationVerification
  /** By settings; absent where a secret is used. */
  readonly thumbprints: Readonly<Partial<Record<SettingsName, string>>>
}

export const credentialsOf = (settings: AcceptedSettings): ApplicationCredentials => ({
  applicationId: settings.applicationId,
  ...(settings.applicationSecret === undefined ? {} : { secret: settings.applicationSecret }),
  ...(settings.certificate === undefined ? {} : { certificate: settings.certificate }),
})

/** The tenant to sign in to: the named one, else the account's. */
const tenantOf = (settings: AcceptedSettings): string =>
  settings.officeOrganizationName ?? settings.account!.slice(settings.account!.indexOf('@') + 1)

/** Says which property of the settings an error of signing in is about. */
const PROPERTY_OF_REASON: ReadonlyMap<string, string> = new Map([
  ['AADSTS7000215', 'applicationSecret'],
  ['AADSTS7000222', 'applicationSecret'],
  ['AADSTS700027', 'applicationCertificate'],
  ['AADSTS700016', 'applicationId'],
  ['AADSTS7000112', 'applicationId'],
  ['AADSTS90002', ''],
])

const atSettings = (error: unknown, at: SettingsName, settings: AcceptedSettings): unknown => {
  if (!isHoldfastError(error, 'invalid')) return error
  const known = error.reason === undefined ? undefined : PROPERTY_OF_REASON.get(error.reason)
  const name = known === '' ? (settings.useApplicationOnlyAuth ? 'officeOrganizationName' : 'account') : known
  return new HoldfastError('invalid', error.message, {
    cause: error,
    property: `${at}.${name ?? 'applicationId'}`,
    ...(error.reason === undefined ? {} : { reason: error.reason }),
  })
}

const missingPermissions = (
  permissions: readonly PermissionFinding[],
  purpose: 'backup' | 'restore',
): string => {
  const missing = permissions.filter(({ isGranted, neededFor }) => !isGranted && neededFor === purpose)
  const byWorkload = Map.groupBy(missing, ({ workload }) => workload)
  return [...byWorkload]
    .map(
      ([workload, findings]) => `${workload}: ${findings.map(({ anyOf }) => anyOf.join(' or ')).join(', ')}`,
    )
    .join('; ')
}

interface PartFindings {
  readonly result: TenantVerification
  readonly thumbprint?: string
  readonly warnings: readonly string[]
}

/** Tries credentials at Microsoft. Throws `invalid` naming the property, or `unavailable`. Changes nothing. */
export class TenantVerifier {
  readonly #connectors: Connectors
  readonly #clock: Clock

  constructor(parts: { readonly connectors: Connectors; readonly clock: Clock }) {
    this.#connectors = parts.connectors
    this.#clock = parts.clock
  }

  async verify(organization: AcceptedOrganization): Promise<VerifiedOrganization> {
    const findings = new Map<SettingsName, PartFindings>()
    for (const [at, settings] of Object.entries(organization.parts) as [SettingsName, AcceptedSettings][])
      findings.set(at, await this.#verifyPart(organization.region, at, settings))
    const [first, second] = [...findings]
    const directory = first![1].result.organization
    if (second !== undefined && second[1].result.organization.tenantId !== directory.tenantId)
      throw invalid(`${second[0]} and ${first![0]} are of different tenants`, `${second[0]}.account`)
    return {
      directory,
      thumbprints: Object.fromEntries([...findings].map(([at, { thumbprint }]) => [at, thumbprint])),
      verification: {
        verifiedAt: this.#clock.now(),
        warnings: [...new Set([...findings.values()].flatMap(({ warnings }) => warnings))],
        permissions: [...findings.values()].flatMap(({ result }) => result.permissions),
      },
    }
  }

  async #verifyPart(region: Region, at: SettingsName, settings: AcceptedSettings): Promise<PartFindings> {
    const certificate = await this.#inspectCertificate(at, settings)
    const accountWarning = await this.#verifyAccount(region, at, settings)
    const result = await this.#signIn(region, at, settings)
    const missing = missingPermissions(result.permissions, 'backup')
    if (missing !== '')
      throw invalid(
        `the application lacks permissions that a backup needs (application permissions, with consent). ${missing}`,
        `${at}.applicationId`,
      )
    const forRestore = missingPermissions(result.permissions, 'restore')
    const warnings = [
      accountWarning,
      forRestore === '' ? undefined : `the application lacks permissions that a restore needs. ${forRestore}`,
      certificate && this.#endsSoon(certificate),
      settings.grantAdminAccess
        ? `${at}.grantAdminAccess has no effect: permissions are granted to the application in Entra ID`
        : undefined,
    ].filter((warning) => warning !== undefined)
    return { result, warnings, ...(certificate === undefined ? {} : { thumbprint: certificate.thumbprint }) }
  }

  async #inspectCertificate(
    at: SettingsName,
    settings: AcceptedSettings,
  ): Promise<CertificateFacts | undefined> {
    if (settings.certificate === undefined) return undefined
    const { pfxBase64, password } = settings.certificate
    const facts = await this.#connectors.inspectCertificate(pfxBase64, password).catch((error: unknown) => {
      if (!isHoldfastError(error, 'invalid')) throw error
      const property = error.property ?? 'applicationCertificate'
      throw new HoldfastError('invalid', error.message, { cause: error, property: `${at}.${property}` })
    })
    const thumbprint = facts.thumbprint.toUpperCase()
    if (settings.thumbprint !== undefined && settings.thumbprint !== thumbprint)
      throw invalid(
        `${at}.applicationCertificateThumbprint is not the thumbprint of ${at}.applicationCertificate`,
        `${at}.applicationCertificateThumbprint`,
      )
    return { ...facts, thumbprint }
  }

  /** A warning when Microsoft no longer tries passwords. */
  async #verifyAccount(
    region: Region,
    at: SettingsName,
    settings: AcceptedSettings,
  ): Promise<string | undefined> {
    const { account, password } = settings as { account?: string; password?: Secret }
    if (account === undefined || password === undefined) return undefined
    const verification = await this.#connectors.verifyAccount({ region, account, password })
    if (verification.outcome === 'refused')
      throw invalid(`Microsoft refuses the account or its password: ${verification.reason}`, `${at}.password`)
    return verification.outcome === 'retired'
      ? `the password of ${at}.account could not be tried: ${verification.reason}`
      : undefined
  }

  async #signIn(region: Region, at: SettingsName, settings: AcceptedSettings): Promise<TenantVerification> {
    const connection = { region, tenant: tenantOf(settings), application: credentialsOf(settings) }
    await using tenant = this.#connectors.connect(connection)
    return await tenant.verify(WORKLOADS[at]).catch((error: unknown) => {
      throw atSettings(error, at, settings)
    })
  }

  #endsSoon(certificate: CertificateFacts): string | undefined {
    if (certificate.notAfter.getTime() - this.#clock.nowMs() > SOON_MS) return undefined
    return `the certificate ${certificate.thumbprint} ends on ${certificate.notAfter.toISOString().slice(0, 10)}`
  }
}
