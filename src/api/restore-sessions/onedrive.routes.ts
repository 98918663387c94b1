import { invalid, notFound } from '#base'
import {
  versionNumber,
  versionsOf,
  type DriveRow,
  type Explorer,
  type Exports,
  type RestoreReport,
  type Restores,
  type Selection,
} from '#engine'
import type { Static, TSchema } from 'typebox'
import {
  answersDownload,
  answersList,
  answersObject,
  cut,
  type Call,
  type Operation,
} from '../contract/operation.ts'
import { actionDoor } from '../contract/verbs.ts'
import { administratorOrOwner } from '../edge/policies.ts'
import { parentIn } from './exchange.routes.ts'
import {
  CopyDocumentsTo,
  CopyFoldersTo,
  CopyTo,
  DocumentQuery,
  FolderQuery,
  ItemRestoreStatistics,
  OneDrive,
  OneDriveDocument,
  OneDriveFolder,
  RestoreDocumentsInPlace,
  RestoreFoldersInPlace,
  RestoreInPlace,
  SaveDocuments,
  SaveFolders,
  SaveOne,
  SearchOptions,
} from './onedrive.schema.ts'
import { presentDriveItem, presentOneDrive, presentVersion } from './present-onedrive.ts'
import { sessionIdIn } from './restore-session.routes.ts'
import { plainIds, restoring, sameOrganization } from './restoring.ts'

const access = administratorOrOwner
const ok = { v4: 200 }
const base = '/RestoreSessions/{restoreSessionId}/Organization/OneDrives'
const oneDrive = `${base}/{oneDriveId}`

interface Parts {
  readonly explorer: Explorer
  readonly restores: Restores
  readonly exports: Exports
}

type AnyCall = Call<unknown, unknown>
type InPlaceBody = Static<typeof RestoreInPlace>
type CopyBody = Static<typeof CopyTo>

const driveIn = ({ params }: Pick<Call, 'params'>): string => params['oneDriveId'] ?? ''

/** Looking into OneDrives of a restore session, restoring and saving from them. */
export const oneDriveOperations = (parts: Parts): readonly Operation[] => [
  ...driveReading(parts),
  ...folderReading(parts),
  ...documentReading(parts),
  ...actionsOn(parts, { path: oneDrive, tag: 'OneDrive', selectionOf: () => ({}) }),
  ...actionsOn(parts, {
    path: `${oneDrive}/Folders/{folderId}`,
    tag: 'OneDriveFolder',
    selectionOf: ({ params }) => ({ folderIds: [params['folderId'] ?? ''] }),
  }),
  ...actionsOn(parts, {
    path: `${oneDrive}/Documents/{documentId}`,
    tag: 'OneDriveDocument',
    selectionOf: ({ params }) => ({ itemIds: [params['documentId'] ?? ''] }),
  }),
  ...versionOperations(parts),
  ...severalDocuments(parts),
  ...severalFolders(parts),
]

const driveReading = ({ explorer }: Parts): readonly Operation[] => [
  answersList(
    OneDrive,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: base,
      tag: 'OneDrive',
      summary: 'OneDrives at this point in time, by name',
      access,
      status: ok,
      handle: async (call) => {
        const page = await explorer.oneDrives(call.principal, sessionIdIn(call), call.window)
        return { ...page, items: page.items.map((drive) => presentOneDrive(drive, call)) }
      },
    },
  ),
  answersObject(OneDrive, {
    method: 'GET',
    path: oneDrive,
    tag: 'OneDrive',
    summary: 'One OneDrive',
    access,
    status: ok,
    handle: async (call) =>
      presentOneDrive(await explorer.oneDrive(call.principal, sessionIdIn(call), driveIn(call)), call),
  }),
]

