import type { AttachmentContent, MailContent, NestedMail } from './mail-content.ts'
import { showsPaperClip } from './mail-content.ts'
import { addAttachment, attachmentsOf, ownAttachments } from './attachments.ts'
import type { Mailbox } from './mailbox.ts'
import { nextChange } from './mailbox.ts'
import { contentOf, keyOf, messageRow, sentOf, VARIANT } from './message-row.ts'
import type { MessageRow } from './message-row.ts'

// What can happen to a message. Each function is one step: callers that take several wrap them in a transaction.

/** What a mailbox keeps of a message beside its content. */
export interface MessageState {
  readonly folder: number
  readonly received: number
  readonly sent: number | undefined
  readonly isRead: boolean
  readonly isDraft: boolean
  readonly flag: string | undefined
  readonly categories: string | undefined
}

const nextMessage = (mailbox: Mailbox): number => {
  const sql = 'UPDATE mail_boxes SET messages = messages + 1 WHERE box = ? RETURNING messages'
  return keyOf(
    mailbox.box,
    mailbox.db.prepare<[number], { messages: number }>(sql).get(mailbox.box)!.messages,
  )
}

/** Stores a new message whole. */
export const insertMessage = (
  mailbox: Mailbox,
  content: MailContent,
  attachments: readonly AttachmentContent[],
  state: MessageState,
): MessageRow =>
  mailbox.db.transaction(() => {
    const key = nextMessage(mailbox)
    const now = mailbox.now()
    mailbox.db
      .prepare(
        `INSERT INTO mail_messages (id, folder, variant, template, received, sent, created, modified, is_read, is_draft,
         has_attachments, flag, categories, change, place, internet_id, whole)
         VALUES (?, ?, ?, -1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)`,
      )
      .run(
        key,
        state.folder,
        VARIANT.whole,
        state.received,
        state.sent ?? null,
        now,
        now,
        state.isRead ? 1 : 0,
        state.isDraft ? 1 : 0,
        showsPaperClip(attachments) ? 1 : 0,
        state.flag ?? null,
        state.categories ?? null,
        nextChange(mailbox),
        content.internetMessageId ?? null,
        JSON.stringify(content),
      )
    for (const attachment of attachments) addAttachment(mailbox, key, attachment)
    return messageRow(mailbox.db, key)!
  })()

/** Sets columns that say how the message stands, and counts the change. */
export const updateMessage = (
  mailbox: Mailbox,
  key: number,
  columns: Readonly<Record<string, string | number | null>>,
): void => {
  const all = { ...columns, change: nextChange(mailbox), modified: mailbox.now() }
  const names = Object.keys(all)
  mailbox.db
    .prepare(
      `UPDATE mail_messages SET ${names.map((name) => `${name} = @${name}`).join(', ')} WHERE id = @id`,
    )
    .run({ ...all, id: key })
}

/** Gives a message its own content: from now on it shares nothing with a template. */
export const rewriteContent = (mailbox: Mailbox, row: MessageRow, content: MailContent): void => {
  mailbox.db.transaction(() => {
    ownAttachments(mailbox, row)
    const whole = { variant: VARIANT.whole, whole: JSON.stringify(content), sent: sentOf(row) ?? null }
    updateMessage(mailbox, row.id, { ...whole, internet_id: content.internetMessageId ?? null })
  })()
}

/** Sets the paper clip anew after attachments have come or gone. */
export const attachmentsChanged = (mailbox: Mailbox, row: MessageRow): void => {
  const current = messageRow(mailbox.db, row.id)!
  const clip = showsPaperClip(attachmentsOf(mailbox, current)) ? 1 : 0
  updateMessage(mailbox, row.id, { has_attachments: clip })
}

const leave = (mailbox: Mailbox, row: MessageRow): void => {
  mailbox.db
    .prepare('INSERT INTO mail_removed (folder, change, message, place) VALUES (?, ?, ?, ?)')
    .run(row.folder, nextChange(mailbox), row.id, row.place)
}

/** Moves a message: removed in its folder, new in the other, with the same immutable id and a new ordinary one. */
export const relocateMessage = (mailbox: Mailbox, key: number, folder: number): void => {
  const row = messageRow(mailbox.db, key)!
  leave(mailbox, row)
  updateMessage(mailbox, key, { folder, place: row.place + 1 })
}

/** Removes a message for ever. */
export const removeMessage = (mailbox: Mailbox, key: number): void => {
  const row = messageRow(mailbox.db, key)!
  leave(mailbox, row)
  mailbox.db.prepare('DELETE FROM mail_messages WHERE id = ?').run(key)
  mailbox.db.prepare('DELETE FROM mail_attachments WHERE message = ?').run(key)
}

/** A second message with the same content and state in another folder. */
export const copyMessage = (mailbox: Mailbox, row: MessageRow, folder: number): MessageRow => {
  const attachments = attachmentsOf(mailbox, row)
  return insertMessage(mailbox, contentOf(mailbox, row), attachments, {
    folder,
    received: row.received,
    sent: sentOf(row),
    isRead: row.is_read === 1,
    isDraft: row.is_draft === 1,
    flag: row.flag ?? undefined,
    categories: row.categories ?? undefined,
  })
}

/** A message with its attachments, as it would travel. */
export const wholeMail = (mailbox: Mailbox, row: MessageRow): NestedMail => ({
  content: contentOf(mailbox, row),
  attachments: attachmentsOf(mailbox, row),
  sent: sentOf(row),
  received: row.received,
})
