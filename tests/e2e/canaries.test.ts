import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { HttpClient, type Answer, type Call } from '#world'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startHoldfast } from '../../scripts/demo/running.ts'
import { startTenantProcess, type PracticeAddresses, type ServerAddress } from './living/processes.ts'

// Every secret that a server gets to know, planted, used, and then looked for wherever somebody else might read.

const PFX = 'tests/data/pfx/rsa.pfx'
const PFX_PASSWORD = 'pä-ssword'
const WRONG_PASSWORD = 'canary-wrong-password-5b0f'
const WRONG_SECRET = 'canary-wrong-secret-91c4'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-canaries-'))
const stops: (() => Promise<void>)[] = []
const secrets = new Map<string, string>()
const answers: string[] = []
let pid: number
let client: HttpClient
let token = ''

/** Sends, and keeps what was answered. The token endpoint's own answer is the one place where tokens belong. */
const send = async (path: string, call: Call = {}): Promise<Answer> => {
  const answer = await client.send(path, { token, ...call })
  answers.push(`${JSON.stringify(answer.headers)}\n${answer.text}`)
  return answer
}

const good = async <Body>(path: string, body?: unknown): Promise<Body> => {
  const answer = await send(path, body === undefined ? {} : { method: 'POST', body })
  if (answer.status >= 300) throw new Error(`${path} answered ${answer.status}: ${answer.text}`)
  return answer.json<Body>()
}

const grant = (fields: Record<string, string>): Promise<Answer> =>
  client.send('/v4/token', {
    method: 'POST',
    body: new URLSearchParams(fields).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })

const logIn = async (username: string, password: string): Promise<void> => {
  const issued = (await grant({ grant_type: 'password', username, password })).json<Record<string, string>>()
  token = issued['access_token']!
  secrets.set('access token', token)
  secrets.set('refresh token', issued['refresh_token']!)
}

const startServer = async (tenant: PracticeAddresses): Promise<ServerAddress> => {
  const started = await startHoldfast<ServerAddress>({
    args: ['serve', '--data', join(folder, 'server'), '--log-file', join(folder, 'server.log')],
    env: {
      HTTPS_PROXY: tenant.proxyUrl,
      NODE_EXTRA_CA_CERTS: tenant.caFile,
      HOLDFAST_PORT: '0',
      HOLDFAST_HOST: '127.0.0.1',
      HOLDFAST_LOG_LEVEL: 'debug',
    },
    readyWithinMs: 60_000,
    detached: false,
  })
  pid = started.pid
  stops.push(() => started.stop())
  return started.ready
}

const settingsOf = (tenant: PracticeAddresses, account: string, password: string) => ({
  account,
  password,
  grantAdminAccess: true,
  useMfa: true,
  applicationId: tenant.applicationId,
  applicationSecret: tenant.applicationSecret,
})

const organizationOf = (tenant: PracticeAddresses) => ({
  type: 'Office365',
  region: 'Worldwide',
  isExchangeOnline: true,
  isSharePointOnline: true,
  exchangeOnlineSettings: settingsOf(tenant, tenant.exchangeAccount, tenant.exchangeAppPassword),
  sharePointOnlineSettings: settingsOf(tenant, tenant.sharePointAccount, tenant.sharePointAppPassword),
})

/** What goes wrong is what gets logged: each of these is refused, and none may be told. */
const makeMistakes = async (tenant: PracticeAddresses): Promise<void> => {
  const right = organizationOf(tenant)
  const { applicationSecret: _, ...without } = right.exchangeOnlineSettings
  const certificate = {
    ...without,
    applicationCertificate: readFileSync(PFX).toString('base64'),
    applicationCertificatePassword: PFX_PASSWORD,
  }
  for (const settings of [
    { ...right.exchangeOnlineSettings, applicationSecret: WRONG_SECRET },
    { ...right.exchangeOnlineSettings, password: WRONG_PASSWORD, applicationSecret: WRONG_SECRET },
    certificate,
    { ...certificate, applicationCertificatePassword: WRONG_PASSWORD },
  ]) {
    const body = { ...right, isSharePointOnline: false, exchangeOnlineSettings: settings }
    expect((await send('/v4/Organizations', { method: 'POST', body })).status).toBeGreaterThanOrEqual(400)
  }
  const refused = await grant({
    grant_type: 'password',
    username: 'administrator',
    password: WRONG_PASSWORD,
  })
  answers.push(refused.text)
  const broken = `{"type":"Office365","applicationSecret":"${WRONG_SECRET}",`
  await send('/v4/Organizations', {
    method: 'POST',
    body: broken,
    headers: { 'content-type': 'application/json' },
  })
  await send(`/v4/Jobs?access_token=${WRONG_SECRET}`)
}

