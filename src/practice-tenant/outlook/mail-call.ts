import type { Handler, Route, TenantAnswer, TenantRequest, TenantState } from '../core/contract.ts'
import type { Mailbox } from './mailbox.ts'
import { boxRow, mailboxUser, openMailbox } from './mailbox.ts'
import { keyOf, messageRow } from './message-row.ts'
import type { MessageRow } from './message-row.ts'
import { corruptData, itemNotFound, malformedId } from './refusals.ts'
import { folderOf } from './folders.ts'

/** A call about one mailbox. */
export interface MailCall {
  readonly state: TenantState
  readonly mailbox: Mailbox
  readonly request: TenantRequest
}

export type MailHandler = (call: MailCall) => TenantAnswer | Promise<TenantAnswer>

const READ = ['Mail.Read', 'Mail.ReadWrite'] as const
const WRITE = ['Mail.ReadWrite'] as const

/** Makes the routes of mail: each opens the mailbox that its path names and counts against that mailbox's allowance. */
export class MailRoutes {
  readonly #state: TenantState
  readonly routes: Route[] = []

  constructor(state: TenantState) {
    this.#state = state
  }

  read(path: string, handler: MailHandler): void {
    this.#add('GET', path, READ, handler)
  }

  write(method: 'POST' | 'PATCH' | 'DELETE', path: string, handler: MailHandler): void {
    this.#add(method, path, WRITE, handler)
  }

  with(permissions: readonly string[], method: Route['method'], path: string, handler: MailHandler): void {
    this.#add(method, path, permissions, handler)
  }

  #add(method: Route['method'], path: string, permissions: readonly string[], handler: MailHandler): void {
    const state = this.#state
    const open: Handler = async (request) =>
      handler({ state, request, mailbox: await openMailbox(state, request.params['user']!) })
    const pool = (request: TenantRequest): string => mailboxUser(state, request.params['user']!).id
    this.routes.push({
      role: 'graph',
      method,
      path: `/users/:user${path}`,
      area: 'outlook',
      permissions,
      pool,
      handler: open,
    })
  }
}

/** `https://graph.microsoft.com/v1.0`, in the version that the client called. */
export const serviceRoot = (request: TenantRequest): string =>
  `${request.origin('graph')}/${/^\/+beta\//i.test(request.url.pathname) ? 'beta' : 'v1.0'}`

/** `@odata.context` of an answer. */
export const contextOf = (request: TenantRequest, fragment: string): string =>
  `${serviceRoot(request)}/$metadata#${fragment}`

/** The address of a user's mail in links. */
export const mailRoot = ({ request, mailbox }: MailCall): string =>
  `${serviceRoot(request)}/users/${mailbox.user.id}`

/** The message that the path names. Throws 400 for what is no id, 404 for what is gone or has moved on. */
export const messageOf = ({ mailbox, request }: MailCall): MessageRow => {
  const named = mailbox.ids.parse(request.params['message']!)
  if (named.kind !== 'message') throw malformedId()
  const row = messageRow(mailbox.db, keyOf(mailbox.box, named.number))
  if (row === undefined || (named.place !== undefined && named.place !== row.place)) throw itemNotFound()
  const { folder } = request.params
  if (folder !== undefined && folderOf(mailbox, folder).id !== row.folder) throw itemNotFound()
  return row
}

const isTroubled = ({ state, mailbox }: MailCall, row: MessageRow, sentinel: string): boolean =>
  state.isSentinel(mailbox.user, sentinel) && boxRow(mailbox).trouble === row.id

/** One message of `corrupt-item@…` cannot be read, though it is listed. */
export const refuseCorrupt = (call: MailCall, row: MessageRow): void => {
  if (isTroubled(call, row, 'corrupt-item')) throw corruptData()
}

/** One message of `vanish@…` is listed, and gone when its attachments are asked for. */
export const refuseVanished = (call: MailCall, row: MessageRow): void => {
  if (isTroubled(call, row, 'vanish')) throw itemNotFound()
}

/** 412 where the client holds another version of the message. */
export const ifMatches = ({ mailbox, request }: MailCall, row: MessageRow): boolean => {
  const given = request.headers['if-match']
  if (typeof given !== 'string' || given === '*') return true
  return given.replace(/^W\//, '').replaceAll('"', '') === mailbox.ids.changeKey(row.change)
}
