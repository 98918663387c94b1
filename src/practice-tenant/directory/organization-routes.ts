import type { JsonObject } from '#base'
import { GraphError, type Handler, type PracticeUser, type Route } from '../core/contract.ts'
import { seededUuid } from '../seed/ids.ts'
import { directoryRoute, userRow, type DirectoryParts } from './directory-parts.ts'
import { listed, listingOf, single } from './listing.ts'
import {
  ASSIGNED_PLANS,
  ENTERPRISE_SKU,
  EXCHANGE_PLAN,
  SHAREPOINT_PLAN,
  TENANT_CREATED,
} from './user-document.ts'
import { notInDirectory } from './user-rows.ts'

const titled = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1)

const organizationDocument = (parts: DirectoryParts): JsonObject => ({
  id: parts.state.tenantId,
  deletedDateTime: null,
  assignedPlans: ASSIGNED_PLANS,
  businessPhones: [],
  city: null,
  country: null,
  countryLetterCode: 'DE',
  createdDateTime: TENANT_CREATED,
  defaultUsageLocation: null,
  displayName: titled(parts.state.seed.name),
  marketingNotificationEmails: [],
  onPremisesLastSyncDateTime: null,
  onPremisesSyncEnabled: null,
  postalCode: null,
  preferredLanguage: 'en',
  privacyProfile: null,
  provisionedPlans: [],
  securityComplianceNotificationMails: [],
  securityComplianceNotificationPhones: [],
  state: null,
  street: null,
  technicalNotificationMails: [],
  tenantType: 'AAD',
  verifiedDomains: [
    {
      capabilities: 'Email, OfficeCommunicationsOnline',
      isDefault: true,
      isInitial: true,
      name: parts.domain,
      type: 'Managed',
    },
  ],
})

const domainDocument = (parts: DirectoryParts): JsonObject => ({
  authenticationType: 'Managed',
  availabilityStatus: null,
  id: parts.domain,
  isAdminManaged: true,
  isDefault: true,
  isInitial: true,
  isRoot: true,
  isVerified: true,
  supportedServices: ['Email', 'OfficeCommunicationsOnline'],
  passwordValidityPeriodInDays: 2147483647,
  passwordNotificationWindowInDays: 14,
})

const servicePlans = [
  {
    servicePlanId: EXCHANGE_PLAN,
    servicePlanName: 'EXCHANGE_S_ENTERPRISE',
    provisioningStatus: 'Success',
    appliesTo: 'User',
  },
  {
    servicePlanId: SHAREPOINT_PLAN,
    servicePlanName: 'SHAREPOINTENTERPRISE',
    provisioningStatus: 'Success',
    appliesTo: 'User',
  },
]

const skuDocument = (parts: DirectoryParts): JsonObject => {
  const consumed = parts.state.db
    .prepare<[], { count: number }>(
      'SELECT count(*) AS count FROM users WHERE licensed = 1 AND deleted_at IS NULL',
    )
    .get()!.count
  return {
    id: `${parts.state.tenantId}_${ENTERPRISE_SKU}`,
    accountId: parts.state.tenantId,
    accountName: parts.state.seed.name,
    appliesTo: 'User',
    capabilityStatus: 'Enabled',
    consumedUnits: consumed,
    prepaidUnits: { enabled: consumed + 10, suspended: 0, warning: 0, lockedOut: 0 },
    servicePlans,
    skuId: ENTERPRISE_SKU,
    skuPartNumber: 'ENTERPRISEPACK',
    subscriptionIds: [],
  }
}

const licenseDetails =
  (parts: DirectoryParts): Handler =>
  (request) => {
    const row = userRow(parts, request.params['user']!)
    const id = seededUuid(parts.state.seed.seed, 'license', row.id)
    const details = { id, servicePlans, skuId: ENTERPRISE_SKU, skuPartNumber: 'ENTERPRISEPACK' }
    return listed(
      request,
      listingOf(row.licensed === 1 ? [details] : [], { set: 'licenseDetails', type: 'licenseDetails' }),
    )
  }

const zone = { name: 'W. Europe Standard Time' }

