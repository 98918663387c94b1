import { invalid, notBuilt, type Secret } from '#base'
import type { ConnectionSettingsInput } from './organization.ts'
import { needed, readBase64, readFlag, readGuid, readSecret, readText } from './read-input.ts'

export type SettingsName = 'exchangeOnlineSettings' | 'sharePointOnlineSettings'

const LONGEST_ACCOUNT = 320
const LONGEST_SECRET = 1_024
/** Base64 characters: more than any certificate that signs in to Entra ID needs. */
const LARGEST_CERTIFICATE = 1_000_000

/** Accounts as Entra ID allows them, in any script, at a domain with a dot. */
const ACCOUNT =
  /^[\p{L}\p{N}_][\p{L}\p{N}\p{M}'._!#^~+-]*@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?\.)+[\p{L}\p{N}-]{2,63}$/u
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/i
const THUMBPRINT = /^(?:[0-9a-f]{2}[: ]?){19}[0-9a-f]{2}$/i

export interface CertificateInput {
  readonly pfxBase64: Secret
  readonly password?: Secret
}

/** Connection settings that are complete in themselves; whether Microsoft accepts them is not known yet. */
export interface AcceptedSettings {
  readonly account?: string
  /** Absent for application-only organizations: theirs is not kept. */
  readonly password?: Secret
  readonly grantAdminAccess: boolean
  readonly useMfa: boolean
  readonly useApplicationOnlyAuth: boolean
  readonly useCustomVeeamAADApplication: boolean
  readonly sharePointSaveAllWebParts: boolean
  /** As given; only with useApplicationOnlyAuth. */
  readonly officeOrganizationName?: string
  readonly applicationId: string
  readonly applicationSecret?: Secret
  readonly certificate?: CertificateInput
  readonly thumbprint?: string
}

const readAccount = (input: ConnectionSettingsInput, at: string): string | undefined => {
  const property = `${at}.account`
  const account = readText(input.account, property, LONGEST_ACCOUNT)
  if (account !== undefined && !ACCOUNT.test(account))
    throw invalid(`${property} is not an account like name@contoso.onmicrosoft.com`, property)
  return account
}

const readOrganizationName = (input: ConnectionSettingsInput, at: string): string | undefined => {
  const property = `${at}.officeOrganizationName`
  const name = readText(input.officeOrganizationName, property, 253)
  if (name !== undefined && !DOMAIN.test(name))
    throw invalid(`${property} is not a domain like contoso.onmicrosoft.com`, property)
  return name
}

const readThumbprint = (input: ConnectionSettingsInput, at: string): string | undefined => {
  const property = `${at}.applicationCertificateThumbprint`
  const thumbprint = readText(input.applicationCertificateThumbprint, property, 64)
  if (thumbprint !== undefined && !THUMBPRINT.test(thumbprint))
    throw invalid(`${property} is not a thumbprint of 40 hexadecimal digits`, property)
  return thumbprint?.replace(/[: ]/g, '').toUpperCase()
}

const readCertificate = (input: ConnectionSettingsInput, at: string): CertificateInput | undefined => {
  const property = `${at}.applicationCertificatePassword`
  const pfxBase64 = readBase64(
    input.applicationCertificate,
    `${at}.applicationCertificate`,
    LARGEST_CERTIFICATE,
  )
  const password = readSecret(input.applicationCertificatePassword, property, LONGEST_SECRET)
  if (pfxBase64 === undefined && password !== undefined)
    throw invalid(`${property} is given without ${at}.applicationCertificate`, property)
  if (pfxBase64 === undefined) return undefined
  return { pfxBase64, ...(password === undefined ? {} : { password }) }
}

type Draft = Omit<AcceptedSettings, 'applicationId'> & { readonly applicationId?: string }

const without = <Value extends object>(
  value: Value,
): { [Name in keyof Value]: Exclude<Value[Name], undefined> } =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as never

const readDraft = (input: ConnectionSettingsInput, at: string): Draft => {
  const flag = (name: keyof ConnectionSettingsInput & `${'use' | 'grant' | 'share'}${string}`): boolean =>
    readFlag(input[name] as boolean | undefined, `${at}.${name}`) ?? false
  return without({
    account: readAccount(input, at),
    password: readSecret(input.password, `${at}.password`, LONGEST_SECRET),
    grantAdminAccess: flag('grantAdminAccess'),
    useMfa: flag('useMfa'),
    useApplicationOnlyAuth: flag('useApplicationOnlyAuth'),
    useCustomVeeamAADApplication: flag('useCustomVeeamAADApplication'),
    sharePointSaveAllWebParts: flag('sharePointSaveAllWebParts'),
    officeOrganizationName: readOrganizationName(input, at),
    applicationId: readGuid(input.applicationId, `${at}.applicationId`),
    applicationSecret: readSecret(input.applicationSecret, `${at}.applicationSecret`, LONGEST_SECRET),
    certificate: readCertificate(input, at),
    thumbprint: readThumbprint(input, at),
  }) as Draft
}

const checkExclusions = (draft: Draft, at: string): void => {
  if (draft.applicationSecret !== undefined && draft.certificate !== undefined)
    throw invalid(
      `${at}.applicationSecret and ${at}.applicationCertificate exclude each other`,
      `${at}.applicationSecret`,
    )
  if (draft.useApplicationOnlyAuth && draft.useMfa)
    throw invalid(`${at}.useMfa and ${at}.useApplicationOnlyAuth exclude each other`, `${at}.useMfa`)
  if (draft.useCustomVeeamAADApplication && draft.applicationId !== undefined)
    throw invalid(
      `${at}.useCustomVeeamAADApplication and ${at}.applicationId exclude each other`,
      `${at}.useCustomVeeamAADApplication`,
    )
  if (draft.useCustomVeeamAADApplication)
    throw invalid(
      `Holdfast has no application of its own at Microsoft: register one and give ${at}.applicationId`,
      `${at}.useCustomVeeamAADApplication`,
    )
}

const checkApplication = (draft: Draft, at: string): string => {
  if (draft.applicationId === undefined && !draft.useMfa && !draft.useApplicationOnlyAuth)
    throw invalid(
      `${at}.applicationId is needed: Microsoft 365 no longer serves an account and password alone`,
      `${at}.applicationId`,
    )
  const applicationId = needed(draft.applicationId, `${at}.applicationId`)
  if (draft.applicationSecret === undefined && draft.certificate === undefined)
    throw invalid(
      `${at}.applicationSecret or ${at}.applicationCertificate is needed`,
      draft.thumbprint === undefined ? `${at}.applicationSecret` : `${at}.applicationCertificate`,
    )
  return applicationId
}

/** Checks settings by the rules of their variant. Throws `invalid` naming the property below `at`. */
export const acceptSettings = (input: ConnectionSettingsInput, at: SettingsName): AcceptedSettings => {
  const draft = readDraft(input, at)
  checkExclusions(draft, at)
  if (draft.useApplicationOnlyAuth) {
    needed(draft.officeOrganizationName, `${at}.officeOrganizationName`)
    const { password: _unused, ...kept } = draft
    return { ...kept, applicationId: checkApplication(draft, at) }
  }
  needed(draft.account, `${at}.account`)
  needed(draft.password, `${at}.password`)
  const { officeOrganizationName: _unused, ...kept } = draft
  return { ...kept, applicationId: checkApplication(draft, at) }
}

/** Applications that Holdfast would have to make at Microsoft by a device code. */
export const refuseNewApplication = (input: {
  readonly newApplicationName?: unknown
  readonly configureApplication?: unknown
}): void => {
  const isAsked = input.configureApplication === true || (input.newApplicationName ?? '') !== ''
  if (isAsked) throw notBuilt('making or configuring an application at Microsoft is not built yet')
}
