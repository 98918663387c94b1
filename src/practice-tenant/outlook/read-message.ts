import type { Json, JsonObject } from '#base'

import { GraphError } from '../core/contract.ts'
import { emptyContent } from './mail-content.ts'
import type {
  AttachmentContent,
  BodyType,
  Importance,
  MailAddress,
  MailContent,
  MailHeader,
  NestedMail,
} from './mail-content.ts'
import { MESSAGE_PROPERTIES } from './message-view.ts'
import { notSupportedHere, unreadableBody } from './refusals.ts'

// Reads a message's JSON as clients send it. Names are exact, enum values match in any case, what only the service
// decides is ignored, what no message has is refused.

const KNOWN: ReadonlySet<string> = new Set([
  ...MESSAGE_PROPERTIES,
  'attachments',
  'singleValueExtendedProperties',
])
const NOT_BUILT: ReadonlySet<string> = new Set(['extensions', 'multiValueExtendedProperties'])
const MAX_HEADERS = 5

/** Extended properties that say how a restored message stands. */
export interface RestoreProperties {
  /** PidTagMessageFlags. */
  readonly flags: number | undefined
  /** Seconds since 1970. */
  readonly delivered: number | undefined
  readonly submitted: number | undefined
  readonly transportHeaders: string | undefined
  readonly others: readonly { readonly id: string; readonly value: string }[]
}

export const checkMessageProperties = (json: JsonObject): void => {
  for (const name of Object.keys(json)) {
    if (name.includes('@') || KNOWN.has(name)) continue
    if (NOT_BUILT.has(name)) throw notSupportedHere(name)
    throw unreadableBody(
      `The property '${name}' does not exist on type 'microsoft.graph.message'. Make sure to only use property names that are defined by the type.`,
    )
  }
}

const wrongType = (name: string, type: string): GraphError =>
  unreadableBody(`Cannot convert the value of '${name}' to the expected target type '${type}'.`)

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const textOr = (json: JsonObject, name: string, otherwise: string): string => {
  const value = json[name]
  if (value === undefined || value === null) return otherwise
  if (typeof value !== 'string') throw wrongType(name, 'Edm.String')
  return value
}

const booleanOr = (json: JsonObject, name: string, otherwise: boolean): boolean => {
  const value = json[name]
  if (value === undefined || value === null) return otherwise
  if (typeof value !== 'boolean') throw wrongType(name, 'Edm.Boolean')
  return value
}

const wordOr = <Word extends string>(
  json: JsonObject,
  name: string,
  words: readonly Word[],
  otherwise: Word,
): Word => {
  const given = textOr(json, name, otherwise).toLowerCase()
  const word = words.find((candidate) => candidate.toLowerCase() === given)
  if (word === undefined) throw unreadableBody(`Requested value '${textOr(json, name, '')}' was not found.`)
  return word
}

const listOf = (json: JsonObject, name: string): readonly Json[] | undefined => {
  const value = json[name]
  if (value === undefined || value === null) return undefined
  if (!Array.isArray(value)) throw wrongType(name, 'Collection')
  return value as readonly Json[]
}

const invalidRecipients = (): GraphError =>
  new GraphError(400, 'ErrorInvalidRecipients', "At least one recipient isn't valid., A message can't be sent because it contains no valid recipients.") // prettier-ignore

const addressOf = (value: Json | undefined, name: string): MailAddress => {
  if (!isObject(value) || !isObject(value['emailAddress'])) throw wrongType(name, 'microsoft.graph.recipient')
  const address = textOr(value['emailAddress'], 'address', '')
  const display = textOr(value['emailAddress'], 'name', '')
  if (!/^[^\s\p{Cc}]+$/u.test(address) || address.length > 320) throw invalidRecipients()
  return { name: display === '' ? address : display, address }
}

const addressesOr = (
  json: JsonObject,
  name: string,
  otherwise: readonly MailAddress[],
): readonly MailAddress[] => listOf(json, name)?.map((value) => addressOf(value, name)) ?? otherwise

