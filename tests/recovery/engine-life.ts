import { seededRandom } from '#base'
import { repositoryOrganizationRows, repositoryRows } from '#database'
import { initRepository, type Repository } from '#repository'
import { memoryStorage, subfolder, type Storage } from '#storage'
import { clock as backupClock, options } from '../../src/engine/backup/tests/backup-world.ts'
import { ShardedWorld } from '../../src/engine/backup/tests/sharded-world.ts'
import { openCatalogue, type Catalogue } from '../../src/engine/catalogue/catalogue.ts'
import type { Catalogues } from '../../src/engine/catalogue/catalogues.ts'
import { CopyJobs } from '../../src/engine/copy/copy-jobs.ts'
import { CopyRunner } from '../../src/engine/copy/copy-runner.ts'
import type { OrganizationTenants } from '../../src/engine/organizations/tenants.ts'
import { PersonRemovals } from '../../src/engine/retention/person-removals.ts'
import { RetentionRunner } from '../../src/engine/retention/retention-runner.ts'
import { Retentions } from '../../src/engine/retention/retentions.ts'
import {
  administrator,
  ORGANIZATION,
  REPOSITORY,
  RetentionWorld,
} from '../../src/engine/retention/tests/retention-world.ts'
import { JobSessions } from '../../src/engine/sessions/job-sessions.ts'
import { Trust } from '../../src/engine/trust/trust.ts'
import { TrustRunner } from '../../src/engine/trust/trust-runner.ts'
import type { TrustRequest, TrustRunKind } from '../../src/engine/trust/trust-run.ts'

const COPY = 'repo-2'
const SHARDS = 4
const MINUTE_MS = 60_000
/** A session that failed is tried again after ten minutes. */
const RETRY_MS = 11 * MINUTE_MS
const MOST_TURNS = 5
const HAS_ENDED = /Success|Warning|Failed|Stopped/

export interface Ending {
  readonly status: string
  readonly details?: string
}

/**
 * Backups of some people in four shards, a copy of them with another key, and everything that looks after both, by the
 * server's own runners. `wrap` stands before both storages.
 */
export class EngineLife implements AsyncDisposable {
  readonly backup: ShardedWorld
  readonly #world: RetentionWorld
  readonly #target = new Map<number, { readonly repository: Repository; readonly catalogue: Catalogue }>()
  readonly #targetPlace = memoryStorage()
  readonly #wrap: (storage: Storage) => Storage
  readonly #retains: RetentionRunner
  readonly #retention: Retentions
  readonly #removals: PersonRemovals
  readonly #copies: CopyRunner
  readonly #trusts: TrustRunner
  readonly #sessions: JobSessions
  readonly #trust: Trust

  static async start(wrap: (storage: Storage) => Storage): Promise<EngineLife> {
    const backup = await ShardedWorld.of(SHARDS, wrap)
    return new EngineLife(await RetentionWorld.start({ dailyRetentionPeriod: 2 }, backup), backup, wrap)
  }

