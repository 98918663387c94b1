import type { TenantAnswer } from '../core/contract.ts'
import {
  childFolders,
  createFolder,
  deleteFolder,
  folderJson,
  folderOf,
  moveFolder,
  renameFolder,
  wellKnownFolder,
} from './folders.ts'
import type { FolderRow } from './folders.ts'
import { contextOf } from './mail-call.ts'
import type { MailCall, MailRoutes } from './mail-call.ts'
import { checkOptions, nextLink, paging, selected } from './query.ts'
import { itemNotFound, unreadableBody } from './refusals.ts'

const PROPERTIES = ['id', 'displayName', 'parentFolderId', 'childFolderCount', 'unreadItemCount', 'totalItemCount', 'isHidden'] // prettier-ignore

const shaped = (call: MailCall, row: FolderRow): Record<string, unknown> => {
  const select = selected(call.request.query.get('$select'), PROPERTIES, 'MailFolder')
  const json = folderJson(call.mailbox, row)
  if (select === undefined) return json
  return Object.fromEntries(Object.entries(json).filter(([name]) => name === 'id' || select.has(name)))
}

const folderAnswer = (call: MailCall, status: number, row: FolderRow): TenantAnswer => ({
  status,
  json: {
    '@odata.context': contextOf(call.request, `users('${call.mailbox.user.id}')/mailFolders/$entity`),
    ...shaped(call, row),
  },
})

/** `:child` where the path names a child, else `:folder`, else the root. */
const target = ({ mailbox, request }: MailCall): FolderRow => {
  const { folder, child } = request.params
  if (folder === undefined) return wellKnownFolder(mailbox, 'msgfolderroot')!
  const parent = folderOf(mailbox, folder)
  if (child === undefined) return parent
  const row = folderOf(mailbox, child)
  if (row.parent !== parent.id) throw itemNotFound()
  return row
}

const list = (call: MailCall): TenantAnswer => {
  const { request, mailbox } = call
  checkOptions(request, ['select', 'top', 'skip', 'count'])
  const isHiddenToo = request.query.get('includehiddenfolders')?.toLowerCase() === 'true'
  const page = paging(request)
  const all = childFolders(mailbox, target(call).id, isHiddenToo)
  const rows = all.slice(page.skip, page.skip + page.size)
  return {
    status: 200,
    json: {
      '@odata.context': contextOf(request, `users('${mailbox.user.id}')/mailFolders`),
      ...(request.query.get('$count')?.toLowerCase() === 'true' ? { '@odata.count': all.length } : {}),
      value: rows.map((row) => shaped(call, row)),
      ...(all.length > page.skip + page.size ? { '@odata.nextLink': nextLink(request, page) } : {}),
    },
  }
}

const get = (call: MailCall): TenantAnswer => {
  checkOptions(call.request, ['select'])
  return folderAnswer(call, 200, target(call))
}

const create = async (call: MailCall): Promise<TenantAnswer> => {
  const json = await call.request.json()
  const unknown = Object.keys(json).find((name) => !name.includes('@') && !PROPERTIES.includes(name))
  if (unknown !== undefined) throw unreadableBody(`The property '${unknown}' does not exist on type 'microsoft.graph.mailFolder'.`) // prettier-ignore
  const row = createFolder(call.mailbox, target(call), json['displayName'], json['isHidden'] === true)
  return folderAnswer(call, 201, row)
}

const rename = async (call: MailCall): Promise<TenantAnswer> => {
  const { displayName } = await call.request.json()
  const row = target(call)
  return folderAnswer(
    call,
    200,
    displayName === undefined ? row : renameFolder(call.mailbox, row, displayName),
  )
}

const move = async (call: MailCall): Promise<TenantAnswer> => {
  const { destinationId } = await call.request.json()
  if (typeof destinationId !== 'string') throw unreadableBody('The DestinationId parameter is missing.')
  const row = moveFolder(call.mailbox, target(call), folderOf(call.mailbox, destinationId))
  return folderAnswer(call, 201, row)
}

const remove =
  (how: { isForEver: boolean }) =>
  (call: MailCall): TenantAnswer => {
    deleteFolder(call.mailbox, target(call), how)
    return { status: 204 }
  }

const emptyList =
  (fragment: string) =>
  ({ request, mailbox }: MailCall): TenantAnswer => ({
    status: 200,
    json: { '@odata.context': contextOf(request, `users('${mailbox.user.id}')/${fragment}`), value: [] },
  })

/** The tree of folders. */
export const folderRoutes = (routes: MailRoutes): void => {
  routes.read('/mailFolders', list)
  routes.write('POST', '/mailFolders', create)
  routes.read('/mailFolders/:folder/childFolders', list)
  routes.write('POST', '/mailFolders/:folder/childFolders', create)
  for (const path of ['/mailFolders/:folder', '/mailFolders/:folder/childFolders/:child']) {
    routes.read(path, get)
    routes.write('PATCH', path, rename)
    routes.write('DELETE', path, remove({ isForEver: false }))
    routes.write('POST', `${path}/move`, move)
    routes.write('POST', `${path}/permanentDelete`, remove({ isForEver: true }))
  }
  // Nobody in the practice tenant has made rules or named categories yet.
  const settings = ['MailboxSettings.Read', 'MailboxSettings.ReadWrite']
  routes.with(
    settings,
    'GET',
    '/mailFolders/:folder/messageRules',
    emptyList('mailFolders/inbox/messageRules'),
  )
  routes.with(settings, 'GET', '/outlook/masterCategories', emptyList('outlook/masterCategories'))
}
