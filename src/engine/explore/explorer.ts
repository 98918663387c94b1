import { invalid, notFound } from '#base'
import type { Page, PageRequest } from '#database'
import type { Principal } from '../access/principal.ts'
import type { CatalogueFolder } from '../catalogue/catalogue.ts'
import { isDriveRow, isFolderRow, type CatalogueRow, type DriveRow, type MailRow } from '../catalogue/rows.ts'
import type { LocatedObject } from './point-view.ts'
import type { RestoreSessions } from './restore-sessions.ts'

export interface ListRequest extends PageRequest {
  /** Absent: the top. */
  readonly parentId?: string
  /** Part of a subject, a person or a name. */
  readonly search?: string
}

export interface MailItems extends Page<MailRow> {
  readonly mailbox: LocatedObject
}

const PAGE = 30

const cut = <Item>(items: readonly Item[], request: PageRequest): Page<Item> => {
  const offset = request.offset ?? 0
  return { items: items.slice(offset, offset + (request.limit ?? PAGE)), totalCount: items.length }
}

const named = (
  folders: readonly CatalogueFolder[],
  search: string | undefined,
): readonly CatalogueFolder[] => {
  if (search === undefined) return folders
  const wanted = search.toLowerCase()
  return folders.filter(({ name }) => name.toLowerCase().includes(wanted))
}

/** Looks into an open restore session. Every call checks anew who asks. Limits default to 30. */
export class Explorer {
  readonly #sessions: RestoreSessions

  constructor(sessions: RestoreSessions) {
    this.#sessions = sessions
  }

  async mailboxes(
    principal: Principal,
    sessionId: string,
    page: PageRequest = {},
  ): Promise<Page<LocatedObject>> {
    const { view } = await this.#sessions.view(principal, sessionId)
    return cut(view.ofKind('mail'), page)
  }

  async mailbox(principal: Principal, sessionId: string, mailboxId: string): Promise<LocatedObject> {
    const { view } = await this.#sessions.view(principal, sessionId)
    return view.open('mail', mailboxId)
  }

  /** `parentId` absent: every folder that is directly below the mailbox's root. */
  async mailFolders(
    principal: Principal,
    sessionId: string,
    mailboxId: string,
    request: ListRequest = {},
  ): Promise<Page<CatalogueFolder>> {
    const { catalogue, key, version } = await this.mailbox(principal, sessionId, mailboxId)
    const found = catalogue.folders(key, version, request.parentId)
    return cut(named(found, request.search), request)
  }

  async mailFolder(
    principal: Principal,
    sessionId: string,
    mailboxId: string,
    folderId: string,
  ): Promise<CatalogueFolder> {
    const { catalogue, key, version } = await this.mailbox(principal, sessionId, mailboxId)
    const found = catalogue.allFolders(key, version).find(({ id }) => id === folderId)
    if (found === undefined) throw notFound('there is no such folder at this restore point')
    return found
  }

  /** Messages of a folder, newest first; without `parentId` of the whole mailbox. */
  async mailItems(
    principal: Principal,
    sessionId: string,
    mailboxId: string,
    request: ListRequest = {},
  ): Promise<Page<MailRow>> {
    const { catalogue, key, version } = await this.mailbox(principal, sessionId, mailboxId)
    const { items, total } = catalogue.items(key, version, request.parentId, queryOf(request))
    return { items: items.filter(isMailRow), totalCount: total }
  }

  async mailItem(
    principal: Principal,
    sessionId: string,
    mailboxId: string,
    itemId: string,
  ): Promise<MailRow> {
    const row = rowOf(await this.mailbox(principal, sessionId, mailboxId), itemId)
    if (row === undefined || isDriveRow(row)) throw notFound('there is no such message at this restore point')
    return row
  }

  async oneDrives(
    principal: Principal,
    sessionId: string,
    page: PageRequest = {},
  ): Promise<Page<LocatedObject>> {
    const { view } = await this.#sessions.view(principal, sessionId)
    return cut(view.ofKind('onedrive'), page)
  }

  async oneDrive(principal: Principal, sessionId: string, driveId: string): Promise<LocatedObject> {
    const { view } = await this.#sessions.view(principal, sessionId)
    return view.open('onedrive', driveId)
  }

  async driveFolders(
    principal: Principal,
    sessionId: string,
    driveId: string,
    request: ListRequest = {},
  ): Promise<Page<DriveRow>> {
    const { catalogue, key, version } = await this.oneDrive(principal, sessionId, driveId)
    const folders = named(catalogue.folders(key, version, request.parentId), request.search)
    const { items, totalCount } = cut(folders, request)
    return {
      items: items
        .map(({ row }) => row)
        .filter((row) => row !== undefined)
        .filter(isDriveRow),
      totalCount,
    }
  }

  async driveFolder(
    principal: Principal,
    sessionId: string,
    driveId: string,
    folderId: string,
  ): Promise<DriveRow> {
    const row = rowOf(await this.oneDrive(principal, sessionId, driveId), folderId)
    if (row === undefined || !isDriveRow(row) || !isFolderRow(row))
      throw notFound('there is no such folder at this restore point')
    return row
  }

  /** Files of a folder by name; without `parentId` those of the drive's root, with `search` alone of the whole drive. */
  async driveDocuments(
    principal: Principal,
    sessionId: string,
    driveId: string,
    request: ListRequest = {},
  ): Promise<Page<DriveRow>> {
    const { catalogue, key, version } = await this.oneDrive(principal, sessionId, driveId)
    const everywhere = request.parentId === undefined && request.search !== undefined
    const folder = request.parentId ?? (everywhere ? undefined : catalogue.driveRoot(key, version))
    if (folder === undefined && !everywhere) return { items: [], totalCount: 0 }
    const { items, total } = catalogue.items(key, version, folder, queryOf(request))
    return { items: items.filter(isDriveRow), totalCount: total }
  }

  async driveDocument(
    principal: Principal,
    sessionId: string,
    driveId: string,
    id: string,
  ): Promise<DriveRow> {
    const row = rowOf(await this.oneDrive(principal, sessionId, driveId), id)
    if (row === undefined || !isDriveRow(row) || isFolderRow(row))
      throw notFound('there is no such document at this restore point')
    return row
  }
}

export const isMailRow = (row: CatalogueRow): row is MailRow => !isDriveRow(row)

export const rowOf = ({ catalogue, key, version }: LocatedObject, id: string): CatalogueRow | undefined =>
  catalogue.rowsById(key, version, [id]).get(id)

const queryOf = (request: ListRequest): { offset: number; limit: number; search?: string } => {
  const { offset = 0, limit = PAGE, search } = request
  if (offset < 0 || limit < 0) throw invalid('offset and limit cannot be negative')
  return search === undefined ? { offset, limit } : { offset, limit, search }
}
