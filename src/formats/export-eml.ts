import { createHash } from 'node:crypto'
import type { MailItem } from '#items'
import type { ItemAttachment, MailItemFile } from './contract.ts'
import { cleanText, headerLine, parameter, safeMediaType } from './header-text.ts'
import { ownHeaders } from './mail-headers.ts'
import { contentIdLine } from './mail-item-file.ts'

/** Attachments that are not inline wait up to this size for inline ones behind them, which belong beside the body. */
const WAITING_BYTES = 16 << 20
const BASE64_LINE_BYTES = 57
const DESCRIBES_PARTS = /^(content-.*|mime-version)$/i

/**
 * A message as a transferable EML that any mail program opens: base64 parts, nested messages as message/rfc822, inline
 * pictures beside the body, no part of our own. Headers that the message travelled with come first, as they were.
 */
export async function* exportEml(file: MailItemFile): AsyncGenerator<Uint8Array> {
  const { item } = file
  const [mixed, related] = boundaries(item)
  const attachments = file.attachments[Symbol.asyncIterator]()
  const waiting: HeldAttachment[] = []
  let waitingBytes = 0
  try {
    yield text(
      headers(item) + multipart('mixed', mixed) + open(mixed) + multipart('related', related) + open(related),
    )
    yield* bodyPart(item)
    let next = await attachments.next()
    for (; next.done !== true && waitingBytes < WAITING_BYTES; next = await attachments.next()) {
      if (next.value.content === undefined) continue
      if (isBesideBody(next.value)) {
        yield* attachmentPart(next.value, related)
        continue
      }
      const content = await collect(next.value.content)
      waitingBytes += content.length
      waiting.push({ ...next.value, content })
    }
    yield text(close(related))
    for (const { attachment, content } of waiting)
      yield* attachmentPart({ attachment, content: once(content) }, mixed)
    for (; next.done !== true; next = await attachments.next()) yield* attachmentPart(next.value, mixed)
    yield text(close(mixed))
  } finally {
    await attachments.return?.()
  }
}

interface HeldAttachment {
  readonly attachment: ItemAttachment['attachment']
  readonly content: Buffer
}

const isBesideBody = ({ attachment }: ItemAttachment): boolean =>
  attachment.isInline && attachment.kind === 'file' && attachment.contentId !== undefined

const text = (lines: string): Buffer => Buffer.from(lines)
const open = (boundary: string): string => `--${boundary}\r\n`
const close = (boundary: string): string => `--${boundary}--\r\n`
const multipart = (kind: string, boundary: string): string =>
  `${headerLine('Content-Type', `multipart/${kind};\r\n boundary="${boundary}"`)}\r\n`

// Every part is base64, which never holds "=_": the boundaries need no search.
const boundaries = (item: MailItem): [mixed: string, related: string] => {
  const digest = createHash('sha256').update(item.id).digest('hex').slice(0, 24)
  return [`=_mixed_${digest}`, `=_related_${digest}`]
}

const headers = (item: MailItem): string => {
  const travelled = item.headers.filter(({ name }) => isFieldName(name) && !DESCRIBES_PARTS.test(name))
  const present = new Set(travelled.map(({ name }) => name.toLowerCase()))
  const lacking = ownHeaders(item).filter(({ name }) => !present.has(name.toLowerCase()))
  return (
    travelled.map(({ name, value }) => headerLine(name, foldValue(value))).join('') +
    lacking.map(({ line }) => line).join('') +
    headerLine('MIME-Version', '1.0')
  )
}

// Printable ASCII but the colon: RFC 5322, 3.6.8.
const isFieldName = (name: string): boolean => /^[\x21-\x39\x3b-\x7e]{1,200}$/.test(name)

/** Keeps the folds that are there; a line break that is no fold becomes a space. */
const foldValue = (value: string): string =>
  value
    .split(/\r\n(?=[ \t]+\S)/)
    .map((line) => foldLong(cleanText(line)))
    .join('\r\n')
    .trim()

const foldLong = (line: string): string =>
  line.length <= 900 ? line : line.replace(/(.{1,900})( |$)(?=.)/g, '$1\r\n ')

async function* bodyPart(item: MailItem): AsyncGenerator<Uint8Array> {
  const type = item.body.type === 'html' ? 'text/html' : 'text/plain'
  yield text(
    `${headerLine('Content-Type', `${type}; charset=utf-8`)}${headerLine('Content-Transfer-Encoding', 'base64')}\r\n`,
  )
  yield* base64Lines(once(Buffer.from(item.body.content)))
}

async function* attachmentPart(
  { attachment, content }: ItemAttachment,
  boundary: string,
): AsyncGenerator<Uint8Array> {
  if (content === undefined) return
  // RFC 2046 5.2.1: base64 is not allowed on message/rfc822, so a nested message goes as it is.
  const isMessage = attachment.kind === 'item'
  if (isMessage) yield* messagePart(attachment, content, boundary)
  else {
    const disposition = attachment.isInline ? 'inline' : 'attachment'
    yield text(
      open(boundary) +
        headerLine(
          'Content-Type',
          safeMediaType(attachment.contentType) + parameter('name', attachment.name),
        ) +
        headerLine('Content-Transfer-Encoding', 'base64') +
        headerLine('Content-Disposition', disposition + parameter('filename', attachment.name)) +
        contentIdLine(attachment.contentId) +
        '\r\n',
    )
    yield* base64Lines(content)
  }
}

async function* messagePart(
  attachment: ItemAttachment['attachment'],
  content: AsyncIterable<Uint8Array>,
  boundary: string,
): AsyncGenerator<Uint8Array> {
  yield text(
    open(boundary) +
      headerLine('Content-Type', 'message/rfc822') +
      headerLine('Content-Transfer-Encoding', 'binary') +
      headerLine('Content-Disposition', `attachment${parameter('filename', messageName(attachment.name))}`) +
      '\r\n',
  )
  yield* content
  yield text('\r\n')
}

const messageName = (name: string): string => (/\.(eml|ics|vcf)$/i.test(name) ? name : `${name}.eml`)

/** Lines of 76 characters, whatever the pieces of the stream are. */
async function* base64Lines(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const piece of content) {
    const all = rest.length === 0 ? Buffer.from(piece) : Buffer.concat([rest, piece])
    const whole = all.length - (all.length % BASE64_LINE_BYTES)
    rest = all.subarray(whole)
    if (whole > 0) yield text(wrapped(all.subarray(0, whole)))
  }
  if (rest.length > 0) yield text(wrapped(rest))
}

const wrapped = (bytes: Buffer): string => bytes.toString('base64').replace(/.{1,76}/g, '$&\r\n')

const collect = async (content: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const pieces: Uint8Array[] = []
  for await (const piece of content) pieces.push(piece)
  return Buffer.concat(pieces)
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
