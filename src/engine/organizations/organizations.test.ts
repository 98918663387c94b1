import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FixedClock, HoldfastError, Secret, seededRandom, unavailable } from '#base'
import { jobRows, openDatabase, repositoryOrganizationRows, sessionRows, type Database } from '#database'
import { Access } from '../access/access.ts'
import { Audit } from '../access/audit.ts'
import { systemPrincipal, type Principal } from '../access/principal.ts'
import { rootKeyFrom } from '../secrets/root-key.ts'
import { Secrets } from '../secrets/secrets.ts'
import {
  APPLICATION_ID,
  CERTIFICATE,
  PASSWORD,
  PROTECTED,
  scriptedConnectors,
  scriptedTenant,
  scriptedUser,
  SECRET,
  SOON_ENDING,
  TENANT_ID,
  type ScriptedTenant,
} from '../tests/scripted-tenant.ts'
import type { ConnectionSettingsInput, OrganizationInput } from './organization.ts'
import { Organizations } from './organizations.ts'
import { Tenants } from './tenants.ts'

const rootKey = rootKeyFrom(new Secret(Buffer.alloc(32, 7).toString('base64')))
const administrator: Principal = { kind: 'administrator', userId: 'u', name: 'administrator' }

let clock: FixedClock
let database: Database
let script: ScriptedTenant
let connectors: ReturnType<typeof scriptedConnectors>
let organizations: Organizations
let access: Access
let tenants: Tenants

const start = async (file: string): Promise<void> => {
  clock = new FixedClock('2026-03-01T10:00:00Z')
  database = await openDatabase(file, clock)
  script = scriptedTenant()
  connectors = scriptedConnectors(script)
  const random = seededRandom(3)
  const secrets = new Secrets({ rootKey, clock })
  const audit = new Audit({ database, clock, rootKey })
  tenants = new Tenants({ database, secrets, connectors })
  access = new Access({ database, secrets, audit, clock, random })
  const repositories = { usedBy: async () => Promise.resolve([]) }
  organizations = new Organizations({
    database,
    secrets,
    connectors,
    tenants,
    repositories,
    audit,
    clock,
    random,
  })
}

beforeEach(() => start(':memory:'))
afterEach(() => database[Symbol.asyncDispose]())

const legacy = (changes: ConnectionSettingsInput = {}): ConnectionSettingsInput => ({
  account: 'administrator3@contoso.onmicrosoft.com',
  password: PASSWORD,
  grantAdminAccess: false,
  useMfa: true,
  applicationId: APPLICATION_ID,
  applicationSecret: SECRET,
  ...changes,
})
const applicationOnly = (changes: ConnectionSettingsInput = {}): ConnectionSettingsInput => ({
  useApplicationOnlyAuth: true,
  officeOrganizationName: 'contoso.onmicrosoft.com',
  applicationId: APPLICATION_ID,
  applicationCertificate: CERTIFICATE,
  ...changes,
})
const seed = (changes: OrganizationInput = {}): OrganizationInput => ({
  type: 'Office365',
  region: 'Worldwide',
  isExchangeOnline: true,
  isSharePointOnline: true,
  exchangeOnlineSettings: legacy(),
  sharePointOnlineSettings: legacy({ account: 'user2@contoso.onmicrosoft.com' }),
  ...changes,
})
const exchangeOnly = (settings: ConnectionSettingsInput): OrganizationInput => ({
  type: 'office365',
  isExchangeOnline: true,
  exchangeOnlineSettings: settings,
})

const refusal = async (work: Promise<unknown>): Promise<[string, string | undefined]> =>
  work.then(
    () => ['done', undefined],
    (error: unknown) => {
      if (!(error instanceof HoldfastError)) throw error
      return [error.code, error.property]
    },
  )
const stored = async (): Promise<number> => {
  const counts = await Promise.all(
    (['organizations', 'organizationAccounts', 'secrets'] as const).map((table) =>
      database.queries.selectFrom(table).selectAll().execute(),
    ),
  )
  return counts.flat().length
}

