import type { Logger } from '#base'
import { startWorld, type World } from '#world'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { VERSIONS } from '../contract/versions.ts'

// Everything below is refused on POST /Organizations: with a 4xx that names what is wrong, without a trace of a secret,
// with nothing stored and nothing asked of Microsoft.

const CANARY = 'cAnArY-7f3a91'
const logged: string[] = []
const note = (fields: object, event: string): void => {
  logged.push(
    JSON.stringify(fields, (_key, value: unknown) => (value instanceof Error ? value.stack : value)) + event,
  )
}
const log: Logger = { debug: note, info: note, warn: note, error: note, child: () => log }

let world: World
let calledBefore: number
beforeAll(async () => {
  world = await startWorld({ users: 1, mails: 1, files: 1, log })
  calledBefore = world.tenant.counters.view().total
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
})

const GUID = '7b8c3f2e-4a55-4c1d-9d0a-1f2e3d4c5b6a'
const settings = (changes: object = {}) => ({
  useMfa: true,
  account: 'admin@contoso.onmicrosoft.com',
  password: CANARY,
  applicationId: GUID,
  applicationSecret: CANARY,
  ...changes,
})
const organization = (changes: object = {}) => ({
  type: 'Office365',
  region: 'Worldwide',
  isExchangeOnline: true,
  isSharePointOnline: false,
  exchangeOnlineSettings: settings(),
  ...changes,
})
const withSettings = (changes: object) => organization({ exchangeOnlineSettings: settings(changes) })
const withSharePoint = (changes: object) =>
  organization({
    isExchangeOnline: false,
    isSharePointOnline: true,
    exchangeOnlineSettings: undefined,
    sharePointOnlineSettings: settings(changes),
  })

interface Case {
  readonly body: unknown
  /** What the message has to name. */
  readonly names: string
  readonly claim: string
}

const wrong = (names: string, values: readonly unknown[], build: (value: unknown) => object): Case[] =>
  values.map((value) => ({
    names,
    body: build(value),
    claim: `${names} = ${(JSON.stringify(value) ?? 'undefined').slice(0, 60)}`,
  }))

const FLAGS = [1, 0, 'yes', 'wahr', [], {}, 1.5]
const FLAG_NAMES = [
  'useMfa',
  'grantAdminAccess',
  'useApplicationOnlyAuth',
  'sharePointSaveAllWebParts',
  'useCustomVeeamAADApplication',
]
const WORDS = [
  1,
  true,
  [],
  {},
  'constructor',
  '__proto__',
  'toString',
  'hasOwnProperty',
  'Office365 ',
  ' Office365',
  'Offıce365',
  'office-365',
  'ＯＦＦＩＣＥ365',
  '0',
  '-1',
  '\u0000',
  '\ud800',
]
const GUIDS = [
  1,
  true,
  [],
  {},
  `{${GUID}}`,
  GUID.slice(1),
  `${GUID}0`,
  `${GUID} `,
  GUID.replaceAll('-', ''),
  'g'.repeat(36),
  "' OR 1=1 --",
  '<img src=x onerror=alert(1)>',
]
const TEXTS = [true, [], {}, [CANARY], { a: CANARY }, 'a\u0000b', '\ud800', 'x'.repeat(70_000)]
const ACCOUNTS = [
  'no-at-sign',
  '@contoso.com',
  'admin@',
  'a@b@c',
  'admin@contoso.com\r\nX-Evil: 1',
  'a'.repeat(1000) + '@contoso.com',
  '=cmd|calc@x\n',
  'ad min@contoso.com',
]

