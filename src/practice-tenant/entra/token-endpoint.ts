import type { Handler, TenantAnswer, TenantRequest } from '../core/contract.ts'
import { authenticateClient } from './client-authentication.ts'
import type { EntraParts } from './entra.ts'
import { EntraRefusal } from './refusals.ts'
import { resourceOf } from './resources.ts'
import { checkTenant } from './tenant-name.ts'

/** A POST to the token service, read. */
export interface TokenCall {
  readonly parts: EntraParts
  readonly request: TenantRequest
  readonly form: URLSearchParams
}

const field = (call: TokenCall, name: string): string => {
  const value = call.form.get(name)
  if (value === null || value === '') throw new EntraRefusal(900144, { name })
  return value
}

const refusalAnswer = (refusal: EntraRefusal, call: TokenCall): TenantAnswer => {
  const { parts, request, form } = call
  const trace = parts.state.random.uuid()
  const asked = form.get('client-request-id') ?? request.headers['client-request-id']
  const correlation = typeof asked === 'string' && asked !== '' ? asked : parts.state.random.uuid()
  const timestamp = `${parts.state.clock.now().toISOString().slice(0, 19).replace('T', ' ')}Z`
  const { code, kind, more } = refusal
  return {
    status: kind.status,
    headers: {
      ...commonHeaders(trace, correlation),
      ...(more.retryAfterSeconds === undefined ? {} : { 'retry-after': String(more.retryAfterSeconds) }),
    },
    json: {
      error: kind.error,
      error_description: `AADSTS${code}: ${refusal.message} Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}`,
      error_codes: [code],
      timestamp,
      trace_id: trace,
      correlation_id: correlation,
      error_uri: `${request.origin('login')}/error?code=${code}`,
      ...(more.suberror === undefined ? {} : { suberror: more.suberror }),
      ...(more.claims === undefined ? {} : { claims: more.claims }),
    },
  }
}

const commonHeaders = (trace: string, correlation: string): Record<string, string> => ({
  'cache-control': 'no-store, no-cache',
  pragma: 'no-cache',
  p3p: 'CP="DSP CUR OTPi IND OTRi ONL FIN"',
  'x-ms-request-id': trace,
  'client-request-id': correlation,
  'x-ms-ests-server': '2.1.22000.1 - WEULR1 ProdSlices',
  'x-ms-srs': '1.P',
})

/** Answers a form; what is refused inside gets the token service's shape. */
export const formRoute =
  (parts: EntraParts, answer: (call: TokenCall) => Promise<object> | object): Handler =>
  async (request) => {
    const form = new URLSearchParams((await request.body()).toString('utf8'))
    const call: TokenCall = { parts, request, form }
    try {
      checkTenant(parts, request)
      const json = await answer(call)
      const asked = form.get('client-request-id') ?? request.headers['client-request-id']
      const correlation = typeof asked === 'string' && asked !== '' ? asked : parts.state.random.uuid()
      return { status: 200, headers: commonHeaders(parts.state.random.uuid(), correlation), json }
    } catch (error) {
      if (error instanceof EntraRefusal) return refusalAnswer(error, call)
      throw error
    }
  }

/** The audience of `https://graph.microsoft.com/.default`, and the service that it names. */
const audienceOf = (call: TokenCall) => {
  const { parts } = call
  const scopes = (call.form.get('scope') ?? call.form.get('resource') ?? '').split(' ').filter(Boolean)
  if (scopes.length === 0) throw new EntraRefusal(900144, { name: 'scope' })
  if (scopes.length > 1) throw new EntraRefusal(700022)
  const scope = scopes[0]!
  const isOldForm = call.form.get('scope') === null
  if (!isOldForm && !scope.endsWith('/.default')) throw new EntraRefusal(1002012, { scope })
  const audience = scope.replace(/\/+\.default$/, '')
  const resource = resourceOf(audience, parts.state.seed.name, parts.ownOrigin)
  if (resource === undefined) {
    throw new EntraRefusal(500011, { resource: audience, tenant: parts.state.seed.name })
  }
  return { audience, resource }
}

const clientCredentials = async (call: TokenCall): Promise<object> => {
  const { parts } = call
  const { audience, resource } = audienceOf(call)
  const client = await authenticateClient(call)
  const expiresIn = parts.tokenLifetimeSeconds()
  return {
    token_type: 'Bearer',
    expires_in: expiresIn - 1,
    ext_expires_in: expiresIn - 1,
    access_token: parts.tokens.issue({
      issuer: `https://sts.windows.net/${parts.state.tenantId}/`,
      audience,
      application: { id: client.id, name: client.name, principalId: client.principal_id },
      roles: parts.rows.roles(client.id, resource),
      appidacr: client.appidacr,
      lifetimeSeconds: expiresIn,
    }),
  }
}

/** `POST /{tenant}/oauth2/v2.0/token`. */
export const tokenRoute = (parts: EntraParts): Handler =>
  formRoute(parts, async (call) => {
    const grant = field(call, 'grant_type')
    if (grant === 'client_credentials') return clientCredentials(call)
    throw new EntraRefusal(70003, { grant })
  })
