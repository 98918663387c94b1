import { checkAssertion } from './client-assertion.ts'
import type { ApplicationRow } from './entra-rows.ts'
import { EntraRefusal } from './refusals.ts'
import type { TokenCall } from './token-call.ts'

export interface Client extends ApplicationRow {
  readonly appidacr: '0' | '1' | '2'
}

const basicCredentials = (call: TokenCall): { id: string; secret: string } | undefined => {
  const basic = /^basic\s+(\S+)$/i.exec(String(call.request.headers['authorization'] ?? ''))
  if (basic === null) return undefined
  const [id, ...rest] = Buffer.from(basic[1]!, 'base64').toString('utf8').split(':')
  return { id: decodeURIComponent(id ?? ''), secret: decodeURIComponent(rest.join(':')) }
}

/** The application that this call comes from; throws the refusal when it is unknown or disabled. */
export const applicationOf = (call: TokenCall): ApplicationRow => {
  const { parts, form } = call
  const id = basicCredentials(call)?.id ?? form.get('client_id') ?? ''
  if (id === '') throw new EntraRefusal(900144, { name: 'client_id' })
  const application = parts.rows.application(id)
  if (application === undefined) throw new EntraRefusal(700016, { app: id, tenant: parts.state.seed.name })
  if (application.enabled === 0) throw new EntraRefusal(7000112, { app: `${id}'(${application.name})` })
  return application
}

/** A confidential client proves itself, by secret or by a signed assertion. */
export const authenticateClient = (call: TokenCall): Client => {
  const client = authenticateIfAsked(call)
  if (client.appidacr === '0') throw new EntraRefusal(7000218)
  return client
}

/** A public client names itself only; what credentials there are must be right. */
export const authenticateIfAsked = (call: TokenCall): Client => {
  const { parts, form } = call
  const application = applicationOf(call)
  const assertion = form.get('client_assertion')
  if (assertion !== null && assertion !== '') {
    checkAssertion(call, application.id, assertion)
    return { ...application, appidacr: '2' }
  }
  const secret = basicCredentials(call)?.secret ?? form.get('client_secret')
  if (secret === null || secret === '') return { ...application, appidacr: '0' }
  const verdict = parts.rows.checkSecret(application.id, secret)
  if (verdict === 'wrong') throw new EntraRefusal(7000215, { app: application.id })
  if (verdict === 'expired') throw new EntraRefusal(7000222, { app: application.id })
  return { ...application, appidacr: '1' }
}