const backUp = async (organizationId: string): Promise<string> => {
  const [repository] = await good<{ id: string }[]>('/v4/BackupRepositories')
  const job = { name: 'all', repositoryId: repository!.id, backupType: 'EntireOrganization' }
  const { id } = await good<{ id: string }>(`/v4/Organizations/${organizationId}/Jobs`, job)
  await send(`/v4/Jobs/${id}/Action`, { method: 'POST', body: { start: null } })
  for (let turn = 0; turn < 1_500; turn += 1) {
    const { results } = await good<{ results: { id: string; status: string }[] }>(
      `/v5/Jobs/${id}/JobSessions`,
    )
    const [session] = results
    if (session !== undefined && !['Running', 'Queued'].includes(session.status)) {
      await good(`/v4/JobSessions/${session.id}/LogItems`)
      return id
    }
    await delay(40)
  }
  throw new Error('the run does not end')
}

const restore = async (jobId: string): Promise<void> => {
  const { id } = await good<{ id: string }>(`/v4/Jobs/${jobId}/Action`, { explore: { type: 'vex' } })
  const base = `/v4/RestoreSessions/${id}/Organization/Mailboxes`
  const { results } = await good<{ results: { id: string }[] }>(base)
  await good(`${base}/${results[0]!.id}/Action`, {
    restoreToOriginalLocation: { userName: 'somebody', userPassword: WRONG_PASSWORD },
  })
  await good(`/v4/RestoreSessions/${id}/Events`)
}

beforeAll(async () => {
  const startedTenant = await startTenantProcess(folder, '--users', '1', '--mails', '3', '--files', '3')
  stops.push(() => startedTenant.stop())
  const tenant = startedTenant.ready
  const server = await startServer(tenant)
  client = new HttpClient(server.url, server.caFile)
  stops.push(() => client[Symbol.asyncDispose]())
  for (const [name, secret] of Object.entries({
    'application secret': tenant.applicationSecret,
    'app password': tenant.exchangeAppPassword,
    'second app password': tenant.sharePointAppPassword,
    'PFX password': PFX_PASSWORD,
    'administrator password': server.firstPassword,
    'wrong password': WRONG_PASSWORD,
    'wrong secret': WRONG_SECRET,
  }))
    secrets.set(name, secret)
  await logIn(server.userName, server.firstPassword)
  await makeMistakes(tenant)
  const added = await good<{ id: string }>('/v4/Organizations', organizationOf(tenant))
  await restore(await backUp(added.id))
  for (const version of ['v4', 'v5', 'v6', 'v7', 'v8'])
    for (const path of ['Organizations', 'Jobs', 'RestoreSessions', 'BackupRepositories', 'Proxies'])
      await good(`/${version}/${path}`)
}, 90_000)

afterAll(async () => {
  for (const stop of stops.reverse()) await stop()
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
})

const formsOf = (secret: string): readonly Buffer[] => {
  const bytes = Buffer.from(secret)
  // Base64 with another beginning shifts the text; what stands in the middle is the same.
  const shifted = [0, 1, 2].map((by) =>
    Buffer.concat([Buffer.alloc(by), bytes])
      .toString('base64')
      .replaceAll('=', '')
      .slice(4, -4),
  )
  const texts = [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    bytes.toString('hex'),
  ]
  return [...new Set([...texts, ...shifted])]
    .filter((text) => text.length >= 8)
    .map((text) => Buffer.from(text))
}

const leaksIn = (content: Buffer): string[] =>
  [...secrets]
    .filter(([, secret]) => formsOf(secret).some((form) => content.includes(form)))
    .map(([name]) => name)

it('leaves no secret in the log at debug level, not a token of Microsoft either', () => {
  const log = readFileSync(join(folder, 'server.log'))
  expect(log.includes('"level":20')).toBe(true)
  expect(leaksIn(log)).toEqual([])
  expect(log.toString()).not.toMatch(/eyJ[\w-]{10,}\.eyJ|Bearer [\w-]{20}/)
})

it('leaves no secret in any answer', () => {
  expect(answers.length).toBeGreaterThan(30)
  expect(answers.filter((answer) => leaksIn(Buffer.from(answer)).length > 0)).toEqual([])
})

it('leaves no secret in the data folder, which has the database and its journal', () => {
  const files = readdirSync(join(folder, 'server'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  expect(files.some((file) => /\.(db|sqlite)(-wal)?$/.test(file))).toBe(true)
  const leaking = files.flatMap((file) => leaksIn(readFileSync(file)).map((name) => `${name} in ${file}`))
  expect(leaking).toEqual([])
})

it.runIf(process.platform === 'linux')('leaves no secret where other programs see the process', () => {
  for (const file of ['cmdline', 'environ']) {
    const content = readFileSync(`/proc/${pid}/${file}`)
    expect(content.length).toBeGreaterThan(0)
    expect(leaksIn(content), file).toEqual([])
  }
})

it('would find what it looks for', () => {
  const secret = secrets.get('app password')!
  for (const text of [
    secret,
    `x=${Buffer.from(`:${secret}`).toString('base64')}`,
    encodeURIComponent(secret),
  ])
    expect(leaksIn(Buffer.from(`log ${text} end`)), text).toContain('app password')
})
