import { mkdtempSync, rmSync, readFileSync, existsSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { FixedClock } from '#base'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  GraphError,
  startPracticeTenant,
  type PracticeTenant,
  type Route,
  type TenantPart,
} from '../index.ts'
import { http } from './http.ts'

const clock = new FixedClock('2026-11-24T09:00:00Z')
let tenant: PracticeTenant
let release: () => void = () => {}

const route = (more: Partial<Route> & Pick<Route, 'path' | 'area'>): Route => ({
  role: 'graph',
  method: 'GET',
  handler: (request) => ({
    status: 200,
    json: { path: more.path, params: request.params, itemPath: request.itemPath ?? null },
  }),
  ...more,
})

const big = Buffer.alloc(100_000, 'x')

/** Routes of every area, as the other parts make them. */
const part: TenantPart = (state) => [
  route({ path: '/users/:user/messages', area: 'outlook', pool: ({ params }) => state.user(params['user']!).id }),
  route({ path: '/users/:user/messages/delta()', area: 'outlook' }),
  route({ path: '/users/:user/messages/:message', area: 'outlook' }),
  route({ path: '/users/:user/messages/:message', area: 'outlook', method: 'PATCH', handler: async (request) => ({ status: 200, json: await request.json() }) }),
  route({ path: '/users/:user/slow', area: 'outlook', permissions: [], pool: ({ params }) => state.user(params['user']!).id, handler: async () => {
    await new Promise<void>((resolve) => { const before = release; release = () => { before(); resolve() } })
    return { status: 204 }
  } }),
  route({ path: '/drives/:drive', area: 'files' }),
  route({ path: '/drives/:drive/root', area: 'files' }),
  route({ path: '/drives/:drive/root/children', area: 'files', cost: () => 300 }),
  route({ path: '/drives/:drive/root/delta(token=:token)', area: 'files' }),
  route({ path: '/drives/:drive/root/search(q=:q)', area: 'files' }),
  route({ path: '/drives/:drive/items/:item/content', area: 'files', handler: (request) => ({ status: 302, headers: { location: `${request.origin('mysite')}/download` } }) }),
  route({ path: '/drives/:drive/items/:item/bytes', area: 'files', permissions: [], handler: () => ({ status: 200, headers: { 'content-type': 'image/png' }, bytes: Buffer.from([0, 255, 1]) }) }),
  route({ path: '/drives/:drive/items/:item/content', area: 'files', method: 'PUT', handler: async (request) => ({ status: 200, json: { length: (await request.body()).length } }) }),
  route({ path: '/sites/:site/drive/root/children', area: 'files', permissions: [] }),
  route({ path: '/big', area: 'directory', permissions: [], handler: () => ({ status: 200, bytes: big }) }),
  route({ path: '/broken', area: 'directory', permissions: [], handler: () => { throw new TypeError('private words') } }),
  route({ path: '/refused', area: 'directory', permissions: [], handler: () => { throw new GraphError(409, 'nameAlreadyExists', 'There is one.', { innerCode: 'inner', headers: { 'x-more': '1' } }) } }),
  { ...route({ path: '/download', area: 'open' }), role: 'mysite', refusesToken: true },
  { ...route({ path: '/_api/web/lists', area: 'files', permissions: [] }), role: 'sharepoint' },
] // prettier-ignore

beforeAll(async () => {
  tenant = await startPracticeTenant({
    seed: { users: 3 },
    clock,
    parts: [part],
    sentinels: ['throttle-me', 'flaky', 'slow'],
  })
})
afterAll(async () => {
  await tenant[Symbol.asyncDispose]()
})
afterEach(() => {
  tenant.faults.clear()
  tenant.counters.reset()
})

const token = (roles: readonly string[], audience?: string) =>
  tenant.token({ roles, ...(audience === undefined ? {} : { audience }) })

const get = (
  path: string,
  bearer: string | undefined = tenant.token(),
  headers: Record<string, string> = {},
  method = 'GET',
) =>
  http(`${tenant.origin('graph')}/v1.0${path}`, {
    method,
    ca: tenant.ca,
    headers: { ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }), ...headers },
  })
