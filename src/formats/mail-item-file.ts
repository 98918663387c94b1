import { createHash } from 'node:crypto'
import { HoldfastError } from '#base'
import type { MailItem } from '#items'
import type { ItemAttachment } from './contract.ts'
import { headerLine, parameter, safeMediaType } from './header-text.ts'
import { ownHeaders } from './mail-headers.ts'
import { packAttachment, packMailItem } from './mail-item-json.ts'

// Writes the item file of a message. Layout: docs/design/item-file.md.

/** A stretch of the file that ends on a chunk border. */
export type ItemFilePart = Uint8Array | AsyncIterable<Uint8Array>

export interface ItemFileOptions {
  /** Changes the boundary. Raised by one after BOUNDARY_IN_CONTENT. */
  readonly salt?: number
}

/** `HoldfastError.reason` when an attachment holds the file's own boundary: write again with the next salt. */
export const BOUNDARY_IN_CONTENT = 'boundary-in-content'

export const ITEM_TYPE = 'application/vnd.holdfast.graph+json'
export const ATTACHMENT_TYPE = 'application/vnd.holdfast.attachment+json'
export const LENGTH_HEADER = 'X-Holdfast-Length'
export const ATTACHMENT_HEADER = 'X-Holdfast-Attachment'

/** Attachments up to this size are read before their part is begun, so that its header states the length. */
const HELD_BYTES = 4 << 20
/** A body from this size on is stored apart, so that a changed flag does not store it again. */
const BODY_APART_BYTES = 32 << 10
/** Metadata of an attachment up to this size go into its header, above it into a part of their own. */
const HEADER_JSON_BYTES = 12 << 10

/**
 * The file's bytes, in parts whose ends are chunk borders: equal attachments give equal parts. Equal input gives equal
 * bytes. Attachments are read in order and once; a streamed part has to be read to its end before the next is asked for.
 * Throws `conflict` with reason BOUNDARY_IN_CONTENT; what the attachments throw passes through.
 */
export async function* mailItemFile(
  item: MailItem,
  attachments: AsyncIterable<ItemAttachment> | Iterable<ItemAttachment>,
  options: ItemFileOptions = {},
): AsyncGenerator<ItemFilePart> {
  const body = Buffer.from(item.body.content)
  const json = Buffer.from(packMailItem(item))
  const boundary = boundaryFor(body, json, options.salt ?? 0)
  const delimiter = Buffer.from(`\r\n--${boundary}`)
  const marker = delimiter.subarray(2)
  const jsonPart = Buffer.concat([bytes(delimiter, jsonHeader(json.length)), json])
  const head = Buffer.from(fileHeader(item, boundary) + bodyHeader(item, body))
  if (body.length >= BODY_APART_BYTES) yield* [head, body]
  let own: Buffer[] = body.length >= BODY_APART_BYTES ? [jsonPart] : [head, body, jsonPart]
  for await (const { attachment, content } of attachments) {
    const metadata = packAttachment(attachment, content !== undefined)
    if (content === undefined) {
      own.push(metadataPart(delimiter, metadata))
      continue
    }
    const { held, rest } = await hold(content, HELD_BYTES)
    if (metadata.length > HEADER_JSON_BYTES) own.push(metadataPart(delimiter, metadata))
    const inHeader = metadata.length > HEADER_JSON_BYTES ? '' : metadata
    own.push(
      bytes(delimiter, contentHeader(attachment, inHeader, rest === undefined ? held.length : undefined)),
    )
    yield Buffer.concat(own)
    own = []
    if (rest === undefined) {
      if (held.includes(marker)) throw boundaryInContent()
      if (held.length > 0) yield held
    } else yield guarded(held, rest, marker)
  }
  own.push(Buffer.from(`\r\n--${boundary}--\r\n`))
  yield Buffer.concat(own)
}

const boundaryFor = (body: Buffer, json: Buffer, firstSalt: number): string => {
  for (let salt = firstSalt; ; salt += 1) {
    const digest = createHash('sha256').update(String(salt)).update(json).update(body).digest('hex')
    const boundary = `=_holdfast_${digest.slice(0, 32)}`
    if (!body.includes(boundary) && !json.includes(boundary)) return boundary
  }
}

const bytes = (delimiter: Buffer, header: string): Buffer =>
  Buffer.concat([delimiter, Buffer.from(`\r\n${header}`)])

const fileHeader = (item: MailItem, boundary: string): string =>
  ownHeaders(item)
    .map(({ line }) => line)
    .join('') +
  headerLine('MIME-Version', '1.0') +
  headerLine('X-Holdfast-Item', 'mail; format=1') +
  headerLine('Content-Type', `multipart/mixed;\r\n boundary="${boundary}"`) +
  `\r\n--${boundary}\r\n`