const addressOr = (
  json: JsonObject,
  name: string,
  otherwise: MailAddress | undefined,
): MailAddress | undefined =>
  json[name] === undefined || json[name] === null ? otherwise : addressOf(json[name], name)

const bodyOr = (json: JsonObject, otherwise: MailContent['body']): MailContent['body'] => {
  const value = json['body']
  if (value === undefined || value === null) return otherwise
  if (!isObject(value)) throw wrongType('body', 'microsoft.graph.itemBody')
  const type = wordOr<BodyType>(value, 'contentType', ['text', 'html'], 'text')
  return { type, content: textOr(value, 'content', '') }
}

const headersOf = (json: JsonObject): MailHeader[] => {
  const given = listOf(json, 'internetMessageHeaders') ?? []
  if (given.length > MAX_HEADERS) {
    throw new GraphError(400, 'InvalidInternetMessageHeaderCollection', `Maximum number of headers in one message should be less than or equal to ${MAX_HEADERS}.`) // prettier-ignore
  }
  return given.map((header) => {
    if (!isObject(header)) throw wrongType('internetMessageHeaders', 'microsoft.graph.internetMessageHeader')
    const name = textOr(header, 'name', '')
    if (!/^x-[\x21-\x39\x3b-\x7e]+$/i.test(name)) {
      throw new GraphError(400, 'InvalidInternetMessageHeader', `The internet message header name '${name}' should start with 'x-' or 'X-'.`) // prettier-ignore
    }
    return { name, value: textOr(header, 'value', '') }
  })
}

/** The content that a JSON body makes of an earlier one: only what it names changes. Headers of the wire are added. */
export const contentFrom = (json: JsonObject, before: MailContent = emptyContent): MailContent => {
  const from = addressOr(json, 'from', before.from)
  return {
    ...before,
    subject: textOr(json, 'subject', before.subject),
    body: bodyOr(json, before.body),
    from,
    sender: addressOr(json, 'sender', before.sender ?? from),
    to: addressesOr(json, 'toRecipients', before.to),
    cc: addressesOr(json, 'ccRecipients', before.cc),
    bcc: addressesOr(json, 'bccRecipients', before.bcc),
    replyTo: addressesOr(json, 'replyTo', before.replyTo),
    internetMessageId: textOr(json, 'internetMessageId', before.internetMessageId ?? '') || undefined,
    headers: [...before.headers, ...headersOf(json)],
    importance: wordOr<Importance>(json, 'importance', ['low', 'normal', 'high'], before.importance),
    inferenceClassification: wordOr(
      json,
      'inferenceClassification',
      ['focused', 'other'],
      before.inferenceClassification,
    ),
    isDeliveryReceiptRequested: booleanOr(
      json,
      'isDeliveryReceiptRequested',
      before.isDeliveryReceiptRequested,
    ),
    isReadReceiptRequested: booleanOr(json, 'isReadReceiptRequested', before.isReadReceiptRequested),
  }
}

/** `isRead` where the body has it. */
export const isReadOf = (json: JsonObject): boolean | undefined =>
  json['isRead'] === undefined ? undefined : booleanOr(json, 'isRead', false)

/** The categories as they are stored, null for none, undefined when the body is silent. */
export const categoriesOf = (json: JsonObject): string | null | undefined => {
  const list = listOf(json, 'categories')
  if (list === undefined) return undefined
  if (!list.every((name) => typeof name === 'string')) throw wrongType('categories', 'Collection(Edm.String)')
  return list.length === 0 ? null : JSON.stringify([...new Set(list)])
}

const dateTimeZone = (value: Json | undefined, name: string): JsonObject | undefined => {
  if (value === undefined || value === null) return undefined
  if (!isObject(value)) throw wrongType(name, 'microsoft.graph.dateTimeTimeZone')
  const dateTime = textOr(value, 'dateTime', '')
  if (Number.isNaN(Date.parse(dateTime))) throw wrongType(name, 'microsoft.graph.dateTimeTimeZone')
  return { dateTime, timeZone: textOr(value, 'timeZone', 'UTC') }
}

