import type { Handler } from '../core/contract.ts'
import { clientCredentials } from './client-credentials.ts'
import { deviceGrant } from './device-code.ts'
import type { EntraParts } from './entra.ts'
import { EntraRefusal } from './refusals.ts'
import { field, formRoute, type TokenCall } from './token-call.ts'
import { passwordGrant, refreshGrant } from './user-grants.ts'

const GRANTS: Readonly<Record<string, (call: TokenCall) => object>> = {
  client_credentials: clientCredentials,
  password: passwordGrant,
  refresh_token: refreshGrant,
  device_code: deviceGrant,
  'urn:ietf:params:oauth:grant-type:device_code': deviceGrant,
}

/** `POST /{tenant}/oauth2/v2.0/token`. */
export const tokenRoute = (parts: EntraParts): Handler =>
  formRoute(parts, (call) => {
    const grant = field(call, 'grant_type')
    const answer = GRANTS[grant]
    if (answer === undefined) throw new EntraRefusal(70003, { grant })
    return answer(call)
  })
