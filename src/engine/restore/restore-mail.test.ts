import { describe, expect, it } from 'vitest'
import type { MailFolder, MailItem } from '#items'
import type { MailboxTarget, MailDraft } from '../connectors/connectors.ts'
import { restoreMails, type MailRestore, type MailRestoreOptions, type SavedMail } from './restore-mail.ts'
import type { RestoredItem } from './restore-report.ts'

const mail = (id: string, over: Partial<MailItem> = {}): MailItem => ({
  id,
  changeKey: `key-${id}`,
  folderId: 'inbox',
  subject: `subject of ${id}`,
  to: [],
  cc: [],
  bcc: [],
  isRead: true,
  isDraft: false,
  isFlagged: false,
  importance: 'normal',
  categories: [],
  internetMessageId: `<${id}@example>`,
  hasAttachments: false,
  body: { type: 'text', content: `body of ${id}` },
  headers: [],
  graph: {},
  ...over,
})

/** A mailbox that really keeps what it is told. */
class ScriptedMailbox implements MailboxTarget {
  readonly messages = new Map<string, MailItem>()
  readonly made: MailFolder[] = [
    { id: 'inbox', name: 'Inbox', wellKnownName: 'inbox', isHidden: false, itemCount: 0 },
    { id: 'deleted', name: 'Deleted Items', wellKnownName: 'deleteditems', isHidden: false, itemCount: 0 },
  ]
  #next = 1
  constructor(messages: readonly MailItem[]) {
    for (const message of messages) this.messages.set(message.id, message)
  }
  async folders(): Promise<readonly MailFolder[]> {
    return Promise.resolve([...this.made])
  }
  async createFolder(name: string, parentId?: string): Promise<MailFolder> {
    const parent = parentId === undefined ? {} : { parentId }
    const folder: MailFolder = { id: `made-${this.#next++}`, ...parent, name, isHidden: false, itemCount: 0 }
    this.made.push(folder)
    return Promise.resolve(folder)
  }
  async message(id: string): Promise<MailItem | undefined> {
    return Promise.resolve(this.messages.get(id))
  }
  async messagesByInternetId(folderId: string, internetId: string): Promise<readonly MailItem[]> {
    return Promise.resolve(
      [...this.messages.values()].filter(
        (m) => m.folderId === folderId && m.internetMessageId === internetId,
      ),
    )
  }
  /** Seen by others before the call has been answered, as it is in life. */
  async createMessage(folderId: string, draft: MailDraft): Promise<MailItem> {
    if (draft.item.subject === 'unacceptable') return Promise.reject(new Error('refused'))
    const made = { ...draft.item, id: `new-${this.#next++}`, folderId }
    this.messages.set(made.id, made)
    await new Promise((resolve) => setImmediate(resolve))
    return made
  }
  async updateMessage(id: string, item: MailItem): Promise<void> {
    const there = this.messages.get(id)!
    this.messages.set(id, { ...item, id, folderId: there.folderId })
    return Promise.resolve()
  }
  async moveMessage(id: string, folderId: string): Promise<MailItem> {
    const moved = { ...this.messages.get(id)!, folderId }
    this.messages.set(id, moved)
    return Promise.resolve(moved)
  }
  async deleteMessage(id: string): Promise<void> {
    this.messages.delete(id)
    return Promise.resolve()
  }
}

const saved = (item: MailItem): SavedMail => ({
  id: item.id,
  folderId: item.folderId,
  subject: item.subject,
  sizeBytes: 1,
  open: async () => Promise.resolve({ item, attachments: (async function* () {})() }),
})

const inPlace: MailRestoreOptions = { place: 'original', missing: true, changed: true, markUnread: false }

const restoreOf = (target: MailboxTarget, options: Partial<MailRestoreOptions> = {}): MailRestore => ({
  target,
  targetName: 'alice',
  sourceName: 'alice',
  folders: new Map([
    ['inbox', { id: 'inbox', name: 'Inbox', wellKnownName: 'inbox' }],
    ['project', { id: 'project', parentId: 'inbox', name: 'Project' }],
  ]),
  options: { ...inPlace, ...options },
})

const run = async (restore: MailRestore, mails: readonly MailItem[]): Promise<RestoredItem[]> =>
  Array.fromAsync(restoreMails(restore, mails.map(saved)))

