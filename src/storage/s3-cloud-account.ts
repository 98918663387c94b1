import { HoldfastError, invalid, isHoldfastError } from '#base'
import type { CloudAccount, CloudContainer } from './cloud-account.ts'
import { checkPath } from './path.ts'
import type { S3AccountOptions } from './s3-account.ts'
import { S3Client } from './s3-client.ts'
import { checkBucket } from './s3-storage.ts'

/** What an account of S3 shows. A key that may use one bucket alone is `denied` a list of them. */
export const s3CloudAccount = (options: S3AccountOptions): CloudAccount =>
  new S3CloudAccount(new S3Client(options), options.region)

class S3CloudAccount implements CloudAccount {
  readonly #client: S3Client
  readonly #region: string

  constructor(client: S3Client, region: string) {
    this.#client = client
    this.#region = region
  }

  async containers(signal?: AbortSignal): Promise<readonly CloudContainer[]> {
    return this.#client.call('list the buckets', { signal }, async (s3, options) => {
      const found: CloudContainer[] = []
      let token: string | undefined
      do {
        const page = await s3.listBuckets(token === undefined ? {} : { ContinuationToken: token }, options)
        for (const { Name, BucketRegion } of page.Buckets ?? []) {
          if (Name !== undefined) found.push(containerOf(Name, BucketRegion))
        }
        token = page.ContinuationToken === token ? undefined : page.ContinuationToken
      } while (token !== undefined)
      return found.sort((a, b) => (a.name < b.name ? -1 : 1))
    })
  }

  async container(name: string, signal?: AbortSignal): Promise<CloudContainer> {
    checkBucket(name)
    try {
      // A listing, because it says why it is refused, and HEAD does not.
      await this.#client.call(`look at bucket ${name}`, { signal }, (s3, options) =>
        s3.listObjectsV2({ Bucket: name, MaxKeys: 1 }, options),
      )
    } catch (error) {
      throw missingBucket(error, name)
    }
    return containerOf(name, this.#region)
  }

  async folders(container: string, signal?: AbortSignal): Promise<readonly string[]> {
    checkBucket(container)
    const names = new Set<string>()
    let token: string | undefined
    do {
      const page = await this.#page(container, token, signal)
      for (const { Prefix = '' } of page.CommonPrefixes ?? []) names.add(Prefix.replace(/\/$/, ''))
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined
    } while (token !== undefined)
    names.delete('')
    return [...names].sort()
  }

  async #page(container: string, token: string | undefined, signal?: AbortSignal) {
    const from = token === undefined ? {} : { ContinuationToken: token }
    try {
      return await this.#client.call(`list bucket ${container}`, { signal }, (s3, options) =>
        s3.listObjectsV2({ Bucket: container, Delimiter: '/', ...from }, options),
      )
    } catch (error) {
      throw missingBucket(error, container)
    }
  }

  async makeFolder(container: string, name: string, signal?: AbortSignal): Promise<void> {
    checkBucket(container)
    checkPath(name)
    if (name.includes('/')) throw invalid('a folder at the root has no / in its name')
    try {
      // An empty object whose name ends with / is how programs of S3 show a folder.
      await this.#client.call(`make folder ${name}`, { signal }, (s3, options) =>
        s3.putObject({ Bucket: container, Key: `${name}/`, Body: '', ContentLength: 0 }, options),
      )
    } catch (error) {
      throw missingBucket(error, container)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close()
  }
}

const containerOf = (name: string, region: string | undefined): CloudContainer =>
  region === undefined ? { name } : { name, region }

const missingBucket = (error: unknown, name: string): unknown =>
  isHoldfastError(error) && error.reason === 'NoSuchBucket'
    ? new HoldfastError('not-found', `there is no bucket ${name}`, { reason: 'NoSuchBucket' })
    : error
