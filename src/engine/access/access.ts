import { createHash, timingSafeEqual } from 'node:crypto'
import { denied, HoldfastError, invalid, Secret, type Clock, type Random } from '#base'
import { organizationRows, userRows, type Database, type TokenRow, type UserRow } from '#database'
import type { Secrets } from '../secrets/secrets.ts'
import { accountKeyOf } from './account-key.ts'
import type { Audit } from './audit.ts'
import { LockOut } from './lock-out.ts'
import { hashPassword, passwordFits, pretendToCompare } from './password-hash.ts'
import type { Principal } from './principal.ts'
import { TokenStore, type IssuedTokens, type TokenHolder } from './token-store.ts'

/** Where a call comes from, for the audit. */
export interface Caller {
  readonly address?: string
}

export interface AccessParts {
  readonly database: Database
  readonly secrets: Secrets
  readonly audit: Audit
  readonly clock: Clock
  readonly random: Random
}

const FIRST_ADMINISTRATOR = 'administrator'
const LONGEST_NAME = 320
const SHORTEST_PASSWORD = 12
const LONGEST_PASSWORD = 1_024

const digest = (secret: Secret): Buffer => createHash('sha256').update(secret.reveal()).digest()
const isSame = (left: Secret, right: Secret): boolean => timingSafeEqual(digest(left), digest(right))

const refused = (): HoldfastError =>
  new HoldfastError('unauthenticated', 'the user name or password is not correct')

const addressOf = (caller: Caller): Caller =>
  caller.address === undefined ? {} : { address: caller.address }

/** Users, log-in and tokens. */
export class Access {
  readonly #parts: AccessParts
  readonly #lockOut: LockOut
  readonly #tokens: TokenStore
  /** Log-ins of one account come one after the other, so that many at once are not many free guesses. */
  readonly #turns = new Map<string, Promise<unknown>>()

  constructor(parts: AccessParts) {
    this.#parts = parts
    this.#lockOut = new LockOut(parts)
    this.#tokens = new TokenStore(parts)
  }

  /**
   * Makes the first administrator when there is no user yet and returns the password, which is shown once and kept
   * nowhere; undefined when there is a user already.
   */
  async makeFirstAdministrator(
    given: { readonly name?: string; readonly password?: Secret } = {},
  ): Promise<{ readonly name: string; readonly password: Secret } | undefined> {
    const { database, clock, random } = this.#parts
    if (await userRows.any(database.queries)) return undefined
    const name = given.name ?? FIRST_ADMINISTRATOR
    const password = given.password ?? new Secret(Buffer.from(random.bytes(18)).toString('base64url'))
    checkNewPassword(password)
    await userRows.insert(database.queries, {
      id: random.uuid(),
      name,
      nameKey: accountKeyOf(name),
      passwordHash: await hashPassword(password, random),
      role: 'administrator',
      isEnabled: true,
      createdAt: clock.now(),
      passwordChangedAt: clock.now(),
    })
    return { name, password }
  }

  /**
   * Administrators by name and password; tenants by an account and password that an organization was added with.
   * `unauthenticated` for wrong ones, the same for unknown names; `throttled` with `retryAfterMs` while locked out.
   */
  async passwordGrant(userName: string, password: Secret, caller: Caller = {}): Promise<IssuedTokens> {
    const accountKey = accountKeyOf(userName)
    if (accountKey.length > LONGEST_NAME || password.reveal().length > LONGEST_PASSWORD) throw refused()
    const holder = await this.#inTurn(accountKey, () => this.#logIn(accountKey, password, caller))
    return this.#tokens.issue(holder)
  }

  /** Each refresh token works once: using one twice ends all that came from the same log-in. `unauthenticated` else. */
  async refreshGrant(refreshToken: Secret, _caller: Caller = {}): Promise<IssuedTokens> {
    const { tokens, row } = await this.#tokens.rotate(refreshToken)
    await this.#principalOf(row, {})
    return tokens
  }

  /** Throws `unauthenticated`. */
  async authenticate(accessToken: Secret, caller: Caller = {}): Promise<Principal> {
    return this.#principalOf(await this.#tokens.find(accessToken), caller)
  }

  /** Ends this log-in: its access and refresh tokens stop at once. */
  async logout(accessToken: Secret): Promise<void> {
    const { familyId } = await this.#tokens.find(accessToken)
    await this.#tokens.endLogIn(familyId)
  }

