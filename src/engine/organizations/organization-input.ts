import { invalid, notBuilt } from '#base'
import type { Region } from '../connectors/connectors.ts'
import {
  acceptSettings,
  refuseNewApplication,
  type AcceptedSettings,
  type SettingsName,
} from './connection-input.ts'
import { checkOnPremises } from './on-premises-input.ts'
import type { OrganizationInput, OrganizationType } from './organization.ts'
import { needed, readDescription, readFlag, readWord } from './read-input.ts'

export const ORGANIZATION_TYPES: readonly OrganizationType[] = ['Office365', 'OnPremises', 'Hybrid']
export const REGIONS: readonly Region[] = ['Worldwide', 'USgovCommunity', 'USgovDefence', 'Germany', 'China']
const REGION_ALIASES: ReadonlyMap<string, Region> = new Map([
  ['usgovernment', 'USgovCommunity'],
  ['usdefence', 'USgovDefence'],
])

/** Reads a region by its name in any version of the API. */
export const readRegion = (value: string | null | undefined, property = 'region'): Region | undefined =>
  readWord(value, property, REGIONS, REGION_ALIASES)

/** What was asked for, complete in itself. */
export interface AcceptedOrganization {
  readonly region: Region
  readonly description?: string
  readonly parts: Readonly<Partial<Record<SettingsName, AcceptedSettings>>>
}

const PARTS = [
  ['isExchangeOnline', 'exchangeOnlineSettings'],
  ['isSharePointOnline', 'sharePointOnlineSettings'],
] as const

const acceptParts = (input: OrganizationInput): AcceptedOrganization['parts'] => {
  const wanted = PARTS.filter(([flag]) => readFlag(input[flag], flag) ?? false)
  if (wanted.length === 0)
    throw invalid('isExchangeOnline or isSharePointOnline has to be true', 'isExchangeOnline')
  return Object.fromEntries(
    wanted.map(([, name]) => {
      const settings = needed(input[name] ?? undefined, name)
      if (typeof settings !== 'object') throw invalid(`${name} has to be an object`, name)
      return [name, acceptSettings(settings, name)]
    }),
  )
}

/**
 * Reads a whole organization. Throws `invalid` naming the property, and `not-built` for what is right but on premises.
 */
export const acceptOrganization = (input: OrganizationInput): AcceptedOrganization => {
  const type = needed(readWord(input.type, 'type', ORGANIZATION_TYPES), 'type')
  const region = readRegion(input.region) ?? 'Worldwide'
  const description = readDescription(input.description, 'description')
  if (type !== 'Office365') {
    if (type === 'Hybrid') acceptParts(input)
    checkOnPremises(input)
    throw notBuilt(`organizations of type ${type} are not built yet: nothing was added`)
  }
  refuseNewApplication(input)
  return { region, parts: acceptParts(input), ...(description === undefined ? {} : { description }) }
}
