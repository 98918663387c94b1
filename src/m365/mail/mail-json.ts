import type { JsonObject } from '#base'
import type { MailAddress, MailAttachment, MailFolder, MailItem } from '#items'
import {
  dateOf,
  flagOf,
  numberOf,
  objectOf,
  objectsOf,
  present,
  resourceOf,
  textOf,
  textsOf,
} from '../graph-json.ts'

/** What is asked of a message: all that can be restored or shown, in one answer. */
export const MESSAGE_PROPERTIES = [
  'id',
  'changeKey',
  'parentFolderId',
  'createdDateTime',
  'lastModifiedDateTime',
  'receivedDateTime',
  'sentDateTime',
  'subject',
  'body',
  'from',
  'sender',
  'toRecipients',
  'ccRecipients',
  'bccRecipients',
  'replyTo',
  'importance',
  'isRead',
  'isDraft',
  'flag',
  'categories',
  'hasAttachments',
  'internetMessageId',
  'internetMessageHeaders',
  'conversationId',
  'conversationIndex',
  'inferenceClassification',
  'isDeliveryReceiptRequested',
  'isReadReceiptRequested',
  'webLink',
].join(',')

/** Ids that survive moves, and bodies as they were sent. Goes with every call about messages. */
export const MESSAGE_PREFERENCES = ['IdType="ImmutableId"', 'outlook.allow-unsafe-html']

// The service says `hasAttachments` only for what is not inline. Others are betrayed by the body, which shows them by
// content id or relative address, or by the structure that the message was sent with.
const INLINE_REFERENCE = /\bcid:|<(?:img|v:imagedata)\b[^>]*\bsrc\s*=\s*["']?(?!https?:|data:|\/\/)/i
const PARTS_WITHOUT_ATTACHMENTS = /^\s*multipart\/alternative\b/i

export function toMailItem(json: JsonObject): MailItem {
  const graph = resourceOf(json)
  const body = objectOf(graph, 'body')
  const content = textOf(body, 'content') ?? ''
  const headers = objectsOf(graph, 'internetMessageHeaders').map((header) => ({
    name: textOf(header, 'name') ?? '',
    value: textOf(header, 'value') ?? '',
  }))
  const optional = present({
    from: addressOf(objectOf(graph, 'from')),
    receivedAt: dateOf(graph, 'receivedDateTime'),
    sentAt: dateOf(graph, 'sentDateTime'),
    modifiedAt: dateOf(graph, 'lastModifiedDateTime'),
    internetMessageId: textOf(graph, 'internetMessageId'),
  })
  return {
    id: textOf(graph, 'id') ?? '',
    changeKey: textOf(graph, 'changeKey') ?? '',
    folderId: textOf(graph, 'parentFolderId') ?? '',
    subject: textOf(graph, 'subject') ?? '',
    to: addressesOf(graph, 'toRecipients'),
    cc: addressesOf(graph, 'ccRecipients'),
    bcc: addressesOf(graph, 'bccRecipients'),
    isRead: flagOf(graph, 'isRead'),
    isDraft: flagOf(graph, 'isDraft'),
    isFlagged: textOf(objectOf(graph, 'flag'), 'flagStatus')?.toLowerCase() === 'flagged',
    importance: importanceOf(graph),
    categories: textsOf(graph, 'categories'),
    hasAttachments:
      flagOf(graph, 'hasAttachments') || INLINE_REFERENCE.test(content) || hasOtherParts(headers),
    body: { type: textOf(body, 'contentType')?.toLowerCase() === 'text' ? 'text' : 'html', content },
    headers,
    graph,
    ...optional,
  }
}

function hasOtherParts(headers: MailItem['headers']): boolean {
  const type = headers.find(({ name }) => name.toLowerCase() === 'content-type')?.value ?? ''
  return /^\s*multipart\//i.test(type) && !PARTS_WITHOUT_ATTACHMENTS.test(type)
}

export function toMailFolder(graph: JsonObject, known: FolderNames): MailFolder {
  const id = textOf(graph, 'id') ?? ''
  const parentId = textOf(graph, 'parentFolderId')
  const wellKnownName = known.nameOf.get(id)
  return {
    id,
    ...(parentId === undefined || parentId === known.rootId ? {} : { parentId }),
    name: textOf(graph, 'displayName') ?? '',
    ...(wellKnownName === undefined ? {} : { wellKnownName }),
    isHidden: flagOf(graph, 'isHidden'),
    itemCount: numberOf(graph, 'totalItemCount') ?? 0,
  }
}

/** Which folders are the mailbox's own, by id: their display names are translated. */
export interface FolderNames {
  readonly rootId: string | undefined
  readonly nameOf: ReadonlyMap<string, string>
}

const KINDS: Readonly<Record<string, MailAttachment['kind']>> = {
  '#microsoft.graph.fileattachment': 'file',
  '#microsoft.graph.itemattachment': 'item',
  '#microsoft.graph.referenceattachment': 'reference',
}

/** An attachment without its bytes. */
export function toMailAttachment(json: JsonObject): MailAttachment {
  const { contentBytes: _bytes, ...graph } = resourceOf(json)
  const kind = KINDS[textOf(graph, '@odata.type')?.toLowerCase() ?? ''] ?? 'file'
  return {
    id: textOf(graph, 'id') ?? '',
    kind,
    name: textOf(graph, 'name') ?? '',
    contentType:
      textOf(graph, 'contentType') ?? (kind === 'item' ? 'message/rfc822' : 'application/octet-stream'),
    sizeBytes: numberOf(graph, 'size') ?? 0,
    isInline: flagOf(graph, 'isInline'),
    ...present({ contentId: textOf(graph, 'contentId'), modifiedAt: dateOf(graph, 'lastModifiedDateTime') }),
    graph,
  }
}

function addressesOf(graph: JsonObject, name: string): readonly MailAddress[] {
  return objectsOf(graph, name).flatMap((recipient) => addressOf(recipient) ?? [])
}

function addressOf(recipient: JsonObject | undefined): MailAddress | undefined {
  const email = objectOf(recipient, 'emailAddress')
  if (email === undefined) return undefined
  return present({ name: textOf(email, 'name'), address: textOf(email, 'address') })
}

function importanceOf(graph: JsonObject): MailItem['importance'] {
  const importance = textOf(graph, 'importance')?.toLowerCase()
  return importance === 'low' || importance === 'high' ? importance : 'normal'
}
