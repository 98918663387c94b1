import { invalid, type Clock, type Logger, type Random } from '#base'
import {
  endpointOf,
  isPrivateAddress,
  type AccountCredentials,
  type AzureRegionType,
  type AzureService,
  type CloudOpener,
  type CloudPlace,
  type KeptFor,
  type S3Service,
} from '#engine'
import {
  azureCloudAccount,
  azureStorage,
  checkObjectLock,
  hostLookup,
  recoverS3,
  retrying,
  s3CloudAccount,
  s3Storage,
  throttled,
  type AzureAccountOptions,
  type AzureCloud,
  type Bandwidth,
  type S3AccountOptions,
  type S3ImmutabilityOptions,
  type Storage,
} from '#storage'
import { lookup } from 'node:dns/promises'
import type { StorageConfig } from './config.ts'

export interface CloudParts {
  readonly config: StorageConfig
  /** PEM texts of further authorities. */
  readonly authorities: readonly string[]
  readonly clock: Clock
  readonly random: Random
  /** Shared with all other traffic. */
  readonly bandwidth: Bandwidth
  readonly log: Logger
}

/** All addresses of a host name. */
export const resolveHost = async (host: string): Promise<readonly string[]> =>
  (await lookup(host, { all: true })).map(({ address }) => address)

/** Connections to object storage as the server is configured. */
export const cloudOpener = (parts: CloudParts): CloudOpener => {
  const { clock, random, log, bandwidth } = parts
  const repeating = (storage: Storage): Storage =>
    retrying(throttled(storage, bandwidth), { clock, random, log })
  return {
    account: (service, credentials) =>
      service.kind === 'azure'
        ? azureCloudAccount(azureOptions(parts, service, credentials))
        : s3CloudAccount(s3Options(parts, service, credentials)),
    storage: (place, credentials, keptFor) => {
      if (place.kind === 's3')
        return repeating(s3Storage({ ...s3PlaceOptions(parts, place, credentials), ...immutable(keptFor) }))
      if (keptFor !== undefined) throw immutabilityOfAzure()
      const { container, folder, tier } = place
      const chosen = { container, folder, ...(tier === undefined ? {} : { tier }) }
      return repeating(azureStorage({ ...azureOptions(parts, place, credentials), ...chosen }))
    },
    checkCanKeep: async (place, credentials, keptFor, signal) => {
      if (place.kind === 'azure') throw immutabilityOfAzure()
      const options = s3PlaceOptions(parts, place, credentials)
      await checkObjectLock({ ...options, immutable: immutabilityOf(keptFor) }, signal)
    },
    recover: async (place, credentials, moment, { keptFor, ...options }) => {
      if (place.kind === 'azure') throw invalid('Holdfast brings back moments on S3 alone, not on Azure')
      return recoverS3(
        { ...s3PlaceOptions(parts, place, credentials), ...immutable(keptFor) },
        moment,
        options,
      )
    },
  }
}

const immutabilityOfAzure = () =>
  invalid('Holdfast keeps files from being removed on S3 alone, not on Azure', 'enableImmutability')

/** Of the server, and of the account. */
const trusting = (
  { authorities }: CloudParts,
  { connection }: AccountCredentials,
): { readonly ca?: string } => {
  const own = connection?.certificateAuthority
  const all = own === undefined ? authorities : [...authorities, own]
  return all.length === 0 ? {} : { ca: all.join('\n') }
}

const ADDRESSINGS = { Automatic: undefined, Path: 'path', VirtualHost: 'virtual-host' } as const
const CHECKSUMS = {
  Automatic: undefined,
  WhenRequired: 'WHEN_REQUIRED',
  WhenSupported: 'WHEN_SUPPORTED',
} as const

const speaking = ({ connection }: AccountCredentials): Pick<S3AccountOptions, 'addressing' | 'checksums'> => {
  const addressing = ADDRESSINGS[connection?.addressing ?? 'Automatic']
  const checksums = CHECKSUMS[connection?.checksums ?? 'Automatic']
  return {
    ...(addressing === undefined ? {} : { addressing }),
    ...(checksums === undefined ? {} : { checksums }),
  }
}

/**
 * An address that a caller named was public when it was accepted. It has to be so at each connection, also for the name of a
 * bucket before it.
 */
const staying = ({ config }: CloudParts, { servicePoint }: S3Service): Pick<S3AccountOptions, 'lookup'> =>
  servicePoint === undefined || config.endpoints.includes(servicePoint)
    ? {}
    : { lookup: hostLookup({ isAllowed: (address) => !isPrivateAddress(address) }) }

const s3Options = (
  parts: CloudParts,
  service: S3Service,
  credentials: AccountCredentials,
): S3AccountOptions => ({
  endpoint: endpointOf(service),
  region: service.region,
  accessKeyId: credentials.userName,
  secretAccessKey: credentials.secret,
  ...speaking(credentials),
  ...staying(parts, service),
  ...trusting(parts, credentials),
})

const s3PlaceOptions = (
  parts: CloudParts,
  place: CloudPlace & { readonly kind: 's3' },
  credentials: AccountCredentials,
) => {
  const { container: bucket, folder, storageClass } = place
  return {
    ...s3Options(parts, place, credentials),
    ...{ bucket, folder },
    ...(storageClass === undefined ? {} : { storageClass }),
  }
}

const DAY_MS = 24 * 60 * 60 * 1000
const LONGEST_WINDOW_MS = 30 * DAY_MS

/** Dates are moved on a few times in a period: each costs requests, and the longer between, the longer old data stays. */
const immutabilityOf = ({ mode, days }: KeptFor): S3ImmutabilityOptions => {
  const periodMs = days * DAY_MS
  const windowMs = Math.min(LONGEST_WINDOW_MS, Math.max(DAY_MS, periodMs / 3))
  return { mode: mode === 'Governance' ? 'GOVERNANCE' : 'COMPLIANCE', periodMs, windowMs }
}

const immutable = (keptFor: KeptFor | undefined): { readonly immutable?: S3ImmutabilityOptions } =>
  keptFor === undefined ? {} : { immutable: immutabilityOf(keptFor) }

const AZURE_CLOUDS: Readonly<Record<AzureRegionType, AzureCloud | undefined>> = {
  Global: 'Global',
  China: 'China',
  Government: 'USGovernment',
  Germany: undefined,
}

const azureOptions = (
  parts: CloudParts,
  { regionType }: AzureService,
  credentials: AccountCredentials,
): AzureAccountOptions => {
  const { userName: accountName, secret: accountKey } = credentials
  const cloud = AZURE_CLOUDS[regionType]
  const host = parts.config.azureHosts?.[regionType]
  if (cloud === undefined && host === undefined)
    throw invalid('the cloud of Azure in Germany has been closed', 'regionType')
  return {
    accountName,
    credential: { accountKey },
    ...(cloud === undefined ? {} : { cloud }),
    ...(host === undefined ? {} : { endpoint: `${host.replace(/\/$/, '')}/${accountName}` }),
    ...trusting(parts, credentials),
  }
}