describe('adding', () => {
  it('an organization with MFA and legacy protocols answers it whole, without a secret', async () => {
    const organization = await organizations.add(administrator, seed())
    expect(organization).toMatchObject({
      type: 'Office365',
      region: 'Worldwide',
      name: 'contoso.example',
      officeName: 'contoso.onmicrosoft.com',
      tenantId: TENANT_ID,
      isExchangeOnline: true,
      isSharePointOnline: true,
      isBackedUp: false,
      exchangeOnlineSettings: {
        useApplicationOnlyAuth: false,
        officeOrganizationName: 'contoso.onmicrosoft.com',
        sharePointSaveAllWebParts: false,
        account: 'administrator3@contoso.onmicrosoft.com',
        grantAdminAccess: false,
        useMfa: true,
        applicationId: APPLICATION_ID,
      },
      sharePointOnlineSettings: { account: 'user2@contoso.onmicrosoft.com' },
    })
    expect(organization).not.toHaveProperty('firstBackupTime')
    expect(organization.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const shown = JSON.stringify([organization, await organizations.get(administrator, organization.id)])
    for (const secret of [SECRET, PASSWORD]) expect(shown).not.toContain(secret)
  })

  it('tries both accounts and both applications at the tenant of the account', async () => {
    await organizations.add(administrator, seed())
    expect(connectors.calls.filter((call) => call !== 'dispose')).toEqual([
      'account administrator3@contoso.onmicrosoft.com',
      'verify contoso.onmicrosoft.com directory+mail',
      'account user2@contoso.onmicrosoft.com',
      'verify contoso.onmicrosoft.com directory+onedrive',
    ])
  })

  it('leaves no secret in the clear in any file of the database', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-organizations-'))
    await start(join(folder, 'holdfast.db'))
    await organizations.add(
      administrator,
      seed({
        sharePointOnlineSettings: applicationOnly({
          applicationCertificate: PROTECTED,
          applicationCertificatePassword: 'pfx-password',
        }),
      }),
    )
    for (const file of await readdir(folder)) {
      const bytes = await readFile(join(folder, file))
      for (const secret of [SECRET, PASSWORD, PROTECTED, 'pfx-password'])
        expect(bytes.includes(secret), `${secret} in ${file}`).toBe(false)
    }
    await rm(folder, { recursive: true })
  })

  it('application-only keeps the given name and no password', async () => {
    const organization = await organizations.add(
      administrator,
      exchangeOnly(applicationOnly({ password: PASSWORD })),
    )
    expect(organization.exchangeOnlineSettings).toMatchObject({
      useApplicationOnlyAuth: true,
      officeOrganizationName: 'contoso.onmicrosoft.com',
      applicationCertificateThumbprint: `${'AB'.repeat(19)}01`,
    })
    expect(connectors.calls).not.toContain('account undefined')
    expect(await stored()).toBe(2)
  })

  it.each([
    [
      'blanks and line breaks in the certificate',
      { applicationCertificate: `${CERTIFICATE.slice(0, 5)}\r\n ${CERTIFICATE.slice(5)}` },
    ],
    ['a thumbprint that fits', { applicationCertificateThumbprint: `${'ab'.repeat(19)}01` }],
    ['empty strings for what is not used', { applicationSecret: '', account: '', password: '' }],
    ['null for what is not used', { applicationSecret: null, account: null }],
    ['an upper-case GUID', { applicationId: APPLICATION_ID.toUpperCase() }],
  ] as [string, ConnectionSettingsInput][])('takes %s', async (_name, changes) => {
    const organization = await organizations.add(administrator, exchangeOnly(applicationOnly(changes)))
    expect(organization.exchangeOnlineSettings?.applicationId).toBe(APPLICATION_ID)
  })

  it.each([
    ['worldwide', 'Worldwide'],
    ['USGovernment', 'USgovCommunity'],
    ['USgovCommunity', 'USgovCommunity'],
    ['usdefence', 'USgovDefence'],
    ['Germany', 'Germany'],
    ['China', 'China'],
    [undefined, 'Worldwide'],
  ])('reads region %s as %s', async (region, expected) => {
    expect((await organizations.add(administrator, seed({ region }))).region).toBe(expected)
  })

  it('keeps warnings: no restore permission, a retired sign-in, a certificate that ends soon', async () => {
    script.permissions.push({
      workload: 'mail',
      neededFor: 'restore',
      anyOf: ['Mail.ReadWrite'],
      isGranted: false,
    })
    script.account = { outcome: 'retired', reason: 'basic authentication is off' }
    const { verification } = await organizations.add(
      administrator,
      exchangeOnly(legacy({ applicationSecret: '', applicationCertificate: SOON_ENDING })),
    )
    expect(verification.warnings).toEqual([
      expect.stringContaining('basic authentication is off'),
      expect.stringContaining('mail: Mail.ReadWrite'),
      expect.stringContaining('2026-03-10'),
    ])
  })

  it('the same tenant again is a conflict, also twice at once', async () => {
    const outcomes = await Promise.all([1, 2].map(() => refusal(organizations.add(administrator, seed()))))
    expect(outcomes.map(([code]) => code).sort()).toEqual(['conflict', 'done'])
    expect(await refusal(organizations.add(administrator, seed()))).toEqual(['conflict', undefined])
    expect((await organizations.list(administrator)).totalCount).toBe(1)
  })

  it('a tenant again after it was removed gives it its id back', async () => {
    const first = await organizations.add(administrator, seed())
    await organizations.remove(administrator, first.id)
    expect(await stored()).toBe(0)
    expect((await organizations.add(administrator, seed())).id).toBe(first.id)
  })

  it('is for administrators alone', async () => {
    const tenant: Principal = { kind: 'organization', organizationId: 'x', name: 't' }
    expect(await refusal(organizations.add(tenant, seed()))).toEqual(['denied', undefined])
  })
})

