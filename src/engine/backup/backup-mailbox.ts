import type { Clock } from '#base'
import { nameKey } from '#formats'
import type { MailFolder, MailItem } from '#items'
import type { RepositoryReader, RepositoryWriter } from '#repository'
import type { StoredFolder } from '../catalogue/object-state.ts'
import { isDriveRow, type CatalogueRow, type MailRow } from '../catalogue/rows.ts'
import type { MailboxSource, MailboxTarget, MailPage } from '../connectors/connectors.ts'
import { batches, forEachLimited } from './for-each-limited.ts'
import { ItemFailures } from './item-failures.ts'
import { mailDate, mailPaths, mailRow } from './mail-rows.ts'
import type { ObjectDraft } from './object-draft.ts'
import { folderPaths, planFolders } from './plan-folders.ts'
import { saveMail } from './save-mail.ts'
import { isResync, SourceFailure } from './source-failure.ts'
import { isTooOld } from '../retention/item-age.ts'

export type MailboxToRead = MailboxSource & Pick<MailboxTarget, 'message'>

/** What a backup of one object works with. */
export interface ObjectBackup {
  readonly draft: ObjectDraft
  readonly reader: RepositoryReader
  readonly writer: Pick<RepositoryWriter, 'saveFile'>
  readonly clock: Clock
  readonly signal: AbortSignal
  /** What is older and not protected yet is left out: it would go with the next clean-up. */
  readonly itemCutoff?: Date | undefined
  /** Waits for an answer of the service; what it throws arrives as SourceFailure. */
  ask<Answer>(question: Promise<Answer>): Promise<Answer>
  /** Called as items are done; bytes as they were read. */
  onItems(items: number, readBytes: number): void
  /** Called where the draft could be saved; awaits the saving when it is time for one. */
  savePoint(): Promise<void>
}

export interface MailboxOptions {
  /** Names of folders that are left out, with all below them, whatever the case. */
  readonly excludedFolders?: readonly string[]
}

/** Messages saved at once; those with attachments wait for the service, which allows four calls at a time. */
const PLAIN_AT_ONCE = 16
const WITH_ATTACHMENTS_AT_ONCE = 3
const BATCH = 64
/** Folders whose first page is asked for ahead. */
const FOLDERS_AHEAD = 3

/**
 * Brings the draft up to the mailbox as it is now: by delta for each folder, by a compared full round where a token has
 * lapsed. Items that cannot be read are recorded and left for the next run. Throws SourceFailure when the mailbox as a
 * whole cannot be read; what was saved stays in the draft.
 */
export const backupMailbox = async (
  source: MailboxToRead,
  backup: ObjectBackup,
  options: MailboxOptions = {},
): Promise<void> => {
  const run = new MailboxRun(source, backup)
  await run.updateFolders(options.excludedFolders ?? [])
  await run.readFolders()
  await run.retryFailed()
  await run.removeWhatLeft()
}

interface FolderReading {
  readonly folder: StoredFolder
  readonly pages: AsyncIterator<MailPage>
  next: Promise<IteratorResult<MailPage>>
}

class MailboxRun {
  readonly #source: MailboxToRead
  readonly #backup: ObjectBackup
  readonly #draft: ObjectDraft
  readonly #failures: ItemFailures
  #paths: ReadonlyMap<string, string> = new Map()

  constructor(source: MailboxToRead, backup: ObjectBackup) {
    this.#source = source
    this.#backup = backup
    this.#draft = backup.draft
    this.#failures = new ItemFailures(backup.clock, backup.draft.failed)
  }

  async updateFolders(excluded: readonly string[]): Promise<void> {
    const draft = this.#draft
    const listed = await this.#backup.ask(this.#source.folders(this.#backup.signal))
    const plan = planFolders(draft.folders, withoutExcluded(listed, excluded))
    for (const { from, to } of plan.moves)
      if ((await draft.data.get(from)) !== undefined) await draft.data.move(from, to)
    for (const { folder } of plan.gone)
      if (folder.isGone !== true) await draft.leave(draft.rows.childIds(folder.id), folder.id)
    const wasGone = new Set(draft.folders.filter(({ isGone }) => isGone === true).map(({ id }) => id))
    // Folders that are gone stay in the table until what they held has been found elsewhere or removed.
    draft.folders = [
      ...plan.folders.map((folder) => (wasGone.has(folder.id) ? cameBack(folder) : folder)),
      ...plan.gone.map(({ folder }) => ({ ...folder, isGone: true })),
    ]
    this.#paths = folderPaths(draft.folders)
  }

  async readFolders(): Promise<void> {
    const folders = this.#draft.folders.filter(({ isGone }) => isGone !== true)
    const ahead: FolderReading[] = []
    try {
      for (let index = 0, started = 0; index < folders.length; index += 1) {
        while (started < folders.length && started <= index + FOLDERS_AHEAD)
          ahead.push(this.#startReading(folders[started++]!))
        await this.#readFolder(ahead.shift()!)
      }
    } finally {
      for (const { pages } of ahead) void pages.return?.().then(undefined, () => {})
    }
  }

  #startReading(folder: StoredFolder): FolderReading {
    const token = folder.isResyncing === true ? undefined : folder.token
    const pages = this.#source.changes(folder.id, token, this.#backup.signal)[Symbol.asyncIterator]()
    const reading = { folder, pages, next: pages.next() }
    reading.next.catch(() => {})
    return reading
  }

