import { GraphError } from '../core/contract.ts'
import type { DriveStore } from './drive-store.ts'
import type { ItemRow, VersionRow } from './schema.ts'

/** All versions of a file, the newest, which is its present content, first. */
export const versionsOf = (store: DriveStore, item: ItemRow): VersionRow[] => {
  const current: VersionRow = {
    item: item.key,
    number: item.version,
    content: item.content!,
    size: item.size,
    modified_ms: item.modified_ms,
    modified_by: item.modified_by,
  }
  const earlier = store.all<VersionRow>(
    'SELECT * FROM drive_versions WHERE item = ? ORDER BY number DESC',
    item.key,
  )
  return [current, ...earlier]
}

/** The version with an id like `2.0`, or `current`. Throws the 404. */
export const versionOf = (store: DriveStore, item: ItemRow, id: string): VersionRow => {
  const versions = item.kind === 'file' ? versionsOf(store, item) : []
  const found = versions.find(
    ({ number }) => `${number}.0` === id || (id === 'current' && number === item.version),
  )
  if (found === undefined) throw new GraphError(404, 'itemNotFound', 'The version could not be found.')
  return found
}
