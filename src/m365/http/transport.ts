import { pipeline, Transform, type Readable } from 'node:stream'
import { rootCertificates, getCACertificates } from 'node:tls'
import { Agent, type Dispatcher, ProxyAgent, errors, request } from 'undici'
import { HoldfastError } from '#base'

export interface TransportOptions {
  /** PEM texts, trusted besides the usual roots. */
  readonly caCertificates?: readonly string[]
  /** `http://proxy:3128`. All calls go through it by CONNECT. */
  readonly proxyUrl?: string
  readonly userAgent: string
  /** Until the headers of an answer, and between two pieces of its body. */
  readonly silenceTimeoutMs: number
  readonly pace?: Pace | undefined
}

/** Told of the bytes of bodies in both directions; they go on when it resolves, or at once when it is undefined. */
export type Pace = (bytes: number, signal?: AbortSignal) => Promise<void> | undefined

export interface OutgoingRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly signal?: AbortSignal | undefined
}

export interface IncomingResponse {
  readonly status: number
  header(name: string): string | undefined
  /** Has to be read to its end or destroyed by whoever asked. */
  readonly body: Readable
}

const CONNECTIONS_PER_HOST = 64
const KEEP_ALIVE_MS = 30_000

/** The one way out to Microsoft 365: kept-alive connections, verified certificates, no redirects followed, no repeats. */
export class Transport implements AsyncDisposable {
  readonly #dispatcher: Dispatcher
  readonly #userAgent: string
  readonly #silenceTimeoutMs: number
  readonly #pace: Pace | undefined

  constructor(options: TransportOptions) {
    this.#dispatcher = dispatcherFor(options)
    this.#userAgent = options.userAgent
    this.#silenceTimeoutMs = options.silenceTimeoutMs
    this.#pace = options.pace
  }

  /** Throws `NetworkFailure` when no answer came. */
  async send(outgoing: OutgoingRequest): Promise<IncomingResponse> {
    const { method, url, headers, body, signal } = outgoing
    await this.#pace?.(typeof body === 'string' ? Buffer.byteLength(body) : (body?.length ?? 0), signal)
    try {
      const response = await request(url, {
        method,
        dispatcher: this.#dispatcher,
        headers: { 'user-agent': this.#userAgent, ...headers },
        body: body ?? null,
        signal: signal ?? null,
        headersTimeout: this.#silenceTimeoutMs,
        bodyTimeout: this.#silenceTimeoutMs,
      })
      return {
        status: response.statusCode,
        header: (name) => joined(response.headers[name]),
        body: this.#pace === undefined ? response.body : paced(response.body, this.#pace),
      }
    } catch (error) {
      signal?.throwIfAborted()
      throw networkFailure(error)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispatcher.destroy()
  }
}

/** No answer, or one that broke off. `wasSent` false: the service cannot have seen the request. */
export class NetworkFailure extends HoldfastError {
  readonly wasSent: boolean
  /** A repeat may help. False for a certificate that is not trusted. */
  readonly mayPass: boolean
  constructor(
    message: string,
    more: { cause: unknown; reason?: string; wasSent: boolean; mayPass: boolean },
  ) {
    const isTimeout = more.reason?.endsWith('_TIMEOUT') ?? false
    super(isTimeout ? 'timeout' : 'unavailable', message, {
      cause: more.cause,
      ...(more.reason === undefined ? {} : { reason: more.reason }),
    })
    this.wasSent = more.wasSent
    this.mayPass = more.mayPass
  }
}

const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
  'EHOSTUNREACH',
])
const CERTIFICATE = /CERT|ERR_TLS|SELF_SIGNED|UNABLE_TO_/

/** What undici or a socket threw, in our terms. */
export function networkFailure(error: unknown): NetworkFailure {
  if (error instanceof NetworkFailure) return error
  const code = codeOf(error)
  if (code !== undefined && CERTIFICATE.test(code)) {
    const message = `the certificate of Microsoft 365 is not trusted (${code})`
    return new NetworkFailure(message, { cause: error, reason: code, wasSent: false, mayPass: false })
  }
  const wasSent = code === undefined || !NOT_SENT.has(code)
  const what = wasSent ? 'the connection broke off' : 'no connection'
  return new NetworkFailure(
    `Microsoft 365 does not answer: ${what}${code === undefined ? '' : ` (${code})`}`,
    {
      cause: error,
      ...(code === undefined ? {} : { reason: code }),
      wasSent,
      mayPass: true,
    },
  )
}

function codeOf(error: unknown): string | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if (at instanceof AggregateError && at.errors.length > 0) return codeOf(at.errors[0])
    if ('code' in at && typeof at.code === 'string' && !(at instanceof errors.RequestAbortedError))
      return at.code
  }
  return undefined
}

/** The same body, no faster than the pace; a reader that waits keeps the sender waiting. */
function paced(body: Readable, pace: Pace): Readable {
  const slowed = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      const waiting = pace(chunk.length)
      if (waiting === undefined) return done(null, chunk)
      waiting.then(() => done(null, chunk), done)
    },
  })
  // What goes wrong is seen by whoever reads; without anybody who reads it must not end the process.
  pipeline(body, slowed, () => {})
  return slowed
}

function dispatcherFor(options: TransportOptions): Dispatcher {
  const ca = trustedRoots(options.caCertificates ?? [])
  const pool = {
    connections: CONNECTIONS_PER_HOST,
    keepAliveTimeout: KEEP_ALIVE_MS,
    allowH2: false,
    pipelining: 1,
  }
  if (options.proxyUrl === undefined) return new Agent({ ...pool, connect: { ca } })
  return new ProxyAgent({ ...pool, uri: options.proxyUrl, requestTls: { ca }, proxyTls: { ca } })
}

function trustedRoots(extra: readonly string[]): string[] {
  const roots = getCACertificates('default')
  return [...(roots.length > 0 ? roots : rootCertificates), ...extra]
}

function joined(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value
}
