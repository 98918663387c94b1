import { Secret, seededRandom, silentLogger, type Json } from '#base'
import { openDatabase, organizationRows, repositoryRows, type Database } from '#database'
import { Audit } from '../access/audit.ts'
import type { Principal } from '../access/principal.ts'
import { Jobs } from '../jobs/jobs.ts'
import { JobRunner } from '../jobs/job-runner.ts'
import type { BackupOutcome, BackupRun, RunTotals, Shards } from '../jobs/backup-run.ts'
import { Scheduler } from '../schedules/scheduler.ts'
import { rootKeyFrom } from '../secrets/root-key.ts'
import { JobSessions } from '../sessions/job-sessions.ts'
import { TableTaskQueue } from '../tasks/task-queue.ts'
import { ManualClock } from './manual-clock.ts'
import { scriptedConnectors, scriptedTenant, scriptedUser, type ScriptedTenant } from './scripted-tenant.ts'

export const administrator: Principal = { kind: 'administrator', userId: 'u', name: 'administrator' }
export const ORGANIZATION = '11110000-2222-4333-8444-555555555555'
export const REPOSITORY = '22220000-2222-4333-8444-555555555555'

export const totals = (changes: Partial<RunTotals> = {}): RunTotals => ({
  objectsDone: 0,
  objectsTotal: 0,
  processedItems: 0,
  readBytes: 0,
  writtenBytes: 0,
  sourceWaitMs: 0,
  targetWaitMs: 0,
  ...changes,
})

export const outcome = (changes: Partial<BackupOutcome> = {}): BackupOutcome => ({
  totals: totals(),
  succeeded: 1,
  warnings: 0,
  failed: 0,
  ...changes,
})

const shards: Shards = {
  count: 1,
  open: async () => Promise.reject(new Error('no shard in this test')),
  existing: async () => Promise.resolve([]),
}

/** Everything around a job, with a backup that the test writes. */
export interface JobWorld extends AsyncDisposable {
  readonly database: Database
  readonly clock: ManualClock
  readonly script: ScriptedTenant
  readonly tasks: TableTaskQueue
  readonly jobs: Jobs
  readonly sessions: JobSessions
  readonly runner: JobRunner
  readonly scheduler: Scheduler
  /** Runs so far. */
  readonly runs: BackupRun[]
  backup: (run: BackupRun) => Promise<BackupOutcome>
}

const addRows = async (database: Database, clock: ManualClock): Promise<void> => {
  await organizationRows.insert(database.queries, {
    id: ORGANIZATION,
    type: 'Office365',
    region: 'Worldwide',
    name: 'contoso.example',
    officeName: 'contoso.onmicrosoft.com',
    tenantId: 't1',
    isExchangeOnline: true,
    isSharePointOnline: true,
    verification: {},
    createdAt: clock.now(),
    updatedAt: clock.now(),
  })
  await repositoryRows.insert(database.queries, {
    id: REPOSITORY,
    name: 'Default',
    nameKey: 'default',
    description: '',
    path: '/somewhere',
    proxyId: 'p',
    retention: {},
    createdAt: clock.now(),
  })
}

/** The parts of a process that works on a database; `file` is shared by the processes of a test. */
export const jobWorld = async (
  options: { readonly database?: Database; readonly clock?: ManualClock; readonly timeZone?: string } = {},
): Promise<JobWorld> => {
  const clock = options.clock ?? new ManualClock('2026-03-02T10:00:00Z')
  const database = options.database ?? (await openDatabase(':memory:', clock))
  if (options.database === undefined) await addRows(database, clock)
  const random = seededRandom(options.database === undefined ? 11 : 12)
  const rootKey = rootKeyFrom(new Secret(Buffer.alloc(32, 7).toString('base64')))
  const script = scriptedTenant({ users: ['alice', 'bob'].map((name) => scriptedUser(name)) })
  const tenant = scriptedConnectors(script).connect({
    region: 'Worldwide',
    tenant: 't1',
    application: { applicationId: 'a', secret: new Secret(script.secret) },
  })
  const tasks = new TableTaskQueue({ database, clock, random })
  const timeZone = options.timeZone ?? 'UTC'
  const shared = { database, tasks, clock, random, log: silentLogger, timeZone }
  const runs: BackupRun[] = []
  const runner = new JobRunner({
    ...shared,
    tenants: { of: async () => Promise.resolve({ directory: tenant, mail: tenant, onedrive: tenant }) },
    repositories: { shards: async () => Promise.resolve(shards) },
    runBackup: (run) => {
      runs.push(run)
      return world.backup(run)
    },
  })
  const audit = new Audit({ database, clock, rootKey })
  const world: JobWorld = {
    database,
    clock,
    script,
    tasks,
    runner,
    runs,
    jobs: new Jobs({ ...shared, runner, audit }),
    sessions: new JobSessions({ database }),
    scheduler: new Scheduler(shared),
    backup: async () => Promise.resolve(outcome()),
    [Symbol.asyncDispose]: async () => {
      await runner[Symbol.asyncDispose]()
      if (options.database === undefined) await database[Symbol.asyncDispose]()
    },
  }
  return world
}

/** A backup that saves a checkpoint and then waits until it is stopped. */
export const waitsAfter =
  (key: string, value: Json) =>
  async (run: BackupRun): Promise<BackupOutcome> => {
    await run.checkpoints.save(key, value)
    await run.report.start(key, `working on ${key}`)
    return new Promise((_, reject) => {
      run.signal.addEventListener('abort', () => reject(run.signal.reason as Error))
      if (run.signal.aborted) reject(run.signal.reason as Error)
    })
  }
