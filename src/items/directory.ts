import type { JsonObject } from '#base'

export interface DirectoryUser {
  readonly id: string
  readonly displayName: string
  readonly userPrincipalName: string
  readonly mail?: string
  readonly isEnabled: boolean
  readonly isGuest: boolean
  /** Has at least one licence. Shared and room mailboxes have none and are protected all the same. */
  readonly isLicensed: boolean
  readonly onPremisesSync: boolean
  readonly location?: string
  readonly graph: JsonObject
}

export interface DirectoryGroup {
  readonly id: string
  readonly displayName: string
  readonly mail?: string
  readonly kind: 'office365' | 'security' | 'mailEnabledSecurity' | 'distribution'
  readonly isDynamic: boolean
  readonly graph: JsonObject
}

export interface DirectoryOrganization {
  /** The tenant's GUID. */
  readonly tenantId: string
  readonly displayName: string
  /** `contoso.onmicrosoft.com`. */
  readonly initialDomain: string
  readonly defaultDomain: string
  readonly graph: JsonObject
}
