import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from '@azure/msal-node'
import { HoldfastError, isHoldfastError, type Clock, type Json, type Logger, type Random } from '#base'
import { onHost } from '../hosts.ts'
import { retryAfterOf } from '../http/graph-failure.ts'
import { parseJson, readBody } from '../http/read-body.ts'
import { waitBeforeRetry, type RetryLimits } from '../http/retry-plan.ts'
import type { TrafficCounter } from '../http/traffic.ts'
import { NetworkFailure, type OutgoingRequest, type Transport } from '../http/transport.ts'
import { isTransient, type TokenRefusal } from './aadsts.ts'

const RETRIES: RetryLimits = { throttledTries: 5, transientTries: 4, deadlineMs: 2 * 60_000 }
const MAX_BYTES = 1024 * 1024

export interface LoginNetworkParts {
  readonly loginHost: string
  readonly transport: Transport
  readonly traffic: TrafficCounter
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/**
 * MSAL's way to the token service: our transport, the login host alone, patient with what passes. MSAL tells its callers
 * little of what went wrong, so the last refusal and the last failure are kept here.
 */
export class LoginNetwork implements INetworkModule {
  readonly #parts: LoginNetworkParts
  refusal: TokenRefusal | undefined
  failure: HoldfastError | undefined

  constructor(parts: LoginNetworkParts) {
    this.#parts = parts
  }

  async sendGetRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    return await this.#send<T>('GET', url, options)
  }

  async sendPostRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    return await this.#send<T>('POST', url, options)
  }

  async #send<T>(
    method: 'GET' | 'POST',
    address: string,
    options: NetworkRequestOptions = {},
  ): Promise<NetworkResponse<T>> {
    this.refusal = undefined
    this.failure = undefined
    try {
      const url = onHost(address, this.#parts.loginHost)
      const { body, headers } = options
      return (await this.#patiently({
        method,
        url,
        headers: headers ?? {},
        ...(body === undefined ? {} : { body }),
      })) as NetworkResponse<T>
    } catch (error) {
      if (isHoldfastError(error)) this.failure = error
      throw error
    }
  }

  async #patiently(outgoing: OutgoingRequest): Promise<NetworkResponse<Json>> {
    const { clock, random, traffic } = this.#parts
    const startedMs = clock.nowMs()
    for (let tries = 1; ; tries += 1) {
      const outcome = await this.#once(outgoing)
      if ('answer' in outcome) return outcome.answer
      const elapsedMs = clock.nowMs() - startedMs
      const waitMs = waitBeforeRetry({ ...outcome, tries, elapsedMs }, RETRIES, random)
      if (waitMs === undefined) throw outcome.error
      traffic.retried += 1
      traffic.waitedMs += waitMs
      await clock.sleep(waitMs)
    }
  }

  async #once(outgoing: OutgoingRequest): Promise<LoginOutcome> {
    const { transport, traffic, clock, log } = this.#parts
    traffic.requests += 1
    traffic.sentBytes += outgoing.body?.length ?? 0
    try {
      const response = await transport.send(outgoing)
      const onReceived = (bytes: number): void => void (traffic.receivedBytes += bytes)
      const json = parseJson(await readBody(response, { maxBytes: MAX_BYTES, onReceived }))
      const { status } = response
      log.debug({ status, requestId: response.header('x-ms-request-id') }, 'login answered')
      const isReadable = typeof json === 'object' && json !== null
      if (status >= 400 && isReadable) this.#note(json as TokenRefusal, status)
      const mayPass = !isReadable || status === 429 || status >= 500 || isTransient(json as TokenRefusal)
      if (!mayPass) return { answer: { status, body: json as Json, headers: {} } }
      if (status === 429) traffic.throttled += 1
      const error = new HoldfastError(
        'unavailable',
        `the sign-in service of Microsoft 365 answered ${status}`,
      )
      const retryAfterMs = retryAfterOf(response, clock.nowMs())
      return { error, recovery: status === 429 || status === 503 ? 'throttled' : 'transient', retryAfterMs }
    } catch (error) {
      if (!(error instanceof NetworkFailure)) throw error
      return { error, recovery: error.mayPass ? 'transient' : 'final', retryAfterMs: undefined }
    }
  }

  #note(refusal: TokenRefusal, status: number): void {
    this.refusal = refusal
    const { error, error_codes, trace_id, correlation_id, timestamp } = refusal
    this.#parts.log.warn(
      { status, error, error_codes, trace_id, correlation_id, timestamp },
      'sign-in refused',
    )
  }
}

type LoginOutcome =
  | { readonly answer: NetworkResponse<Json> }
  | {
      readonly error: HoldfastError
      readonly recovery: 'throttled' | 'transient' | 'final'
      readonly retryAfterMs: number | undefined
    }
