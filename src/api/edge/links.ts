import { isBefore, type Version } from '../contract/versions.ts'

export interface Link {
  readonly href: string
}

/**
 * How a version writes links: absolute and in lower case up to v5, from v6 without a host. Ids are lower-case GUIDs or
 * opaque and are not touched: pass the path as it shall be written.
 */
export const linkWriter =
  (version: Version, origin: string) =>
  (path: string): Link => ({ href: `${isBefore(version, 'v6') ? origin : ''}/${version}${path}` })

export interface PublicAddress {
  /** `https://backup.example.com:4443`, when the administrator has named one. */
  readonly configured?: string
  /** Host names that this server answers to; any other Host header is not believed. */
  readonly names: ReadonlySet<string>
}

const HOST = /^(\[[0-9a-f:]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/i

/** The origin for links: configured, or the Host header where it names this server, or the address that was reached. */
export const originOf = (
  address: PublicAddress,
  host: string | undefined,
  socket: { readonly localAddress?: string | undefined; readonly localPort?: number | undefined },
): string => {
  if (address.configured !== undefined) return address.configured
  const [, name, port] = HOST.exec(host ?? '') ?? []
  if (name !== undefined && address.names.has(name.toLowerCase()))
    return `https://${name.toLowerCase()}${port === undefined ? '' : `:${port}`}`
  return `https://${bracketed(socket.localAddress ?? '127.0.0.1')}:${socket.localPort ?? 4443}`
}

const bracketed = (address: string): string => {
  const plain = address.replace(/^::ffff:/, '')
  return plain.includes(':') ? `[${plain}]` : plain
}
