import { notBuilt, type Secret } from '#base'
import type { Principal } from './principal.ts'

export interface IssuedTokens {
  readonly accessToken: Secret
  readonly refreshToken: Secret
  readonly expiresInSeconds: number
  readonly issuedAt: Date
  readonly expiresAt: Date
  readonly userName: string
}

/** Where a call comes from, for the audit. */
export interface Caller {
  readonly address?: string
}

/** Users, log-in and tokens. */
export class Access {
  /**
   * Makes the first administrator when there is no user yet and returns the password to be shown once; undefined when
   * there is one already.
   */
  async makeFirstAdministrator(): Promise<{ readonly name: string; readonly password: Secret } | undefined> {
    throw notBuilt('access')
  }
  /**
   * Administrators by name and password; tenants by an account and password that an organization was added with.
   * `unauthenticated` for wrong ones, the same for unknown names; `throttled` with `retryAfterMs` while locked out.
   */
  async passwordGrant(_userName: string, _password: Secret, _caller?: Caller): Promise<IssuedTokens> {
    throw notBuilt('access')
  }
  /** Each refresh token works once: using one twice ends all that came from the same log-in. `unauthenticated` else. */
  async refreshGrant(_refreshToken: Secret, _caller?: Caller): Promise<IssuedTokens> {
    throw notBuilt('access')
  }
  /** Throws `unauthenticated`. */
  async authenticate(_accessToken: Secret, _caller?: Caller): Promise<Principal> {
    throw notBuilt('access')
  }
  /** Ends this log-in: its access and refresh tokens stop at once. */
  async logout(_accessToken: Secret): Promise<void> {
    throw notBuilt('access')
  }
  /** For a local user. Ends all of the user's log-ins. */
  async changePassword(
    _principal: Principal,
    _passwords: { readonly current: Secret; readonly next: Secret },
  ): Promise<void> {
    throw notBuilt('access')
  }
}
