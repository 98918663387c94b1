import type { CatalogueFolder, LocatedObject, MailRow } from '#engine'
import type { Call } from '../contract/operation.ts'
import type { FOLDER_CATEGORIES } from './exchange.schema.ts'

type Linking = Pick<Call, 'link' | 'params'>

const CATEGORIES: ReadonlyMap<string, (typeof FOLDER_CATEGORIES)[number]> = new Map([
  ['inbox', 'Inbox'],
  ['outbox', 'Outbox'],
  ['sentitems', 'Sent'],
  ['deleteditems', 'Deleted'],
  ['drafts', 'Drafts'],
  ['recoverableitemsdeletions', 'PermanentlyDeletedItems'],
  ['conflicts', 'Conflicts'],
  ['syncissues', 'SyncIssues'],
  ['localfailures', 'LocalFailures'],
  ['serverfailures', 'ServerFailures'],
  ['junkemail', 'Junk'],
])

const baseOf = ({ params }: Linking): string =>
  `/restoresessions/${params['restoreSessionId'] ?? ''}/organization/mailboxes`

export const presentMailbox = (mailbox: LocatedObject, call: Linking) => {
  const self = `${baseOf(call)}/${mailbox.userId}`
  return {
    id: mailbox.userId,
    name: mailbox.displayName,
    email: mailbox.principalName,
    isArchive: false,
    isPublic: false,
    _links: {
      self: call.link(self),
      folders: call.link(`${self}/folders?parentId=null`),
      allfolders: call.link(`${self}/folders`),
      items: call.link(`${self}/items`),
    },
    _actions: {},
  }
}

export const presentMailFolder = (folder: CatalogueFolder, call: Linking) => {
  const mailboxId = call.params['mailboxId'] ?? ''
  const mailbox = `${baseOf(call)}/${mailboxId}`
  const id = encodeURIComponent(folder.id)
  return {
    id: folder.id,
    name: folder.name,
    type: 'None' as const,
    category: CATEGORIES.get(folder.wellKnownName ?? '') ?? ('None' as const),
    mailboxId,
    _links: {
      self: call.link(`${mailbox}/folders/${id}`),
      mailbox: call.link(mailbox),
      folders: call.link(`${mailbox}/folders?parentId=${id}`),
      items: call.link(`${mailbox}/items?parentId=${id}`),
    },
    _actions: {},
  }
}

const person = ({ name, address }: { readonly name?: string; readonly address?: string }): string => {
  if (name === undefined || name === '' || name === address) return address ?? ''
  return address === undefined ? name : `${name} <${address}>`
}

const IMPORTANCE = { low: 'Low', normal: 'Normal', high: 'High' } as const

export const presentMailItem = (item: MailRow, call: Linking) => {
  const mailboxId = call.params['mailboxId'] ?? ''
  const mailbox = `${baseOf(call)}/${mailboxId}`
  return {
    id: item.id,
    mailboxId,
    itemClass: 'IPM.Note',
    subject: item.subject,
    from: item.from === undefined ? undefined : person(item.from),
    to: item.to.map(person).join('; '),
    sent: dateOf(item.sentAt),
    received: dateOf(item.receivedAt),
    importance: IMPORTANCE[item.importance],
    _links: {
      self: call.link(`${mailbox}/items/${encodeURIComponent(item.id)}`),
      mailbox: call.link(mailbox),
      parent: call.link(`${mailbox}/folders/${encodeURIComponent(item.folderId)}`),
    },
    _actions: {},
  }
}

const dateOf = (iso: string | undefined): Date | undefined => (iso === undefined ? undefined : new Date(iso))
