import { authenticateClient } from './client-authentication.ts'
import { EntraRefusal } from './refusals.ts'
import { resourceOf, type Resource } from './resources.ts'
import { isSharedTenant } from './tenant-name.ts'
import type { TokenCall } from './token-call.ts'

const DEFAULT_SCOPE = /\/+\.default$/

/** The audience of `https://graph.microsoft.com/.default`, and the service that it names. */
const audienceOf = (call: TokenCall): { audience: string; resource: Resource } => {
  const { parts, form } = call
  const old = form.get('resource')
  const scopes = (form.get('scope') ?? old ?? '').split(' ').filter(Boolean)
  if (scopes.length === 0) throw new EntraRefusal(900144, { name: 'scope' })
  if (scopes.length > 1) throw new EntraRefusal(700022)
  const scope = scopes[0]!
  if (old === null && !DEFAULT_SCOPE.test(scope)) throw new EntraRefusal(1002012, { scope })
  const audience = scope.replace(DEFAULT_SCOPE, '')
  if (audience === '' || audience === '.default') throw new EntraRefusal(700023)
  const resource = resourceOf(audience, parts.state.seed.name, parts.ownOrigin)
  if (resource === undefined) {
    throw new EntraRefusal(500011, { resource: audience, tenant: parts.state.seed.name })
  }
  return { audience, resource }
}

/** An application's own token, with the roles that were granted to it for one service. */
export const clientCredentials = (call: TokenCall): object => {
  const { parts } = call
  if (isSharedTenant(call.request.params['tenant']!)) throw new EntraRefusal(9001023)
  const client = authenticateClient(call)
  const { audience, resource } = audienceOf(call)
  const lifetimeSeconds = parts.tokenLifetimeSeconds()
  return {
    token_type: 'Bearer',
    expires_in: lifetimeSeconds - 1,
    ext_expires_in: lifetimeSeconds - 1,
    access_token: parts.tokens.issue({
      issuer: `https://sts.windows.net/${parts.state.tenantId}/`,
      audience,
      application: { id: client.id, name: client.name, principalId: client.principal_id },
      roles: parts.rows.roles(client.id, resource),
      appidacr: client.appidacr,
      lifetimeSeconds,
    }),
  }
}
