import { isHoldfastError, messageOf } from '#base'
import type { MailItemFile } from '#formats'
import type { MailItem } from '#items'
import type { MailboxTarget } from '../connectors/connectors.ts'
import { folderChain, TargetFolders, type SavedFolder } from './mail-folders.ts'
import type { RestoredItem } from './restore-report.ts'

/** One message of a restore point, not yet read. */
export interface SavedMail {
  readonly id: string
  readonly folderId: string
  readonly subject: string
  readonly sizeBytes: number
  open(signal?: AbortSignal): Promise<MailItemFile>
}

export interface MailRestoreOptions {
  /** `original`: the mailbox it came from. `other`: never looks for the message by its old id. */
  readonly place: 'original' | 'other'
  /** With `other`: a path of folder names below the mailbox's root, under which the folders are made again. */
  readonly folderPath?: string
  /** Bring messages back that are gone. */
  readonly missing: boolean
  /** Set messages back that changed since. */
  readonly changed: boolean
  readonly markUnread: boolean
}

export interface MailRestore {
  readonly target: MailboxTarget
  readonly targetName: string
  readonly sourceName: string
  readonly folders: ReadonlyMap<string, SavedFolder>
  readonly options: MailRestoreOptions
  readonly signal?: AbortSignal
}

const sameFlags = (a: MailItem, b: MailItem): boolean =>
  a.isRead === b.isRead &&
  a.isFlagged === b.isFlagged &&
  a.importance === b.importance &&
  a.categories.join('\n') === b.categories.join('\n')

const sameContent = (a: MailItem, b: MailItem): boolean =>
  a.subject === b.subject && a.body.type === b.body.type && a.body.content === b.body.content

const isUnchanged = (saved: MailItem, live: MailItem): boolean =>
  sameFlags(saved, live) && sameContent(saved, live)

/**
 * Puts messages back, one after the other. Repeating a restore changes nothing: a message is found again by its id, else
 * by its Internet message id in its folder. A message that was moved away (to Deleted Items, say) is moved back.
 */
export async function* restoreMails(
  restore: MailRestore,
  mails: AsyncIterable<SavedMail> | Iterable<SavedMail>,
): AsyncGenerator<RestoredItem> {
  const folders = await TargetFolders.load(restore.target, restore.signal)
  // Two messages may share one Internet message id: each live one answers for one saved one only.
  const claimed = new Set<string>()
  for await (const mail of mails) {
    restore.signal?.throwIfAborted()
    yield await restoreOne(restore, folders, claimed, mail)
  }
}

async function restoreOne(
  restore: MailRestore,
  folders: TargetFolders,
  claimed: Set<string>,
  mail: SavedMail,
): Promise<RestoredItem> {
  const row = {
    name: mail.subject,
    itemType: 'mail' as const,
    sizeBytes: mail.sizeBytes,
    source: restore.sourceName,
    target: restore.targetName,
  }
  try {
    return { ...row, outcome: await bringBack(restore, folders, claimed, mail) }
  } catch (error) {
    if (restore.signal?.aborted === true || isHoldfastError(error, 'cancelled')) throw error
    return { ...row, outcome: 'failed', message: messageOf(error) }
  }
}

async function bringBack(
  restore: MailRestore,
  folders: TargetFolders,
  claimed: Set<string>,
  mail: SavedMail,
): Promise<'created' | 'updated' | 'skipped'> {
  const { target, options, signal } = restore
  const file = await mail.open(signal)
  const item = options.markUnread ? { ...file.item, isRead: false } : file.item
  const folderId = await placeOf(restore, folders, mail)
  const live = await findLive(restore, folderId, item, claimed)
  if (live === undefined) {
    if (!options.missing) return 'skipped'
    const made = await target.createMessage(folderId, { item, attachments: file.attachments }, signal)
    claimed.add(made.id)
    return 'created'
  }
  claimed.add(live.id)
  const isMoved = live.folderId !== folderId
  if (!isMoved && isUnchanged(item, live)) return 'skipped'
  if (isMoved ? !options.missing : !options.changed) return 'skipped'
  const placed = isMoved ? await target.moveMessage(live.id, folderId, signal) : live
  if (!isUnchanged(item, placed)) await target.updateMessage(placed.id, item, signal)
  return isMoved ? 'created' : 'updated'
}

async function placeOf(restore: MailRestore, folders: TargetFolders, mail: SavedMail): Promise<string> {
  const chain = folderChain(restore.folders, mail.folderId)
  const { place, folderPath } = restore.options
  if (folderPath === undefined) return folders.place(chain)
  const below = await folders.placeByPath(folderPath)
  return place === 'other' ? folders.place(chain, below) : below
}

async function findLive(
  restore: MailRestore,
  folderId: string,
  item: MailItem,
  claimed: ReadonlySet<string>,
): Promise<MailItem | undefined> {
  const { target, options, signal } = restore
  if (options.place === 'original') {
    const same = await target.message(item.id, signal)
    if (same !== undefined && !claimed.has(same.id)) return same
  }
  if (item.internetMessageId === undefined) return undefined
  const alike = await target.messagesByInternetId(folderId, item.internetMessageId, signal)
  const free = alike.filter((candidate) => !claimed.has(candidate.id))
  return free.find((candidate) => sameContent(candidate, item)) ?? free[0]
}
