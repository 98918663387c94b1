import type { JsonObject } from '#base'
import { TENANT_CREATED } from './user-document.ts'

export interface GroupWish {
  readonly displayName: string
  readonly mailNickname: string
  readonly mailEnabled: boolean
  readonly securityEnabled: boolean
  readonly groupTypes: readonly string[]
  readonly visibility?: string
  readonly description?: string
  readonly membershipRule?: string
}

/** A group with every property that Graph gives. */
export const groupDocument = (
  id: string,
  wish: GroupWish,
  more: { readonly domain: string; readonly created?: string },
): JsonObject => {
  const mail = wish.mailEnabled ? `${wish.mailNickname}@${more.domain}` : null
  const isUnified = wish.groupTypes.includes('Unified')
  const created = more.created ?? TENANT_CREATED
  return {
    id,
    classification: null,
    createdDateTime: created,
    deletedDateTime: null,
    description: wish.description ?? null,
    displayName: wish.displayName,
    expirationDateTime: null,
    groupTypes: [...wish.groupTypes],
    isAssignableToRole: null,
    mail,
    mailEnabled: wish.mailEnabled,
    mailNickname: wish.mailNickname,
    membershipRule: wish.membershipRule ?? null,
    membershipRuleProcessingState: wish.membershipRule === undefined ? null : 'On',
    onPremisesDomainName: null,
    onPremisesLastSyncDateTime: null,
    onPremisesNetBiosName: null,
    onPremisesProvisioningErrors: [],
    onPremisesSamAccountName: null,
    onPremisesSecurityIdentifier: null,
    onPremisesSyncEnabled: null,
    preferredDataLocation: null,
    preferredLanguage: null,
    proxyAddresses: mail === null ? [] : [`SMTP:${mail}`],
    renewedDateTime: created,
    resourceBehaviorOptions: [],
    resourceProvisioningOptions: [],
    securityEnabled: wish.securityEnabled,
    theme: null,
    visibility: wish.visibility ?? (isUnified ? 'Public' : null),
  }
}