const EXCHANGE = 'exchangeOnlineSettings'
const refusedSettings: [string, ConnectionSettingsInput, string][] = [
  ['a secret and a certificate', legacy({ applicationCertificate: CERTIFICATE }), 'applicationSecret'],
  ['neither secret nor certificate', legacy({ applicationSecret: '' }), 'applicationSecret'],
  [
    'a thumbprint alone',
    legacy({ applicationSecret: '', applicationCertificateThumbprint: 'ab'.repeat(20) }),
    'applicationCertificate',
  ],
  [
    'a certificate password without a certificate',
    legacy({ applicationCertificatePassword: 'x' }),
    'applicationCertificatePassword',
  ],
  ['MFA without an application', legacy({ applicationId: '' }), 'applicationId'],
  [
    'no application at all',
    legacy({ useMfa: false, applicationId: '', applicationSecret: '' }),
    'applicationId',
  ],
  ['MFA and application-only', applicationOnly({ useMfa: true }), 'useMfa'],
  [
    'application-only without a name',
    applicationOnly({ officeOrganizationName: '' }),
    'officeOrganizationName',
  ],
  [
    'a name that is no domain',
    applicationOnly({ officeOrganizationName: 'http://x' }),
    'officeOrganizationName',
  ],
  [
    "another maker's application",
    legacy({ useCustomVeeamAADApplication: true }),
    'useCustomVeeamAADApplication',
  ],
  [
    "another maker's application alone",
    legacy({ useCustomVeeamAADApplication: true, applicationId: '' }),
    'useCustomVeeamAADApplication',
  ],
  ['no account', legacy({ account: '' }), 'account'],
  ['no password', legacy({ password: '' }), 'password'],
  ['an account without @', legacy({ account: 'administrator' }), 'account'],
  ['an account of a million letters', legacy({ account: `${'a'.repeat(1_000_000)}@b.example` }), 'account'],
  ['an account with a line break', legacy({ account: 'a\r\n@contoso.example' }), 'account'],
  ['an account with a right-to-left mark', legacy({ account: 'a\u200f@contoso.example' }), 'account'],
  ['an account with markup', legacy({ account: '<img onerror=x>@contoso.example' }), 'account'],
  ['an account that is a formula', legacy({ account: '=cmd|x@contoso.example' }), 'account'],
  ['a lone surrogate', legacy({ account: 'a\ud800@contoso.example' }), 'account'],
  ['a password with a NUL', legacy({ password: 'a\0b' }), 'password'],
  ['a GUID in braces', legacy({ applicationId: `{${APPLICATION_ID}}` }), 'applicationId'],
  ['a GUID of 35 characters', legacy({ applicationId: APPLICATION_ID.slice(1) }), 'applicationId'],
  ['a GUID of zeros', legacy({ applicationId: '00000000-0000-0000-0000-000000000000' }), 'applicationId'],
  [
    'a certificate that is not base64',
    applicationOnly({ applicationCertificate: '-----BEGIN' }),
    'applicationCertificate',
  ],
  [
    'a certificate that is too large',
    applicationOnly({ applicationCertificate: 'A'.repeat(4_000_000) }),
    'applicationCertificate',
  ],
  [
    'a certificate that is no PFX',
    applicationOnly({ applicationCertificate: 'AAAA' }),
    'applicationCertificate',
  ],
  [
    'a certificate without its password',
    applicationOnly({ applicationCertificate: PROTECTED }),
    'applicationCertificatePassword',
  ],
  [
    'a thumbprint of another certificate',
    applicationOnly({ applicationCertificateThumbprint: 'cd'.repeat(20) }),
    'applicationCertificateThumbprint',
  ],
  [
    'a thumbprint that is none',
    applicationOnly({ applicationCertificateThumbprint: 'xy' }),
    'applicationCertificateThumbprint',
  ],
  ['a secret that Microsoft refuses', legacy({ applicationSecret: 'wrong' }), 'applicationSecret'],
]

