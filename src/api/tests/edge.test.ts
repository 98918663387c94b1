import { readFileSync, rmSync } from 'node:fs'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import { once } from 'node:events'
import { silentLogger, systemRandom } from '#base'
import type { Access } from '#engine'
import { startWorld, type World } from '#world'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildApi, type ApiParts, type Engine } from '../build-api.ts'
import { VERSIONS } from '../contract/versions.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({ users: 1, mails: 1, files: 1 })
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
})

interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
}

const grant = (fields: Record<string, string>, version = 'v8') =>
  world.client.send(`/${version}/token`, {
    method: 'POST',
    body: new URLSearchParams(fields).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })

const logIn = async (): Promise<Tokens> => {
  const answer = await grant({
    grant_type: 'password',
    username: 'administrator',
    password: world.password,
  })
  expect(answer.status).toBe(200)
  return answer.json<Tokens>()
}

const refresh = (refreshToken: string) => grant({ grant_type: 'refresh_token', refresh_token: refreshToken })

const seesJobs = async (token: string): Promise<number> =>
  (await world.client.send('/v8/Jobs', { token })).status

/** What undici does not send. */
const sendVerb = (method: string, path: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const { port, caFile } = world.server
    const request = httpsRequest(
      { host: 'localhost', port, method, path, ca: readFileSync(caFile), agent: false },
      (response) => {
        response.resume()
        resolve(response.statusCode)
      },
    )
    request.on('error', reject)
    request.end()
  })

describe('verbs', () => {
  it.each(VERSIONS)(
    'answers 405 and what is possible for a path of %s with another verb',
    async (version) => {
      const answer = await world.api(version).send('/Organizations', { method: 'DELETE' })
      expect(answer.status).toBe(405)
      expect(answer.headers['allow']).toMatch(/GET/)
      expect(answer.headers['allow']).toMatch(/POST/)
      expect((await world.api(version).send('/Nothing', { method: 'DELETE' })).status).toBe(404)
    },
  )

  it.each(['TRACE', 'PROPFIND', 'QUERY'])('has no %s, on any path', async (method) => {
    for (const path of ['/', '/v8/Jobs', '/v8/token', '/v8/swagger.json'])
      expect([404, 405], path).toContain(await sendVerb(method, path))
  })
})

describe('tokens', () => {
  it('ends a log-in by logging out, its refresh token too', async () => {
    const tokens = await logIn()
    const other = await logIn()
    const answer = await world.client.send('/v8/token/logout', {
      method: 'POST',
      token: tokens.access_token,
    })
    expect(answer.status).toBe(204)
    expect(await seesJobs(tokens.access_token)).toBe(401)
    expect((await refresh(tokens.refresh_token)).status).toBe(400)
    expect(await seesJobs(other.access_token)).toBe(200)
  })

  it('ends the whole log-in when a refresh token is used twice', async () => {
    const first = await logIn()
    const second = (await refresh(first.refresh_token)).json<Tokens>()
    expect(await seesJobs(second.access_token)).toBe(200)
    const stolen = await refresh(first.refresh_token)
    expect(stolen.status).toBe(400)
    expect(stolen.json()).toMatchObject({ error: 'invalid_grant' })
    expect(await seesJobs(second.access_token)).toBe(401)
    expect((await refresh(second.refresh_token)).status).toBe(400)
  })

  it('takes neither a refresh token for an access token nor a token from the query', async () => {
    const tokens = await logIn()
    expect(await seesJobs(tokens.refresh_token)).toBe(401)
    const inQuery = await world.client.send(`/v8/Jobs?access_token=${tokens.access_token}`)
    expect(inQuery.status).toBe(401)
  })
})

it('sends every answer with headers that keep it from being stored, sniffed or framed', async () => {
  const token = world.token
  const answers = [
    await world.client.send('/'),
    await world.client.send('/v8/Jobs', { token }),
    await world.client.send('/v8/Jobs'),
    await world.client.send('/nowhere'),
    await grant({ grant_type: 'password', username: 'nobody', password: 'nothing' }),
  ]
  for (const { headers } of answers) {
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
    })
    expect(headers['strict-transport-security']).toMatch(/max-age=\d{7,}/)
    expect(headers['x-powered-by'] ?? headers['server']).toBeUndefined()
  }
})

