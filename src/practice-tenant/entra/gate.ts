import {
  GraphError,
  type AccessToken,
  type HostRole,
  type Route,
  type ServiceArea,
} from '../core/contract.ts'
import type { Gatekeeper } from '../core/dispatcher.ts'
import type { PracticeRequest, Call } from '../core/request.ts'
import { resourceOf, resourceOfRole } from './resources.ts'
import { BadToken, type Tokens } from './tokens.ts'

export interface GateParts {
  readonly tokens: Tokens
  readonly tenantName: string
  readonly ownOrigin: (role: HostRole) => string
  /** The application permissions any of which opens a route. */
  readonly permissionsFor: (route: Route) => readonly string[]
}

const CHALLENGE =
  'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"'

const refused = (message: string): GraphError =>
  new GraphError(401, 'InvalidAuthenticationToken', message, { headers: { 'www-authenticate': CHALLENGE } })

const missingRole = (area: ServiceArea): GraphError => {
  switch (area) {
    case 'outlook':
    case 'ews':
      return new GraphError(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.')
    case 'files':
      return new GraphError(403, 'accessDenied', 'Access denied')
    case 'directory':
    case 'login':
    case 'open':
      return new GraphError(
        403,
        'Authorization_RequestDenied',
        'Insufficient privileges to complete the operation.',
      )
  }
}

/** Tokens and permissions at the door of the APIs, with the refusals of each area. */
export class Gate implements Gatekeeper {
  readonly #parts: GateParts
  readonly #allowed = new Map<Route, ReadonlySet<string> | 'any'>()

  constructor(parts: GateParts) {
    this.#parts = parts
  }

  identify(call: Pick<Call, 'role' | 'headers'>): AccessToken {
    const { authorization } = call.headers
    if (authorization === undefined || authorization === '') throw refused('Access token is empty.')
    const bearer = /^bearer\s+(\S+)$/i.exec(authorization)
    if (bearer === null) throw refused('Access token is empty.')
    const token = this.#read(bearer[1]!)
    const resource = resourceOf(token.audience, this.#parts.tenantName, this.#parts.ownOrigin)
    if (resource === undefined || resource !== resourceOfRole(call.role)) {
      throw refused('Access token validation failure. Invalid audience.')
    }
    if (call.role !== 'graph' && resource === 'sharepoint' && token.appidacr === '1') {
      throw new GraphError(401, 'unauthenticated', 'Unsupported app only token.', {
        headers: {
          'x-ms-diagnostics': '3001000;reason="Unsupported app only token.";category="invalid_client"',
        },
      })
    }
    return token
  }

  admit(route: Route, request: PracticeRequest): void {
    const { token } = request
    if (token === undefined) return
    const allowed = this.#rolesFor(route)
    if (allowed === 'any') return
    if (token.userPrincipalName !== undefined) return admitUser(route, request, token.userPrincipalName)
    if (!token.roles.some((role) => allowed.has(role))) throw missingRole(route.area)
  }

  #read(text: string): AccessToken {
    try {
      return this.#parts.tokens.read(text)
    } catch (error) {
      if (error instanceof BadToken) throw refused(error.message)
      throw refused('IDX12729: Unable to decode the header of the token.')
    }
  }

  #rolesFor(route: Route): ReadonlySet<string> | 'any' {
    const known = this.#allowed.get(route)
    if (known !== undefined) return known
    const roles = this.#parts.permissionsFor(route)
    const made = roles.length === 0 ? 'any' : new Set(roles)
    this.#allowed.set(route, made)
    return made
  }
}

/** A signed-in user reaches what is their own. */
const admitUser = (route: Route, request: PracticeRequest, upn: string): void => {
  const named = request.params['user']
  // Whose drive an id names is known to the drives alone: they refuse those of others.
  if (named === undefined && route.area === 'files' && request.params['drive'] !== undefined) return
  if (named === undefined || named.toLowerCase() !== upn.toLowerCase()) throw missingRole(route.area)
}
