import type { AttachmentContent, NestedMail } from './mail-content.ts'
import { showsPaperClip } from './mail-content.ts'
import type { MessageAttachment } from './attachments.ts'
import { sizeOf } from './attachments.ts'
import type { Mailbox } from './mailbox.ts'
import { numberOf } from './message-row.ts'
import type { MessageRow } from './message-row.ts'
import { isoSeconds, nestedText } from './message-view.ts'
import { selected } from './query.ts'

const PROPERTIES = [
  'id', 'lastModifiedDateTime', 'name', 'contentType', 'size', 'isInline', 'contentId', 'contentLocation',
  'contentBytes', 'item',
] // prettier-ignore

export interface AttachmentViewOptions {
  readonly select: string | undefined
  readonly isImmutable: boolean
  /** Shows the nested message of an item attachment. */
  readonly isItemExpanded: boolean
}

export const attachmentId = (
  mailbox: Mailbox,
  row: MessageRow,
  attachment: number,
  isImmutable: boolean,
): string =>
  isImmutable
    ? mailbox.ids.immutableAttachment(numberOf(row.id), attachment)
    : mailbox.ids.attachment(numberOf(row.id), row.place, attachment)

const mediaType = (attachment: AttachmentContent): string | null =>
  attachment.contentType ?? (attachment.kind === 'file' ? 'application/octet-stream' : null)

const commonJson = (
  attachment: AttachmentContent,
  modified: number,
  id: string,
): Record<string, unknown> => ({
  '@odata.type': `#microsoft.graph.${attachment.kind}Attachment`,
  id,
  lastModifiedDateTime: isoSeconds(modified),
  name: attachment.name,
  contentType: mediaType(attachment),
  size: sizeOf(attachment),
  isInline: attachment.isInline,
})

const fileJson = (attachment: AttachmentContent): Record<string, unknown> => ({
  '@odata.mediaContentType': mediaType(attachment),
  contentId: attachment.contentId ?? null,
  contentLocation: attachment.contentLocation ?? null,
  contentBytes: Buffer.from(attachment.bytes).toString('base64'),
})

/** A nested message has no id and no folder of its own. */
const nestedJson = (mail: NestedMail, modified: number): Record<string, unknown> => ({
  '@odata.type': '#microsoft.graph.message',
  id: '',
  createdDateTime: isoSeconds(mail.sent ?? modified),
  lastModifiedDateTime: isoSeconds(mail.sent ?? modified),
  receivedDateTime: isoSeconds(mail.received ?? mail.sent ?? modified),
  sentDateTime: isoSeconds(mail.sent ?? modified),
  hasAttachments: showsPaperClip(mail.attachments),
  isRead: true,
  isDraft: false,
  flag: { flagStatus: 'notFlagged' },
  ...(JSON.parse(`{${nestedText(mail.content).slice(1)}}`) as Record<string, unknown>),
  attachments: mail.attachments.map((attachment, index) => ({
    ...commonJson(attachment, modified, String(index + 1)),
    ...(attachment.kind === 'file' ? fileJson(attachment) : {}),
    ...(attachment.item === undefined ? {} : { item: nestedJson(attachment.item, modified) }),
  })),
})

/** An attachment as Graph's JSON. */
export const attachmentJson = (
  mailbox: Mailbox,
  row: MessageRow,
  attachment: MessageAttachment,
  options: AttachmentViewOptions,
): Record<string, unknown> => {
  const id = attachmentId(mailbox, row, attachment.number, options.isImmutable)
  const select = selected(options.select, PROPERTIES, 'Attachment')
  const json = {
    ...commonJson(attachment, attachment.modified, id),
    ...(attachment.kind === 'file' && (select?.has('contentBytes') ?? true) ? fileJson(attachment) : {}),
    ...(attachment.kind === 'file' ? { contentId: attachment.contentId ?? null } : {}),
    ...(attachment.item !== undefined && options.isItemExpanded
      ? { item: nestedJson(attachment.item, attachment.modified) }
      : {}),
  }
  if (select === undefined) return json
  const isKept = (name: string): boolean =>
    name === 'id' || name.startsWith('@') || select.has(name) || name === 'item'
  return Object.fromEntries(Object.entries(json).filter(([name]) => isKept(name)))
}
