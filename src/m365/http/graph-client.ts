import { HoldfastError, type Clock, type Json, type JsonObject, type Logger, type Random } from '#base'
import { onContentHost, onHost, type CloudHosts } from '../hosts.ts'
import { errorOf, failureFrom, recoveryOf, type GraphFailure, type Recovery } from './graph-failure.ts'
import type { QuotaPool } from './quota-pool.ts'
import { discard, parseJson, readBody } from './read-body.ts'
import { waitBeforeRetry, type RetryLimits } from './retry-plan.ts'
import type { TrafficCounter } from './traffic.ts'
import {
  networkFailure,
  NetworkFailure,
  type IncomingResponse,
  type OutgoingRequest,
  type Transport,
} from './transport.ts'

/** Access tokens for Graph. */
export interface TokenSource {
  token(signal?: AbortSignal): Promise<string>
  /** A new one in place of `refused`, satisfying `claims` (base64) when the service asks for some. */
  renewed(refused: string, claims: string | undefined, signal?: AbortSignal): Promise<string>
}

export interface GraphClientParts {
  readonly hosts: CloudHosts
  readonly transport: Pick<Transport, 'send'>
  readonly tokens: TokenSource
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly traffic: TrafficCounter
  readonly retries: RetryLimits
  readonly maxJsonBytes: number
}

export interface Call {
  readonly method?: OutgoingRequest['method']
  /** Below `/v1.0`: `/users?$top=999`. */
  readonly path: string
  readonly pool: QuotaPool
  /** In units of the pool; 1 when absent. */
  readonly cost?: number
  readonly prefer?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: JsonObject | Uint8Array
  readonly signal?: AbortSignal | undefined
  /** False for a call that makes something: it is not repeated when it may have worked. Default: all but POST. */
  readonly isRepeatable?: boolean
  readonly maxBytes?: number
  /** Overrides the client's. */
  readonly retries?: RetryLimits
}

export interface ContentCall {
  readonly method?: OutgoingRequest['method']
  /** Pre-authenticated. Never given a token. */
  readonly address: string
  readonly pool: QuotaPool
  readonly cost?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  readonly signal?: AbortSignal | undefined
}

export interface Answer {
  readonly status: number
  readonly location: string | undefined
  /** Undefined for an answer without a body. */
  readonly json: JsonObject | undefined
}

/** An answer whose body is still coming. Holds its place in the pool until disposed of. */
export interface Content extends Disposable {
  readonly status: number
  header(name: string): string | undefined
  readonly body: AsyncIterable<Uint8Array>
}

export interface Page {
  readonly items: readonly JsonObject[]
  /** Path below `/v1.0` of the next page. */
  readonly next: string | undefined
  /** Path below `/v1.0` where the next round starts. */
  readonly delta: string | undefined
}

/** `reason` of a call that may or may not have made what it should make. */
export const UNCERTAIN = 'uncertain'

