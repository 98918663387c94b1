import { Type } from 'typebox'
import { links } from '../contract/pages.ts'
import { count, flag, listOf, moment, needed, object, oneOf, text, uuid } from '../contract/schema.ts'
import { credentials, idsOf } from './restoring.ts'

const actions = () => Type.Optional(Type.Object({}, { readOnly: true, additionalProperties: false }))

export const Mailbox = object('ExchangeMailbox', {
  id: uuid(),
  name: text(),
  email: text(),
  isArchive: flag(),
  isPublic: flag({ since: 'v6' }),
  _links: links(),
  _actions: actions(),
})

export const FOLDER_CATEGORIES = [
  'Inbox',
  'Outbox',
  'Sent',
  'Deleted',
  'Drafts',
  'PermanentlyDeletedItems',
  'Purges',
  'DiscoveryHolds',
  'Conflicts',
  'SyncIssues',
  'LocalFailures',
  'ServerFailures',
  'Junk',
  'Versions',
  'TeamsMessagesData',
  'None',
] as const

export const MailFolder = object('ExchangeFolder', {
  id: text(),
  name: text(),
  type: oneOf(['Journal', 'Task', 'StickyNote', 'Contact', 'Appointment', 'None']),
  category: oneOf(FOLDER_CATEGORIES, { valueLifetimes: { TeamsMessagesData: { since: 'v5' } } }),
  description: text(),
  mailboxId: uuid({ since: 'v8' }),
  _links: links(),
  _actions: actions(),
})

export const MailItem = object('ExchangeItem', {
  id: text(),
  mailboxId: uuid({ since: 'v8' }),
  itemClass: text(),
  subject: text(),
  from: text(),
  to: text(),
  cc: text(),
  bcc: text(),
  sent: moment(),
  received: moment(),
  reminder: flag(),
  importance: oneOf(['Low', 'Normal', 'High']),
  _links: links(),
  _actions: actions(),
})

export const FolderQuery = Type.Object({ parentId: text(), name: text() })
export const ItemQuery = Type.Object({ parentId: text() })
export const SearchOptions = object('SearchOptions', { query: needed(text()) })

export const RestoreInPlace = object('RestoreToOriginalLocation', credentials)
export const RestoreItemsInPlace = object('RestoreToOriginalLocationSelectedItems', {
  ...credentials,
  items: idsOf('ExchangeItemInPlace'),
})

const elsewhere = {
  ...credentials,
  casServer: text(),
  mailbox: text({ description: 'Address of the mailbox to restore to.' }),
  folder: text({ description: 'Path of folder names; the old folders are made again below it.' }),
  officeOrganizationName: text({ since: 'v6' }),
  changedItems: flag({ description: 'Set messages back that changed since.' }),
  deletedItems: flag({ description: 'Bring messages back that are gone.' }),
  markRestoredAsUnread: flag(),
  excludeDrafts: flag(),
  excludeDeletedItems: flag(),
  excludeInPlaceHoldItems: flag(),
  excludeLitigationHoldItems: flag(),
}

export const RestoreElsewhere = object('RestoreToDifferentLocation', elsewhere)
export const RestoreItemsElsewhere = object('RestoreToDifferentLocationSelectedItems', {
  ...elsewhere,
  items: idsOf('ExchangeItemElsewhere'),
})
export const SaveItems = object('SaveToMsgOptions', { items: idsOf('ExchangeItemToSave') })

export const ItemsRestoreStatistics = object('ItemsRestoreStatistics', {
  createdItemsCount: count(),
  mergedItemsCount: count(),
  failedItemsCount: count(),
  skippedItemsCount: count(),
  failedFoldersCount: count(),
  exceptions: listOf(Type.String()),
  warnings: listOf(Type.String()),
})
