import { invalid } from '#base'
import type { Explorer, Exports, LocatedObject, RestoreReport, Restores, Selection } from '#engine'
import type { Static } from 'typebox'
import {
  answersDownload,
  answersList,
  answersObject,
  type Call,
  type Download,
  type Operation,
} from '../contract/operation.ts'
import { actionDoor } from '../contract/verbs.ts'
import { administratorOrOwner } from '../edge/policies.ts'
import {
  FolderQuery,
  ItemQuery,
  ItemsRestoreStatistics,
  Mailbox,
  MailFolder,
  MailItem,
  RestoreElsewhere,
  RestoreInPlace,
  RestoreItemsElsewhere,
  RestoreItemsInPlace,
  SaveItems,
  SearchOptions,
} from './exchange.schema.ts'
import { presentMailbox, presentMailFolder, presentMailItem } from './present-exchange.ts'
import { sessionIdIn } from './restore-session.routes.ts'
import { plainIds, restoring, sameOrganization } from './restoring.ts'

const access = administratorOrOwner
const ok = { v4: 200 }
const base = '/RestoreSessions/{restoreSessionId}/Organization/Mailboxes'

interface Parts {
  readonly explorer: Explorer
  readonly restores: Restores
  readonly exports: Exports
}

const mailboxIn = ({ params }: Pick<Call, 'params'>): string => params['mailboxId'] ?? ''

/** `parentId=null` is the root. */
export const parentIn = (parentId: string | undefined): { readonly parentId?: string } =>
  parentId === undefined || parentId === '' || parentId.toLowerCase() === 'null' ? {} : { parentId }

/** Looking into mailboxes of a restore session, restoring and saving from them. */
export const exchangeOperations = (parts: Parts): readonly Operation[] => [
  ...mailboxReading(parts),
  ...folderReading(parts),
  ...itemReading(parts),
  ...mailboxActions(parts),
  ...folderActions(parts),
  ...itemActions(parts),
]

const mailboxReading = ({ explorer }: Parts): readonly Operation[] => [
  answersList(
    Mailbox,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: base,
      tag: 'ExchangeMailbox',
      summary: 'Mailboxes at this point in time, by name',
      access,
      status: ok,
      handle: async (call) => {
        const page = await explorer.mailboxes(call.principal, sessionIdIn(call), call.window)
        return { ...page, items: page.items.map((mailbox) => presentMailbox(mailbox, call)) }
      },
    },
  ),
  answersObject(Mailbox, {
    method: 'GET',
    path: `${base}/{mailboxId}`,
    tag: 'ExchangeMailbox',
    summary: 'One mailbox',
    access,
    status: ok,
    handle: async (call) =>
      presentMailbox(await explorer.mailbox(call.principal, sessionIdIn(call), mailboxIn(call)), call),
  }),
]

const folderReading = ({ explorer }: Parts): readonly Operation[] => [
  answersList(
    MailFolder,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: `${base}/{mailboxId}/Folders`,
      tag: 'ExchangeFolder',
      summary: 'Folders directly below another one, or at the top',
      access,
      query: FolderQuery,
      status: ok,
      handle: async (call) => {
        const { parentId, name } = call.query
        const request = {
          ...call.window,
          ...parentIn(parentId),
          ...(name === undefined ? {} : { search: name }),
        }
        const page = await explorer.mailFolders(call.principal, sessionIdIn(call), mailboxIn(call), request)
        return { ...page, items: page.items.map((folder) => presentMailFolder(folder, call)) }
      },
    },
  ),
  answersObject(MailFolder, {
    method: 'GET',
    path: `${base}/{mailboxId}/Folders/{folderId}`,
    tag: 'ExchangeFolder',
    summary: 'One folder',
    access,
    status: ok,
    handle: async (call) => {
      const folderId = call.params['folderId'] ?? ''
      const folder = await explorer.mailFolder(call.principal, sessionIdIn(call), mailboxIn(call), folderId)
      return presentMailFolder(folder, call)
    },
  }),
]

