import type { JsonObject } from '#base'
import { nameKey } from '#formats'
import type { DriveItem, MailAddress } from '#items'
import type { BlobId } from '#repository'

// One row for each item. Format: docs/design/catalogue.md. Times are ISO 8601 in UTC.

export interface MailRow {
  readonly id: string
  readonly folderId: string
  /** Below the folder: `2026/11/20/080102-1a2b3c4d5e6f.eml`. */
  readonly path: string
  readonly subject: string
  readonly from?: MailAddress
  /** The first of them; the item file has all. */
  readonly to: readonly MailAddress[]
  readonly receivedAt?: string
  readonly sentAt?: string
  readonly modifiedAt?: string
  readonly isRead: boolean
  readonly isDraft: boolean
  readonly isFlagged: boolean
  readonly hasAttachments: boolean
  readonly categories: readonly string[]
  readonly importance: 'low' | 'normal' | 'high'
  readonly changeKey: string
  readonly internetMessageId?: string
  /** Of the item file, as stored in `content`. */
  readonly sizeBytes: number
  readonly content: readonly BlobId[]
}

/** An older version of a file. */
export interface FileVersion {
  /** `3.0`, as the service counts. */
  readonly id: string
  readonly modifiedAt?: string
  /** Whoever made it, as the service names them. */
  readonly modifiedBy?: string
  readonly sizeBytes: number
  readonly content: readonly BlobId[]
}

export interface DriveRow {
  readonly id: string
  /** Absent for the root. */
  readonly parentId?: string
  readonly name: string
  readonly kind: DriveItem['kind']
  /** Below the parent's path: the name made safe, with a bucket before it in a large folder. Empty for the root. */
  readonly path: string
  readonly sizeBytes: number
  readonly createdAt?: string
  readonly modifiedAt?: string
  readonly eTag?: string
  readonly cTag?: string
  readonly quickXorHash?: string
  readonly mimeType?: string
  readonly isShared: boolean
  readonly graph: JsonObject
  /** As the service gave them; present where the item is shared. */
  readonly permissions?: readonly JsonObject[]
  readonly content: readonly BlobId[]
  /** Older versions, oldest first. Absent where none were asked for; empty where there are none. */
  readonly versions?: readonly FileVersion[]
  /** Which of the service's versions `content` is, where that is certain. */
  readonly currentVersion?: { readonly id: string; readonly modifiedAt?: string }
}

export type CatalogueRow = MailRow | DriveRow

export const isDriveRow = (row: CatalogueRow): row is DriveRow => 'kind' in row

/** The folder that holds a row; empty for the root of a drive. */
export const parentOf = (row: CatalogueRow): string => (isDriveRow(row) ? (row.parentId ?? '') : row.folderId)

export const isFolderRow = (row: CatalogueRow): boolean =>
  isDriveRow(row) && (row.kind === 'folder' || row.kind === 'root' || row.kind === 'package')

/** Two rows of one folder never share it. */
export const placeKey = (row: CatalogueRow): string => nameKey(row.path)

/** Mail: newest first. Drives: by name. */
export const sortKey = (row: CatalogueRow): string =>
  isDriveRow(row) ? nameKey(row.name) : reversedTime(row.receivedAt ?? row.sentAt ?? row.modifiedAt)

/** What a search looks through, in lower case. */
export const searchText = (row: CatalogueRow): string =>
  (isDriveRow(row)
    ? row.name
    : [row.subject, row.from?.name, row.from?.address, ...row.to.flatMap((to) => [to.name, to.address])].join(
        '\n',
      )
  ).toLowerCase()

const LATEST = Date.UTC(2200, 0, 1)
const reversedTime = (iso: string | undefined): string =>
  String(LATEST - (iso === undefined ? 0 : Date.parse(iso))).padStart(14, '0')
