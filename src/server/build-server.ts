import { buildApi } from '#api'
import { systemClock, systemRandom, type Clock, type Logger, type Random, type Secret } from '#base'
import { holdAlone, openDatabase } from '#database'
import {
  Access,
  Accounts,
  Audit,
  BackupRepositories,
  Catalogues,
  ClockGuard,
  CloudResources,
  CopyJobs,
  CopyRunner,
  createRunBackup,
  graceMsOf,
  healing,
  EncryptionKeys,
  Explorer,
  Exports,
  itemCutoffOf,
  JobRunner,
  Jobs,
  JobSessions,
  LegalHolds,
  ObjectStorages,
  Organizations,
  PersonRemovals,
  prepareFirstStart,
  ProtectedObjects,
  Proxies,
  ReencryptionRunner,
  Reencryptions,
  RepositoryGate,
  RestorePoints,
  Restores,
  RestoreSessions,
  Retentions,
  RetentionRunner,
  RetentionScheduler,
  Scheduler,
  Secrets,
  Space,
  SpaceRunner,
  TableTaskQueue,
  Tenants,
  Trust,
  TrustRunner,
  TrustScheduler,
  type OwnerIdentity,
} from '#engine'
import { microsoft365, type HostOverrides } from '#m365'
import { ownIdentity } from '#repository'
import { Bandwidth, localStorage } from '#storage'
import type { FastifyInstance } from 'fastify'
import { hostname } from 'node:os'
import { serverCertificate } from './certificate.ts'
import { cloudOpener, resolveHost } from './cloud-storages.ts'
import type { ServerConfig } from './config.ts'
import { checkDatabase, installationId, openDataFolder } from './data-folder.ts'
import { serverHealth } from './health.ts'
import { rootKeyFor } from './root-key.ts'
import { trustedAuthorities } from './trusted-authorities.ts'
import { VERSION } from './version.ts'

/** Everything built and nothing running. */
export interface BuiltServer extends AsyncDisposable {
  readonly api: FastifyInstance
  /** Of the administrator that was made now; shown once and kept nowhere. */
  readonly firstPassword?: Secret
  /** What a client has to trust, as a PEM file. */
  readonly caFile: string
  /** Starts what works by itself: schedules, and runs that were cut off. */
  start(): Promise<void>
}

export interface Surroundings {
  readonly clock?: Clock
  readonly random?: Random
  readonly log: Logger
}

