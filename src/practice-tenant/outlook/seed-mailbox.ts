import type Database from 'better-sqlite3'

import { seededRandom } from '#base'

import type { TenantState } from '../core/contract.ts'
import type { Mailbox } from './mailbox.ts'
import { emptyContent } from './mail-content.ts'
import { keyOf, originalInternetId, VARIANT } from './message-row.ts'
import type { Template } from './templates.ts'

// A new mailbox: folders, then light rows that only name a template, folder by folder and newest first, so that every
// index grows at its end. 10,000 messages take some tens of milliseconds.

interface SeedFolder {
  readonly name: string
  readonly wellKnown?: string
  readonly isHidden?: boolean
  /** Share of the mailbox's messages. */
  readonly share?: number
  /** Messages beyond the share. */
  readonly extra?: number
  readonly isSent?: boolean
  readonly isDraft?: boolean
  readonly children?: readonly SeedFolder[]
}

const VISIBLE: readonly SeedFolder[] = [
  {
    name: 'Inbox',
    wellKnown: 'inbox',
    share: 0.46,
    children: [
      {
        name: 'Projects',
        share: 0.08,
        children: [
          {
            name: 'Apollo: phase 1/2',
            share: 0.05,
            children: [{ name: 'Müller & Söhne (ÄÖÜ)', share: 0.02 }],
          },
          { name: '日本支社', share: 0.02 },
        ],
      },
      { name: 'To read…', share: 0.04 },
    ],
  },
  { name: 'Sent Items', wellKnown: 'sentitems', share: 0.16, isSent: true },
  { name: 'Archive', wellKnown: 'archive', share: 0.1 },
  { name: 'Deleted Items', wellKnown: 'deleteditems', share: 0.04 },
  { name: 'Drafts', wellKnown: 'drafts', share: 0.01, isSent: true, isDraft: true },
  { name: 'Junk Email', wellKnown: 'junkemail', share: 0.02 },
  { name: 'Outbox', wellKnown: 'outbox' },
  { name: 'Conversation History', wellKnown: 'conversationhistory' },
  { name: '100% done \\ "closed"', children: [{ name: '.hidden?', children: [{ name: 'deep 📁' }] }] },
  { name: 'Scheduled', wellKnown: 'scheduled', isHidden: true },
  {
    name: 'Sync Issues',
    wellKnown: 'syncissues',
    isHidden: true,
    extra: 1,
    children: [
      { name: 'Conflicts', wellKnown: 'conflicts', isHidden: true },
      { name: 'Local Failures', wellKnown: 'localfailures', isHidden: true },
      { name: 'Server Failures', wellKnown: 'serverfailures', isHidden: true },
    ],
  },
]

/** Outside the tree that people see. */
const ROOTS: readonly SeedFolder[] = [
  { name: 'Top of Information Store', wellKnown: 'msgfolderroot', children: VISIBLE },
  {
    name: 'Recoverable Items',
    wellKnown: 'recoverableitemsroot',
    children: [{ name: 'Deletions', wellKnown: 'recoverableitemsdeletions', extra: 2 }],
  },
  { name: 'Finder', wellKnown: 'searchfolders' },
]

/** The first mailboxes hold the whole corpus as it is. */
const WITH_CORPUS = 3
/** Share of messages with attachments. */
const WITH_ATTACHMENTS = 0.15
/** Where the seeded years begin and end: 2018-01-01 and 2026-10-31. */
const FIRST = 1_514_764_800
const LAST = 1_793_404_800

const CATEGORIES = ['["Red category"]', '["Blue category"]', '["Customer","Blue category"]', '["Éclair"]'] // prettier-ignore
const FLAGGED = '{"flagStatus":"flagged"}'
const COMPLETE =
  '{"flagStatus":"complete","completedDateTime":{"dateTime":"2026-09-01T00:00:00.0000000","timeZone":"UTC"}}'

const INSERT = `INSERT INTO mail_messages (id, folder, variant, template, received, sent, is_read, is_draft,
  has_attachments, flag, categories, change, place, internet_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)`

class MailboxSeed {
  readonly #mailbox: Mailbox
  readonly #random: () => number
  readonly #insert: Database.Statement
  readonly #insertFolder: Database.Statement
  readonly #inbox: number[] = []
  readonly #seededTotal: number
  #position = 0
  #messages = 0
  #folders = 0
  #left: number

