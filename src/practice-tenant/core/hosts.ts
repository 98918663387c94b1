import type { HostRole } from './contract.ts'

/** The names under which one Microsoft cloud is reached. `sharepoint` is what follows the tenant's name. */
export interface Cloud {
  readonly login: readonly string[]
  readonly graph: string
  readonly outlook: readonly string[]
  readonly sharepoint: string
}

export const CLOUDS: readonly Cloud[] = [
  {
    login: ['login.microsoftonline.com', 'login.windows.net', 'login.microsoft.com', 'sts.windows.net'],
    graph: 'graph.microsoft.com',
    outlook: ['outlook.office365.com', 'outlook.office.com'],
    sharepoint: 'sharepoint.com',
  },
  {
    login: ['login.microsoftonline.us'],
    graph: 'graph.microsoft.us',
    outlook: ['outlook.office365.us'],
    sharepoint: 'sharepoint.us',
  },
  {
    login: ['login.microsoftonline.us'],
    graph: 'dod-graph.microsoft.us',
    outlook: ['outlook-dod.office365.us', 'webmail.apps.mil'],
    sharepoint: 'sharepoint-mil.us',
  },
  {
    login: ['login.partner.microsoftonline.cn', 'login.chinacloudapi.cn'],
    graph: 'microsoftgraph.chinacloudapi.cn',
    outlook: ['partner.outlook.cn'],
    sharepoint: 'sharepoint.cn',
  },
  {
    login: ['login.microsoftonline.de'],
    graph: 'graph.microsoft.de',
    outlook: ['outlook.office.de'],
    sharepoint: 'sharepoint.de',
  },
]

export interface HostPlace {
  readonly role: HostRole
  readonly cloud: Cloud
}

const placesOf = (cloud: Cloud, tenant: string): [string, HostPlace][] => [
  ...cloud.login.map((name): [string, HostPlace] => [name, { role: 'login', cloud }]),
  [cloud.graph, { role: 'graph', cloud }],
  ...cloud.outlook.map((name): [string, HostPlace] => [name, { role: 'outlook', cloud }]),
  [`${tenant}.${cloud.sharepoint}`, { role: 'sharepoint', cloud }],
  [`${tenant}-admin.${cloud.sharepoint}`, { role: 'sharepoint', cloud }],
  [`${tenant}-my.${cloud.sharepoint}`, { role: 'mysite', cloud }],
]

/** Every name that the practice tenant answers to, with the part it plays. The first cloud with a name has it. */
export const hostPlaces = (tenant: string): ReadonlyMap<string, HostPlace> => {
  const places = new Map<string, HostPlace>()
  for (const [name, place] of CLOUDS.flatMap((cloud) => placesOf(cloud, tenant))) {
    if (!places.has(name)) places.set(name, place)
  }
  return places
}

/** `https://graph.microsoft.us`: the address of a role in a cloud. */
export const cloudOrigin = (cloud: Cloud, role: HostRole, tenant: string): string => {
  switch (role) {
    case 'login':
      return `https://${cloud.login[0]}`
    case 'graph':
      return `https://${cloud.graph}`
    case 'outlook':
      return `https://${cloud.outlook[0]}`
    case 'sharepoint':
      return `https://${tenant}.${cloud.sharepoint}`
    case 'mysite':
      return `https://${tenant}-my.${cloud.sharepoint}`
  }
}

export const ROLES: readonly HostRole[] = ['login', 'graph', 'outlook', 'sharepoint', 'mysite']
