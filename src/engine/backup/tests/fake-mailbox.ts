import { HoldfastError, notFound, unavailable } from '#base'
import type { MailAttachment, MailFolder, MailItem } from '#items'
import { RESYNC, type AttachmentContent, type MailPage } from '../../connectors/connectors.ts'
import type { MailboxToRead } from '../backup-mailbox.ts'

interface FakeMessage {
  readonly item: MailItem
  readonly attachments: readonly { readonly name: string; readonly bytes: Uint8Array }[]
}
interface Event {
  readonly number: number
  readonly folderId: string
  readonly id: string
}

/** A mailbox that a test scripts. Its deltas work as the service's do: a move is a removal here and an item there. */
export class FakeMailbox implements MailboxToRead {
  readonly calls = { folders: 0, changes: 0, lists: 0, attachments: 0, contents: 0 }
  readonly unreadable = new Map<string, Error>()
  pageSize = 3
  /** Thrown by `folders`. */
  refusal: Error | undefined
  /** Called before each page. */
  beforePage: () => void | Promise<void> = () => {}
  readonly #folders = new Map<string, MailFolder>()
  readonly #messages = new Map<string, FakeMessage>()
  readonly #events: Event[] = []
  #number = 0
  #oldestToken = 0

  folder(id: string, name = id, parentId?: string): this {
    const known = parentId === undefined ? {} : { parentId }
    this.#folders.set(id, { id, name, isHidden: false, itemCount: 0, ...known })
    return this
  }

  removeFolder(id: string): void {
    for (const message of this.#messages.values())
      if (message.item.folderId === id) this.delete(message.item.id)
    this.#folders.delete(id)
  }

  put(
    id: string,
    folderId: string,
    changes: Partial<MailItem> = {},
    attachments: readonly { name: string; bytes: Uint8Array }[] = this.#messages.get(id)?.attachments ?? [],
  ): this {
    const old = this.#messages.get(id)?.item
    if (old !== undefined && old.folderId !== folderId) this.#note(old.folderId, id)
    const changeKey = `ck${(this.#number += 1)}`
    const item: MailItem = {
      ...(old ?? message(id)),
      folderId,
      changeKey,
      hasAttachments: attachments.length > 0,
      ...changes,
    }
    this.#messages.set(id, { item, attachments })
    this.#note(folderId, id)
    return this
  }

  /** As a move that leaves the change key alone. */
  move(id: string, folderId: string): void {
    const { changeKey } = this.#messages.get(id)!.item
    this.put(id, folderId, { changeKey })
  }

  delete(id: string): void {
    const { item } = this.#messages.get(id)!
    this.#messages.delete(id)
    this.#note(item.folderId, id)
  }

  item(id: string): MailItem {
    return this.#messages.get(id)!.item
  }

  get items(): MailItem[] {
    return [...this.#messages.values()].map(({ item }) => item)
  }

  expireTokens(): void {
    this.#oldestToken = this.#number += 1
  }

  #note(folderId: string, id: string): void {
    this.#events.push({ number: (this.#number += 1), folderId, id })
  }

  async folders(): Promise<readonly MailFolder[]> {
    this.calls.folders += 1
    if (this.refusal !== undefined) throw this.refusal
    return [...this.#folders.values()]
  }

  async *changes(folderId: string, token?: string): AsyncGenerator<MailPage> {
    const [kind, at, offset] = (token ?? `all:${this.#number}:0`).split(':') as [string, string, string]
    if (token !== undefined && Number(at) < this.#oldestToken)
      throw new HoldfastError('conflict', 'the token has lapsed', { reason: RESYNC })
    const ids =
      kind === 'all'
        ? this.items.filter((item) => item.folderId === folderId).map(({ id }) => id)
        : [
            ...new Set(
              this.#events
                .filter((event) => event.folderId === folderId && event.number > Number(at))
                .map(({ id }) => id),
            ),
          ]
    for (let start = Number(offset); ; start += this.pageSize) {
      this.calls.changes += 1
      await this.beforePage()
      const page = ids.slice(start, start + this.pageSize)
      const items = page.flatMap((id) =>
        this.#messages.get(id)?.item.folderId === folderId ? [this.item(id)] : [],
      )
      const hasMore = start + this.pageSize < ids.length
      const next = hasMore
        ? `${kind}:${at}:${start + this.pageSize}`
        : `since:${kind === 'all' ? at : this.#number}:0`
      yield {
        items,
        removed: page.filter((id) => items.every((item) => item.id !== id)),
        token: next,
        hasMore,
      }
      if (!hasMore) return
    }
  }

  async listAttachments(item: MailItem): Promise<readonly MailAttachment[]> {
    this.calls.lists += 1
    const found = this.#messages.get(item.id)
    if (found === undefined) throw notFound('the message is gone')
    return found.attachments.map(({ name, bytes }) => attachment(name, bytes))
  }

  async *attachments(item: MailItem): AsyncGenerator<AttachmentContent> {
    this.calls.attachments += 1
    const failure = this.unreadable.get(item.id)
    if (failure !== undefined) throw failure
    const found = this.#messages.get(item.id)
    if (found === undefined) throw notFound('the message is gone')
    for (const { name, bytes } of found.attachments)
      yield { attachment: attachment(name, bytes), content: this.#read(bytes) }
  }

  async *#read(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    this.calls.contents += 1
    yield bytes
  }

  async message(id: string): Promise<MailItem | undefined> {
    return this.#messages.get(id)?.item
  }
}

export const cannotRead = unavailable('the attachment cannot be read')

const message = (id: string): MailItem => ({
  id,
  changeKey: '',
  folderId: '',
  subject: `Subject of ${id}`,
  from: { name: 'Bo', address: 'bo@contoso.com' },
  to: [{ address: 'meg@contoso.com' }],
  cc: [],
  bcc: [],
  receivedAt: new Date('2026-03-04T05:06:07Z'),
  isRead: false,
  isDraft: false,
  isFlagged: false,
  importance: 'normal',
  categories: [],
  hasAttachments: false,
  body: { type: 'text', content: `Body of ${id}` },
  headers: [],
  graph: { id, subject: `Subject of ${id}` },
})

const attachment = (name: string, bytes: Uint8Array): MailAttachment => ({
  id: `att-${name}`,
  kind: 'file',
  name,
  contentType: 'application/octet-stream',
  sizeBytes: bytes.length,
  isInline: false,
  graph: { id: `att-${name}` },
})