  /** For a local user. Ends all of the user's log-ins. `denied` for a wrong current password, which counts as a failed log-in. */
  async changePassword(
    principal: Principal,
    passwords: { readonly current: Secret; readonly next: Secret },
  ): Promise<void> {
    if (principal.kind !== 'administrator')
      throw denied('only a user of this server has a password to change')
    const { userId } = principal
    await this.#parts.audit.around(principal, 'users.changePassword', principal.name, async () => {
      checkNewPassword(passwords.next)
      const user = await userRows.find(this.#parts.database.queries, userId)
      if (user === undefined) throw denied('the user is gone')
      await this.#inTurn(user.nameKey, () => this.#checkPassword(user, passwords.current))
      const hash = await hashPassword(passwords.next, this.#parts.random)
      await this.#parts.database.transaction(async (queries) => {
        await userRows.setPassword(queries, userId, hash, this.#parts.clock.now())
        await this.#tokens.endAllOf(queries, 'administrator', userId)
      })
    })
  }

  async #checkPassword(user: UserRow, password: Secret): Promise<void> {
    await this.#lockOut.check(user.nameKey)
    if (await passwordFits(password, user.passwordHash)) return
    await this.#lockOut.failed(user.nameKey)
    throw denied('the current password is not correct')
  }

  async #logIn(accountKey: string, password: Secret, caller: Caller): Promise<TokenHolder> {
    await this.#lockOut.check(accountKey)
    const holder = await this.#holderOf(accountKey, password)
    const actor = { kind: holder?.kind ?? ('unknown' as const), name: accountKey, ...addressOf(caller) }
    const event = { actor, action: 'tokens.issue', object: accountKey }
    if (holder === undefined) {
      await this.#lockOut.failed(accountKey)
      await this.#parts.audit.record({ ...event, result: 'unauthenticated' })
      throw refused()
    }
    await this.#lockOut.succeeded(accountKey)
    await this.#parts.audit.record({ ...event, result: 'done' })
    return holder
  }

  async #holderOf(accountKey: string, password: Secret): Promise<TokenHolder | undefined> {
    const user = await userRows.findByName(this.#parts.database.queries, accountKey)
    if (user !== undefined) {
      const fits = await passwordFits(password, user.passwordHash)
      return fits && user.isEnabled ? { kind: 'administrator', id: user.id, name: user.name } : undefined
    }
    await pretendToCompare(password)
    return this.#tenantOf(accountKey, password)
  }

  async #tenantOf(accountKey: string, password: Secret): Promise<TokenHolder | undefined> {
    const { database, secrets } = this.#parts
    for (const { organizationId, part } of await organizationRows.accountsNamed(
      database.queries,
      accountKey,
    )) {
      const place = { table: 'organizations', row: organizationId, field: `${part}.password` }
      const stored = await secrets.find(database.queries, place)
      if (stored !== undefined && isSame(stored, password))
        return { kind: 'organization', id: organizationId, name: accountKey }
    }
    return undefined
  }

  async #principalOf(token: TokenRow, caller: Caller): Promise<Principal> {
    const { queries } = this.#parts.database
    const expired = new HoldfastError('unauthenticated', 'the token is not valid or no longer valid')
    if (token.principalKind === 'organization') {
      if ((await organizationRows.find(queries, token.principalId)) === undefined) throw expired
      return {
        kind: 'organization',
        organizationId: token.principalId,
        name: token.name,
        ...addressOf(caller),
      }
    }
    const user = await userRows.find(queries, token.principalId)
    if (user?.isEnabled !== true) throw expired
    return { kind: 'administrator', userId: user.id, name: user.name, ...addressOf(caller) }
  }

  async #inTurn<Result>(accountKey: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#turns.get(accountKey) ?? Promise.resolve()
    const mine = before.then(work, work)
    const settled = mine.then(
      () => undefined,
      () => undefined,
    )
    this.#turns.set(accountKey, settled)
    void settled.then(() => {
      if (this.#turns.get(accountKey) === settled) this.#turns.delete(accountKey)
    })
    return mine
  }
}

const checkNewPassword = (password: Secret): void => {
  const { length } = password.reveal()
  if (length < SHORTEST_PASSWORD)
    throw invalid(`a password has at least ${SHORTEST_PASSWORD} characters`, 'newPassword')
  if (length > LONGEST_PASSWORD)
    throw invalid(`a password has at most ${LONGEST_PASSWORD} characters`, 'newPassword')
}
