import { versionNumber, type DriveRow, type ListedVersion, type LocatedObject } from '#engine'
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

const pathOf = (row: DriveRow, call: Linking): string => {
  const drive = `${baseOf(call)}/${call.params['oneDriveId'] ?? ''}`
  return `${drive}/${row.kind === 'file' ? 'documents' : 'folders'}/${encodeURIComponent(row.id)}`
}

export const presentDriveItem = (row: DriveRow, call: Linking) => {
  const oneDriveId = call.params['oneDriveId'] ?? ''
  const drive = `${baseOf(call)}/${oneDriveId}`
  const isFolder = row.kind !== 'file'
  return {
    id: row.id,
    oneDriveId,
    name: row.name,
    version: row.currentVersion?.id ?? '1.0',
    versionId: row.currentVersion === undefined ? 1 : versionNumber(row.currentVersion.id),
    createdBy: personIn(row, 'createdBy'),
    creationTime: new Date(row.createdAt ?? row.modifiedAt ?? 0),
    modifiedBy: personIn(row, 'lastModifiedBy'),
    modificationTime: new Date(row.modifiedAt ?? row.createdAt ?? 0),
    isFolder,
    sizeBytes: row.sizeBytes,
    inheritedPermissions: row.permissions === undefined,
    _links: {
      self: call.link(pathOf(row, call)),
      onedrive: call.link(drive),
      ...(row.parentId === undefined
        ? {}
        : { parent: call.link(`${drive}/folders/${encodeURIComponent(row.parentId)}`) }),
    },
  }
}

/** A version is shown as the file that it was. */
export const presentVersion = (row: DriveRow, version: ListedVersion, call: Linking) => {
  const document = presentDriveItem(row, call)
  const self = `${pathOf(row, call)}/versions/${versionNumber(version.id)}`
  return {
    ...document,
    version: version.id,
    versionId: versionNumber(version.id),
    modifiedBy: version.modifiedBy ?? '',
    modificationTime: new Date(version.modifiedAt ?? row.modifiedAt ?? 0),
    sizeBytes: version.sizeBytes,
    _links: { ...document._links, self: call.link(self) },
  }
}
