import type { Handler, TenantAnswer, TenantRequest } from '../core/contract.ts'
import type { EntraParts } from './entra.ts'
import { EntraRefusal } from './refusals.ts'
import { checkTenant } from './tenant-name.ts'

/** A POST to the token service, read. */
export interface TokenCall {
  readonly parts: EntraParts
  readonly request: TenantRequest
  readonly form: URLSearchParams
}

/** A parameter that must be there. */
export const field = (call: TokenCall, name: string): string => {
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
