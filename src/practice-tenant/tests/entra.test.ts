import { createHash, generateKeyPairSync, sign, constants, webcrypto, type KeyObject } from 'node:crypto'
import { FixedClock } from '#base'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPracticeTenant, type PracticeTenant } from '../index.ts'
import { http } from './http.ts'

interface Refusal {
  error: string
  error_description: string
  error_codes: number[]
  timestamp: string
  trace_id: string
  correlation_id: string
  error_uri: string
  suberror?: string
  claims?: string
}

const clock = new FixedClock('2026-11-24T09:00:00Z')
let tenant: PracticeTenant
const GRAPH = 'https://graph.microsoft.com/.default'

beforeAll(async () => {
  tenant = await startPracticeTenant({ seed: { users: 3 }, clock, parts: [] })
})
afterAll(async () => {
  await tenant[Symbol.asyncDispose]()
})

const post = (
  form: Record<string, string>,
  more: { at?: string; endpoint?: string; headers?: Record<string, string> } = {},
) =>
  http(`${tenant.origin('login')}/${more.at ?? tenant.tenantId}/oauth2/v2.0/${more.endpoint ?? 'token'}`, {
    method: 'POST',
    ca: tenant.ca,
    body: new URLSearchParams(form).toString(),
    ...(more.headers === undefined
      ? {}
      : { headers: { 'content-type': 'application/x-www-form-urlencoded', ...more.headers } }),
  })

const good = () => ({
  grant_type: 'client_credentials',
  client_id: tenant.application.id,
  client_secret: tenant.application.secret,
  scope: GRAPH,
})
const ropc = (username: string, password: string) => ({
  grant_type: 'password',
  client_id: tenant.application.id,
  scope: 'openid offline_access User.Read',
  username,
  password,
})
const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>
const expectRefusal = async (
  form: Record<string, string>,
  status: number,
  error: string,
  code: number,
  at?: string,
) => {
  const answer = await post(form, at === undefined ? {} : { at })
  const body = answer.json<Refusal>() as unknown as Refusal
  expect([answer.status, body.error, body.error_codes]).toEqual([status, error, [code]])
  expect(body.error_description).toMatch(
    new RegExp(`^AADSTS${code}: .*Trace ID: .*Correlation ID: .*Timestamp: `),
  )
  return body
}

