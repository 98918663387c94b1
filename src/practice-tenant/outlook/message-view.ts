import type { Mailbox } from './mailbox.ts'
import { bodyAs, bodyPreview } from './mail-content.ts'
import type { BodyType, MailAddress, MailContent } from './mail-content.ts'
import {
  contentOf,
  isLight,
  lightAddressing,
  lightHeaders,
  lightInternetId,
  lightSubject,
  numberOf,
  sentOf,
  VARIANT,
} from './message-row.ts'
import type { MessageRow } from './message-row.ts'
import { selected } from './query.ts'
import { sharedHeaders } from './templates.ts'
import type { Template } from './templates.ts'

// A message as Graph's JSON. What a message shares with its template is text made once; the rest is spliced in.

const DEFAULTS = [
  'id', 'createdDateTime', 'lastModifiedDateTime', 'changeKey', 'categories', 'receivedDateTime', 'sentDateTime',
  'hasAttachments', 'internetMessageId', 'subject', 'bodyPreview', 'importance', 'parentFolderId', 'conversationId',
  'conversationIndex', 'isDeliveryReceiptRequested', 'isReadReceiptRequested', 'isRead', 'isDraft', 'webLink',
  'inferenceClassification', 'body', 'sender', 'from', 'toRecipients', 'ccRecipients', 'bccRecipients', 'replyTo', 'flag',
] // prettier-ignore

export const MESSAGE_PROPERTIES = [...DEFAULTS, 'internetMessageHeaders', 'uniqueBody']
const DEFAULT_SET: ReadonlySet<string> = new Set(DEFAULTS)
const NOT_FLAGGED = '{"flagStatus":"notFlagged"}'
const TEXTS_PER_TEMPLATE = 32

export const isoSeconds = (seconds: number): string =>
  `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`

const recipient = ({ name, address }: MailAddress): object => ({
  emailAddress: { ...(name === undefined ? {} : { name }), ...(address === undefined ? {} : { address }) },
})
const recipients = (addresses: readonly MailAddress[]): object[] => addresses.map(recipient)
const oneRecipient = (address: MailAddress | undefined): object | undefined =>
  address === undefined ? undefined : recipient(address)

/** The properties that follow from what a message says, as JSON values; undefined ones are left out. */
const contentProperties = (
  content: MailContent,
  preferred: BodyType | undefined,
): Record<string, () => unknown> => ({
  internetMessageId: () => content.internetMessageId,
  subject: () => content.subject,
  bodyPreview: () => bodyPreview(content.body),
  importance: () => content.importance,
  isDeliveryReceiptRequested: () => content.isDeliveryReceiptRequested,
  isReadReceiptRequested: () => content.isReadReceiptRequested,
  inferenceClassification: () => content.inferenceClassification,
  body: () => bodyJson(content.body, preferred),
  uniqueBody: () => bodyJson(content.body, preferred),
  sender: () => oneRecipient(content.sender),
  from: () => oneRecipient(content.from),
  toRecipients: () => recipients(content.to),
  ccRecipients: () => recipients(content.cc),
  bccRecipients: () => recipients(content.bcc),
  replyTo: () => recipients(content.replyTo),
  internetMessageHeaders: () => (content.headers.length === 0 ? undefined : content.headers),
})

const bodyJson = (body: MailContent['body'], preferred: BodyType | undefined): object => {
  const { type, content } = bodyAs(body, preferred)
  return { contentType: type, content }
}

const field = (name: string, value: unknown): string =>
  value === undefined ? '' : `,${JSON.stringify(name)}:${JSON.stringify(value)}`

/** The JSON members of a content, each with a leading comma. */
const contentText = (
  content: MailContent,
  wanted: (property: string) => boolean,
  preferred: BodyType | undefined,
): string =>
  Object.entries(contentProperties(content, preferred))
    .filter(([name]) => wanted(name))
    .map(([name, value]) => field(name, value()))
    .join('')

/** What messages of a variant (0 received, 1 sent, 2 original) do not share with their template. */
const OWN: readonly ReadonlySet<string>[] = [
  new Set(['subject', 'internetMessageId', 'internetMessageHeaders', 'toRecipients']),
  new Set(['subject', 'internetMessageId', 'internetMessageHeaders', 'from', 'sender']),
  new Set(['internetMessageId']),
]

export interface ViewOptions {
  readonly select?: string | undefined
  readonly isImmutable?: boolean
  readonly preferredBody?: BodyType | undefined
  /** Adds `@odata.type`, as delta does. */
  readonly isTyped?: boolean
}

/** How the messages of one answer look. */
export class MessageView {
  readonly #mailbox: Mailbox
  readonly #select: ReadonlySet<string>
  readonly #options: ViewOptions
  readonly #textKey: string
  readonly #owner: string

  /** Throws 400 for a property that a message does not have. */
  constructor(mailbox: Mailbox, options: ViewOptions) {
    this.#mailbox = mailbox
    this.#options = options
    this.#select = selected(options.select, MESSAGE_PROPERTIES, 'Message') ?? DEFAULT_SET
    this.#textKey = [...this.#select].sort().join() + (options.preferredBody ?? '')
    this.#owner = JSON.stringify(recipient(mailbox.owner))
  }

  idOf(row: MessageRow): string {
    const number = numberOf(row.id)
    const { ids } = this.#mailbox
    return this.#options.isImmutable === true ? ids.immutableMessage(number) : ids.message(number, row.place)
  }

