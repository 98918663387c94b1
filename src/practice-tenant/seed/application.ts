import type Database from 'better-sqlite3'
import type { Random } from '#base'
import type { SeedOptions } from '../core/contract.ts'
import { lasting } from '../core/state.ts'
import type { EntraRows, Grant } from '../entra/entra-rows.ts'
import { seededUuid } from './ids.ts'

export interface SeededApplication {
  readonly id: string
  readonly secret: string
}

interface ApplicationParts {
  readonly db: Database.Database
  readonly rows: EntraRows
  readonly seed: SeedOptions
  readonly random: Random
}

const graph = (...roles: string[]): Grant[] => roles.map((role) => ({ resource: 'graph', role }))

/** What backup and restore of every workload need. */
export const BACKUP_GRANTS: readonly Grant[] = [
  ...graph(
    'Application.Read.All',
    'Calendars.ReadWrite',
    'Contacts.ReadWrite',
    'Directory.Read.All',
    'Files.ReadWrite.All',
    'Group.Read.All',
    'GroupMember.Read.All',
    'Mail.ReadWrite',
    'MailboxSettings.ReadWrite',
    'Organization.Read.All',
    'Sites.FullControl.All',
    'Sites.ReadWrite.All',
    'Tasks.ReadWrite.All',
    'User.Read.All',
  ),
  { resource: 'exchange', role: 'full_access_as_app' },
  { resource: 'sharepoint', role: 'Sites.FullControl.All' },
  { resource: 'sharepoint', role: 'User.ReadWrite.All' },
]

const EDITOR_GRANTS: readonly Grant[] = [
  ...BACKUP_GRANTS,
  ...graph(
    'Directory.ReadWrite.All',
    'Group.ReadWrite.All',
    'GroupMember.ReadWrite.All',
    'Mail.Send',
    'User.ReadWrite.All',
  ),
]

const newSecret = (random: Random): string =>
  `${Buffer.from(random.bytes(30)).toString('base64url').slice(0, 37)}~Q8`

/** The tenant's own applications: made at the first start, the same at the next. */
export const seedApplication = (
  { db, rows, seed, random }: ApplicationParts,
  purpose: 'backup' | 'editor',
): SeededApplication => {
  const id = seededUuid(seed.seed, 'application', purpose)
  const secret = lasting(db, `secret-${purpose}`, () => newSecret(random))
  if (rows.application(id) === undefined) {
    rows.addApplication({ id, name: purpose === 'backup' ? 'Contoso Backup' : 'Contoso Editor' })
    rows.addSecret(id, secret)
    rows.grant(id, purpose === 'backup' ? BACKUP_GRANTS : EDITOR_GRANTS)
  }
  return { id, secret }
}