const VERSION = '/v1.0'
const MAX_FAILURE_BYTES = 1024 * 1024
const NO_PATH = /[\s#\\]|\/\.\.?(\/|$)/

type Send = (headers: Record<string, string>) => OutgoingRequest

interface Attempted {
  readonly call: Pick<Call, 'pool' | 'cost' | 'signal' | 'retries'>
  readonly isRepeatable: boolean
  readonly needsToken: boolean
  readonly send: Send
}

/** What is made of a good answer. With `keepsPlace` its maker gives the place in the pool back. */
interface Reader<T> {
  readonly keepsPlace: boolean
  readonly read: (response: IncomingResponse, place: Disposable) => Promise<T>
}

/**
 * Microsoft Graph for one application in one tenant. Every call waits for its pool, carries the token to the Graph host
 * alone, is repeated as the service allows, and ends in an answer or in one HoldfastError.
 */
export class GraphClient {
  readonly #parts: GraphClientParts

  constructor(parts: GraphClientParts) {
    this.#parts = parts
  }

  async request(call: Call): Promise<Answer> {
    const maxBytes = call.maxBytes ?? this.#parts.maxJsonBytes
    const onReceived = (bytes: number): void => void (this.#parts.traffic.receivedBytes += bytes)
    const read = async (response: IncomingResponse): Promise<Answer> => {
      const json = jsonObjectOf(await readBody(response, { maxBytes, onReceived }))
      return { status: response.status, location: response.header('location'), json }
    }
    return await this.#attempt(this.#onGraph(call), { keepsPlace: false, read })
  }

  /** The JSON object of an answer that has to have one. */
  async json(call: Call): Promise<JsonObject> {
    const { json } = await this.request(call)
    if (json === undefined) throw new HoldfastError('unavailable', 'Microsoft 365 answered without a body')
    return json
  }

  async page(call: Call): Promise<Page> {
    const json = await this.json(call)
    const items = Array.isArray(json.value) ? (json.value as readonly JsonObject[]) : []
    return {
      items,
      next: this.#linkOf(json['@odata.nextLink']),
      delta: this.#linkOf(json['@odata.deltaLink']),
    }
  }

  /** Everything of a list, page after page. */
  async *pages(call: Call): AsyncGenerator<readonly JsonObject[]> {
    let path: string | undefined = call.path
    while (path !== undefined) {
      const page: Page = await this.page({ ...call, path })
      yield page.items
      path = page.next
    }
  }

  /** A body that is not JSON, from the Graph host. */
  async content(call: Call): Promise<Content> {
    return await this.#attempt(this.#onGraph(call), this.#streamed)
  }

  /** A body from a content host, or the sending of one to it. Redirects are answers like any other. */
  async outside(call: ContentCall): Promise<Content> {
    const { method = 'GET', address, body, signal, headers } = call
    const url = onContentHost(address, this.#parts.hosts)
    const send: Send = () => ({
      method,
      url,
      headers: headers ?? {},
      ...(body === undefined ? {} : { body }),
      signal,
    })
    return await this.#attempt({ call, isRepeatable: true, needsToken: false, send }, this.#streamed)
  }

  /** The path below `/v1.0` of a link that the service gave. Throws for a link to another host. */
  #linkOf(link: Json | undefined): string | undefined {
    if (typeof link !== 'string') return undefined
    const url = onHost(link, this.#parts.hosts.graph)
    if (!url.pathname.startsWith(`${VERSION}/`)) {
      throw new HoldfastError('denied', 'Microsoft 365 named an address outside of the service', {
        reason: 'untrusted-address',
      })
    }
    return url.pathname.slice(VERSION.length) + url.search
  }

  #onGraph(call: Call): Attempted {
    const { method = 'GET', path, body, prefer } = call
    if (!path.startsWith('/') || NO_PATH.test(path.split('?')[0]!)) {
      throw new HoldfastError('invalid', 'not an address of Microsoft Graph')
    }
    const url = onHost(`https://${this.#parts.hosts.graph}${VERSION}${path}`, this.#parts.hosts.graph)
    const isBytes = body instanceof Uint8Array
    const payload = body === undefined || isBytes ? body : JSON.stringify(body)
    const headers = {
      'accept-encoding': 'gzip',
      ...(body === undefined
        ? {}
        : { 'content-type': isBytes ? 'application/octet-stream' : 'application/json' }),
      ...(prefer === undefined ? {} : { prefer: prefer.join(', ') }),
      ...call.headers,
    }
    const send: Send = (more) => ({
      method,
      url,
      headers: { ...headers, ...more },
      ...(payload === undefined ? {} : { body: payload }),
      signal: call.signal,
    })
    return { call, isRepeatable: call.isRepeatable ?? method !== 'POST', needsToken: true, send }
  }

  async #attempt<T>(attempted: Attempted, reader: Reader<T>): Promise<T> {
    const { clock, traffic, random } = this.#parts
    const { call } = attempted
    const startedMs = clock.nowMs()
    let refusedToken: { token: string; claims: string | undefined } | undefined
    for (let tries = 1; ; tries += 1) {
      const token = attempted.needsToken ? await this.#token(refusedToken, call.signal) : undefined
      const outcome = await this.#try(attempted, token, reader)
      if ('value' in outcome) return outcome.value
      const { failure, error, recovery } = outcome
      if (failure?.status === 401 && token !== undefined && refusedToken === undefined) {
        refusedToken = { token, claims: failure.claims }
        continue
      }
      const elapsedMs = clock.nowMs() - startedMs
      const retryAfterMs = failure?.retryAfterMs
      const waitMs = waitBeforeRetry(
        { recovery, tries, elapsedMs, retryAfterMs },
        call.retries ?? this.#parts.retries,
        random,
      )
      if (recovery === 'throttled') call.pool.pause(waitMs ?? retryAfterMs ?? 0)
      if (waitMs === undefined) throw error
      traffic.retried += 1
      // A throttled call waits with its whole pool, at the pool's door.
      if (recovery !== 'throttled') await this.#rest(waitMs, call.signal)
    }
  }

  async #token(refused: { token: string; claims: string | undefined } | undefined, signal?: AbortSignal) {
    const { tokens } = this.#parts
    return refused === undefined
      ? await tokens.token(signal)
      : await tokens.renewed(refused.token, refused.claims, signal)
  }

  async #rest(ms: number, signal: AbortSignal | undefined): Promise<void> {
    this.#parts.traffic.waitedMs += ms
    await this.#parts.clock.sleep(ms, signal)
  }

  async #try<T>(attempted: Attempted, token: string | undefined, reader: Reader<T>): Promise<Outcome<T>> {
    const { call, send } = attempted
    const place = await call.pool.enter(call.cost ?? 1, call.signal)
    let keepsPlace = false
    try {
      const response = await this.#exchange(send(this.#identity(token)), call.pool)
      if (response.status >= 400) return unlessUncertain(await this.#refused(response, call.pool), attempted)
      const value = await reader.read(response, place)
      keepsPlace = reader.keepsPlace
      return { value }
    } catch (error) {
      call.signal?.throwIfAborted()
      if (!(error instanceof NetworkFailure)) throw error
      return unlessUncertain({ recovery: error.mayPass ? 'transient' : 'final', error }, attempted)
    } finally {
      if (!keepsPlace) place[Symbol.dispose]()
    }
  }

  #identity(token: string | undefined): Record<string, string> {
    const id = { 'client-request-id': this.#parts.random.uuid() }
    return token === undefined ? id : { ...id, authorization: `Bearer ${token}` }
  }

  async #exchange(outgoing: OutgoingRequest, pool: QuotaPool): Promise<IncomingResponse> {
    const { traffic, transport, log } = this.#parts
    traffic.requests += 1
    traffic.sentBytes += outgoing.body?.length ?? 0
    const response = await transport.send(outgoing)
    learnFrom(response, pool)
    const fields = {
      pool: pool.name,
      method: outgoing.method,
      status: response.status,
      requestId: response.header('request-id'),
      clientRequestId: outgoing.headers?.['client-request-id'],
    }
    log.debug(fields, 'graph answered')
    return response
  }

  async #refused(response: IncomingResponse, pool: QuotaPool): Promise<Failed> {
    const { clock, log, traffic } = this.#parts
    const body = await readBody(response, {
      maxBytes: MAX_FAILURE_BYTES,
      onReceived: (bytes) => (traffic.receivedBytes += bytes),
    })
    const failure = failureFrom(response, body, clock.nowMs())
    const recovery = recoveryOf(failure)
    if (recovery === 'throttled') traffic.throttled += 1
    const { status, codes, retryAfterMs } = failure
    const requestId = response.header('request-id')
    log.info(
      { pool: pool.name, status, codes, retryAfterMs, requestId, date: response.header('date') },
      'graph refused',
    )
    return { failure, recovery, error: errorOf(failure) }
  }

  readonly #streamed: Reader<Content> = {
    keepsPlace: true,
    read: (response, place) =>
      Promise.resolve({
        status: response.status,
        header: (name: string) => response.header(name),
        body: counted(response, (bytes) => (this.#parts.traffic.receivedBytes += bytes)),
        [Symbol.dispose]: () => {
          discard(response)
          place[Symbol.dispose]()
        },
      }),
  }
}

