import type { ConnectionSettings, Organization, UsedRepository } from '#engine'
import type { DirectoryGroup, DirectoryUser } from '#items'
import type { Call } from '../contract/operation.ts'
import { toWireId } from './directory-ids.ts'

type Linking = Pick<Call, 'link'>

const organizationPath = (id: string): string => `/organizations/${id}`

const presentSettings = (settings: ConnectionSettings | undefined) =>
  settings === undefined
    ? undefined
    : {
        useApplicationOnlyAuth: settings.useApplicationOnlyAuth,
        officeOrganizationName: settings.officeOrganizationName,
        sharePointSaveAllWebParts: settings.sharePointSaveAllWebParts,
        account: settings.account,
        grantAdminAccess: settings.grantAdminAccess,
        useMfa: settings.useMfa,
        useCustomVeeamAADApplication: settings.useCustomVeeamAADApplication,
        applicationId: settings.applicationId,
        applicationCertificateThumbprint: settings.applicationCertificateThumbprint,
      }

/** An organization as all versions show it, no secret among its fields. */
export const presentOrganization = (organization: Organization, { link }: Linking) => {
  const path = organizationPath(organization.id)
  return {
    id: organization.id,
    type: organization.type,
    region: organization.region,
    name: organization.name,
    officeName: organization.officeName,
    description: organization.description,
    msid: organization.tenantId,
    isExchangeOnline: organization.isExchangeOnline,
    isSharePointOnline: organization.isSharePointOnline,
    isTeamsOnline: false,
    isTeamsChatsOnline: false,
    exchangeOnlineSettings: presentSettings(organization.exchangeOnlineSettings),
    sharePointOnlineSettings: presentSettings(organization.sharePointOnlineSettings),
    isBackedup: organization.isBackedUp,
    firstBackuptime: organization.firstBackupTime,
    lastBackuptime: organization.lastBackupTime,
    _links: {
      self: link(path),
      jobs: link(`${path}/jobs`),
      groups: link(`${path}/groups`),
      users: link(`${path}/users`),
      sites: link(`${path}/sites`),
      usedRepositories: link(`${path}/usedRepositories`),
    },
    _actions: {},
  }
}

export const presentOwnOrganization = (organization: Organization, { link }: Linking) => ({
  id: organization.id,
  type: organization.type,
  name: organization.name,
  description: organization.description,
  isBackedup: organization.isBackedUp,
  firstBackuptime: organization.firstBackupTime,
  lastBackuptime: organization.lastBackupTime,
  _links: { self: link(organizationPath(organization.id)) },
  _actions: {},
})

export const presentUsedRepository = (used: UsedRepository, { link }: Linking) => ({
  repositoryId: used.repositoryId,
  usedSpaceBytes: used.usedSpaceBytes ?? 0,
  localCacheUsedSpaceBytes: 0,
  objectStorageUsedSpaceBytes: used.isInObjectStorage === true ? (used.usedSpaceBytes ?? 0) : 0,
  isAvailable: used.isAvailable,
  details: used.details,
  _links: {
    backupRepository: link(`/backuprepositories/${used.repositoryId}`),
    organization: link(organizationPath(used.organizationId)),
  },
})

const locationOf = ({ onPremisesSync }: DirectoryUser): 'Hybrid' | 'Cloud' =>
  onPremisesSync ? 'Hybrid' : 'Cloud'

export const presentUser = (organizationId: string, user: DirectoryUser, { link }: Linking) => {
  const path = `${organizationPath(organizationId)}/users/${toWireId(user.id)}`
  return {
    id: toWireId(user.id),
    displayName: user.displayName,
    name: user.userPrincipalName,
    type: 'User' as const,
    locationType: locationOf(user),
    msid: user.id,
    _links: {
      self: link(path),
      organization: link(organizationPath(organizationId)),
      onedrives: link(`${path}/onedrives`),
    },
  }
}

const GROUP_TYPES = {
  office365: 'Office365',
  security: 'Security',
  mailEnabledSecurity: 'Security',
  distribution: 'Distribution',
} as const

export const presentGroup = (organizationId: string, group: DirectoryGroup, { link }: Linking) => {
  const path = `${organizationPath(organizationId)}/groups/${toWireId(group.id)}`
  return {
    id: toWireId(group.id),
    displayName: group.displayName,
    name: group.mail ?? group.displayName,
    type: GROUP_TYPES[group.kind],
    locationType: 'Cloud' as const,
    msid: group.id,
    _links: {
      self: link(path),
      organization: link(organizationPath(organizationId)),
      members: link(`${path}/members`),
    },
  }
}

export const presentMember = (
  organizationId: string,
  groupId: string,
  user: DirectoryUser,
  { link }: Linking,
) => ({
  groupId: toWireId(groupId),
  name: user.displayName,
  login: user.userPrincipalName,
  type: 'User' as const,
  isCloud: true,
  _links: {
    group: link(`${organizationPath(organizationId)}/groups/${toWireId(groupId)}`),
    user: link(`${organizationPath(organizationId)}/users/${toWireId(user.id)}`),
  },
})
