import type { Handler } from '../core/contract.ts'
import { applicationOf, authenticateIfAsked } from './client-authentication.ts'
import type { EntraParts } from './entra.ts'
import { EntraRefusal } from './refusals.ts'
import { field, formRoute, type TokenCall } from './token-call.ts'
import { userTokens } from './user-grants.ts'

const LIFETIME_SECONDS = 900
const LETTERS = 'BCDFGHJKLMNPQRSTVWXYZ23456789'

const newUserCode = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => LETTERS[byte % LETTERS.length]).join('')

/** `POST /{tenant}/oauth2/v2.0/devicecode`. Approved or declined by `/_practice/device-codes`. */
export const deviceCodeRoute = (parts: EntraParts): Handler =>
  formRoute(parts, (call) => {
    const application = applicationOf(call)
    const scope = field(call, 'scope')
    const { random, clock } = parts.state
    const code = Buffer.from(random.bytes(48)).toString('base64url')
    const userCode = newUserCode(random.bytes(9))
    parts.rows.addDevice({
      code,
      user_code: userCode,
      application: application.id,
      scope,
      expires_ms: clock.nowMs() + LIFETIME_SECONDS * 1000,
      state: 'pending',
      user_id: null,
    })
    const page = `${call.request.origin('login')}/common/oauth2/deviceauth`
    return {
      user_code: userCode,
      device_code: code,
      verification_uri: page,
      expires_in: LIFETIME_SECONDS,
      interval: 5,
      message: `To sign in, use a web browser to open the page ${page} and enter the code ${userCode} to authenticate.`,
    }
  })

/** The client's question whether somebody has signed in meanwhile. */
export const deviceGrant = (call: TokenCall): object => {
  const { rows, state } = call.parts
  const client = authenticateIfAsked(call)
  const row = rows.device(field(call, 'device_code'))
  if (row === undefined || row.application !== client.id || row.state === 'used')
    throw new EntraRefusal(70018)
  if (row.expires_ms <= state.clock.nowMs()) throw new EntraRefusal(70019)
  if (row.state === 'pending') throw new EntraRefusal(70016)
  if (row.state === 'declined' || row.user_id === null) throw new EntraRefusal(70021)
  rows.setDevice(row.code, 'used', row.user_id)
  return userTokens(call, client, row.user_id, row.scope)
}
