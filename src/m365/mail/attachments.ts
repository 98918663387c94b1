import { isHoldfastError, type HoldfastError, type JsonObject } from '#base'
import type { MailAttachment, MailItem } from '#items'
import { objectOf, segment, textOf } from '../graph-json.ts'
import { NetworkFailure } from '../http/transport.ts'
import { toMailAttachment } from './mail-json.ts'
import type { MailboxCalls } from './mailbox-calls.ts'

export interface AttachmentContent {
  readonly attachment: MailAttachment
  /** The raw bytes; a nested item as its MIME text. Undefined for a reference. May be read once. */
  readonly content: AsyncIterable<Uint8Array> | undefined
  /** The exact length of `content`, where it is known beforehand. */
  readonly contentLength?: number
}

/** Attachments of a message come in one answer up to this size; beyond it each streams by itself. */
const ONE_ANSWER_BYTES = 8 * 1024 * 1024
const MAX_CUTS = 4
const WITHOUT_BYTES =
  '$select=id,name,contentType,size,isInline,lastModifiedDateTime,microsoft.graph.fileAttachment/contentId'
const NESTED_ITEM = '$expand=microsoft.graph.itemattachment/item'

/** A message's attachments in the service's order, one held in memory at a time beyond what one answer brings. */
export async function* messageAttachments(
  calls: MailboxCalls,
  item: MailItem,
  signal?: AbortSignal,
): AsyncGenerator<AttachmentContent> {
  const path = `/messages/${segment(item.id)}/attachments`
  for (const json of await attachmentList(calls, path, signal)) {
    const attachment = toMailAttachment(json)
    const own = `${path}/${segment(attachment.id)}`
    if (attachment.kind === 'reference') yield { attachment, content: undefined }
    else if (attachment.kind === 'item') yield await nestedItem(calls, own, signal)
    else yield fileContent(calls, { own, attachment, inline: textOf(json, 'contentBytes') }, signal)
  }
}

/** What a message has attached, without the bytes. */
export async function listedAttachments(
  calls: MailboxCalls,
  item: MailItem,
  signal?: AbortSignal,
): Promise<readonly MailAttachment[]> {
  const path = `/messages/${segment(item.id)}/attachments?${WITHOUT_BYTES}`
  return (await wholeList(calls, path, signal)).map(toMailAttachment)
}

/** With the bytes of files when they fit into one answer, else without. */
async function attachmentList(
  calls: MailboxCalls,
  path: string,
  signal: AbortSignal | undefined,
): Promise<readonly JsonObject[]> {
  try {
    return await wholeList(calls, path, signal)
  } catch (error) {
    if (!isTooMuch(error)) throw error
    return await wholeList(calls, `${path}?${WITHOUT_BYTES}`, signal)
  }
}

async function wholeList(
  calls: MailboxCalls,
  path: string,
  signal: AbortSignal | undefined,
): Promise<readonly JsonObject[]> {
  const found: JsonObject[] = []
  for await (const page of calls.pages({ path, maxBytes: ONE_ANSWER_BYTES, signal })) found.push(...page)
  return found
}

/** Long lists of large attachments time out at the service, too. */
function isTooMuch(error: unknown): error is HoldfastError {
  return (
    isHoldfastError(error, 'too-large') ||
    isHoldfastError(error, 'unavailable') ||
    isHoldfastError(error, 'timeout')
  )
}

function fileContent(
  calls: MailboxCalls,
  { own, attachment, inline }: { own: string; attachment: MailAttachment; inline: string | undefined },
  signal: AbortSignal | undefined,
): AttachmentContent {
  if (inline === undefined) return { attachment, content: rawContent(calls, own, signal) }
  const bytes = Buffer.from(inline, 'base64')
  return { attachment, content: once(bytes), contentLength: bytes.length }
}

/** The nested item twice: as MIME for people, as JSON (kept in `graph.item`) for restoring. */
async function nestedItem(
  calls: MailboxCalls,
  own: string,
  signal: AbortSignal | undefined,
): Promise<AttachmentContent> {
  const json = await calls.json({ path: `${own}?${NESTED_ITEM}`, signal })
  return { attachment: toMailAttachment(withoutNestedBytes(json)), content: rawContent(calls, own, signal) }
}

/** Attachments of the nested item are in its MIME text; their bytes are not kept a second time. */
function withoutNestedBytes(json: JsonObject): JsonObject {
  const item = objectOf(json, 'item')
  if (item === undefined || !Array.isArray(item.attachments)) return json
  const attachments = (item.attachments as JsonObject[]).map((one) => toMailAttachment(one).graph)
  return { ...json, item: { ...item, attachments } }
}

async function* rawContent(
  calls: MailboxCalls,
  own: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let given = 0
  for (let cuts = 0; ; cuts += 1) {
    try {
      using content = await calls.content({ path: `${own}/$value`, signal })
      // There are no ranges here: after a cut the bytes that were given are read again and dropped.
      for await (const chunk of skipping(content.body, given)) {
        given += chunk.length
        yield chunk
      }
      return
    } catch (error) {
      if (!(error instanceof NetworkFailure) || !error.mayPass || cuts === MAX_CUTS) throw error
    }
  }
}

async function* skipping(body: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array> {
  let left = count
  for await (const chunk of body) {
    if (chunk.length > left) yield left === 0 ? chunk : chunk.subarray(left)
    left = Math.max(0, left - chunk.length)
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes)
}
