import type { StoredSecrets } from './organization-secrets.ts'
import type { ConnectionSettings, ConnectionSettingsInput, SecretInput } from './organization.ts'

const isGiven = (value: SecretInput | boolean | null | undefined): boolean =>
  value !== undefined && value !== null && value !== ''

const isSameText = (left: string | null | undefined, right: string | undefined): boolean =>
  left?.trim().toLowerCase() === right?.toLowerCase()

/** The application's secret or certificate: whichever was given replaces whichever was kept. */
const mergeCredentials = (
  given: ConnectionSettingsInput,
  kept: StoredSecrets,
  isOtherApplication: boolean,
): ConnectionSettingsInput => {
  if (isGiven(given.applicationSecret) || isGiven(given.applicationCertificate) || isOtherApplication)
    return {}
  const { applicationSecret, applicationCertificate, applicationCertificatePassword } = kept
  if (applicationCertificate === undefined) return { applicationSecret }
  const password = isGiven(given.applicationCertificatePassword)
    ? given.applicationCertificatePassword
    : applicationCertificatePassword
  return { applicationCertificate, applicationCertificatePassword: password }
}

/**
 * What a change leaves of the stored settings: what is not given stays. Secrets stay with what they belong to: another
 * account needs its password, another application its secret or certificate.
 */
export const mergeSettings = (
  given: ConnectionSettingsInput,
  stored: ConnectionSettings | undefined,
  kept: StoredSecrets,
): ConnectionSettingsInput => {
  if (stored === undefined) return given
  const isOtherAccount = isGiven(given.account) && !isSameText(given.account, stored.account)
  const isOtherApplication =
    isGiven(given.applicationId) && !isSameText(given.applicationId, stored.applicationId)
  const { applicationCertificateThumbprint, ...settings } = stored
  const isEchoed = isSameText(given.applicationCertificateThumbprint, applicationCertificateThumbprint)
  const present = Object.fromEntries(
    Object.entries(given).filter(([, value]) => isGiven(value as SecretInput)),
  )
  return {
    ...settings,
    ...(isOtherAccount ? {} : { password: kept.password }),
    ...present,
    ...mergeCredentials(given, kept, isOtherApplication),
    ...(isEchoed ? { applicationCertificateThumbprint: undefined } : {}),
  }
}
