import type { JsonObject } from '#base'
import type { SeedOptions } from '../core/contract.ts'
import { seededUuid } from '../seed/ids.ts'
import type { SeededPerson } from '../seed/people.ts'

export const ENTERPRISE_SKU = '6fd2c87f-b296-42f0-b197-1e91e994b900'
export const EXCHANGE_PLAN = 'efb87545-963c-4e0d-99df-69c6916d9eb0'
export const SHAREPOINT_PLAN = '5dbe027f-2339-4123-9542-606e4d348a72'
export const TENANT_CREATED = '2019-03-04T08:00:00Z'

const plan = (servicePlanId: string, service: string): JsonObject => ({
  assignedDateTime: TENANT_CREATED,
  capabilityStatus: 'Enabled',
  service,
  servicePlanId,
})

export const ASSIGNED_PLANS = [plan(EXCHANGE_PLAN, 'exchange'), plan(SHAREPOINT_PLAN, 'SharePoint')]

const nicknameOf = (person: SeededPerson): string =>
  person.userPrincipalName.split('@')[0]!.replace('#EXT#', '')

/** The address at which a seeded user gets mail, if at all. */
export const mailOf = (person: SeededPerson): string | null => {
  if (person.isGuest) return nicknameOf(person).replace(/_([^_]+)$/, '@$1')
  return person.mailboxKind === 'none' ? null : person.userPrincipalName
}

/** Every property of a seeded user that Graph would give when it is asked for by name. */
export const userDocument = (person: SeededPerson, seed: SeedOptions): JsonObject => {
  const nickname = nicknameOf(person)
  const mail = mailOf(person)
  return {
    id: person.id,
    accountEnabled: person.isEnabled,
    ageGroup: null,
    assignedLicenses: person.isLicensed ? [{ disabledPlans: [], skuId: ENTERPRISE_SKU }] : [],
    assignedPlans: person.isLicensed ? ASSIGNED_PLANS : [],
    businessPhones: [],
    city: null,
    companyName: null,
    country: null,
    createdDateTime: TENANT_CREATED,
    creationType: person.isGuest ? 'Invitation' : null,
    deletedDateTime: null,
    department: null,
    displayName: person.displayName,
    employeeId: null,
    externalUserState: person.isGuest ? 'Accepted' : null,
    givenName: person.givenName,
    imAddresses: person.isLicensed ? [person.userPrincipalName] : [],
    jobTitle: person.jobTitle,
    mail,
    mailNickname: nickname,
    mobilePhone: null,
    officeLocation: person.officeLocation,
    onPremisesImmutableId: null,
    onPremisesSyncEnabled: null,
    otherMails: [],
    postalCode: null,
    preferredDataLocation: null,
    preferredLanguage: null,
    proxyAddresses: mail === null || person.isGuest ? [] : [`SMTP:${mail}`],
    securityIdentifier: `S-1-12-1-${seededUuid(seed.seed, 'sid', person.index).replace(/\D/g, '').slice(0, 9)}`,
    state: null,
    streetAddress: null,
    surname: person.surname,
    usageLocation: 'DE',
    userPrincipalName: person.userPrincipalName,
    userType: person.isGuest ? 'Guest' : 'Member',
  }
}
