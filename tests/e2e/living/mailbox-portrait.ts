import { createHash } from 'node:crypto'
import { forEachAtOnce } from './each.ts'
import type { Json, TenantGraph } from './tenant-graph.ts'

/** What of a message must be there again. */
const MESSAGE = [
  'subject',
  'body',
  'from',
  'sender',
  'toRecipients',
  'ccRecipients',
  'bccRecipients',
  'replyTo',
  'receivedDateTime',
  'sentDateTime',
  'isRead',
  'isDraft',
  'flag',
  'categories',
  'importance',
  'hasAttachments',
  'internetMessageId',
  'internetMessageHeaders',
  'isDeliveryReceiptRequested',
  'isReadReceiptRequested',
  'inferenceClassification',
]
const ATTACHMENT = ['@odata.type', 'name', 'contentType', 'size', 'isInline', 'contentId', 'contentLocation']

export interface Folder {
  readonly id: string
  /** Names from the top, each one encoded. */
  readonly path: string
}

export interface MessagePortrait {
  readonly folder: string
  readonly properties: Json
  readonly attachments: readonly Json[]
  /** SHA-256 of the whole message as MIME. */
  readonly mime: string
}

interface LiveFolder {
  readonly id: string
  readonly displayName: string
  readonly childFolderCount: number
}

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')

const only = (json: Json, names: readonly string[]): Json =>
  Object.fromEntries(names.map((name) => [name, json[name]]))

/** All folders, hidden ones too, parents first. */
export const foldersOf = async (graph: TenantGraph, userId: string): Promise<Folder[]> => {
  const base = `/users/${userId}/mailFolders`
  const found: Folder[] = []
  const below = async (path: string, address: string): Promise<void> => {
    for (const folder of await graph.all<LiveFolder>(`${address}?includeHiddenFolders=true&$top=100`)) {
      const here = `${path}/${encodeURIComponent(folder.displayName)}`
      found.push({ id: folder.id, path: here })
      if (folder.childFolderCount > 0) await below(here, `${base}/${folder.id}/childFolders`)
    }
  }
  await below('', base)
  const deletions = await graph.ok<LiveFolder>(`${base}/recoverableitemsdeletions`)
  found.push({ id: deletions.id, path: '/Recoverable Items/Deletions' })
  return found
}

export interface LiveMessage extends Json {
  readonly id: string
}

export const messagesIn = (graph: TenantGraph, userId: string, folderId: string): Promise<LiveMessage[]> =>
  graph.all<LiveMessage>(
    `/users/${userId}/mailFolders/${folderId}/messages?$top=200&$select=id,${MESSAGE.join(',')}`,
  )

const attachmentsOf = async (graph: TenantGraph, userId: string, messageId: string): Promise<Json[]> => {
  const base = `/users/${userId}/messages/${messageId}/attachments`
  const listed = await graph.all(base)
  const found: Json[] = []
  for (const attachment of listed) {
    const isReference = attachment['@odata.type'] === '#microsoft.graph.referenceAttachment'
    const content = isReference
      ? undefined
      : sha256(await graph.bytes(`${base}/${String(attachment['id'])}/$value`))
    found.push({ ...only(attachment, ATTACHMENT), content })
  }
  return found
}

/** Everything that a mailbox holds, message by message, as whoever owns it could tell it from another. */
export const portraitOfMailbox = async (
  graph: TenantGraph,
  userId: string,
): Promise<readonly MessagePortrait[]> => {
  const found: MessagePortrait[] = []
  for (const folder of await foldersOf(graph, userId)) {
    const messages = await messagesIn(graph, userId, folder.id)
    found.push(
      ...(await forEachAtOnce(messages, async (message) => ({
        folder: folder.path,
        properties: only(message, MESSAGE),
        attachments: await attachmentsOf(graph, userId, message.id),
        mime: sha256(await graph.bytes(`/users/${userId}/messages/${message.id}/$value`)),
      }))),
    )
  }
  return found.sort((a, b) => compare(keyOf(a), keyOf(b)))
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Messages may share their Internet id: what is left decides the order. */
const keyOf = ({ folder, properties, mime }: MessagePortrait): string =>
  [folder, properties['internetMessageId'], properties['receivedDateTime'], mime].map(String).join(' ')
