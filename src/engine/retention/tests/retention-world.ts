import { Secret, seededRandom, silentLogger } from '#base'
import {
  jobRows,
  openDatabase,
  organizationRows,
  repositoryOrganizationRows,
  repositoryRows,
  sessionRows,
  type Database,
} from '#database'
import { Audit } from '../../access/audit.ts'
import type { Principal } from '../../access/principal.ts'
import { BackupWorld, clock as backupClock } from '../../backup/tests/backup-world.ts'
import type { Catalogues } from '../../catalogue/catalogues.ts'
import type { BackupRun } from '../../jobs/backup-run.ts'
import type { Retention as RetentionSettings } from '../../repositories/backup-repository.ts'
import { MANUAL } from '../../schedules/schedule-input.ts'
import { rootKeyFrom } from '../../secrets/root-key.ts'
import { NO_STATISTICS } from '../../sessions/session-report.ts'
import { TableTaskQueue } from '../../tasks/task-queue.ts'
import { ManualClock } from '../../tests/manual-clock.ts'
import { ClockGuard } from '../clock-guard.ts'
import { LegalHolds } from '../legal-holds.ts'
import { PersonRemovals } from '../person-removals.ts'
import { RetentionRunner } from '../retention-runner.ts'
import { RetentionScheduler } from '../retention-scheduler.ts'
import { Retentions } from '../retentions.ts'

export const administrator: Principal = { kind: 'administrator', userId: 'u', name: 'administrator' }
export const REPOSITORY = 'repo-1'
export const ORGANIZATION = 'org-1'
export const DAY_MS = 86_400_000

const SETTINGS: RetentionSettings = {
  retentionType: 'SnapshotBased',
  retentionPeriodType: 'Daily',
  dailyRetentionPeriod: 3,
  retentionFrequencyType: 'Daily',
  dailyTime: '03:00:00',
  dailyType: 'Everyday',
}

/** A repository, of one shard unless told, with backups that the test makes, and everything that cleans it up. */
export class RetentionWorld implements AsyncDisposable {
  readonly backup: BackupWorld
  readonly database: Database
  readonly clock: ManualClock
  readonly audit: Audit
  readonly tasks: TableTaskQueue
  readonly guard: ClockGuard
  readonly holds: LegalHolds
  retention!: Retentions
  runner!: RetentionRunner
  scheduler!: RetentionScheduler
  readonly removedCaches: string[] = []
  readonly endedSessions: string[] = []
  removals!: PersonRemovals
  readonly #random = seededRandom(31)
  #sessions = 0

  static async start(
    settings: Partial<RetentionSettings> = {},
    backup?: BackupWorld,
  ): Promise<RetentionWorld> {
    const clock = new ManualClock(backupClock.now().toISOString())
    const database = await openDatabase(':memory:', clock)
    const world = new RetentionWorld(backup ?? (await BackupWorld.start()), database, clock)
    await world.#addRows({ ...SETTINGS, ...settings })
    await world.guard.look()
    return world
  }

  private constructor(backup: BackupWorld, database: Database, clock: ManualClock) {
    const random = seededRandom(23)
    const rootKey = rootKeyFrom(new Secret(Buffer.alloc(32, 7).toString('base64')))
    this.backup = backup
    this.database = database
    this.clock = clock
    this.audit = new Audit({ database, clock, rootKey })
    this.tasks = new TableTaskQueue({ database, clock, random })
    this.guard = new ClockGuard({ database, clock })
    this.holds = new LegalHolds({ database, audit: this.audit, clock, random })
    this.restartRunner()
  }

  get parts() {
    const { database, clock, audit, tasks, guard } = this
    const shards = {
      count: this.backup.shardCount,
      open: async (index: number) => Promise.resolve(this.backup.opened[index]!.repository),
      existing: async () => Promise.resolve(this.backup.opened),
    }
    return {
      database,
      clock,
      audit,
      tasks,
      guard,
      random: this.#random,
      log: silentLogger,
      timeZone: 'UTC',
      repositories: { shards: async () => Promise.resolve(shards) },
      catalogues: {
        of: ({ shard }: { shard: number }) => this.backup.catalogueOf(shard),
        remove: () => void this.removedCaches.push(ORGANIZATION),
      } as unknown as Catalogues,
      endSessionsOf: async (id: string) => void this.endedSessions.push(id),
    }
  }

