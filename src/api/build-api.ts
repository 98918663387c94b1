import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import { HoldfastError, notFound, type Logger, type Random } from '#base'
import type {
  Access,
  Accounts,
  BackupRepositories,
  CloudResources,
  CopyJobs,
  EncryptionKeys,
  Explorer,
  Exports,
  Jobs,
  JobSessions,
  LegalHolds,
  ObjectStorages,
  Organizations,
  PersonRemovals,
  ProtectedObjects,
  Proxies,
  Reencryptions,
  RestorePoints,
  Restores,
  RestoreSessions,
  Retentions,
  Space,
  Trust,
} from '#engine'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import type { SecureContextOptions } from 'node:tls'
import { accountConnectionOperations } from './accounts/account-connection.routes.ts'
import { accountOperations } from './accounts/accounts.routes.ts'
import { tokenOperations } from './access/token.routes.ts'
import { operationsOfContract } from './contract-operations.ts'
import type { Operation } from './contract/operation.ts'
import { isVersion, NEWEST, VERSIONS } from './contract/versions.ts'
import { serveDocuments, welcomePage } from './documents.ts'
import { copyJobOperations } from './copy-jobs/copy-jobs.routes.ts'
import { encryptionKeyOperations } from './encryption-keys/encryption-keys.routes.ts'
import { errorAnswer } from './edge/errors.ts'
import { limitConnections } from './edge/connection-limit.ts'
import { fromFramework } from './edge/framework-errors.ts'
import { knownOperations } from './edge/known-operations.ts'
import type { PublicAddress } from './edge/links.ts'
import { EventLoopLoad, type Load } from './edge/load.ts'
import { isMethod, methodNotAllowed } from './edge/refusals.ts'
import { jobItemOperations } from './jobs/job-items.routes.ts'
import { jobVerbs } from './jobs/job-verbs.routes.ts'
import { jobOperations } from './jobs/jobs.routes.ts'
import { cloudResourceOperations } from './object-storage/cloud-resources.routes.ts'
import { storageClassOperations } from './object-storage/storage-class.routes.ts'
import { objectStorageOperations } from './object-storage/object-storages.routes.ts'
import { directoryOperations } from './organizations/directory.routes.ts'
import { organizationOperations } from './organizations/organizations.routes.ts'
import { protectedDataOperations } from './protected-data/protected-data.routes.ts'
import { proxyOperations } from './proxies/proxies.routes.ts'
import { forgiveUrl } from './reading/forgive-url.ts'
import { parseBody } from './reading/parse-body.ts'
import { attachOperations } from './repositories/attach.routes.ts'
import { backupRepositoryOperations } from './repositories/backup-repositories.routes.ts'
import { bulkRestoreOperations } from './restore-sessions/bulk.routes.ts'
import { exchangeOperations } from './restore-sessions/exchange.routes.ts'
import { oneDriveOperations } from './restore-sessions/onedrive.routes.ts'
import { exploreJob, restoreSessionOperations } from './restore-sessions/restore-session.routes.ts'
import { legalHoldOperations } from './retention/legal-holds.routes.ts'
import { personRemovalOperations } from './retention/person-removals.routes.ts'
import { retentionOperations } from './retention/retention.routes.ts'
import { spaceOperations } from './space/space.routes.ts'
import { reencryptionOperations } from './repositories/reencryption.routes.ts'
import { trustOperations } from './trust/trust.routes.ts'
import { serveVersion } from './serve-version.ts'
import { serviceOperations, type Service } from './service/service.routes.ts'
import { jobSessionOperations } from './sessions/job-sessions.routes.ts'

/** What the engine offers to the edge. */
export interface Engine {
  readonly access: Access
  readonly organizations: Organizations
  readonly accounts: Accounts
  readonly encryptionKeys: EncryptionKeys
  readonly objectStorages: ObjectStorages
  readonly cloudResources: CloudResources
  readonly repositories: BackupRepositories
  readonly proxies: Proxies
  readonly jobs: Jobs
  readonly copyJobs: CopyJobs
  readonly sessions: JobSessions
  readonly restoreSessions: RestoreSessions
  readonly restorePoints: RestorePoints
  readonly protectedObjects: ProtectedObjects
  readonly explorer: Explorer
  readonly restores: Restores
  readonly exports: Exports
  readonly retention: Retentions
  readonly trust: Trust
  readonly reencryptions: Reencryptions
  readonly space: Space
  readonly legalHolds: LegalHolds
  readonly personRemovals: PersonRemovals
}

export interface ApiParts {
  readonly engine: Engine
  readonly service: Service
  readonly address: PublicAddress
  readonly log: Logger
  readonly random: Random
  /** Certificate chain and key; TLS 1.2 at least. */
  readonly tls: Pick<SecureContextOptions, 'key' | 'cert'>
  /** Log-ins a minute from one address; undefined: no limit. */
  readonly loginsPerMinute?: number
  /** Open connections from one address; undefined: no limit. */
  readonly connectionsPerAddress?: number
  /** Absent: the event loop's own. */
  readonly load?: Load
  /** False where neither Swagger UI nor the OpenAPI documents shall be served. */
  readonly documents?: boolean
}