const cases: Case[] = [
  ...wrong('type', WORDS, (type) => organization({ type })),
  ...wrong('type', [null, ''], (type) => organization({ type })),
  ...wrong('region', WORDS, (region) => organization({ region })),
  ...wrong('isExchangeOnline', FLAGS, (isExchangeOnline) => organization({ isExchangeOnline })),
  ...wrong('isSharePointOnline', FLAGS, (isSharePointOnline) => organization({ isSharePointOnline })),
  ...FLAG_NAMES.flatMap((name) =>
    wrong(`exchangeOnlineSettings.${name}`, FLAGS, (value) => withSettings({ [name]: value })),
  ),
  ...FLAG_NAMES.flatMap((name) =>
    wrong(`sharePointOnlineSettings.${name}`, FLAGS.slice(0, 4), (value) =>
      withSharePoint({ [name]: value }),
    ),
  ),
  ...wrong('applicationId', GUIDS, (applicationId) => withSettings({ applicationId })),
  ...wrong('applicationId', GUIDS.slice(3), (applicationId) => withSharePoint({ applicationId })),
  ...wrong('applicationId', [null, '', undefined], (applicationId) => withSettings({ applicationId })),
  ...wrong('account', TEXTS, (account) => withSettings({ account })),
  ...wrong('account', ACCOUNTS, (account) => withSettings({ account })),
  ...wrong('account', [null, ''], (account) => withSettings({ account })),
  ...wrong('password', TEXTS, (password) => withSettings({ password })),
  ...wrong('password', [null, ''], (password) => withSettings({ password })),
  ...wrong('applicationSecret', TEXTS, (applicationSecret) => withSettings({ applicationSecret })),
  ...wrong('applicationSecret', TEXTS.slice(0, 5), (applicationSecret) =>
    withSharePoint({ applicationSecret }),
  ),
  ...wrong('exchangeOnlineSettings', [null, [], 'x', 1, true, [{}]], (exchangeOnlineSettings) =>
    organization({ exchangeOnlineSettings }),
  ),
  ...wrong('sharePointOnlineSettings', [null, [], 'x', 1], (sharePointOnlineSettings) =>
    organization({ isSharePointOnline: true, sharePointOnlineSettings }),
  ),
  ...wrong('application', [null, ''], (applicationSecret) => withSettings({ applicationSecret })),
  {
    claim: 'a secret and a certificate',
    names: 'application',
    body: withSettings({ applicationCertificate: 'AAAA' }),
  },
  {
    claim: 'a certificate password without a certificate',
    names: 'applicationCertificatePassword',
    body: withSettings({ applicationCertificatePassword: CANARY }),
  },
  {
    claim: 'MFA and application-only at once',
    names: 'useApplicationOnlyAuth',
    body: withSettings({ useApplicationOnlyAuth: true }),
  },
  {
    claim: "Veeam's application beside an own one",
    names: 'useCustomVeeamAADApplication',
    body: withSettings({ useCustomVeeamAADApplication: true }),
  },
  { claim: 'nothing to protect', names: 'isExchangeOnline', body: organization({ isExchangeOnline: false }) },
  { claim: 'no type', names: 'type', body: {} },
  ...wrong(
    'applicationCertificate',
    ['AAAA', '%%%%', CANARY, '-----BEGIN CERTIFICATE-----', 'A', 'MII=', 'A'.repeat(100_000)],
    (applicationCertificate) => withSettings({ applicationSecret: undefined, applicationCertificate }),
  ),
  ...wrong('serverName', [null, '', 1, {}], (serverName) => ({
    type: 'OnPremises',
    isExchange: true,
    exchangeSettings: { serverName: serverName === 1 ? [] : serverName, username: 'A\\b', password: CANARY },
  })),
  ...wrong('exchangeSettings', [null, [], 'x'], (exchangeSettings) => ({
    type: 'OnPremises',
    isExchange: true,
    exchangeSettings,
  })),
  ...wrong('serverPort', ['x', -1, 0, 70_000, 1.5], (serverPort) => ({
    type: 'OnPremises',
    isSharePoint: true,
    sharePointSettings: { serverName: 'sp', serverPort, username: 'A\\b', password: CANARY },
  })),
]

