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
  /** Whether the restore point holds a message of this id. */
  readonly isSaved?: (id: string) => boolean
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

/** The service allows four calls at a time on a mailbox; one is left for its owner. */
const AT_ONCE = 3

/**
 * Puts messages back, a few at a time, and tells of each in the order given. Repeating a restore changes nothing: a
 * message is found again by its id, else by its Internet message id in its folder. A message that was moved away (to
 * Deleted Items, say) is moved back.
 */
export async function* restoreMails(
  restore: MailRestore,
  mails: AsyncIterable<SavedMail> | Iterable<SavedMail>,
): AsyncGenerator<RestoredItem> {
  const folders = await TargetFolders.load(restore.target, restore.signal)
  const claims = new Claims()
  const running: Promise<RestoredItem>[] = []
  for await (const mail of mails) {
    restore.signal?.throwIfAborted()
    const next = restoreOne(restore, folders, claims, mail)
    next.catch(() => {}) // Its error is thrown where it is awaited.
    running.push(next)
    if (running.length >= AT_ONCE) yield await running.shift()!
  }
  for (const last of running) yield await last
}

async function restoreOne(
  restore: MailRestore,
  folders: TargetFolders,
  claims: Claims,
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
    return { ...row, outcome: await bringBack(restore, folders, claims, mail) }
  } catch (error) {
    if (restore.signal?.aborted === true || isHoldfastError(error, 'cancelled')) throw error
    return { ...row, outcome: 'failed', message: messageOf(error) }
  }
}

type Outcome = 'created' | 'updated' | 'skipped'

async function bringBack(
  restore: MailRestore,
  folders: TargetFolders,
  claims: Claims,
  mail: SavedMail,
): Promise<Outcome> {
  const file = await mail.open(restore.signal)
  const folderId = await placeOf(restore, folders, mail)
  return claims.inTurn(file.item.internetMessageId, () => putBack(restore, folderId, claims.taken, file))
}

async function putBack(
  restore: MailRestore,
  folderId: string,
  claimed: Set<string>,
  file: MailItemFile,
): Promise<Outcome> {
  const { target, options, signal } = restore
  const item = options.markUnread ? { ...file.item, isRead: false } : file.item
  const live = await findLive(restore, folderId, item, claimed)
  if (live === undefined) {
    if (!options.missing) return 'skipped'
    const made = await target.createMessage(folderId, { item, attachments: file.attachments }, signal)
    claimed.add(made.id)
    return 'created'
  }
  const isMoved = live.folderId !== folderId
  if (!isMoved && isUnchanged(item, live)) return 'skipped'
  if (isMoved ? !options.missing : !options.changed) return 'skipped'
  const placed = isMoved ? await target.moveMessage(live.id, folderId, signal) : live
  if (!isUnchanged(item, placed)) await target.updateMessage(placed.id, item, signal)
  return isMoved ? 'created' : 'updated'
}

/**
 * Two messages may share one Internet message id: each live one answers for one saved one only. They take turns, so that
 * one is not taken for the other while that one is being made.
 */
class Claims {
  readonly taken = new Set<string>()
  readonly #turns = new Map<string, Promise<unknown>>()

  async inTurn<Result>(internetMessageId: string | undefined, work: () => Promise<Result>): Promise<Result> {
    if (internetMessageId === undefined) return work()
    const before = this.#turns.get(internetMessageId) ?? Promise.resolve()
    const result = before.then(work, work)
    this.#turns.set(internetMessageId, result)
    try {
      return await result
    } finally {
      if (this.#turns.get(internetMessageId) === result) this.#turns.delete(internetMessageId)
    }
  }
}

async function placeOf(restore: MailRestore, folders: TargetFolders, mail: SavedMail): Promise<string> {
  const chain = folderChain(restore.folders, mail.folderId)
  const { place, folderPath } = restore.options
  if (folderPath === undefined) return folders.place(chain)
  const below = await folders.placeByPath(folderPath)
  return place === 'other' ? folders.place(chain, below) : below
}

/** The live message that answers for a saved one, claimed so that it answers for no other. */
async function findLive(
  restore: MailRestore,
  folderId: string,
  item: MailItem,
  claimed: Set<string>,
): Promise<MailItem | undefined> {
  const { target, options, signal, isSaved } = restore
  const claim = (found: MailItem | undefined): MailItem | undefined => {
    if (found !== undefined) claimed.add(found.id)
    return found
  }
  if (options.place === 'original') {
    const same = await target.message(item.id, signal)
    if (same !== undefined && !claimed.has(same.id)) return claim(same)
  }
  if (item.internetMessageId === undefined) return undefined
  const alike = await target.messagesByInternetId(folderId, item.internetMessageId, signal)
  // A live message that the restore point knows by its own id answers for itself alone.
  const free = alike.filter(({ id }) => !claimed.has(id) && isSaved?.(id) !== true)
  return claim(free.find((candidate) => sameContent(candidate, item)) ?? free[0])
}
