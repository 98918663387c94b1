import { isHoldfastError, type ErrorCode, type JsonObject } from '#base'
import type { MailItem } from '#items'
import { isObject, segment, textOf } from '../graph-json.ts'
import type { Page } from '../http/graph-client.ts'
import type { MailboxCalls } from './mailbox-calls.ts'
import { MESSAGE_PROPERTIES, toMailItem } from './mail-json.ts'

export interface MailPage {
  readonly items: readonly MailItem[]
  /** Ids that left the folder: deleted, or moved to another folder where they show up as items. */
  readonly removed: readonly string[]
  /** Goes on after this page. Good once this page is kept. */
  readonly token: string
  /** False for the last page: `token` is then where the next run starts. */
  readonly hasMore: boolean
}

// Bodies come inline, so a page may be large; when the service or we cannot cope, the same page is asked for in smaller pieces.
const SIZE_MATTERS: ReadonlySet<ErrorCode> = new Set(['too-large', 'unavailable', 'timeout', 'corrupt'])
const PAGE_SIZES = [100, 25, 5, 1]

/**
 * Pages of a folder's changes since `token`, or all its messages. A token is the path of the next page below the
 * version, so it does not depend on a host's name. Throws reason `resync` for one that the service no longer knows.
 */
export async function* folderChanges(
  calls: MailboxCalls,
  folderId: string,
  token: string | undefined,
  signal?: AbortSignal,
): AsyncGenerator<MailPage> {
  let next = token
  for (;;) {
    const page = await changesPage(calls, folderId, next, signal)
    const following = page.next ?? page.delta
    yield { ...sorted(page.items), token: following ?? next ?? '', hasMore: page.next !== undefined }
    if (page.next === undefined) return
    next = page.next
  }
}

async function changesPage(
  calls: MailboxCalls,
  folderId: string,
  token: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Page> {
  const first = `/mailFolders/${segment(folderId)}/messages/delta?$select=${MESSAGE_PROPERTIES}`
  for (const [attempt, size] of PAGE_SIZES.entries()) {
    const prefer = [`odata.maxpagesize=${size}`]
    try {
      return token === undefined
        ? await calls.page({ path: first, prefer, signal })
        : await calls.pageAt({ path: token, prefer, signal })
    } catch (error) {
      if (!isHoldfastError(error) || !SIZE_MATTERS.has(error.code) || attempt === PAGE_SIZES.length - 1)
        throw error
    }
  }
  throw new Error('unreachable')
}

/** Graph repeats messages; the last one wins. */
function sorted(entries: readonly JsonObject[]): Pick<MailPage, 'items' | 'removed'> {
  const latest = new Map<string, JsonObject>()
  for (const entry of entries) {
    const id = textOf(entry, 'id')
    if (id === undefined) continue
    latest.delete(id)
    latest.set(id, entry)
  }
  const items: MailItem[] = []
  const removed: string[] = []
  for (const [id, entry] of latest) {
    if (isObject(entry['@removed'])) removed.push(id)
    else items.push(toMailItem(entry))
  }
  return { items, removed }
}
