import type { JsonObject } from '#base'

import { GraphError } from '../core/contract.ts'
import type { TenantAnswer } from '../core/contract.ts'
import { composeMime } from './compose-mime.ts'
import { folderOf, visibleTree, wellKnownFolder } from './folders.ts'
import { JsonBytes } from './json-bytes.ts'
import { contextOf, ifMatches, messageOf, refuseCorrupt } from './mail-call.ts'
import type { MailCall, MailRoutes } from './mail-call.ts'
import type { Mailbox } from './mailbox.ts'
import { MessageWriter, shapeOf } from './message-answer.ts'
import {
  copyMessage,
  insertMessage,
  relocateMessage,
  removeMessage,
  rewriteContent,
  updateMessage,
  wholeMail,
} from './message-changes.ts'
import { messageFilter } from './message-filter.ts'
import { contentOf, messageRow, numberOf } from './message-row.ts'
import type { MessageRow } from './message-row.ts'
import { parseMime } from './parse-mime.ts'
import { checkOptions, nextLink, paging, preferenceApplied } from './query.ts'
import {
  attachmentsFrom,
  categoriesOf,
  checkMessageProperties,
  contentFrom,
  flagOf,
  headersFromText,
  isReadOf,
  restoreProperties,
} from './read-message.ts'
import { badQuery, notSupportedHere } from './refusals.ts'
import { prepared } from './statements.ts'

const LIST_OPTIONS = ['select', 'top', 'skip', 'orderby', 'filter', 'expand', 'count']
const UNSENT = 8
const READ = 1

interface Listing {
  readonly rows: readonly MessageRow[]
  readonly total: number | undefined
}

const order = (text: string | undefined): 'ASC' | 'DESC' => {
  if (text === undefined) return 'DESC'
  const [, property, direction = 'asc'] = /^\s*(\w+)(?:\s+(asc|desc))?\s*$/i.exec(text) ?? []
  if (property === undefined) throw badQuery(`Syntax error in $orderby: ${text}`)
  if (property.toLowerCase() !== 'receiveddatetime') throw notSupportedHere(`$orderby ${property}`)
  return direction.toLowerCase() === 'desc' ? 'DESC' : 'ASC'
}

/** A page of messages, one more than its size when there are further ones. */
const findMessages = (call: MailCall, scope: { sql: string; value: number | string }): Listing => {
  const { mailbox, request } = call
  const { size, skip } = paging(request)
  const filter = messageFilter(mailbox, request.query.get('$filter'))
  const direction = order(request.query.get('$orderby'))
  const where = `FROM mail_messages WHERE ${scope.sql} AND ${filter.sql}`
  const values = [scope.value, ...filter.values]
  const sorted = `SELECT * ${where} ORDER BY received ${direction}, id ${direction}`
  const isCounted = request.query.get('$count')?.toLowerCase() === 'true'
  if (filter.matches !== undefined) {
    const all = mailbox.db
      .prepare<unknown[], MessageRow>(sorted)
      .all(...values)
      .filter(filter.matches)
    return { rows: all.slice(skip, skip + size + 1), total: isCounted ? all.length : undefined }
  }
  const page = prepared<unknown[], MessageRow>(mailbox.db, `${sorted} LIMIT ? OFFSET ?`)
  const rows = page.all(...values, size + 1, skip)
  if (!isCounted) return { rows, total: undefined }
  const count = mailbox.db
    .prepare<unknown[], { total: number }>(`SELECT COUNT(*) AS total ${where}`)
    .get(...values)!
  return { rows, total: count.total }
}

const listAnswer = (call: MailCall, context: string, { rows, total }: Listing): TenantAnswer => {
  const page = paging(call.request)
  const writer = new MessageWriter(call, shapeOf(call))
  const json = new JsonBytes()
  const count = total === undefined ? '' : `"@odata.count":${total},`
  json.text(`{"@odata.context":${JSON.stringify(contextOf(call.request, context))},${count}"value":[`)
  for (const [index, row] of rows.slice(0, page.size).entries()) {
    if (index > 0) json.text(',')
    writer.write(json, row)
  }
  const next =
    rows.length > page.size ? `,"@odata.nextLink":${JSON.stringify(nextLink(call.request, page))}` : ''
  json.text(`]${next}}`)
  return { status: 200, headers: preferenceApplied(call.request), jsonText: json.done() }
}

const listFolder = (call: MailCall): TenantAnswer => {
  const { mailbox, request } = call
  checkOptions(request, LIST_OPTIONS)
  const folder = folderOf(mailbox, request.params['folder']!)
  const context = `users('${mailbox.user.id}')/mailFolders('${mailbox.ids.folder(numberOf(folder.id))}')/messages`
  return listAnswer(call, context, findMessages(call, { sql: 'folder = ?', value: folder.id }))
}

