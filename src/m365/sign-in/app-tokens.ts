import { ConfidentialClientApplication, type Configuration } from '@azure/msal-node'
import { decodeJwt } from 'jose'
import { HoldfastError, invalid, isHoldfastError, type Random, type Secret } from '#base'
import type { CloudHosts } from '../hosts.ts'
import type { TokenSource } from '../http/graph-client.ts'
import { waitBeforeRetry, type RetryLimits } from '../http/retry-plan.ts'
import { signInRefused } from './aadsts.ts'
import { clientAssertion } from './client-assertion.ts'
import { LoginNetwork, type LoginNetworkParts } from './login-network.ts'
import { readPfx } from './pfx/read-pfx.ts'

/** How to sign in as an application. Exactly one of `secret` and `certificate`. */
export interface ApplicationCredentials {
  readonly applicationId: string
  readonly secret?: Secret
  readonly certificate?: { readonly pfxBase64: Secret; readonly password?: Secret }
}

export interface AppTokensParts extends Omit<LoginNetworkParts, 'loginHost'> {
  readonly hosts: CloudHosts
  readonly random: Random
  /** GUID or domain. */
  readonly tenant: string
  readonly credentials: ApplicationCredentials
}

const RETRIES: RetryLimits = { throttledTries: 5, transientTries: 4, deadlineMs: 2 * 60_000 }
const RENEW_BEFORE_MS = 5 * 60_000
const TENANT = /^[a-z0-9]([a-z0-9.-]{0,252}[a-z0-9])?$/i

interface HeldToken {
  readonly value: string
  readonly expiresAt: number
}

/**
 * Graph tokens of one application in one tenant, by @azure/msal-node. One sign-in at a time, whoever asks. Throws `invalid`
 * for credentials that the service refuses (reason: the AADSTS code) and `unavailable` when it does not answer.
 */
export class AppTokens implements TokenSource {
  readonly #parts: AppTokensParts
  readonly #network: LoginNetwork
  #client: ConfidentialClientApplication | undefined
  #held: HeldToken | undefined
  #signingIn: Promise<HeldToken> | undefined

  constructor(parts: AppTokensParts) {
    this.#parts = parts
    this.#network = new LoginNetwork({ ...parts, loginHost: parts.hosts.login })
  }

  async token(signal?: AbortSignal): Promise<string> {
    const held = this.#held
    if (held !== undefined && held.expiresAt - RENEW_BEFORE_MS > this.#parts.clock.nowMs()) return held.value
    return await this.#signIn(undefined, signal)
  }

  async renewed(refused: string, claims: string | undefined, signal?: AbortSignal): Promise<string> {
    // Many calls may be refused at once; the first renews for all.
    if (this.#held !== undefined && this.#held.value !== refused) return this.#held.value
    return await this.#signIn({ claims }, signal)
  }

  /** The application permissions in the token, for display: what the service allows is for the service to say. */
  async roles(signal?: AbortSignal): Promise<readonly string[]> {
    // New grants show up in new tokens only.
    const held = this.#held
    const token =
      held === undefined ? await this.token(signal) : await this.renewed(held.value, undefined, signal)
    try {
      const { roles } = decodeJwt<{ roles?: unknown }>(token)
      return Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : []
    } catch {
      return []
    }
  }

  async #signIn(renewal: { claims: string | undefined } | undefined, signal?: AbortSignal): Promise<string> {
    this.#signingIn ??= this.#acquire(renewal).finally(() => (this.#signingIn = undefined))
    const held = await unlessAborted(this.#signingIn, signal)
    return held.value
  }

  async #acquire(renewal: { claims: string | undefined } | undefined): Promise<HeldToken> {
    const { clock } = this.#parts
    this.#client ??= await this.#makeClient()
    const startedMs = clock.nowMs()
    for (let tries = 1; ; tries += 1) {
      try {
        this.#held = await this.#acquireOnce(this.#client, renewal)
        return this.#held
      } catch (error) {
        // Begun anew, not sent again: an assertion may be used once.
        const { failure } = this.#network
        const elapsedMs = clock.nowMs() - startedMs
        const waitMs =
          failure && waitBeforeRetry({ ...failure, tries, elapsedMs }, RETRIES, this.#parts.random)
        if (waitMs === undefined) throw this.#asOurs(error)
        this.#parts.traffic.retried += 1
        this.#parts.traffic.waitedMs += waitMs
        await clock.sleep(waitMs)
      }
    }
  }

  async #acquireOnce(
    client: ConfidentialClientApplication,
    renewal: { claims: string | undefined } | undefined,
  ): Promise<HeldToken> {
    const claims = renewal?.claims
    const result = await client.acquireTokenByClientCredential({
      scopes: [`${this.#parts.hosts.graphResource}/.default`],
      skipCache: true,
      ...(claims === undefined ? {} : { claims: Buffer.from(claims, 'base64').toString('utf8') }),
    })
    if (result === null) throw new HoldfastError('unavailable', 'the sign-in service gave no token')
    return { value: result.accessToken, expiresAt: result.expiresOn?.getTime() ?? this.#parts.clock.nowMs() }
  }

  /** MSAL wraps what the network threw and drops what the service said; both are kept beside it. */
  #asOurs(error: unknown): unknown {
    if (isHoldfastError(error)) return error
    if (this.#network.failure !== undefined) return this.#network.failure.error
    if (this.#network.refusal !== undefined) return signInRefused(this.#network.refusal)
    return new HoldfastError(
      'unavailable',
      'the sign-in service of Microsoft 365 answered in an unknown way',
      {
        cause: error,
      },
    )
  }

  async #makeClient(): Promise<ConfidentialClientApplication> {
    const { hosts, tenant, credentials } = this.#parts
    if (!TENANT.test(tenant)) throw invalid('the tenant is neither a GUID nor a domain', 'tenant')
    return new ConfidentialClientApplication({
      auth: {
        clientId: credentials.applicationId,
        authority: `https://${hosts.login}/${tenant}`,
        knownAuthorities: [hosts.login],
        clientCapabilities: ['cp1'],
        ...(await this.#proof()),
      },
      system: { networkClient: this.#network, disableInternalRetries: true },
    })
  }

  async #proof(): Promise<Pick<Configuration['auth'], 'clientSecret' | 'clientAssertion'>> {
    const { hosts, tenant, credentials } = this.#parts
    const { secret, certificate, applicationId } = credentials
    if ((secret === undefined) === (certificate === undefined)) {
      throw invalid('exactly one of application secret and application certificate is needed')
    }
    if (secret !== undefined) return { clientSecret: secret.reveal() }
    const signing = await readPfx(certificate!.pfxBase64, certificate!.password)
    const tokenEndpoint = `https://${hosts.login}/${tenant}/oauth2/v2.0/token`
    return {
      clientAssertion: async (config) =>
        await clientAssertion(
          signing,
          { applicationId, tokenEndpoint: config.tokenEndpoint ?? tokenEndpoint },
          this.#parts,
        ),
    }
  }
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await promise
  signal.throwIfAborted()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const stop = (): void => reject(signal.reason as Error)
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
    // Another caller may still wait for it; for this one its failure is nobody's.
    promise.catch(() => {})
  }
}
