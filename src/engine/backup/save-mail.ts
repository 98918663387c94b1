import { isHoldfastError } from '#base'
import { BOUNDARY_IN_CONTENT, mailItemFile, readMailItemFile, type ItemAttachment } from '#formats'
import type { MailAttachment, MailItem } from '#items'
import type { RepositoryReader, RepositoryWriter, SavedFile } from '#repository'
import type { MailRow } from '../catalogue/rows.ts'
import type { AttachmentContent, MailboxSource } from '../connectors/connectors.ts'
import { isSameAttachment } from './mail-rows.ts'
import { fromSource } from './source-failure.ts'

const MOST_SALTS = 4

export interface MailSaving {
  readonly source: Pick<MailboxSource, 'attachments' | 'listAttachments'>
  readonly reader: RepositoryReader
  readonly writer: Pick<RepositoryWriter, 'saveFile'>
  readonly signal: AbortSignal
  ask<Answer>(question: Promise<Answer>): Promise<Answer>
}

/**
 * Saves a message's item file. Attachments that `old` has already come from the repository, which costs one small call; the
 * others from the service. What the service throws arrives as SourceFailure.
 */
export const saveMail = async (saving: MailSaving, item: MailItem, old?: MailRow): Promise<SavedFile> => {
  if (!item.hasAttachments) return saving.writer.saveFile(mailItemFile(item, []))
  for (let salt = 0; ; salt += 1)
    try {
      return await saving.writer.saveFile(mailItemFile(item, attachments(saving, item, old), { salt }))
    } catch (error) {
      const isBoundary = isHoldfastError(error) && error.reason === BOUNDARY_IN_CONTENT
      if (!isBoundary || salt >= MOST_SALTS) throw error
    }
}

async function* attachments(
  saving: MailSaving,
  item: MailItem,
  old: MailRow | undefined,
): AsyncGenerator<ItemAttachment> {
  const { source, signal } = saving
  const given = new Set<string>()
  if (old?.hasAttachments === true) {
    const listed = await saving.ask(source.listAttachments(item, signal))
    for await (const stored of storedAttachments(saving.reader, old, listed)) {
      given.add(stored.attachment.id)
      yield stored
    }
    if (given.size === listed.length) return
  }
  for await (const fetched of fromSource(source.attachments(item, signal)))
    if (!given.has(fetched.attachment.id)) yield ofService(fetched)
}

/** From the old file, in order, as long as they are those that are listed now. */
async function* storedAttachments(
  reader: RepositoryReader,
  old: MailRow,
  listed: readonly MailAttachment[],
): AsyncGenerator<ItemAttachment> {
  const known = await knownAttachments(reader, old)
  try {
    for (const attachment of listed) {
      const before = await known?.next()
      if (before === undefined || before.done === true) return
      if (!isSameAttachment(before.value.attachment, attachment)) return
      yield before.value
    }
  } finally {
    await known?.return?.()
  }
}

const ofService = ({ attachment, content }: AttachmentContent): ItemAttachment => ({
  attachment,
  content: content === undefined ? undefined : fromSource(content),
})

/** A file that cannot be read any more is no reason to fail: everything is fetched then. */
const knownAttachments = async (
  reader: RepositoryReader,
  old: MailRow,
): Promise<AsyncIterator<ItemAttachment> | undefined> => {
  try {
    const file = await readMailItemFile(reader.readFile(old))
    return file.attachments[Symbol.asyncIterator]()
  } catch {
    return undefined
  }
}