const codeOf = async (path: string, bearer?: string) => {
  const answer = await get(path, bearer)
  return [answer.status, answer.json<{ error: { code: string } }>().error.code]
}
const alice = () => [...tenant.state.users()][0]!

describe('paths', () => {
  it.each([
    ['/users/a/messages/delta', '/users/:user/messages/delta()', { user: 'a' }, null],
    ['/USERS/a/Messages/Delta()', '/users/:user/messages/delta()', { user: 'a' }, null],
    ["/users('a')/messages/microsoft.graph.delta()", '/users/:user/messages/delta()', { user: 'a' }, null],
    [
      '/users/a/messages/AAM%2Fk%3D',
      '/users/:user/messages/:message',
      { user: 'a', message: 'AAM/k=' },
      null,
    ],
    ['/drives/b!x/root:/a%20b/c%23.txt', '/drives/:drive/root', { drive: 'b!x' }, 'a b/c#.txt'],
    ['/drives/b!x/root:/a/b:/children', '/drives/:drive/root/children', { drive: 'b!x' }, 'a/b'],
    [
      "/drives/d/root/delta(token='1;2')",
      '/drives/:drive/root/delta(token=:token)',
      { drive: 'd', token: '1;2' },
      null,
    ],
    ["/drives/d/root/search(q='it''s')", '/drives/:drive/root/search(q=:q)', { drive: 'd', q: "it's" }, null],
    [
      '/sites/h.sharepoint.com:/sites/a b:/drive/root:/x/y:/children',
      '/sites/:site/drive/root/children',
      { site: 'h.sharepoint.com:/sites/a b' },
      'x/y',
    ],
  ])('%s reaches its route', async (path, reached, params, itemPath) => {
    const answer = await get(path.replaceAll(' ', '%20'))
    expect(answer.json()).toEqual({ path: reached, params, itemPath })
  })

  it('that are not built answer 501, wrong methods 405, other versions 400', async () => {
    expect(await codeOf('/planner/tasks')).toEqual([501, 'NotImplemented'])
    const wrong = await get('/drives/d', tenant.token(), {}, 'DELETE')
    expect([wrong.status, wrong.headers['allow']]).toEqual([405, 'GET'])
    const other = await http(`${tenant.origin('graph')}/v2.0/users`, { ca: tenant.ca })
    expect(other.status).toBe(400)
  })
})

describe('answers', () => {
  it('carry the headers of Graph and echo the client’s id', async () => {
    const answer = await get('/drives/d', tenant.token(), { 'client-request-id': 'mine' })
    expect(answer.headers).toMatchObject({ 'client-request-id': 'mine', 'odata-version': '4.0' })
    expect(answer.headers['request-id']).toMatch(/^[0-9a-f-]{36}$/)
    expect(answer.headers['content-type']).toContain('odata.metadata=minimal')
  })

  it('put what was thrown into the envelope, and nothing private', async () => {
    const refused = await get('/refused')
    expect([refused.status, refused.headers['x-more']]).toEqual([409, '1'])
    expect(refused.json()).toMatchObject({
      error: { code: 'nameAlreadyExists', innerError: { code: 'inner', date: '2026-11-24T09:00:00' } },
    })
    const broken = await get('/broken')
    expect(broken.status).toBe(500)
    expect(broken.text).not.toContain('private')
  })

  it('have no body for HEAD', async () => {
    const answer = await get('/big', tenant.token(), {}, 'HEAD')
    expect([answer.status, answer.headers['content-length'], answer.bytes.length]).toEqual([200, '100000', 0])
  })
})

