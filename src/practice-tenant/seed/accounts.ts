import type Database from 'better-sqlite3'
import type { Random } from '#base'
import type { SeedOptions } from '../core/contract.ts'
import { lasting } from '../core/state.ts'
import { userDocument } from '../directory/user-document.ts'
import type { UserRows } from '../directory/user-rows.ts'
import type { EntraRows } from '../entra/entra-rows.ts'
import { seededUuid } from './ids.ts'
import { domainOf, type SeededPerson } from './people.ts'

/** An administrator with MFA: the password alone opens nothing. */
export interface AdminAccount {
  readonly account: string
  readonly password: string
  /** 16 letters, for Basic authentication. */
  readonly appPassword: string
}

interface Parts {
  readonly db: Database.Database
  readonly entra: EntraRows
  readonly users: UserRows
  readonly seed: SeedOptions
  readonly random: Random
}

const letters = (random: Random): string =>
  [...random.bytes(16)].map((byte) => String.fromCharCode(97 + (byte % 26))).join('')

const seedAccount = (parts: Parts, name: string, displayName: string): AdminAccount => {
  const { db, entra, users, seed, random } = parts
  const account = `${name}@${domainOf(seed)}`
  const appPassword = lasting(db, `app-password-${name}`, () => letters(random))
  const password = lasting(db, `password-${name}`, () => `Aa1-${letters(random)}`)
  if (users.find(account) === undefined && entra.account(account) === undefined) {
    const person: SeededPerson = {
      id: seededUuid(seed.seed, 'admin', name),
      index: users.nextIndex(),
      userPrincipalName: account,
      displayName,
      givenName: null,
      surname: null,
      jobTitle: null,
      officeLocation: null,
      isLicensed: false,
      mailboxKind: 'none',
      hasDrive: false,
      isDriveLocked: false,
      isGuest: false,
      isEnabled: true,
    }
    const user = users.add(person, userDocument(person, seed))
    entra.setAccount({
      user_id: user.id,
      name: account,
      password,
      app_password: appPassword,
      mfa: 1,
      state: 'ok',
    })
  }
  return { account, password, appPassword }
}

/** Two administrators, as a backup of Exchange and SharePoint by legacy protocols wanted them. */
export const seedAccounts = (parts: Parts): { admin: AdminAccount; sharepointAdmin: AdminAccount } => ({
  admin: seedAccount(parts, 'exchange.admin', 'Exchange Administrator'),
  sharepointAdmin: seedAccount(parts, 'sharepoint.admin', 'SharePoint Administrator'),
})
