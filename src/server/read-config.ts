import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { invalid, Secret, type Json } from '#base'
import type { LogConfig, Microsoft365Config, ServerOptions, StorageConfig } from './config.ts'

type Environment = Readonly<Record<string, string | undefined>>

interface Setting {
  /** Its name in the file. */
  readonly name: string
  readonly variables: readonly string[]
  readonly meaning: string
}

/** Every setting: environment variables win over the file that HOLDFAST_CONFIG names. */
export const SETTINGS = {
  dataFolder: setting('dataFolder', ['HOLDFAST_DATA'], 'folder for all that has to be kept'),
  host: setting('host', ['HOLDFAST_HOST'], 'address to listen on'),
  port: setting('port', ['HOLDFAST_PORT'], 'port, 4443'),
  publicUrl: setting('publicUrl', ['HOLDFAST_PUBLIC_URL'], 'how clients reach the server'),
  names: setting('names', ['HOLDFAST_NAMES'], 'further names for the certificate, with commas between'),
  certificateFile: setting('certificateFile', ['HOLDFAST_TLS_CERT'], 'certificate chain in PEM'),
  keyFile: setting('keyFile', ['HOLDFAST_TLS_KEY'], 'its key in PEM'),
  logLevel: setting('logLevel', ['HOLDFAST_LOG_LEVEL'], 'debug, info, warn, error or silent'),
  logFile: setting('logFile', ['HOLDFAST_LOG_FILE'], 'file for the log instead of standard output'),
  loginsPerMinute: setting(
    'loginsPerMinute',
    ['HOLDFAST_LOGINS_PER_MINUTE'],
    'log-ins from one address, 30; 0: no limit',
  ),
  connectionsPerAddress: setting(
    'connectionsPerAddress',
    ['HOLDFAST_CONNECTIONS_PER_ADDRESS'],
    'open connections from one address, 100; 0: no limit, as behind a reverse proxy',
  ),
  shardsPerOrganization: setting(
    'shardsPerOrganization',
    ['HOLDFAST_SHARDS'],
    'shards of an organization that is new in a repository, 1 to 64; else by its size',
  ),
  pruneGraceHours: setting(
    'pruneGraceHours',
    ['HOLDFAST_PRUNE_GRACE_HOURS'],
    'stored data that nothing needs stays so long before it is removed, 24',
  ),
  documents: setting('documents', ['HOLDFAST_DOCUMENTS'], 'false: neither Swagger UI nor OpenAPI'),
  rootKey: setting('rootKey', ['HOLDFAST_ROOT_KEY'], '32 bytes in base64 instead of the key file'),
  firstPassword: setting('firstPassword', ['HOLDFAST_FIRST_PASSWORD'], 'of the first administrator'),
  m365Hosts: setting('m365Hosts', ['HOLDFAST_M365_HOSTS'], 'JSON: other hosts of Microsoft 365 by region'),
  proxyUrl: setting('proxyUrl', ['HTTPS_PROXY', 'https_proxy'], 'proxy for calls to Microsoft 365'),
  caFile: setting(
    'caFile',
    ['HOLDFAST_CA_FILE', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE'],
    'certificate authorities to trust beside the usual ones',
  ),
  storageEndpoints: setting(
    'storageEndpoints',
    ['HOLDFAST_STORAGE_ENDPOINTS'],
    'addresses of S3 in private networks or without TLS that repositories may use, with commas between',
  ),
  azureHosts: setting(
    'azureHosts',
    ['HOLDFAST_AZURE_HOSTS'],
    'JSON: other addresses of the blob service of Azure by region type',
  ),
} satisfies Record<string, Setting>

function setting(name: string, variables: readonly string[], meaning: string): Setting {
  return { name, variables, meaning }
}

type Name = keyof typeof SETTINGS
type Lookup = (name: Name) => string | undefined

const DEFAULT_FOLDER = join(homedir(), '.holdfast')

/** Reads the environment and the file. The only reader of the environment beside the command line. */
export const readConfig = (environment: Environment = process.env): ServerOptions => {
  const look = lookupIn(environment)
  return {
    dataFolder: look('dataFolder') ?? DEFAULT_FOLDER,
    ...present({ host: look('host'), publicUrl: look('publicUrl') }),
    ...present({ port: numberAt(look, 'port'), names: look('names')?.split(',').filter(Boolean) }),
    ...present({ certificate: certificateAt(look), documents: flagAt(look, 'documents') }),
    ...loginsAt(look),
    ...present({ connectionsPerAddress: numberAt(look, 'connectionsPerAddress') }),
    ...present({ shardsPerOrganization: numberAt(look, 'shardsPerOrganization') }),
    ...present({ pruneGraceHours: numberAt(look, 'pruneGraceHours') }),
    ...present({ rootKey: secretAt(look, 'rootKey'), firstPassword: secretAt(look, 'firstPassword') }),
    log: present({ level: levelAt(look), file: look('logFile') }),
    microsoft365: microsoft365At(look, environment),
    storage: storageAt(look),
  }
}

const lookupIn = (environment: Environment): Lookup => {
  const file = fileOf(environment['HOLDFAST_CONFIG'])
  return (name) => {
    const variable = SETTINGS[name].variables.map((each) => environment[each]).find(isGiven)
    return variable ?? file.get(name)
  }
}

const isGiven = (value: string | undefined): value is string => value !== undefined && value !== ''

const fileOf = (path: string | undefined): ReadonlyMap<string, string> => {
  if (!isGiven(path)) return new Map()
  const read = parseJson(readFileSync(path, 'utf8'), 'the configuration file')
  if (typeof read !== 'object' || read === null || Array.isArray(read))
    throw invalid('the configuration file must hold a JSON object')
  const entries = Object.entries(read).map(([name, value]) => {
    if (!(name in SETTINGS)) throw invalid(`the configuration file has an unknown setting: ${name}`, name)
    return [name, typeof value === 'string' ? value : JSON.stringify(value)] as const
  })
  return new Map(entries)
}

const parseJson = (text: string, what: string): Json => {
  try {
    return JSON.parse(text) as Json
  } catch (cause) {
    throw invalid(`${what} is not JSON: ${String(cause)}`)
  }
}

/** Without what is undefined. */
const present = <Values extends object>(values: Values) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Values]?: Exclude<Values[Key], undefined>
  }

