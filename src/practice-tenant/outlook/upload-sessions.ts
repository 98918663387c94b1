import type { JsonObject } from '#base'

import { GraphError } from '../core/contract.ts'
import type { Route, TenantAnswer, TenantRequest, TenantState } from '../core/contract.ts'
import { addAttachment } from './attachments.ts'
import { attachmentId } from './attachment-view.ts'
import type { AttachmentContent } from './mail-content.ts'
import { messageOf } from './mail-call.ts'
import type { MailCall, MailRoutes } from './mail-call.ts'
import { openMailbox } from './mailbox.ts'
import { attachmentsChanged, rewriteContent } from './message-changes.ts'
import { contentOf, messageRow } from './message-row.ts'
import { isoSeconds } from './message-view.ts'
import { itemNotFound, unreadableBody } from './refusals.ts'

// Large attachments come in ranges to an address on another host that carries its own token and must not be given the
// bearer token.

const LEAST_BYTES = 3_000_000
const MOST_BYTES = 150 * 1024 * 1024
const MOST_RANGE_BYTES = 4 * 1024 * 1024
const LIFETIME_SECONDS = 7 * 24 * 3600

interface UploadRow {
  readonly id: string
  readonly secret: string
  readonly message: number
  readonly description: string
  readonly size: number
  readonly received: number
  readonly expires: number
}

type Description = Pick<AttachmentContent, 'name' | 'contentType' | 'isInline' | 'contentId'>

const field = (json: JsonObject, name: string): unknown => {
  const key = Object.keys(json).find((candidate) => candidate.toLowerCase() === name)
  return key === undefined ? undefined : json[key]
}

const textField = (json: JsonObject, name: string): string | undefined => {
  const value = field(json, name)
  return typeof value === 'string' && value !== '' ? value : undefined
}

const readDescription = (json: JsonObject): { description: Description; size: number } => {
  const item = field(json, 'attachmentitem')
  if (typeof item !== 'object' || item === null)
    throw unreadableBody('The parameter AttachmentItem is missing.')
  const given = item as JsonObject
  const name = textField(given, 'name')
  const size = field(given, 'size')
  if (
    textField(given, 'attachmenttype')?.toLowerCase() !== 'file' ||
    name === undefined ||
    typeof size !== 'number'
  ) {
    throw new GraphError(
      400,
      'ErrorInvalidRequest',
      'An attachment item needs attachmentType "file", a name and a size.',
    )
  }
  if (size < LEAST_BYTES) {
    throw new GraphError(400, 'ErrorAttachmentSizeShouldNotBeLessThanMinimumSize', 'Attachment size must be greater than the minimum size.') // prettier-ignore
  }
  if (size > MOST_BYTES)
    throw new GraphError(413, 'ErrorMessageSizeExceeded', 'The attachment exceeds the maximum size.')
  const description = {
    name,
    contentType: textField(given, 'contenttype'),
    isInline: field(given, 'isinline') === true,
    contentId: textField(given, 'contentid'),
  }
  return { description, size }
}

const create = async (call: MailCall): Promise<TenantAnswer> => {
  const { mailbox, request } = call
  const { description, size } = readDescription(await request.json())
  const row = messageOf(call)
  const id = call.state.random.uuid()
  const secret = Buffer.from(call.state.random.bytes(32)).toString('base64url')
  const expires = mailbox.now() + LIFETIME_SECONDS
  mailbox.db
    .prepare(
      'INSERT INTO mail_uploads (id, secret, message, description, size, received, expires) VALUES (?, ?, ?, ?, ?, 0, ?)',
    )
    .run(id, secret, row.id, JSON.stringify(description), size, expires)
  const place = `Users('${mailbox.user.id}')/Messages('${request.params['message']}')/AttachmentSessions('${id}')`
  return {
    status: 201,
    json: {
      '@odata.context': `${request.origin('graph')}/v1.0/$metadata#microsoft.graph.uploadSession`,
      uploadUrl: `${request.origin('outlook')}/api/gv1.0/${place}?authtoken=${secret}`,
      expirationDateTime: isoSeconds(expires),
      nextExpectedRanges: ['0-'],
    },
  }
}

const openUpload = (state: TenantState, request: TenantRequest): UploadRow => {
  const row = state.db
    .prepare<[string], UploadRow>('SELECT * FROM mail_uploads WHERE id = ?')
    .get(request.params['session']!)
  if (row === undefined || row.expires < state.clock.nowMs() / 1000) throw itemNotFound()
  if (request.query.get('authtoken') !== row.secret) {
    throw new GraphError(401, 'InvalidAuthenticationToken', 'The upload address is not valid.')
  }
  return row
}

const progress = (row: UploadRow, received: number): TenantAnswer => ({
  status: 200,
  json: { ExpirationDateTime: isoSeconds(row.expires), NextExpectedRanges: [String(received)] },
})

