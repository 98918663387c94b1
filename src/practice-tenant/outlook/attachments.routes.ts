import { GraphError } from '../core/contract.ts'
import type { TenantAnswer } from '../core/contract.ts'
import { attachmentJson } from './attachment-view.ts'
import { addAttachment, attachmentOf, attachmentsOf, deleteAttachment } from './attachments.ts'
import type { MessageAttachment } from './attachments.ts'
import { composeMime } from './compose-mime.ts'
import { contextOf, messageOf, refuseCorrupt, refuseVanished } from './mail-call.ts'
import type { MailCall, MailRoutes } from './mail-call.ts'
import { attachmentsChanged, rewriteContent } from './message-changes.ts'
import { contentOf, messageRow, numberOf } from './message-row.ts'
import type { MessageRow } from './message-row.ts'
import { checkOptions, preferenceApplied, wantsImmutableIds } from './query.ts'
import { attachmentFrom } from './read-message.ts'
import { badQuery, itemNotFound, malformedId } from './refusals.ts'

/** What one call may carry; more needs an upload session. */
const MAX_INLINE_BYTES = 3 * 1024 * 1024

const readable = (call: MailCall): MessageRow => {
  const row = messageOf(call)
  refuseVanished(call, row)
  refuseCorrupt(call, row)
  return row
}

const find = ({ mailbox, request }: MailCall, row: MessageRow): MessageAttachment => {
  const named = mailbox.ids.parse(request.params['attachment']!)
  if (named.kind !== 'attachment') throw malformedId()
  if (named.number !== numberOf(row.id)) throw itemNotFound()
  if (named.place !== undefined && named.place !== row.place) throw itemNotFound()
  const found = attachmentOf(mailbox, row, named.attachment)
  if (found === undefined) throw itemNotFound()
  return found
}

const isItemExpanded = ({ request }: MailCall): boolean => {
  const expand = request.query.get('$expand')
  if (expand === undefined) return false
  if (!/^microsoft\.graph\.itemattachment\/item\b/i.test(expand.trim())) {
    throw badQuery(`Parsing OData Select and Expand failed: '${expand}' cannot be expanded on an attachment.`)
  }
  return true
}

const json = (call: MailCall, row: MessageRow, attachment: MessageAttachment): Record<string, unknown> =>
  attachmentJson(call.mailbox, row, attachment, {
    select: call.request.query.get('$select'),
    isImmutable: wantsImmutableIds(call.request),
    isItemExpanded: isItemExpanded(call),
  })

const context = ({ request, mailbox }: MailCall, tail: string): string =>
  contextOf(
    request,
    `users('${mailbox.user.id}')/messages('${request.params['message']}')/attachments${tail}`,
  )

const list = (call: MailCall): TenantAnswer => {
  checkOptions(call.request, ['select', 'expand', 'top', 'count'])
  const row = readable(call)
  const all = attachmentsOf(call.mailbox, row)
  return {
    status: 200,
    headers: preferenceApplied(call.request),
    json: {
      '@odata.context': context(call, ''),
      ...(call.request.query.get('$count')?.toLowerCase() === 'true' ? { '@odata.count': all.length } : {}),
      value: all.map((attachment) => json(call, row, attachment)),
    },
  }
}

const get = (call: MailCall): TenantAnswer => {
  checkOptions(call.request, ['select', 'expand'])
  const row = readable(call)
  return {
    status: 200,
    headers: preferenceApplied(call.request),
    json: { '@odata.context': context(call, '/$entity'), ...json(call, row, find(call, row)) },
  }
}

const getBytes = (call: MailCall): TenantAnswer => {
  const attachment = find(call, readable(call))
  switch (attachment.kind) {
    case 'file':
      return {
        status: 200,
        headers: { 'content-type': attachment.contentType ?? 'application/octet-stream' },
        bytes: attachment.bytes,
      }
    case 'item':
      return {
        status: 200,
        headers: { 'content-type': 'text/plain' },
        bytes: Buffer.from(composeMime(attachment.item!)),
      }
    case 'reference':
      throw new GraphError(
        405,
        'ErrorInvalidRequest',
        'The content of a reference attachment cannot be read.',
      )
  }
}

/** Stores a message whole, so that attachments can come and go. */
const ownedRow = (call: MailCall): MessageRow => {
  const row = messageOf(call)
  if (row.whole !== null) return row
  rewriteContent(call.mailbox, row, contentOf(call.mailbox, row))
  return messageRow(call.mailbox.db, row.id)!
}

const create = async (call: MailCall): Promise<TenantAnswer> => {
  const body = await call.request.json()
  messageOf(call)
  const attachment = attachmentFrom(body)
  if (attachment.bytes.byteLength > MAX_INLINE_BYTES) {
    throw new GraphError(
      413,
      'ErrorMessageSizeExceeded',
      'The attachment is too large for one request. Use an upload session.',
    )
  }
  const { mailbox } = call
  return mailbox.db.transaction((): TenantAnswer => {
    const row = ownedRow(call)
    const number = addAttachment(mailbox, row.id, attachment)
    attachmentsChanged(mailbox, row)
    const added = attachmentOf(mailbox, row, number)!
    return {
      status: 201,
      headers: preferenceApplied(call.request),
      json: { '@odata.context': context(call, '/$entity'), ...json(call, row, added) },
    }
  })()
}

const remove = (call: MailCall): TenantAnswer => {
  const { mailbox } = call
  const { number } = find(call, messageOf(call))
  mailbox.db.transaction(() => {
    const row = ownedRow(call)
    deleteAttachment(mailbox, row.id, number)
    attachmentsChanged(mailbox, row)
  })()
  return { status: 204 }
}

/** What is attached to messages. */
export const attachmentRoutes = (routes: MailRoutes): void => {
  for (const base of ['/messages/:message', '/mailFolders/:folder/messages/:message']) {
    routes.read(`${base}/attachments`, list)
    routes.write('POST', `${base}/attachments`, create)
    routes.read(`${base}/attachments/:attachment`, get)
    routes.read(`${base}/attachments/:attachment/$value`, getBytes)
    routes.write('DELETE', `${base}/attachments/:attachment`, remove)
  }
}