const listMailbox = (call: MailCall): TenantAnswer => {
  const { mailbox, request } = call
  checkOptions(request, LIST_OPTIONS)
  const folders = JSON.stringify([...visibleTree(mailbox)])
  const scope = { sql: 'folder IN (SELECT value FROM json_each(?))', value: folders }
  return listAnswer(call, `users('${mailbox.user.id}')/messages`, findMessages(call, scope))
}

const messageAnswer = (call: MailCall, status: number, row: MessageRow): TenantAnswer => ({
  status,
  headers: preferenceApplied(call.request),
  jsonText: new MessageWriter(call, shapeOf(call)).single(row),
})

const getMessage = (call: MailCall): TenantAnswer => {
  checkOptions(call.request, ['select', 'expand'])
  const row = messageOf(call)
  refuseCorrupt(call, row)
  return messageAnswer(call, 200, row)
}

const getMime = (call: MailCall): TenantAnswer => {
  const row = messageOf(call)
  refuseCorrupt(call, row)
  const mime = composeMime(wholeMail(call.mailbox, row))
  return { status: 200, headers: { 'content-type': 'text/plain' }, bytes: Buffer.from(mime) }
}

const internetMessageId = (mailbox: Mailbox): string => {
  const { messages } = mailbox.db
    .prepare<[number], { messages: number }>('SELECT messages FROM mail_boxes WHERE box = ?')
    .get(mailbox.box)!
  return `<PTN${mailbox.box.toString(36)}.${messages + 1}.${mailbox.now()}@mail.${mailbox.domain}>`
}

/** Creates from JSON. Only the properties of restoring keep a message from being a draft. */
const createFromJson = ({ mailbox }: MailCall, json: JsonObject, folder: number): MessageRow => {
  checkMessageProperties(json)
  const restored = restoreProperties(json)
  const given = contentFrom(json)
  const transport = restored.transportHeaders === undefined ? [] : headersFromText(restored.transportHeaders)
  const content = {
    ...given,
    headers: [...transport, ...given.headers],
    internetMessageId: given.internetMessageId ?? internetMessageId(mailbox),
    properties: restored.others,
  }
  const isDraft = restored.flags === undefined || (restored.flags & UNSENT) !== 0
  const received = restored.delivered ?? mailbox.now()
  return insertMessage(mailbox, content, attachmentsFrom(json), {
    folder,
    received,
    sent: restored.submitted ?? received,
    isRead: isReadOf(json) ?? (isDraft || ((restored.flags ?? 0) & READ) !== 0),
    isDraft,
    flag: flagOf(json) ?? undefined,
    categories: categoriesOf(json) ?? undefined,
  })
}

const mimeBytes = (text: string): Buffer => {
  const bare = text.replace(/\s/g, '')
  if (bare === '' || bare.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(bare)) {
    throw new GraphError(
      400,
      'ErrorMimeContentInvalidBase64String',
      'The MIME content is not a valid base64 string.',
    )
  }
  return Buffer.from(bare, 'base64')
}

const createFromMime = async ({ mailbox, request }: MailCall): Promise<MessageRow> => {
  const mail = await parseMime(mimeBytes((await request.body()).toString('latin1')))
  const now = mailbox.now()
  const drafts = wellKnownFolder(mailbox, 'drafts')!
  const content = {
    ...mail.content,
    internetMessageId: mail.content.internetMessageId ?? internetMessageId(mailbox),
  }
  const state = {
    received: now,
    sent: now,
    isRead: true,
    isDraft: true,
    flag: undefined,
    categories: undefined,
  }
  return insertMessage(mailbox, content, mail.attachments, { ...state, folder: drafts.id })
}

const isMime = ({ request }: MailCall): boolean =>
  /^text\/plain\b/i.test(String(request.headers['content-type'] ?? ''))

const create = async (call: MailCall): Promise<TenantAnswer> => {
  const { folder } = call.request.params
  if (isMime(call)) {
    if (folder !== undefined) {
      throw new GraphError(
        400,
        'RequestBodyRead',
        'MIME content is accepted by the messages collection of the mailbox only.',
      )
    }
    return messageAnswer(call, 201, await createFromMime(call))
  }
  const json = await call.request.json()
  const target =
    folder === undefined ? wellKnownFolder(call.mailbox, 'drafts')! : folderOf(call.mailbox, folder)
  return messageAnswer(call, 201, createFromJson(call, json, target.id))
}

