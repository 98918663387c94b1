import type { Secret } from '#base'
import type { Queries } from '#database'
import type { Secrets } from '../secrets/secrets.ts'
import type { AcceptedSettings, SettingsName } from './connection-input.ts'

/** What of an organization's settings is kept in envelopes. */
export interface StoredSecrets {
  readonly password?: Secret
  readonly applicationSecret?: Secret
  readonly applicationCertificate?: Secret
  readonly applicationCertificatePassword?: Secret
}

const FIELDS = [
  'password',
  'applicationSecret',
  'applicationCertificate',
  'applicationCertificatePassword',
] as const satisfies readonly (keyof StoredSecrets)[]

const placeOf = (organizationId: string, part: SettingsName, field: string) => ({
  table: 'organizations',
  row: organizationId,
  field: `${part}.${field}`,
})

const secretsOf = (settings: AcceptedSettings | undefined): StoredSecrets => ({
  ...(settings?.password === undefined ? {} : { password: settings.password }),
  ...(settings?.applicationSecret === undefined ? {} : { applicationSecret: settings.applicationSecret }),
  ...(settings?.certificate === undefined ? {} : { applicationCertificate: settings.certificate.pfxBase64 }),
  ...(settings?.certificate?.password === undefined
    ? {}
    : { applicationCertificatePassword: settings.certificate.password }),
})

/** Keeps the secrets of one part and removes those that it no longer has. */
export const keepSecrets = async (
  secrets: Secrets,
  queries: Queries,
  organizationId: string,
  part: SettingsName,
  settings: AcceptedSettings | undefined,
): Promise<void> => {
  const values = secretsOf(settings)
  for (const field of FIELDS) {
    const place = placeOf(organizationId, part, field)
    const value = values[field]
    if (value === undefined) await secrets.remove(queries, place)
    else await secrets.put(queries, place, value)
  }
}

export const readSecrets = async (
  secrets: Secrets,
  queries: Queries,
  organizationId: string,
  part: SettingsName,
): Promise<StoredSecrets> => {
  const found: [string, Secret][] = []
  for (const field of FIELDS) {
    const value = await secrets.find(queries, placeOf(organizationId, part, field))
    if (value !== undefined) found.push([field, value])
  }
  return Object.fromEntries(found) as StoredSecrets
}
