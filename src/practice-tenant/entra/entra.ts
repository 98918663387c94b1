import type { HostRole, Route, TenantAnswer, TenantRequest, TenantState } from '../core/contract.ts'
import { deviceCodeRoute } from './device-code.ts'
import type { EntraRows } from './entra-rows.ts'
import { formRoute } from './token-call.ts'
import { tokenRoute } from './token-endpoint.ts'
import type { Tokens } from './tokens.ts'

export interface EntraParts {
  readonly state: TenantState
  readonly rows: EntraRows
  readonly tokens: Tokens
  readonly domain: string
  readonly ownOrigin: (role: HostRole) => string
  /** Whether somebody in the directory signs in by this name. */
  readonly isPrincipal: (name: string) => boolean
  /** Seconds that the next access token lives. */
  readonly tokenLifetimeSeconds: () => number
}

const isVersion1 = (request: TenantRequest): boolean => !request.url.pathname.toLowerCase().includes('/v2.0/')

/** OpenID discovery for the tenant as the client named it. */
const discovery = (parts: EntraParts, request: TenantRequest): object => {
  const tenant = request.params['tenant']!
  const login = request.origin('login')
  const base = `${login}/${tenant}`
  const oauth = isVersion1(request) ? `${base}/oauth2` : `${base}/oauth2/v2.0`
  return {
    token_endpoint: `${oauth}/token`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
    jwks_uri: `${base}/discovery/v2.0/keys`,
    response_modes_supported: ['query', 'fragment', 'form_post'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    issuer: `${login}/${parts.state.tenantId}/v2.0`,
    request_uri_parameter_supported: false,
    userinfo_endpoint: `${request.origin('graph')}/oidc/userinfo`,
    authorization_endpoint: `${oauth}/authorize`,
    device_authorization_endpoint: `${oauth}/devicecode`,
    http_logout_supported: true,
    frontchannel_logout_supported: true,
    end_session_endpoint: `${oauth}/logout`,
    claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'tid', 'ver', 'at_hash', 'c_hash', 'email'],
    tenant_region_scope: 'EU',
    cloud_instance_name: new URL(login).host,
    cloud_graph_host_name: new URL(request.origin('graph')).host,
    msgraph_host: new URL(request.origin('graph')).host,
    rbac_url: 'https://pas.windows.net',
  }
}

const instanceDiscovery = (parts: EntraParts, request: TenantRequest): TenantAnswer => {
  const login = new URL(request.origin('login')).host
  return {
    status: 200,
    json: {
      tenant_discovery_endpoint: `${request.origin('login')}/${parts.state.tenantId}/v2.0/.well-known/openid-configuration`,
      'api-version': '1.1',
      metadata: [{ preferred_network: login, preferred_cache: login, aliases: [login] }],
    },
  }
}

/** The routes of the login host. */
export const entraRoutes = (parts: EntraParts): readonly Route[] => {
  const route = (method: Route['method'], path: string, handler: Route['handler']): Route => ({
    role: 'login',
    method,
    path,
    area: 'login',
    handler,
  })
  const keys = (): TenantAnswer => ({ status: 200, json: { keys: [parts.tokens.jwk()] } })
  const documents = formRoute(parts, ({ request }) => discovery(parts, request))
  return [
    route('GET', '/:tenant/v2.0/.well-known/openid-configuration', documents),
    route('GET', '/:tenant/.well-known/openid-configuration', documents),
    route('GET', '/common/discovery/instance', (request) => instanceDiscovery(parts, request)),
    route('GET', '/:tenant/discovery/v2.0/keys', keys),
    route('GET', '/:tenant/discovery/keys', keys),
    route('POST', '/:tenant/oauth2/v2.0/token', tokenRoute(parts)),
    route('POST', '/:tenant/oauth2/token', tokenRoute(parts)),
    route('POST', '/:tenant/oauth2/v2.0/devicecode', deviceCodeRoute(parts)),
    route('POST', '/:tenant/oauth2/devicecode', deviceCodeRoute(parts)),
  ]
}
