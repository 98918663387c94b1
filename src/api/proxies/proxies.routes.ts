import type { Proxies, Proxy } from '#engine'
import { Type } from 'typebox'
import {
  answersList,
  answersNothing,
  answersObject,
  cut,
  type Call,
  type Operation,
} from '../contract/operation.ts'
import { links } from '../contract/pages.ts'
import { verbs } from '../contract/verbs.ts'
import { flag, integer, listOf, needed, object, oneOf, part, text, uuid } from '../contract/schema.ts'
import { administrator } from '../edge/policies.ts'
import { BackupRepository } from '../repositories/backup-repository.schema.ts'
import { presentRepository } from '../repositories/backup-repositories.routes.ts'

const InternetProxySettings = object('InternetProxySettings', {
  hostName: text(),
  port: integer(),
  useAuthentication: flag(),
  username: text(),
})

const Role = Type.Unsafe<'Orchestrator' | 'Scheduler' | 'Processor'>({
  type: 'string',
  enum: ['Unknown', 'Orchestrator', 'Scheduler', 'ApplianceProcessor', 'Processor'],
})

export const ProxySchema = object('Proxy', {
  id: uuid(),
  isDefault: flag({ until: 'v6' }),
  type: oneOf(['Local', 'Domain', 'Workgroup'], { since: 'v6' }),
  hostName: text(),
  fqdn: text({ since: 'v7' }),
  description: text(),
  port: integer(),
  operatingSystem: oneOf(['Windows', 'Linux'], { since: 'v8' }),
  threadsNumber: integer({ until: 'v8' }),
  enableNetworkThrottling: flag(),
  throttlingValue: integer({ format: 'int64' }),
  throttlingUnit: oneOf(['Mbps', 'MBs', 'KBs']),
  useInternetProxy: flag(),
  internetProxyType: oneOf(['FromManagementServer', 'Custom']),
  internetProxySettings: part(InternetProxySettings),
  status: oneOf(['Online', 'Offline']),
  proxyPoolId: uuid({ since: 'v8' }),
  maintenanceModeState: oneOf(['Disabled', 'Enabling', 'Enabled'], { since: 'v8' }),
  version: text({ since: 'v8' }),
  role: listOf(Role, { since: 'v8' }),
  _links: links(),
})

/** What programs send of a proxy. The built-in one has no account and runs with the server's own. */
const ProxyBody = object('ProxyToSave', {
  hostName: text({ maxLength: 255 }),
  description: text({ maxLength: 4096 }),
  port: integer({ minimum: 1, maximum: 65_535 }),
  useInternetProxy: flag(),
  enableNetworkThrottling: flag({ description: 'Whether traffic is kept within throttlingValue' }),
  throttlingValue: integer({ format: 'int64', minimum: 0 }),
  throttlingUnit: oneOf(['Mbps', 'MBs', 'KBs']),
})

const RescanOptions = object('ProxiesToRescan', {
  proxies: listOf(object('ProxyToRescan', { id: needed(uuid()) }), { description: 'All unless told' }),
})

const ExtendedView = Type.Object({ extendedView: flag({ since: 'v6', until: 'v8' }) })

const tag = 'Proxy'
const access = administrator
const status = { v4: 200 }

/** Backup proxies: the one that is built into the server. */
export const proxyOperations = (proxies: Proxies): readonly Operation[] => [
  answersList(
    ProxySchema,
    { pagedSince: 'v8' },
    {
      method: 'GET',
      path: '/Proxies',
      tag,
      summary: 'All backup proxies',
      access,
      query: ExtendedView,
      status,
      handle: async (call) => {
        const page = await proxies.list(call.principal, call.window)
        return { ...page, items: page.items.map((proxy) => presentProxy(proxy, call)) }
      },
    },
  ),
  answersObject(ProxySchema, {
    method: 'GET',
    path: '/Proxies/{proxyId}',
    tag,
    summary: 'One backup proxy',
    access,
    query: ExtendedView,
    status,
    handle: async (call) =>
      presentProxy(await proxies.get(call.principal, call.params['proxyId'] ?? ''), call),
  }),
  answersNothing({
    method: 'PUT',
    path: '/Proxies/{proxyId}',
    tag,
    summary: 'Changes a backup proxy; what is left out stays',
    access,
    body: ProxyBody,
    status: { v4: 200, v8: 204 },
    handle: async (call) => {
      await proxies.update(call.principal, call.params['proxyId'] ?? '', call.body)
    },
  }),
  answersNothing({
    method: 'POST',
    path: '/Proxies/Rescan',
    since: 'v6',
    tag,
    summary: 'Looks anew at the repositories of backup proxies',
    access,
    body: RescanOptions,
    status: { v6: 200, v8: 204 },
    handle: async (call) => {
      await proxies.rescan(
        call.principal,
        call.body.proxies?.map(({ id }) => id),
      )
    },
  }),
  ...verbs('/Proxies/{proxyId}', [
    answersNothing({
      method: 'POST',
      path: '/Proxies/{proxyId}/Rescan',
      tag,
      summary: 'Looks anew at the repositories of a backup proxy',
      access,
      status: { v4: 200, v8: 204 },
      handle: async (call) => {
        await proxies.rescan(call.principal, [call.params['proxyId'] ?? ''])
      },
    }),
  ]),
  answersList(
    BackupRepository,
    { pagedSince: 'v8' },
    {
      method: 'GET',
      path: '/Proxies/{proxyId}/Repositories',
      tag,
      summary: 'The repositories that a proxy works on',
      access,
      status,
      handle: async (call) => {
        const found = await proxies.repositories(call.principal, call.params['proxyId'] ?? '')
        return cut(
          found.map((repository) => presentRepository(repository, call)),
          call.window,
        )
      },
    },
  ),
]

const presentProxy = (proxy: Proxy, { link }: Pick<Call, 'link'>) => ({
  ...proxy,
  isDefault: true,
  _links: {
    self: link(`/proxies/${proxy.id}`),
    repositories: link(`/proxies/${proxy.id}/repositories`),
  },
})
