import type { DriveRow, LocatedObject } from '#engine'
import type { Call } from '../contract/operation.ts'

type Linking = Pick<Call, 'link' | 'params'>

const baseOf = ({ params }: Linking): string =>
  `/restoresessions/${params['restoreSessionId'] ?? ''}/organization/onedrives`

export const presentOneDrive = (drive: LocatedObject, call: Linking) => {
  const self = `${baseOf(call)}/${drive.userId}`
  return {
    id: drive.userId,
    name: drive.displayName,
    url: drive.principalName,
    _links: {
      self: call.link(self),
      folders: call.link(`${self}/folders?parentId=null`),
      documents: call.link(`${self}/documents?parentId=null`),
    },
  }
}

/** Whoever made or changed a file, as the service named them. */
const personIn = (row: DriveRow, name: 'createdBy' | 'lastModifiedBy'): string => {
  const { user } = (row.graph[name] ?? {}) as { user?: { displayName?: string; email?: string } }
  return user?.displayName ?? user?.email ?? ''
}

export const presentDriveItem = (row: DriveRow, call: Linking) => {
  const oneDriveId = call.params['oneDriveId'] ?? ''
  const drive = `${baseOf(call)}/${oneDriveId}`
  const isFolder = row.kind !== 'file'
  const self = `${drive}/${isFolder ? 'folders' : 'documents'}/${encodeURIComponent(row.id)}`
  return {
    id: row.id,
    oneDriveId,
    name: row.name,
    version: '1.0',
    versionId: 1,
    createdBy: personIn(row, 'createdBy'),
    creationTime: new Date(row.createdAt ?? row.modifiedAt ?? 0),
    modifiedBy: personIn(row, 'lastModifiedBy'),
    modificationTime: new Date(row.modifiedAt ?? row.createdAt ?? 0),
    isFolder,
    sizeBytes: row.sizeBytes,
    inheritedPermissions: row.permissions === undefined,
    _links: {
      self: call.link(self),
      onedrive: call.link(drive),
      ...(row.parentId === undefined
        ? {}
        : { parent: call.link(`${drive}/folders/${encodeURIComponent(row.parentId)}`) }),
    },
  }
}