  removed(number: number, place: number): string {
    const { ids } = this.#mailbox
    const id = this.#options.isImmutable === true ? ids.immutableMessage(number) : ids.message(number, place)
    return `{"@odata.type":"#microsoft.graph.message","id":"${id}","@removed":{"reason":"deleted"}}`
  }

  /** The message's JSON. `more` holds further members, each with a leading comma. */
  text(row: MessageRow, more = ''): string {
    const id = this.idOf(row)
    const changeKey = this.#mailbox.ids.changeKey(row.change)
    const type = this.#options.isTyped === true ? '"@odata.type":"#microsoft.graph.message",' : ''
    const head = `{${type}"@odata.etag":"W/\\"${changeKey}\\"","id":"${id}"`
    return head + this.#ownText(row, id, changeKey) + this.#contentText(row) + more + '}'
  }

  /** What every message has for itself. */
  #ownText(row: MessageRow, id: string, changeKey: string): string {
    const has = this.#select
    const { ids } = this.#mailbox
    const sent = sentOf(row)
    let text = ''
    if (has.has('createdDateTime')) text += `,"createdDateTime":"${isoSeconds(row.created ?? row.received)}"`
    if (has.has('lastModifiedDateTime'))
      text += `,"lastModifiedDateTime":"${isoSeconds(row.modified ?? row.received)}"`
    if (has.has('changeKey')) text += `,"changeKey":"${changeKey}"`
    if (has.has('categories')) text += `,"categories":${row.categories ?? '[]'}`
    if (has.has('receivedDateTime')) text += `,"receivedDateTime":"${isoSeconds(row.received)}"`
    if (has.has('sentDateTime') && sent !== undefined) text += `,"sentDateTime":"${isoSeconds(sent)}"`
    if (has.has('hasAttachments')) text += `,"hasAttachments":${row.has_attachments === 1}`
    if (has.has('parentFolderId')) text += `,"parentFolderId":"${ids.folder(numberOf(row.folder))}"`
    if (has.has('isRead')) text += `,"isRead":${row.is_read === 1}`
    if (has.has('isDraft')) text += `,"isDraft":${row.is_draft === 1}`
    if (has.has('flag')) text += `,"flag":${row.flag ?? NOT_FLAGGED}`
    if (has.has('webLink')) text += `,"webLink":"https://outlook.office365.com/owa/?ItemID=${encodeURIComponent(id)}&exvsurl=1&viewmodel=ReadMessageItem"` // prettier-ignore
    return text + this.#conversationText(row)
  }

  #conversationText(row: MessageRow): string {
    const key = `c${numberOf(row.id)}`
    let text = ''
    if (this.#select.has('conversationId'))
      text += `,"conversationId":"${this.#mailbox.ids.conversation(key)}"`
    if (this.#select.has('conversationIndex')) {
      const index = Buffer.alloc(22)
      index.writeUInt8(1, 0)
      index.writeUInt32BE(row.received >>> 0, 1)
      index.writeUInt32BE(numberOf(row.id), 18)
      text += `,"conversationIndex":"${index.toString('base64')}"`
    }
    return text
  }

  #contentText(row: MessageRow): string {
    const isWanted = (name: string): boolean => this.#select.has(name)
    if (row.variant === VARIANT.whole) {
      return contentText(contentOf(this.#mailbox, row), isWanted, this.#options.preferredBody)
    }
    const template = this.#mailbox.templates.all[row.template]!
    const shared = this.#sharedText(template, row.variant)
    if (isLight(row)) return this.#lightText(row, template) + shared
    return this.#select.has('internetMessageId')
      ? field('internetMessageId', row.internet_id ?? undefined) + shared
      : shared
  }

  #lightText(row: MessageRow, template: Template): string {
    const has = this.#select
    const number = numberOf(row.id)
    let text = ''
    if (has.has('subject')) text += field('subject', lightSubject(template, number))
    if (has.has('internetMessageId'))
      text += field('internetMessageId', lightInternetId(this.#mailbox, number))
    if (row.variant === VARIANT.received) {
      if (has.has('toRecipients')) text += `,"toRecipients":[${this.#owner}]`
    } else {
      if (has.has('from')) text += `,"from":${this.#owner}`
      if (has.has('sender')) text += `,"sender":${this.#owner}`
    }
    if (!has.has('internetMessageHeaders')) return text
    const own = lightHeaders(this.#mailbox, template, row).map((header) => JSON.stringify(header))
    return `${text},"internetMessageHeaders":[${own.join()}${this.#headersText(template)}]`
  }

  /** The template's members that all messages of the variant share. */
  #sharedText(template: Template, variant: number): string {
    return remembered(template, `${variant} ${this.#textKey}`, () => {
      const isShared = (name: string): boolean => this.#select.has(name) && !OWN[variant]!.has(name)
      const content =
        variant === VARIANT.original
          ? template.mail.content
          : { ...template.mail.content, ...lightAddressing(this.#mailbox, template, variant) }
      return contentText(content, isShared, this.#options.preferredBody)
    })
  }

  #headersText(template: Template): string {
    return remembered(template, 'headers', () =>
      sharedHeaders(template.mail.content)
        .map((header) => `,${JSON.stringify(header)}`)
        .join(''),
    )
  }
}

const remembered = ({ texts }: Template, key: string, make: () => string): string => {
  const known = texts.get(key)
  if (known !== undefined) return known
  if (texts.size >= TEXTS_PER_TEMPLATE) texts.clear()
  const text = make()
  texts.set(key, text)
  return text
}

/** A nested message's properties as JSON members, each with a leading comma. */
export const nestedText = (content: MailContent): string =>
  contentText(content, (name) => name !== 'uniqueBody', undefined)
