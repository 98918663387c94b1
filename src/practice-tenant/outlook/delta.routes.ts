import type { TenantAnswer } from '../core/contract.ts'
import { givenToken, writeToken } from './delta-tokens.ts'
import type { DeltaState } from './delta-tokens.ts'
import { folderJson, folderOf, visibleTree } from './folders.ts'
import type { FolderRow } from './folders.ts'
import { JsonBytes } from './json-bytes.ts'
import { contextOf, mailRoot } from './mail-call.ts'
import type { MailCall, MailRoutes } from './mail-call.ts'
import { boxRow } from './mailbox.ts'
import type { Mailbox } from './mailbox.ts'
import { MessageWriter } from './message-answer.ts'
import { deltaFilter } from './message-filter.ts'
import { numberOf } from './message-row.ts'
import type { MessageRow } from './message-row.ts'
import { checkOptions, preferenceApplied, selected } from './query.ts'
import { badQuery } from './refusals.ts'

const DEFAULT_PAGE = 10
const MAX_PAGE = 1000

interface Removal {
  readonly change: number
  readonly message: number
  readonly place: number
}

/** One line of the log: what stands in the folder now, or what has left it. */
interface Event {
  readonly change: number
  readonly row: MessageRow | undefined
  readonly removal: Removal | undefined
}

const events = (mailbox: Mailbox, folder: number, state: DeltaState, limit: number): Event[] => {
  const rows = mailbox.db
    .prepare<unknown[], MessageRow>(
      'SELECT * FROM mail_messages WHERE folder = ? AND change > ? AND received >= ? ORDER BY change LIMIT ?',
    )
    .all(folder, state.position, state.from ?? Number.MIN_SAFE_INTEGER, limit)
  const removals = mailbox.db
    .prepare<unknown[], Removal>(
      'SELECT change, message, place FROM mail_removed WHERE folder = ? AND change > ? ORDER BY change LIMIT ?',
    )
    .all(folder, Math.max(state.position, state.since), limit)
  const all: Event[] = [
    ...rows.map((row) => ({ change: row.change, row, removal: undefined })),
    ...removals.map((removal) => ({ change: removal.change, row: undefined, removal })),
  ]
  return all.sort((one, other) => one.change - other.change).slice(0, limit)
}

const preferredSize = ({ request }: MailCall): number | undefined => {
  const size = Number(request.prefer.get('odata.maxpagesize'))
  return size > 0 ? Math.min(Math.floor(size), MAX_PAGE) : undefined
}

const topOf = ({ request }: MailCall): number | undefined => {
  const text = request.query.get('$top')
  if (text === undefined) return undefined
  if (!/^[1-9]\d{0,8}$/.test(text)) throw badQuery(`Invalid value '${text}' for $top query option found.`)
  return Number(text)
}

const refuseOrder = ({ request }: MailCall): void => {
  const order = request.query.get('$orderby')
  if (order !== undefined && !/^\s*receiveddatetime(\s+desc)?\s*$/i.test(order)) {
    throw badQuery('A delta query on messages can be ordered by receivedDateTime desc only.')
  }
}

const DELTA_OPTIONS = ['select', 'top', 'expand', 'filter', 'orderby', 'deltatoken', 'skiptoken']

const firstState = (call: MailCall, kind: DeltaState['kind'], folder: number): DeltaState => {
  const { mailbox, request } = call
  const { position, epoch } = boxRow(mailbox)
  return {
    kind,
    folder,
    position: 0,
    since: position,
    epoch,
    select: request.query.get('$select'),
    expand: request.query.get('$expand'),
    size: preferredSize(call),
    page: 0,
  }
}

const freshQuery = ({ select, expand }: DeltaState): string => {
  const query = new URLSearchParams()
  if (select !== undefined) query.set('$select', select)
  if (expand !== undefined) query.set('$expand', expand)
  const text = query.toString().replaceAll('%24', '$')
  return text === '' ? '' : `?${text}`
}

/** A link to the next page, or to the next round. */
const link = (name: 'nextLink' | 'deltaLink', address: string, token: string): string =>
  `,"@odata.${name}":${JSON.stringify(`${address}?$${name === 'nextLink' ? 'skiptoken' : 'deltatoken'}=${token}`)}`

const deltaAnswer = (
  call: MailCall,
  type: string,
  tail: string,
  writers: readonly ((json: JsonBytes) => void)[],
): TenantAnswer => {
  const json = new JsonBytes()
  json.text(`{"@odata.context":${JSON.stringify(contextOf(call.request, `Collection(${type})`))},"value":[`)
  for (const [index, write] of writers.entries()) {
    if (index > 0) json.text(',')
    write(json)
  }
  json.text(`]${tail}}`)
  return { status: 200, headers: preferenceApplied(call.request), jsonText: json.done() }
}

const messageDelta = (call: MailCall): TenantAnswer => {
  const { mailbox, request } = call
  checkOptions(request, DELTA_OPTIONS)
  const folder = folderOf(mailbox, request.params['folder']!)
  const number = numberOf(folder.id)
  const address = `${mailRoot(call)}/mailFolders/${mailbox.ids.folder(number)}/messages/delta`
  const given = givenToken(call, 'messages', number, (state) => address + freshQuery(state))
  const state = given?.state ?? firstMessages(call, number)
  return messagePage(call, folder.id, given?.isFinished === true ? nextRound(state) : state, address)
}

