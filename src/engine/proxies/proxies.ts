import { notFound } from '#base'
import { proxyRows, type Database, type Page, type PageRequest, type ProxyRow } from '#database'
import { requireAdministrator, type Principal } from '../access/principal.ts'
import type { BackupRepository } from '../repositories/backup-repository.ts'
import type { Proxy } from './proxy.ts'

export interface ProxiesParts {
  readonly database: Database
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
      enableNetworkThrottling: false,
      status: 'Online',
      maintenanceModeState: 'Disabled',
      role: ['Orchestrator', 'Scheduler', 'Processor'],
      version: this.#parts.version,
    }
  }
}