const bodyHeader = (item: MailItem, body: Buffer): string =>
  headerLine('Content-Type', `text/${item.body.type === 'html' ? 'html' : 'plain'}; charset=utf-8`) +
  headerLine('Content-Transfer-Encoding', hasLongLine(body) ? 'binary' : '8bit') +
  headerLine(LENGTH_HEADER, String(body.length)) +
  '\r\n'

const hasLongLine = (body: Buffer): boolean => {
  let start = 0
  while (body.length - start > 998) {
    const end = body.indexOf(10, start)
    if (end < 0 || end - start > 998) return true
    start = end + 1
  }
  return false
}

const jsonHeader = (length: number): string =>
  headerLine('Content-Type', ITEM_TYPE) +
  headerLine('Content-Transfer-Encoding', 'binary') +
  headerLine('Content-Disposition', 'attachment; filename="holdfast-item.json"') +
  headerLine(LENGTH_HEADER, String(length)) +
  '\r\n'

/** A reference has no content; its metadata are the part. */
const metadataPart = (delimiter: Buffer, metadata: string): Buffer =>
  bytes(
    delimiter,
    headerLine('Content-Type', ATTACHMENT_TYPE) +
      headerLine('Content-Transfer-Encoding', 'binary') +
      headerLine('Content-Disposition', 'attachment; filename="holdfast-attachment.json"') +
      headerLine(LENGTH_HEADER, String(Buffer.byteLength(metadata))) +
      `\r\n${metadata}`,
  )

const contentHeader = (
  attachment: ItemAttachment['attachment'],
  metadata: string,
  length: number | undefined,
): string => {
  const type = attachment.kind === 'item' ? 'message/rfc822' : foreignMediaType(attachment.contentType)
  const disposition = attachment.isInline && attachment.kind === 'file' ? 'inline' : 'attachment'
  return (
    headerLine('Content-Type', type) +
    headerLine('Content-Transfer-Encoding', 'binary') +
    headerLine('Content-Disposition', disposition + parameter('filename', attachment.name)) +
    contentIdLine(attachment.contentId) +
    (metadata === '' ? '' : headerLine(ATTACHMENT_HEADER, folded(Buffer.from(metadata).toString('base64')))) +
    (length === undefined ? '' : headerLine(LENGTH_HEADER, String(length))) +
    '\r\n'
  )
}

/** Our own types announce our own parts; no attachment may pass for one. */
const foreignMediaType = (type: string): string => {
  const safe = safeMediaType(type)
  return safe.startsWith('application/vnd.holdfast.') ? 'application/octet-stream' : safe
}

export const contentIdLine = (contentId: string | undefined): string => {
  const clean = (contentId ?? '').replace(/[^\x21-\x7e]|[<>]/g, '').slice(0, 900)
  return clean === '' ? '' : headerLine('Content-ID', `<${clean}>`)
}

const folded = (base64: string): string => base64.replace(/(.{76})(?=.)/g, '$1\r\n ')

/** The first bytes of a stream: all of it when it ends within `limit`, else with what is to come. */
const hold = async (
  content: AsyncIterable<Uint8Array>,
  limit: number,
): Promise<{ held: Buffer; rest: AsyncIterator<Uint8Array> | undefined }> => {
  const iterator = content[Symbol.asyncIterator]()
  const pieces: Uint8Array[] = []
  let size = 0
  while (size <= limit) {
    const next = await iterator.next()
    if (next.done === true) return { held: Buffer.concat(pieces, size), rest: undefined }
    pieces.push(next.value)
    size += next.value.length
  }
  return { held: Buffer.concat(pieces, size), rest: iterator }
}

/** Passes a stream on and refuses the marker in it, also across two pieces. */
async function* guarded(
  held: Buffer,
  rest: AsyncIterator<Uint8Array>,
  marker: Buffer,
): AsyncGenerator<Uint8Array> {
  let tail: Buffer = Buffer.alloc(0)
  const check = (piece: Uint8Array): void => {
    const start = Buffer.concat([tail, piece.subarray(0, marker.length)])
    if (start.includes(marker) || Buffer.from(piece.buffer, piece.byteOffset, piece.length).includes(marker))
      throw boundaryInContent()
    tail = Buffer.concat([tail, piece.subarray(-marker.length)]).subarray(-(marker.length - 1))
  }
  try {
    check(held)
    yield held
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
      check(next.value)
      yield next.value
    }
  } finally {
    await rest.return?.()
  }
}

const boundaryInContent = (): HoldfastError =>
  new HoldfastError('conflict', 'an attachment holds the boundary of its item file', {
    reason: BOUNDARY_IN_CONTENT,
  })
