import PostalMime from 'postal-mime'
import type { Address, Attachment, Email } from 'postal-mime'

import type { AttachmentContent, Importance, MailAddress, MailContent, NestedMail } from './mail-content.ts'

/** RFC 5322, 2.2: a line such as that which begins a message of a mbox file names no field. */
const FIELD_NAME = /^[\x21-\x39\x3b-\x7e]+$/

const MAX_NESTING = 30

const flatten = (addresses: readonly Address[] | undefined): MailAddress[] =>
  (addresses ?? [])
    .flatMap(
      (address): { name: string; address: string }[] =>
        address.group ?? [address as { name: string; address: string }],
    )
    .filter(({ name, address }) => name !== '' || address !== '')
    .map(({ name, address }) => (address === '' ? { name } : { name: name === '' ? address : name, address }))

const single = (address: Address | undefined): MailAddress | undefined =>
  address === undefined ? undefined : flatten([address])[0]

/** Seconds since 1970 of an ISO date that a mail could bear, else undefined. */
const mailDate = (date: string | undefined): number | undefined => {
  const seconds = Math.floor(Date.parse(date ?? '') / 1000)
  return seconds >= 0 && seconds < 4_102_444_800 ? seconds : undefined
}

const headerOf = (email: Email, name: string): string | undefined =>
  email.headers.find(({ key }) => key === name)?.value

const importanceOf = (email: Email): Importance => {
  const word = (headerOf(email, 'importance') ?? headerOf(email, 'x-msmail-priority') ?? '')
    .trim()
    .toLowerCase()
  if (word === 'high' || word === 'low') return word
  const priority = Number.parseInt(headerOf(email, 'x-priority') ?? '3', 10)
  return priority < 3 ? 'high' : priority > 3 ? 'low' : 'normal'
}

const contentOf = (email: Email): MailContent => ({
  subject: email.subject ?? '',
  body:
    email.html === undefined
      ? { type: 'text', content: email.text ?? '' }
      : { type: 'html', content: email.html },
  from: single(email.from),
  sender: single(email.sender) ?? single(email.from),
  to: flatten(email.to),
  cc: flatten(email.cc),
  bcc: flatten(email.bcc),
  replyTo: flatten(email.replyTo),
  internetMessageId: email.messageId === '' ? undefined : email.messageId,
  headers: email.headers
    .filter(({ originalKey }) => FIELD_NAME.test(originalKey))
    .map(({ originalKey, value }) => ({ name: originalKey, value })),
  importance: importanceOf(email),
  inferenceClassification: 'focused',
  isDeliveryReceiptRequested: false,
  isReadReceiptRequested: headerOf(email, 'disposition-notification-to') !== undefined,
  properties: [],
})

const EXTENSIONS: Readonly<Record<string, string>> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/gif': 'gif',
  'text/plain': 'txt',
  'text/html': 'htm',
  'application/pdf': 'pdf',
}

/** Exchange names a part that has no name by its place: `ATT00001.jpg`. */
const nameOf = (part: Attachment, index: number): string => {
  if (part.filename !== null && part.filename !== '') return part.filename
  return `ATT${String(index + 1).padStart(5, '0')}.${EXTENSIONS[part.mimeType] ?? 'bin'}`
}

const bytesOf = (content: Attachment['content']): Uint8Array =>
  typeof content === 'string' ? Buffer.from(content) : new Uint8Array(content)

const attachmentOf = async (part: Attachment, index: number, depth: number): Promise<AttachmentContent> => {
  const bytes = bytesOf(part.content)
  const item =
    part.mimeType === 'message/rfc822' && depth < MAX_NESTING ? await nested(bytes, depth + 1) : undefined
  const shared = {
    isInline: part.disposition === 'inline' || part.related === true,
    contentId: part.contentId?.replace(/^<|>$/g, ''),
    contentLocation: undefined,
    reference: undefined,
  }
  if (item === undefined) {
    const name = nameOf(part, index)
    return { ...shared, kind: 'file', name, contentType: part.mimeType, bytes, item }
  }
  const name = part.filename?.replace(/\.eml$/i, '') ?? item.content.subject
  return { ...shared, kind: 'item', name, contentType: undefined, bytes: new Uint8Array(), item }
}

const nested = async (bytes: Uint8Array, depth: number): Promise<NestedMail | undefined> => {
  try {
    return await parse(bytes, depth)
  } catch {
    // A nested message that is no message stays a file.
    return undefined
  }
}

const parse = async (bytes: Uint8Array, depth: number): Promise<NestedMail> => {
  const email = await PostalMime.parse(bytes, {
    forceRfc822Attachments: true,
    attachmentEncoding: 'arraybuffer',
  })
  const attachments: AttachmentContent[] = []
  for (const [index, part] of email.attachments.entries()) {
    attachments.push(await attachmentOf(part, index, depth))
  }
  const sent = mailDate(email.date)
  return { content: contentOf(email), attachments, sent, received: sent }
}

/** Reads a message as Exchange takes one in. Nested messages become item attachments. Rejects only for limits of nesting and headers. */
export const parseMime = (bytes: Uint8Array): Promise<NestedMail> => parse(bytes, 0)
