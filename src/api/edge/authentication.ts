import { HoldfastError, Secret } from '#base'
import type { Access, Principal } from '#engine'

const BEARER = /^Bearer +(\S+)$/i

/** The caller behind an Authorization header. A token anywhere else, such as in the query, is not looked at. */
export const authenticate = async (
  access: Access,
  header: string | undefined,
  address: string,
): Promise<Principal> => {
  const token = BEARER.exec(header ?? '')?.[1]
  if (token === undefined) throw new HoldfastError('unauthenticated', 'a bearer token is needed')
  return access.authenticate(new Secret(token), { address })
}
