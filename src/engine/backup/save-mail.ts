import { isHoldfastError } from '#base'
import { BOUNDARY_IN_CONTENT, mailItemFile, readMailItemFile, type ItemAttachment } from '#formats'
import type { MailItem } from '#items'
import type { RepositoryReader, RepositoryWriter, SavedFile } from '#repository'
import type { MailRow } from '../catalogue/rows.ts'
import type { AttachmentContent, MailboxSource } from '../connectors/connectors.ts'
import { isSameAttachment } from './mail-rows.ts'
import { fromSource } from './source-failure.ts'

const MOST_SALTS = 4

export interface MailSaving {
  readonly source: Pick<MailboxSource, 'attachments'>
  readonly reader: RepositoryReader
  readonly writer: Pick<RepositoryWriter, 'saveFile'>
  readonly signal: AbortSignal
}

/**
 * Saves a message's item file. Attachments that `old` has already come from the repository, the others from the service;
 * what the service throws arrives as SourceFailure.
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
  { source, reader, signal }: MailSaving,
  item: MailItem,
  old: MailRow | undefined,
): AsyncGenerator<ItemAttachment> {
  const known = old?.hasAttachments === true ? await knownAttachments(reader, old) : undefined
  try {
    for await (const fetched of fromSource(source.attachments(item, signal))) {
      const before = await known?.next()
      if (
        before !== undefined &&
        before.done !== true &&
        isSameAttachment(before.value.attachment, fetched.attachment)
      )
        yield { attachment: fetched.attachment, content: before.value.content }
      else yield ofService(fetched)
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
