import { invalid } from '#base'
import { BlockList, isIP } from 'node:net'

/** Addresses that a service on the internet does not have. */
const PRIVATE = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const)
  PRIVATE.addSubnet(network, prefix, 'ipv4')
for (const [network, prefix] of [
  ['::', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  PRIVATE.addSubnet(network, prefix, 'ipv6')

/** Whether an IP address is on this machine, in a private network or otherwise not on the internet. */
export const isPrivateAddress = (address: string): boolean => {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return isPrivateAddress(mapped)
  const family = isIP(address)
  return family === 0 || PRIVATE.check(address, family === 6 ? 'ipv6' : 'ipv4')
}

export interface ServicePointRules {
  /** Origins that the machine's owner listed: also plain http, and private addresses. */
  readonly trusted: readonly string[]
  /** All addresses of a host name. */
  readonly resolve: (host: string) => Promise<readonly string[]>
}

/**
 * The origin of a service point that a caller gave, such as `https://minio.example:9000`. A name alone is taken as https.
 * Throws `invalid` for one that is neither public nor listed: the server would be led into networks that the caller
 * cannot reach.
 */
export const acceptServicePoint = async (
  value: string,
  property: string,
  { trusted, resolve }: ServicePointRules,
): Promise<string> => {
  const url = parse(value, property)
  if (trusted.includes(url.origin)) return url.origin
  const hint = 'or has to be listed in HOLDFAST_STORAGE_ENDPOINTS'
  if (url.protocol !== 'https:') throw invalid(`${property} has to begin with https:// ${hint}`, property)
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  const addresses = isIP(host) > 0 ? [host] : await resolve(host).catch(() => [])
  if (addresses.length === 0) throw invalid(`${property} names a host that cannot be found`, property)
  if (addresses.some(isPrivateAddress))
    throw invalid(`${property} has to be a public address ${hint}`, property)
  return url.origin
}

const parse = (value: string, property: string): URL => {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `https://${value}`)
  const isPlain =
    url !== null &&
    ['https:', 'http:'].includes(url.protocol) &&
    url.username === '' &&
    url.password === '' &&
    url.search === '' &&
    url.hash === '' &&
    url.pathname === '/'
  if (!isPlain || /[\\\s]/.test(value))
    throw invalid(`${property} has to be an address like https://s3.example.com:9000`, property)
  return url
}
