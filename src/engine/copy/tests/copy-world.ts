import { seededRandom } from '#base'
import { copyJobRows, jobRows, repositoryOrganizationRows, repositoryRows, type CopyJobRow } from '#database'
import { initRepository, type Repository } from '#repository'
import { memoryStorage } from '#storage'
import { clock as backupClock, options } from '../../backup/tests/backup-world.ts'
import {
  administrator,
  ORGANIZATION,
  REPOSITORY,
  RetentionWorld,
} from '../../retention/tests/retention-world.ts'
import type { Shards } from '../../jobs/backup-run.ts'
import { JobSessions } from '../../sessions/job-sessions.ts'
import { CopyJobs } from '../copy-jobs.ts'
import type { CopyJobInput } from '../copy-job.ts'
import { CopyRunner } from '../copy-runner.ts'

export const TARGET = 'repo-2'
export const JOB = 'job-1'

/** Backups of one shard, and a second repository of another key that they are copied to. */
export class CopyWorld implements AsyncDisposable {
  readonly source: RetentionWorld
  readonly target: Repository
  readonly sessions: JobSessions
  targetShards = 1
  /** Told before each batch is copied. */
  beforeCopy: () => void | Promise<void> = () => {}
  runner!: CopyRunner
  jobs!: CopyJobs

  static async start(): Promise<CopyWorld> {
    const source = await RetentionWorld.start()
    const random = seededRandom(99)
    const target = await initRepository(memoryStorage(), { ...options, password: 'another', random })
    const row = await repositoryRows.find(source.database.queries, REPOSITORY)
    await repositoryRows.insert(source.database.queries, {
      ...row!,
      id: TARGET,
      name: 'Second',
      nameKey: 'second',
      path: '/second',
    })
    return new CopyWorld(source, target)
  }

  private constructor(source: RetentionWorld, target: Repository) {
    this.source = source
    this.target = target
    this.sessions = new JobSessions({ database: source.database })
    this.restart()
  }

  /** As another process that takes over. */
  restart(): void {
    this.runner = new CopyRunner({
      ...this.source.parts,
      repositories: { shards: async (id) => Promise.resolve(this.#shards(id)) },
    })
    this.jobs = new CopyJobs({ ...this.source.parts, runner: this.runner })
  }

  async add(input: CopyJobInput = {}): Promise<string> {
    return (await this.jobs.add(administrator, { backupJobId: JOB, repositoryId: TARGET, ...input })).id
  }

  /** Looks once, and waits for what was begun. */
  async look(): Promise<void> {
    this.source.clock.set(backupClock.now().toISOString())
    await this.runner.tick()
    await this.runner.idle()
  }

  async row(id: string): Promise<CopyJobRow> {
    return (await copyJobRows.find(this.source.database.queries, id))!
  }

  /** Newest first. */
  async runs(id: string) {
    return (await this.sessions.list(administrator, { jobId: id, jobType: 'Copy' })).items
  }

  async copied(): Promise<string[]> {
    await this.target.refresh()
    return (await this.target.snapshots()).map(({ tags }) => tags.find((tag) => tag.startsWith('run:'))!)
  }

  /** Packs of the source. */
  async packs(): Promise<string[]> {
    return (await Array.fromAsync(this.source.backup.storage.list('data'))).map(({ path }) => path)
  }

  /** Spoils files of the source; returns what puts them back. */
  async damage(paths: readonly string[]): Promise<() => Promise<void>> {
    const { storage } = this.source.backup
    const replace = async (path: string, bytes: Uint8Array): Promise<void> => {
      await storage.remove(path)
      await storage.write(path, [bytes])
    }
    const whole = new Map<string, Uint8Array>()
    for (const path of paths) {
      const bytes = Uint8Array.from(await storage.read(path))
      whole.set(path, bytes)
      await replace(path, bytes.toReversed())
    }
    return async () => {
      for (const [path, bytes] of whole) await replace(path, bytes)
    }
  }

  async sharesInTarget(shardCount: number): Promise<void> {
    const { queries } = this.source.database
    const row = (await repositoryOrganizationRows.find(queries, REPOSITORY, ORGANIZATION))!
    await repositoryOrganizationRows.insert(queries, { ...row, repositoryId: TARGET, shardCount })
  }

  async moveJob(repositoryId: string): Promise<void> {
    await jobRows.update(this.source.database.queries, JOB, { repositoryId })
  }

  #shards(repositoryId: string): Shards {
    const source = this.source.backup.repository
    const repository = repositoryId === TARGET ? this.#watched() : source
    return {
      count: repositoryId === TARGET ? this.targetShards : 1,
      open: async () => Promise.resolve(repository),
      existing: async () => Promise.resolve([{ index: 0, repository }]),
    }
  }

  #watched(): Repository {
    const { target } = this
    const watched = Object.create(target) as Repository
    watched.refresh = () => target.refresh()
    watched.snapshots = (signal) => target.snapshots(signal)
    watched.copyFrom = async (...given) => {
      await this.beforeCopy()
      return target.copyFrom(...given)
    }
    return watched
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.runner[Symbol.asyncDispose]()
    await this.target[Symbol.asyncDispose]()
    await this.source[Symbol.asyncDispose]()
  }
}
