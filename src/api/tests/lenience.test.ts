import { readFileSync } from 'node:fs'
import https from 'node:https'
import { startWorld, type Call, type World } from '#world'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { VERSIONS } from '../contract/versions.ts'

let world: World
let organizationId: string
let repositoryId: string
let jobId: string
beforeAll(async () => {
  world = await startWorld({ users: 2, mails: 1, files: 1 })
  organizationId = (await world.addOrganization()).id
  const api = world.api('v4')
  repositoryId = (await api.get('/BackupRepositories')).json<{ id: string }[]>()[0]!.id
  const body = { name: 'all', backupType: 'EntireOrganization', repositoryId }
  const added = await api.post(`/Organizations/${organizationId}/Jobs`, body)
  expect(added.status).toBe(201)
  jobId = added.json<{ id: string }>().id
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
})

const send = (path: string, call: Call = {}) => world.client.send(path, { token: world.token, ...call })

/** A list of organizations, asked for by another name than the certificate's, which is checked all the same. */
const withHost = (host: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const asked = https.request(
      {
        host: '127.0.0.1',
        port: world.server.port,
        path: '/v4/Organizations',
        ca: readFileSync(world.server.caFile),
        servername: 'localhost',
        headers: { host, 'x-forwarded-host': host, authorization: `Bearer ${world.token}` },
      },
      (answer) => {
        resolve(answer.setEncoding('utf8').reduce((all, part: string) => all + part, ''))
      },
    )
    asked.on('error', reject).end()
  })

describe('finds the way whatever the address looks like', () => {
  it.each([
    '/v4/Organizations',
    '/v4/organizations',
    '/V4/ORGANIZATIONS/',
    '//v4/Organizations',
    '/v4//Organizations///',
    '/v4/Organizations?',
    '/v4/Organizations/?',
    '/v4/Organizations/?limit=30',
    '/v7/Organizations?extendedView=true/',
    '/v8/organizations?LIMIT=1&Offset=0',
  ])('%s', async (path) => {
    expect((await send(path)).status).toBe(200)
  })
})

describe('takes bodies and headers as programs send them', () => {
  it('a GET with a content type, even multipart', async () => {
    const headers = { 'content-type': 'multipart/form-data; boundary=x' }
    expect((await send('/v4/Jobs', { headers })).status).toBe(200)
  })

  it('a POST that says JSON and has no body', async () => {
    const headers = { 'content-type': 'application/json' }
    const answer = await send(`/v6/Jobs/${jobId}/disable`, { method: 'POST', headers })
    expect(answer.status).toBe(204)
    expect((await send(`/v7/Jobs/${jobId}/enable`, { method: 'POST', headers, body: '{}' })).status).toBe(204)
  })

  it('an action by its one key, in any letter case', async () => {
    const api = world.api('v5')
    expect((await api.post(`/Jobs/${jobId}/action`, { Disable: null })).status).toBe(200)
    expect((await api.get(`/Jobs/${jobId}`)).json()).toMatchObject({ isEnabled: false })
    expect((await api.post(`/Jobs/${jobId}/Action`, { enable: '' })).status).toBe(200)
    for (const body of [{}, { enable: null, disable: null }, { fly: null }, []])
      expect((await api.post(`/Jobs/${jobId}/Action`, body)).status).toBe(400)
  })

  it('a job as it was read, with one field changed', async () => {
    for (const version of VERSIONS) {
      const api = world.api(version)
      const job = (await api.get(`/Jobs/${jobId}`)).json<object>()
      const changed = { ...job, description: `by ${version}`, repositoryId }
      expect((await api.put(`/Jobs/${jobId}`, changed)).status).toBeLessThan(300)
      expect((await api.get(`/Jobs/${jobId}`)).json()).toMatchObject({ description: `by ${version}` })
    }
  })

  it('dates in several forms, and refuses what is no date', async () => {
    for (const date of ['2026-01-01', '2026.01.02%2015:04', '2026-01-02T15:04:05.1234567Z'])
      expect((await send(`/v8/JobSessions?endTimeLowerBound=${date}`)).status).toBe(200)
    const answer = await send('/v8/JobSessions?endTimeLowerBound=soon')
    expect(answer.status).toBe(400)
    expect(answer.text).toContain('endTimeLowerBound')
  })

  it('limits up to a million, and caps them', async () => {
    for (const limit of [1, 1000, 5000])
      expect((await send(`/v8/Jobs?limit=${limit}`)).json()).toMatchObject({ limit })
    expect((await send('/v8/Jobs?limit=1000000')).json()).toMatchObject({ limit: 10_000, offset: 0 })
    for (const limit of ['0', '-1', 'x', '1.5'])
      expect((await send(`/v8/Jobs?limit=${limit}`)).status).toBe(400)
  })
})

