import { isHoldfastError, type Clock, type Logger } from '#base'
import type { MailAttachment, MailFolder, MailItem } from '#items'
import { segment } from '../graph-json.ts'
import { listedAttachments, messageAttachments, type AttachmentContent } from './attachments.ts'
import { folderChanges, type MailPage } from './changes.ts'
import {
  createMessage,
  messagesByInternetId,
  readMessage,
  RecentIds,
  type CreateContext,
  type MailDraft,
} from './create-message.ts'
import { childrenPath, findChild, listFolders } from './folders.ts'
import { toMailFolder, toMailItem, type FolderNames } from './mail-json.ts'
import type { MailboxCalls } from './mailbox-calls.ts'
import { changedMessage } from './message-body.ts'

const FOREIGN_ID = new Set(['ErrorInvalidIdMalformed', 'ErrorInvalidMailboxItemId', 'ErrorInvalidId'])
const NO_NAMES: FolderNames = { rootId: undefined, nameOf: new Map() }

/** One mailbox: read for backup, written for restore. */
export class GraphMailbox {
  readonly #calls: MailboxCalls
  readonly #clock: Clock
  readonly #log: Logger
  readonly #ownWork = new RecentIds()

  constructor(calls: MailboxCalls, { clock, log }: { readonly clock: Clock; readonly log: Logger }) {
    this.#calls = calls
    this.#clock = clock
    this.#log = log
  }

  async folders(signal?: AbortSignal): Promise<readonly MailFolder[]> {
    return await listFolders(this.#calls, signal)
  }

  changes(folderId: string, token?: string, signal?: AbortSignal): AsyncIterable<MailPage> {
    return folderChanges(this.#calls, folderId, token, signal)
  }

  async listAttachments(item: MailItem, signal?: AbortSignal): Promise<readonly MailAttachment[]> {
    return await listedAttachments(this.#calls, item, signal)
  }

  attachments(item: MailItem, signal?: AbortSignal): AsyncIterable<AttachmentContent> {
    return messageAttachments(this.#calls, item, signal)
  }

  async createFolder(name: string, parentId?: string, signal?: AbortSignal): Promise<MailFolder> {
    const folder = await this.#makeOrFindFolder(name, parentId, signal)
    return parentId === undefined ? withoutParent(folder) : folder
  }

  async message(id: string, signal?: AbortSignal): Promise<MailItem | undefined> {
    try {
      return await readMessage(this.#calls, id, signal)
    } catch (error) {
      if (isHoldfastError(error, 'not-found') && error.reason !== 'no-mailbox') return undefined
      // An id of another mailbox, or of one that has been made anew under the same name.
      if (isHoldfastError(error) && FOREIGN_ID.has(error.reason ?? '')) return undefined
      throw error
    }
  }

  async messagesByInternetId(
    folderId: string,
    internetMessageId: string,
    signal?: AbortSignal,
  ): Promise<readonly MailItem[]> {
    return await messagesByInternetId(this.#calls, folderId, internetMessageId, signal)
  }

  async createMessage(folderId: string, draft: MailDraft, signal?: AbortSignal): Promise<MailItem> {
    return await createMessage(this.#creating(signal), folderId, draft)
  }

  async updateMessage(id: string, item: MailItem, signal?: AbortSignal): Promise<void> {
    const path = `/messages/${segment(id)}`
    try {
      await this.#calls.request({
        method: 'PATCH',
        path,
        body: changedMessage(item, { withContent: true }),
        signal,
      })
    } catch (error) {
      if (!isHoldfastError(error, 'invalid') && !isHoldfastError(error, 'denied')) throw error
      // Exchange lets subject and body of a message change only while it is a draft.
      await this.#calls.request({
        method: 'PATCH',
        path,
        body: changedMessage(item, { withContent: false }),
        signal,
      })
      this.#log.info({ reason: error.reason }, 'subject and body of a message left as they are')
    }
  }

  async moveMessage(id: string, folderId: string, signal?: AbortSignal): Promise<MailItem> {
    const moved = await this.#calls.json({
      method: 'POST',
      path: `/messages/${segment(id)}/move`,
      body: { destinationId: folderId },
      // The immutable id stays, so moving again to the same folder changes nothing.
      isRepeatable: true,
      signal,
    })
    return toMailItem(moved)
  }

  async deleteMessage(id: string, signal?: AbortSignal): Promise<void> {
    try {
      await this.#calls.request({ method: 'DELETE', path: `/messages/${segment(id)}`, signal })
    } catch (error) {
      if (!isHoldfastError(error, 'not-found') || error.reason === 'no-mailbox') throw error
    }
  }

  async #makeOrFindFolder(
    name: string,
    parentId: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<MailFolder> {
    try {
      const made = await this.#calls.json({
        method: 'POST',
        path: childrenPath(parentId),
        body: { displayName: name, isHidden: false },
        // Names are unique among siblings: a repeat finds the first one.
        isRepeatable: true,
        signal,
      })
      return toMailFolder(made, NO_NAMES)
    } catch (error) {
      if (!isHoldfastError(error, 'conflict')) throw error
      const existing = await findChild(this.#calls, name, parentId, signal)
      if (existing === undefined) throw error
      return toMailFolder(existing, NO_NAMES)
    }
  }

  #creating(signal: AbortSignal | undefined): CreateContext {
    const nowMs = (): number => this.#clock.nowMs()
    return { calls: this.#calls, log: this.#log, nowMs, ownWork: this.#ownWork, signal }
  }
}

function withoutParent({ parentId: _root, ...folder }: MailFolder): MailFolder {
  return folder
}