const itemReading = ({ explorer }: Parts): readonly Operation[] => {
  const search = (path: string): Operation =>
    answersList(
      MailItem,
      { pagedSince: 'v6' },
      {
        method: 'POST',
        path,
        since: 'v6',
        tag: 'ExchangeItem',
        summary: 'Messages whose subject or people hold a text',
        access,
        body: SearchOptions,
        status: ok,
        handle: async (call) => {
          const request = { ...call.window, ...parentIn(call.params['folderId']), search: call.body.query }
          const page = await explorer.mailItems(call.principal, sessionIdIn(call), mailboxIn(call), request)
          return { ...page, items: page.items.map((item) => presentMailItem(item, call)) }
        },
      },
    )
  return [
    answersList(
      MailItem,
      { pagedSince: 'v4' },
      {
        method: 'GET',
        path: `${base}/{mailboxId}/Items`,
        tag: 'ExchangeItem',
        summary: 'Messages of a folder or of the whole mailbox, newest first',
        access,
        query: ItemQuery,
        status: ok,
        handle: async (call) => {
          const request = { ...call.window, ...parentIn(call.query.parentId) }
          const page = await explorer.mailItems(call.principal, sessionIdIn(call), mailboxIn(call), request)
          return { ...page, items: page.items.map((item) => presentMailItem(item, call)) }
        },
      },
    ),
    answersObject(MailItem, {
      method: 'GET',
      path: `${base}/{mailboxId}/Items/{itemId}`,
      tag: 'ExchangeItem',
      summary: 'One message',
      access,
      status: ok,
      handle: async (call) => {
        const itemId = call.params['itemId'] ?? ''
        return presentMailItem(
          await explorer.mailItem(call.principal, sessionIdIn(call), mailboxIn(call), itemId),
          call,
        )
      },
    }),
    search(`${base}/{mailboxId}/search`),
    search(`${base}/{mailboxId}/Folders/{folderId}/search`),
  ]
}

type ElsewhereBody = Static<typeof RestoreElsewhere>

const inPlace = (restores: Restores, call: Call<unknown, unknown>, selection: Selection) =>
  restores.mail(call.principal, sessionIdIn(call), { mailboxIds: [mailboxIn(call)], selection })

const toElsewhere = async (
  { explorer, restores }: Parts,
  call: Call<unknown, ElsewhereBody>,
  selection: Selection,
) => {
  const { body } = call
  const source = await explorer.mailbox(call.principal, sessionIdIn(call), mailboxIn(call))
  sameOrganization(body.officeOrganizationName, [domainOf(source)])
  if (body.mailbox === undefined || body.mailbox === '') throw invalid('mailbox is needed', 'mailbox')
  return restores.mail(call.principal, sessionIdIn(call), {
    mailboxIds: [mailboxIn(call)],
    selection,
    to: { mailbox: body.mailbox, ...(body.folder === undefined ? {} : { folder: body.folder }) },
    missing: body.deletedItems ?? true,
    changed: body.changedItems ?? true,
    markUnread: body.markRestoredAsUnread ?? false,
    excludeDrafts: body.excludeDrafts ?? false,
    excludeDeletedItems: body.excludeDeletedItems ?? false,
  })
}

const domainOf = ({ principalName }: LocatedObject): string => principalName.split('@')[1] ?? ''

const statistics = {
  statistics: ItemsRestoreStatistics,
  count: (report: RestoreReport) => ({
    createdItemsCount: report.created,
    mergedItemsCount: report.updated,
    failedItemsCount: report.failed,
    skippedItemsCount: report.skipped,
    failedFoldersCount: 0,
    exceptions: report.errors,
    warnings: report.remarks,
  }),
}

