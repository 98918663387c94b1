import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HoldfastError } from '#base'
import { mergeSettings } from './merge-settings.ts'
import { acceptOrganization } from './organization-input.ts'
import type { ConnectionSettings, OrganizationInput } from './organization.ts'

const GUID = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee'
const settings = (changes: object): object => ({
  account: 'a@contoso.example',
  password: 'p',
  applicationId: GUID,
  applicationSecret: 's',
  ...changes,
})

/** Whatever a client may put where something else belongs. */
const anything = fc.oneof(
  fc.anything({ maxDepth: 2 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', ' ', '\0', '__proto__', 'constructor', 'a@b', 'true', '٣', '\ud800'),
)
const NAMES = [
  'account',
  'password',
  'useMfa',
  'useApplicationOnlyAuth',
  'officeOrganizationName',
  'applicationId',
  'applicationSecret',
  'applicationCertificate',
  'applicationCertificatePassword',
  'applicationCertificateThumbprint',
  'useCustomVeeamAADApplication',
  'grantAdminAccess',
] as const

const outcomeOf = (input: unknown): 'accepted' | string => {
  try {
    acceptOrganization(input as OrganizationInput)
    return 'accepted'
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error
    return error.code
  }
}

describe('reading an organization', () => {
  it('either takes or refuses whatever a settings property holds', () => {
    const changes = fc.dictionary(fc.constantFrom(...NAMES), anything, { maxKeys: 4 })
    fc.assert(
      fc.property(changes, (change) => {
        const input = { type: 'Office365', isExchangeOnline: true, exchangeOnlineSettings: settings(change) }
        expect(['accepted', 'invalid']).toContain(outcomeOf(input))
      }),
      { numRuns: 2_000, seed: 1 },
    )
  })

  it('either takes or refuses whatever a property of its own holds', () => {
    const names = fc.constantFrom(
      'type',
      'region',
      'description',
      'isExchangeOnline',
      'isSharePointOnline',
      'exchangeOnlineSettings',
      'sharePointOnlineSettings',
      'isExchange',
      'exchangeSettings',
      'configureApplication',
      'newApplicationName',
    )
    fc.assert(
      fc.property(fc.dictionary(names, anything, { maxKeys: 3 }), (change) => {
        const input = {
          type: 'Hybrid',
          isExchangeOnline: true,
          exchangeOnlineSettings: settings({}),
          ...change,
        }
        expect(['accepted', 'invalid', 'not-built']).toContain(outcomeOf(input))
      }),
      { numRuns: 2_000, seed: 2 },
    )
  })
})

describe('merging settings', () => {
  const stored: ConnectionSettings = {
    useApplicationOnlyAuth: false,
    officeOrganizationName: 'contoso.onmicrosoft.com',
    sharePointSaveAllWebParts: false,
    account: 'a@contoso.example',
    grantAdminAccess: false,
    useMfa: true,
    applicationId: GUID,
  }

  it('changes nothing when what was read is sent back', () => {
    expect(mergeSettings(stored, stored, {})).toMatchObject(stored)
  })

  it('takes an account or application in other letter case for the same', () => {
    const merged = mergeSettings(
      { account: 'A@Contoso.example', applicationId: GUID.toUpperCase() },
      stored,
      { password: 'kept' as never, applicationSecret: 'kept too' as never },
    )
    expect(merged).toMatchObject({ password: 'kept', applicationSecret: 'kept too' })
  })
})
