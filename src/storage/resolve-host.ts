import { lookup as resolve } from 'node:dns'
import { isIPv4, type LookupFunction } from 'node:net'

const LOOPBACK = { address: '127.0.0.1', family: 4 }

export interface HostRules {
  /** Whether a host may be at an address; any may unless told. Asked at each connection: names change their addresses. */
  readonly isAllowed?: (address: string) => boolean
}

/**
 * Resolves host names for connections. Names below `localhost` are this machine (RFC 6761), which not every system's
 * resolver knows, and a bucket may stand before the name of a storage there.
 */
export const hostLookup =
  ({ isAllowed = () => true }: HostRules = {}): LookupFunction =>
  (host, options, answer) => {
    const give = (
      error: NodeJS.ErrnoException | null,
      found: readonly { address: string; family: number }[],
    ) => {
      const allowed = found.filter(({ address }) => isAllowed(address))
      const refused = error ?? (allowed.length === 0 ? notAllowed(host) : null)
      if (options.all === true) return answer(refused, [...allowed])
      answer(refused, allowed[0]?.address ?? '', allowed[0]?.family ?? 0)
    }
    if (/\.localhost\.?$/i.test(host)) return give(null, [LOOPBACK])
    resolve(host, { ...options, all: true }, (error, found = []) =>
      give(
        error,
        found.map(({ address }) => ({ address, family: isIPv4(address) ? 4 : 6 })),
      ),
    )
  }

const notAllowed = (host: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${host} has no address that is allowed`), { code: 'AddressNotAllowed' })
