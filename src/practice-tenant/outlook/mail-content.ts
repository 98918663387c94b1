import type { JsonObject } from '#base'

// What a message says, without what happens to it in a mailbox (folder, read state, flag, categories).

export interface MailAddress {
  readonly name?: string
  readonly address?: string
}

export interface MailHeader {
  readonly name: string
  readonly value: string
}

export type BodyType = 'text' | 'html'
export type Importance = 'low' | 'normal' | 'high'

export interface MailContent {
  readonly subject: string
  readonly body: { readonly type: BodyType; readonly content: string }
  readonly from: MailAddress | undefined
  readonly sender: MailAddress | undefined
  readonly to: readonly MailAddress[]
  readonly cc: readonly MailAddress[]
  readonly bcc: readonly MailAddress[]
  readonly replyTo: readonly MailAddress[]
  readonly internetMessageId: string | undefined
  /** Transport headers in their order. */
  readonly headers: readonly MailHeader[]
  readonly importance: Importance
  readonly inferenceClassification: 'focused' | 'other'
  readonly isDeliveryReceiptRequested: boolean
  readonly isReadReceiptRequested: boolean
  /** Extended properties that the practice tenant keeps without knowing them. */
  readonly properties: readonly { readonly id: string; readonly value: string }[]
}

export type AttachmentKind = 'file' | 'item' | 'reference'

export interface AttachmentContent {
  readonly kind: AttachmentKind
  readonly name: string
  readonly contentType: string | undefined
  readonly isInline: boolean
  readonly contentId: string | undefined
  readonly contentLocation: string | undefined
  /** The bytes of a file; empty for the other kinds. */
  readonly bytes: Uint8Array
  /** The nested message of an item attachment. */
  readonly item: NestedMail | undefined
  /** Where a reference attachment leads, as it was given. */
  readonly reference: JsonObject | undefined
}

/** A message with its attachments and times. */
export interface NestedMail {
  readonly content: MailContent
  readonly attachments: readonly AttachmentContent[]
  /** Seconds since 1970. */
  readonly sent: number | undefined
  readonly received: number | undefined
}

export const emptyContent: MailContent = {
  subject: '',
  body: { type: 'text', content: '' },
  from: undefined,
  sender: undefined,
  to: [],
  cc: [],
  bcc: [],
  replyTo: [],
  internetMessageId: undefined,
  headers: [],
  importance: 'normal',
  inferenceClassification: 'focused',
  isDeliveryReceiptRequested: false,
  isReadReceiptRequested: false,
  properties: [],
}

/** Outlook's paper clip: inline attachments do not count. */
export const showsPaperClip = (attachments: readonly { isInline: boolean }[]): boolean =>
  attachments.some(({ isInline }) => !isInline)

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
}

const decodeEntity = (whole: string, name: string): string => {
  if (!name.startsWith('#')) return ENTITIES[name.toLowerCase()] ?? whole
  const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number.parseInt(name.slice(1), 10)
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole
}

/** The words of an HTML body. */
export const htmlToText = (html: string): string =>
  html
    .replace(/<(script|style|head|title)\b[^>]*>[\s\S]*?<\/\1\s*>/gi, '')
    .replace(/<!--[\s\S]*?-->/g, '')
    .replace(/[\r\n\t ]+/g, ' ')
    .replace(/<(br|\/p|\/div|\/tr|\/li|\/h[1-6])\b[^>]*>/gi, '\r\n')
    .replace(/<[^>]*>/g, '')
    .replace(/&(#x?[0-9a-f]+|[a-z]+);/gi, decodeEntity)
    .replace(/ *\r\n */g, '\r\n')
    .trim()

const escapeHtml = (text: string): string =>
  text.replace(/[&<>]/g, (sign) => (sign === '&' ? '&amp;' : sign === '<' ? '&lt;' : '&gt;'))

export const textToHtml = (text: string): string =>
  `<html><head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body>\r\n<div class="PlainText">${escapeHtml(text).replace(/\r?\n/g, '<br>\r\n')}</div>\r\n</body></html>\r\n`

/** The body in the form that a client prefers. */
export const bodyAs = (body: MailContent['body'], wanted: BodyType | undefined): MailContent['body'] => {
  if (wanted === undefined || wanted === body.type) return body
  return {
    type: wanted,
    content: wanted === 'text' ? htmlToText(body.content) : textToHtml(body.content),
  }
}

/** The first 255 characters of a body's words. */
export const bodyPreview = (body: MailContent['body']): string => {
  const text = body.type === 'html' ? htmlToText(body.content) : body.content
  return text.slice(0, 2000).replace(/\s+/g, ' ').trim().slice(0, 255)
}
