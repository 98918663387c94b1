import { buildApi } from '#api'
import { notBuilt, systemClock, systemRandom, type Clock, type Logger, type Random, type Secret } from '#base'
import { holdAlone, openDatabase, secretRows, type Database } from '#database'
import {
  Access,
  Audit,
  BackupRepositories,
  Jobs,
  JobSessions,
  Organizations,
  Proxies,
  rootKeyFrom,
  rootKeyOf,
  Secrets,
  Tenants,
} from '#engine'
import { microsoft365, type HostOverrides } from '#m365'
import type { FastifyInstance } from 'fastify'
import { serverCertificate } from './certificate.ts'
import type { ServerConfig } from './config.ts'
import { dataFolderHealth, installationId, openDataFolder, type DataFolder } from './data-folder.ts'
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
  const database = opened.use(await openDatabase(folder.database, clock))
  const rootKey = await rootKeyFor(config, folder, database)
  const secrets = new Secrets({ rootKey, clock })
  const audit = new Audit({ database, clock, rootKey })
  const access = new Access({ database, secrets, audit, clock, random })
  const connectors = opened.use(await connectorsOf(config, { clock, random, log }))
  const tenants = opened.use(new Tenants({ database, secrets, connectors }))
  const repositories = opened.use(new BackupRepositories())
  const organizations = new Organizations({
    database,
    secrets,
    connectors,
    tenants,
    repositories: { usedBy: () => Promise.reject(notBuilt('used repositories')) },
    audit,
    clock,
    random,
  })
  const certificate = await serverCertificate(config, clock, random)
  const api = await buildApi({
    engine: {
      access,
      organizations,
      repositories,
      proxies: new Proxies(),
      jobs: new Jobs(),
      sessions: new JobSessions(),
    },
    service: {
      installationId: await installationId(folder, random),
      version: VERSION,
      health: async () => ({ dataFolder: await dataFolderHealth(folder) }),
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
  })
  const first = await access.makeFirstAdministrator(
    config.firstPassword === undefined ? {} : { password: config.firstPassword },
  )
  const closing = opened.move()
  return {
    api,
    caFile: certificate.caFile,
    ...(first === undefined ? {} : { firstPassword: first.password }),
    start: async () => {},
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  }
}

const rootKeyFor = async (config: ServerConfig, folder: DataFolder, database: Database): Promise<Secret> => {
  if (config.rootKey !== undefined) return rootKeyFrom(config.rootKey)
  const mayMake = !(await secretRows.any(database.queries))
  return rootKeyOf(folder.rootKey, { mayMake })
}

const connectorsOf = async (
  { microsoft365: settings }: ServerConfig,
  around: { readonly clock: Clock; readonly random: Random; readonly log: Logger },
) =>
  microsoft365({
    ...around,
    log: around.log.child({ layer: 'm365' }),
    caCertificates: await trustedAuthorities(settings.caFiles),
    ...(settings.hosts === undefined ? {} : { hosts: settings.hosts as HostOverrides }),
    ...(settings.proxyUrl === undefined ? {} : { proxyUrl: settings.proxyUrl }),
  })
