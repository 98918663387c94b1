import { Type } from 'typebox'
import { links } from '../contract/pages.ts'
import {
  count,
  flag,
  integer,
  listOf,
  moment,
  needed,
  object,
  oneOf,
  part,
  text,
} from '../contract/schema.ts'
import { credentials, idsOf } from './restoring.ts'

export const OneDrive = object('OneDrive', { id: text(), name: text(), url: text(), _links: links() })

const common = {
  id: text(),
  oneDriveId: text({ since: 'v8' }),
  name: text(),
  version: text(),
  versionId: integer({ since: 'v6' }),
  createdBy: text(),
  creationTime: moment(),
  modifiedBy: text(),
  modificationTime: moment(),
  isFolder: flag({ since: 'v7' }),
  _links: links(),
}

export const OneDriveFolder = object('OneDriveFolder', common)
export const OneDriveDocument = object('OneDriveDocument', {
  ...common,
  sizeBytes: count(),
  inheritedPermissions: flag(),
})

export const FolderQuery = Type.Object({ parentId: text() })
export const DocumentQuery = Type.Object({ parentId: text(), includeFolders: flag() })
export const SearchOptions = object('OneDriveSearchOptions', { query: needed(text()) })

const DOCUMENT_VERSIONS = ['All', 'Last'] as const

const inPlace = {
  ...credentials,
  organizationName: text({ since: 'v6' }),
  documentVersion: oneOf(DOCUMENT_VERSIONS, { until: 'v6' }),
  documentAction: oneOf(['Overwrite', 'Keep'], {
    description: 'A file that differs: put the saved one in its place, or beside it.',
  }),
}

export const RestoreInPlace = object('RestoreToOriginal', inPlace)
export const RestoreDocumentsInPlace = object('RestoreToOriginalDocuments', {
  ...inPlace,
  documents: idsOf('DocumentInPlace'),
})
export const RestoreFoldersInPlace = object('RestoreToOriginalFolders', {
  ...inPlace,
  folders: idsOf('FolderInPlace'),
})

const copy = {
  ...credentials,
  organizationName: text({ since: 'v6' }),
  oneDrive: part(Type.Object({ id: text(), url: text(), name: text() }, { $id: 'OneDriveTarget' }), {
    names: { v6: 'onedrive' },
  }),
  folder: text({ description: 'Path of folder names in the OneDrive.' }),
  changedItems: flag(),
  deletedItems: flag(),
  restorePermissions: flag(),
  sendSharedLinksNotification: flag(),
  documentVersion: oneOf(DOCUMENT_VERSIONS),
  documentLastVersionAction: oneOf(['Overwrite', 'Merge']),
}

export const CopyTo = object('CopyTo', copy)
export const CopyDocumentsTo = object('CopyToDocuments', { ...copy, documents: idsOf('DocumentToCopy') })
export const CopyFoldersTo = object('CopyToFolders', { ...copy, folders: idsOf('FolderToCopy') })

export const SaveOne = object('SaveOneDriveDocumentOptions', { asZip: flag() })
export const SaveDocuments = object('SaveDocumentsOptions', {
  documents: idsOf('DocumentToSave'),
  asZip: flag(),
})
export const SaveFolders = object('SaveOneDriveFoldersOptions', {
  folders: idsOf('FolderToSave'),
  asZip: flag(),
})

export const ItemRestoreStatistics = object('ItemRestoreStatistics', {
  totalItemsCount: count(),
  restoredItemsCount: count(),
  failedItemsCount: count(),
  skippedItemsByErrorCount: count(),
  skippedItemsByNoChangesCount: count(),
  failedRestrictionsCount: count(),
  restoreIssues: listOf(object('RestoreIssue', { title: text(), message: text() })),
})