const numberAt = (look: Lookup, name: Name): number | undefined => {
  const text = look(name)
  if (text === undefined) return undefined
  if (!/^\d+$/.test(text)) throw invalid(`${SETTINGS[name].variables[0]} must be a whole number`, name)
  return Number(text)
}

const loginsAt = (look: Lookup): Pick<ServerOptions, 'loginsPerMinute'> => {
  const logins = numberAt(look, 'loginsPerMinute')
  if (logins === undefined) return {}
  return { loginsPerMinute: logins === 0 ? Number.MAX_SAFE_INTEGER : logins }
}

const flagAt = (look: Lookup, name: Name): boolean | undefined => {
  const text = look(name)?.toLowerCase()
  if (text === undefined) return undefined
  if (['true', '1', 'yes', 'on'].includes(text)) return true
  if (['false', '0', 'no', 'off'].includes(text)) return false
  throw invalid(`${SETTINGS[name].variables[0]} must be true or false`, name)
}

const secretAt = (look: Lookup, name: Name): Secret | undefined => {
  const text = look(name)
  return text === undefined ? undefined : new Secret(text)
}

const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const

const levelAt = (look: Lookup): LogConfig['level'] | undefined => {
  const text = look('logLevel')
  const level = LEVELS.find((each) => each === text)
  if (text !== undefined && level === undefined)
    throw invalid(`HOLDFAST_LOG_LEVEL must be one of ${LEVELS.join(', ')}`, 'logLevel')
  return level
}

const certificateAt = (look: Lookup): ServerOptions['certificate'] => {
  const [certificateFile, keyFile] = [look('certificateFile'), look('keyFile')]
  if (certificateFile === undefined && keyFile === undefined) return undefined
  if (certificateFile === undefined || keyFile === undefined)
    throw invalid('HOLDFAST_TLS_CERT and HOLDFAST_TLS_KEY belong together', 'certificateFile')
  return { certificateFile, keyFile }
}

const storageAt = (look: Lookup): Partial<StorageConfig> => {
  const hosts = look('azureHosts')
  const parsed = hosts === undefined ? undefined : parseJson(hosts, 'HOLDFAST_AZURE_HOSTS')
  if (parsed !== undefined && !isTextMap(parsed))
    throw invalid('HOLDFAST_AZURE_HOSTS must be an object of addresses', 'azureHosts')
  return {
    ...present({
      endpoints: look('storageEndpoints')
        ?.split(',')
        .map((each) => each.trim()),
    }),
    ...present({ azureHosts: parsed }),
  }
}

const isTextMap = (value: Json): value is Record<string, string> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((each) => typeof each === 'string')

const microsoft365At = (look: Lookup, environment: Environment): Partial<Microsoft365Config> => {
  const hosts = look('m365Hosts')
  const given = SETTINGS.caFile.variables.map((each) => environment[each]).filter(isGiven)
  const caFiles = given.length > 0 ? given : [look('caFile')].filter(isGiven)
  return {
    ...present({ proxyUrl: look('proxyUrl') }),
    ...(hosts === undefined ? {} : { hosts: parseJson(hosts, 'HOLDFAST_M365_HOSTS') }),
    caFiles: [...new Set(caFiles)],
  }
}
