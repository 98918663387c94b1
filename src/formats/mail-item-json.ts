import { corrupt, type JsonObject } from '#base'
import type { MailAttachment, MailItem } from '#items'

// The JSON inside an item file: what the readable parts do not say exactly.

export const ITEM_FORMAT = 1

interface PackedItem {
  readonly format: number
  /** The body's text is the readable part's, byte for byte. */
  readonly bodyIsPart: boolean
  /** `graph.body.content` is the body's text too. */
  readonly graphBodyIsPart: boolean
  /** `item.headers` are `graph.internetMessageHeaders`, and stand there alone. */
  readonly headersAreInGraph?: boolean
  readonly item: JsonObject
}

/** `body` tells whether the body part holds the text exactly: text that UTF-8 cannot say stays in the JSON. */
export const packMailItem = (item: MailItem): string => {
  const bodyIsPart = item.body.content.isWellFormed()
  const graphBody = item.graph['body']
  const graphBodyIsPart = bodyIsPart && isObject(graphBody) && graphBody['content'] === item.body.content
  const graph = graphBodyIsPart ? { ...item.graph, body: without(graphBody, 'content') } : item.graph
  const body = bodyIsPart ? { type: item.body.type } : item.body
  const { headers, ...rest } = item
  const headersAreInGraph = areSameHeaders(headers, graph['internetMessageHeaders'])
  const packed = { ...rest, ...(headersAreInGraph ? {} : { headers }), body, graph }
  return JSON.stringify({ format: ITEM_FORMAT, bodyIsPart, graphBodyIsPart, headersAreInGraph, item: packed })
}

/** Byte for byte, so that what is read back is what was written. */
const areSameHeaders = (headers: MailItem['headers'], inGraph: unknown): boolean =>
  Array.isArray(inGraph) && headers.length > 0 && JSON.stringify(headers) === JSON.stringify(inGraph)

export const unpackMailItem = (json: string, bodyText: string): MailItem => {
  const packed = parseObject(json) as unknown as PackedItem
  if (packed.format !== ITEM_FORMAT) throw corrupt(`item file format ${String(packed.format)} is not known`)
  const item = packed.item as unknown as MailItem
  if (!isObject(packed.item) || !isObject(packed.item['graph']) || !isObject(packed.item['body']))
    throw corrupt('the item file lacks the item')
  const body = packed.bodyIsPart ? { ...item.body, content: bodyText } : item.body
  const graph = packed.graphBodyIsPart
    ? { ...item.graph, body: { ...(item.graph['body'] as JsonObject), content: bodyText } }
    : item.graph
  const headers = packed.headersAreInGraph === true ? headersIn(item.graph) : item.headers
  return { ...item, ...dates(packed.item, ['receivedAt', 'sentAt', 'modifiedAt']), headers, body, graph }
}

const headersIn = (graph: JsonObject): MailItem['headers'] => {
  const headers = graph['internetMessageHeaders']
  if (!Array.isArray(headers)) throw corrupt('the item file lacks its headers')
  return headers as unknown as MailItem['headers']
}

export const packAttachment = (attachment: MailAttachment, hasContent: boolean): string =>
  JSON.stringify({ hasContent, attachment })

export const unpackAttachment = (
  json: string,
): { readonly hasContent: boolean; readonly attachment: MailAttachment } => {
  const packed = parseObject(json)
  const attachment = packed['attachment']
  if (!isObject(attachment) || !isObject(attachment['graph']))
    throw corrupt('the item file lacks an attachment')
  return {
    hasContent: packed['hasContent'] === true,
    attachment: { ...attachment, ...dates(attachment, ['modifiedAt']) } as unknown as MailAttachment,
  }
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const without = (object: JsonObject, name: string): JsonObject => {
  const { [name]: _left, ...rest } = object
  return rest
}

const dates = (object: JsonObject, names: readonly string[]): Record<string, Date> => {
  const found: Record<string, Date> = {}
  for (const name of names) {
    const value = object[name]
    if (typeof value === 'string') found[name] = new Date(value)
  }
  return found
}

const parseObject = (json: string): JsonObject => {
  try {
    const value: unknown = JSON.parse(json)
    if (isObject(value)) return value
  } catch (error) {
    throw corrupt('the item file holds broken JSON', error)
  }
  throw corrupt('the item file holds no JSON object')
}
