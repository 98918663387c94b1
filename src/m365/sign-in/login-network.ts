import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from '@azure/msal-node'
import { HoldfastError, isHoldfastError, type Clock, type Json, type Logger } from '#base'
import { onHost } from '../hosts.ts'
import { retryAfterOf, type Recovery } from '../http/graph-failure.ts'
import { parseJson, readBody } from '../http/read-body.ts'
import type { TrafficCounter } from '../http/traffic.ts'
import {
  NetworkFailure,
  type IncomingResponse,
  type OutgoingRequest,
  type Transport,
} from '../http/transport.ts'
import { isTransient, type TokenRefusal } from './aadsts.ts'

const MAX_BYTES = 1024 * 1024

export interface LoginNetworkParts {
  readonly loginHost: string
  readonly transport: Transport
  readonly traffic: TrafficCounter
  readonly clock: Clock
  readonly log: Logger
}

/** A sign-in that came to nothing but may come to something later, or never (`final`). */
export interface SignInFailure {
  readonly error: HoldfastError
  readonly recovery: Recovery
  readonly retryAfterMs: number | undefined
}

/**
 * MSAL's way to the token service: our transport, the login host alone. MSAL tells its callers little of what went wrong,
 * so the last refusal (by a readable answer) and the last failure (without one) are kept here.
 */
export class LoginNetwork implements INetworkModule {
  readonly #parts: LoginNetworkParts
  refusal: TokenRefusal | undefined
  failure: SignInFailure | undefined

  constructor(parts: LoginNetworkParts) {
    this.#parts = parts
  }

  async sendGetRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    return (await this.#send('GET', url, options)) as NetworkResponse<T>
  }

  async sendPostRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    return (await this.#send('POST', url, options)) as NetworkResponse<T>
  }

  async #send(
    method: 'GET' | 'POST',
    address: string,
    { headers = {}, body }: NetworkRequestOptions = {},
  ): Promise<NetworkResponse<Json>> {
    this.refusal = undefined
    this.failure = undefined
    try {
      const url = onHost(address, this.#parts.loginHost)
      return await this.#exchange({ method, url, headers, ...(body === undefined ? {} : { body }) })
    } catch (error) {
      if (isHoldfastError(error)) this.failure ??= failureOf(error)
      throw error
    }
  }

  async #exchange(outgoing: OutgoingRequest): Promise<NetworkResponse<Json>> {
    const { transport, traffic, log } = this.#parts
    traffic.requests += 1
    traffic.sentBytes += outgoing.body?.length ?? 0
    const response = await transport.send(outgoing)
    const onReceived = (bytes: number): void => void (traffic.receivedBytes += bytes)
    const json = parseJson(await readBody(response, { maxBytes: MAX_BYTES, onReceived }))
    const { status } = response
    log.debug({ status, requestId: response.header('x-ms-request-id') }, 'login answered')
    if (typeof json !== 'object' || json === null) throw this.#mayPass(response)
    if (status >= 400) this.#note(json as TokenRefusal, status)
    if (status === 429 || status >= 500 || isTransient(json as TokenRefusal)) throw this.#mayPass(response)
    return { status, body: json, headers: {} }
  }

  #mayPass(response: IncomingResponse): HoldfastError {
    const { status } = response
    const isThrottled = status === 429 || status === 503
    if (status === 429) this.#parts.traffic.throttled += 1
    const error = new HoldfastError('unavailable', `the sign-in service of Microsoft 365 answered ${status}`)
    const retryAfterMs = retryAfterOf(response, this.#parts.clock.nowMs())
    this.failure = { error, recovery: isThrottled ? 'throttled' : 'transient', retryAfterMs }
    return error
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

function failureOf(error: HoldfastError): SignInFailure {
  const mayPass = error instanceof NetworkFailure && error.mayPass
  return { error, recovery: mayPass ? 'transient' : 'final', retryAfterMs: undefined }
}
