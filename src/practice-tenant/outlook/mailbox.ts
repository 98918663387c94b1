import type Database from 'better-sqlite3'

import type { PracticeUser, TenantState } from '../core/contract.ts'
import { MailboxIds } from './ids.ts'
import type { MailAddress } from './mail-content.ts'
import { mailboxMissing } from './refusals.ts'
import { seedMailbox } from './seed-mailbox.ts'
import { prepared } from './statements.ts'
import { loadTemplates } from './templates.ts'
import type { Templates } from './templates.ts'

/** A user's mailbox for the length of a request. */
export interface Mailbox {
  readonly user: PracticeUser
  readonly box: number
  readonly ids: MailboxIds
  readonly owner: MailAddress
  /** The mail domain of the owner. */
  readonly domain: string
  readonly templates: Templates
  readonly db: Database.Database
  /** Seconds since 1970. */
  now(): number
}

const hasMailbox = (user: PracticeUser): boolean =>
  user.mailboxKind !== 'none' && (user.isLicensed || user.mailboxKind !== 'user')

/** The user that a call names, if it has a mailbox. Throws `MailboxNotEnabledForRESTAPI` otherwise. */
export const mailboxUser = (state: TenantState, name: string): PracticeUser => {
  const user = state.user(name)
  if (!hasMailbox(user)) throw mailboxMissing()
  return user
}

const boxOf = (db: Database.Database, userId: string): number | undefined =>
  prepared<[string], { box: number }>(db, 'SELECT box FROM mail_boxes WHERE user = ?').get(userId)?.box

/** The user's own number, unless a user who is gone has left a mailbox under it. */
const freeBox = (db: Database.Database, index: number): number => {
  const taken = db.prepare('SELECT 1 FROM mail_boxes WHERE box = ?').get(index)
  if (taken === undefined) return index
  const last = db.prepare<[], { last: number }>('SELECT MAX(box) AS last FROM mail_boxes').get()!.last
  return Math.max(last + 1, 1_000_000)
}

/** Opens a mailbox; at the first touch it is filled from the seed, in one transaction. */
export const openMailbox = async (state: TenantState, name: string): Promise<Mailbox> => {
  const user = mailboxUser(state, name)
  const templates = await loadTemplates()
  const known = boxOf(state.db, user.id)
  const mailbox: Mailbox = {
    user,
    box: known ?? freeBox(state.db, user.index),
    ids: new MailboxIds(user.id),
    owner: { name: user.displayName, address: user.userPrincipalName },
    domain: user.userPrincipalName.split('@')[1] ?? 'localhost',
    templates,
    db: state.db,
    now: () => Math.floor(state.clock.nowMs() / 1000),
  }
  if (known === undefined) state.db.transaction(() => seedMailbox(mailbox, state))()
  return mailbox
}

/** The next value of the mailbox's change counter. Call it inside a transaction. */
export const nextChange = (mailbox: Mailbox): number => {
  const sql = 'UPDATE mail_boxes SET position = position + 1 WHERE box = ? RETURNING position'
  return mailbox.db.prepare<[number], { position: number }>(sql).get(mailbox.box)!.position
}

export interface BoxRow {
  readonly position: number
  readonly epoch: number
  readonly trouble: number | null
}

export const boxRow = (mailbox: Mailbox): BoxRow =>
  mailbox.db
    .prepare<[number], BoxRow>('SELECT position, epoch, trouble FROM mail_boxes WHERE box = ?')
    .get(mailbox.box)!