describe('the door', () => {
  it.each([
    ['/users/a/messages', ['User.Read.All'], 403, 'ErrorAccessDenied'],
    ['/drives/d', ['Mail.Read'], 403, 'accessDenied'],
    ['/users', ['Mail.Read'], 403, 'Authorization_RequestDenied'],
    ['/users', [], 403, 'Authorization_RequestDenied'],
  ])('refuses %s for the roles %j in the words of the area', async (path, roles, status, code) => {
    expect(await codeOf(path, token(roles))).toEqual([status, code])
  })

  it.each([
    ['/users/a/messages/1', ['Mail.Read']],
    ['/users/a/messages/1', ['Mail.ReadWrite']],
    ['/drives/d', ['Files.Read.All']],
    ['/drives/d/items/i/content', ['Sites.Read.All']],
    ['/users', ['User.Read.All']],
    ['/groups', ['GroupMember.Read.All']],
  ])('opens %s for %j', async (path, roles) => {
    expect((await get(path, token(roles))).status).toBeLessThan(400)
  })

  it('does not let a reader write', async () => {
    const answer = await get('/users/a/messages/1', token(['Mail.Read']), {}, 'PATCH')
    expect(answer.status).toBe(403)
  })

  it('refuses tokens that are missing, strange, changed, expired or for another service', async () => {
    const valid = tenant.token()
    const unauthenticated = [401, 'InvalidAuthenticationToken']
    const empty = await get('/drives/d', '')
    expect([empty.status, empty.headers['www-authenticate']]).toEqual([
      401,
      expect.stringContaining('Bearer realm=""'),
    ])
    expect(await codeOf('/drives/d', 'x.y')).toEqual(unauthenticated)
    expect(await codeOf('/drives/d', `${valid.slice(0, -4)}AAAA`)).toEqual(unauthenticated)
    expect(await codeOf('/drives/d', token(['Files.Read.All'], 'https://outlook.office365.com'))).toEqual(
      unauthenticated,
    )
    clock.advance(3_600_001)
    expect(await codeOf('/drives/d', valid)).toEqual(unauthenticated)
  })

  it('refuses /me to an application', async () => {
    expect(await codeOf('/me/messages')).toEqual([400, 'BadRequest'])
  })

  it('refuses a token where the address alone is the proof', async () => {
    const at = `${tenant.origin('mysite')}/download`
    expect((await http(at, { ca: tenant.ca })).status).toBe(200)
    expect((await http(at, { ca: tenant.ca, headers: { authorization: 'Bearer x' } })).status).toBe(401)
  })

  it('takes SharePoint tokens of a certificate, not of a secret', async () => {
    const at = `${tenant.origin('sharepoint')}/_api/web/lists`
    const call = (bearer: string) =>
      http(at, { ca: tenant.ca, headers: { authorization: `Bearer ${bearer}` } })
    expect((await call(token([], 'https://contoso.sharepoint.com'))).status).toBe(200)
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: tenant.application.id,
      client_secret: tenant.application.secret,
      scope: 'https://contoso.sharepoint.com/.default',
    })
    const asked = await http(`${tenant.origin('login')}/${tenant.tenantId}/oauth2/v2.0/token`, {
      method: 'POST',
      ca: tenant.ca,
      body: form.toString(),
    })
    const refused = await call(asked.json<{ access_token: string }>().access_token)
    expect([refused.status, refused.text.includes('Unsupported app only token')]).toEqual([401, true])
  })
})

