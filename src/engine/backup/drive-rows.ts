import { createHash } from 'node:crypto'
import type { JsonObject } from '#base'
import { nameKey, storedName, uniqueName } from '#formats'
import type { DriveItem } from '#items'
import type { BlobId } from '#repository'
import type { DriveRow } from '../catalogue/rows.ts'

/** A bucket of a large folder: `~3f`. No file or folder of a person may have such a name. */
const isBucketName = (key: string): boolean => /^~[0-9a-f]{2}$/.test(key)
const bucketOf = (id: string): string => `~${createHash('sha256').update(id).digest('hex').slice(0, 2)}`

/** The item's place below its folder: its name made safe and unique, in a bucket where the folder is large. */
export const drivePath = (
  item: DriveItem,
  isLargeFolder: boolean,
  isTaken: (placeKey: string) => boolean,
): string => {
  const bucket = isLargeFolder && item.kind === 'file' ? `${bucketOf(item.id)}/` : ''
  const prefix = nameKey(bucket)
  return bucket + uniqueName(storedName(item.name), (key) => isBucketName(key) || isTaken(prefix + key))
}

export interface DriveContent {
  readonly sizeBytes: number
  readonly content: readonly BlobId[]
}

/** What was asked for beside the content. */
export interface DriveExtras extends Pick<DriveRow, 'versions' | 'currentVersion'> {
  readonly permissions: readonly JsonObject[] | undefined
}

export const driveRow = (
  item: DriveItem,
  path: string,
  { sizeBytes, content }: DriveContent,
  { permissions, versions, currentVersion }: DriveExtras,
): DriveRow => ({
  id: item.id,
  ...(item.parentId === undefined ? {} : { parentId: item.parentId }),
  name: item.name,
  kind: item.kind,
  path,
  sizeBytes,
  ...(item.createdAt === undefined ? {} : { createdAt: item.createdAt.toISOString() }),
  ...(item.modifiedAt === undefined ? {} : { modifiedAt: item.modifiedAt.toISOString() }),
  ...(item.eTag === undefined ? {} : { eTag: item.eTag }),
  ...(item.cTag === undefined ? {} : { cTag: item.cTag }),
  ...(item.quickXorHash === undefined ? {} : { quickXorHash: item.quickXorHash }),
  ...(item.mimeType === undefined ? {} : { mimeType: item.mimeType }),
  isShared: item.isShared,
  graph: item.graph,
  ...(permissions === undefined ? {} : { permissions }),
  content,
  ...(versions === undefined ? {} : { versions }),
  ...(currentVersion === undefined ? {} : { currentVersion }),
})

/** Nothing about the item is different. */
export const isSameItem = (item: DriveItem, row: DriveRow): boolean =>
  item.eTag !== undefined &&
  item.eTag === row.eTag &&
  item.cTag === row.cTag &&
  item.name === row.name &&
  item.parentId === row.parentId &&
  item.kind === row.kind &&
  item.isShared === row.isShared

/** The bytes are those that are stored: nothing has to be fetched. */
export const isSameContent = (item: DriveItem, row: DriveRow): boolean => {
  if (item.kind !== 'file' || row.kind !== 'file') return false
  if (item.cTag !== undefined && item.cTag === row.cTag) return true
  return (
    item.quickXorHash !== undefined &&
    item.quickXorHash === row.quickXorHash &&
    item.sizeBytes === row.sizeBytes
  )
}

export const isContainer = ({ kind }: Pick<DriveItem, 'kind'>): boolean =>
  kind === 'root' || kind === 'folder' || kind === 'package'
