import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto'
import type { Clock, Random } from '#base'
import type { AccessToken } from '../core/contract.ts'

interface Claims {
  readonly aud: string
  readonly appid: string
  readonly tid: string
  readonly exp: number
  readonly nbf: number
  readonly roles?: readonly string[]
  readonly appidacr: string
  readonly upn?: string
}

export interface TokenRequest {
  readonly issuer: string
  readonly audience: string
  readonly application: { readonly id: string; readonly name: string; readonly principalId: string }
  readonly roles: readonly string[]
  readonly appidacr: '0' | '1' | '2'
  readonly lifetimeSeconds: number
  readonly user?: {
    readonly id: string
    readonly upn: string
    readonly name: string
    readonly scopes: string
  }
}

/** Why a token is not accepted. */
export class BadToken extends Error {}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const MOST_REMEMBERED = 10_000

/** Makes the tenant's signing key: RSA, as PKCS#8. */
export const newSigningKey = (): string =>
  generateKeyPairSync('rsa', { modulusLength: 2048 })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString()

/** Signs access tokens and recognises its own. */
export class Tokens {
  readonly #privateKey: KeyObject
  readonly #publicKey: KeyObject
  readonly #keyId: string
  readonly #tenantId: string
  readonly #clock: Clock
  readonly #random: Random
  readonly #known = new Map<string, { token: AccessToken; expiresMs: number; notBeforeMs: number }>()

  constructor(parts: { pem: string; tenantId: string; clock: Clock; random: Random }) {
    this.#privateKey = createPrivateKey(parts.pem)
    this.#publicKey = createPublicKey(this.#privateKey)
    const der = this.#publicKey.export({ type: 'spki', format: 'der' })
    this.#keyId = createHash('sha1').update(der).digest('base64url')
    this.#tenantId = parts.tenantId
    this.#clock = parts.clock
    this.#random = parts.random
  }

  /** The JWKS entry of the signing key. */
  jwk(): object {
    const { kty, n, e } = this.#publicKey.export({ format: 'jwk' })
    return { kty, use: 'sig', kid: this.#keyId, x5t: this.#keyId, n, e, alg: 'RS256' }
  }

  issue(request: TokenRequest): string {
    const now = Math.floor(this.#clock.nowMs() / 1000)
    const { application, user } = request
    return this.sign({
      aud: request.audience,
      iss: request.issuer,
      iat: now,
      nbf: now - 300,
      exp: now + request.lifetimeSeconds,
      app_displayname: application.name,
      appid: application.id,
      appidacr: request.appidacr,
      idp: request.issuer,
      ...(user === undefined
        ? { idtyp: 'app', oid: application.principalId, sub: application.principalId }
        : {
            idtyp: 'user',
            oid: user.id,
            sub: user.id,
            upn: user.upn,
            unique_name: user.upn,
            name: user.name,
            amr: ['pwd'],
            scp: user.scopes,
          }),
      ...(request.roles.length === 0 ? {} : { roles: request.roles }),
      tid: this.#tenantId,
      uti: Buffer.from(this.#random.bytes(16)).toString('base64url'),
      ver: '1.0',
    })
  }

  sign(claims: object): string {
    const head = encode({ typ: 'JWT', alg: 'RS256', kid: this.#keyId, x5t: this.#keyId })
    const signed = `${head}.${encode(claims)}`
    return `${signed}.${sign('sha256', Buffer.from(signed), this.#privateKey).toString('base64url')}`
  }

  /** Throws BadToken when it is not ours, changed, or out of its time. */
  read(text: string): AccessToken {
    const known = this.#known.get(text) ?? this.#open(text)
    const now = this.#clock.nowMs()
    if (now >= known.expiresMs) {
      throw new BadToken('Lifetime validation failed, the token is expired.')
    }
    if (now < known.notBeforeMs) throw new BadToken('Lifetime validation failed, the token is not valid yet.')
    return known.token
  }

  #open(text: string): { token: AccessToken; expiresMs: number; notBeforeMs: number } {
    const [head, payload, signature] = text.split('.')
    if (head === undefined || payload === undefined || signature === undefined) {
      throw new BadToken('IDX14100: JWT is not well formed, there are no dots (.).')
    }
    const isOurs = verify(
      'sha256',
      Buffer.from(`${head}.${payload}`),
      this.#publicKey,
      Buffer.from(signature, 'base64url'),
    )
    if (!isOurs) throw new BadToken('Access token validation failure. Signature is invalid.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Claims
    const token: AccessToken = {
      applicationId: claims.appid,
      tenantId: claims.tid,
      audience: claims.aud,
      roles: claims.roles ?? [],
      appidacr: claims.appidacr,
      ...(claims.upn === undefined ? {} : { userPrincipalName: claims.upn }),
    }
    const opened = { token, expiresMs: claims.exp * 1000, notBeforeMs: claims.nbf * 1000 }
    if (this.#known.size >= MOST_REMEMBERED) this.#known.clear()
    this.#known.set(text, opened)
    return opened
  }
}
