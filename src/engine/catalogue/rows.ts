import type { JsonObject } from '#base'
import { nameKey } from '#formats'
import type { DriveItem, MailAddress } from '#items'
import type { BlobId } from '#repository'
import { textNumber } from './id-key.ts'

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

/** `2026/11/20/080102-1a2b3c4d5e6f.eml`, in UTC: where a message lies below its folder. `hash` is of its id. */
export const mailFilePath = (date: Date, hash: string): string => {
  const iso = date.toISOString()
  const [year, month, day] = iso.replace(/^[+-]\d+/, '0000').split(/[-T]/)
  const time = iso.slice(-13, -5).replaceAll(':', '')
  return `${year}/${month}/${day}/${time}-${hash}.eml`
}

const MAIL_PLACE = /^(\d{4})\/(\d\d)\/(\d\d)\/(\d\d)(\d\d)(\d\d)-/
const FIRST_SECOND = Date.UTC(1000, 0, 1) / 1000
const LAST_SECOND = Date.UTC(9999, 11, 31) / 1000

/** The second that a mail's path begins with; undefined for times that paths do not show as they are. */
export const mailPathSecond = (ms: number): number | undefined => {
  const second = Math.floor(ms / 1000)
  return second >= FIRST_SECOND && second < LAST_SECOND ? second : undefined
}

/** A number for a placeKey, to look places up by. Different places may share it. */
export const placeNumber = (place: string): number => {
  const parts = MAIL_PLACE.exec(place)?.slice(1).map(Number)
  if (parts !== undefined && parts[0]! >= 1000) {
    const [year, month, day, hour, minute, second] = parts as [number, number, number, number, number, number]
    return Date.UTC(year, month - 1, day, hour, minute, second) / 1000
  }
  return textNumber(place)
}

/** Mail: newest first. Drives: by name. */
export const sortKey = (row: CatalogueRow): string | number =>
  isDriveRow(row) ? nameKey(row.name) : mailSortKey(mailTimeMs(row))

const mailTimeMs = ({ receivedAt, sentAt, modifiedAt }: MailRow): number | undefined => {
  const iso = receivedAt ?? sentAt ?? modifiedAt
  return iso === undefined ? undefined : Date.parse(iso)
}

/** By when a message was received, else sent, else changed. */
export const mailSortKey = (ms: number | undefined): number => -(ms ?? 0)

/** What a search looks through, in lower case. */
export const searchText = (row: CatalogueRow): string =>
  isDriveRow(row) ? row.name.toLowerCase() : mailSearchText(row)

export const mailSearchText = ({ subject, from, to }: Pick<MailRow, 'subject' | 'from' | 'to'>): string =>
  [subject, from?.name, from?.address, ...to.flatMap(({ name, address }) => [name, address])]
    .join('\n')
    .toLowerCase()
