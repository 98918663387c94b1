import { idKey } from './id-key.ts'
import type { RowBlock } from './row-block.ts'
import {
  isFolderRow,
  mailPathSecond,
  mailSortKey,
  parentOf,
  placeKey,
  placeNumber,
  sortKey,
  type CatalogueRow,
} from './rows.ts'

/** What the cache keeps of a row beside its place in a block. */
export interface ItemColumns {
  readonly h: number
  readonly c: number
  readonly parentId: string
  readonly isFolder: 0 | 1
  readonly place: number
  readonly sort: string | number
}

export const itemColumns = (row: CatalogueRow): ItemColumns => ({
  ...idKey(row.id),
  parentId: parentOf(row),
  isFolder: isFolderRow(row) ? 1 : 0,
  place: placeNumber(placeKey(row)),
  sort: sortKey(row),
})

/** The same for the rows of a block, for most mails without reading the row. */
export const itemColumnsIn = (block: RowBlock): ((row: number, id: string) => ItemColumns) => {
  const [folderId, times] = [block.reader('folderId'), block.usualTimes()]
  return (row, id) => {
    const sorted = times(row)
    const second = sorted === undefined ? undefined : mailPathSecond(sorted)
    if (second === undefined) return itemColumns(block.row(row))
    const parentId = folderId(row) as string
    return { ...idKey(id), parentId, isFolder: 0, place: second, sort: mailSortKey(sorted) }
  }
}