describe('health', () => {
  const health = () => world.api('v8').get('/Health')
  interface Report {
    readonly status: string
    readonly entries: Readonly<Record<string, { readonly status: string; readonly description: string }>>
  }

  it('tells of database, scheduler, data folder, load and each repository', async () => {
    const answer = await health()
    const { status, entries } = answer.json<Report>()
    expect([answer.status, status]).toEqual([200, 'Healthy'])
    expect(Object.keys(entries)).toEqual(
      expect.arrayContaining(['dataFolder', 'database', 'scheduler', 'load']),
    )
    expect(entries['repository Default Backup Repository']).toMatchObject({
      status: 'Healthy',
      description: expect.stringContaining('GiB free') as unknown,
    })
  })

  it('answers 503 with the report when a repository cannot be reached', async () => {
    const path = `${world.folder}/second`
    const added = await world.api('v8').post('/BackupRepositories', { name: 'second', path })
    expect(added.status).toBe(201)
    expect((await health()).status).toBe(200)
    rmSync(path, { recursive: true })
    const answer = await health()
    const { status, entries } = answer.json<Report>()
    expect([answer.status, status]).toEqual([503, 'Unhealthy'])
    expect(entries['repository second']!.status).toBe('Unhealthy')
    expect(entries['repository Default Backup Repository']!.status).toBe('Healthy')
    await world.api('v8').delete(`/BackupRepositories/${added.json<{ id: string }>().id}`)
  })
})

describe('under load', () => {
  const load = { isOverloaded: true, lagMs: 900 }
  const access = {
    authenticate: async () => ({ kind: 'administrator', userId: '1', name: 'administrator' }),
    logout: async () => {},
  } as unknown as Access
  const jobs = { list: async () => ({ items: [], totalCount: 0 }), start: async () => expect.fail('started') }
  const parts = {
    engine: { access, jobs } as unknown as Engine,
    service: { health: async () => ({}) },
    address: { names: new Set<string>() },
    log: silentLogger,
    random: systemRandom,
    tls: {},
    documents: false,
    load,
  } as unknown as ApiParts
  const headers = { authorization: 'Bearer x' }

  it('refuses new work with 503 and when to come again, and goes on with reading and logging out', async () => {
    const app = await buildApi(parts)
    const started = await app.inject({ method: 'POST', url: '/v8/Jobs/1/start', headers })
    expect(started.statusCode).toBe(503)
    expect(Number(started.headers['retry-after'])).toBeGreaterThan(0)
    expect((await app.inject({ method: 'GET', url: '/v8/Jobs', headers })).statusCode).toBe(200)
    expect((await app.inject({ method: 'POST', url: '/v8/token/logout', headers })).statusCode).toBe(204)
    const health = await app.inject({ method: 'GET', url: '/v8/Health', headers })
    expect(health.statusCode).toBe(503)
    expect(health.json()).toMatchObject({ entries: { load: { status: 'Unhealthy' } } })
    await app.close()
  })
})

it('closes what one address opens above the configured number, and takes new ones when it has let go', async () => {
  await using limited = await startWorld({
    users: 1,
    mails: 1,
    files: 1,
    server: { connectionsPerAddress: 4 },
  })
  const sockets = Array.from({ length: 8 }, () => connect(limited.server.port, '127.0.0.1'))
  let closed = 0
  await new Promise<void>((resolve) => {
    for (const socket of sockets) {
      socket.on('error', () => {})
      socket.once('close', () => {
        closed += 1
        if (closed === 4) resolve()
      })
    }
  })
  for (const socket of sockets) socket.destroy()
  await Promise.all(sockets.map((socket) => socket.closed || once(socket, 'close')))
  expect((await limited.api().get('/Jobs')).status).toBe(200)
})
