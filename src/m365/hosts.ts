import { HoldfastError } from '#base'

/** The clouds that Microsoft runs, by the names of the API. */
export type Region = 'Worldwide' | 'USgovCommunity' | 'USgovDefence' | 'Germany' | 'China'

/** Where one cloud lives. A host is a name, with a port where it is not 443: `localhost:8443`. */
export interface CloudHosts {
  readonly login: string
  readonly graph: string
  /** Exchange: the legacy sign-in check asks here. */
  readonly outlook: string
  /** What a token is asked for. Does not follow `graph` when that host is overridden. */
  readonly graphResource: string
  /**
   * Where pre-authenticated download and upload addresses may lead. A name stands for itself and everything below it;
   * with a port (`localhost:8444`) for exactly that.
   */
  readonly contentHosts: readonly string[]
}

/** What an administrator sets differently, region by region. */
export type HostOverrides = Partial<Record<Region, Partial<CloudHosts>>>

const WORLDWIDE: CloudHosts = {
  login: 'login.microsoftonline.com',
  graph: 'graph.microsoft.com',
  outlook: 'outlook.office365.com',
  graphResource: 'https://graph.microsoft.com',
  contentHosts: ['sharepoint.com', 'svc.ms', 'outlook.office365.com', 'outlook.office.com'],
}

/** `USgovDefence` is GCC High; DoD tenants override `graph` with dod-graph.microsoft.us. Germany closed in October 2021. */
const CLOUDS: Readonly<Record<Region, CloudHosts>> = {
  Worldwide: WORLDWIDE,
  USgovCommunity: WORLDWIDE,
  USgovDefence: {
    login: 'login.microsoftonline.us',
    graph: 'graph.microsoft.us',
    outlook: 'outlook.office365.us',
    graphResource: 'https://graph.microsoft.us',
    contentHosts: ['sharepoint.us', 'sharepoint-mil.us', 'dps.mil', 'outlook.office365.us', 'apps.mil'],
  },
  Germany: {
    login: 'login.microsoftonline.de',
    graph: 'graph.microsoft.de',
    outlook: 'outlook.office.de',
    graphResource: 'https://graph.microsoft.de',
    contentHosts: ['sharepoint.de', 'outlook.office.de'],
  },
  China: {
    login: 'login.partner.microsoftonline.cn',
    graph: 'microsoftgraph.chinacloudapi.cn',
    outlook: 'partner.outlook.cn',
    graphResource: 'https://microsoftgraph.chinacloudapi.cn',
    contentHosts: ['sharepoint.cn', 'partner.outlook.cn'],
  },
}

/** The hosts of a region with what the administrator changed. */
export function hostsOf(region: Region, overrides: HostOverrides = {}): CloudHosts {
  return { ...CLOUDS[region], ...overrides[region] }
}

/** The address when it is https on exactly this host; throws otherwise. Guards every call that carries a token. */
export function onHost(address: string, host: string): URL {
  const url = parseAddress(address)
  if (url?.protocol === 'https:' && url.username === '' && url.host === new URL(`https://${host}`).host) {
    return url
  }
  throw new HoldfastError('denied', 'Microsoft 365 named an address outside of the service', {
    reason: 'untrusted-address',
  })
}

/** The address when content may be read from or sent to it, without a token; throws otherwise. */
export function onContentHost(address: string, hosts: CloudHosts): URL {
  const url = parseAddress(address)
  if (url?.protocol === 'https:' && url.username === '' && hosts.contentHosts.some((one) => covers(one, url)))
    return url
  throw new HoldfastError('denied', 'Microsoft 365 named a content address outside of the trusted hosts', {
    reason: 'untrusted-address',
  })
}

function covers(trusted: string, url: URL): boolean {
  if (trusted.includes(':')) return url.host === trusted
  return url.port === '' && (url.hostname === trusted || url.hostname.endsWith(`.${trusted}`))
}

function parseAddress(address: string): URL | undefined {
  return URL.canParse(address) ? new URL(address) : undefined
}
