import { createHash } from 'node:crypto'
import { HoldfastError, Secret, type Clock, type Random } from '#base'
import { tokenRows, type Database, type Queries, type TokenRow } from '#database'

/** Seconds. */
export const ACCESS_TOKEN_LIFETIME = 3_600
const REFRESH_TOKEN_LIFETIME = 14 * 24 * 3_600
const TOKEN_BYTES = 32

export interface TokenHolder {
  readonly kind: TokenRow['principalKind']
  readonly id: string
  readonly name: string
}

export interface IssuedTokens {
  readonly accessToken: Secret
  readonly refreshToken: Secret
  readonly expiresInSeconds: number
  readonly issuedAt: Date
  readonly expiresAt: Date
  readonly userName: string
}

const hashOf = (token: Secret): string => createHash('sha256').update(token.reveal()).digest('hex')
const refused = (): HoldfastError =>
  new HoldfastError('unauthenticated', 'the token is not valid or no longer valid')

/** Opaque tokens of 256 random bits. The database knows their hashes alone. */
export class TokenStore {
  readonly #database: Database
  readonly #clock: Clock
  readonly #random: Random

  constructor(parts: { readonly database: Database; readonly clock: Clock; readonly random: Random }) {
    this.#database = parts.database
    this.#clock = parts.clock
    this.#random = parts.random
  }

  /** A new log-in. */
  async issue(holder: TokenHolder): Promise<IssuedTokens> {
    return this.#database.transaction(async (queries) => {
      await tokenRows.removeExpired(queries, this.#clock.now())
      return this.#issue(queries, holder, this.#random.uuid())
    })
  }

  /** Throws `unauthenticated`. A refresh token is no access token. */
  async find(accessToken: Secret): Promise<TokenRow> {
    const row = await this.#valid(this.#database.queries, accessToken, 'access')
    if (row === undefined) throw refused()
    return row
  }

  /** Swaps a refresh token for a new pair. One that was used before ends the whole log-in: somebody copied it. */
  async rotate(refreshToken: Secret): Promise<{ readonly tokens: IssuedTokens; readonly row: TokenRow }> {
    const outcome = await this.#database.transaction(async (queries) => {
      const row = await this.#valid(queries, refreshToken, 'refresh')
      if (row === undefined) return undefined
      if (await tokenRows.use(queries, row.id, this.#clock.now())) {
        const holder = { kind: row.principalKind, id: row.principalId, name: row.name }
        return { row, tokens: await this.#issue(queries, holder, row.familyId) }
      }
      // Committed, not thrown: the log-in has to end although the caller is refused.
      await tokenRows.removeFamily(queries, row.familyId)
      return undefined
    })
    if (outcome === undefined) throw refused()
    return outcome
  }

  async endLogIn(familyId: string): Promise<void> {
    await tokenRows.removeFamily(this.#database.queries, familyId)
  }

  async endAllOf(queries: Queries, kind: TokenRow['principalKind'], id: string): Promise<void> {
    await tokenRows.removeOfPrincipal(queries, kind, id)
  }

  async #valid(queries: Queries, token: Secret, kind: TokenRow['kind']): Promise<TokenRow | undefined> {
    const row = await tokenRows.findByHash(queries, hashOf(token))
    if (row?.kind !== kind || row.expiresAt.getTime() <= this.#clock.nowMs()) return undefined
    return row
  }

  async #issue(queries: Queries, holder: TokenHolder, familyId: string): Promise<IssuedTokens> {
    const issuedAt = this.#clock.now()
    const make = async (
      kind: TokenRow['kind'],
      lifetime: number,
    ): Promise<{ token: Secret; expiresAt: Date }> => {
      const token = new Secret(Buffer.from(this.#random.bytes(TOKEN_BYTES)).toString('base64url'))
      const expiresAt = new Date(issuedAt.getTime() + lifetime * 1_000)
      await tokenRows.insert(queries, {
        id: this.#random.uuid(),
        familyId,
        kind,
        tokenHash: hashOf(token),
        principalKind: holder.kind,
        principalId: holder.id,
        name: holder.name,
        issuedAt,
        expiresAt,
      })
      return { token, expiresAt }
    }
    const access = await make('access', ACCESS_TOKEN_LIFETIME)
    const refresh = await make('refresh', REFRESH_TOKEN_LIFETIME)
    return {
      accessToken: access.token,
      refreshToken: refresh.token,
      expiresInSeconds: ACCESS_TOKEN_LIFETIME,
      issuedAt,
      expiresAt: access.expiresAt,
      userName: holder.name,
    }
  }
}