describe('$batch', () => {
  interface Part {
    id: string
    status: number
    headers: Record<string, string>
    body?: unknown
  }
  const batch = async (requests: readonly object[], bearer = tenant.token()) =>
    http(`${tenant.origin('graph')}/v1.0/$batch`, {
      method: 'POST',
      ca: tenant.ca,
      headers: { authorization: `Bearer ${bearer}` },
      body: { requests },
    })
  const responses = async (requests: readonly object[]): Promise<Map<string, Part>> => {
    const answer = await batch(requests)
    expect(answer.status, answer.text).toBe(200)
    return new Map(answer.json<{ responses: Part[] }>().responses.map((one) => [one.id, one]))
  }
  const one = (id: string, url = '/drives/d', more: object = {}) => ({ id, method: 'GET', url, ...more })

  it('runs each entry as if it had come alone', async () => {
    const found = await responses([
      one('a'),
      one('b', '/planner'),
      one('c', '/drives/d/items/i/content'),
      one('d', '/drives/d/items/i/bytes'),
      {
        id: 'e',
        method: 'PUT',
        url: '/drives/d/items/i/content',
        headers: { 'Content-Type': 'image/png' },
        body: 'AP8B',
      },
    ])
    expect(found.get('a')).toMatchObject({ status: 200, body: { path: '/drives/:drive' } })
    expect(found.get('b')).toMatchObject({ status: 501 })
    expect(found.get('c')).toMatchObject({
      status: 302,
      headers: { location: `${tenant.origin('mysite')}/download` },
    })
    expect(found.get('d')).toMatchObject({ status: 200, body: 'AP8B' })
    expect(found.get('e')).toMatchObject({ status: 200, body: { length: 3 } })
  })

  it('does not run what depends on a failure', async () => {
    const found = await responses([
      one('1', '/refused'),
      one('2', '/drives/d', { dependsOn: ['1'] }),
      one('3'),
      one('4', '/drives/d', { dependsOn: ['3'] }),
    ])
    expect([...'1234'].map((id) => found.get(id)!.status)).toEqual([409, 424, 200, 200])
  })

  it.each([
    ['more than 20 entries', Array.from({ length: 21 }, (_, at) => one(String(at)))],
    ['no entries', []],
    ['two entries of one id', [one('a'), one('a')]],
    ['an absolute address', [one('a', 'https://graph.microsoft.com/v1.0/users')]],
    ['a body without its type', [one('a', '/drives/d', { method: 'PUT', body: {} })]],
    ['a dependency on what is not there', [one('a', '/drives/d', { dependsOn: ['z'] })]],
  ])('refuses %s', async (_name, requests) => {
    expect((await batch(requests)).status).toBe(400)
  })

  it('needs a token, and throttles entry by entry', async () => {
    expect((await batch([one('a')], 'x')).status).toBe(401)
    tenant.controls.setLimits({ mailboxRequests: 2 })
    clock.advance(600_001)
    const url = `/users/${alice().id}/messages`
    const found = await responses([one('1', url), one('2', url), one('3', url)])
    tenant.controls.setLimits({ mailboxRequests: 10_000 })
    const statuses = [...found.values()].map(({ status }) => status).sort()
    expect(statuses).toEqual([200, 200, 429])
    expect([...found.values()].find(({ status }) => status === 429)!.headers).toHaveProperty('retry-after')
  })
})