interface Failed {
  readonly failure?: GraphFailure
  readonly recovery: Recovery
  readonly error: HoldfastError
}

type Outcome<T> = { readonly value: T } | Failed

/** A call that makes something is not repeated when the service may have done it already. */
function unlessUncertain(failed: Failed, attempted: Attempted): Failed {
  if (attempted.isRepeatable || failed.recovery !== 'transient') return failed
  if (failed.error instanceof NetworkFailure && !failed.error.wasSent) return failed
  const message = 'Microsoft 365 broke off and nobody knows whether the call worked'
  const error = new HoldfastError('unavailable', message, { cause: failed.error, reason: UNCERTAIN })
  return { ...failed, recovery: 'final', error }
}

async function* counted(
  response: IncomingResponse,
  count: (bytes: number) => unknown,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      count(chunk.length)
      yield chunk
    }
  } catch (error) {
    throw networkFailure(error)
  }
}

function learnFrom(response: IncomingResponse, pool: QuotaPool): void {
  const remaining = Number(response.header('ratelimit-remaining') ?? Number.NaN)
  const reset = Number(response.header('ratelimit-reset') ?? Number.NaN)
  if (Number.isFinite(remaining) && Number.isFinite(reset)) pool.learn({ remaining, resetMs: reset * 1000 })
}

function jsonObjectOf(body: Buffer): JsonObject | undefined {
  if (body.length === 0) return undefined
  const json = parseJson(body)
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as JsonObject
  throw networkFailure(new Error('the answer is not JSON'))
}
