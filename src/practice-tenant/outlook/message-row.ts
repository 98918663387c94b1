import type Database from 'better-sqlite3'

import { addressList, addressText, headerText, mailDateText } from './header-text.ts'
import type { Mailbox } from './mailbox.ts'
import type { MailContent, MailHeader } from './mail-content.ts'
import { prepared } from './statements.ts'
import { sharedHeaders } from './templates.ts'
import type { Template } from './templates.ts'

/** How a message comes by its content. */
export const VARIANT = {
  /** A template's, addressed to the owner, with a subject and identity of its own. */
  received: 0,
  /** A template's, written by the owner. */
  sent: 1,
  /** A message of the corpus as it is. */
  original: 2,
  /** Stored whole in the row, attachments in their table. */
  whole: 3,
} as const

export interface MessageRow {
  readonly id: number
  readonly folder: number
  readonly variant: number
  readonly template: number
  /** Times in seconds since 1970. */
  readonly received: number
  readonly sent: number | null
  readonly created: number | null
  readonly modified: number | null
  readonly is_read: number
  readonly is_draft: number
  readonly has_attachments: number
  /** JSON of the followupFlag where it is set. */
  readonly flag: string | null
  /** JSON array of names where there are any. */
  readonly categories: string | null
  readonly change: number
  readonly place: number
  readonly internet_id: string | null
  readonly whole: string | null
}

const NUMBERS = 2 ** 32

/** The number of a folder or message within its mailbox, from its database key. */
export const numberOf = (key: number): number => key % NUMBERS
export const keyOf = (box: number, number: number): number => box * NUMBERS + number

const TOPICS = [
  'budget', 'offsite', 'release plan', 'contract', 'follow-up', 'invoice', 'minutes', 'travel', 'draft 2',
  'questions', 'Übergabe', 'order', 'feedback', 'roadmap', 'training', 'next steps',
] // prettier-ignore

export const isLight = (row: MessageRow): boolean => row.variant < VARIANT.original

/** A light message's subject: the template's with an ending of its own. */
export const lightSubject = (template: Template, number: number): string =>
  `${template.mail.content.subject} – ${TOPICS[number % TOPICS.length]!} ${number}`

export const lightSent = (received: number, number: number): number => received - 2 - (number % 40)

export const lightInternetId = (mailbox: Mailbox, number: number): string =>
  `<PT${mailbox.box.toString(36).toUpperCase()}X${number}@mail.${mailbox.domain}>`

/** Exchange gives an identity to a message that comes without one. */
export const originalInternetId = (mailbox: Mailbox, template: number): string =>
  `<PTO${mailbox.box.toString(36).toUpperCase()}.${template}@mail.${mailbox.domain}>`

/** The number that an internet message id made by `lightInternetId` speaks of, else undefined. */
export const lightNumber = (mailbox: Mailbox, internetId: string): number | undefined => {
  const digits = /X(\d{1,10})@/.exec(internetId)?.[1]
  if (digits === undefined) return undefined
  const number = Number(digits)
  return lightInternetId(mailbox, number) === internetId ? number : undefined
}

type Addressing = Pick<MailContent, 'from' | 'sender' | 'to'>

/** Who wrote a light message and to whom. */
export const lightAddressing = (mailbox: Mailbox, template: Template, variant: number): Addressing => {
  const { content } = template.mail
  if (variant === VARIANT.received) {
    return { from: content.from, sender: content.sender, to: [mailbox.owner] }
  }
  const to = content.from === undefined ? content.to : [content.from]
  return { from: mailbox.owner, sender: mailbox.owner, to }
}

/** The headers that a light message does not share with its template. */
export const lightHeaders = (mailbox: Mailbox, template: Template, row: MessageRow): MailHeader[] => {
  const number = numberOf(row.id)
  const { from, to } = lightAddressing(mailbox, template, row.variant)
  return [
    { name: 'From', value: from === undefined ? '' : addressText(from) },
    { name: 'To', value: addressList(to) },
    { name: 'Subject', value: headerText(lightSubject(template, number)) },
    { name: 'Date', value: mailDateText(lightSent(row.received, number)) },
    { name: 'Message-ID', value: lightInternetId(mailbox, number) },
  ]
}

const lightContent = (mailbox: Mailbox, template: Template, row: MessageRow): MailContent => ({
  ...template.mail.content,
  ...lightAddressing(mailbox, template, row.variant),
  subject: lightSubject(template, numberOf(row.id)),
  internetMessageId: lightInternetId(mailbox, numberOf(row.id)),
  headers: [...lightHeaders(mailbox, template, row), ...sharedHeaders(template.mail.content)],
})

/** Everything that a message says. */
export const contentOf = (mailbox: Mailbox, row: MessageRow): MailContent => {
  if (row.whole !== null) return JSON.parse(row.whole) as MailContent
  const template = mailbox.templates.all[row.template]!
  if (isLight(row)) return lightContent(mailbox, template, row)
  return { ...template.mail.content, internetMessageId: row.internet_id ?? undefined }
}

export const sentOf = (row: MessageRow): number | undefined =>
  row.sent ?? (isLight(row) ? lightSent(row.received, numberOf(row.id)) : undefined)

export const messageRow = (db: Database.Database, key: number): MessageRow | undefined =>
  prepared<[number], MessageRow>(db, 'SELECT * FROM mail_messages WHERE id = ?').get(key)
