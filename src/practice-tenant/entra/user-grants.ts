import { authenticateIfAsked, type Client } from './client-authentication.ts'
import type { AccountRow } from './entra-rows.ts'
import { EntraRefusal } from './refusals.ts'
import { resourceOf } from './resources.ts'
import { field, type TokenCall } from './token-call.ts'

const REFRESH_MS = 90 * 24 * 3600 * 1000
const OIDC_SCOPES = new Set(['openid', 'profile', 'email', 'offline_access'])
const GRAPH = 'https://graph.microsoft.com'

const requireMfa = (call: TokenCall, code: 50076 | 50079 | 50072): EntraRefusal =>
  new EntraRefusal(
    code,
    { resource: '00000003-0000-0000-c000-000000000000' },
    {
      suberror: 'basic_action',
      claims: JSON.stringify({
        access_token: { capolids: { essential: true, values: [call.parts.state.tenantId] } },
      }),
    },
  )

const checkState = (call: TokenCall, account: AccountRow): void => {
  switch (account.state) {
    case 'disabled':
      throw new EntraRefusal(50057)
    case 'locked':
      throw new EntraRefusal(50053)
    case 'expired':
      throw new EntraRefusal(50055)
    case 'empty':
      throw new EntraRefusal(50056)
    case 'enrol':
      throw requireMfa(call, 50079)
    case 'register':
      throw requireMfa(call, 50072)
    case 'blocked':
      throw new EntraRefusal(53003, {}, { suberror: 'message_only' })
    case 'unmanaged-device':
      throw new EntraRefusal(530032, {}, { suberror: 'message_only' })
    case 'unconsented':
      throw new EntraRefusal(
        65001,
        { app: call.form.get('client_id') ?? '' },
        { suberror: 'consent_required' },
      )
    case 'looping':
      throw new EntraRefusal(50196)
    case 'password-changed':
    case 'signed-out':
    case 'ok':
      if (account.mfa === 1) throw requireMfa(call, 50076)
  }
}

/** The service that a user's scopes name; without a name they are Graph's. */
const audienceOf = (call: TokenCall, scopes: readonly string[]): string => {
  const { parts } = call
  const named = new Set(
    scopes
      .filter((scope) => !OIDC_SCOPES.has(scope.toLowerCase()))
      .map((scope) =>
        scope.includes('/') ? scope.slice(0, scope.lastIndexOf('/')).replace(/\/+$/, '') : GRAPH,
      ),
  )
  if (named.size > 1) throw new EntraRefusal(700022)
  const audience = [...named][0] ?? GRAPH
  if (resourceOf(audience, parts.state.seed.name, parts.ownOrigin) === undefined) {
    throw new EntraRefusal(500011, { resource: audience, tenant: parts.state.seed.name })
  }
  return audience
}

const base64Json = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const idToken = (call: TokenCall, client: Client, userId: string): string => {
  const { state, tokens } = call.parts
  const user = state.user(userId)
  const now = Math.floor(state.clock.nowMs() / 1000)
  return tokens.sign({
    aud: client.id,
    iss: `${call.request.origin('login')}/${state.tenantId}/v2.0`,
    iat: now,
    nbf: now,
    exp: now + 3600,
    name: user.displayName,
    oid: user.id,
    preferred_username: user.userPrincipalName,
    sub: user.id,
    tid: state.tenantId,
    ver: '2.0',
  })
}

/** Tokens for a user who has signed in. */
export const userTokens = (call: TokenCall, client: Client, userId: string, scope: string): object => {
  const { parts, form } = call
  const user = parts.state.user(userId)
  const scopes = scope.split(' ').filter(Boolean)
  const lifetimeSeconds = parts.tokenLifetimeSeconds()
  const accessToken = parts.tokens.issue({
    issuer: `https://sts.windows.net/${parts.state.tenantId}/`,
    audience: audienceOf(call, scopes),
    application: { id: client.id, name: client.name, principalId: client.principal_id },
    roles: [],
    appidacr: client.appidacr,
    lifetimeSeconds,
    user: { id: user.id, upn: user.userPrincipalName, name: user.displayName, scopes: scope },
  })
  const has = (name: string): boolean => scopes.includes(name)
  return {
    token_type: 'Bearer',
    scope,
    expires_in: lifetimeSeconds - 1,
    ext_expires_in: lifetimeSeconds - 1,
    access_token: accessToken,
    ...(has('offline_access') ? { refresh_token: newRefreshToken(call, client.id, userId, scope) } : {}),
    ...(has('openid') ? { id_token: idToken(call, client, userId) } : {}),
    ...(form.get('client_info') === '1' || has('openid')
      ? { client_info: base64Json({ uid: userId, utid: parts.state.tenantId }) }
      : {}),
  }
}

const newRefreshToken = (call: TokenCall, application: string, userId: string, scope: string): string => {
  const { rows, state } = call.parts
  const token = `1.${Buffer.from(state.random.bytes(48)).toString('base64url')}`
  rows.addRefreshToken(token, {
    user_id: userId,
    application,
    scope,
    expires_ms: state.clock.nowMs() + REFRESH_MS,
  })
  return token
}

/** Name and password: only for accounts without MFA. */
export const passwordGrant = (call: TokenCall): object => {
  const { parts, request } = call
  if (['common', 'consumers'].includes(request.params['tenant']!.toLowerCase()))
    throw new EntraRefusal(9001023)
  const client = authenticateIfAsked(call)
  const name = field(call, 'username')
  const password = field(call, 'password')
  const scope = field(call, 'scope')
  const account = parts.rows.account(name)
  if (account === undefined) throw unknownAccount(call, name)
  if (account.state !== 'empty' && !parts.rows.isPassword(account, password)) throw new EntraRefusal(50126)
  checkState(call, account)
  return userTokens(call, client, account.user_id, scope)
}

const unknownAccount = (call: TokenCall, name: string): EntraRefusal => {
  // Somebody in the directory without a password of their own: whatever is given is wrong.
  if (call.parts.isPrincipal(name)) return new EntraRefusal(50126)
  return new EntraRefusal(50034, { account: name, tenant: call.parts.state.tenantId })
}

/** A new access token for a session that began earlier. */
export const refreshGrant = (call: TokenCall): object => {
  const { parts, form } = call
  const client = authenticateIfAsked(call)
  const row = parts.rows.refreshToken(field(call, 'refresh_token'))
  if (row === undefined || row.application !== client.id) {
    throw new EntraRefusal(9002313, { reason: 'The refresh token is not known.' })
  }
  if (row.expires_ms <= parts.state.clock.nowMs()) throw new EntraRefusal(700082)
  const account = parts.rows.accountOf(row.user_id)
  if (account?.state === 'disabled') throw new EntraRefusal(50057)
  if (account?.state === 'password-changed') throw new EntraRefusal(50173)
  if (account?.state === 'signed-out') throw new EntraRefusal(70043)
  return userTokens(call, client, row.user_id, form.get('scope') ?? row.scope)
}