/** Every operation that is built, for all versions. */
export const operationsOf = ({
  engine,
  service,
  load,
}: Pick<ApiParts, 'engine' | 'service' | 'load'>): readonly Operation[] => [
  ...tokenOperations(engine.access),
  ...organizationOperations(engine.organizations),
  ...directoryOperations(engine.organizations),
  ...accountOperations(engine.accounts),
  ...accountConnectionOperations(engine.accounts),
  ...encryptionKeyOperations(engine.encryptionKeys, engine.repositories),
  ...objectStorageOperations(engine.objectStorages),
  ...storageClassOperations(engine.objectStorages),
  ...cloudResourceOperations(engine.cloudResources),
  ...backupRepositoryOperations(engine.repositories),
  ...attachOperations(engine.repositories),
  ...proxyOperations(engine.proxies),
  ...jobOperations(engine.jobs),
  ...jobVerbs(engine.jobs, [exploreJob(engine.restoreSessions)]),
  ...jobItemOperations(engine.jobs),
  ...copyJobOperations(engine),
  ...jobSessionOperations(engine.sessions, engine.jobs),
  ...restoreSessionOperations(engine),
  ...protectedDataOperations(engine),
  ...bulkRestoreOperations(engine),
  ...exchangeOperations(engine),
  ...oneDriveOperations(engine),
  ...retentionOperations(engine.retention),
  ...trustOperations(engine.trust),
  ...reencryptionOperations(engine.reencryptions),
  ...spaceOperations(engine.space),
  ...legalHoldOperations(engine.legalHolds),
  ...personRemovalOperations(engine.personRemovals),
  ...serviceOperations(service, load),
]

const KIB = 1024
const BODY_LIMIT = 1024 * KIB
const SECONDS = 1000

/** The HTTPS server with all versions on one port. Not yet listening: call `listen`. */
export const buildApi = async (given: ApiParts): Promise<FastifyInstance> => {
  const app = newServer(given)
  const parts = { ...given, load: given.load ?? loadOf(app) }
  takeBodies(app)
  logAnswers(app, parts.log)
  await app.register(helmet, {
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
  })
  await app.register(rateLimit, { global: false, errorResponseBuilder: tooManyLogins })
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('cache-control', 'no-store')
    if (!isMethod(request.method)) throw methodNotAllowed(request.method)
  })
  answerOutside(app, parts.log)
  await serveVersions(app, parts)
  return app
}

const loadOf = (app: FastifyInstance): Load => {
  const load = new EventLoopLoad()
  app.addHook('onClose', async () => {
    load[Symbol.dispose]()
  })
  return load
}

const newServer = ({ tls, random, connectionsPerAddress }: ApiParts): FastifyInstance => {
  const app = fastify({
    logger: false,
    https: {
      ...tls,
      minVersion: 'TLSv1.2',
      maxHeaderSize: 16 * KIB,
      handshakeTimeout: 10 * SECONDS,
      // How often the two limits below are looked at: by default a slow client has half a minute more.
      connectionsCheckingInterval: 2 * SECONDS,
    },
    bodyLimit: BODY_LIMIT,
    requestTimeout: 30 * SECONDS,
    keepAliveTimeout: 5 * SECONDS,
    exposeHeadRoutes: false,
    genReqId: () => random.uuid(),
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    rewriteUrl: ({ url = '/' }) => forgiveUrl(url),
    routerOptions: { caseSensitive: false, maxParamLength: 4096 },
  })
  app.server.headersTimeout = 10 * SECONDS
  app.server.maxConnections = 2000
  if (connectionsPerAddress !== undefined) limitConnections(app.server, connectionsPerAddress)
  return app as unknown as FastifyInstance
}

const takeBodies = (app: FastifyInstance): void => {
  app.removeAllContentTypeParsers()
  const parse = async ({ headers }: FastifyRequest, body: string | Buffer) =>
    parseBody(body as Buffer, {
      contentType: headers['content-type'],
      contentEncoding: headers['content-encoding'],
    })
  app.addContentTypeParser('*', { parseAs: 'buffer' }, parse)
}

const logAnswers = (app: FastifyInstance, log: Logger): void => {
  app.addHook('onResponse', async (request, reply) => {
    const fields = {
      requestId: request.id,
      method: request.method,
      route: request.routeOptions.url,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
    }
    log.debug(fields, 'answered')
  })
}

const tooManyLogins = (_request: unknown, { ttl }: { readonly ttl: number }): HoldfastError =>
  new HoldfastError('throttled', 'too many log-ins from this address, wait a while', { retryAfterMs: ttl })

/** What lies outside of every version. */
const answerOutside = (app: FastifyInstance, log: Logger): void => {
  app.get('/', async (_request, reply) =>
    reply.header('content-type', 'text/html; charset=utf-8').send(welcomePage()),
  )
  app.setNotFoundHandler(async () => {
    throw notFound('there is nothing at this address')
  })
  app.setErrorHandler(async (thrown, request, reply) => {
    const named = request.url.split('/')[1]?.toLowerCase() ?? ''
    const error = fromFramework(thrown)
    const answer = errorAnswer(isVersion(named) ? named : NEWEST, error, request.id)
    if (answer.isUnexpected) log.error({ requestId: request.id, err: error }, 'request failed')
    return reply
      .status(answer.status)
      .header('content-type', 'application/json; charset=utf-8')
      .send(JSON.stringify(answer.body))
  })
}

const serveVersions = async (
  app: FastifyInstance,
  parts: ApiParts & { readonly load: Load },
): Promise<void> => {
  const operations = operationsOf(parts)
  for (const version of VERSIONS) {
    const prefix = `/${version}`
    if (parts.documents !== false) await app.register(serveDocuments(version, operations))
    const known = knownOperations(operationsOfContract, version)
    const { engine, address, log, load, loginsPerMinute } = parts
    await app.register(
      serveVersion({
        version,
        operations,
        access: engine.access,
        address,
        log,
        load,
        known,
        ...(loginsPerMinute === undefined ? {} : { loginsPerMinute }),
      }),
      { prefix },
    )
  }
}
