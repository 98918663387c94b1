import type { JsonObject } from '#base'
import type { MailItem } from '#items'
import { flagOf, objectOf, objectsOf, textOf } from '../graph-json.ts'

// MAPI properties that only the creating call may set.
const MESSAGE_FLAGS = 'Integer 0x0E07'
const DELIVERY_TIME = 'SystemTime 0x0E06'
const SUBMIT_TIME = 'SystemTime 0x0039'
const TRANSPORT_HEADERS = 'String 0x007D'
const FLAG_READ = 1
const FLAG_UNMODIFIED = 2

const COPIED = [
  'subject',
  'importance',
  'categories',
  'flag',
  'internetMessageId',
  'inferenceClassification',
  'isDeliveryReceiptRequested',
  'isReadReceiptRequested',
]
const SENDERS = ['from', 'sender']
const RECIPIENTS = ['toRecipients', 'ccRecipients', 'bccRecipients', 'replyTo']

/**
 * The JSON that makes a message anew in a folder: received, not a draft (unless it was one), with its dates and transport
 * headers. Addresses that the service would refuse are left out of from, sender and replyTo, with `strict` of all.
 */
export function newMessage(item: MailItem, { strict }: { readonly strict: boolean }): JsonObject {
  const { graph } = item
  const message: Record<string, JsonObject[string]> = {
    body: objectOf(graph, 'body') ?? { contentType: item.body.type, content: item.body.content },
    isRead: item.isRead,
    singleValueExtendedProperties: extendedProperties(item),
  }
  for (const name of COPIED)
    if (graph[name] !== undefined && graph[name] !== null) message[name] = graph[name]
  return { ...message, ...addressees(graph, { strict }) }
}

/** Who wrote it and to whom, without what the service refuses. Names that are absent stay absent. */
function addressees(graph: JsonObject, { strict }: { readonly strict: boolean }): JsonObject {
  const found: Record<string, JsonObject | JsonObject[]> = {}
  for (const name of SENDERS) {
    const sender = objectOf(graph, name)
    if (sender !== undefined && isDeliverable(sender)) found[name] = plainRecipient(sender)
  }
  for (const name of RECIPIENTS) {
    if (!Array.isArray(graph[name])) continue
    const recipients = objectsOf(graph, name)
    const isChecked = strict || name === 'replyTo'
    found[name] = (isChecked ? recipients.filter(isDeliverable) : recipients).map(plainRecipient)
  }
  return found
}

/** What can be set on a message that is there. Subject and body of a sent message may be refused. */
export function changedMessage(
  item: MailItem,
  { withContent }: { readonly withContent: boolean },
): JsonObject {
  const { graph } = item
  return {
    isRead: item.isRead,
    importance: item.importance,
    categories: [...item.categories],
    ...(graph.flag === undefined || graph.flag === null ? {} : { flag: graph.flag }),
    ...(withContent ? { subject: item.subject, body: objectOf(graph, 'body') ?? bodyOf(item) } : {}),
  }
}

function extendedProperties(item: MailItem): JsonObject[] {
  const properties: JsonObject[] = []
  const add = (id: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') properties.push({ id, value })
  }
  // Without the "unsent" bit the message is no draft.
  if (!item.isDraft) add(MESSAGE_FLAGS, String(item.isRead ? FLAG_READ | FLAG_UNMODIFIED : FLAG_UNMODIFIED))
  add(DELIVERY_TIME, secondsOf(item.receivedAt))
  add(SUBMIT_TIME, secondsOf(item.sentAt))
  add(TRANSPORT_HEADERS, item.headers.map(({ name, value }) => `${name}: ${value}\r\n`).join(''))
  return properties
}

function secondsOf(date: Date | undefined): string | undefined {
  return date?.toISOString().replace('.000Z', 'Z')
}

function bodyOf(item: MailItem): JsonObject {
  return { contentType: item.body.type, content: item.body.content }
}

/** Exchange keeps senders of its own as X.500 names, which it does not take back. */
function isDeliverable(recipient: JsonObject): boolean {
  const address = textOf(objectOf(recipient, 'emailAddress'), 'address') ?? ''
  return /^[^\s@<>]+@[^\s@<>]+$/.test(address)
}

function plainRecipient(recipient: JsonObject): JsonObject {
  const email = objectOf(recipient, 'emailAddress')
  const name = textOf(email, 'name')
  const address = textOf(email, 'address')
  return {
    emailAddress: { ...(name === undefined ? {} : { name }), ...(address === undefined ? {} : { address }) },
  }
}

const NESTED_COPIED = [
  'subject',
  'body',
  'importance',
  'categories',
  // events
  'start',
  'end',
  'location',
  'isAllDay',
  // contacts
  'givenName',
  'surname',
  'displayName',
  'emailAddresses',
  'companyName',
  'jobTitle',
  'businessPhones',
  'mobilePhone',
]
const MESSAGE = /^#microsoft\.graph\.(message|eventMessage)/i

/**
 * The nested item in a form that can be attached, or undefined when JSON would lose a part of it. A message as JSON would
 * lose its dates and headers and would be a draft.
 */
export function nestedItem(graph: JsonObject): JsonObject | undefined {
  const item = objectOf(graph, 'item')
  if (item === undefined || flagOf(item, 'hasAttachments')) return undefined
  const type = textOf(item, '@odata.type') ?? '#microsoft.graph.message'
  if (MESSAGE.test(type)) return undefined
  const kept = NESTED_COPIED.filter((name) => item[name] !== undefined && item[name] !== null)
  return { ...Object.fromEntries(kept.map((name) => [name, item[name]])), '@odata.type': type }
}
