import { notBuilt } from '#base'
import type { Page, PageRequest } from '#database'
import type { Principal } from '../access/principal.ts'
import type { JobSession } from '../sessions/job-session.ts'
import type { Job, JobInput, JobItem, JobItemInput } from './job.ts'

export interface JobFilter extends PageRequest {
  readonly organizationId?: string
  readonly repositoryId?: string
}

export type JobItemList = 'selected' | 'excluded'

/** Backup jobs: what is protected, where to, when. */
export class Jobs {
  /** `invalid` naming the property, `not-found` for organization and repository, `conflict` for a name in use. */
  async add(_principal: Principal, _input: JobInput): Promise<Job> {
    throw notBuilt('adding jobs')
  }
  /** Merges; item lists that are given replace the stored ones. The organization cannot change. */
  async update(_principal: Principal, _id: string, _input: JobInput): Promise<Job> {
    throw notBuilt('changing jobs')
  }
  /** `conflict` while it runs. Restore points stay. */
  async remove(_principal: Principal, _id: string): Promise<void> {
    throw notBuilt('removing jobs')
  }
  async get(_principal: Principal, _id: string): Promise<Job> {
    throw notBuilt('jobs')
  }
  /** By name. */
  async list(_principal: Principal, _filter?: JobFilter): Promise<Page<Job>> {
    throw notBuilt('jobs')
  }
  /** Queues a run and returns its session. `conflict` while one runs. */
  async start(
    _principal: Principal,
    _id: string,
    _options?: { readonly full?: boolean },
  ): Promise<JobSession> {
    throw notBuilt('starting jobs')
  }
  /** Asks the run to stop; its session ends as Stopped soon after. `conflict` when none runs. */
  async stop(_principal: Principal, _id: string): Promise<void> {
    throw notBuilt('stopping jobs')
  }
  async enable(_principal: Principal, _id: string): Promise<void> {
    throw notBuilt('enabling jobs')
  }
  /** A run that is under way goes on. */
  async disable(_principal: Principal, _id: string): Promise<void> {
    throw notBuilt('disabling jobs')
  }
  async items(_principal: Principal, _id: string, _list: JobItemList): Promise<readonly JobItem[]> {
    throw notBuilt('job items')
  }
  async item(_principal: Principal, _id: string, _list: JobItemList, _itemId: string): Promise<JobItem> {
    throw notBuilt('job items')
  }
  /** Returns what was added. An object that is listed already is changed. */
  async addItems(
    _principal: Principal,
    _id: string,
    _list: JobItemList,
    _items: readonly JobItemInput[],
  ): Promise<readonly JobItem[]> {
    throw notBuilt('job items')
  }
  async updateItem(
    _principal: Principal,
    _id: string,
    _list: JobItemList,
    _itemId: string,
    _item: JobItemInput,
  ): Promise<JobItem> {
    throw notBuilt('job items')
  }
  async removeItems(
    _principal: Principal,
    _id: string,
    _list: JobItemList,
    _itemIds: readonly string[],
  ): Promise<void> {
    throw notBuilt('job items')
  }
}