describe('restoring mail in place', () => {
  it('creates what is gone, in a folder made again where that is gone too', async () => {
    const target = new ScriptedMailbox([])
    const [done] = await run(restoreOf(target), [mail('a', { folderId: 'project' })])
    expect(done?.outcome).toBe('created')
    const project = target.made.find((folder) => folder.name === 'Project')
    expect(project?.parentId).toBe('inbox')
    expect([...target.messages.values()].map((m) => m.folderId)).toEqual([project?.id])
  })

  it('changes nothing when it is repeated', async () => {
    const target = new ScriptedMailbox([])
    const twins = [mail('a', { internetMessageId: '<same>' }), mail('b', { internetMessageId: '<same>' })]
    const first = await run(restoreOf(target), twins)
    const second = await run(restoreOf(target), twins)
    expect(first.map((row) => row.outcome)).toEqual(['created', 'created'])
    expect(second.map((row) => row.outcome)).toEqual(['skipped', 'skipped'])
    expect(target.messages.size).toBe(2)
  })

  it('brings a lost message back although another one with its Internet id is there', async () => {
    const twins = [mail('a', { internetMessageId: '<same>' }), mail('b', { internetMessageId: '<same>' })]
    const target = new ScriptedMailbox([twins[1]!])
    const restore = { ...restoreOf(target), isSaved: (id: string) => id === 'a' || id === 'b' }
    const rows = await run(restore, twins)
    expect(rows.map((row) => row.outcome)).toEqual(['created', 'skipped'])
    expect(target.messages.get('b')).toEqual(twins[1])
    expect(target.messages.size).toBe(2)
  })

  it('makes a folder once for all that want it', async () => {
    const target = new ScriptedMailbox([])
    const mails = Array.from({ length: 8 }, (_, n) => mail(`m${n}`, { folderId: 'project' }))
    await run(restoreOf(target), mails)
    expect(target.made.filter(({ name }) => name === 'Project')).toHaveLength(1)
    expect(target.messages.size).toBe(8)
  })

  it('sets changed flags back on the message that is there', async () => {
    const target = new ScriptedMailbox([mail('a', { isRead: false, categories: ['Red'] })])
    const [done] = await run(restoreOf(target), [mail('a')])
    expect(done?.outcome).toBe('updated')
    expect(target.messages.get('a')).toMatchObject({ isRead: true, categories: [] })
  })

  it('moves a message back that lies in Deleted Items', async () => {
    const target = new ScriptedMailbox([mail('a', { folderId: 'deleted' })])
    const [done] = await run(restoreOf(target), [mail('a')])
    expect(done?.outcome).toBe('created')
    expect(target.messages.get('a')?.folderId).toBe('inbox')
    expect(target.messages.size).toBe(1)
  })

  it('leaves changed messages alone when only missing ones are asked for', async () => {
    const target = new ScriptedMailbox([mail('a', { isRead: false })])
    const [done] = await run(restoreOf(target, { changed: false }), [mail('a')])
    expect(done?.outcome).toBe('skipped')
    expect(target.messages.get('a')?.isRead).toBe(false)
  })

  it('records a message that is refused and goes on', async () => {
    const target = new ScriptedMailbox([])
    const rows = await run(restoreOf(target), [mail('a', { subject: 'unacceptable' }), mail('b')])
    expect(rows.map((row) => [row.outcome, row.message])).toEqual([
      ['failed', 'refused'],
      ['created', undefined],
    ])
  })
})

describe('restoring mail to another place', () => {
  it('makes the folders again below the one that is named, and never touches the original', async () => {
    const target = new ScriptedMailbox([mail('a', { folderId: 'deleted' })])
    const options = { place: 'other', folderPath: 'Restored/2026', markUnread: true } as const
    await run(restoreOf(target, options), [mail('a')])
    const path = (id: string | undefined): string[] => {
      const folder = target.made.find((f) => f.id === id)
      return folder === undefined ? [] : [...path(folder.parentId), folder.name]
    }
    const copy = [...target.messages.values()].find((m) => m.id !== 'a')
    expect(path(copy?.folderId)).toEqual(['Restored', '2026', 'Inbox'])
    expect(copy?.isRead).toBe(false)
    expect(target.messages.get('a')?.folderId).toBe('deleted')
  })
})