describe('a refusal names the property and keeps nothing', () => {
  it.each(refusedSettings)('%s', async (_name, settings, property) => {
    const outcome = await refusal(organizations.add(administrator, exchangeOnly(settings)))
    expect(outcome).toEqual(['invalid', `${EXCHANGE}.${property}`])
    expect(await stored()).toBe(0)
  })

  it.each([
    [{ type: undefined }, 'type'],
    [{ type: 'office365 ' }, 'type'],
    [{ type: 'Offıce365' }, 'type'],
    [{ type: 1 as never }, 'type'],
    [{ region: 'constructor' }, 'region'],
    [{ region: '__proto__' }, 'region'],
    [{ isExchangeOnline: false, isSharePointOnline: false }, 'isExchangeOnline'],
    [{ isExchangeOnline: 'yes' as never }, 'isExchangeOnline'],
    [{ exchangeOnlineSettings: undefined }, 'exchangeOnlineSettings'],
    [{ sharePointOnlineSettings: null }, 'sharePointOnlineSettings'],
    [
      { sharePointOnlineSettings: legacy({ applicationSecret: 'wrong' }) },
      'sharePointOnlineSettings.applicationSecret',
    ],
    [{ description: 'x'.repeat(3_000) }, 'description'],
  ] as [OrganizationInput, string][])('%o', async (changes, property) => {
    expect(await refusal(organizations.add(administrator, seed(changes)))).toEqual(['invalid', property])
    expect(await stored()).toBe(0)
  })

  it('a password that Microsoft refuses', async () => {
    script.account = { outcome: 'refused', reason: 'AADSTS50126' }
    expect(await refusal(organizations.add(administrator, seed()))).toEqual([
      'invalid',
      `${EXCHANGE}.password`,
    ])
    expect(await stored()).toBe(0)
  })

  it('permissions that a backup needs, by name and workload', async () => {
    script.permissions = script.permissions.map((finding) => ({ ...finding, isGranted: false }))
    const error = await organizations.add(administrator, seed()).catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'invalid', property: `${EXCHANGE}.applicationId` })
    expect((error as Error).message).toContain(
      'directory: Directory.Read.All; mail: Mail.Read or Mail.ReadWrite',
    )
    expect(await stored()).toBe(0)
  })

  it('Microsoft that does not answer', async () => {
    script.fails = unavailable('login does not answer')
    expect(await refusal(organizations.add(administrator, seed()))).toEqual(['unavailable', undefined])
    expect(await stored()).toBe(0)
  })

  it('never repeats a secret in a message', async () => {
    for (const [, settings] of refusedSettings) {
      const error = (await organizations
        .add(administrator, exchangeOnly(settings))
        .catch((e: unknown) => e)) as Error
      for (const secret of [SECRET, PASSWORD]) expect(error.message).not.toContain(secret)
    }
  })
})