/** Builds the parts of a server out of its configuration. Everything that it opens is closed by disposing of it. */
export const buildServer = async (config: ServerConfig, around: Surroundings): Promise<BuiltServer> => {
  const { log, clock = systemClock, random = systemRandom } = around
  await using opened = new AsyncDisposableStack()
  const folder = await openDataFolder(config.dataFolder)
  opened.use(holdAlone(folder.lock))
  await checkDatabase(folder)
  const database = opened.use(await openDatabase(folder.database, clock))
  const rootKey = await rootKeyFor(config, folder, database)
  const secrets = new Secrets({ rootKey, clock })
  const audit = new Audit({ database, clock, rootKey })
  const access = new Access({ database, secrets, audit, clock, random })
  const bandwidth = new Bandwidth(clock)
  const connectors = opened.use(await connectorsOf(config, { clock, random, log, bandwidth }))
  const tenants = opened.use(new Tenants({ database, secrets, connectors }))
  const parts = { database, secrets, audit, clock, random }
  const accounts = new Accounts(parts)
  const cloud = cloudOpener({
    config: config.storage,
    authorities: await trustedAuthorities(config.microsoft365.caFiles),
    clock,
    random,
    bandwidth,
    log: log.child({ layer: 'storage' }),
  })
  const servicePoints = { trusted: config.storage.endpoints, resolve: resolveHost }
  const objectStorages = new ObjectStorages({ ...parts, accounts, cloud, servicePoints })
  const cloudResources = new CloudResources({ audit, accounts, cloud, servicePoints })
  const encryptionKeys = new EncryptionKeys(parts)
  const installation = await installationId(folder, random)
  const repositories = opened.use(
    new BackupRepositories({
      ...parts,
      log: log.child({ layer: 'repository' }),
      openStorage: (path) => localStorage(path),
      objectStorages,
      encryptionKeys,
      owner: ownerOf(installation, random),
      reserved: [folder.path],
      ...(config.shardsPerOrganization === undefined
        ? {}
        : { shardsPerOrganization: config.shardsPerOrganization }),
    }),
  )
  const organizations = new Organizations({ ...parts, connectors, tenants, repositories })
  const catalogues = opened.use(new Catalogues(folder.catalogues))
  const engineLog = log.child({ layer: 'engine' })
  const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone
  const tasks = new TableTaskQueue({ database, clock, random })
  const gate = new RepositoryGate(clock)
  const running = { database, tasks, gate, clock, random, timeZone, log: engineLog }
  const looked = { database, catalogues, clock, log: engineLog }
  const guard = new ClockGuard({ database, clock })
  const itemCutoff = (run: { jobId: string; repositoryId: string }): Promise<Date | undefined> =>
    itemCutoffOf({ database, clock, guard, timeZone }, run)
  const runBackup = healing(createRunBackup({ catalogues, clock, log: engineLog, itemCutoff }), looked)
  const runner = opened.use(new JobRunner({ ...running, tenants, repositories, runBackup }))
  const scheduler = opened.use(new Scheduler(running))
  const jobs = new Jobs({ database, tasks, runner, audit, clock, random, timeZone })
  const copyRunner = opened.use(new CopyRunner({ ...running, repositories, catalogues }))
  const copyJobs = new CopyJobs({ ...running, runner: copyRunner, audit })
  const graceMs = graceMsOf(config.pruneGraceHours)
  const retained = { ...running, repositories, catalogues, guard, audit, graceMs }
  const retentionRunner = opened.use(
    new RetentionRunner({ ...retained, endSessionsOf: (id) => restoreSessions.endOf(id) }),
  )
  const retentionScheduler = opened.use(new RetentionScheduler(retained))
  const trusted = { ...running, repositories, catalogues, tenants }
  const trustRunner = opened.use(new TrustRunner(trusted))
  const trustScheduler = opened.use(new TrustScheduler(trusted))
  const reencryptionRunner = opened.use(
    new ReencryptionRunner({
      ...{ database, tasks, gate, clock, repositories, log: engineLog },
      isRestoring: (id) => restoreSessions.isRestoring(id),
      lookAgain: (id) => restoreSessions.lookAgain(id),
    }),
  )
  const spaceRunner = opened.use(new SpaceRunner({ ...running, repositories, catalogues }))
  const restoreSessions = new RestoreSessions({
    database,
    clock,
    random,
    audit,
    catalogues,
    jobs,
    organizations,
    repositories,
  })
  const restores = opened.use(
    new Restores({ sessions: restoreSessions, tenants, audit, clock, log: engineLog }),
  )
  const restorePoints = new RestorePoints({ database, sessions: restoreSessions, organizations })
  const proxies = new Proxies({ database, audit, bandwidth, repositories, version: VERSION })
  await proxies.begin()
  const certificate = await serverCertificate(config, clock, random)
  const api = await buildApi({
    engine: {
      access,
      organizations,
      accounts,
      encryptionKeys,
      objectStorages,
      cloudResources,
      repositories,
      proxies,
      jobs,
      copyJobs,
      sessions: new JobSessions({ database }),
      restoreSessions,
      restorePoints,
      protectedObjects: new ProtectedObjects({
        sessions: restoreSessions,
        repositories,
        points: restorePoints,
      }),
      explorer: new Explorer(restoreSessions),
      restores,
      trust: new Trust({ ...trusted, audit, runner: trustRunner }),
      reencryptions: new Reencryptions({ ...parts, tasks, runner: reencryptionRunner }),
      space: new Space({ database, tasks, repositories, audit, clock, runner: spaceRunner }),
      retention: new Retentions({ ...retained, runner: retentionRunner }),
      personRemovals: new PersonRemovals({ ...retained, runner: retentionRunner }),
      legalHolds: new LegalHolds({ database, audit, clock, random }),
      exports: new Exports({ sessions: restoreSessions, audit, clock }),
    },
    service: {
      installationId: installation,
      version: VERSION,
      health: () => serverHealth({ folder, database, repositories, scheduler, clock }),
    },
    address: {
      names: new Set(certificate.names),
      ...(config.publicUrl === undefined ? {} : { configured: new URL(config.publicUrl).origin }),
    },
    log: log.child({ layer: 'api' }),
    random,
    tls: certificate,
    documents: config.documents,
    ...(config.loginsPerMinute === undefined ? {} : { loginsPerMinute: config.loginsPerMinute }),
    ...(config.connectionsPerAddress === 0 ? {} : { connectionsPerAddress: config.connectionsPerAddress }),
  })
  await prepareFirstStart({
    database,
    repositories,
    defaultPath: folder.repository,
    hostName: hostname(),
    clock,
    random,
  })
  const first = await access.makeFirstAdministrator(
    config.firstPassword === undefined ? {} : { password: config.firstPassword },
  )
  const closing = opened.move()
  return {
    api,
    caFile: certificate.caFile,
    ...(first === undefined ? {} : { firstPassword: first.password }),
    start: async () => {
      void repositories.begin()
      await restoreSessions.endInterrupted()
      await runner.start()
      scheduler.start()
      copyRunner.start()
      retentionRunner.start()
      retentionScheduler.start()
      trustRunner.start()
      trustScheduler.start()
      spaceRunner.start()
      reencryptionRunner.start()
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  }
}

/** As which this start owns repositories. */
const ownerOf = (server: string, random: Random): OwnerIdentity => {
  const process = ownIdentity()
  const here = { server, name: hostname(), instance: random.uuid(), pid: globalThis.process.pid }
  return { ...here, ...(process === undefined ? {} : { process }) }
}

const connectorsOf = async (
  { microsoft365: settings }: ServerConfig,
  {
    bandwidth,
    ...around
  }: {
    readonly clock: Clock
    readonly random: Random
    readonly log: Logger
    readonly bandwidth: Bandwidth
  },
) =>
  microsoft365({
    ...around,
    pace: (bytes, signal) => bandwidth.spend(bytes, signal),
    log: around.log.child({ layer: 'm365' }),
    caCertificates: await trustedAuthorities(settings.caFiles),
    ...(settings.hosts === undefined ? {} : { hosts: settings.hosts as HostOverrides }),
    ...(settings.proxyUrl === undefined ? {} : { proxyUrl: settings.proxyUrl }),
  })
