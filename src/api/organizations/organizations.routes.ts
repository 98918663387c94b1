import { Secret } from '#base'
import type {
  ConnectionSettingsInput,
  OnPremisesSettingsInput,
  OrganizationInput,
  Organizations,
  Principal,
} from '#engine'
import { notFound } from '#base'
import type { Static } from 'typebox'
import { answersList, answersNothing, answersObject, cut, type Operation } from '../contract/operation.ts'
import { administrator, administratorOrOwner, organizationInPath, tenant } from '../edge/policies.ts'
import {
  ExtendedView,
  Organization,
  OrganizationBody,
  OwnOrganization,
  UsedRepository,
  VersionBackupOptions,
} from './organization.schema.ts'
import { presentOrganization, presentOwnOrganization, presentUsedRepository } from './present-organization.ts'

const tag = 'Organization'
/** A certificate travels in the body. */
const bodyLimitBytes = 8 * 1024 * 1024

/** Organizations: adding them, changing them, removing them, and what they use. */
export const organizationOperations = (organizations: Organizations): readonly Operation[] => [
  answersList(
    Organization,
    { pagedSince: 'v8' },
    {
      method: 'GET',
      path: '/Organizations',
      tag,
      summary: 'All organizations, by name',
      access: administratorOrOwner,
      query: ExtendedView,
      status: { v4: 200 },
      handle: async (call) => {
        const page = await organizations.list(call.principal, call.window)
        return { ...page, items: page.items.map((each) => presentOrganization(each, call)) }
      },
    },
  ),
  answersObject(Organization, {
    method: 'POST',
    path: '/Organizations',
    tag,
    summary: 'Adds an organization after its credentials were tried at Microsoft 365',
    access: administrator,
    body: OrganizationBody,
    bodyLimitBytes,
    status: { v4: 201, v6: 200, v8: 201 },
    handle: async (call) => {
      const added = await organizations.add(call.principal, inputOf(call.body))
      return presentOrganization(added, call)
    },
  }),
  answersObject(Organization, {
    method: 'GET',
    path: '/Organizations/{organizationId}',
    tag,
    summary: 'One organization',
    access: organizationInPath,
    query: ExtendedView,
    status: { v4: 200 },
    handle: async (call) =>
      presentOrganization(await organizations.get(call.principal, idIn(call.params)), call),
  }),
  answersNothing({
    method: 'PUT',
    path: '/Organizations/{organizationId}',
    tag,
    summary: 'Changes an organization; what is left out stays, secrets too',
    access: administrator,
    body: Organization,
    bodyLimitBytes,
    status: { v4: 200, v6: 204 },
    handle: async (call) => {
      await organizations.update(call.principal, idIn(call.params), inputOf(call.body))
    },
  }),
  answersNothing({
    method: 'DELETE',
    path: '/Organizations/{organizationId}',
    tag,
    summary: 'Removes an organization; what was backed up stays',
    access: administrator,
    status: { v4: 200, v5: 204 },
    handle: async (call) => organizations.remove(call.principal, idIn(call.params)),
  }),
  answersList(
    UsedRepository,
    { pagedSince: 'v6' },
    {
      method: 'GET',
      path: '/Organizations/{organizationId}/usedRepositories',
      tag,
      summary: 'The repositories that hold data of the organization',
      access: organizationInPath,
      status: { v4: 200 },
      handle: async (call) => {
        const used = await organizations.usedRepositories(call.principal, idIn(call.params))
        return cut(
          used.map((each) => presentUsedRepository(each, call)),
          call.window,
        )
      },
    },
  ),
  ...versionBackupOptions(organizations),
  ...ownOrganization(organizations),
]

const versionBackupOptions = (organizations: Organizations): readonly Operation[] => {
  const path = '/Organizations/{organizationId}/versionBackupOptions'
  return [
    answersObject(VersionBackupOptions, {
      method: 'GET',
      path,
      since: 'v8',
      tag,
      summary: 'Which versions of files are protected',
      access: organizationInPath,
      status: { v8: 200 },
      handle: async ({ principal, params }) => ({
        sharePointBackupMode: await organizations.versionBackupMode(principal, idIn(params)),
      }),
    }),
    answersNothing({
      method: 'PUT',
      path,
      since: 'v8',
      tag,
      summary: 'Sets which versions of files are protected, from the next run on',
      access: administrator,
      body: VersionBackupOptions,
      status: { v8: 204 },
      handle: async ({ principal, params, body }) => {
        const mode = body.sharePointBackupMode
        if (mode !== undefined) await organizations.setVersionBackupMode(principal, idIn(params), mode)
      },
    }),
  ]
}

const ownOrganization = (organizations: Organizations): readonly Operation[] => {
  const own = {
    method: 'GET',
    path: '/Organization',
    tag,
    summary: 'The organization of the tenant who asks',
    access: tenant,
    status: { v4: 200 },
  } as const
  return [
    answersObject(Organization, {
      ...own,
      until: 'v6',
      handle: async (call) =>
        presentOrganization(await organizations.get(call.principal, ownId(call.principal)), call),
    }),
    answersObject(OwnOrganization, {
      ...own,
      since: 'v6',
      handle: async (call) =>
        presentOwnOrganization(await organizations.get(call.principal, ownId(call.principal)), call),
    }),
  ]
}

const ownId = (principal: Principal): string => {
  if (principal.kind === 'organization') return principal.organizationId
  throw notFound('the caller belongs to no organization')
}

const idIn = (params: Readonly<Record<string, string>>): string => params['organizationId'] ?? ''

const wrap = (value: string | undefined): Secret | undefined =>
  value === undefined ? undefined : new Secret(value)

type Body = Static<typeof Organization>
type Settings = Body['exchangeOnlineSettings']

const settingsOf = (settings: Settings): ConnectionSettingsInput | undefined =>
  settings === undefined
    ? undefined
    : {
        ...settings,
        password: wrap(settings.password),
        applicationSecret: wrap(settings.applicationSecret),
        applicationCertificate: wrap(settings.applicationCertificate),
        applicationCertificatePassword: wrap(settings.applicationCertificatePassword),
      }

const serverOf = <Server extends { password?: string }>(
  settings: Server | undefined,
): OnPremisesSettingsInput | undefined =>
  settings === undefined ? undefined : { ...settings, password: wrap(settings.password) }

/** The body as the engine takes it: secrets are wrapped before anything can print them. */
const inputOf = (body: Body): OrganizationInput => ({
  type: body.type,
  region: body.region,
  name: body.name,
  description: body.description,
  isExchangeOnline: body.isExchangeOnline,
  isSharePointOnline: body.isSharePointOnline,
  exchangeOnlineSettings: settingsOf(body.exchangeOnlineSettings),
  sharePointOnlineSettings: settingsOf(body.sharePointOnlineSettings),
  isExchange: body.isExchange,
  isSharePoint: body.isSharePoint,
  exchangeSettings: serverOf(body.exchangeSettings),
  sharePointSettings: serverOf(body.sharePointSettings),
  userCode: body.userCode,
  newApplicationName: body.newApplicationName,
  configureApplication: body.configureApplication,
})