const restoresOf = (
  parts: Parts,
  path: string,
  tag: string,
  selectionOf: (call: Call<unknown, unknown>) => Selection,
) => {
  const original = restoring({
    ...statistics,
    path: `${path}/restore`,
    tag,
    summary: 'Restores to where it was',
    body: RestoreInPlace,
    start: (call) => inPlace(parts.restores, call, selectionOf(call)),
  })
  const other = restoring({
    ...statistics,
    path: `${path}/restoreTo`,
    tag,
    summary: 'Restores to another mailbox or folder',
    body: RestoreElsewhere,
    start: (call) => toElsewhere(parts, call, selectionOf(call)),
  })
  return { original, other }
}

const mailboxActions = (parts: Parts): readonly Operation[] => {
  const path = `${base}/{mailboxId}`
  const { original, other } = restoresOf(parts, path, 'ExchangeMailbox', () => ({}))
  const actions = { restoreToOriginalLocation: original.waits, restoreTo: other.waits }
  return [actionDoor(path, original.waits, actions), ...original.both, ...other.both]
}

const folderActions = (parts: Parts): readonly Operation[] => {
  const path = `${base}/{mailboxId}/Folders/{folderId}`
  const { original, other } = restoresOf(parts, path, 'ExchangeFolder', ({ params }) => ({
    folderIds: [params['folderId'] ?? ''],
  }))
  const actions = { restoreToOriginalLocation: original.waits, restoreTo: other.waits }
  return [actionDoor(path, original.waits, actions), ...original.both, ...other.both]
}

const chosen = (items: readonly { readonly id?: string | undefined }[] | undefined): Selection => {
  const itemIds = plainIds(items)
  if (itemIds === undefined || itemIds.length === 0)
    throw invalid('items must name at least one message', 'items')
  return { itemIds }
}

const itemActions = (parts: Parts): readonly Operation[] => {
  const all = `${base}/{mailboxId}/Items`
  const one = `${all}/{itemId}`
  const tag = 'ExchangeItem'
  const single = restoresOf(parts, one, tag, ({ params }) => ({ itemIds: [params['itemId'] ?? ''] }))
  const several = restoring({
    ...statistics,
    path: `${all}/restore`,
    tag,
    summary: 'Restores messages to where they were',
    body: RestoreItemsInPlace,
    start: (call) => inPlace(parts.restores, call, chosen(call.body.items)),
  })
  const severalTo = restoring({
    ...statistics,
    path: `${all}/restoreTo`,
    tag,
    summary: 'Restores messages to another mailbox or folder',
    body: RestoreItemsElsewhere,
    start: (call) => toElsewhere(parts, call, chosen(call.body.items)),
  })
  const saveOne = saving(`${one}/save`, (call) =>
    parts.exports.mail(call.principal, sessionIdIn(call), mailboxIn(call), {
      itemIds: [call.params['itemId'] ?? ''],
    }),
  )
  const saveAll = saving(`${all}/Save`, (call) =>
    parts.exports.mail(call.principal, sessionIdIn(call), mailboxIn(call), chosen(call.body.items)),
  )
  return [
    actionDoor(all, several.waits, {
      restoreToOriginalLocation: several.waits,
      restoreTo: severalTo.waits,
      saveToMsg: saveAll,
      save: saveAll,
    }),
    actionDoor(one, single.original.waits, {
      restoreToOriginalLocation: single.original.waits,
      restoreTo: single.other.waits,
      saveToMsg: saveOne,
      save: saveOne,
    }),
    ...several.both,
    ...severalTo.both,
    ...single.original.both,
    ...single.other.both,
    { ...saveAll, since: 'v6' },
    { ...saveOne, since: 'v6' },
  ]
}

const saving = (
  path: string,
  download: (call: Call<unknown, Static<typeof SaveItems>>) => Promise<Download>,
): Operation =>
  answersDownload({
    method: 'POST',
    path,
    tag: 'ExchangeItem',
    summary: 'Saves messages as EML; several as ZIP',
    access,
    body: SaveItems,
    status: ok,
    handle: download,
  })
