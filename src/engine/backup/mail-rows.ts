import { createHash } from 'node:crypto'
import type { MailAttachment, MailItem } from '#items'
import type { SavedFile } from '#repository'
import { mailFilePath, type MailRow } from '../catalogue/rows.ts'

const MOST_RECIPIENTS = 25

/** The date that places a message in its folder. */
export const mailDate = (item: MailItem): Date => {
  const created = item.graph['createdDateTime']
  const date =
    item.receivedAt ??
    item.sentAt ??
    (typeof created === 'string' ? new Date(created) : undefined) ??
    item.modifiedAt
  return date === undefined || Number.isNaN(date.getTime()) ? new Date(0) : date
}

/**
 * Where the message may lie below its folder, in order of preference: `2026/11/20/080102-1a2b3c4d5e6f.eml`, in UTC, then with
 * more of the id's hash for the case that another message has that name.
 */
export const mailPaths = (item: MailItem): readonly string[] => {
  const date = mailDate(item)
  const hash = createHash('sha256').update(item.id).digest('hex')
  return [12, 24, 64].map((length) => mailFilePath(date, hash.slice(0, length)))
}

export const mailRow = (item: MailItem, folderId: string, path: string, saved: SavedFile): MailRow => ({
  id: item.id,
  folderId,
  path,
  subject: item.subject,
  ...(item.from === undefined ? {} : { from: item.from }),
  to: item.to.slice(0, MOST_RECIPIENTS),
  ...times(item),
  isRead: item.isRead,
  isDraft: item.isDraft,
  isFlagged: item.isFlagged,
  hasAttachments: item.hasAttachments,
  categories: item.categories,
  importance: item.importance,
  changeKey: item.changeKey,
  sizeBytes: saved.sizeBytes,
  content: saved.content,
})

const times = ({
  receivedAt,
  sentAt,
  modifiedAt,
}: MailItem): Pick<MailRow, 'receivedAt' | 'sentAt' | 'modifiedAt'> => ({
  ...(receivedAt === undefined ? {} : { receivedAt: receivedAt.toISOString() }),
  ...(sentAt === undefined ? {} : { sentAt: sentAt.toISOString() }),
  ...(modifiedAt === undefined ? {} : { modifiedAt: modifiedAt.toISOString() }),
})

/** The bytes need not be fetched again. */
export const isSameAttachment = (a: MailAttachment, b: MailAttachment): boolean =>
  a.id === b.id &&
  a.kind === b.kind &&
  a.name === b.name &&
  a.sizeBytes === b.sizeBytes &&
  a.contentType === b.contentType &&
  a.modifiedAt?.getTime() === b.modifiedAt?.getTime()