describe('client credentials', () => {
  it('give a token with the roles of the resource alone', async () => {
    const answer = await post(good())
    expect(answer.headers['cache-control']).toContain('no-store')
    const token = answer.json<{ access_token: string; expires_in: number }>()
    expect(token.expires_in).toBeGreaterThanOrEqual(3599)
    expect(claimsOf(token.access_token)).toMatchObject({
      aud: 'https://graph.microsoft.com',
      tid: tenant.tenantId,
      appid: tenant.application.id,
      appidacr: '1',
      idtyp: 'app',
    })
    const exchange = await post({ ...good(), scope: 'https://outlook.office365.com/.default' })
    expect(claimsOf(exchange.json<{ access_token: string }>().access_token)['roles']).toEqual([
      'full_access_as_app',
    ])
  })

  it('may come as Basic authentication, and with fields nobody knows', async () => {
    const { id, secret } = tenant.application
    const basic = Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')
    const form = { grant_type: 'client_credentials', scope: GRAPH, 'x-client-SKU': 'anything' }
    const answer = await post(form, { headers: { authorization: `Basic ${basic}` } })
    expect(answer.status).toBe(200)
  })

  it('give new roles in new tokens only', async () => {
    const roles = async () =>
      claimsOf((await post(good())).json<{ access_token: string }>().access_token)['roles']
    const grant = { resource: 'graph', role: 'Chat.Read.All' }
    expect(await roles()).not.toContain('Chat.Read.All')
    tenant.controls.grant([grant])
    expect(await roles()).toContain('Chat.Read.All')
    tenant.controls.revoke([grant])
    expect(await roles()).not.toContain('Chat.Read.All')
  })

  it('echo the correlation id of the client', async () => {
    const body = await expectRefusal(
      { ...good(), client_secret: 'x', 'client-request-id': 'c-1' },
      401,
      'invalid_client',
      7000215,
    )
    expect(body.correlation_id).toBe('c-1')
    expect(body.error_uri).toBe(`${tenant.origin('login')}/error?code=7000215`)
  })

  const unknown = '11111111-2222-4333-8444-555555555555'
  it.each([
    ['a missing secret', { client_secret: '' }, 401, 'invalid_client', 7000218, undefined],
    ['an unknown application', { client_id: unknown }, 400, 'unauthorized_client', 700016, undefined],
    ['an unknown tenant', {}, 400, 'invalid_request', 90002, 'fabrikam.onmicrosoft.com'],
    ['a tenant of another cloud', {}, 400, 'invalid_request', 90038, 'other-cloud.onmicrosoft.com'],
    ['an unknown tenant id', {}, 400, 'invalid_request', 90002, unknown],
    ['a tenant that is no name', {}, 400, 'invalid_request', 900023, 'nobody'],
    ['a shared tenant', {}, 400, 'invalid_request', 9001023, 'common'],
    ['no client id', { client_id: '' }, 400, 'invalid_request', 900144, undefined],
    ['no scope', { scope: '' }, 400, 'invalid_request', 900144, undefined],
    ['no grant type', { grant_type: '' }, 400, 'invalid_request', 900144, undefined],
    ['another grant', { grant_type: 'magic' }, 400, 'unsupported_grant_type', 70003, undefined],
    [
      'a scope that is no resource',
      { scope: 'https://graph.microsoft.com/User.Read' },
      400,
      'invalid_scope',
      1002012,
      undefined,
    ],
    [
      'two resources',
      { scope: `${GRAPH} https://outlook.office365.com/.default` },
      400,
      'invalid_scope',
      700022,
      undefined,
    ],
    [
      'a resource that nobody has',
      { scope: 'https://vault.azure.net/.default' },
      400,
      'invalid_resource',
      500011,
      undefined,
    ],
  ])('are refused for %s', async (_name, change, status, error, code, at) => {
    await expectRefusal({ ...good(), ...change }, status, error, code, at)
  })

  it('are refused for a disabled application and an expired secret', async () => {
    const { id, secret } = tenant.editor
    const form = { ...good(), client_id: id, client_secret: secret }
    tenant.controls.setApplicationEnabled(false, id)
    await expectRefusal(form, 400, 'unauthorized_client', 7000112)
    tenant.controls.setApplicationEnabled(true, id)
    tenant.controls.expireSecrets(id)
    await expectRefusal(form, 401, 'invalid_client', 7000222)
    tenant.controls.addSecret('another', id)
    expect((await post({ ...form, client_secret: 'another' })).status).toBe(200)
  })
})