/** The flag as it is stored, null for none, undefined when the body is silent. */
export const flagOf = (json: JsonObject): string | null | undefined => {
  const flag = json['flag']
  if (flag === undefined || flag === null) return undefined
  if (!isObject(flag)) throw wrongType('flag', 'microsoft.graph.followupFlag')
  const flagStatus = wordOr(flag, 'flagStatus', ['notFlagged', 'complete', 'flagged'], 'notFlagged')
  if (flagStatus === 'notFlagged') return null
  const dates = ['completedDateTime', 'dueDateTime', 'startDateTime'].map((name) => [
    name,
    dateTimeZone(flag[name], name),
  ])
  return JSON.stringify({ flagStatus, ...Object.fromEntries(dates) })
}

const propertyTag = (id: string): string =>
  id
    .trim()
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .replace(/0x0+(?=[0-9a-f])/, '0x')

const systemTime = (value: string, id: string): number => {
  const time = Date.parse(value)
  if (Number.isNaN(time))
    throw new GraphError(400, 'ErrorInvalidPropertyRequest', `The value of ${id} is no time.`)
  return Math.floor(time / 1000)
}

const FLAGS = 'integer 0xe07'
const DELIVERED = 'systemtime 0xe06'
const SUBMITTED = 'systemtime 0x39'
const TRANSPORT_HEADERS = 'string 0x7d'
const SPECIAL: ReadonlySet<string> = new Set([FLAGS, DELIVERED, SUBMITTED, TRANSPORT_HEADERS])

export type KnownProperty = 'flags' | 'delivered' | 'submitted' | 'transportHeaders'

/** Which of the properties that the practice tenant understands an id names. */
export const knownProperty = (id: string): KnownProperty | undefined => {
  switch (propertyTag(id)) {
    case FLAGS:
      return 'flags'
    case DELIVERED:
      return 'delivered'
    case SUBMITTED:
      return 'submitted'
    case TRANSPORT_HEADERS:
      return 'transportHeaders'
    default:
      return undefined
  }
}

/** One spelling of a property id, to compare by. */
export const samePropertyId = (one: string, other: string): boolean => propertyTag(one) === propertyTag(other)

const PROPERTY_ID =
  /^(Integer|Long|Short|String|SystemTime|Boolean|Binary|Double|Float|Currency|CLSID|ApplicationTime)\s+(0x[0-9a-f]{1,4}|\{[0-9a-f-]{36}\}\s+(Name\s+.+|Id\s+0x[0-9a-f]+))$/i

/** Reads `singleValueExtendedProperties`. Throws 400 for an id that is none and a value of the wrong kind. */
export const restoreProperties = (json: JsonObject): RestoreProperties => {
  const given = (listOf(json, 'singleValueExtendedProperties') ?? []).map((property) => {
    if (!isObject(property)) throw wrongType('singleValueExtendedProperties', 'microsoft.graph.singleValueLegacyExtendedProperty') // prettier-ignore
    const id = textOr(property, 'id', '')
    if (!PROPERTY_ID.test(id.trim())) throw new GraphError(400, 'ErrorInvalidPropertyRequest', `'${id}' is no id of an extended property.`) // prettier-ignore
    return { id, value: textOr(property, 'value', '') }
  })
  const find = (tag: string): string | undefined => given.find(({ id }) => propertyTag(id) === tag)?.value
  const flags = find(FLAGS)
  if (flags !== undefined && !/^-?\d+$/.test(flags.trim())) {
    throw new GraphError(400, 'ErrorInvalidPropertyRequest', 'The value of Integer 0x0E07 is no integer.')
  }
  const delivered = find(DELIVERED)
  const submitted = find(SUBMITTED)
  return {
    flags: flags === undefined ? undefined : Number(flags),
    delivered: delivered === undefined ? undefined : systemTime(delivered, 'SystemTime 0x0E06'),
    submitted: submitted === undefined ? undefined : systemTime(submitted, 'SystemTime 0x0039'),
    transportHeaders: find(TRANSPORT_HEADERS),
    others: given.filter(({ id }) => !SPECIAL.has(propertyTag(id))),
  }
}

