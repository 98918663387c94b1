import type { JsonBytes } from './json-bytes.ts'
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
  /** Texts of this answer by template and variant: looking them up by their long key once is enough. */
  readonly #shared = new Map<number, Buffer>()
  readonly #folders = new Map<number, string>()
  readonly #index = Buffer.alloc(22)

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

  /** Writes the message's JSON. `more` holds further members, each with a leading comma. */
  write(to: JsonBytes, row: MessageRow, more = ''): void {
    const id = this.idOf(row)
    const changeKey = this.#mailbox.ids.changeKey(row.change)
    const type = this.#options.isTyped === true ? '"@odata.type":"#microsoft.graph.message",' : ''
    const head = `{${type}"@odata.etag":"W/\\"${changeKey}\\"","id":"${id}"`
    to.text(head + this.#ownText(row, id, changeKey))
    this.#writeContent(to, row)
    to.text(`${more}}`)
  }

  /** What every message has for itself. */
  #ownText(row: MessageRow, id: string, changeKey: string): string {
    const has = this.#select
    const sent = sentOf(row)
    const received = isoSeconds(row.received)
    const since = (seconds: number | null): string => (seconds === null ? received : isoSeconds(seconds))
    let text = ''
    if (has.has('createdDateTime')) text += `,"createdDateTime":"${since(row.created)}"`
    if (has.has('lastModifiedDateTime')) text += `,"lastModifiedDateTime":"${since(row.modified)}"`
    if (has.has('changeKey')) text += `,"changeKey":"${changeKey}"`
    if (has.has('categories')) text += `,"categories":${row.categories ?? '[]'}`
    if (has.has('receivedDateTime')) text += `,"receivedDateTime":"${received}"`
    if (has.has('sentDateTime') && sent !== undefined) text += `,"sentDateTime":"${isoSeconds(sent)}"`
    if (has.has('hasAttachments')) text += `,"hasAttachments":${row.has_attachments === 1}`
    if (has.has('parentFolderId')) text += `,"parentFolderId":"${this.#folderId(row.folder)}"`
    if (has.has('isRead')) text += `,"isRead":${row.is_read === 1}`
    if (has.has('isDraft')) text += `,"isDraft":${row.is_draft === 1}`
    if (has.has('flag')) text += `,"flag":${row.flag ?? NOT_FLAGGED}`
    if (has.has('webLink')) text += `,"webLink":"https://outlook.office365.com/owa/?ItemID=${id.replace('=', '%3D')}&exvsurl=1&viewmodel=ReadMessageItem"` // prettier-ignore
    return text + this.#conversationText(row)
  }

  #folderId(folder: number): string {
    const known = this.#folders.get(folder)
    if (known !== undefined) return known
    const id = this.#mailbox.ids.folder(numberOf(folder))
    this.#folders.set(folder, id)
    return id
  }

  #conversationText(row: MessageRow): string {
    const key = `c${numberOf(row.id)}`
    let text = ''
    if (this.#select.has('conversationId'))
      text += `,"conversationId":"${this.#mailbox.ids.conversation(key)}"`
    if (this.#select.has('conversationIndex')) {
      const index = this.#index
      index.writeUInt8(1, 0)
      index.writeUInt32BE(row.received >>> 0, 1)
      index.writeUInt32BE(numberOf(row.id), 18)
      text += `,"conversationIndex":"${index.toString('base64')}"`
    }
    return text
  }

  #writeContent(to: JsonBytes, row: MessageRow): void {
    if (row.variant === VARIANT.whole) {
      const isWanted = (name: string): boolean => this.#select.has(name)
      to.text(contentText(contentOf(this.#mailbox, row), isWanted, this.#options.preferredBody))
      return
    }
    const template = this.#mailbox.templates.all[row.template]!
    if (isLight(row)) this.#writeLight(to, row, template)
    else if (this.#select.has('internetMessageId'))
      to.text(field('internetMessageId', row.internet_id ?? undefined))
    to.bytes(this.#sharedBytes(template, row.variant))
  }

  #writeLight(to: JsonBytes, row: MessageRow, template: Template): void {
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
    to.text(text)
    if (!has.has('internetMessageHeaders')) return
    const own = lightHeaders(this.#mailbox, template, row).map((header) => JSON.stringify(header))
    to.text(`,"internetMessageHeaders":[${own.join()}`)
    to.bytes(headersBytes(template))
    to.text(']')
  }

  /** The template's members that all messages of the variant share. */
  #sharedBytes(template: Template, variant: number): Buffer {
    const key = template.index * OWN.length + variant
    const known = this.#shared.get(key)
    if (known !== undefined) return known
    const bytes = this.#makeShared(template, variant)
    this.#shared.set(key, bytes)
    return bytes
  }

  #makeShared(template: Template, variant: number): Buffer {
    return remembered(template, `${variant} ${this.#textKey}`, () => {
      const isShared = (name: string): boolean => this.#select.has(name) && !OWN[variant]!.has(name)
      const content =
        variant === VARIANT.original
          ? template.mail.content
          : { ...template.mail.content, ...lightAddressing(this.#mailbox, template, variant) }
      return contentText(content, isShared, this.#options.preferredBody)
    })
  }
}

const headersBytes = (template: Template): Buffer =>
  remembered(template, 'headers', () =>
    sharedHeaders(template.mail.content)
      .map((header) => `,${JSON.stringify(header)}`)
      .join(''),
  )

const remembered = ({ texts }: Template, key: string, make: () => string): Buffer => {
  const known = texts.get(key)
  if (known !== undefined) return known
  if (texts.size >= TEXTS_PER_TEMPLATE) texts.clear()
  const bytes = Buffer.from(make())
  texts.set(key, bytes)
  return bytes
}

/** A nested message's properties as JSON members, each with a leading comma. */
export const nestedText = (content: MailContent): string =>
  contentText(content, (name) => name !== 'uniqueBody', undefined)
