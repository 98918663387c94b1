import { createHash } from 'node:crypto'
import { isHoldfastError, messageOf } from '#base'
import { readMailItemFile } from '#formats'
import { QuickXorHash, type DriveItem, type MailAttachment, type MailItem } from '#items'
import type { RepositoryReader } from '#repository'
import { isSameContent } from '../backup/drive-rows.ts'
import { isDriveRow, type CatalogueRow, type DriveRow, type MailRow } from '../catalogue/rows.ts'
import type { Tenant } from '../connectors/connectors.ts'

/**
 * What a test of an item says. `live`: equal to the item in the tenant. `recorded`: the item is gone or changed there, or
 * cannot be asked for, and its bytes are those that were recorded.
 */
export type ItemVerdict =
  | { readonly outcome: 'equal'; readonly by: 'live' | 'recorded' }
  | { readonly outcome: 'differs'; readonly why: string }
  | { readonly outcome: 'not-comparable'; readonly why: string }

export interface ItemTest {
  readonly reader: RepositoryReader
  /** Undefined where the tenant is not connected any more. */
  readonly tenant: Tenant | undefined
  readonly userId: string
  readonly signal: AbortSignal
}

/** Reads an item back as a restore does, and compares it. What the repository cannot give differs. */
export const testItem = async (test: ItemTest, row: CatalogueRow): Promise<ItemVerdict> => {
  try {
    return await (isDriveRow(row) ? testFile(test, row) : testMail(test, row))
  } catch (error) {
    test.signal.throwIfAborted()
    if (isHoldfastError(error, 'corrupt') || isHoldfastError(error, 'not-found'))
      return { outcome: 'differs', why: messageOf(error) }
    return { outcome: 'not-comparable', why: messageOf(error) }
  }
}

const EQUAL_LIVE: ItemVerdict = { outcome: 'equal', by: 'live' }
const EQUAL_RECORDED: ItemVerdict = { outcome: 'equal', by: 'recorded' }
const differs = (why: string): ItemVerdict => ({ outcome: 'differs', why })

const testMail = async ({ reader, tenant, userId, signal }: ItemTest, row: MailRow): Promise<ItemVerdict> => {
  const file = await readMailItemFile(reader.readFile(row))
  const stored: Part[] = []
  for await (const { attachment, content } of file.attachments)
    stored.push({ attachment, hash: content && (await hashOf(content)) })
  if (file.item.id !== row.id || file.item.changeKey !== row.changeKey)
    return differs('the stored message is not the one that the catalogue names')
  const mailbox = tenant?.mailbox(userId)
  const live = await asked(mailbox?.message(row.id, signal))
  if (live === undefined || live.changeKey !== row.changeKey) return EQUAL_RECORDED
  const field = differentField(file.item, live)
  if (field !== undefined) return differs(`${field} is not as in the mailbox`)
  if (!live.hasAttachments && stored.length === 0) return EQUAL_LIVE
  const now: Part[] = []
  for await (const { attachment, content } of mailbox!.attachments(live, signal))
    now.push({ attachment, hash: content && (await hashOf(content)) })
  return partsVerdict(stored, now)
}

/** What the tenant says; undefined where it does not have the item or cannot be asked. */
const asked = async <Item>(question: Promise<Item | undefined> | undefined): Promise<Item | undefined> => {
  try {
    return await question
  } catch (error) {
    if (isHoldfastError(error, 'cancelled') || !isHoldfastError(error)) throw error
    return undefined
  }
}

interface Part {
  readonly attachment: MailAttachment
  readonly hash: string | undefined
}

const partsVerdict = (stored: readonly Part[], live: readonly Part[]): ItemVerdict => {
  if (stored.length !== live.length)
    return differs(`${stored.length} attachments are stored and ${live.length} are in the mailbox`)
  for (const [at, { attachment, hash }] of stored.entries()) {
    const other = live[at]!
    const isSame =
      attachment.kind === other.attachment.kind &&
      attachment.name === other.attachment.name &&
      attachment.contentType === other.attachment.contentType
    if (!isSame) return differs(`the attachment ${attachment.name} is not as in the mailbox`)
    // A nested message is put together anew by the service for each request.
    if (attachment.kind === 'file' && hash !== other.hash)
      return differs(`the bytes of the attachment ${attachment.name} are not those in the mailbox`)
  }
  return EQUAL_LIVE
}

const FIELDS = [
  'subject',
  'from',
  'to',
  'cc',
  'bcc',
  'receivedAt',
  'sentAt',
  'isRead',
  'isDraft',
  'isFlagged',
  'importance',
  'categories',
  'internetMessageId',
  'body',
] as const satisfies readonly (keyof MailItem)[]

const differentField = (stored: MailItem, live: MailItem): string | undefined =>
  FIELDS.find((name) => canonical(stored[name]) !== canonical(live[name]))

/** Equal for values that differ in the order of their properties alone. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  ) ?? ''

const testFile = async (
  { reader, tenant, userId, signal }: ItemTest,
  row: DriveRow,
): Promise<ItemVerdict> => {
  const stored = await bytesOf(reader.readFile(row))
  if (stored.sizeBytes !== row.sizeBytes)
    return differs(`${stored.sizeBytes} bytes are stored and ${row.sizeBytes} were recorded`)
  if (row.quickXorHash !== undefined && stored.quickXorHash !== row.quickXorHash)
    return differs('the bytes are not those whose hash was recorded')
  const drive = tenant?.drive(userId)
  const live = await asked(drive?.item(row.id, signal))
  if (live === undefined || !hasContentOf(row, live)) return EQUAL_RECORDED
  const now = await asked(bytesOf(drive!.content(live, signal)))
  if (now === undefined) return EQUAL_RECORDED
  return now.sha256 === stored.sha256 ? EQUAL_LIVE : differs('the bytes are not those in the drive')
}

/** Whether the file in the drive is to have the content that was stored. Lists of changes leave cTag out. */
const hasContentOf = (row: DriveRow, live: DriveItem): boolean =>
  isSameContent(live, row) || (live.kind === 'file' && row.eTag !== undefined && live.eTag === row.eTag)

const hashOf = async (content: AsyncIterable<Uint8Array>): Promise<string> => (await bytesOf(content)).sha256

const bytesOf = async (content: AsyncIterable<Uint8Array>) => {
  const sha256 = createHash('sha256')
  const quickXor = new QuickXorHash()
  let sizeBytes = 0
  for await (const piece of content) {
    sha256.update(piece)
    quickXor.update(piece)
    sizeBytes += piece.length
  }
  return { sha256: sha256.digest('hex'), quickXorHash: quickXor.digest(), sizeBytes }
}