  constructor(mailbox: Mailbox, state: TenantState) {
    this.#mailbox = mailbox
    this.#seededTotal = state.seed.mails
    this.#left = state.seed.mails
    this.#random = seededRandom((state.seed.seed * 7919 + mailbox.user.index * 104_729) >>> 0).fraction
    this.#insert = mailbox.db.prepare(INSERT)
    this.#insertFolder = mailbox.db.prepare(
      'INSERT INTO mail_folders (id, box, parent, name, well_known, is_hidden, change) VALUES (?, ?, ?, ?, ?, ?, ?)',
    )
  }

  fill(): void {
    for (const folder of ROOTS) this.#folder(folder, null)
    const inbox = this.#inbox[0]!
    // Rounding leaves a few; they are the oldest of the inbox.
    this.#light({ name: 'Inbox' }, inbox, this.#left, FIRST - 86_400 * 200, FIRST)
    if (this.#mailbox.user.index < WITH_CORPUS) this.#corpus(inbox)
    const { db, box, user } = this.#mailbox
    db.prepare(
      'INSERT INTO mail_boxes (box, user, position, messages, folders, epoch, trouble) VALUES (?, ?, ?, ?, ?, 0, ?)',
    ).run(box, user.id, this.#position, this.#messages, this.#folders, this.#troubled(inbox))
  }

  #folder(folder: SeedFolder, parent: number | null): number {
    const key = keyOf(this.#mailbox.box, ++this.#folders)
    const { name, wellKnown = null, isHidden = false } = folder
    this.#insertFolder.run(
      key,
      this.#mailbox.box,
      parent,
      name,
      wellKnown,
      isHidden ? 1 : 0,
      ++this.#position,
    )
    if (wellKnown === 'inbox') this.#inbox.push(key)
    const count = Math.min(this.#left, Math.floor((folder.share ?? 0) * this.#seededTotal))
    this.#left -= count
    this.#light(folder, key, count + (folder.extra ?? 0), FIRST, LAST)
    for (const child of folder.children ?? []) this.#folder(child, key)
    return key
  }

  /** Messages spread over the years, denser towards the end. */
  #light(folder: SeedFolder, key: number, count: number, first: number, last: number): void {
    const random = this.#random
    for (let rank = 0; rank < count; rank += 1) {
      const age = ((rank + random()) / count) ** 1.6
      const template = this.#template()
      const mark = random()
      const isRead = folder.isSent === true || mark > 0.2 ? 1 : 0
      const flag = mark > 0.97 ? FLAGGED : mark > 0.955 ? COMPLETE : null
      const categories = mark > 0.2 && mark < 0.32 ? CATEGORIES[Math.floor(mark * 1000) % 4]! : null
      this.#insert.run(
        keyOf(this.#mailbox.box, ++this.#messages),
        key,
        folder.isSent === true ? VARIANT.sent : VARIANT.received,
        template.index,
        Math.floor(last - age * (last - first)),
        null,
        isRead,
        folder.isDraft === true ? 1 : 0,
        hasPaperClip(template.mail.attachments),
        flag,
        categories,
        ++this.#position,
        null,
      )
    }
  }

  #template(): Template {
    const { plain, attached } = this.#mailbox.templates
    const among = this.#random() < WITH_ATTACHMENTS ? attached : plain
    return among[Math.floor(this.#random() * among.length)]!
  }

  /** Every message of the corpus as it is, in folders named after the collections. */
  #corpus(inbox: number): void {
    const { db, box, templates } = this.#mailbox
    const parent = keyOf(box, ++this.#folders)
    const top = db.prepare<[number], { parent: number }>('SELECT parent FROM mail_folders WHERE id = ?')
    this.#insertFolder.run(parent, box, top.get(inbox)!.parent, 'Collections', null, 0, ++this.#position)
    const folders = new Map<string, number>()
    for (const { index, fileName, mail } of templates.all) {
      const name = fileName.split('-')[0]!
      const folder = folders.get(name) ?? this.#folder({ name }, parent)
      folders.set(name, folder)
      const received = mail.sent === undefined ? FIRST + index * 3607 : mail.sent + 3
      this.#insert.run(
        keyOf(box, ++this.#messages),
        folder,
        VARIANT.original,
        index,
        received,
        mail.sent ?? received,
        1,
        0,
        hasPaperClip(mail.attachments),
        null,
        null,
        ++this.#position,
        mail.content.internetMessageId ?? originalInternetId(this.#mailbox, index),
      )
    }
    this.#referenceAttachment(parent)
  }

  /** A message that links to a document instead of carrying it. */
  #referenceAttachment(folder: number): void {
    const { db, box, owner } = this.#mailbox
    const key = keyOf(box, ++this.#messages)
    const content = {
      ...emptyContent,
      subject: 'The plan as a link',
      body: { type: 'html', content: '<html><body><p>See the shared document.</p></body></html>' },
      from: owner,
      sender: owner,
      to: [owner],
      internetMessageId: `<plan-as-a-link.${box}@mail.${this.#mailbox.domain}>`,
    }
    this.#insert.run(key, folder, VARIANT.whole, 0, LAST, LAST, 1, 0, 1, null, null, ++this.#position, content.internetMessageId) // prettier-ignore
    db.prepare('UPDATE mail_messages SET whole = ?, created = received WHERE id = ?').run(
      JSON.stringify(content),
      key,
    )
    db.prepare(
      `INSERT INTO mail_attachments (message, number, kind, name, content_type, is_inline, size, modified, bytes, reference)
       VALUES (?, 1, 'reference', 'Plan.docx', NULL, 0, 382, ?, x'', ?)`,
    ).run(key, LAST, JSON.stringify({ sourceUrl: `https://${this.#mailbox.domain}/Documents/Plan.docx` }))
  }

  /** The message of the inbox that misbehaves in a mailbox made for it: the newest with attachments. */
  #troubled(inbox: number): number | null {
    const sql =
      'SELECT id FROM mail_messages WHERE folder = ? ORDER BY has_attachments DESC, received DESC LIMIT 1'
    return this.#mailbox.db.prepare<[number], { id: number }>(sql).get(inbox)?.id ?? null
  }
}

const hasPaperClip = (attachments: readonly { isInline: boolean }[]): number =>
  attachments.some(({ isInline }) => !isInline) ? 1 : 0

/** Fills a mailbox that was never touched. The same seed and user make the same mailbox. Call it inside a transaction. */
export const seedMailbox = (mailbox: Mailbox, state: TenantState): void => {
  new MailboxSeed(mailbox, state).fill()
}