const folderReading = ({ explorer }: Parts): readonly Operation[] => [
  answersList(
    OneDriveFolder,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: `${oneDrive}/Folders`,
      tag: 'OneDriveFolder',
      summary: 'Folders directly below another one, or at the top',
      access,
      query: FolderQuery,
      status: ok,
      handle: async (call) => {
        const request = { ...call.window, ...parentIn(call.query.parentId) }
        const page = await explorer.driveFolders(call.principal, sessionIdIn(call), driveIn(call), request)
        return { ...page, items: page.items.map((row) => presentDriveItem(row, call)) }
      },
    },
  ),
  answersObject(OneDriveFolder, {
    method: 'GET',
    path: `${oneDrive}/Folders/{folderId}`,
    tag: 'OneDriveFolder',
    summary: 'One folder',
    access,
    status: ok,
    handle: async (call) => {
      const folderId = call.params['folderId'] ?? ''
      const row = await explorer.driveFolder(call.principal, sessionIdIn(call), driveIn(call), folderId)
      return presentDriveItem(row, call)
    },
  }),
]

const documentReading = ({ explorer }: Parts): readonly Operation[] => {
  const search = (path: string): Operation =>
    answersList(
      OneDriveDocument,
      { pagedSince: 'v6' },
      {
        method: 'POST',
        path,
        since: 'v6',
        tag: 'OneDriveDocument',
        summary: 'Files whose name holds a text',
        access,
        body: SearchOptions,
        status: ok,
        handle: async (call) => {
          const request = { ...call.window, ...parentIn(call.params['folderId']), search: call.body.query }
          const page = await explorer.driveDocuments(
            call.principal,
            sessionIdIn(call),
            driveIn(call),
            request,
          )
          return { ...page, items: page.items.map((row) => presentDriveItem(row, call)) }
        },
      },
    )
  return [
    answersList(
      OneDriveDocument,
      { pagedSince: 'v4' },
      {
        method: 'GET',
        path: `${oneDrive}/Documents`,
        tag: 'OneDriveDocument',
        summary: 'Files of a folder, by name',
        access,
        query: DocumentQuery,
        status: ok,
        handle: async (call) => {
          const { parentId, includeFolders } = call.query
          const request = { ...call.window, ...parentIn(parentId) }
          const listed =
            includeFolders === true
              ? await foldersAndFiles(explorer, call, request)
              : await explorer.driveDocuments(call.principal, sessionIdIn(call), driveIn(call), request)
          return { ...listed, items: listed.items.map((row) => presentDriveItem(row, call)) }
        },
      },
    ),
    answersObject(OneDriveDocument, {
      method: 'GET',
      path: `${oneDrive}/Documents/{documentId}`,
      tag: 'OneDriveDocument',
      summary: 'One file',
      access,
      status: ok,
      handle: async (call) => {
        const id = call.params['documentId'] ?? ''
        return presentDriveItem(
          await explorer.driveDocument(call.principal, sessionIdIn(call), driveIn(call), id),
          call,
        )
      },
    }),
    search(`${oneDrive}/search`),
    search(`${oneDrive}/Folders/{folderId}/search`),
  ]
}

const version = `${oneDrive}/Documents/{documentId}/Versions/{versionId}`

const documentIn = ({ params }: Pick<Call, 'params'>): string => params['documentId'] ?? ''

const versionIn = ({ params }: Pick<Call, 'params'>): number => {
  const id = params['versionId'] ?? ''
  if (/^\d{1,9}$/.test(id)) return Number(id)
  throw notFound('there is no such version at this restore point')
}

/** The versions of a file that are kept, and what can be done with one of them. */
const versionOperations = (parts: Parts): readonly Operation[] => {
  const { explorer } = parts
  const tag = 'OneDriveDocument'
  const read = (call: AnyCall): Promise<DriveRow> =>
    explorer.driveDocument(call.principal, sessionIdIn(call), driveIn(call), documentIn(call))
  const { restore, copy, save } = workOn(parts, {
    path: version,
    tag,
    selectionOf: (call) => ({ itemIds: [documentIn(call)], versionNumber: versionIn(call) }),
  })
  return [
    answersList(
      OneDriveDocument,
      { pagedSince: 'v6' },
      {
        method: 'GET',
        path: `${oneDrive}/Documents/{documentId}/Versions`,
        since: 'v6',
        tag,
        summary: 'Versions of a file that are kept, newest first',
        access,
        status: ok,
        handle: async (call) => {
          const row = await read(call)
          return cut(
            versionsOf(row).map((each) => presentVersion(row, each, call)),
            call.window,
          )
        },
      },
    ),
    answersObject(OneDriveDocument, {
      method: 'GET',
      path: version,
      since: 'v6',
      tag,
      summary: 'One version of a file',
      access,
      status: ok,
      handle: async (call) => {
        const row = await read(call)
        const found = versionsOf(row).find(({ id }) => versionNumber(id) === versionIn(call))
        if (found === undefined) throw notFound('there is no such version at this restore point')
        return presentVersion(row, found, call)
      },
    }),
    ...restore.both,
    ...copy.both,
    { ...save, since: 'v6' },
  ]
}