  private constructor(world: RetentionWorld, backup: ShardedWorld, wrap: (storage: Storage) => Storage) {
    this.#world = world
    this.backup = backup
    this.#wrap = wrap
    const parts = { ...world.parts, ...this.#both() }
    this.#retains = new RetentionRunner(parts)
    this.#retention = new Retentions({ ...parts, runner: this.#retains })
    this.#removals = new PersonRemovals({ ...parts, runner: this.#retains })
    this.#copies = new CopyRunner(parts)
    this.#sessions = new JobSessions({ database: world.database })
    const tenants = {
      of: async () =>
        ({
          mail: { mailbox: (id: string) => backup.mailboxes.get(id) },
          onedrive: { drive: (id: string) => backup.drives.get(id) },
        }) as unknown as OrganizationTenants,
    }
    this.#trusts = new TrustRunner({ ...parts, tenants })
    this.#trust = new Trust({ ...parts, tenants, runner: this.#trusts })
  }

  /** Both repositories and their caches. */
  #both() {
    const { repositories } = this.#world.parts
    const target = {
      count: SHARDS,
      open: async (index: number) => (await this.#openTarget(index)).repository,
      existing: async () =>
        Promise.resolve([...this.#target].map(([index, { repository }]) => ({ index, repository }))),
    }
    return {
      repositories: {
        shards: async (id: string) => (id === COPY ? Promise.resolve(target) : repositories.shards()),
      },
      catalogues: {
        of: ({ repositoryId, shard }: { readonly repositoryId: string; readonly shard: number }) =>
          repositoryId === COPY ? this.#target.get(shard)!.catalogue : this.backup.catalogueOf(shard),
        remove: () => {},
      } as unknown as Catalogues,
    }
  }

  async #openTarget(index: number) {
    const there = this.#target.get(index)
    if (there !== undefined) return there
    const storage = this.#wrap(subfolder(this.#targetPlace, `s${index}`))
    // What a call that failed has left.
    for await (const { path } of this.#targetPlace.list(`s${index}`)) await this.#targetPlace.remove(path)
    const random = seededRandom(900 + index)
    const repository = await initRepository(storage, { ...options, password: 'another', random })
    const made = { repository, catalogue: openCatalogue(':memory:', repository) }
    this.#target.set(index, made)
    return made
  }

  async addCopy(): Promise<void> {
    const { queries } = this.#world.database
    const row = (await repositoryRows.find(queries, REPOSITORY))!
    await repositoryRows.insert(queries, {
      ...row,
      id: COPY,
      name: 'Second',
      nameKey: 'second',
      path: '/second',
    })
    const owner = (await repositoryOrganizationRows.find(queries, REPOSITORY, ORGANIZATION))!
    await repositoryOrganizationRows.insert(queries, { ...owner, repositoryId: COPY })
    const jobs = new CopyJobs({ ...this.#world.parts, runner: this.#copies })
    await jobs.add(administrator, { backupJobId: 'job-1', repositoryId: COPY })
  }

  /** Days pass on all clocks, and are seen to pass. */
  async passDay(): Promise<void> {
    await this.#world.days(1)
  }

  async backUp(): Promise<Ending> {
    await this.#world.run()
    return { status: 'Success' }
  }

  /** Copies what the last session left, or tries again what failed. */
  async copy(): Promise<Ending> {
    this.#comeAgain(RETRY_MS)
    await this.#copies.tick()
    await this.#copies.idle()
    const [last] = (await this.#sessions.list(administrator, { jobType: 'Copy' })).items
    return last ?? { status: 'no session' }
  }

  /** Work that found somebody in the repository comes again by itself. */
  #comeAgain(afterMs: number): void {
    backupClock.advance(afterMs)
    this.#world.clock.set(backupClock.now().toISOString())
  }

  async lookAfter(kind: TrustRunKind, request: TrustRequest = {}): Promise<Ending> {
    const { id } = await this.#trust.start(administrator, kind, REPOSITORY, request)
    return this.#ended(this.#trusts, () => this.#trust.run(administrator, id))
  }

  async retain(): Promise<Ending> {
    const { id } = await this.#retention.start(administrator, REPOSITORY)
    return this.#ended(this.#retains, () => this.#retention.run(administrator, id))
  }

  async removePerson(userId: string): Promise<Ending> {
    const asked = { userId, confirmation: userId }
    const { id } = await this.#removals.request(administrator, ORGANIZATION, asked)
    return this.#ended(this.#retains, () => this.#removals.get(administrator, ORGANIZATION, id))
  }

  async #ended(runner: { drain(): Promise<void> }, look: () => Promise<Ending>): Promise<Ending> {
    await runner.drain()
    for (let turn = 0; turn < MOST_TURNS && !HAS_ENDED.test((await look()).status); turn += 1) {
      this.#comeAgain(MINUTE_MS)
      await runner.drain()
    }
    return look()
  }

  /** An index and a pack of the backup are gone. */
  async lose(): Promise<void> {
    const { place } = this.backup
    for (const folder of ['s1/index', 's3/data'])
      for await (const { path } of place.list(folder)) {
        await place.remove(path)
        break
      }
  }

  /** Of every point of both repositories, by shard, oldest first: each path with its content. All bytes are read. */
  async contents(): Promise<Record<string, string[]>> {
    const all: Record<string, string[]> = {}
    const source = this.backup.opened.map(({ index, repository }) => [`${index}`, repository] as const)
    const copies = [...this.#target].map(([index, { repository }]) => [`copy ${index}`, repository] as const)
    for (const [name, repository] of [...source, ...copies]) {
      await repository.refresh()
      const { problems } = await repository.check({ readData: true })
      all[`${name} problems`] = problems.map(String)
      for (const [number, { tree }] of (await repository.snapshots()).entries())
        all[`${name}: ${number}`] = await pathsBelow(repository, tree, '')
    }
    return all
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#retains[Symbol.asyncDispose]()
    await this.#copies[Symbol.asyncDispose]()
    await this.#trusts[Symbol.asyncDispose]()
    for (const { repository, catalogue } of this.#target.values()) {
      catalogue[Symbol.dispose]()
      await repository[Symbol.asyncDispose]()
    }
    await this.#world[Symbol.asyncDispose]()
  }
}

const pathsBelow = async (
  repository: Repository,
  tree: Parameters<Repository['tree']>[0],
  path: string,
): Promise<string[]> => {
  const found: string[] = []
  for (const entry of await repository.tree(tree)) {
    const below = `${path}/${entry.name}`
    // What says which session it was, and how the states were put together, differs.
    if (entry.type === 'folder') found.push(...(await pathsBelow(repository, entry.subtree, below)))
    else if (path.startsWith('/users')) found.push(`${below} ${entry.content.join(' ')}`)
  }
  return found
}