const firstMessages = (call: MailCall, folder: number): DeltaState => {
  refuseOrder(call)
  const from = deltaFilter(call.request.query.get('$filter'))
  return { ...firstState(call, 'messages', folder), from, left: topOf(call) }
}

const nextRound = (state: DeltaState): DeltaState => ({
  ...state,
  since: state.position,
  page: 0,
  left: undefined,
})

const messagePage = (call: MailCall, folder: number, state: DeltaState, address: string): TenantAnswer => {
  const { mailbox } = call
  const writer = new MessageWriter(call, { select: state.select, expand: state.expand }, { isTyped: true })
  const asked = preferredSize(call) ?? state.size ?? DEFAULT_PAGE
  const size = Math.min(asked, state.left ?? MAX_PAGE)
  const isOdd = call.state.isSentinel(mailbox.user, 'odd-pages')
  if (isOdd && state.page === 1) {
    // A page may be empty and yet not the last.
    const next = writeToken({ ...state, page: 2 }, mailbox.box)
    return deltaAnswer(call, 'message', link('nextLink', address, next), [])
  }
  const found = events(mailbox, folder, state, size + 1)
  const told = found.slice(0, size)
  const writers = told.map(({ row, removal }) => (json: JsonBytes): void => {
    if (row !== undefined) writer.write(json, row)
    else json.text(writer.view.removed(numberOf(removal!.message), removal!.place))
  })
  const left = state.left === undefined ? undefined : state.left - told.length
  const more = found.length > size && left !== 0
  // A page may repeat what the page before it told: the last told comes again.
  const end = more && !(isOdd && told.length > 1) ? told.at(-1)! : more ? told.at(-2)! : undefined
  const position = end?.change ?? boxRow(mailbox).position
  const next = { ...state, position, left, page: state.page + 1 }
  const token = writeToken(more ? next : { ...next, left: undefined }, mailbox.box)
  return deltaAnswer(call, 'message', link(more ? 'nextLink' : 'deltaLink', address, token), writers)
}

interface FolderEvent {
  readonly change: number
  readonly row: FolderRow | undefined
  readonly removed: number
}

const folderEvents = (mailbox: Mailbox, state: DeltaState): FolderEvent[] => {
  const tree = visibleTree(mailbox)
  const rows = mailbox.db
    .prepare<unknown[], FolderRow>('SELECT * FROM mail_folders WHERE box = ? AND change > ?')
    .all(mailbox.box, state.position)
    .filter((row) => tree.has(row.id) && (row.is_hidden === 0 || state.isHiddenToo === true))
  const removals = mailbox.db
    .prepare<unknown[], { change: number; folder: number }>(
      'SELECT change, folder FROM mail_removed_folders WHERE box = ? AND change > ?',
    )
    .all(mailbox.box, Math.max(state.position, state.since))
  const all: FolderEvent[] = [
    ...rows.map((row) => ({ change: row.change, row, removed: 0 })),
    ...removals.map(({ change, folder }) => ({ change, row: undefined, removed: folder })),
  ]
  return all.sort((one, other) => one.change - other.change)
}

const FOLDER_PROPERTIES = ['id', 'displayName', 'parentFolderId', 'childFolderCount', 'unreadItemCount', 'totalItemCount', 'isHidden'] // prettier-ignore

const folderText = (
  mailbox: Mailbox,
  event: FolderEvent,
  select: ReadonlySet<string> | undefined,
): string => {
  if (event.row === undefined) {
    const id = mailbox.ids.folder(numberOf(event.removed))
    return JSON.stringify({
      '@odata.type': '#microsoft.graph.mailFolder',
      id,
      '@removed': { reason: 'deleted' },
    })
  }
  const json = Object.entries(folderJson(mailbox, event.row))
  const kept = json.filter(([name]) => name === 'id' || (select?.has(name) ?? true))
  return JSON.stringify({ '@odata.type': '#microsoft.graph.mailFolder', ...Object.fromEntries(kept) })
}

const folderDelta = (call: MailCall): TenantAnswer => {
  const { mailbox, request } = call
  checkOptions(request, ['select', 'deltatoken', 'skiptoken'])
  const address = `${mailRoot(call)}/mailFolders/delta`
  const given = givenToken(call, 'folders', 0, (state) => address + freshQuery(state))
  const isHiddenToo = request.query.get('includehiddenfolders')?.toLowerCase() === 'true'
  const first = given?.state ?? { ...firstState(call, 'folders', 0), isHiddenToo }
  const state = given?.isFinished === true ? nextRound(first) : first
  const size = preferredSize(call) ?? state.size ?? DEFAULT_PAGE
  const select = selected(state.select, FOLDER_PROPERTIES, 'MailFolder')
  const found = folderEvents(mailbox, state)
  const told = found.slice(0, size)
  const more = found.length > size
  const position = more ? told.at(-1)!.change : boxRow(mailbox).position
  const token = writeToken({ ...state, position, page: state.page + 1 }, mailbox.box)
  const writers = told.map(
    (event) =>
      (json: JsonBytes): void =>
        json.text(folderText(mailbox, event, select)),
  )
  return deltaAnswer(call, 'mailFolder', link(more ? 'nextLink' : 'deltaLink', address, token), writers)
}

/** What has changed: in a folder's messages, and in the tree of folders. */
export const deltaRoutes = (routes: MailRoutes): void => {
  routes.read('/mailFolders/delta', folderDelta)
  routes.read('/mailFolders/:folder/messages/delta', messageDelta)
}