/** What only a draft lets change. */
const OF_DRAFTS = ['subject', 'body', 'from', 'sender', 'toRecipients', 'ccRecipients', 'bccRecipients', 'replyTo', 'internetMessageId'] // prettier-ignore
const OF_CONTENT = [...OF_DRAFTS, 'importance', 'inferenceClassification', 'isDeliveryReceiptRequested', 'isReadReceiptRequested', 'singleValueExtendedProperties'] // prettier-ignore

const refuseSent = (row: MessageRow, json: JsonObject): void => {
  const refused = OF_DRAFTS.find((name) => json[name] !== undefined)
  if (row.is_draft === 0 && refused !== undefined) {
    throw new GraphError(400, 'ErrorInvalidPropertySet', `The property '${refused}' can be updated only while the message is a draft.`) // prettier-ignore
  }
}

const patch = async (call: MailCall): Promise<TenantAnswer> => {
  const { mailbox, request } = call
  const json = await request.json()
  const row = messageOf(call)
  if (!ifMatches(call, row)) {
    throw new GraphError(412, 'ErrorIrresolvableConflict', 'The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.') // prettier-ignore
  }
  checkMessageProperties(json)
  if (json['internetMessageHeaders'] !== undefined) throw new GraphError(400, 'ErrorInvalidPropertySet', 'Headers can be set only when a message is created.') // prettier-ignore
  refuseSent(row, json)
  mailbox.db.transaction(() => change(mailbox, row, json))()
  return messageAnswer(call, 200, messageRow(mailbox.db, row.id)!)
}

const change = (mailbox: Mailbox, row: MessageRow, json: JsonObject): void => {
  if (OF_CONTENT.some((name) => json[name] !== undefined)) {
    const before = contentOf(mailbox, row)
    const { others } = restoreProperties(json)
    const kept = before.properties.filter(({ id }) => !others.some((other) => other.id === id))
    rewriteContent(mailbox, row, { ...contentFrom(json, before), properties: [...kept, ...others] })
  }
  const isRead = isReadOf(json)
  const flag = flagOf(json)
  const categories = categoriesOf(json)
  updateMessage(mailbox, row.id, {
    ...(isRead === undefined ? {} : { is_read: isRead ? 1 : 0 }),
    ...(flag === undefined ? {} : { flag }),
    ...(categories === undefined ? {} : { categories }),
  })
}

const destinationOf = async ({ mailbox, request }: MailCall): Promise<number> => {
  const { destinationId } = await request.json()
  if (typeof destinationId !== 'string') {
    throw new GraphError(400, 'ErrorInvalidRequest', 'The DestinationId parameter is missing.')
  }
  return folderOf(mailbox, destinationId).id
}

const move = async (call: MailCall): Promise<TenantAnswer> => {
  const destination = await destinationOf(call)
  const row = messageOf(call)
  call.mailbox.db.transaction(() => relocateMessage(call.mailbox, row.id, destination))()
  return messageAnswer(call, 201, messageRow(call.mailbox.db, row.id)!)
}

const copy = async (call: MailCall): Promise<TenantAnswer> => {
  const destination = await destinationOf(call)
  return messageAnswer(call, 201, copyMessage(call.mailbox, messageOf(call), destination))
}

/** Soft: the message goes to Recoverable Items. From there it goes for ever. */
const remove = (call: MailCall): TenantAnswer => {
  const { mailbox } = call
  const row = messageOf(call)
  const bin = wellKnownFolder(mailbox, 'recoverableitemsdeletions')!
  mailbox.db.transaction(() => {
    if (row.folder === bin.id) removeMessage(mailbox, row.id)
    else relocateMessage(mailbox, row.id, bin.id)
  })()
  return { status: 204 }
}

const removeForEver = (call: MailCall): TenantAnswer => {
  const row = messageOf(call)
  call.mailbox.db.transaction(() => removeMessage(call.mailbox, row.id))()
  return { status: 204 }
}

/** Lists, reads, creates and changes messages, below the mailbox and below each folder. */
export const messageRoutes = (routes: MailRoutes): void => {
  routes.read('/messages', listMailbox)
  routes.read('/mailFolders/:folder/messages', listFolder)
  for (const base of ['/messages', '/mailFolders/:folder/messages']) {
    routes.write('POST', base, create)
    routes.read(`${base}/:message`, getMessage)
    routes.read(`${base}/:message/$value`, getMime)
    routes.write('PATCH', `${base}/:message`, patch)
    routes.write('DELETE', `${base}/:message`, remove)
    routes.write('POST', `${base}/:message/move`, move)
    routes.write('POST', `${base}/:message/copy`, copy)
    routes.write('POST', `${base}/:message/permanentDelete`, removeForEver)
  }
}