/** Folders first, then files, as one list. */
const foldersAndFiles = async (
  explorer: Explorer,
  call: Call<unknown, unknown>,
  request: { readonly offset: number; readonly limit: number; readonly parentId?: string },
): Promise<{ items: readonly DriveRow[]; totalCount: number }> => {
  const { offset, limit } = request
  const folders = await explorer.driveFolders(call.principal, sessionIdIn(call), driveIn(call), request)
  const left = Math.max(0, limit - folders.items.length)
  const files = await explorer.driveDocuments(call.principal, sessionIdIn(call), driveIn(call), {
    ...request,
    offset: Math.max(0, offset - folders.totalCount),
    limit: left,
  })
  return { items: [...folders.items, ...files.items], totalCount: folders.totalCount + files.totalCount }
}

const statistics = {
  statistics: ItemRestoreStatistics,
  count: (report: RestoreReport) => ({
    totalItemsCount: report.created + report.updated + report.skipped + report.failed,
    restoredItemsCount: report.created + report.updated,
    failedItemsCount: report.failed,
    skippedItemsByErrorCount: 0,
    skippedItemsByNoChangesCount: report.skipped,
    failedRestrictionsCount: report.remarks.length,
    restoreIssues: [...report.errors, ...report.remarks].map((message) => ({ title: 'restore', message })),
  }),
}

const inPlace = async (
  { explorer, restores }: Parts,
  call: Call<unknown, InPlaceBody>,
  selection: Selection,
) => {
  const { documentAction, documentVersion, organizationName } = call.body
  const drive = await explorer.oneDrive(call.principal, sessionIdIn(call), driveIn(call))
  sameOrganization(organizationName, [drive.principalName.split('@')[1] ?? ''])
  return restores.drive(call.principal, sessionIdIn(call), {
    driveIds: [driveIn(call)],
    selection,
    onDifferent: documentAction === 'Keep' ? 'keep' : 'overwrite',
    versions: documentVersion === 'All',
  })
}

const copyTo = async ({ explorer, restores }: Parts, call: Call<unknown, CopyBody>, selection: Selection) => {
  const { body } = call
  const source = await explorer.oneDrive(call.principal, sessionIdIn(call), driveIn(call))
  sameOrganization(body.organizationName, [source.principalName.split('@')[1] ?? ''])
  const target = body.oneDrive?.id
  if (target === undefined || target === '')
    throw invalid('the target OneDrive must be named by its id', 'oneDrive.id')
  return restores.drive(call.principal, sessionIdIn(call), {
    driveIds: [driveIn(call)],
    selection,
    to: { drive: target, ...(body.folder === undefined ? {} : { folder: body.folder }) },
    onDifferent: body.documentLastVersionAction === 'Merge' ? 'keep' : 'overwrite',
    missing: body.deletedItems ?? true,
    changed: body.changedItems ?? true,
    permissions: body.restorePermissions ?? false,
    versions: body.documentVersion === 'All',
  })
}

interface Target {
  readonly path: string
  readonly tag: string
  readonly selectionOf: (call: AnyCall) => Selection
}

/** The three things that can be done with a OneDrive, a folder or a file. */
const actionsOn = (parts: Parts, on: Target): readonly Operation[] => {
  const { restore, copy, save } = workOn(parts, on)
  return [
    doorOf(on.path, restore.waits, copy.waits, save),
    ...restore.both,
    ...copy.both,
    { ...save, since: 'v6' },
  ]
}

