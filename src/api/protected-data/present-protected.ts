import type { BackedUpOrganization, HeldObject, ProtectedUser } from '#engine'
import type { Call } from '../contract/operation.ts'
import { toWireId } from '../organizations/directory-ids.ts'

type Linking = Pick<Call, 'link'>

const repositoryPath = (id: string): string => `/backuprepositories/${id}`
const owner = ({ organizationId }: { readonly organizationId: string }) => ({
  organizationId,
  backedUpOrganizationId: organizationId,
})

export const presentOrganizationData = (
  repositoryId: string,
  { organizationId, name }: BackedUpOrganization,
  { link }: Linking,
) => {
  const path = repositoryPath(repositoryId)
  return {
    ...owner({ organizationId }),
    displayName: name,
    _links: {
      self: link(`${path}/organizationdata/${organizationId}`),
      backupRepository: link(path),
      users: link(`${path}/userdata`),
    },
  }
}

/** Archives and personal sites are not protected yet, and that is what is told. */
const heldOf = (user: ProtectedUser) => ({
  id: toWireId(user.userId),
  accountId: user.userId,
  displayName: user.displayName,
  email: user.principalName,
  isMailboxBackedUp: user.mailbox !== undefined,
  isOneDriveBackedUp: user.oneDrive !== undefined,
  isArchiveBackedUp: false,
  isPersonalSiteBackedUp: false,
  ...owner(user),
})

export const presentUserData = (repositoryId: string, user: ProtectedUser, { link }: Linking) => {
  const path = repositoryPath(repositoryId)
  return {
    ...heldOf(user),
    repositoryId,
    itemType: 'User' as const,
    mailboxBackedUpTime: user.mailbox?.backedUpTime,
    oneDriveBackedUpTime: user.oneDrive?.backedUpTime,
    _links: {
      self: link(`${path}/userdata/${toWireId(user.userId)}`),
      backupRepository: link(path),
      organization: link(`${path}/organizationdata/${user.organizationId}`),
    },
  }
}

const dataLinks = (object: HeldObject, kind: string, { link }: Linking) => {
  const path = repositoryPath(object.repositoryId)
  return {
    self: link(`${path}/${kind}/${object.userId}`),
    backupRepository: link(path),
    organization: link(`${path}/organizationdata/${object.organizationId}`),
  }
}

export const presentMailboxData = (mailbox: HeldObject, call: Linking) => ({
  id: mailbox.userId,
  repositoryId: mailbox.repositoryId,
  ...owner(mailbox),
  itemType: 'Mailbox' as const,
  displayName: mailbox.displayName,
  email: mailbox.principalName,
  isArchive: false,
  backedUpTime: mailbox.backedUpTime,
  _links: dataLinks(mailbox, 'mailboxdata', call),
})

export const presentOneDriveData = (drive: HeldObject, call: Linking) => ({
  id: drive.userId,
  repositoryId: drive.repositoryId,
  ...owner(drive),
  itemType: 'OneDrive' as const,
  title: drive.displayName,
  backedUpTime: drive.backedUpTime,
  _links: dataLinks(drive, 'onedrivedata', call),
})

const pointLinks = (restorePointId: string, { link }: Linking) => ({
  restorePoint: link(`/restorepoints/${restorePointId}`),
})

export const presentPointMailbox = (restorePointId: string, mailbox: HeldObject, call: Linking) => ({
  id: mailbox.userId,
  displayName: mailbox.displayName,
  email: mailbox.principalName,
  isArchive: false,
  _links: pointLinks(restorePointId, call),
})

export const presentPointOneDrive = (restorePointId: string, drive: HeldObject, call: Linking) => ({
  id: drive.userId,
  name: drive.displayName,
  _links: pointLinks(restorePointId, call),
})

export const presentPointUser = (restorePointId: string, user: ProtectedUser, call: Linking) => ({
  ...heldOf(user),
  _links: pointLinks(restorePointId, call),
})

export const presentProtectedUser = (user: ProtectedUser) => {
  const { mailbox, oneDrive } = user
  return {
    id: toWireId(user.userId),
    msid: user.userId,
    displayName: user.displayName,
    ...owner(user),
    mailboxes:
      mailbox === undefined
        ? []
        : [
            {
              id: mailbox.userId,
              displayName: mailbox.displayName,
              email: mailbox.principalName,
              isArchive: false,
            },
          ],
    oneDrives: oneDrive === undefined ? [] : [{ id: oneDrive.userId, displayName: oneDrive.displayName }],
  }
}
