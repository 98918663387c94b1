import { Type } from 'typebox'
import { links } from '../contract/pages.ts'
import { flag, integer, moment, needed, object, oneOf, part, secret, text, uuid } from '../contract/schema.ts'

const TYPES = ['Office365', 'OnPremises', 'Hybrid'] as const
const REGIONS = ['Worldwide', 'USgovCommunity', 'Germany', 'China', 'USgovDefence'] as const

/** A certificate is a file: some megabytes in base64. */
const MAX_CERTIFICATE = 8_000_000

export const OnlineSettings = object('OnlineSettings', {
  useApplicationOnlyAuth: flag(),
  officeOrganizationName: text({ description: 'contoso.onmicrosoft.com' }),
  sharePointSaveAllWebParts: flag(),
  account: text({ description: 'User principal name.' }),
  password: secret({ description: 'With MFA, the app password of the account.' }),
  grantAdminAccess: flag(),
  useMfa: flag(),
  useCustomVeeamAADApplication: flag(),
  applicationId: uuid(),
  applicationSecret: secret({ description: 'Either this or applicationCertificate.' }),
  applicationCertificate: secret({
    maxLength: MAX_CERTIFICATE,
    description: 'A PFX file in base64. Either this or applicationSecret.',
  }),
  applicationCertificatePassword: secret(),
  applicationCertificateThumbprint: text(),
})

export const ExchangeServerSettings = object('ExchangeServerSettings', {
  serverName: text(),
  username: text(),
  password: secret(),
  useSSL: flag(),
  skipCAverification: flag(),
  skipCommonnameverification: flag(),
  skipRevocationcheck: flag(),
  grantImpersonation: flag(),
  configureThrottlingPolicy: flag({ names: { v6: 'configureThrottlingpolicy' } }),
})

export const SharePointServerSettings = object('SharePointServerSettings', {
  serverName: text(),
  serverPort: integer({ minimum: 1, maximum: 65_535 }),
  username: text(),
  password: secret(),
  useSSL: flag(),
  skipCAverification: flag(),
  skipCommonnameverification: flag(),
  skipRevocationcheck: flag(),
  grantAccessToSiteCollections: flag({ names: { v6: 'grantAccesstositecollections' } }),
})

const Actions = Type.Unsafe<Readonly<Record<string, never>>>({
  type: 'object',
  additionalProperties: object('Action', { uri: text(), method: text() }),
})

export const Organization = object('Organization', {
  id: uuid({ readOnly: true }),
  type: oneOf(TYPES),
  region: oneOf(REGIONS, {
    values: { v6: { USgovCommunity: 'USGovernment', USgovDefence: 'USDefence' } },
  }),
  name: text(),
  officeName: text({ readOnly: true }),
  description: text({ since: 'v7' }),
  msid: uuid({ since: 'v8', readOnly: true }),
  isExchangeOnline: flag(),
  isSharePointOnline: flag(),
  isTeamsOnline: flag({ since: 'v5' }),
  isTeamsChatsOnline: flag({ since: 'v6' }),
  exchangeOnlineSettings: part(OnlineSettings),
  sharePointOnlineSettings: part(OnlineSettings),
  isExchange: flag(),
  exchangeSettings: part(ExchangeServerSettings),
  isSharePoint: flag({ names: { v6: 'isSharepoint' } }),
  sharePointSettings: part(SharePointServerSettings, { names: { v6: 'sharepointSettings' } }),
  configureApplication: flag({ writeOnly: true }),
  userCode: text({ writeOnly: true }),
  newApplicationName: text({ writeOnly: true }),
  isBackedup: flag({ readOnly: true }),
  firstBackuptime: moment({ readOnly: true }),
  lastBackuptime: moment({ readOnly: true }),
  _links: links(),
  _actions: part(Actions, { readOnly: true }),
})

/** The tenant's own organization as it is told to the tenant. */
export const OwnOrganization = object('LoggedInOrganization', {
  id: text(),
  type: oneOf(TYPES),
  name: text(),
  description: text({ since: 'v7' }),
  isBackedup: flag(),
  firstBackuptime: moment(),
  lastBackuptime: moment(),
  _links: links(),
  _actions: part(Actions),
})

export const UsedRepository = object('UsedRepository', {
  repositoryId: uuid({ since: 'v8' }),
  usedSpaceBytes: integer({ format: 'int64' }),
  localCacheUsedSpaceBytes: integer({ format: 'int64' }),
  objectStorageUsedSpaceBytes: integer({ format: 'int64' }),
  isAvailable: flag(),
  details: text(),
  _links: links(),
})

const LOCATIONS = ['OnPremises', 'Cloud', 'Hybrid'] as const

export const User = object('User', {
  id: text(),
  displayName: text(),
  name: text({ description: 'User principal name.' }),
  type: oneOf(['User', 'Shared', 'Public']),
  locationType: oneOf(LOCATIONS),
  msid: uuid({ since: 'v8' }),
  _links: links(),
})

export const Group = object('Group', {
  id: text(),
  displayName: text(),
  name: text(),
  managedBy: text(),
  site: text(),
  type: oneOf(['Office365', 'Security', 'Distribution', 'DynamicDistribution']),
  locationType: oneOf(LOCATIONS),
  msid: uuid({ since: 'v8' }),
  _links: links(),
})

export const GroupMember = object('GroupMember', {
  groupId: text(),
  name: text(),
  login: text(),
  type: oneOf(['Unknown', 'User', 'Group']),
  isCloud: flag(),
  _links: links(),
})

export const UserQuery = Type.Object({
  name: text({ until: 'v6' }),
  userName: text(),
  displayName: text(),
  locationFilter: oneOf(LOCATIONS, { since: 'v6' }),
})

export const GroupQuery = Type.Object({
  name: text({ until: 'v6' }),
  groupName: text(),
  displayName: text(),
  locationFilter: oneOf(LOCATIONS, { since: 'v6' }),
})

export const ExtendedView = Type.Object({
  extendedView: flag({ since: 'v6', description: 'Everything is answered either way.' }),
})

/** In the contract's word, which means OneDrive too: a drive is a library of a personal site. */
export const VersionBackupOptions = object('VersionBackupOptions', {
  sharePointBackupMode: oneOf(['All', 'Latest'], {
    description:
      'Which versions of a new or changed file are protected: all that the service has, or the latest.',
  }),
})

export const OrganizationBody = Type.Object(
  { ...Organization.properties, type: needed(Organization.properties.type) },
  { $id: 'OrganizationToAdd' },
)