const rangeOf = (request: TenantRequest, row: UploadRow): { start: number; end: number } => {
  const [, start, end, total] =
    /^bytes (\d+)-(\d+)\/(\d+)$/.exec(String(request.headers['content-range'] ?? '')) ?? []
  if (start === undefined)
    throw new GraphError(400, 'ErrorInvalidRequest', 'The Content-Range header is missing or malformed.')
  const range = { start: Number(start), end: Number(end) }
  if (Number(total) !== row.size || range.end < range.start || range.end >= row.size) {
    throw new GraphError(
      400,
      'ErrorInvalidRequest',
      'The Content-Range header does not fit the size of the session.',
    )
  }
  if (range.end - range.start + 1 > MOST_RANGE_BYTES) {
    throw new GraphError(413, 'RequestEntityTooLarge', 'A range may hold at most 4 MB.')
  }
  if (range.start !== row.received) {
    throw new GraphError(416, 'ErrorInvalidRange', `The next expected range starts at ${row.received}.`)
  }
  return range
}

const joined = (state: TenantState, upload: string): Buffer =>
  Buffer.concat(
    state.db
      .prepare<[string], { bytes: Buffer }>(
        'SELECT bytes FROM mail_upload_parts WHERE upload = ? ORDER BY start',
      )
      .all(upload)
      .map(({ bytes }) => bytes),
  )

const drop = (state: TenantState, upload: string): void => {
  state.db.prepare('DELETE FROM mail_upload_parts WHERE upload = ?').run(upload)
  state.db.prepare('DELETE FROM mail_uploads WHERE id = ?').run(upload)
}

/** Attaches what has come. The session's address is worth nothing from then on. */
const finish = async (
  state: TenantState,
  request: TenantRequest,
  upload: UploadRow,
): Promise<TenantAnswer> => {
  const mailbox = await openMailbox(state, request.params['user']!)
  const row = messageRow(state.db, upload.message)
  if (row === undefined) throw itemNotFound()
  const number = state.db.transaction(() => {
    if (row.whole === null) rewriteContent(mailbox, row, contentOf(mailbox, row))
    const description = JSON.parse(upload.description) as Description
    const nothing = { contentLocation: undefined, item: undefined, reference: undefined }
    const bytes = joined(state, upload.id)
    const added = addAttachment(mailbox, row.id, {
      kind: 'file',
      name: description.name,
      contentType: description.contentType,
      isInline: description.isInline,
      contentId: description.contentId,
      bytes,
      ...nothing,
    })
    attachmentsChanged(mailbox, row)
    drop(state, upload.id)
    return added
  })()
  const message = request.params['message']!
  const id = attachmentId(mailbox, row, number, message.startsWith('AAkALg'))
  const place = `Users('${mailbox.user.id}')/Messages('${message}')/Attachments('${id}')`
  return { status: 201, headers: { Location: `${request.origin('outlook')}/api/gv1.0/${place}` } }
}

const put =
  (state: TenantState) =>
  async (request: TenantRequest): Promise<TenantAnswer> => {
    const { start, end } = rangeOf(request, openUpload(state, request))
    const bytes = await request.body()
    // The session may have moved on while the body came.
    const upload = openUpload(state, request)
    rangeOf(request, upload)
    if (bytes.length !== end - start + 1) {
      throw new GraphError(400, 'ErrorInvalidRequest', 'The body does not fit the Content-Range header.')
    }
    state.db
      .prepare('INSERT INTO mail_upload_parts (upload, start, bytes) VALUES (?, ?, ?)')
      .run(upload.id, start, bytes)
    state.db.prepare('UPDATE mail_uploads SET received = ? WHERE id = ?').run(end + 1, upload.id)
    return end + 1 === upload.size ? finish(state, request, upload) : progress(upload, end + 1)
  }

const session = (method: 'GET' | 'PUT' | 'DELETE', handler: Route['handler']): Route => ({
  role: 'outlook',
  method,
  path: '/api/gv1.0/users/:user/messages/:message/attachmentsessions/:session',
  area: 'open',
  permissions: [],
  refusesToken: true,
  handler,
})

/** Upload sessions: made on Graph, used on another host. */
export const uploadSessionRoutes = (routes: MailRoutes, state: TenantState): Route[] => {
  for (const base of ['/messages/:message', '/mailFolders/:folder/messages/:message']) {
    routes.write('POST', `${base}/attachments/createUploadSession`, create)
  }
  return [
    session('PUT', put(state)),
    session('GET', (request) => {
      const upload = openUpload(state, request)
      return progress(upload, upload.received)
    }),
    session('DELETE', (request) => {
      drop(state, openUpload(state, request).id)
      return { status: 204 }
    }),
  ]
}
