import { invalid } from '#base'
import type { OnPremisesSettingsInput, OrganizationInput } from './organization.ts'
import { needed, readFlag, readSecret, readText, readWhole } from './read-input.ts'

const HOST = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i
const USER =
  /^(?:[^\\@/"[\]:;|=,+*?<>]{1,64}\\[^\\/"[\]:;|=,+*?<>]{1,104}|[^\\@/"[\]:;|=,+*?<>]{1,64}@[^\\@\s]{1,253})$/
const OVER_SSL = ['skipCAverification', 'skipCommonnameverification', 'skipRevocationcheck'] as const
const FLAGS = ['grantImpersonation', 'configureThrottlingPolicy', 'grantAccessToSiteCollections'] as const

const checkSettings = (input: OnPremisesSettingsInput, at: string): void => {
  const server = needed(readText(input.serverName, `${at}.serverName`, 253), `${at}.serverName`)
  if (!HOST.test(server)) throw invalid(`${at}.serverName is not a host name`, `${at}.serverName`)
  readWhole(input.serverPort, `${at}.serverPort`, { least: 1, most: 65_535 })
  const username = needed(readText(input.username, `${at}.username`, 320), `${at}.username`)
  if (!USER.test(username)) throw invalid(`${at}.username is not a user like DOMAIN\\user`, `${at}.username`)
  needed(readSecret(input.password, `${at}.password`, 1_024), `${at}.password`)
  const useSSL = readFlag(input.useSSL, `${at}.useSSL`) ?? false
  for (const name of OVER_SSL)
    if ((readFlag(input[name], `${at}.${name}`) ?? false) && !useSSL)
      throw invalid(`${at}.${name} needs ${at}.useSSL`, `${at}.${name}`)
  for (const name of FLAGS) readFlag(input[name], `${at}.${name}`)
}

/** Checks the on-premises parts of a hybrid or on-premises organization. Throws `invalid` naming the property. */
export const checkOnPremises = (input: OrganizationInput): void => {
  const parts = [
    ['isExchange', 'exchangeSettings'],
    ['isSharePoint', 'sharePointSettings'],
  ] as const
  const wanted = parts.filter(([flag]) => readFlag(input[flag], flag) ?? false)
  if (wanted.length === 0) throw invalid('isExchange or isSharePoint has to be true', 'isExchange')
  readText(input.name, 'name', 253)
  for (const [, settings] of wanted) checkSettings(needed(input[settings] ?? undefined, settings), settings)
}
