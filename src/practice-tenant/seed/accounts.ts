import type Database from 'better-sqlite3'
import type { Random } from '#base'
import type { SeedOptions } from '../core/contract.ts'
import { lasting } from '../core/state.ts'
import { userDocument } from '../directory/user-document.ts'
import type { UserRows } from '../directory/user-rows.ts'
import type { EntraRows } from '../entra/entra-rows.ts'
import { seededUuid } from './ids.ts'
import { domainOf, extraPerson } from './people.ts'

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
    const person = extraPerson({
      id: seededUuid(seed.seed, 'admin', name),
      index: users.nextIndex(),
      userPrincipalName: account,
      displayName,
      isLicensed: false,
    })
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

/** Licensed users whose names ask for faults. Who is there already stays. */
export const seedSentinels = (users: UserRows, seed: SeedOptions, names: readonly string[]): void => {
  for (const name of names) {
    const userPrincipalName = `${name}@${domainOf(seed)}`
    if (users.find(userPrincipalName) !== undefined) continue
    const id = seededUuid(seed.seed, 'sentinel', name)
    const index = users.nextIndex()
    const person = extraPerson({ id, index, userPrincipalName, displayName: name, isLicensed: true })
    users.add(person, userDocument(person, seed))
  }
}

const GONE_SINCE_MS = 5 * 24 * 3600 * 1000

/** Somebody who left five days ago and can still be brought back. */
export const seedLeaver = (users: UserRows, seed: SeedOptions, nowMs: number): void => {
  const id = seededUuid(seed.seed, 'leaver')
  const userPrincipalName = `former.colleague@${domainOf(seed)}`
  const index = users.nextIndex()
  const person = extraPerson({
    id,
    index,
    userPrincipalName,
    displayName: 'Former Colleague',
    isLicensed: true,
  })
  users.add(person, userDocument(person, seed))
  users.setDeleted(id, new Date(nowMs - GONE_SINCE_MS).toISOString())
}
