import { invalid, notFound } from '#base'
import { AzureClient } from './azure-client.ts'
import type { AzureAccountOptions } from './azure-account.ts'
import { statusOf } from './azure-errors.ts'
import type { CloudAccount, CloudContainer } from './cloud-account.ts'
import { checkPath } from './path.ts'

/** What an account of Azure Blob storage shows. A signature that may not list containers is `denied`. */
export const azureCloudAccount = (options: AzureAccountOptions): CloudAccount =>
  new AzureCloudAccount(new AzureClient(options))

/** How Azure's own programs mark an empty blob that stands for a folder. */
const FOLDER_MARK = 'hdi_isfolder'

class AzureCloudAccount implements CloudAccount {
  readonly #client: AzureClient

  constructor(client: AzureClient) {
    this.#client = client
  }

  async containers(signal?: AbortSignal): Promise<readonly CloudContainer[]> {
    return this.#client.call('list the containers', { signal }, async (service, abortSignal) => {
      const names: string[] = []
      for await (const { name } of service.listContainers({ abortSignal })) names.push(name)
      return names.sort().map((name) => ({ name }))
    })
  }

  async container(name: string, signal?: AbortSignal): Promise<CloudContainer> {
    return this.#client.call(`look at container ${name}`, { signal }, async (service, abortSignal) => {
      try {
        await service.getContainerClient(name).getProperties({ abortSignal })
        return { name }
      } catch (error) {
        if (statusOf(error) === 404) throw notFound(`there is no container ${name}`)
        throw error
      }
    })
  }

  async folders(container: string, signal?: AbortSignal): Promise<readonly string[]> {
    return this.#client.call(`list container ${container}`, { signal }, async (service, abortSignal) => {
      const names = new Set<string>()
      const listing = service
        .getContainerClient(container)
        .listBlobsByHierarchy('/', { abortSignal, includeMetadata: true })
      for await (const item of listing) {
        if (item.kind === 'prefix') names.add(item.name.replace(/\/$/, ''))
        else if (item.metadata?.[FOLDER_MARK] === 'true') names.add(item.name)
      }
      return [...names].sort()
    })
  }

  async makeFolder(container: string, name: string, signal?: AbortSignal): Promise<void> {
    checkPath(name)
    if (name.includes('/')) throw invalid('a folder at the root has no / in its name')
    await this.#client.call(`make folder ${name}`, { signal }, async (service, abortSignal) => {
      try {
        await service
          .getContainerClient(container)
          .getBlockBlobClient(name)
          .upload('', 0, {
            abortSignal,
            conditions: { ifNoneMatch: '*' },
            metadata: { [FOLDER_MARK]: 'true' },
          })
      } catch (error) {
        if (statusOf(error) !== 409) throw error
      }
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close()
  }
}