  async #readFolder(reading: FolderReading): Promise<void> {
    if (reading.folder.isResyncing === true) this.#draft.rows.unsee(reading.folder.id)
    try {
      await this.#readPages(reading)
    } catch (error) {
      const cause = error instanceof SourceFailure ? error.cause : error
      if (!isResync(cause) || reading.folder.isResyncing === true) throw error
      const { token: _lapsed, ...folder } = reading.folder
      this.#replaceFolder({ ...folder, isResyncing: true })
      await this.#readFolder(this.#startReading({ ...folder, isResyncing: true }))
    }
  }

  async #readPages(reading: FolderReading): Promise<void> {
    const { folder } = reading
    for (;;) {
      const result = await this.#backup.ask(reading.next)
      if (result.done === true) return
      const page = result.value
      if (page.hasMore) {
        reading.next = reading.pages.next()
        reading.next.catch(() => {})
      }
      await this.#takePage(folder, page.items, page.removed)
      if (!page.hasMore) await this.#endFolder(folder, page.token)
      else if (folder.isResyncing !== true) this.#replaceFolder({ ...folder, token: page.token })
      await this.#backup.savePoint()
      if (!page.hasMore) return
    }
  }

  /** The end of a folder's round: what a full round did not meet has left. */
  async #endFolder(folder: StoredFolder, token: string): Promise<void> {
    if (folder.isResyncing === true) await this.#draft.leave(this.#draft.rows.unseenIn(folder.id), folder.id)
    const { isResyncing: _over, ...rest } = folder
    this.#replaceFolder({ ...rest, token })
  }

  #replaceFolder(folder: StoredFolder): void {
    this.#draft.folders = this.#draft.folders.map((known) => (known.id === folder.id ? folder : known))
  }

  async #takePage(
    folder: StoredFolder,
    listed: readonly MailItem[],
    removed: readonly string[],
  ): Promise<void> {
    // A page may name an item twice; the last one holds.
    const items = new Map(listed.map((item) => [item.id, item]))
    const known = this.#draft.rows.find([...items.keys(), ...removed])
    // One that is already known to be elsewhere was moved there, and that page came first.
    const left = removed.filter((id) => !items.has(id) && mailIn(known.get(id))?.folderId === folder.id)
    await this.#draft.leave(left, folder.id)
    this.#failures.gone(removed.filter((id) => !items.has(id) && !known.has(id)))
    const same: string[] = []
    const tooOld: string[] = []
    const other: { item: MailItem; old: MailRow | undefined }[] = []
    for (const item of items.values()) {
      const old = mailIn(known.get(item.id))
      if (old?.changeKey === item.changeKey && old.folderId === folder.id && !this.#failures.has(item.id))
        same.push(item.id)
      else if (old !== undefined || !this.#isTooOld(item)) other.push({ item, old })
      else tooOld.push(item.id)
    }
    this.#failures.gone(tooOld)
    this.#draft.rows.see(same)
    this.#backup.onItems(same.length + tooOld.length, 0)
    for (const batch of batches(other, BATCH)) {
      await this.#takeBatch(folder, batch)
      await this.#backup.savePoint()
    }
  }

  #isTooOld(item: MailItem): boolean {
    const { itemCutoff } = this.#backup
    return itemCutoff !== undefined && isTooOld(mailDate(item), itemCutoff)
  }

  async #takeBatch(
    folder: StoredFolder,
    batch: { item: MailItem; old: MailRow | undefined }[],
  ): Promise<void> {
    const done: { row: MailRow; old: MailRow | undefined; modifiedAt: Date }[] = []
    const paths = this.#choosePaths(
      folder.id,
      batch.map(({ item }) => item),
    )
    const take = async ({ item, old }: (typeof batch)[number]): Promise<void> => {
      const row = await this.#save(folder, item, old, paths.get(item.id)!)
      if (row !== undefined) done.push({ row, old, modifiedAt: mailDate(item) })
    }
    const [plain, heavy] = [false, true].map((has) => batch.filter(({ item }) => item.hasAttachments === has))
    await Promise.all([
      forEachLimited(plain!, PLAIN_AT_ONCE, take),
      forEachLimited(heavy!, WITH_ATTACHMENTS_AT_ONCE, take),
    ])
    for (const { row, old, modifiedAt } of done) await this.#place(row, old, modifiedAt)
    await this.#draft.put(done.map(({ row }) => row))
    this.#draft.failed = this.#failures.list()
  }

  /** The new row; undefined for an item that could not be read or is gone, whose old row stays. */
  async #save(
    folder: StoredFolder,
    item: MailItem,
    old: MailRow | undefined,
    path: string,
  ): Promise<MailRow | undefined> {
    // Moved and otherwise the same: the file goes along.
    if (old?.changeKey === item.changeKey && !this.#failures.has(item.id)) {
      this.#backup.onItems(1, 0)
      return { ...old, folderId: folder.id, path }
    }
    try {
      const saving = { ...this.#backup, source: this.#source }
      const durable = old !== undefined && this.#draft.rows.isFromBefore(item.id) ? old : undefined
      const saved = await saveMail(saving, item, durable)
      this.#failures.succeeded(item.id)
      this.#backup.onItems(1, saved.sizeBytes)
      return mailRow(item, folder.id, path, saved)
    } catch (error) {
      if (!(error instanceof SourceFailure)) throw error
      this.#failures.add({ id: item.id, name: item.subject, folderId: folder.id }, error)
      this.#draft.rows.see(old === undefined ? [] : [item.id])
      this.#backup.onItems(1, 0)
      return undefined
    }
  }

  /** A free path for each item of a batch. */
  #choosePaths(folderId: string, items: readonly MailItem[]): Map<string, string> {
    const chosen = new Map<string, string>()
    const used = new Set<string>()
    const candidates = new Map(items.map((item) => [item.id, mailPaths(item)]))
    const taken = this.#draft.rows.takenPlaces(folderId, [...candidates.values()].flat().map(nameKey))
    for (const [id, paths] of candidates) {
      const isFree = (path: string): boolean => {
        const holder = taken.get(nameKey(path))
        return !used.has(path) && (holder === undefined || holder === id)
      }
      const path = paths.find(isFree) ?? paths.at(-1)!
      used.add(path)
      chosen.set(id, path)
    }
    return chosen
  }

  async #place(row: MailRow, old: MailRow | undefined, modifiedAt: Date): Promise<void> {
    const to = this.#path(row)
    const from = old === undefined ? undefined : this.#path(old)
    const { content, sizeBytes } = row
    if (from !== undefined && from !== to) await this.#draft.data.remove(from)
    await this.#draft.data.putFile(to, { content, sizeBytes, modifiedAt })
  }

  #path({ folderId, path }: MailRow): string {
    return `${this.#paths.get(folderId) ?? ''}/${path}`
  }

  /** Items of earlier runs that delta did not name again. */
  async retryFailed(): Promise<void> {
    for (const { id, folderId, name } of this.#failures.notMet()) {
      try {
        const item = await this.#backup.ask(this.#source.message(id, this.#backup.signal))
        const folder = this.#draft.folders.find((known) => known.id === (item?.folderId ?? folderId))
        const old = mailIn(this.#draft.rows.find([id]).get(id))
        const isLeftOut = item !== undefined && old === undefined && this.#isTooOld(item)
        if (item === undefined || folder === undefined || isLeftOut) this.#failures.gone([id])
        else await this.#takeBatch(folder, [{ item, old }])
      } catch (error) {
        if (!(error instanceof SourceFailure)) throw error
        this.#failures.add({ id, name, ...(folderId === undefined ? {} : { folderId }) }, error)
      }
    }
    this.#draft.failed = this.#failures.list()
  }

  async removeWhatLeft(): Promise<void> {
    const draft = this.#draft
    const gone = draft.folders.filter(({ isGone }) => isGone === true)
    const goneIds = new Set(gone.map(({ id }) => id))
    for (let rows = draft.rows.leaving(500); rows.length > 0; rows = draft.rows.leaving(500)) {
      for (const row of rows)
        if (!isDriveRow(row) && !goneIds.has(row.folderId)) await draft.data.remove(this.#path(row))
      await draft.remove(rows)
      this.#failures.gone(rows.map(({ id }) => id))
      await this.#backup.savePoint()
    }
    for (const { id } of gone) await draft.data.remove(this.#paths.get(id)!)
    draft.folders = draft.folders.filter(({ isGone }) => isGone !== true)
    draft.failed = this.#failures.list()
  }
}

const mailIn = (row: CatalogueRow | undefined): MailRow | undefined =>
  row === undefined || isDriveRow(row) ? undefined : row

/** Its messages are marked as leaving, and delta alone would not name them again. */
const cameBack = ({ token: _old, ...folder }: StoredFolder): StoredFolder => ({
  ...folder,
  isResyncing: true,
})

const withoutExcluded = (folders: readonly MailFolder[], names: readonly string[]): MailFolder[] => {
  const excluded = new Set(names.map((name) => name.toLowerCase()))
  const byId = new Map(folders.map((folder) => [folder.id, folder]))
  const isExcluded = (folder: MailFolder, depth = 0): boolean => {
    if (excluded.has(folder.name.toLowerCase())) return true
    const parent = folder.parentId === undefined ? undefined : byId.get(folder.parentId)
    return parent !== undefined && depth < 500 && isExcluded(parent, depth + 1)
  }
  return folders.filter((folder) => !isExcluded(folder))
}
