import type { Secret } from '#base'
import type { PermissionFinding, Region } from '../connectors/connectors.ts'

export type OrganizationType = 'Office365' | 'OnPremises' | 'Hybrid'

/** How one part (Exchange or SharePoint) of an online organization is reached. Holds no secret. */
export interface ConnectionSettings {
  readonly useApplicationOnlyAuth: boolean
  /** `contoso.onmicrosoft.com`. */
  readonly officeOrganizationName: string
  readonly sharePointSaveAllWebParts: boolean
  readonly account?: string
  readonly grantAdminAccess: boolean
  readonly useMfa: boolean
  readonly useCustomVeeamAADApplication?: boolean
  readonly applicationId: string
  /** SHA-1 of the certificate in upper-case hex; absent where a secret is used. */
  readonly applicationCertificateThumbprint?: string
}

/** What was found out when the credentials were last accepted. */
export interface OrganizationVerification {
  readonly verifiedAt: Date
  /** For people: permissions missing for restore, basic authentication retired, a certificate that ends soon. */
  readonly warnings: readonly string[]
  readonly permissions: readonly PermissionFinding[]
}

export interface Organization {
  readonly id: string
  readonly type: OrganizationType
  readonly region: Region
  /** The tenant's default domain name. */
  readonly name: string
  /** The tenant's initial domain, `contoso.onmicrosoft.com`. */
  readonly officeName: string
  readonly description?: string
  /** The tenant's GUID: `msid` of v8. */
  readonly tenantId: string
  readonly isExchangeOnline: boolean
  readonly isSharePointOnline: boolean
  readonly exchangeOnlineSettings?: ConnectionSettings
  readonly sharePointOnlineSettings?: ConnectionSettings
  readonly isBackedUp: boolean
  readonly firstBackupTime?: Date
  readonly lastBackupTime?: Date
  readonly verification: OrganizationVerification
}

/** A secret as the edge has it. Wrap it early; both are taken. */
export type SecretInput = string | Secret

/** Empty strings and null count as absent everywhere. */
export type Given<Value> = Value | null | undefined

export interface ConnectionSettingsInput {
  readonly account?: Given<string>
  readonly password?: Given<SecretInput>
  readonly grantAdminAccess?: Given<boolean>
  readonly useMfa?: Given<boolean>
  readonly useApplicationOnlyAuth?: Given<boolean>
  readonly officeOrganizationName?: Given<string>
  readonly applicationId?: Given<string>
  readonly applicationSecret?: Given<SecretInput>
  /** Base64 of a PFX file; white space is dropped. */
  readonly applicationCertificate?: Given<SecretInput>
  readonly applicationCertificatePassword?: Given<SecretInput>
  readonly applicationCertificateThumbprint?: Given<string>
  readonly useCustomVeeamAADApplication?: Given<boolean>
  readonly sharePointSaveAllWebParts?: Given<boolean>
}

export interface OnPremisesSettingsInput {
  readonly serverName?: Given<string>
  readonly serverPort?: Given<number>
  readonly username?: Given<string>
  readonly password?: Given<SecretInput>
  readonly useSSL?: Given<boolean>
  readonly skipCAverification?: Given<boolean>
  readonly skipCommonnameverification?: Given<boolean>
  readonly skipRevocationcheck?: Given<boolean>
  readonly grantImpersonation?: Given<boolean>
  readonly configureThrottlingPolicy?: Given<boolean>
  readonly grantAccessToSiteCollections?: Given<boolean>
}

/** The body of adding or changing an organization, in the newest model's words. Values of enumerations in any letter case. */
export interface OrganizationInput {
  readonly type?: Given<string>
  /** The v4 names, or `USGovernment` and `USDefence`. */
  readonly region?: Given<string>
  readonly name?: Given<string>
  readonly description?: Given<string>
  readonly isExchangeOnline?: Given<boolean>
  readonly isSharePointOnline?: Given<boolean>
  readonly exchangeOnlineSettings?: Given<ConnectionSettingsInput>
  readonly sharePointOnlineSettings?: Given<ConnectionSettingsInput>
  readonly isExchange?: Given<boolean>
  readonly isSharePoint?: Given<boolean>
  readonly exchangeSettings?: Given<OnPremisesSettingsInput>
  readonly sharePointSettings?: Given<OnPremisesSettingsInput>
  readonly userCode?: Given<string>
  readonly newApplicationName?: Given<string>
  readonly configureApplication?: Given<boolean>
}

export interface UsedRepository {
  readonly organizationId: string
  readonly repositoryId: string
  readonly repositoryName: string
  /** Bytes that this organization's shards hold; undefined where the storage does not tell. */
  readonly usedSpaceBytes?: number
  readonly isInObjectStorage?: boolean
  readonly isAvailable: boolean
  readonly details?: string
}
