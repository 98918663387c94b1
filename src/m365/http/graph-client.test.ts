import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { FixedClock, seededRandom, silentLogger } from '#base'
import { describe, expect, it } from 'vitest'
import { hostsOf } from '../hosts.ts'
import { GraphClient, type TokenSource } from './graph-client.ts'
import { QuotaPool } from './quota-pool.ts'
import { RETRY_LIMITS } from './retry-plan.ts'
import { TrafficCounter } from './traffic.ts'
import { networkFailure, type IncomingResponse, type OutgoingRequest } from './transport.ts'

interface Scripted {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  readonly breaks?: boolean
}

/** A client whose service answers by a script and remembers what it was asked. */
function scripted(...script: Scripted[]) {
  const asked: OutgoingRequest[] = []
  const renewals: (string | undefined)[] = []
  const clock = new FixedClock('2026-11-24T08:00:00Z')
  const traffic = new TrafficCounter()
  const pool = new QuotaPool('files', { concurrent: 4 }, clock, traffic)
  const transport = {
    send: async (request: OutgoingRequest) => {
      asked.push(request)
      const answer = script.shift() ?? {}
      if (answer.breaks === true) throw networkFailure(new Error('cut'))
      return await Promise.resolve(responseOf(answer))
    },
  }
  const tokens: TokenSource = {
    token: () => Promise.resolve('first'),
    renewed: (_refused, claims) => {
      renewals.push(claims)
      return Promise.resolve('second')
    },
  }
  const graph = new GraphClient({
    ...{ hosts: hostsOf('Worldwide'), transport, tokens, clock, random: seededRandom(1), log: silentLogger },
    ...{ traffic, retries: RETRY_LIMITS, maxJsonBytes: 10_000 },
  })
  return { graph, pool, asked, renewals, clock, traffic }
}

function responseOf({ status = 200, headers = {}, body = '{}' }: Scripted): IncomingResponse {
  return { status, header: (name) => headers[name], body: Readable.from([Buffer.from(body)]) }
}

const page = (link: object): Scripted => ({ body: JSON.stringify({ value: [], ...link }) })