describe('on-premises and hybrid organizations', () => {
  const server = { serverName: 'mail.contoso.local', username: 'CONTOSO\\admin', password: 'p' }

  it('are read in full and then said to be not built', async () => {
    const onPremises = {
      type: 'OnPremises',
      isExchange: true,
      exchangeSettings: { ...server, useSSL: true, skipCAverification: true },
    }
    expect(await refusal(organizations.add(administrator, onPremises))).toEqual(['not-built', undefined])
    const hybrid = seed({
      type: 'Hybrid',
      isSharePoint: true,
      sharePointSettings: { ...server, serverPort: 5985 },
    })
    expect(await refusal(organizations.add(administrator, hybrid))).toEqual(['not-built', undefined])
    expect(await stored()).toBe(0)
    expect(connectors.calls).toEqual([])
  })

  it.each([
    [{}, 'isExchange'],
    [{ isExchange: true }, 'exchangeSettings'],
    [{ isExchange: true, exchangeSettings: { ...server, serverName: '' } }, 'exchangeSettings.serverName'],
    [
      { isExchange: true, exchangeSettings: { ...server, serverName: 'user@127.0.0.1' } },
      'exchangeSettings.serverName',
    ],
    [{ isExchange: true, exchangeSettings: { ...server, username: 'admin' } }, 'exchangeSettings.username'],
    [{ isExchange: true, exchangeSettings: { ...server, password: '' } }, 'exchangeSettings.password'],
    [
      { isExchange: true, exchangeSettings: { ...server, skipCAverification: true } },
      'exchangeSettings.skipCAverification',
    ],
    [
      { isSharePoint: true, sharePointSettings: { ...server, serverPort: 70_000 } },
      'sharePointSettings.serverPort',
    ],
  ] as [OrganizationInput, string][])('are refused for %o', async (changes, property) => {
    const input = { type: 'OnPremises', ...changes }
    expect(await refusal(organizations.add(administrator, input))).toEqual(['invalid', property])
  })

  it('hybrid ones need a right online part too', async () => {
    const input = seed({ type: 'Hybrid', exchangeOnlineSettings: legacy({ account: '' }) })
    expect(await refusal(organizations.add(administrator, input))).toEqual(['invalid', `${EXCHANGE}.account`])
  })
})

