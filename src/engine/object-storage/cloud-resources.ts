import { conflict, invalid, isHoldfastError, notFound } from '#base'
import type { CloudAccount, CloudContainer } from '#storage'
import type { Audit } from '../access/audit.ts'
import { requireAdministrator, type Principal } from '../access/principal.ts'
import type { Accounts } from '../accounts/accounts.ts'
import type { AccountCredentials } from '../accounts/account.ts'
import { needed, readGuid, type readWord } from '../organizations/read-input.ts'
import type { CloudOpener } from './cloud-opener.ts'
import {
  readAmazon,
  readAzure,
  readCompatible,
  readContainerName,
  readFolderName,
} from './object-storage-input.ts'
import type { AzureRegionType, CloudService, S3RegionType } from './place.ts'
import type { ServicePointRules } from './service-point.ts'

export interface CloudResourcesParts {
  readonly accounts: Accounts
  readonly cloud: CloudOpener
  readonly servicePoints: ServicePointRules
  readonly audit: Audit
}

type Text = Parameters<typeof readWord>[0]

/** Which account is looked at, and where. */
export interface ServiceInput {
  readonly of: 'amazon' | 'compatible' | 'azure'
  readonly accountId?: Text
  readonly regionType?: Text
  readonly regionId?: Text
  readonly servicePoint?: Text
  readonly customRegionId?: Text
  readonly trustServerCertificate?: boolean | null | undefined
  readonly trustedServerCertificateThumbprint?: Text
}

/** A bucket or container, with where it was asked for. */
export interface CloudResource {
  readonly name: string
  readonly regionType?: S3RegionType | AzureRegionType
  readonly regionId?: string
  readonly servicePoint?: string
  readonly customRegionId?: string
}

const ACCOUNT_OF = {
  amazon: 'amazonS3Account',
  compatible: 'amazonS3CompatibleAccount',
  azure: 'azureBlobAccount',
} as const

/** Buckets, containers and folders, for an administrator who chooses a place for a repository. */
export class CloudResources {
  readonly #parts: CloudResourcesParts

  constructor(parts: CloudResourcesParts) {
    this.#parts = parts
  }

  async containers(
    principal: Principal,
    input: ServiceInput,
    signal?: AbortSignal,
  ): Promise<readonly CloudResource[]> {
    return this.#with(principal, input, async (account, service) => {
      const found = await account.containers(signal)
      return found.map((each) => presentContainer(each, service))
    })
  }

  async container(
    principal: Principal,
    input: ServiceInput,
    name: string,
    signal?: AbortSignal,
  ): Promise<CloudResource> {
    const kind = input.of === 'azure' ? 'azure' : 's3'
    return this.#with(principal, input, async (account, service) =>
      presentContainer(await account.container(readContainerName(name, kind, 'name'), signal), service),
    )
  }

  /** Folders at the root. */
  async folders(
    principal: Principal,
    input: ServiceInput,
    container: string,
    signal?: AbortSignal,
  ): Promise<readonly string[]> {
    const kind = input.of === 'azure' ? 'azure' : 's3'
    return this.#with(principal, input, async (account) =>
      account.folders(readContainerName(container, kind, 'name'), signal),
    )
  }

  async folder(
    principal: Principal,
    input: ServiceInput,
    container: string,
    name: string,
    signal?: AbortSignal,
  ): Promise<string> {
    const found = await this.folders(principal, input, container, signal)
    if (!found.includes(name)) throw notFound('there is no such folder')
    return name
  }

  async makeFolder(
    principal: Principal,
    input: ServiceInput,
    container: string,
    name: string | null | undefined,
    signal?: AbortSignal,
  ): Promise<string> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, 'cloud.makeFolder', `${container}/${name ?? ''}`, async () => {
      const folder = readFolderName(name, 'name')
      if (folder.includes('/')) throw invalid('name must not hold /', 'name')
      const kind = input.of === 'azure' ? 'azure' : 's3'
      const chosen = readContainerName(container, kind, 'container')
      await this.#with(principal, input, async (account) => account.makeFolder(chosen, folder, signal))
      return folder
    })
  }

  async #with<Result>(
    principal: Principal,
    input: ServiceInput,
    work: (account: CloudAccount, service: CloudService) => Promise<Result>,
  ): Promise<Result> {
    requireAdministrator(principal)
    const accountId = needed(readGuid(input.accountId, 'accountId'), 'accountId')
    const credentials = await this.#credentials(accountId)
    if (credentials.type !== ACCOUNT_OF[input.of])
      throw invalid(`accountId names an account of type ${credentials.type}`, 'accountId')
    const service = await this.#service(input)
    await using account = this.#parts.cloud.account(service, credentials)
    try {
      return await work(account, service)
    } catch (error) {
      // The caller may do this; it is the account that may not.
      if (isHoldfastError(error, 'denied')) throw conflict(`the account is not let in: ${error.message}`)
      throw error
    }
  }

  async #credentials(accountId: string): Promise<AccountCredentials> {
    return this.#parts.accounts.credentials(accountId).catch((error: unknown) => {
      if (isHoldfastError(error, 'not-found')) throw invalid('accountId names no account', 'accountId')
      throw error
    })
  }

  async #service(input: ServiceInput): Promise<CloudService> {
    if (input.of === 'azure') return readAzure(input, '')
    if (input.of === 'amazon') return readAmazon(input, '')
    return readCompatible(input, '', this.#parts.servicePoints)
  }
}

const presentContainer = ({ name, region }: CloudContainer, service: CloudService): CloudResource => {
  if (service.kind === 'azure') return { name, regionType: service.regionType }
  if (service.servicePoint !== undefined)
    return { name, servicePoint: service.servicePoint, customRegionId: service.region }
  return { name, regionType: service.regionType ?? 'Global', regionId: region ?? service.region }
}