describe('throttling', () => {
  it('lets four requests at a time into a mailbox', async () => {
    const calls = Array.from({ length: 6 }, () => get(`/users/${alice().id}/slow`))
    // The fifth and sixth are answered at once; the others wait for us.
    const refused = await Promise.all([Promise.race(calls)])
    expect(refused[0]!.status).toBe(429)
    while (tenant.counters.view().throttled < 2) await delay(5)
    release()
    const statuses = (await Promise.all(calls)).map(({ status }) => status).sort()
    expect(statuses).toEqual([204, 204, 204, 204, 429, 429])
    expect(refused[0]!.json()).toMatchObject({
      error: { code: 'ApplicationThrottled', message: 'Application is over its MailboxConcurrency limit.' },
    })
    expect(tenant.counters.view().mostConcurrent[alice().id]).toBeGreaterThan(4)
    expect((await get(`/users/${alice().id}/messages`)).status).toBe(200)
  })

  it('counts resource units of files by the minute and says what remains', async () => {
    clock.advance(60_001)
    const statuses: number[] = []
    for (let call = 0; call < 5; call += 1) {
      const answer = await get('/drives/d/root/children')
      statuses.push(answer.status)
      if (call < 3) expect(answer.headers['ratelimit-limit']).toBeUndefined()
      if (call === 3)
        expect(answer.headers).toMatchObject({
          'ratelimit-limit': '1250',
          'ratelimit-remaining': '50',
          'ratelimit-reset': '60',
        })
      if (call === 4) {
        expect(answer.headers).toMatchObject({ 'retry-after': '60', 'ratelimit-remaining': '0' })
        expect(answer.json()).toMatchObject({
          error: { code: 'activityLimitReached', innerError: { code: 'throttledRequest' } },
        })
      }
    }
    expect(statuses).toEqual([200, 200, 200, 200, 429])
    clock.advance(60_000)
    expect((await get('/drives/d/root/children')).status).toBe(200)
  })

  it('refills the directory’s bucket, and says the price of each call', async () => {
    tenant.controls.setLimits({ directoryPerTenSeconds: 10 })
    clock.advance(10_000)
    expect((await get('/users?$select=id')).headers['x-ms-resource-unit']).toBe('1')
    let answer = await get('/users')
    for (let call = 0; call < 6 && answer.status === 200; call += 1) answer = await get('/users')
    expect(answer.status).toBe(429)
    expect(answer.headers).toMatchObject({ 'x-ms-throttle-information': 'ResourceUnitLimitExceeded' })
    clock.advance(Number(answer.headers['retry-after']) * 1000 + 3000)
    expect((await get('/users')).status).toBe(200)
    tenant.controls.setLimits({ directoryPerTenSeconds: 3_500 })
    clock.advance(20_000)
  })

  it('counts what all applications of the tenant spend together', async () => {
    tenant.controls.setLimits({ filesOfTenantPerFiveMinutes: 900 })
    clock.advance(300_001)
    const other = tenant.token({ application: tenant.editor.id })
    const path = '/drives/d/root/children'
    const askedByOther = () =>
      http(`${tenant.origin('graph')}/v1.0${path}`, {
        ca: tenant.ca,
        headers: { authorization: `Bearer ${other}` },
      })
    // Each call costs 300 here: neither application has spent its own allowance of 1,250 when the tenant's is gone.
    const statuses = [await get(path), await askedByOther(), await askedByOther(), await get(path)].map(
      ({ status }) => status,
    )
    expect(statuses).toEqual([200, 200, 200, 429])
    tenant.controls.setLimits({ filesOfTenantPerFiveMinutes: 18_750 })
    clock.advance(300_001)
    expect((await get(path)).status).toBe(200)
  })

  it('can be switched off', async () => {
    tenant.controls.settings.throttling = false
    for (let call = 0; call < 6; call += 1) expect((await get('/drives/d/root/children')).status).toBe(200)
    tenant.controls.settings.throttling = true
    clock.advance(60_001)
  })
})

