import { notFound, type JsonObject } from '#base'
import { readMailItemFile } from '#formats'
import type { DriveItem, DrivePermission } from '#items'
import { atVersion } from '../catalogue/file-versions.ts'
import { isDriveRow, isFolderRow, type DriveRow, type MailRow } from '../catalogue/rows.ts'
import type { SavedDriveItem } from '../restore/restore-drive.ts'
import type { SavedMail } from '../restore/restore-mail.ts'
import { isMailRow, rowOf } from './explorer.ts'
import type { LocatedObject } from './point-view.ts'

const BATCH = 200

/** What of a mailbox or drive is meant. Both absent: all of it. */
export interface Selection {
  readonly folderIds?: readonly string[]
  readonly itemIds?: readonly string[]
  /** Of the one file that is named: as it was at this version. */
  readonly versionNumber?: number
}

export const savedMail = ({ repository }: LocatedObject, row: MailRow): SavedMail => ({
  id: row.id,
  folderId: row.folderId,
  subject: row.subject,
  sizeBytes: row.sizeBytes,
  open: () => readMailItemFile(repository.readFile(row)),
})

/** The chosen messages: those of a folder with all folders below it. Throws `not-found` for an id that is not there. */
export function* chosenMails(mailbox: LocatedObject, selection: Selection): Generator<MailRow> {
  if (selection.itemIds !== undefined) {
    for (const id of selection.itemIds) {
      const row = rowOf(mailbox, id)
      if (row === undefined || !isMailRow(row))
        throw notFound('there is no such message at this restore point')
      yield row
    }
    return
  }
  if (selection.folderIds === undefined) return yield* mailsOf(mailbox, undefined)
  for (const id of foldersBelow(mailbox, selection.folderIds)) yield* mailsOf(mailbox, id)
}

function* mailsOf(
  { catalogue, key, version }: LocatedObject,
  folderId: string | undefined,
): Generator<MailRow> {
  for (let offset = 0; ; offset += BATCH) {
    const { items } = catalogue.items(key, version, folderId, { offset, limit: BATCH })
    yield* items.filter(isMailRow)
    if (items.length < BATCH) return
  }
}

function* foldersBelow(
  { catalogue, key, version }: LocatedObject,
  ids: readonly string[],
): Generator<string> {
  const folders = catalogue.allFolders(key, version)
  const seen = new Set<string>()
  const open = [...ids]
  for (let id = open.shift(); id !== undefined; id = open.shift()) {
    if (seen.has(id)) continue
    if (!folders.some((folder) => folder.id === id))
      throw notFound('there is no such folder at this restore point')
    seen.add(id)
    yield id
    open.push(...folders.filter(({ parentId }) => parentId === id).map((folder) => folder.id))
  }
}

/** The chosen files and folders, parents before children. Shortcuts and the drive's root are left out. */
export function* chosenDriveRows(drive: LocatedObject, selection: Selection): Generator<DriveRow> {
  if (selection.itemIds !== undefined) {
    for (const id of selection.itemIds) {
      const row = rowOf(drive, id)
      if (row === undefined || !isDriveRow(row))
        throw notFound('there is no such document at this restore point')
      if (isFolderRow(row)) yield* driveTree(drive, row)
      else yield versionIn(row, selection)
    }
    return
  }
  const { catalogue, key, version } = drive
  const tops = selection.folderIds ?? [catalogue.driveRoot(key, version)].filter((id) => id !== undefined)
  for (const id of tops) {
    const row = rowOf(drive, id)
    if (row === undefined || !isDriveRow(row)) throw notFound('there is no such folder at this restore point')
    yield* driveTree(drive, row)
  }
}

const versionIn = (row: DriveRow, { versionNumber }: Selection): DriveRow => {
  const wanted = versionNumber === undefined ? row : atVersion(row, versionNumber)
  if (wanted === undefined) throw notFound('there is no such version at this restore point')
  return wanted
}

function* driveTree(drive: LocatedObject, top: DriveRow): Generator<DriveRow> {
  const { catalogue, key, version } = drive
  if (top.kind !== 'root') yield top
  for (let offset = 0; ; offset += BATCH) {
    const { items } = catalogue.items(key, version, top.id, { offset, limit: BATCH })
    yield* items.filter(isDriveRow).filter(({ kind }) => kind === 'file')
    if (items.length < BATCH) break
  }
  for (const { row } of catalogue.folders(key, version, top.id))
    if (row !== undefined && isDriveRow(row)) yield* driveTree(drive, row)
}

/** Folders above a row, from the top down, without the root. */
export const parentsOf = (drive: LocatedObject, row: DriveRow): { id: string; name: string }[] => {
  const chain: { id: string; name: string }[] = []
  let parentId = row.parentId
  while (parentId !== undefined && chain.length < 1_000) {
    const parent = rowOf(drive, parentId)
    if (parent === undefined || !isDriveRow(parent) || parent.kind === 'root') break
    chain.unshift({ id: parent.id, name: parent.name })
    parentId = parent.parentId
  }
  return chain
}

const dateOf = (iso: string | undefined): Date | undefined => (iso === undefined ? undefined : new Date(iso))

const toDriveItem = (row: DriveRow): DriveItem => {
  const { id, parentId, name, kind, sizeBytes, eTag, cTag, quickXorHash, mimeType, isShared, graph } = row
  const createdAt = dateOf(row.createdAt)
  const modifiedAt = dateOf(row.modifiedAt)
  return {
    id,
    name,
    kind,
    sizeBytes,
    isShared,
    graph,
    isMalware: false,
    ...(parentId === undefined ? {} : { parentId }),
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(modifiedAt === undefined ? {} : { modifiedAt }),
    ...(eTag === undefined ? {} : { eTag }),
    ...(cTag === undefined ? {} : { cTag }),
    ...(quickXorHash === undefined ? {} : { quickXorHash }),
    ...(mimeType === undefined ? {} : { mimeType }),
  }
}

const toPermission = (graph: JsonObject): DrivePermission => {
  const roles = Array.isArray(graph.roles) ? graph.roles.map(String) : []
  return {
    id: String(graph.id ?? ''),
    roles,
    isInherited: graph.inheritedFrom !== undefined,
    isLink: graph.link !== undefined,
    isOwner: roles.includes('owner'),
    graph,
  }
}

export const savedDriveItem = (drive: LocatedObject, row: DriveRow): SavedDriveItem => ({
  item: toDriveItem(row),
  parents: parentsOf(drive, row),
  permissions: (row.permissions ?? []).map(toPermission).filter((p) => !p.isInherited && !p.isOwner),
  content: () => drive.repository.readFile(row),
  versions: row.versions?.map((version) => ({
    sizeBytes: version.sizeBytes,
    ...(version.modifiedAt === undefined ? {} : { modifiedAt: new Date(version.modifiedAt) }),
    content: () => drive.repository.readFile(version),
  })),
})