describe('a client assertion', () => {
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  let rsaPem: string
  let ecPem: string

  const certificateOf = async (
    pair: { privateKey: KeyObject; publicKey: KeyObject },
    isRsa: boolean,
  ): Promise<string> => {
    const algorithm = isRsa
      ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
      : { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
    const pkcs8 = pair.privateKey.export({ type: 'pkcs8', format: 'der' })
    const spki = pair.publicKey.export({ type: 'spki', format: 'der' })
    const made = await x509.X509CertificateGenerator.createSelfSigned({
      name: 'CN=backup',
      notBefore: new Date('2024-01-01T00:00:00Z'),
      notAfter: new Date('2040-01-01T00:00:00Z'),
      signingAlgorithm: algorithm,
      keys: {
        privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign']),
        publicKey: await webcrypto.subtle.importKey('spki', spki, algorithm, true, ['verify']),
      },
    })
    return made.toString('pem')
  }

  beforeAll(async () => {
    rsaPem = await certificateOf(keys, true)
    ecPem = await certificateOf(curve, false)
    tenant.controls.registerCertificate(rsaPem)
    tenant.controls.registerCertificate(ecPem)
  })

  let serial = 0
  const assertion = (
    options: { alg?: string; claims?: Record<string, unknown>; sha1?: boolean } = {},
  ): string => {
    const alg = options.alg ?? 'PS256'
    const pem = alg === 'ES256' ? ecPem : rsaPem
    const der = new x509.X509Certificate(pem).rawData
    const print = (name: string) => createHash(name).update(Buffer.from(der)).digest('base64url')
    const now = Math.floor(clock.nowMs() / 1000)
    serial += 1
    const head = {
      alg,
      typ: 'JWT',
      ...(options.sha1 === true ? { x5t: print('sha1') } : { 'x5t#S256': print('sha256') }),
    }
    const claims = {
      aud: `${tenant.origin('login')}/${tenant.tenantId}/oauth2/v2.0/token`,
      iss: tenant.application.id,
      sub: tenant.application.id,
      jti: `j${serial}`,
      nbf: now,
      exp: now + 600,
      ...options.claims,
    }
    const text = [head, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.')
    const key = alg === 'ES256' ? { key: curve.privateKey, dsaEncoding: 'ieee-p1363' as const } : alg === 'PS256'
      ? { key: keys.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
      : { key: keys.privateKey } // prettier-ignore
    return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`
  }
  const form = (client_assertion: string) => ({
    grant_type: 'client_credentials',
    client_id: tenant.application.id,
    scope: GRAPH,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion,
  })

  it.each([
    ['PS256', false],
    ['RS256', true],
    ['RS256', false],
    ['ES256', false],
  ])('is taken with %s (SHA-1 thumbprint: %s)', async (alg, sha1) => {
    const answer = await post(form(assertion({ alg, sha1 })))
    expect(answer.status, answer.text).toBe(200)
    expect(claimsOf(answer.json<{ access_token: string }>().access_token)['appidacr']).toBe('2')
  })

  it('is taken once', async () => {
    const once = assertion()
    expect((await post(form(once))).status).toBe(200)
    await expectRefusal(form(once), 401, 'invalid_client', 50027)
  })

  it.each([
    ['that is over', { nbf: 1, exp: 2 }, 700024],
    ['that has not begun', { nbf: 4e9, exp: 5e9 }, 700024],
    ['for another tenant', { aud: 'https://login.microsoftonline.com/fabrikam/oauth2/v2.0/token' }, 50027],
    ['of another application', { iss: 'x' }, 700021],
    ['about another application', { sub: 'x' }, 700021],
    ['without an id', { jti: undefined }, 50027],
  ])('is refused %s', async (_name, claims, code) => {
    await expectRefusal(form(assertion({ claims })), 401, 'invalid_client', code)
  })

  it('is refused when it was changed or is signed by somebody else', async () => {
    const [head, , signature] = assertion().split('.')
    const other = assertion().split('.')[1]
    await expectRefusal(form(`${head}.${other}.${signature}`), 401, 'invalid_client', 700027)
    await expectRefusal(form('no.jwt'), 401, 'invalid_client', 50027)
    await expectRefusal(form(assertion({ alg: 'none' })), 401, 'invalid_client', 700027)
  })
})

describe('the password grant', () => {
  const someone = () => [...tenant.state.users()][0]!.userPrincipalName

  it('tells an account with MFA to prove more', async () => {
    const { account, password } = tenant.admin
    const body = await expectRefusal(ropc(account, password), 400, 'interaction_required', 50076)
    expect(body.suberror).toBe('basic_action')
    expect(JSON.parse(body.claims!)).toHaveProperty('access_token')
    await expectRefusal(ropc(account, tenant.admin.appPassword), 400, 'invalid_grant', 50126)
  })

  it('refuses who is not there, and a wrong password', async () => {
    await expectRefusal(ropc(`nobody@${tenant.domain}`, 'x'), 400, 'invalid_grant', 50034)
    await expectRefusal(ropc(tenant.admin.account, 'x'), 400, 'invalid_grant', 50126)
    await expectRefusal(ropc(someone(), 'x'), 400, 'invalid_grant', 50126)
  })

  it.each([
    ['disabled', 'invalid_grant', 50057],
    ['locked', 'invalid_grant', 50053],
    ['expired', 'invalid_grant', 50055],
    ['empty', 'invalid_grant', 50056],
    ['enrol', 'interaction_required', 50079],
    ['register', 'interaction_required', 50072],
    ['blocked', 'access_denied', 53003],
    ['unmanaged-device', 'interaction_required', 530032],
    ['unconsented', 'invalid_grant', 65001],
    ['looping', 'invalid_request', 50196],
  ] as const)('refuses an account whose state is %s', async (state, error, code) => {
    tenant.controls.setAccount(someone(), { password: 'pw', state })
    await expectRefusal(ropc(someone(), 'pw'), 400, error, code)
  })

  it('signs in, renews, and ends after 90 days', async () => {
    tenant.controls.setAccount(someone(), { password: 'pw', state: 'ok' })
    const first = (await post(ropc(someone(), 'pw'))).json<{
      refresh_token: string
      id_token: string
      access_token: string
    }>()
    expect(claimsOf(first.id_token)).toMatchObject({
      preferred_username: someone(),
      aud: tenant.application.id,
    })
    const own = await http(`${tenant.origin('graph')}/v1.0/me?$select=userPrincipalName`, {
      ca: tenant.ca,
      headers: { authorization: `Bearer ${first.access_token}` },
    })
    expect(own.json()).toMatchObject({ userPrincipalName: someone() })
    const renew = {
      grant_type: 'refresh_token',
      client_id: tenant.application.id,
      refresh_token: first.refresh_token,
    }
    expect((await post(renew)).status).toBe(200)
    tenant.controls.setAccount(someone(), { state: 'password-changed' })
    await expectRefusal(renew, 400, 'invalid_grant', 50173)
    tenant.controls.setAccount(someone(), { state: 'signed-out' })
    await expectRefusal(renew, 400, 'invalid_grant', 70043)
    tenant.controls.setAccount(someone(), { state: 'ok' })
    clock.advance(91 * 24 * 3600 * 1000)
    await expectRefusal(renew, 400, 'invalid_grant', 700082)
    await expectRefusal({ ...renew, refresh_token: 'made up' }, 400, 'invalid_grant', 9002313)
  })
})

describe('the device code grant', () => {
  it('waits, is declined, and runs out', async () => {
    const ask = async () =>
      (
        await post({ client_id: tenant.application.id, scope: 'User.Read' }, { endpoint: 'devicecode' })
      ).json<{ device_code: string; user_code: string; interval: number }>()
    const poll = (device_code: string) => ({
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      client_id: tenant.application.id,
      device_code,
    })
    const first = await ask()
    expect(first.interval).toBe(5)
    await expectRefusal(poll(first.device_code), 400, 'authorization_pending', 70016)
    tenant.controls.answerDeviceCode(first.user_code, undefined)
    await expectRefusal(poll(first.device_code), 400, 'authorization_declined', 70021)
    await expectRefusal(poll('unknown'), 400, 'bad_verification_code', 70018)
    const second = await ask()
    clock.advance(901_000)
    await expectRefusal(poll(second.device_code), 400, 'expired_token', 70019)
  })
})

describe('discovery', () => {
  it('names addresses as the client reached it, and refuses an unknown tenant', async () => {
    const at = (name: string) =>
      http(`${tenant.origin('login')}/${name}/v2.0/.well-known/openid-configuration`, { ca: tenant.ca })
    const document = (await at(tenant.domain)).json<Record<string, string>>()
    expect(document['token_endpoint']).toBe(`${tenant.origin('login')}/${tenant.domain}/oauth2/v2.0/token`)
    expect(document['issuer']).toBe(`${tenant.origin('login')}/${tenant.tenantId}/v2.0`)
    expect((await at('fabrikam.onmicrosoft.com')).status).toBe(400)
    const keys = await http(document['jwks_uri']!, { ca: tenant.ca })
    const kid = (
      JSON.parse(Buffer.from(tenant.token().split('.')[0]!, 'base64url').toString()) as { kid: string }
    ).kid
    expect(keys.json<{ keys: { kid: string }[] }>().keys.map((key) => key.kid)).toEqual([kid])
  })
})

describe('/_practice', () => {
  it('opens for the key of this run alone', async () => {
    const at = (headers: Record<string, string>) =>
      http(`${tenant.origin('login')}/_practice/counters`, { ca: tenant.ca, headers })
    expect((await at({})).status).toBe(401)
    expect((await at({ authorization: 'Bearer x' })).status).toBe(401)
    const answer = await at({ authorization: `Bearer ${tenant.controls.key}` })
    expect(answer.json<{ total: number }>().total).toBeGreaterThan(10)
  })
})