describe('changing', () => {
  const added = async (input: OrganizationInput = seed()) => organizations.add(administrator, input)

  it('keeps what is left out, secrets too, and tries the credentials again', async () => {
    const { id } = await added()
    connectors.calls.length = 0
    const changed = await organizations.update(administrator, id, { description: 'new' })
    expect(changed.description).toBe('new')
    expect(changed.exchangeOnlineSettings?.account).toBe('administrator3@contoso.onmicrosoft.com')
    expect(connectors.calls).toContain('verify contoso.onmicrosoft.com directory+mail')
  })

  it('replaces a secret by a certificate and the other way round', async () => {
    const { id } = await added(exchangeOnly(legacy()))
    const byCertificate = await organizations.update(administrator, id, {
      exchangeOnlineSettings: { applicationCertificate: CERTIFICATE },
    })
    expect(byCertificate.exchangeOnlineSettings).toHaveProperty('applicationCertificateThumbprint')
    const echoed = { ...byCertificate.exchangeOnlineSettings, applicationSecret: SECRET }
    const bySecret = await organizations.update(administrator, id, { exchangeOnlineSettings: echoed })
    expect(bySecret.exchangeOnlineSettings).not.toHaveProperty('applicationCertificateThumbprint')
    const fields = await database.queries.selectFrom('secrets').select('field').execute()
    expect(fields.map(({ field }) => field).sort()).toEqual([
      `${EXCHANGE}.applicationSecret`,
      `${EXCHANGE}.password`,
    ])
  })

  it.each([
    [{ type: 'Hybrid' }, 'type'],
    [{ exchangeOnlineSettings: { account: 'other@contoso.example' } }, `${EXCHANGE}.password`],
    [{ exchangeOnlineSettings: { applicationId: TENANT_ID } }, `${EXCHANGE}.applicationSecret`],
    [{ exchangeOnlineSettings: { applicationSecret: 'wrong' } }, `${EXCHANGE}.applicationSecret`],
    [{ isExchangeOnline: false, isSharePointOnline: false }, 'isExchangeOnline'],
  ] as [OrganizationInput, string][])('is refused for %o and changes nothing', async (input, property) => {
    const before = await added()
    expect(await refusal(organizations.update(administrator, before.id, input))).toEqual([
      'invalid',
      property,
    ])
    expect(await organizations.get(administrator, before.id)).toEqual(before)
    script.secret = SECRET
    await organizations.update(administrator, before.id, {})
  })

  it('to another tenant is refused', async () => {
    const { id } = await added()
    script.tenantId = '99999999-2222-4333-8444-555555555555'
    expect(await refusal(organizations.update(administrator, id, seed()))).toEqual(['invalid', EXCHANGE])
  })

  it('drops a part that is switched off, with its secrets', async () => {
    const { id } = await added()
    const changed = await organizations.update(administrator, id, { isSharePointOnline: false })
    expect(changed).not.toHaveProperty('sharePointOnlineSettings')
    expect(await stored()).toBe(1 + 1 + 2)
  })

  it('connects anew with the new credentials', async () => {
    const { id } = await added()
    const before = await tenants.of(id)
    await organizations.update(administrator, id, {})
    expect(await tenants.of(id)).not.toBe(before)
  })

  it('leaves the old connection to who works on it, and closes all in the end', async () => {
    const { id } = await added()
    await tenants.of(id)
    connectors.calls.length = 0
    await organizations.update(administrator, id, {})
    const disposed = () => connectors.calls.filter((call) => call === 'dispose').length
    expect(disposed()).toBe(2)
    await tenants.of(id)
    await tenants[Symbol.asyncDispose]()
    expect(disposed()).toBe(4)
  })
})

describe('removing', () => {
  const addJob = async (organizationId: string, isEnabled: boolean): Promise<void> =>
    jobRows.insert(database.queries, {
      id: 'j1',
      organizationId,
      repositoryId: 'r1',
      name: 'job',
      nameKey: 'job',
      description: '',
      backupType: 'EntireOrganization',
      isEnabled,
      schedulePolicy: {},
      eTag: 1,
      createdAt: clock.now(),
    })

  it('is refused while a job is enabled, and takes disabled jobs along', async () => {
    const { id } = await organizations.add(administrator, seed())
    await addJob(id, true)
    expect(await refusal(organizations.remove(administrator, id))).toEqual(['conflict', undefined])
    await jobRows.update(database.queries, 'j1', { isEnabled: false })
    await organizations.remove(administrator, id)
    expect(await jobRows.find(database.queries, 'j1')).toBeUndefined()
    expect(await refusal(organizations.get(administrator, id))).toEqual(['not-found', undefined])
  })

  it('leaves what was backed up', async () => {
    const { id } = await organizations.add(administrator, seed())
    const row = { repositoryId: 'r', organizationId: id, organizationName: 'c', folder: 'f', shardCount: 1 }
    await repositoryOrganizationRows.insert(database.queries, { ...row, createdAt: clock.now() })
    await organizations.remove(administrator, id)
    expect(await repositoryOrganizationRows.find(database.queries, 'r', id)).toBeDefined()
  })
})

