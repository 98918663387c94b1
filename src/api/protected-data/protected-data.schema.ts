import { Type } from 'typebox'
import { links } from '../contract/pages.ts'
import { flag, listOf, moment, object, oneOf, text, uuid } from '../contract/schema.ts'

const ITEM_TYPES = ['Mailbox', 'OneDrive', 'Site', 'Team', 'User', 'Group'] as const
const itemType = () => oneOf(ITEM_TYPES, { since: 'v7' })

const place = {
  repositoryId: uuid({ since: 'v7' }),
  organizationId: uuid(),
  backedUpOrganizationId: text({ since: 'v7' }),
}

export const OrganizationData = object('BackupOrganizationData', {
  organizationId: uuid(),
  displayName: text(),
  backedUpOrganizationId: text({ since: 'v7' }),
  _links: links(),
})

const heldOfUser = {
  id: text(),
  accountId: text({ description: 'The id in the directory.' }),
  displayName: text(),
  email: text(),
  isMailboxBackedUp: flag(),
  isArchiveBackedUp: flag(),
  isOneDriveBackedUp: flag(),
  isPersonalSiteBackedUp: flag(),
}
const backedUpTime = () => moment({ since: 'v6', changes: { v7: { nullable: true } } })

export const UserData = object('BackupUserData', {
  ...heldOfUser,
  ...place,
  itemType: itemType(),
  mailboxBackedUpTime: backedUpTime(),
  oneDriveBackedUpTime: backedUpTime(),
  _links: links(),
})

export const MailboxData = object('BackupMailboxData', {
  id: text(),
  ...place,
  itemType: itemType(),
  displayName: text(),
  email: text(),
  isArchive: flag(),
  backedUpTime: backedUpTime(),
  _links: links(),
})

export const OneDriveData = object('BackupOneDriveData', {
  id: text(),
  ...place,
  itemType: itemType(),
  title: text(),
  backedUpTime: backedUpTime(),
  _links: links(),
})

export const DataQuery = Type.Object({
  filter: text({ description: 'Part of a name or an address.' }),
  organizationId: uuid(),
  pointInTime: moment({ description: 'What was held at this time; all when left out.' }),
})

export const RestorePointMailbox = object('RestorePointMailbox', {
  id: uuid(),
  displayName: text(),
  email: text(),
  isArchive: flag(),
  _links: links(),
})
export const RestorePointOneDrive = object('RestorePointOneDrive', {
  id: text(),
  name: text(),
  _links: links(),
})
export const RestorePointUser = object('RestorePointUser', {
  ...heldOfUser,
  organizationId: uuid(),
  backedUpOrganizationId: text(),
  _links: links(),
})

export const ProtectedUserSchema = object('ProtectedUser', {
  id: text(),
  msid: text({ description: 'The id in the directory.' }),
  displayName: text(),
  organizationId: uuid(),
  backedUpOrganizationId: text(),
  mailboxes: listOf(
    object('ProtectedMailbox', { id: uuid(), displayName: text(), email: text(), isArchive: flag() }),
  ),
  oneDrives: listOf(object('ProtectedOneDrive', { id: text(), displayName: text() })),
})

export const ProtectedQuery = Type.Object({
  organizationId: uuid(),
  backedUpOrganizationId: text(),
  repositoryId: uuid(),
  restorePointId: text(),
})
