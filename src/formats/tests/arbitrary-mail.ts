import fc from 'fast-check'
import type { JsonObject } from '#base'
import type { MailAttachment, MailItem } from '#items'

// Arbitrary messages: what a service could send, and what it should not.

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 120 }),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.constantFrom(
    '',
    'Re: Budget',
    'a\r\nBcc: evil@example.com',
    '=?UTF-8?Q?fake?=',
    '\ud800',
    '\u202Etxt.exe',
    '  spaces  ',
    '\0',
  ),
)
const date = fc.date({
  min: new Date('1970-01-01'),
  max: new Date('2099-12-31'),
  noInvalidDate: true,
})
const address = fc.record({ name: text, address: text }, { requiredKeys: [] })
const optional = <Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(arbitrary, { nil: undefined })
const graph = fc
  .dictionary(text, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 6, noNullPrototype: true })
  .map((value) => JSON.parse(JSON.stringify(value)) as JsonObject)

const present = <Item extends object>(item: Item): Item =>
  Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined)) as Item

export const anyMailItem: fc.Arbitrary<MailItem> = fc
  .record({
    id: text,
    changeKey: text,
    folderId: text,
    subject: text,
    from: optional(address),
    to: fc.array(address, { maxLength: 4 }),
    cc: fc.array(address, { maxLength: 3 }),
    bcc: fc.array(address, { maxLength: 2 }),
    receivedAt: optional(date),
    sentAt: optional(date),
    modifiedAt: optional(date),
    isRead: fc.boolean(),
    isDraft: fc.boolean(),
    isFlagged: fc.boolean(),
    importance: fc.constantFrom('low' as const, 'normal' as const, 'high' as const),
    categories: fc.array(text, { maxLength: 3 }),
    internetMessageId: optional(text),
    hasAttachments: fc.boolean(),
    body: fc.record({
      type: fc.constantFrom('text' as const, 'html' as const),
      content: fc.oneof(
        text,
        fc.string({ unit: 'grapheme', maxLength: 3000 }),
        text.map((piece) => piece.repeat(800)),
      ),
    }),
    headers: fc.array(fc.record({ name: text, value: text }), { maxLength: 4 }),
    graph,
  })
  .chain((item) =>
    fc.tuple(fc.boolean(), fc.boolean()).map(([hasBody, hasHeaders]) =>
      present({
        ...item,
        graph: {
          ...item.graph,
          ...(hasBody ? { body: { contentType: item.body.type, content: item.body.content } } : {}),
          ...(hasHeaders ? { internetMessageHeaders: item.headers } : {}),
        },
      } as unknown as MailItem),
    ),
  )

export interface KnownAttachment {
  readonly attachment: MailAttachment
  readonly bytes: Uint8Array | undefined
}

export const anyAttachment: fc.Arbitrary<KnownAttachment> = fc
  .record({
    attachment: fc
      .record({
        id: text,
        kind: fc.constantFrom('file' as const, 'item' as const, 'reference' as const),
        name: text,
        contentType: fc.oneof(
          text,
          fc.constantFrom('application/vnd.holdfast.attachment+json', 'multipart/mixed', 'image/png'),
        ),
        sizeBytes: fc.nat(),
        isInline: fc.boolean(),
        contentId: optional(text),
        modifiedAt: optional(date),
        graph,
      })
      .map((attachment) => present(attachment as MailAttachment)),
    bytes: fc.oneof(
      fc.uint8Array({ maxLength: 4000 }),
      fc.constantFrom(...['\r\n', '\r\n--', '\n', ''].map((line) => new TextEncoder().encode(line))),
    ),
  })
  .map(({ attachment, bytes }) => ({
    attachment,
    bytes: attachment.kind === 'reference' ? undefined : bytes,
  }))