const workOn = (parts: Parts, on: Target) => {
  const { path, tag, selectionOf } = on
  const restore = restoring({
    ...statistics,
    path: `${path}/restore`,
    tag,
    summary: 'Restores to where it was',
    body: RestoreInPlace,
    start: (call) => inPlace(parts, call, selectionOf(call)),
  })
  const copy = restoring({
    ...statistics,
    path: `${path}/copyTo`,
    tag,
    summary: 'Copies to another OneDrive or folder',
    body: CopyTo,
    start: (call) => copyTo(parts, call, selectionOf(call)),
  })
  const save = saving(parts, { path: `${path}/save`, tag, body: SaveOne, selectionOf })
  return { restore, copy, save }
}

const doorOf = (path: string, restore: Operation, copy: Operation, save: Operation): Operation =>
  actionDoor(path, restore, { restoreToOriginalLocation: restore, copyTo: copy, save })

interface Ids {
  readonly documents?: readonly { readonly id?: string }[]
  readonly folders?: readonly { readonly id?: string }[]
}

const chosen = (call: AnyCall, what: 'documents' | 'folders'): Selection => {
  const ids = plainIds((call.body as Ids)[what])
  if (ids === undefined || ids.length === 0) throw invalid(`${what} must name at least one`, what)
  return what === 'documents' ? { itemIds: ids } : { folderIds: ids }
}

const severalDocuments = (parts: Parts): readonly Operation[] => {
  const path = `${oneDrive}/Documents`
  const tag = 'OneDriveDocument'
  const restore = restoring({
    ...statistics,
    path: `${path}/restore`,
    tag,
    summary: 'Restores files to where they were',
    body: RestoreDocumentsInPlace,
    start: (call) => inPlace(parts, call, chosen(call, 'documents')),
  })
  const copy = restoring({
    ...statistics,
    path: `${path}/copyTo`,
    tag,
    summary: 'Copies files to another OneDrive or folder',
    body: CopyDocumentsTo,
    start: (call) => copyTo(parts, call, chosen(call, 'documents')),
  })
  const selectionOf = (call: AnyCall): Selection => chosen(call, 'documents')
  const save = saving(parts, { path: `${path}/save`, tag, body: SaveDocuments, selectionOf })
  return [
    doorOf(path, restore.waits, copy.waits, save),
    ...restore.both,
    ...copy.both,
    { ...save, since: 'v6' },
  ]
}

const severalFolders = (parts: Parts): readonly Operation[] => {
  const path = `${oneDrive}/Folders`
  const tag = 'OneDriveFolder'
  const restore = restoring({
    ...statistics,
    path: `${path}/restore`,
    tag,
    summary: 'Restores folders to where they were',
    body: RestoreFoldersInPlace,
    start: (call) => inPlace(parts, call, chosen(call, 'folders')),
  })
  const copy = restoring({
    ...statistics,
    path: `${path}/copyTo`,
    tag,
    summary: 'Copies folders to another OneDrive or folder',
    body: CopyFoldersTo,
    start: (call) => copyTo(parts, call, chosen(call, 'folders')),
  })
  const selectionOf = (call: AnyCall): Selection => chosen(call, 'folders')
  const save = saving(parts, { path: `${path}/save`, tag, body: SaveFolders, selectionOf })
  return [
    doorOf(path, restore.waits, copy.waits, save),
    ...restore.both,
    ...copy.both,
    { ...save, since: 'v6' },
  ]
}

const saving = (
  { exports }: Parts,
  on: {
    readonly path: string
    readonly tag: string
    readonly body: TSchema
    readonly selectionOf: (call: AnyCall) => Selection
  },
): Operation =>
  answersDownload({
    method: 'POST',
    path: on.path,
    tag: on.tag,
    summary: 'Saves a file as it is, several or a folder as ZIP',
    access,
    body: on.body,
    status: ok,
    handle: async (call) => {
      const asZip = (call.body as { asZip?: boolean } | undefined)?.asZip === true
      return exports.files(call.principal, sessionIdIn(call), driveIn(call), {
        ...on.selectionOf(call),
        asZip,
      })
    },
  })