  /** As after a restart of the server. */
  restartRunner(): void {
    this.runner = new RetentionRunner(this.parts)
    this.retention = new Retentions({ ...this.parts, runner: this.runner })
    this.removals = new PersonRemovals({ ...this.parts, runner: this.runner })
    this.scheduler = new RetentionScheduler(this.parts)
  }

  /** Lets days pass, on all clocks, with a look at them. */
  async days(count: number): Promise<void> {
    for (let day = 0; day < count; day += 1) {
      backupClock.advance(DAY_MS)
      this.clock.set(backupClock.now().toISOString())
      await this.guard.look()
    }
  }

  /** A backup that ends well, with its session. */
  async run(changes: Partial<BackupRun> = {}): Promise<string> {
    const sessionId = changes.sessionId ?? `run-${(this.#sessions += 1)}`
    await this.backup.run({ sessionId, ...changes })
    this.clock.set(backupClock.now().toISOString())
    await sessionRows.insert(this.database.queries, {
      id: sessionId,
      jobId: changes.jobId ?? 'job-1',
      organizationId: ORGANIZATION,
      repositoryId: REPOSITORY,
      creationTime: this.clock.now(),
      endTime: this.clock.now(),
      retryCount: 0,
      jobWillBeRetried: false,
      progress: 100,
      configType: 'Incremental',
      status: 'Success',
      statistics: NO_STATISTICS,
      eTag: 1,
    })
    return sessionId
  }

  /** A run that is asked for by a person, to its end. */
  async retain(options: { readonly confirmClock?: boolean } = {}) {
    const { id } = await this.retention.start(administrator, REPOSITORY, options)
    await this.runner.drain()
    return this.retention.run(administrator, id)
  }

  /** The runs whose points are there, oldest first. */
  async points(): Promise<string[]> {
    await this.backup.repository.refresh()
    await this.backup.catalogue.sync()
    return this.backup.catalogue
      .points()
      .map(({ run }) => run.sessionId)
      .reverse()
  }

  async set(settings: Partial<RetentionSettings>): Promise<void> {
    const row = await repositoryRows.find(this.database.queries, REPOSITORY)
    await repositoryRows.update(this.database.queries, REPOSITORY, {
      retention: { ...row!.retention, ...settings },
    })
  }

  async addJob(id: string): Promise<void> {
    await jobRows.insert(this.database.queries, {
      id,
      organizationId: ORGANIZATION,
      repositoryId: REPOSITORY,
      name: id,
      nameKey: id,
      description: '',
      backupType: 'EntireOrganization',
      isEnabled: true,
      schedulePolicy: MANUAL,
      eTag: 1,
      createdAt: this.clock.now(),
    })
  }

  async #addRows(retention: RetentionSettings): Promise<void> {
    const { queries } = this.database
    const createdAt = this.clock.now()
    await organizationRows.insert(queries, {
      id: ORGANIZATION,
      type: 'Office365',
      region: 'Worldwide',
      name: 'Contoso',
      officeName: 'contoso.onmicrosoft.com',
      tenantId: 't',
      isExchangeOnline: true,
      isSharePointOnline: true,
      verification: {},
      createdAt,
      updatedAt: createdAt,
    })
    await repositoryRows.insert(queries, {
      id: REPOSITORY,
      name: 'Default',
      nameKey: 'default',
      description: '',
      path: '/somewhere',
      proxyId: 'p',
      retention,
      createdAt,
    })
    await repositoryOrganizationRows.insert(queries, {
      repositoryId: REPOSITORY,
      organizationId: ORGANIZATION,
      organizationName: 'Contoso',
      folder: 'contoso',
      shardCount: this.backup.shardCount,
      createdAt,
    })
    await this.addJob('job-1')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.runner[Symbol.asyncDispose]()
    await this.backup[Symbol.asyncDispose]()
    await this.database[Symbol.asyncDispose]()
  }
}
