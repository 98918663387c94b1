import { invalid, type Json, type Secret } from '#base'
import { DEFAULT_GRACE_HOURS, graceMsOf, MOST_SHARDS } from '#engine'

/** What is needed to run a server, decided: no defaults are left to the parts. */
export interface ServerConfig {
  /** Holds everything that has to be kept: database, keys, certificate. */
  readonly dataFolder: string
  /** The address to listen on. */
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** `https://backup.example.com:4443`: how clients reach this server, when that differs from what they ask for. */
  readonly publicUrl?: string
  /** Names and addresses beside localhost and the machine's own that the certificate is made for. */
  readonly names: readonly string[]
  /** A given certificate chain and key in PEM; absent: one is made at the first start. */
  readonly certificate?: { readonly certificateFile: string; readonly keyFile: string }
  readonly log: LogConfig
  readonly microsoft365: Microsoft365Config
  readonly storage: StorageConfig
  /** From one address; absent: no limit. */
  readonly loginsPerMinute?: number
  /** Open connections from one address; 0: no limit. */
  readonly connectionsPerAddress: number
  /** Whether Swagger UI and the OpenAPI documents are served. */
  readonly documents: boolean
  /** Given by the environment instead of the file in the data folder: 32 bytes in base64. */
  readonly rootKey?: Secret
  /** The password of the first administrator; absent: one is made. */
  readonly firstPassword?: Secret
  /** So long packs stay that nothing needs any more, where a repository does not say. */
  readonly pruneGraceHours: number
  /** Shards of an organization that is backed up for the first time; absent: by its size. */
  readonly shardsPerOrganization?: number
  /** How long runs may take to reach a point that they can go on from. */
  readonly stopWithinMs: number
}

export interface LogConfig {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** Absent: standard output. */
  readonly file?: string
}

export interface Microsoft365Config {
  /** Other hosts by region: for a practice tenant or a cloud that is not in the table. */
  readonly hosts?: Json
  /** A proxy for all calls to Microsoft. */
  readonly proxyUrl?: string
  /** Files in PEM with further certificate authorities to trust. */
  readonly caFiles: readonly string[]
}

export interface StorageConfig {
  /** Origins of S3 that may be used although they are private or plain http: `http://127.0.0.1:9000`. */
  readonly endpoints: readonly string[]
  /** Other hosts of Azure's blob service by region type; the account comes behind, as a path. */
  readonly azureHosts?: Readonly<Record<string, string>>
}

/** What a caller may leave open. */
export type ServerOptions = Partial<Omit<ServerConfig, 'log' | 'microsoft365' | 'storage'>> &
  Pick<ServerConfig, 'dataFolder'> & {
    readonly log?: Partial<LogConfig>
    readonly microsoft365?: Partial<Microsoft365Config>
    readonly storage?: Partial<StorageConfig>
  }

export const DEFAULT_PORT = 4443
const LOGINS_PER_MINUTE = 30
const CONNECTIONS_PER_ADDRESS = 100
const STOP_WITHIN_MS = 8_000

/** Fills in the defaults and refuses what cannot work. */
export const decideConfig = (options: ServerOptions): ServerConfig => {
  const config: ServerConfig = {
    host: '0.0.0.0',
    port: DEFAULT_PORT,
    names: [],
    documents: true,
    stopWithinMs: STOP_WITHIN_MS,
    connectionsPerAddress: CONNECTIONS_PER_ADDRESS,
    pruneGraceHours: DEFAULT_GRACE_HOURS,
    ...options,
    ...(options.loginsPerMinute === undefined ? { loginsPerMinute: LOGINS_PER_MINUTE } : {}),
    log: { level: 'info', ...options.log },
    microsoft365: { caFiles: [], ...options.microsoft365 },
    storage: { ...options.storage, endpoints: originsOf(options.storage?.endpoints ?? []) },
  }
  checkPort(config.port)
  checkPublicUrl(config.publicUrl)
  checkShards(config.shardsPerOrganization)
  graceMsOf(config.pruneGraceHours)
  return config
}

const originsOf = (endpoints: readonly string[]): readonly string[] =>
  endpoints.map((endpoint) => {
    const url = URL.parse(endpoint)
    if (url === null || !['http:', 'https:'].includes(url.protocol))
      throw invalid('an endpoint of storage must look like https://minio.lan:9000', 'storageEndpoints')
    return url.origin
  })

const checkPort = (port: number): void => {
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw invalid('the port must be a whole number from 0 to 65535', 'port')
}

const checkShards = (shards: number | undefined): void => {
  if (shards !== undefined && (!Number.isInteger(shards) || shards < 1 || shards > MOST_SHARDS))
    throw invalid(`an organization has from 1 to ${MOST_SHARDS} shards`, 'shardsPerOrganization')
}

const checkPublicUrl = (publicUrl: string | undefined): void => {
  if (publicUrl === undefined) return
  const url = URL.canParse(publicUrl) ? new URL(publicUrl) : undefined
  if (url?.protocol !== 'https:' || url.pathname !== '/')
    throw invalid('the public address must look like https://backup.example.com:4443', 'publicUrl')
}