describe('logs in', () => {
  const form = (fields: Record<string, string>, contentType = 'application/x-www-form-urlencoded') =>
    world.client.send('/v4/Token', {
      method: 'POST',
      body: new URLSearchParams(fields).toString(),
      headers: { 'content-type': contentType },
    })
  const password = () => ({ grant_type: 'password', username: 'administrator', password: world.password })

  it('answers a pair of tokens that works on every version', async () => {
    const answer = await form(password())
    expect(answer.status).toBe(200)
    const token = answer.json<Record<string, unknown>>()
    expect(Object.keys(token).sort()).toEqual(
      ['.expires', '.issued', 'access_token', 'expires_in', 'refresh_token', 'token_type', 'userName'].sort(),
    )
    expect(Number.isInteger(token['expires_in'])).toBe(true)
    for (const version of VERSIONS)
      expect((await send(`/${version}/Jobs`, { token: String(token['access_token']) })).status).toBe(200)
  })

  it('ignores a stray refresh token and unknown fields', async () => {
    expect(
      (await form({ ...password(), refresh_token: "''", disable_antiforgery_token: 'true' })).status,
    ).toBe(200)
    expect((await form({ ...password(), refresh_token: '' })).status).toBe(200)
  })

  it('takes a form that is labelled as multipart', async () => {
    expect((await form(password(), 'multipart/form-data')).status).toBe(200)
  })

  it('renews with a refresh token once', async () => {
    const first = (await form(password())).json<{ refresh_token: string }>()
    const renewal = { grant_type: 'refresh_token', refresh_token: first.refresh_token }
    expect((await form(renewal)).status).toBe(200)
    expect((await form(renewal)).status).toBe(400)
  })

  it('answers 400 in OAuth words for a wrong password, and no more', async () => {
    const answer = await form({ ...password(), password: 'wrong' })
    expect(answer.status).toBe(400)
    expect(answer.json()).toEqual({
      error: 'invalid_grant',
      error_description: 'the user name or password is not correct',
    })
    expect((await form({ ...password(), username: 'nobody' })).json()).toEqual(answer.json())
  })

  it('answers 400 for a grant it does not know or has not built', async () => {
    for (const grant of ['', 'x', 'constructor', 'urn:ietf:params:oauth:grant-type:jwt-bearer']) {
      const answer = await form({ ...password(), grant_type: grant })
      expect(answer.status).toBe(400)
      expect(answer.json()).toMatchObject({
        error: expect.stringMatching(/unsupported_grant_type|invalid/) as string,
      })
    }
  })
})

describe('refuses', () => {
  it.each([
    ['GET', '/v9/Organizations', 404],
    ['GET', '/v3/Organizations', 404],
    ['GET', '/Organizations', 404],
    ['GET', '/v4/Nothing', 404],
    ['DELETE', '/v4/Organizations', 405],
    ['GET', '/v4/LicensedUsers', 501],
    ['POST', '/v8/DataRetrievals', 501],
    ['GET', '/v8/Organizations/x/Sites', 501],
  ] as const)('%s %s with %i', async (method, path, status) => {
    const answer = await send(path, { method })
    expect(answer.status).toBe(status)
    expect(answer.json<{ message: string }>().message).not.toBe('')
  })

  it('whoever has no token or a wrong one with 401, whatever the path', async () => {
    for (const path of ['/v4/Organizations', '/v4/Nothing', '/v8/Accounts', '/v6'])
      for (const token of [null, 'wrong', `${world.token}x`])
        expect((await send(path, { token })).status).toBe(401)
    expect((await send(`/v4/Organizations?access_token=${world.token}`, { token: null })).status).toBe(401)
  })

  it('to put a strange Host header into links', async () => {
    const text = await withHost('evil.example')
    expect(text).toContain(organizationId)
    expect(text).not.toContain('evil')
    expect(text).toContain('https://127.0.0.1:')
  })

  it('a compressed body', async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
    expect((await send('/v4/Organizations', { method: 'POST', body: 'x', headers })).status).toBe(415)
  })
})

it('sends the headers that keep browsers from harm', async () => {
  const { headers } = await send('/v8/Jobs')
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  })
})
