import type { JsonObject } from '#base'
import type { DriveItem } from '#items'
import { isObject, textOf } from '../graph-json.ts'
import type { DownloadAddresses } from './download-addresses.ts'
import { UNITS, type DriveCalls } from './drive-calls.ts'
import { downloadAddressOf, toDriveItem } from './drive-json.ts'

export interface DrivePage {
  /** Latest state; an item may come again on a later page, the last one wins. Parents before children in a full round. */
  readonly items: readonly DriveItem[]
  readonly removed: readonly string[]
  readonly token: string
  readonly hasMore: boolean
}

const PAGE = 200
/** Changes of sharing are changes, too, and items say where sharing begins instead of repeating what they inherit. */
const PREFERENCES = [
  'deltashowremovedasdeleted',
  'deltatraversepermissiongaps',
  'deltashowsharingchanges',
  'hierarchicalsharing',
]

/** Pages of a drive's changes since `token`, or all of it. A token is a path below the version, free of host names. */
export async function* driveChanges(
  calls: DriveCalls,
  addresses: DownloadAddresses,
  token: string | undefined,
  signal?: AbortSignal,
): AsyncGenerator<DrivePage> {
  let next = token
  for (;;) {
    const page =
      next === undefined
        ? await calls.page({
            path: `/root/delta?$top=${PAGE}`,
            cost: UNITS.list,
            prefer: PREFERENCES,
            signal,
          })
        : await calls.pageAt({ path: next, cost: UNITS.one, prefer: PREFERENCES, signal })
    const following = page.next ?? page.delta ?? next ?? ''
    yield { ...sorted(page.items, addresses), token: following, hasMore: page.next !== undefined }
    if (page.next === undefined) return
    next = page.next
  }
}

function sorted(
  entries: readonly JsonObject[],
  addresses: DownloadAddresses,
): Pick<DrivePage, 'items' | 'removed'> {
  const latest = new Map<string, JsonObject>()
  for (const entry of entries) latest.set(textOf(entry, 'id') ?? '', entry)
  const items: DriveItem[] = []
  const removed: string[] = []
  for (const [id, entry] of latest) {
    if (isObject(entry.deleted)) {
      removed.push(id)
      continue
    }
    const item = toDriveItem(entry)
    addresses.remember(item, downloadAddressOf(entry))
    items.push(item)
  }
  return { items, removed }
}