const withMailbox = (parts: DirectoryParts, name: string): PracticeUser => {
  const user = parts.users.get(name)
  if (user.mailboxKind !== 'none') return user
  throw new GraphError(
    404,
    'MailboxNotEnabledForRESTAPI',
    'The mailbox is either inactive, soft-deleted, or is hosted on-premise.',
  )
}

const mailboxSettings =
  (parts: DirectoryParts): Handler =>
  (request) => {
    const user = withMailbox(parts, request.params['user']!)
    return single(request, settingsListing, {
      archiveFolder: null,
      automaticRepliesSetting: {
        status: 'disabled',
        externalAudience: 'none',
        internalReplyMessage: '',
        externalReplyMessage: '',
        scheduledStartDateTime: { dateTime: '2026-01-01T00:00:00.0000000', timeZone: 'UTC' },
        scheduledEndDateTime: { dateTime: '2026-01-02T00:00:00.0000000', timeZone: 'UTC' },
      },
      dateFormat: 'dd.MM.yyyy',
      delegateMeetingMessageDeliveryOptions: 'sendToDelegateOnly',
      language: { locale: 'en-US', displayName: 'English (United States)' },
      timeFormat: 'HH:mm',
      timeZone: zone.name,
      userPurpose: user.mailboxKind,
      workingHours: {
        daysOfWeek: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'],
        startTime: '08:00:00.0000000',
        endTime: '17:00:00.0000000',
        timeZone: zone,
      },
    })
  }

const settingsListing = {
  set: 'users/mailboxSettings',
  type: 'mailboxSettings',
  known: new Set([
    'archiveFolder', 'automaticRepliesSetting', 'dateFormat', 'delegateMeetingMessageDeliveryOptions', 'language',
    'timeFormat', 'timeZone', 'userPurpose', 'workingHours',
  ]),
} // prettier-ignore

const SETTINGS_PERMISSIONS = ['MailboxSettings.Read', 'MailboxSettings.ReadWrite']

const mailboxSettingsRoutes = (parts: DirectoryParts): readonly Route[] => {
  const route = (path: string, handler: Handler): Route => ({
    role: 'graph',
    method: 'GET',
    path,
    area: 'outlook',
    permissions: SETTINGS_PERMISSIONS,
    pool: (request) => parts.users.get(request.params['user']!).id,
    handler,
  })
  const purpose: Handler = (request) => {
    const { mailboxKind } = withMailbox(parts, request.params['user']!)
    const context = `${request.origin('graph')}/v1.0/$metadata#Edm.String`
    return { status: 200, json: { '@odata.context': context, value: mailboxKind } }
  }
  return [
    route('/users/:user/mailboxSettings', mailboxSettings(parts)),
    route('/users/:user/mailboxSettings/userPurpose', purpose),
  ]
}

/** The organization, its domains and licences, and the settings of mailboxes. */
export const organizationRoutes = (parts: DirectoryParts): readonly Route[] => {
  const organizations = () =>
    listingOf([organizationDocument(parts)], { set: 'organization', type: 'organization' })
  const one: Handler = (request) => {
    if (request.params['organization']!.toLowerCase() !== parts.state.tenantId) {
      throw notInDirectory(request.params['organization']!)
    }
    return single(request, organizations(), organizationDocument(parts))
  }
  const domains = () => listingOf([domainDocument(parts)], { set: 'domains', type: 'domain' })
  const skus = () => listingOf([skuDocument(parts)], { set: 'subscribedSkus', type: 'subscribedSku' })
  const domainPermissions = [
    'Domain.Read.All',
    'Domain.ReadWrite.All',
    'Directory.Read.All',
    'Directory.ReadWrite.All',
  ]
  return [
    directoryRoute('GET', '/organization', (request) => listed(request, organizations())),
    directoryRoute('GET', '/organization/:organization', one),
    directoryRoute('GET', '/domains', (request) => listed(request, domains()), {
      permissions: domainPermissions,
    }),
    directoryRoute('GET', '/subscribedSkus', (request) => listed(request, skus()), { units: 3 }),
    directoryRoute('GET', '/users/:user/licenseDetails', licenseDetails(parts)),
    ...mailboxSettingsRoutes(parts),
  ]
}
