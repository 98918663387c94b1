import type { JsonObject } from '#base'

import type { AttachmentContent, AttachmentKind, NestedMail } from './mail-content.ts'
import type { Mailbox } from './mailbox.ts'
import { VARIANT } from './message-row.ts'
import type { MessageRow } from './message-row.ts'

/** An attachment in its place: number 1 is a message's first. */
export interface MessageAttachment extends AttachmentContent {
  readonly number: number
  /** Bytes as the service counts them: content and what describes it. */
  readonly size: number
  /** Seconds since 1970. */
  readonly modified: number
}

interface AttachmentRow {
  readonly number: number
  readonly kind: AttachmentKind
  readonly name: string
  readonly content_type: string | null
  readonly is_inline: number
  readonly content_id: string | null
  readonly content_location: string | null
  readonly size: number
  readonly modified: number
  readonly bytes: Buffer
  readonly item: string | null
  readonly reference: string | null
}

type NestedJson = Omit<NestedMail, 'attachments'> & {
  readonly attachments: readonly (Omit<AttachmentContent, 'bytes' | 'item'> & {
    bytes: string
    item?: NestedJson
  })[]
}

const toJson = (mail: NestedMail): NestedJson => ({
  ...mail,
  attachments: mail.attachments.map((attachment) => ({
    ...attachment,
    bytes: Buffer.from(attachment.bytes).toString('base64'),
    ...(attachment.item === undefined ? {} : { item: toJson(attachment.item) }),
  })) as NestedJson['attachments'],
})

const fromJson = (json: NestedJson): NestedMail => ({
  ...json,
  attachments: json.attachments.map((attachment) => ({
    ...attachment,
    bytes: Buffer.from(attachment.bytes, 'base64'),
    item: attachment.item === undefined ? undefined : fromJson(attachment.item),
  })),
})

const DESCRIPTION_BYTES = 180

const nestedSize = (mail: NestedMail): number =>
  Buffer.byteLength(mail.content.body.content) +
  mail.attachments.reduce((sum, attachment) => sum + sizeOf(attachment), 600)

/** The size that Outlook shows: a little more than the content's. */
export const sizeOf = (attachment: AttachmentContent): number =>
  DESCRIPTION_BYTES +
  attachment.bytes.byteLength +
  (attachment.item === undefined ? 0 : nestedSize(attachment.item))

const fromRow = (row: AttachmentRow): MessageAttachment => ({
  number: row.number,
  kind: row.kind,
  name: row.name,
  contentType: row.content_type ?? undefined,
  isInline: row.is_inline === 1,
  contentId: row.content_id ?? undefined,
  contentLocation: row.content_location ?? undefined,
  bytes: row.bytes,
  item: row.item === null ? undefined : fromJson(JSON.parse(row.item) as NestedJson),
  reference: row.reference === null ? undefined : (JSON.parse(row.reference) as JsonObject),
  size: row.size,
  modified: row.modified,
})

const templateAttachments = (mailbox: Mailbox, row: MessageRow): MessageAttachment[] =>
  mailbox.templates.all[row.template]!.mail.attachments.map((attachment, index) => ({
    ...attachment,
    number: index + 1,
    size: sizeOf(attachment),
    modified: row.received,
  }))

/** A message's attachments in their order. */
export const attachmentsOf = (mailbox: Mailbox, row: MessageRow): MessageAttachment[] => {
  if (row.variant !== VARIANT.whole) return templateAttachments(mailbox, row)
  return mailbox.db
    .prepare<[number], AttachmentRow>('SELECT * FROM mail_attachments WHERE message = ? ORDER BY number')
    .all(row.id)
    .map(fromRow)
}

/** One attachment, without reading the others; undefined when there is none. */
export const attachmentOf = (
  mailbox: Mailbox,
  row: MessageRow,
  number: number,
): MessageAttachment | undefined => {
  if (row.variant !== VARIANT.whole) return templateAttachments(mailbox, row)[number - 1]
  const found = mailbox.db
    .prepare<[number, number], AttachmentRow>(
      'SELECT * FROM mail_attachments WHERE message = ? AND number = ?',
    )
    .get(row.id, number)
  return found === undefined ? undefined : fromRow(found)
}

/** Adds an attachment to a message that is stored whole; its number is the answer. */
export const addAttachment = (mailbox: Mailbox, message: number, attachment: AttachmentContent): number => {
  const { last } = mailbox.db
    .prepare<[number], { last: number | null }>(
      'SELECT MAX(number) AS last FROM mail_attachments WHERE message = ?',
    )
    .get(message)!
  const number = (last ?? 0) + 1
  mailbox.db
    .prepare(
      `INSERT INTO mail_attachments (message, number, kind, name, content_type, is_inline, content_id,
       content_location, size, modified, bytes, item, reference) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      message,
      number,
      attachment.kind,
      attachment.name,
      attachment.contentType ?? null,
      attachment.isInline ? 1 : 0,
      attachment.contentId ?? null,
      attachment.contentLocation ?? null,
      sizeOf(attachment),
      mailbox.now(),
      attachment.bytes,
      attachment.item === undefined ? null : JSON.stringify(toJson(attachment.item)),
      attachment.reference === undefined ? null : JSON.stringify(attachment.reference),
    )
  return number
}

/** Copies a template's attachments to a message that is about to be stored whole. Their numbers stay. */
export const ownAttachments = (mailbox: Mailbox, row: MessageRow): void => {
  if (row.variant === VARIANT.whole) return
  for (const attachment of templateAttachments(mailbox, row)) addAttachment(mailbox, row.id, attachment)
}

export const deleteAttachment = (mailbox: Mailbox, message: number, number: number): void => {
  mailbox.db.prepare('DELETE FROM mail_attachments WHERE message = ? AND number = ?').run(message, number)
}