describe('reading', () => {
  it('shows a tenant its own organization and nothing else', async () => {
    const { id } = await organizations.add(administrator, seed())
    const tokens = await access.passwordGrant('administrator3@CONTOSO.onmicrosoft.com', new Secret(PASSWORD))
    const tenant = await access.authenticate(tokens.accessToken)
    expect((await organizations.get(tenant, id)).id).toBe(id)
    expect((await organizations.list(tenant)).totalCount).toBe(1)
    const stranger: Principal = { kind: 'organization', organizationId: 'other', name: 'x' }
    const foreign = await organizations.get(stranger, id).catch((e: unknown) => e)
    const missing = await organizations.get(administrator, 'missing').catch((e: unknown) => e)
    expect(foreign).toEqual(missing)
    expect((await organizations.list(stranger)).totalCount).toBe(0)
  })

  it('tells since when it is backed up', async () => {
    const { id } = await organizations.add(administrator, seed())
    const endTime = new Date('2026-03-01T11:00:00Z')
    await sessionRows.insert(database.queries, {
      id: 's',
      jobId: 'j',
      organizationId: id,
      repositoryId: 'r',
      creationTime: clock.now(),
      endTime,
      retryCount: 0,
      jobWillBeRetried: false,
      progress: 100,
      configType: 'Full',
      status: 'Warning',
      statistics: {},
      eTag: 1,
    })
    expect(await organizations.get(administrator, id)).toMatchObject({
      isBackedUp: true,
      firstBackupTime: endTime,
      lastBackupTime: endTime,
    })
  })
})

describe('listings of the tenant', () => {
  beforeEach(() => {
    script.users = ['alice', 'bob', 'carol', 'Alicia'].map((name) => scriptedUser(name))
  })

  it('are cut into pages from one reading', async () => {
    const { id } = await organizations.add(administrator, seed())
    const first = await organizations.users(administrator, id, { limit: 3 })
    script.users = []
    const second = await organizations.users(administrator, id, { offset: 3, limit: 3, setId: first.setId })
    expect([...first.items, ...second.items].map((user) => user.displayName)).toEqual([
      'alice',
      'bob',
      'carol',
      'Alicia',
    ])
    expect(second).toMatchObject({ setId: first.setId, totalCount: 4 })
    expect(connectors.calls.filter((call) => call === 'users')).toHaveLength(1)
  })

  it('are searched by any part of a name in any letter case', async () => {
    const { id } = await organizations.add(administrator, seed())
    const found = await organizations.users(administrator, id, { search: 'ALI' })
    expect(found.items.map((user) => user.displayName)).toEqual(['alice', 'Alicia'])
  })

  it('are read afresh for a set of another listing, an unknown and an old one', async () => {
    const { id } = await organizations.add(administrator, seed())
    const { setId } = await organizations.users(administrator, id, { search: 'bob' })
    expect((await organizations.users(administrator, id, { setId })).totalCount).toBe(4)
    expect((await organizations.users(administrator, id, { setId: 'x', search: 'bob' })).totalCount).toBe(1)
    script.users = []
    clock.advance(11 * 60_000)
    expect((await organizations.users(administrator, id, { setId, search: 'bob' })).totalCount).toBe(0)
  })

  it('find one user by an id that carries a second GUID', async () => {
    const guid = '0a0a0a0a-1111-4222-8333-444444444444'
    script.users = [scriptedUser('dora', { id: guid })]
    const { id } = await organizations.add(administrator, seed())
    const user = await organizations.user(administrator, id, `${guid}00000000-0000-0000-0000-000000000000`)
    expect(user.displayName).toBe('dora')
    expect(await refusal(organizations.user(administrator, id, 'nobody'))).toEqual(['not-found', undefined])
  })
})

describe('the audit', () => {
  it('tells who added what, and what was refused', async () => {
    await organizations.add(administrator, seed())
    await refusal(organizations.add(administrator, seed({ type: '' })))
    const { items } = await new Audit({ database, clock, rootKey }).list(systemPrincipal)
    expect(items.map(({ actor, action, object, result }) => [actor, action, object, result])).toEqual([
      ['administrator', 'organizations.add', 'administrator3@contoso.onmicrosoft.com', 'done'],
      ['administrator', 'organizations.add', 'administrator3@contoso.onmicrosoft.com', 'invalid'],
    ])
  })
})
