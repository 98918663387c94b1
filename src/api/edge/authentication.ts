import { HoldfastError, Secret } from '#base'
import type { Access, Principal } from '#engine'

const BEARER = /^Bearer +(\S+)$/i

export const tokenIn = (header: string | undefined): Secret | undefined => {
  const token = BEARER.exec(header ?? '')?.[1]
  return token === undefined ? undefined : new Secret(token)
}

/** The caller behind an Authorization header. A token anywhere else, such as in the query, is not looked at. */
export const authenticate = async (
  access: Access,
  header: string | undefined,
  address: string,
): Promise<Principal> => {
  const token = tokenIn(header)
  if (token === undefined) throw new HoldfastError('unauthenticated', 'a bearer token is needed')
  return access.authenticate(token, { address })
}
