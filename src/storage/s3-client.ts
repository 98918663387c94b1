import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { rootCertificates } from 'node:tls'
import type { S3, S3ClientConfig } from '@aws-sdk/client-s3'
import { HoldfastError } from '#base'
import { hostLookup } from './resolve-host.ts'
import { isAmazon, s3Endpoint, type S3AccountOptions } from './s3-account.ts'
import { s3Error } from './s3-errors.ts'

/** Slower than this a transfer is given up. */
const SLOWEST_BYTES_PER_SECOND = 64 * 1024
const TIMEOUT_MS = 60_000
const CONNECT_MS = 10_000
const CONNECTIONS = 64
/** After this long without an answer the storage is asked for its time again. */
const TIME_IS_FRESH_MS = 60_000

/** What each call is made with. */
export interface CallOptions {
  readonly abortSignal: AbortSignal
}

/** One account, connected at the first call: who has no storage in S3 does not load its library. */
export class S3Client {
  readonly endpoint: string
  readonly #options: S3AccountOptions
  readonly #closed = new AbortController()
  #s3: Promise<S3> | undefined
  /** The storage's time, and ours by a clock that nobody sets, when it was told. */
  #told: { readonly ms: number; readonly at: number } | undefined

  constructor(options: S3AccountOptions) {
    this.#options = options
    this.endpoint = s3Endpoint(options)
  }

  /**
   * Makes one call, with failures in our terms. `bytes` are those that it carries. `action` says for people what it
   * does: `read data/3b`.
   */
  async call<Result>(
    action: string,
    given: { readonly bytes?: number; readonly signal?: AbortSignal | undefined },
    work: (s3: S3, options: CallOptions) => Promise<Result>,
  ): Promise<Result> {
    given.signal?.throwIfAborted()
    const transferMs = Math.ceil(((given.bytes ?? 0) / SLOWEST_BYTES_PER_SECOND) * 1000)
    const timeout = AbortSignal.timeout((this.#options.timeoutMs ?? TIMEOUT_MS) + transferMs)
    const signals = [this.#closed.signal, timeout, ...(given.signal === undefined ? [] : [given.signal])]
    try {
      return await work(await this.#connected(), { abortSignal: AbortSignal.any(signals) })
    } catch (error) {
      given.signal?.throwIfAborted()
      if (timeout.aborted)
        throw new HoldfastError('timeout', `cannot ${action}: the storage did not answer in time`)
      throw s3Error(error, action, this.#options.region)
    }
  }

  /** The storage's own time; undefined when it has not told it for a minute. */
  toldTime(): Date | undefined {
    if (this.#told === undefined) return undefined
    const passedMs = performance.now() - this.#told.at
    return passedMs > TIME_IS_FRESH_MS ? undefined : new Date(this.#told.ms + passedMs)
  }

  /** Ends the calls that are under way. */
  close(): void {
    this.#closed.abort()
    void this.#s3?.then((s3) => s3.destroy()).catch(() => undefined)
  }

  async #connected(): Promise<S3> {
    this.#s3 ??= this.#connect()
    return this.#s3
  }

  async #connect(): Promise<S3> {
    const { S3 } = await import('@aws-sdk/client-s3')
    const s3 = new S3(configOf(this.endpoint, this.#options))
    s3.middlewareStack.add(
      (next) => async (given) => {
        const result = await next(given)
        this.#hear(result.response)
        return result
      },
      { step: 'deserialize', priority: 'low', name: 'storageTime' },
    )
    return s3
  }

  #hear(response: unknown): void {
    const headers = (response as { readonly headers?: Readonly<Record<string, string>> }).headers
    const ms = Date.parse(headers?.['date'] ?? '')
    if (!Number.isNaN(ms)) this.#told = { ms, at: performance.now() }
  }
}

const configOf = (endpoint: string, options: S3AccountOptions): S3ClientConfig => {
  const amazon = isAmazon(options)
  const checksums = options.checksums ?? (amazon ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED')
  const agent = { keepAlive: true, maxSockets: CONNECTIONS, lookup: options.lookup ?? hostLookup() }
  return {
    endpoint,
    region: options.region,
    credentials: {
      accessKeyId: options.accessKeyId,
      secretAccessKey: options.secretAccessKey.reveal(),
    },
    forcePathStyle: (options.addressing ?? (amazon ? 'virtual-host' : 'path')) === 'path',
    requestChecksumCalculation: checksums,
    responseChecksumValidation: checksums,
    // Tries again are the wrapper's: two that repeat would multiply.
    maxAttempts: 1,
    retryMode: 'standard',
    defaultsMode: 'standard',
    // Nothing is taken from a profile or the environment.
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    useArnRegion: false,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      // Agents and not their options: for large bodies the library makes an agent of its own from nothing otherwise, which
      // knows neither the authority nor the hosts.
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent({
        ...agent,
        ...(options.ca === undefined ? {} : { ca: [...rootCertificates, options.ca] }),
      }),
    },
  }
}