/** The fields of a header block, folded lines joined. Lines that are no field are left out. */
export const headersFromText = (text: string): MailHeader[] =>
  text
    .replace(/\r?\n(?=[ \t])/g, '')
    .split(/\r?\n/)
    .flatMap((line) => {
      const [, name, value] = /^([\x21-\x39\x3b-\x7e]+):[ \t]?(.*)$/.exec(line) ?? []
      return name === undefined ? [] : [{ name, value: value ?? '' }]
    })

const base64Bytes = (text: string, name: string): Buffer => {
  const bare = text.replace(/\s/g, '')
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(bare) || bare.length % 4 === 1) throw wrongType(name, 'Edm.Binary')
  return Buffer.from(bare, 'base64')
}

const nestedFrom = (json: Json | undefined): NestedMail => {
  if (!isObject(json)) throw wrongType('item', 'microsoft.graph.outlookItem')
  const type = textOr(json, '@odata.type', '#microsoft.graph.message').toLowerCase()
  if (type !== '#microsoft.graph.message') throw notSupportedHere(`item attachments of type ${type}`)
  checkMessageProperties(json)
  const { internetMessageHeaders, ...rest } = json
  const content = contentFrom(rest)
  const headers = (Array.isArray(internetMessageHeaders) ? (internetMessageHeaders as Json[]) : []).filter(
    isObject,
  )
  const times = ['sentDateTime', 'receivedDateTime'].map((name) => Date.parse(textOr(json, name, '')) / 1000)
  return {
    content: {
      ...content,
      headers: headers.map((header) => ({
        name: textOr(header, 'name', ''),
        value: textOr(header, 'value', ''),
      })),
    },
    attachments: attachmentsFrom(json),
    sent: Number.isNaN(times[0]!) ? undefined : Math.floor(times[0]!),
    received: Number.isNaN(times[1]!) ? undefined : Math.floor(times[1]!),
  }
}

/** Reads one attachment. Throws 400 for what is none. */
export const attachmentFrom = (json: Json | undefined): AttachmentContent => {
  if (!isObject(json)) throw wrongType('attachments', 'microsoft.graph.attachment')
  const type = textOr(json, '@odata.type', '')
    .replace(/^#?microsoft\.graph\./i, '')
    .toLowerCase()
  const shared = {
    name: textOr(json, 'name', ''),
    contentType: textOr(json, 'contentType', '') || undefined,
    isInline: booleanOr(json, 'isInline', false),
    contentId: textOr(json, 'contentId', '') || undefined,
    contentLocation: textOr(json, 'contentLocation', '') || undefined,
    bytes: new Uint8Array(),
    item: undefined,
    reference: undefined,
  }
  if (shared.name === '') throw new GraphError(400, 'ErrorRequiredPropertyMissing', 'Required property is missing., Property: name') // prettier-ignore
  switch (type) {
    case 'fileattachment':
      return { ...shared, kind: 'file', bytes: base64Bytes(textOr(json, 'contentBytes', ''), 'contentBytes') }
    case 'itemattachment':
      return { ...shared, kind: 'item', item: nestedFrom(json['item']) }
    case 'referenceattachment':
      return { ...shared, kind: 'reference', reference: { sourceUrl: textOr(json, 'sourceUrl', '') } }
    default:
      throw unreadableBody("The attachment's '@odata.type' is missing or unknown.")
  }
}

/** The attachments that come inside a message's JSON. */
export const attachmentsFrom = (json: JsonObject): AttachmentContent[] =>
  (listOf(json, 'attachments') ?? []).map(attachmentFrom)