interface RawCase {
  readonly claim: string
  readonly body: string | Uint8Array
  readonly status: number
  readonly contentType?: string
}
const good = JSON.stringify(organization())
const raw: RawCase[] = [
  { claim: 'an empty body', body: '', status: 400 },
  { claim: 'null', body: 'null', status: 400 },
  { claim: 'a list', body: '[]', status: 400 },
  { claim: 'a number', body: '1', status: 400 },
  { claim: 'a text', body: '"x"', status: 400 },
  { claim: 'half a body', body: good.slice(0, 100), status: 400 },
  { claim: 'text after the end', body: `${good}x`, status: 400 },
  {
    claim: 'invalid UTF-8',
    body: Buffer.concat([Buffer.from('{"type":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
    status: 400,
  },
  { claim: '100,000 nested lists', body: '['.repeat(100_000), status: 400 },
  { claim: '33 nested objects', body: '{"a":'.repeat(40) + '1' + '}'.repeat(40), status: 400 },
  {
    claim: '20,000 members',
    body: `{${Array.from({ length: 20_000 }, (_, n) => `"k${n}":1`).join(',')}}`,
    status: 413,
  },
  { claim: '9 megabytes', body: `{"a":"${'x'.repeat(9 * 1024 * 1024)}"}`, status: 413 },
  {
    claim: 'two different secrets',
    body: good.replace('"password"', '"Password":"other","password"'),
    status: 400,
  },
  {
    claim: 'two different secrets of the same name',
    body: good.replace('"password"', '"password":"other","password"'),
    status: 400,
  },
  { claim: 'XML', body: '<a/>', status: 415, contentType: 'application/xml' },
  { claim: 'plain text', body: good, status: 415, contentType: 'text/plain' },
  {
    claim: 'real multipart',
    body: '--x\r\n\r\n--x--',
    status: 415,
    contentType: 'multipart/form-data; boundary=x',
  },
]

const secretForms = [
  CANARY,
  Buffer.from(CANARY).toString('base64').slice(0, 16),
  Buffer.from(CANARY).toString('hex'),
]
const expectNoSecret = (text: string): void => {
  for (const form of secretForms) expect(text).not.toContain(form)
}

it('has at least 200 different cases', () => {
  expect(new Set(cases.map(({ body, names }) => names + JSON.stringify(body))).size).toBeGreaterThanOrEqual(
    200,
  )
})

it('refuses each with 400 and names the property', async () => {
  const faults: string[] = []
  for (const { body, names, claim } of cases) {
    const answer = await world.api('v4').post('/Organizations', body)
    expectNoSecret(answer.text)
    const last = names.split('.').at(-1)!
    const isNamed = answer.text.toLowerCase().includes(last.toLowerCase())
    if (answer.status !== 400 || !isNamed)
      faults.push(`${claim}: ${answer.status} ${answer.text.slice(0, 160)}`)
  }
  expect(faults).toEqual([])
})

it.each(raw)('refuses $claim with $status', async ({ body, status, contentType = 'application/json' }) => {
  const call = { method: 'POST', body, headers: { 'content-type': contentType } } as const
  const answer = await world.api('v4').send('/Organizations', call)
  expect(answer.status).toBe(status)
  expect(answer.json<{ message: string }>().message).not.toBe('')
  expectNoSecret(answer.text)
})

it('refuses them in every version alike', async () => {
  for (const version of VERSIONS) {
    const answer = await world.api(version).post('/Organizations', organization({ region: 'constructor' }))
    expect(answer.status).toBe(400)
    expect(answer.json()).toMatchObject({ message: expect.stringContaining('region') as string })
  }
})

it('drops what only the server sets, and what nobody knows', async () => {
  const extra = {
    id: GUID,
    _links: { self: 'x' },
    isAdmin: true,
    isBackedup: true,
    tenantId: GUID,
    constructor: 1,
  }
  const answer = await world.api('v4').post('/Organizations', { ...organization({ region: 'x' }), ...extra })
  expect(answer.json<{ message: string }>().message).toContain('region')
})

it('has stored nothing, asked Microsoft nothing, and logged no secret', async () => {
  expect((await world.api('v4').get('/Organizations')).json()).toEqual([])
  expect(world.tenant.counters.view().total).toBe(calledBefore)
  expectNoSecret(logged.join('\n'))
  const database = readFileSync(`${world.folder}/data/holdfast.sqlite`)
  for (const form of secretForms) expect(database.includes(form)).toBe(false)
})
