import { notBuilt } from '#base'
import type { Page, PageRequest } from '#database'
import type { Principal } from '../access/principal.ts'
import type { BackupRepository } from '../repositories/backup-repository.ts'
import type { Proxy } from './proxy.ts'

/** Backup proxies. There is one, built into the server. */
export class Proxies {
  async list(_principal: Principal, _page?: PageRequest): Promise<Page<Proxy>> {
    throw notBuilt('proxies')
  }
  async get(_principal: Principal, _id: string): Promise<Proxy> {
    throw notBuilt('proxies')
  }
  async repositories(_principal: Principal, _id: string): Promise<readonly BackupRepository[]> {
    throw notBuilt('proxies')
  }
}
