import { notBuilt } from '#base'
import type { Page, PageRequest } from '#database'
import type { Principal } from '../access/principal.ts'
import type { Shards } from '../jobs/backup-run.ts'
import type { BackupRepository, BackupRepositoryInput, RecoveryKit } from './backup-repository.ts'

/** An organization that has data in a repository. It may have been removed from the server since. */
export interface BackedUpOrganization {
  readonly organizationId: string
  readonly name: string
  readonly usedSpaceBytes?: number
}

/** Backup repositories: folders that hold one set of shard repositories per organization. */
export class BackupRepositories {
  /** Makes the folder and `repo.json`. `invalid` for a path that will not do, `conflict` for a name or path in use. */
  async add(_principal: Principal, _input: BackupRepositoryInput): Promise<BackupRepository> {
    throw notBuilt('adding repositories')
  }
  /** Merges. The path cannot change. */
  async update(_principal: Principal, _id: string, _input: BackupRepositoryInput): Promise<BackupRepository> {
    throw notBuilt('changing repositories')
  }
  /** `conflict` while a job uses it. The data stays where it is. */
  async remove(_principal: Principal, _id: string): Promise<void> {
    throw notBuilt('removing repositories')
  }
  async get(_principal: Principal, _id: string): Promise<BackupRepository> {
    throw notBuilt('repositories')
  }
  /** By name. A tenant sees those that hold its data. */
  async list(_principal: Principal, _page?: PageRequest): Promise<Page<BackupRepository>> {
    throw notBuilt('repositories')
  }
  async backedUpOrganizations(_principal: Principal, _id: string): Promise<readonly BackedUpOrganization[]> {
    throw notBuilt('backed-up organizations')
  }
  /** For an administrator at the server alone: never to be reached by REST. */
  async recoveryKit(_id: string): Promise<RecoveryKit> {
    throw notBuilt('recovery kits')
  }
  /**
   * For backup (makes what is missing) and for reading. `expectedObjects` decides the number of shards the first time
   * and nothing later.
   */
  async shards(
    _repositoryId: string,
    _organization: { readonly id: string; readonly name: string },
    _options?: { readonly expectedObjects?: number },
  ): Promise<Shards> {
    throw notBuilt('shards')
  }
  /** Closes what is open. */
  async [Symbol.asyncDispose](): Promise<void> {}
}
