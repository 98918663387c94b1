import { invalid, notBuilt, Secret } from '#base'
import type { Access } from '#engine'
import { Type, type Static } from 'typebox'
import { answersNothing, answersObject, type Operation } from '../contract/operation.ts'
import { flag, needed, object, oneOf, secret, text } from '../contract/schema.ts'
import { administratorOrOwner, open } from '../edge/policies.ts'

const GRANTS = [
  'password',
  'refresh_token',
  'urn:ietf:params:oauth:grant-type:jwt-bearer',
  'integration',
  'operator',
] as const

const TokenRequest = object('TokenRequest', {
  grant_type: needed(
    oneOf(GRANTS, { valueLifetimes: { integration: { since: 'v6' }, operator: { since: 'v6' } } }),
  ),
  username: text({ maxLength: 1024 }),
  password: secret({ maxLength: 4096 }),
  refresh_token: secret({ maxLength: 4096 }),
  client_id: text(),
  assertion: secret(),
  disable_antiforgery_token: flag({ description: 'Without effect: no token for forms is ever asked for.' }),
})

const Token = object('Token', {
  access_token: Type.String(),
  token_type: Type.String(),
  expires_in: Type.Integer({ format: 'int64', description: 'Seconds.' }),
  refresh_token: Type.String(),
  userName: text(),
  '.issued': Type.Unsafe<Date>({ type: 'string', format: 'date-time' }),
  '.expires': Type.Unsafe<Date>({ type: 'string', format: 'date-time' }),
})

type IssuedTokens = Awaited<ReturnType<Access['passwordGrant']>>

/** Log-in. What belongs to another grant than the one asked for is not looked at. */
export const tokenOperations = (access: Access): readonly Operation[] => [
  answersObject(Token, {
    method: 'POST',
    path: '/token',
    tag: 'Auth',
    summary: 'Gets a pair of tokens by name and password, or renews it',
    access: open,
    isLogin: true,
    isAlwaysServed: true,
    body: TokenRequest,
    status: { v4: 200 },
    handle: async (call) => presentTokens(await grant(access, call.body, call.address)),
  }),
  answersNothing({
    method: 'POST',
    path: '/token/logout',
    since: 'v7',
    tag: 'Auth',
    summary: 'Ends the log-in: its access and refresh tokens stop at once',
    access: administratorOrOwner,
    isAlwaysServed: true,
    status: { v7: 200, v8: 204 },
    handle: async ({ token }) => {
      if (token !== undefined) await access.logout(token)
    },
  }),
]

const grant = async (
  access: Access,
  body: Static<typeof TokenRequest>,
  address: string,
): Promise<IssuedTokens> => {
  if (body.grant_type === 'password')
    return access.passwordGrant(
      required(body.username, 'username'),
      new Secret(required(body.password, 'password')),
      { address },
    )
  if (body.grant_type === 'refresh_token')
    return access.refreshGrant(new Secret(required(body.refresh_token, 'refresh_token')), { address })
  throw notBuilt(`the grant ${body.grant_type} is not built yet`)
}

const required = (value: string | undefined, name: string): string => {
  if (value === undefined || value === '') throw invalid(`${name} is missing`, name)
  return value
}

const presentTokens = (tokens: IssuedTokens) => ({
  access_token: tokens.accessToken.reveal(),
  token_type: 'bearer',
  expires_in: Math.floor(tokens.expiresInSeconds),
  refresh_token: tokens.refreshToken.reveal(),
  userName: tokens.userName,
  '.issued': tokens.issuedAt,
  '.expires': tokens.expiresAt,
})
