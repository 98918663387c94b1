import { attachmentJson } from './attachment-view.ts'
import { attachmentsOf } from './attachments.ts'
import { parseExpand } from './expand.ts'
import type { MessageExpand } from './expand.ts'
import { JsonBytes } from './json-bytes.ts'
import { contextOf } from './mail-call.ts'
import type { MailCall } from './mail-call.ts'
import { contentOf, sentOf } from './message-row.ts'
import type { MessageRow } from './message-row.ts'
import { isoSeconds, MessageView } from './message-view.ts'
import { preferredBody, wantsImmutableIds } from './query.ts'
import { knownProperty, samePropertyId } from './read-message.ts'
import type { KnownProperty } from './read-message.ts'

/** `$select` and `$expand` of a call, or of the first call of a delta round. */
export interface Shape {
  readonly select: string | undefined
  readonly expand: string | undefined
}

export const shapeOf = ({ request }: MailCall): Shape => ({
  select: request.query.get('$select'),
  expand: request.query.get('$expand'),
})

const MESSAGE_FLAGS = { read: 1, unmodified: 2, unsent: 8, hasAttachments: 16 }

const flagsOf = (row: MessageRow): number =>
  (row.is_read === 1 ? MESSAGE_FLAGS.read : 0) |
  (row.is_draft === 1 ? MESSAGE_FLAGS.unsent : 0) |
  (row.has_attachments === 1 ? MESSAGE_FLAGS.hasAttachments : 0)

const knownValue = ({ mailbox }: MailCall, row: MessageRow, property: KnownProperty): string | undefined => {
  const sent = sentOf(row)
  switch (property) {
    case 'flags':
      return String(flagsOf(row))
    case 'delivered':
      return isoSeconds(row.received)
    case 'submitted':
      return sent === undefined ? undefined : isoSeconds(sent)
    case 'transportHeaders': {
      const { headers } = contentOf(mailbox, row)
      return headers.length === 0
        ? undefined
        : headers.map(({ name, value }) => `${name}: ${value}\r\n`).join('')
    }
  }
}

const extendedProperties = (call: MailCall, row: MessageRow, ids: readonly string[]): object[] =>
  ids.flatMap((id) => {
    const known = knownProperty(id)
    const value =
      known === undefined
        ? contentOf(call.mailbox, row).properties.find((property) => samePropertyId(property.id, id))?.value
        : knownValue(call, row, known)
    return value === undefined ? [] : [{ id, value }]
  })

/** Writes the messages of one answer. */
export class MessageWriter {
  readonly view: MessageView
  readonly #call: MailCall
  readonly #expand: MessageExpand

  constructor(call: MailCall, shape: Shape, more: { isTyped?: boolean } = {}) {
    const { request, mailbox } = call
    this.#call = call
    this.#expand = parseExpand(shape.expand)
    this.view = new MessageView(mailbox, {
      select: shape.select,
      isImmutable: wantsImmutableIds(request),
      preferredBody: preferredBody(request),
      ...more,
    })
  }

  write(to: JsonBytes, row: MessageRow): void {
    this.view.write(to, row, this.#expandedText(row))
  }

  /** A message alone, with its context. */
  single(row: MessageRow): Buffer {
    const { request, mailbox } = this.#call
    const context = contextOf(request, `users('${mailbox.user.id}')/messages/$entity`)
    const message = new JsonBytes()
    this.write(message, row)
    const json = new JsonBytes()
    json.text(`{"@odata.context":${JSON.stringify(context)},`)
    json.bytes(message.done().subarray(1))
    return json.done()
  }

  #expandedText(row: MessageRow): string {
    const { attachments, properties } = this.#expand
    let text = ''
    if (attachments !== undefined)
      text += `,"attachments":${JSON.stringify(this.#attachments(row, attachments.select))}`
    if (properties.length === 0) return text
    const found = extendedProperties(this.#call, row, properties)
    return found.length === 0 ? text : `${text},"singleValueExtendedProperties":${JSON.stringify(found)}`
  }

  #attachments(row: MessageRow, select: string | undefined): object[] {
    const { mailbox, request } = this.#call
    const options = { select, isImmutable: wantsImmutableIds(request), isItemExpanded: false }
    return attachmentsOf(mailbox, row).map((attachment) => attachmentJson(mailbox, row, attachment, options))
  }
}