describe('GraphClient', () => {
  it.each([
    'https://evil.example/v1.0/users?$skiptoken=x',
    'https://graph.microsoft.com.evil.example/v1.0/users',
    'http://graph.microsoft.com/v1.0/users',
    'https://graph.microsoft.com/beta/users',
  ])('follows no link to %s', async (link) => {
    const { graph, pool, asked } = scripted(page({ '@odata.nextLink': link }))
    await expect(Array.fromAsync(graph.pages({ path: '/users', pool }))).rejects.toMatchObject({
      reason: 'untrusted-address',
    })
    expect(asked).toHaveLength(1)
  })

  it('gives its token to Graph and to no content host', async () => {
    const { graph, pool, asked } = scripted({}, {})
    await graph.json({ path: '/users', pool })
    using _content = await graph.outside({ address: 'https://contoso-my.sharepoint.com/x?tempauth=1', pool })
    expect(asked.map(({ headers }) => headers?.authorization)).toEqual(['Bearer first', undefined])
  })

  it('reads no content from a host that is not trusted', async () => {
    const { graph, pool, asked } = scripted({})
    await expect(graph.outside({ address: 'https://169.254.169.254/latest', pool })).rejects.toMatchObject({
      reason: 'untrusted-address',
    })
    expect(asked).toHaveLength(0)
  })

  it.each(['/../admin', '/users/../x', '//evil.example/x', 'users'])(
    'calls no path like %s',
    async (path) => {
      const { graph, pool, asked } = scripted({})
      await graph.json({ path, pool }).catch(() => undefined)
      for (const { url } of asked) expect(url.href).toMatch(/^https:\/\/graph\.microsoft\.com\/v1\.0\//)
    },
  )

  it('stops reading an answer that is too large, also one that unpacks to it', async () => {
    const large = scripted({ body: JSON.stringify({ value: 'x'.repeat(20_000) }) })
    await expect(large.graph.json({ path: '/users', pool: large.pool })).rejects.toMatchObject({
      code: 'too-large',
    })
    const bomb = scripted({
      headers: { 'content-encoding': 'gzip' },
      body: gzipSync(JSON.stringify({ value: 'x'.repeat(5_000_000) })),
    })
    await expect(bomb.graph.json({ path: '/users', pool: bomb.pool })).rejects.toMatchObject({
      code: 'too-large',
    })
  })

  it('answers a claims challenge with a token that satisfies it, once', async () => {
    const challenge = { status: 401, headers: { 'www-authenticate': 'Bearer realm="", claims="eyJ4Ijox"' } }
    const { graph, pool, asked, renewals } = scripted(challenge, {})
    await graph.json({ path: '/users', pool })
    expect(renewals).toEqual(['eyJ4Ijox'])
    expect(asked.map(({ headers }) => headers?.authorization)).toEqual(['Bearer first', 'Bearer second'])
    const twice = scripted(challenge, challenge)
    await expect(twice.graph.json({ path: '/users', pool: twice.pool })).rejects.toMatchObject({
      code: 'unauthenticated',
    })
  })

  it.each([{ breaks: true }, { status: 504 }, { status: 500 }])(
    'does not repeat a call that makes something after %j',
    async (trouble) => {
      const { graph, pool, asked } = scripted(trouble, {})
      await expect(graph.json({ method: 'POST', path: '/x', body: {}, pool })).rejects.toMatchObject({
        reason: 'uncertain',
      })
      expect(asked).toHaveLength(1)
    },
  )

  it('repeats a call that makes something when it was turned away', async () => {
    const { graph, pool, asked } = scripted({ status: 429, headers: { 'retry-after': '3' } }, {})
    await graph.json({ method: 'POST', path: '/x', body: {}, pool })
    expect(asked).toHaveLength(2)
  })

  it('repeats after an answer that is no JSON', async () => {
    const { graph, pool, asked } = scripted({ body: '<html>' }, {})
    await graph.json({ path: '/users', pool })
    expect(asked).toHaveLength(2)
  })

  it('waits for the larger of Retry-After and RateLimit-Reset, or for an HTTP date', async () => {
    const both = scripted({ status: 429, headers: { 'retry-after': '3', 'ratelimit-reset': '31' } }, {})
    const start = both.clock.nowMs()
    await both.graph.json({ path: '/users', pool: both.pool })
    expect(both.clock.nowMs() - start).toBe(31_000)
    const dated = scripted({ status: 503, headers: { 'retry-after': 'Tue, 24 Nov 2026 08:00:40 GMT' } }, {})
    await dated.graph.json({ path: '/users', pool: dated.pool })
    expect(dated.clock.nowMs() - start).toBe(40_000)
  })

  it('keeps to what is left of an allowance before anything is refused', async () => {
    const headers = { 'ratelimit-limit': '1250', 'ratelimit-remaining': '3', 'ratelimit-reset': '20' }
    const { graph, pool, clock, traffic } = scripted({ headers }, {}, {}, {})
    const start = clock.nowMs()
    await graph.json({ path: '/a', pool })
    await graph.json({ path: '/b', pool, cost: 2 })
    expect(clock.nowMs()).toBe(start)
    await graph.json({ path: '/c', pool, cost: 2 })
    expect(clock.nowMs()).toBe(start + 20_000)
    expect(traffic.throttled).toBe(0)
  })

  it('names the most specific code of a refusal', async () => {
    const body = JSON.stringify({
      error: {
        code: 'forbidden',
        message: 'No.',
        innerError: { code: 'accessDenied', innererror: { code: 'sharingDisabled' } },
      },
    })
    const { graph, pool } = scripted({ status: 403, body })
    await expect(graph.json({ path: '/x', pool })).rejects.toMatchObject({
      code: 'denied',
      reason: 'sharingDisabled',
    })
  })
})
