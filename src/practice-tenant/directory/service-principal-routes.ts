import type { JsonObject } from '#base'
import type { Handler, Route, TenantRequest } from '../core/contract.ts'
import type { ApplicationRow } from '../entra/entra-rows.ts'
import { GRAPH_ROLES } from '../entra/permissions.ts'
import { RESOURCE_APP_IDS, type Resource } from '../entra/resources.ts'
import { seededUuid } from '../seed/ids.ts'
import { directoryRoute, type DirectoryParts } from './directory-parts.ts'
import { listed, listingOf, single } from './listing.ts'
import { TENANT_CREATED } from './user-document.ts'
import { notInDirectory } from './user-rows.ts'

interface Role {
  readonly id: string
  readonly value: string
  readonly displayName: string
}

const SHAREPOINT_ROLES = [
  'Sites.FullControl.All',
  'User.ReadWrite.All',
  'TermStore.ReadWrite.All',
  'Sites.Read.All',
]

const rolesOf = (parts: DirectoryParts, resource: Resource): readonly Role[] => {
  switch (resource) {
    case 'graph':
      return GRAPH_ROLES
    case 'exchange':
      return [
        {
          id: 'dc890d15-9560-4a4c-9b7f-a736ec74ec40',
          value: 'full_access_as_app',
          displayName: 'Use Exchange Web Services with full access to all mailboxes',
        },
      ]
    case 'sharepoint':
      return SHAREPOINT_ROLES.map((value) => ({
        id: seededUuid(parts.state.seed.seed, 'sharepoint-role', value),
        value,
        displayName: value,
      }))
  }
}

const RESOURCE_NAMES: Readonly<Record<Resource, string>> = {
  graph: 'Microsoft Graph',
  exchange: 'Office 365 Exchange Online',
  sharepoint: 'Office 365 SharePoint Online',
}
const RESOURCES = ['graph', 'exchange', 'sharepoint'] as const

const principalId = (parts: DirectoryParts, resource: Resource): string =>
  seededUuid(parts.state.seed.seed, 'resource-principal', resource)

const principal = (about: {
  id: string
  appId: string
  name: string
  isEnabled: boolean
  roles: readonly Role[]
}): JsonObject => ({
  id: about.id,
  deletedDateTime: null,
  accountEnabled: about.isEnabled,
  alternativeNames: [],
  appDisplayName: about.name,
  appId: about.appId,
  appRoleAssignmentRequired: false,
  appRoles: about.roles.map(({ id, value, displayName }) => ({
    allowedMemberTypes: ['Application'],
    description: displayName,
    displayName,
    id,
    isEnabled: true,
    origin: 'Application',
    value,
  })),
  displayName: about.name,
  homepage: null,
  notificationEmailAddresses: [],
  replyUrls: [],
  servicePrincipalNames: [about.appId],
  servicePrincipalType: 'Application',
  tags: [],
})

const ofApplication = (row: ApplicationRow): JsonObject =>
  principal({ id: row.principal_id, appId: row.id, name: row.name, isEnabled: row.enabled === 1, roles: [] })

const ofResource = (parts: DirectoryParts, resource: Resource): JsonObject =>
  principal({
    id: principalId(parts, resource),
    appId: RESOURCE_APP_IDS[resource],
    name: RESOURCE_NAMES[resource],
    isEnabled: true,
    roles: rolesOf(parts, resource),
  })

const all = (parts: DirectoryParts): JsonObject[] => [
  ...parts.entra.applications().map(ofApplication),
  ...RESOURCES.map((resource) => ofResource(parts, resource)),
]

const named = (parts: DirectoryParts, request: TenantRequest): JsonObject => {
  const { principal: id, appId } = request.params
  const found = all(parts).find((one) =>
    appId === undefined ? one['id'] === id?.toLowerCase() : one['appId'] === appId.toLowerCase(),
  )
  if (found === undefined) throw notInDirectory(id ?? appId ?? '')
  return found
}

const assignments = (parts: DirectoryParts, holder: JsonObject): JsonObject[] =>
  parts.entra.grants(String(holder['appId'])).map(({ resource, role }) => {
    const known = RESOURCES.find((one) => one === resource) ?? 'graph'
    return {
      id: seededUuid(parts.state.seed.seed, 'assignment', String(holder['id']), resource, role),
      deletedDateTime: null,
      appRoleId: rolesOf(parts, known).find(({ value }) => value === role)?.id ?? seededUuid(0, 'role', role),
      createdDateTime: TENANT_CREATED,
      principalDisplayName: holder['displayName'],
      principalId: holder['id'],
      principalType: 'ServicePrincipal',
      resourceDisplayName: RESOURCE_NAMES[known],
      resourceId: principalId(parts, known),
    }
  })

/** Applications as the tenant knows them, and the roles that were granted to them. */
export const servicePrincipalRoutes = (parts: DirectoryParts): readonly Route[] => {
  const about = { set: 'servicePrincipals', type: 'servicePrincipal' }
  const one: Handler = (request) => single(request, listingOf(all(parts), about), named(parts, request))
  const roles: Handler = (request) =>
    listed(
      request,
      listingOf(assignments(parts, named(parts, request)), {
        set: 'appRoleAssignments',
        type: 'appRoleAssignment',
      }),
    )
  return [
    directoryRoute('GET', '/servicePrincipals', (request) => listed(request, listingOf(all(parts), about))),
    ...['/servicePrincipals/:principal', '/servicePrincipals(appId=:appId)'].flatMap((path) => [
      directoryRoute('GET', path, one),
      directoryRoute('GET', `${path}/appRoleAssignments`, roles, {
        permissions: [
          'Application.Read.All',
          'Application.ReadWrite.All',
          'AppRoleAssignment.ReadWrite.All',
          'Directory.Read.All',
        ],
      }),
    ]),
  ]
}
