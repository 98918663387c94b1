import { HoldfastError, isHoldfastError, type JsonObject, type Logger } from '#base'
import type { MailAttachment } from '#items'
import { flagOf, segment, textOf } from '../graph-json.ts'
import { makeOnce } from '../http/make-once.ts'
import type { AttachmentContent } from './attachments.ts'
import type { MailboxCalls } from './mailbox-calls.ts'
import { nestedItem } from './message-body.ts'

/** Above it an upload session is needed. */
const SMALL_BYTES = 3 * 1024 * 1024
const LARGEST_BYTES = 150 * 1024 * 1024
/** Below the 4 MiB that one request may have. */
const FRAGMENT_BYTES = 3 * 1024 * 1024

/** Where an attachment goes. */
export interface AttachmentPlace {
  readonly calls: MailboxCalls
  readonly messageId: string
  /** How many the message has already. */
  readonly before: number
  readonly signal: AbortSignal | undefined
  readonly log: Logger
}

/** Adds an attachment to a message that was just made. */
export async function putAttachment(
  place: AttachmentPlace,
  { attachment, content, contentLength }: AttachmentContent,
): Promise<void> {
  const { log } = place
  if (attachment.kind === 'reference') {
    await post(place, referenceOf(attachment))
    return
  }
  if (attachment.kind === 'item' && (await putNestedItem(place, attachment))) return
  if (content === undefined) throw new HoldfastError('invalid', 'an attachment has no content')
  const file = attachment.kind === 'item' ? asMessageFile(attachment) : attachment
  if (attachment.kind === 'item')
    log.info({ contentType: file.contentType }, 'attached item restored as a file')
  const start = await head(content, contentLength)
  if (start.isWhole) await putSmall(place, file, start.bytes)
  else await putLarge(place, { file, ...(await sized(start, contentLength)) })
}

const pathOf = ({ messageId }: AttachmentPlace): string => `/messages/${segment(messageId)}/attachments`

/** Posts once: after a lost answer it looks whether the attachment is there. */
async function post(place: AttachmentPlace, body: JsonObject): Promise<void> {
  const { calls, signal, before } = place
  const path = pathOf(place)
  await makeOnce<unknown>(
    () => calls.request({ method: 'POST', path, body, signal }),
    async () => {
      let there = 0
      for await (const page of calls.pages({ path: `${path}?$select=id`, signal })) there += page.length
      return there === before ? 'nothing' : { made: undefined }
    },
  )
}

/** False when the service does not take the item as JSON, or JSON would not hold all of it. */
async function putNestedItem(place: AttachmentPlace, attachment: MailAttachment): Promise<boolean> {
  const item = nestedItem(attachment.graph)
  if (item === undefined) return false
  const body = {
    '@odata.type': '#microsoft.graph.itemAttachment',
    name: nameOf(attachment),
    isInline: attachment.isInline,
    item,
  }
  try {
    await post(place, body)
    return true
  } catch (error) {
    if (isHoldfastError(error, 'invalid') || isHoldfastError(error, 'too-large')) return false
    throw error
  }
}

function asMessageFile(attachment: MailAttachment): MailAttachment {
  return { ...attachment, kind: 'file', name: `${nameOf(attachment)}.eml`, contentType: 'message/rfc822' }
}

/** The service takes no attachment without a name, but has some. */
function nameOf({ name, kind }: MailAttachment): string {
  if (name !== '') return name
  return kind === 'item' ? 'message' : 'attachment'
}

function referenceOf(attachment: MailAttachment): JsonObject {
  const { graph, isInline } = attachment
  const copied = ['sourceUrl', 'providerType', 'permission', 'thumbnailUrl', 'previewUrl']
  return {
    '@odata.type': '#microsoft.graph.referenceAttachment',
    name: nameOf(attachment),
    isInline,
    ...(flagOf(graph, 'isFolder') ? { isFolder: true } : {}),
    ...Object.fromEntries(
      copied.flatMap((key) => (textOf(graph, key) === undefined ? [] : [[key, graph[key]]])),
    ),
  }
}

function fileOf(attachment: MailAttachment): JsonObject {
  const { contentType, isInline, contentId } = attachment
  return {
    name: nameOf(attachment),
    contentType,
    isInline,
    ...(contentId === undefined ? {} : { contentId }),
  }
}

async function putSmall(place: AttachmentPlace, file: MailAttachment, bytes: Buffer): Promise<void> {
  const body = {
    '@odata.type': '#microsoft.graph.fileAttachment',
    ...fileOf(file),
    contentBytes: bytes.toString('base64'),
  }
  await post(place, body)
}

interface Sized {
  readonly size: number
  readonly bytes: AsyncIterable<Uint8Array>
}

async function putLarge(
  place: AttachmentPlace,
  { file, size, bytes }: Sized & { readonly file: MailAttachment },
): Promise<void> {
  const { calls, signal } = place
  const body = { AttachmentItem: { attachmentType: 'file', size, ...fileOf(file) } }
  const session = await calls.json({
    method: 'POST',
    path: `${pathOf(place)}/createUploadSession`,
    body,
    isRepeatable: true,
    signal,
  })
  const address = textOf(session, 'uploadUrl') ?? ''
  let sent = 0
  for await (const fragment of fragments(bytes, FRAGMENT_BYTES)) {
    const headers = {
      'content-type': 'application/octet-stream',
      'content-range': `bytes ${sent}-${sent + fragment.length - 1}/${size}`,
    }
    using _answer = await calls.outside({ method: 'PUT', address, headers, body: fragment, signal })
    sent += fragment.length
  }
  if (sent !== size) throw new HoldfastError('corrupt', 'an attachment is not as long as it was said to be')
}

interface Head {
  readonly bytes: Buffer
  readonly isWhole: boolean
  readonly rest: AsyncIterator<Uint8Array>
}

/** The beginning of the content: the whole of a small one. */
async function head(content: AsyncIterable<Uint8Array>, contentLength: number | undefined): Promise<Head> {
  const rest = content[Symbol.asyncIterator]()
  const chunks: Uint8Array[] = []
  let size = 0
  while (size <= SMALL_BYTES && !((contentLength ?? 0) > SMALL_BYTES)) {
    const step = await rest.next()
    if (step.done === true) return { bytes: Buffer.concat(chunks, size), isWhole: true, rest }
    chunks.push(step.value)
    size += step.value.length
  }
  return { bytes: Buffer.concat(chunks, size), isWhole: false, rest }
}

/** An upload session wants the length first. Where nobody knows it, the content is read into memory. */
async function sized({ bytes, rest }: Head, contentLength: number | undefined): Promise<Sized> {
  const following = async function* (): AsyncGenerator<Uint8Array> {
    if (bytes.length > 0) yield bytes
    for (let step = await rest.next(); step.done !== true; step = await rest.next()) yield step.value
  }
  if (contentLength !== undefined) return { size: contentLength, bytes: following() }
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of following()) {
    size += chunk.length
    if (size > LARGEST_BYTES)
      throw new HoldfastError('too-large', 'an attachment is larger than Exchange takes')
    chunks.push(chunk)
  }
  const whole = async function* (): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(Buffer.concat(chunks, size))
  }
  return { size, bytes: whole() }
}

/** The bytes again in pieces of exactly `size`, the last one shorter. */
export async function* fragments(bytes: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Buffer> {
  let pending: Uint8Array[] = []
  let length = 0
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + size - length)
      pending.push(part)
      length += part.length
      at += part.length
      if (length < size) continue
      yield Buffer.concat(pending, length)
      pending = []
      length = 0
    }
  }
  if (length > 0) yield Buffer.concat(pending, length)
}
