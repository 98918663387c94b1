import { createHash } from 'node:crypto'

import { addressList, addressText, headerText, mailDateText } from './header-text.ts'
import type { AttachmentContent, MailContent, NestedMail } from './mail-content.ts'
import { htmlToText } from './mail-content.ts'

// A message as RFC 5322 text, made of its stored properties: the same message gives the same bytes each time.

const CRLF = '\r\n'

/** Written from properties, so not repeated from the transport headers. */
const OWN_HEADERS =
  /^(from|sender|to|cc|bcc|reply-to|subject|date|message-id|mime-version|importance|content-(type|transfer-encoding|disposition|id|description|language|length))$/i

const wrapped = (base64: string): string => base64.replace(/.{76}(?=.)/g, `$&${CRLF}`)

const base64Part = (headers: readonly string[], bytes: Uint8Array): string =>
  [
    ...headers,
    'Content-Transfer-Encoding: base64',
    '',
    wrapped(Buffer.from(bytes).toString('base64')),
    '',
  ].join(CRLF)

const textPart = (subtype: 'plain' | 'html', text: string): string =>
  base64Part([`Content-Type: text/${subtype}; charset="utf-8"`], Buffer.from(text.toWellFormed()))

const multipart = (subtype: string, parts: readonly string[], seed: string): string => {
  const boundary = `_${createHash('sha256').update(subtype).update(seed).digest('hex').slice(0, 32)}_`
  const inner = parts.map((part) => `--${boundary}${CRLF}${part}`).join('')
  return `Content-Type: multipart/${subtype};${CRLF}\tboundary="${boundary}"${CRLF}${CRLF}${inner}--${boundary}--${CRLF}`
}

/** A parameter of a header; RFC 2231 where it is not plain. */
const parameter = (name: string, value: string): string => {
  if (/^[\x20-\x7e]*$/.test(value)) return `${name}="${value.replace(/[\\"]/g, '\\$&')}"`
  const bytes = Buffer.from(value.toWellFormed())
  const encoded = [...bytes].map((byte) =>
    /[A-Za-z0-9.-]/.test(String.fromCharCode(byte))
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  )
  return `${name}*=utf-8''${encoded.join('')}`
}

const oneLine = (text: string): string => text.replace(/[\r\n\0]+/g, ' ')

const attachmentPart = (attachment: AttachmentContent): string => {
  const { kind, isInline, contentId, item } = attachment
  const name = oneLine(attachment.name)
  const ids = contentId === undefined ? [] : [`Content-ID: <${oneLine(contentId)}>`]
  if (kind === 'item' && item !== undefined) {
    // An rfc822 part may be encoded by no more than its own parts are.
    const headers = [
      'Content-Type: message/rfc822',
      `Content-Disposition: attachment; ${parameter('filename', `${name}.eml`)}`,
    ]
    return [...headers, ...ids, '', composeMime(item)].join(CRLF)
  }
  const type = /^[\w.+-]+\/[\w.+-]+$/.test(attachment.contentType ?? '')
    ? attachment.contentType!
    : 'application/octet-stream'
  const place = isInline ? 'inline' : 'attachment'
  const headers = [
    `Content-Type: ${type}; ${parameter('name', name)}`,
    `Content-Disposition: ${place}; ${parameter('filename', name)}`,
    ...ids,
  ]
  return base64Part(headers, attachment.bytes)
}

const bodyPart = (content: MailContent, seed: string): string => {
  if (content.body.type === 'text') return textPart('plain', content.body.content)
  const words = htmlToText(content.body.content)
  return multipart('alternative', [textPart('plain', words), textPart('html', content.body.content)], seed)
}

/** The body with its pictures, and around it what is attached. */
const bodyWithAttachments = (mail: NestedMail, seed: string): string => {
  const carried = mail.attachments.filter(({ kind }) => kind !== 'reference')
  const isPicture = ({ isInline, contentId }: AttachmentContent): boolean =>
    isInline && contentId !== undefined
  const pictures = carried.filter(isPicture)
  const attached = carried.filter((attachment) => !isPicture(attachment))
  let part = bodyPart(mail.content, seed)
  if (pictures.length > 0) part = multipart('related', [part, ...pictures.map(attachmentPart)], seed)
  if (attached.length > 0) part = multipart('mixed', [part, ...attached.map(attachmentPart)], seed)
  return part
}

/** A long value is folded between words, so that no line passes 998 characters where there are spaces to fold at. */
const folded = (name: string, value: string): string => {
  const words = oneLine(value).split(' ')
  let line = `${name}:`
  const lines: string[] = []
  for (const word of words) {
    if (line.length + word.length + 1 > 76 && line.trim() !== '' && !line.endsWith(':')) {
      lines.push(line)
      line = ''
    }
    line += ` ${word}`
  }
  return [...lines, line].join(CRLF)
}

const ownHeaders = ({ content, sent }: NestedMail): string[] => {
  const lines: string[] = []
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') lines.push(folded(name, value))
  }
  const { from, sender } = content
  add('From', from === undefined ? undefined : addressText(from))
  if (sender?.address !== from?.address) add('Sender', sender === undefined ? undefined : addressText(sender))
  add('To', addressList(content.to))
  add('Cc', addressList(content.cc))
  add('Bcc', addressList(content.bcc))
  add('Reply-To', addressList(content.replyTo))
  add('Subject', headerText(oneLine(content.subject)))
  add('Date', sent === undefined ? undefined : mailDateText(sent))
  add('Message-ID', content.internetMessageId)
  if (content.importance !== 'normal') add('Importance', content.importance)
  return lines
}

const transportHeaders = (content: MailContent): string[] =>
  content.headers
    .filter(({ name }) => name !== '' && !OWN_HEADERS.test(name))
    .map(({ name, value }) => folded(name, headerText(oneLine(value))))

/** The message as RFC 5322 text. */
export const composeMime = (mail: NestedMail): string => {
  const seed = `${mail.content.internetMessageId ?? ''}\0${mail.content.subject}\0${mail.sent ?? ''}`
  const headers = [...transportHeaders(mail.content), ...ownHeaders(mail), 'MIME-Version: 1.0']
  return headers.join(CRLF) + CRLF + bodyWithAttachments(mail, seed)
}
