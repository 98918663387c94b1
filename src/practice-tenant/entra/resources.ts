import type { HostRole } from '../core/contract.ts'
import { hostPlaces } from '../core/hosts.ts'

/** A service with roles of its own. Tokens are for one of them. */
export type Resource = 'graph' | 'exchange' | 'sharepoint'

const APP_IDS: Readonly<Record<string, Resource>> = {
  '00000003-0000-0000-c000-000000000000': 'graph',
  '00000002-0000-0ff1-ce00-000000000000': 'exchange',
  '00000003-0000-0ff1-ce00-000000000000': 'sharepoint',
}

export const RESOURCE_APP_IDS: Readonly<Record<Resource, string>> = {
  graph: '00000003-0000-0000-c000-000000000000',
  exchange: '00000002-0000-0ff1-ce00-000000000000',
  sharepoint: '00000003-0000-0ff1-ce00-000000000000',
}

export const resourceOfRole = (role: HostRole): Resource | undefined => {
  switch (role) {
    case 'graph':
      return 'graph'
    case 'outlook':
      return 'exchange'
    case 'sharepoint':
    case 'mysite':
      return 'sharepoint'
    case 'login':
      return undefined
  }
}

/** The service that an audience or scope (without `/.default`) names: by its address at Microsoft or here, or by its id. */
export const resourceOf = (
  audience: string,
  tenantName: string,
  ownOrigin: (role: HostRole) => string,
): Resource | undefined => {
  const name = audience.replace(/\/+$/, '').toLowerCase()
  const byId = APP_IDS[name] ?? APP_IDS[name.replace(/^(spn|api):(\/\/)?/, '')]
  if (byId !== undefined) return byId
  const own = (['graph', 'outlook', 'sharepoint', 'mysite'] as const).find((role) => ownOrigin(role) === name)
  if (own !== undefined) return resourceOfRole(own)
  if (!name.startsWith('https://')) return undefined
  const place = hostPlaces(tenantName).get(name.slice('https://'.length))
  return place === undefined ? undefined : resourceOfRole(place.role)
}
