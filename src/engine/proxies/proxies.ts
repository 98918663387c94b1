import { invalid, notFound } from '#base'
import { proxyRows, type Database, type Page, type PageRequest, type ProxyRow } from '#database'
import type { Bandwidth } from '#storage'
import type { Audit } from '../access/audit.ts'
import { requireAdministrator, type Principal } from '../access/principal.ts'
import type { BackupRepository } from '../repositories/backup-repository.ts'
import { readDescription } from '../organizations/read-input.ts'
import type { Proxy, ProxyInput } from './proxy.ts'
import { bytesPerSecond, readThrottling } from './throttling.ts'

export interface ProxiesParts {
  readonly database: Database
  readonly audit: Audit
  /** What all traffic of the proxy goes through: with Microsoft 365 and with object storage. */
  readonly bandwidth: Bandwidth
  readonly repositories: {
    ofProxy(principal: Principal, proxyId: string): Promise<readonly BackupRepository[]>
  }
  /** Of this server, shown as the proxy's. */
  readonly version: string
}

const unknown = 'the backup proxy is not known'

/** Backup proxies. There is one, built into the server. */
export class Proxies {
  readonly #parts: ProxiesParts

  constructor(parts: ProxiesParts) {
    this.#parts = parts
  }

  /** Takes up the limit that was set before the server started. */
  async begin(): Promise<void> {
    const [row] = await proxyRows.list(this.#parts.database.queries)
    this.#parts.bandwidth.limit(bytesPerSecond(row?.throttling))
  }

  async list(principal: Principal, page: PageRequest = {}): Promise<Page<Proxy>> {
    requireAdministrator(principal)
    const rows = await proxyRows.list(this.#parts.database.queries)
    const offset = page.offset ?? 0
    const items = rows.slice(offset, page.limit === undefined ? undefined : offset + page.limit)
    return { items: items.map((row) => this.#present(row)), totalCount: rows.length }
  }

  async get(principal: Principal, id: string): Promise<Proxy> {
    requireAdministrator(principal)
    const row = await proxyRows.find(this.#parts.database.queries, id)
    if (row === undefined) throw notFound(unknown)
    return this.#present(row)
  }

  /** A changed limit holds at once, for running jobs as well. Throws `invalid` for what the built-in proxy cannot be. */
  async update(principal: Principal, id: string, input: ProxyInput): Promise<void> {
    requireAdministrator(principal)
    await this.#parts.audit.around(principal, 'proxies.update', id, async () => {
      const { queries } = this.#parts.database
      const row = await proxyRows.find(queries, id)
      if (row === undefined) throw notFound(unknown)
      checkBuiltIn(row, input)
      const throttling = readThrottling(input, row.throttling)
      const description = readDescription(input.description, 'description') ?? row.description
      await proxyRows.update(queries, id, { description, throttling })
      this.#parts.bandwidth.limit(bytesPerSecond(throttling))
    })
  }

  /** Looks anew at the repositories of the given proxies, or of all. The built-in proxy itself is there whenever we are. */
  async rescan(principal: Principal, ids?: readonly string[]): Promise<void> {
    requireAdministrator(principal)
    const all = await proxyRows.list(this.#parts.database.queries)
    for (const id of ids ?? all.map((row) => row.id)) await this.repositories(principal, id)
  }

  async repositories(principal: Principal, id: string): Promise<readonly BackupRepository[]> {
    await this.get(principal, id)
    return this.#parts.repositories.ofProxy(principal, id)
  }

  #present(row: ProxyRow): Proxy {
    return {
      id: row.id,
      type: 'Local',
      hostName: row.hostName,
      fqdn: row.hostName,
      description: row.description,
      port: row.port,
      operatingSystem: process.platform === 'win32' ? 'Windows' : 'Linux',
      useInternetProxy: false,
      enableNetworkThrottling: row.throttling?.isOn ?? false,
      ...(row.throttling?.value === undefined ? {} : { throttlingValue: row.throttling.value }),
      ...(row.throttling?.unit === undefined ? {} : { throttlingUnit: row.throttling.unit }),
      status: 'Online',
      maintenanceModeState: 'Disabled',
      role: ['Orchestrator', 'Scheduler', 'Processor'],
      version: this.#parts.version,
    }
  }
}

/** Programs send back what they were given; only a change is refused. */
const checkBuiltIn = (row: ProxyRow, input: ProxyInput): void => {
  if ((input.port ?? row.port) !== row.port)
    throw invalid('the port of the built-in proxy cannot be changed', 'port')
  if ((input.hostName ?? row.hostName).toLowerCase() !== row.hostName.toLowerCase())
    throw invalid('the built-in proxy is on this host alone', 'hostName')
  if (input.useInternetProxy === true)
    throw invalid('an internet proxy is set by HTTPS_PROXY when the server starts', 'useInternetProxy')
}
