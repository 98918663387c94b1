import { initRepository, openRepository } from '#repository'
import { memoryStorage, subfolder, type Storage } from '#storage'
import { openCatalogue, type Catalogue } from '../../catalogue/catalogue.ts'
import { objectKey, shardOf } from '../../catalogue/object-state.ts'
import type { BackupOutcome, BackupRun, Shards } from '../../jobs/backup-run.ts'
import { BackupWorld, options, type OpenedShard } from './backup-world.ts'

/** An organization in several shards, made at first use as the server makes them. */
export class ShardedWorld extends BackupWorld {
  readonly #count: number
  /** What stands between a shard and its storage; the storage itself by default. */
  wrap: (storage: Storage, shard: number) => Storage
  /** Where all shards are, below `s0`, `s1`, … */
  readonly place = memoryStorage()
  readonly #storages: Storage[]
  readonly #open = new Map<number, OpenedShard>()

  private constructor(count: number, wrap: ShardedWorld['wrap']) {
    super()
    this.#count = count
    this.wrap = wrap
    this.#storages = Array.from({ length: count }, (_, index) => subfolder(this.place, `s${index}`))
  }

  static async of(count: number, wrap: ShardedWorld['wrap'] = (storage) => storage): Promise<ShardedWorld> {
    const world = new ShardedWorld(count, wrap)
    await world.reopen()
    return world
  }

  override get shardCount(): number {
    return this.#count
  }

  override catalogueOf(shard: number): Catalogue {
    return this.#open.get(shard)!.catalogue
  }

  override run(changes: Partial<BackupRun> = {}): Promise<BackupOutcome> {
    const shards: Shards = {
      count: this.#count,
      open: async (index) => (await this.#shard(index)).repository,
      existing: async () => this.opened,
    }
    return super.run({ shards, ...changes })
  }

  /** As after a restart of the server. */
  async reopen(): Promise<void> {
    await this.#closeAll()
    this.storage = this.#storages[0]!
    this.repository = (await this.#shard(0)).repository
    this.catalogue = this.catalogueOf(0)
    for (const [index, storage] of this.#storages.entries())
      if ((await storage.stat('config')) !== undefined) await this.#shard(index)
  }

  async #shard(index: number): Promise<OpenedShard> {
    const there = this.#open.get(index)
    if (there !== undefined) return there
    const storage = this.wrap(this.#storages[index]!, index)
    const isThere = (await this.#storages[index]!.stat('config')) !== undefined
    const repository = await (isThere ? openRepository(storage, options) : initRepository(storage, options))
    const shard = { index, repository, catalogue: openCatalogue(':memory:', repository) }
    this.#open.set(index, shard)
    return shard
  }

  /** Those that were used so far, in order. */
  override get opened(): readonly OpenedShard[] {
    return [...this.#open.values()].sort((a, b) => a.index - b.index)
  }

  shardOf(userId: string): number {
    return shardOf(userId, this.#count)
  }

  /** Ids of the mails that the newest restore point holds of a user. */
  async mailsOf(userId: string): Promise<string[]> {
    const { catalogue } = await this.#shard(this.shardOf(userId))
    await catalogue.sync()
    await catalogue.load()
    const key = objectKey({ kind: 'mail', userId })
    const found = catalogue.objectsAt(catalogue.points()[0]!.snapshot).find((object) => object.key === key)!
    const { items } = catalogue.items(key, found.version, undefined, { offset: 0, limit: 1000 })
    return items.map(({ id }) => id).sort()
  }

  async #closeAll(): Promise<void> {
    for (const { repository, catalogue } of this.#open.values()) {
      catalogue[Symbol.dispose]()
      await repository[Symbol.asyncDispose]()
    }
    this.#open.clear()
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.#closeAll()
  }
}