describe('faults', () => {
  it('strike the chosen call of a path', async () => {
    tenant.faults.addRule({
      path: '/v1.0/drives/*',
      nth: 2,
      times: 1,
      status: 503,
      code: 'serviceNotAvailable',
      retryAfterSeconds: 7,
    })
    const answers = [await get('/drives/a'), await get('/drives/b'), await get('/drives/c')]
    expect(answers.map(({ status }) => status)).toEqual([200, 503, 200])
    expect(answers[1]!.headers['retry-after']).toBe('7')
  })

  it('cut a connection before, halfway, or after the work', async () => {
    tenant.faults.addRule({ path: '/v1.0/big', kind: 'cut' })
    await expect(get('/big')).rejects.toThrow()
    expect((await get('/big')).bytes.length).toBe(100_000)
    tenant.faults.addRule({ path: '/v1.0/refused', kind: 'lost' })
    await expect(get('/drives/d')).resolves.toMatchObject({ status: 200 })
    tenant.faults.addRule({ path: '/v1.0/drives/lost', kind: 'lost' })
    await expect(get('/drives/lost')).rejects.toThrow()
  })

  it('come by chance from a seed, the same each time', async () => {
    const run = async (): Promise<number[]> => {
      tenant.faults.setPlan({
        seed: 5,
        rates: { throttled: 0.2, unavailable: 0.2, timeout: 0.1, emptyUnavailable: 0.1 },
      })
      const statuses: number[] = []
      for (let call = 0; call < 30; call += 1) statuses.push((await get('/drives/d')).status)
      return statuses
    }
    const first = await run()
    expect(new Set(first)).toEqual(new Set([200, 429, 503, 504]))
    expect(await run()).toEqual(first)
  })

  it('challenge a token for claims, and fail the token service in its own way', async () => {
    tenant.faults.addRule({ path: '/v1.0/drives/d', kind: 'claims' })
    const challenged = await get('/drives/d')
    expect(challenged.status).toBe(401)
    expect(challenged.headers['www-authenticate']).toMatch(/error="insufficient_claims", claims="ey/)
    const token = () =>
      http(`${tenant.origin('login')}/${tenant.tenantId}/oauth2/v2.0/token`, {
        method: 'POST',
        ca: tenant.ca,
        body: 'x=1',
      })
    tenant.faults.addRule({ path: '*/token', kind: 'throttled', retryAfterSeconds: 9 })
    const throttled = await token()
    expect([throttled.status, throttled.headers['retry-after']]).toEqual([429, '9'])
    expect(throttled.json()).toMatchObject({ error: 'temporarily_unavailable', error_codes: [90055] })
    tenant.faults.addRule({ path: '*/token', kind: 'unavailable' })
    const unavailable = await token()
    expect([unavailable.status, unavailable.headers['content-type']]).toEqual([503, 'text/plain'])
  })

  it('meet users whose names ask for them', async () => {
    const statuses = async (name: string) => {
      const seen: (number | string)[] = []
      for (let call = 0; call < 6; call += 1) {
        seen.push(
          await get(`/users/${name}@${tenant.domain}/messages/1`).then(
            ({ status }) => status,
            () => 'cut',
          ),
        )
      }
      return seen
    }
    expect(await statuses('throttle-me')).toEqual([429, 200, 429, 200, 429, 200])
    expect(await statuses('flaky')).toEqual([200, 200, 503, 200, 200, 'cut'])
    const before = clock.nowMs()
    expect(await statuses('slow')).toEqual([200, 200, 200, 200, 200, 200])
    expect(clock.nowMs() - before).toBe(6 * 5 * 200)
  })
})

describe('a data folder', () => {
  it('keeps the tenant over a restart: people, secrets, tokens, authority', async () => {
    const data = mkdtempSync(join(tmpdir(), 'practice-tenant-test-'))
    try {
      const first = await startPracticeTenant({ data, seed: { users: 4, seed: 7 }, parts: [] })
      const call = async (at: PracticeTenant, method: string, path: string, bearer: string, body?: object) =>
        http(`${at.origin('graph')}/v1.0${path}`, {
          method,
          ca: first.ca,
          headers: { authorization: `Bearer ${bearer}` },
          ...(body === undefined ? {} : { body }),
        })
      const bearer = first.token({ application: first.editor.id })
      const { id } = [...first.state.users()][1]!
      expect((await call(first, 'PATCH', `/users/${id}`, bearer, { displayName: 'Changed' })).status).toBe(
        204,
      )
      await first[Symbol.asyncDispose]()

      await using second = await startPracticeTenant({ data, seed: { users: 99, seed: 8 }, parts: [] })
      expect([second.tenantId, second.application, second.admin, second.ca]).toEqual([
        first.tenantId,
        first.application,
        first.admin,
        first.ca,
      ])
      const user = await call(second, 'GET', `/users/${id}`, bearer)
      expect(user.json()).toMatchObject({ displayName: 'Changed' })
      expect([...second.state.users()]).toHaveLength(6)
      expect(statSync(join(data, 'ca-key.pem')).mode & 0o077).toBe(0)
    } finally {
      rmSync(data, { recursive: true, force: true })
    }
  })

  it('is not left behind by a tenant in memory', async () => {
    const running = await startPracticeTenant({ parts: [] })
    expect(readFileSync(running.caFile, 'utf8')).toBe(running.ca)
    await running[Symbol.asyncDispose]()
    expect(existsSync(running.caFile)).toBe(false)
  })
})

describe('a seed', () => {
  it('makes the same people each time, and other people from another', async () => {
    const names = async (seed: number) => {
      await using made = await startPracticeTenant({ seed: { users: 20, seed }, parts: [] })
      return [...made.state.users()].map(({ id, displayName }) => `${id} ${displayName}`)
    }
    expect(await names(3)).toEqual(await names(3))
    expect(await names(3)).not.toEqual(await names(4))
  })
})
