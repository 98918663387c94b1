import { rootCertificates } from 'node:tls'
import type { BlobServiceClient, StoragePipelineOptions } from '@azure/storage-blob'
import { HoldfastError } from '#base'
import { azureEndpoint, type AzureAccountOptions } from './azure-account.ts'
import { azureError } from './azure-errors.ts'

/** Slower than this a transfer is given up. */
const SLOWEST_BYTES_PER_SECOND = 64 * 1024
const TIMEOUT_MS = 60_000

/** The library's options, and those that it hands on to the one below it. */
interface PipelineOptions extends StoragePipelineOptions {
  readonly tlsOptions?: { readonly ca: string[] }
  readonly redirectOptions: { readonly maxRetries: number }
}

/** One account, connected at the first call: who has no storage at Azure does not load its library. */
export class AzureClient {
  readonly endpoint: string
  readonly #options: AzureAccountOptions
  readonly #closed = new AbortController()
  #service: Promise<BlobServiceClient> | undefined

  constructor(options: AzureAccountOptions) {
    this.#options = options
    this.endpoint = azureEndpoint(options)
  }

  /**
   * Makes one call, with failures in our terms. `bytes` are those that it carries. `action` says for people what it
   * does: `read data/3b`.
   */
  async call<Result>(
    action: string,
    given: { readonly bytes?: number; readonly signal?: AbortSignal | undefined },
    work: (service: BlobServiceClient, abortSignal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    given.signal?.throwIfAborted()
    const transferMs = Math.ceil(((given.bytes ?? 0) / SLOWEST_BYTES_PER_SECOND) * 1000)
    const timeout = AbortSignal.timeout((this.#options.timeoutMs ?? TIMEOUT_MS) + transferMs)
    const signals = [this.#closed.signal, timeout, ...(given.signal === undefined ? [] : [given.signal])]
    try {
      return await work(await this.#connected(), AbortSignal.any(signals))
    } catch (error) {
      given.signal?.throwIfAborted()
      if (timeout.aborted)
        throw new HoldfastError('timeout', `cannot ${action}: Azure did not answer in time`)
      throw azureError(error, action)
    }
  }

  /** Ends the calls that are under way. */
  close(): void {
    this.#closed.abort()
  }

  async #connected(): Promise<BlobServiceClient> {
    this.#service ??= connect(this.endpoint, this.#options)
    return this.#service
  }
}

const connect = async (endpoint: string, options: AzureAccountOptions): Promise<BlobServiceClient> => {
  const { AnonymousCredential, BlobServiceClient, StorageSharedKeyCredential } =
    await import('@azure/storage-blob')
  const pipeline: PipelineOptions = {
    // Tries again are the wrapper's: two that repeat would multiply.
    retryOptions: { maxTries: 1 },
    // A signed request is for the service it was signed for.
    redirectOptions: { maxRetries: 0 },
    ...(options.ca === undefined ? {} : { tlsOptions: { ca: [...rootCertificates, options.ca] } }),
  }
  if ('accountKey' in options.credential) {
    const key = options.credential.accountKey.reveal()
    return new BlobServiceClient(endpoint, new StorageSharedKeyCredential(options.accountName, key), pipeline)
  }
  const signature = options.credential.sharedAccessSignature.reveal().replace(/^\?/, '')
  return new BlobServiceClient(`${endpoint}?${signature}`, new AnonymousCredential(), pipeline)
}
