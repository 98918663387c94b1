import { invalid, notBuilt, type Clock, type Logger, type Random } from '#base'
import type { AccountCredentials, AzureRegionType, CloudOpener, CloudPlace, CloudService } from '#engine'
import {
  azureCloudAccount,
  azureStorage,
  retrying,
  type AzureAccountOptions,
  type AzureCloud,
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
  readonly log: Logger
}

/** All addresses of a host name. */
export const resolveHost = async (host: string): Promise<readonly string[]> =>
  (await lookup(host, { all: true })).map(({ address }) => address)

/** Connections to object storage as the server is configured. */
export const cloudOpener = (parts: CloudParts): CloudOpener => {
  const { clock, random, log } = parts
  const repeating = (storage: Storage): Storage => retrying(storage, { clock, random, log })
  const azure = (service: CloudService & { readonly kind: 'azure' }, credentials: AccountCredentials) =>
    azureOptions(parts, service.regionType, credentials)
  return {
    account: (service, credentials) => {
      if (service.kind === 'azure') return azureCloudAccount(azure(service, credentials))
      throw notBuilt('Holdfast cannot use S3 yet')
    },
    storage: (place, credentials, keptFor) => {
      if (place.kind !== 'azure') throw notBuilt('Holdfast cannot use S3 yet')
      if (keptFor !== undefined) throw immutabilityOfAzure()
      const { container, folder } = place
      return repeating(azureStorage({ ...azure(place, credentials), container, folder }))
    },
    checkCanKeep: async (place: CloudPlace) => {
      if (place.kind === 'azure') throw immutabilityOfAzure()
      throw notBuilt('Holdfast cannot use S3 yet')
    },
  }
}

const immutabilityOfAzure = () =>
  invalid('Holdfast keeps files from being removed on S3 alone, not on Azure', 'enableImmutability')

const AZURE_CLOUDS: Readonly<Record<AzureRegionType, AzureCloud | undefined>> = {
  Global: 'Global',
  China: 'China',
  Government: 'USGovernment',
  Germany: undefined,
}

const azureOptions = (
  { config, authorities }: CloudParts,
  regionType: AzureRegionType,
  { userName: accountName, secret }: AccountCredentials,
): AzureAccountOptions => {
  const cloud = AZURE_CLOUDS[regionType]
  const host = config.azureHosts?.[regionType]
  if (cloud === undefined && host === undefined)
    throw invalid('the cloud of Azure in Germany has been closed', 'regionType')
  return {
    accountName,
    credential: { accountKey: secret },
    ...(cloud === undefined ? {} : { cloud }),
    ...(host === undefined ? {} : { endpoint: `${host.replace(/\/$/, '')}/${accountName}` }),
    ...(authorities.length === 0 ? {} : { ca: authorities.join('\n') }),
  }
}
