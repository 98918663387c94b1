import type { PracticeUser, TenantAnswer, TenantPart, TenantRequest, TenantState } from '../core/contract.ts'
import { makeMailTables } from '../outlook/tables.ts'
import { runOperation } from './operations.ts'
import { faultAnswer, readSoap, soapAnswer, SoapFault } from './soap.ts'

const MAX_REQUEST_BYTES = 4 * 1024 * 1024

const basicCaller = (state: TenantState, request: TenantRequest): PracticeUser | undefined => {
  const { authorization } = request.headers
  const encoded = /^Basic\s+([A-Za-z0-9+/=]+)\s*$/i.exec(String(authorization ?? ''))?.[1]
  if (encoded === undefined) return undefined
  const [, name, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? []
  return name === undefined ? undefined : state.basicAccount(name, password!)
}

const unauthorized = (): TenantAnswer => ({
  status: 401,
  headers: { 'www-authenticate': 'Basic Realm=""', 'content-type': 'text/plain' },
  bytes: new Uint8Array(),
})

/** The cloud since October 2026: whoever calls, with whatever. */
const blocked = (): TenantAnswer => ({
  status: 403,
  headers: { 'content-type': 'text/plain' },
  bytes: new Uint8Array(),
})

const answerSoap = async (
  state: TenantState,
  caller: PracticeUser,
  request: TenantRequest,
): Promise<TenantAnswer> => {
  try {
    const body = await request.body()
    if (body.byteLength > MAX_REQUEST_BYTES) {
      throw new SoapFault('ErrorMessageSizeExceeded', 'The message exceeds the maximum supported size.')
    }
    const soap = readSoap(body.toString('utf8').replace(/^\ufeff/, ''))
    return soapAnswer(soap.operation.name, await runOperation({ state, caller, request: soap }))
  } catch (error) {
    if (error instanceof SoapFault) return faultAnswer(error)
    throw error
  }
}

/** Exchange Web Services with Basic authentication, as far as signing in by app password needs it. */
export const ews: TenantPart = (state) => {
  makeMailTables(state.db)
  return [
    {
      role: 'outlook',
      method: 'POST',
      path: '/EWS/Exchange.asmx',
      area: 'ews',
      permissions: [],
      handler: (request) => {
        if (!state.settings.legacyEws) return blocked()
        const caller = basicCaller(state, request)
        return caller === undefined ? unauthorized() : answerSoap(state, caller, request)
      },
    },
  ]
}
