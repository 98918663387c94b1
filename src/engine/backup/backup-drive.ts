import type { JsonObject } from '#base'
import type { DriveItem } from '#items'
import {
  isDriveRow,
  isFolderRow,
  parentOf,
  placeKey,
  type CatalogueRow,
  type DriveRow,
} from '../catalogue/rows.ts'
import type { DrivePage, DriveSource, DriveTarget } from '../connectors/connectors.ts'
import type { ObjectBackup } from './backup-mailbox.ts'
import {
  drivePath,
  driveRow,
  isContainer,
  isSameContent,
  isSameItem,
  type DriveContent,
} from './drive-rows.ts'
import { batches, forEachLimited } from './for-each-limited.ts'
import { ItemFailures } from './item-failures.ts'
import type { ObjectDraft } from './object-draft.ts'
import { placeVersions, saveVersions, type SavedVersions } from './save-versions.ts'
import { fromSource, isResync, SourceFailure } from './source-failure.ts'
import { isTooOld } from '../retention/item-age.ts'

export type DriveToRead = DriveSource & Pick<DriveTarget, 'item'>

export interface DriveOptions {
  /** From this number of children on, new files of a folder go into buckets. */
  readonly largeFolder?: number
  /** Older versions of files that are new or changed are kept too. */
  readonly allVersions?: boolean
}

const LARGE_FOLDER = 5000
const BATCH = 32
const FILES_AT_ONCE = 4
const NO_CONTENT: DriveContent = { sizeBytes: 0, content: [] }

/**
 * Brings the draft up to the drive as it is now: by the root's delta, by a compared full round where the token has lapsed.
 * Content is fetched where it changed. Failures as in `backupMailbox`.
 */
export const backupDrive = async (
  source: DriveToRead,
  backup: ObjectBackup,
  options: DriveOptions = {},
): Promise<void> => {
  const run = new DriveRun(source, backup, options)
  await run.readChanges()
  await run.retryFailed()
  await run.removeWhatLeft()
}

interface Planned {
  readonly item: DriveItem
  readonly old: DriveRow | undefined
  readonly path: string
}

class DriveRun {
  readonly #source: DriveToRead
  readonly #backup: ObjectBackup
  readonly #draft: ObjectDraft
  readonly #failures: ItemFailures
  readonly #largeFolder: number
  readonly #allVersions: boolean
  readonly #childCounts = new Map<string, number>()
  /** Rows of folders as they are now, so that a path costs no look-up for each step. */
  readonly #folders = new Map<string, DriveRow>()
  /** Items whose folder has not come yet. */
  readonly #waiting = new Map<string, DriveItem>()

  constructor(source: DriveToRead, backup: ObjectBackup, options: DriveOptions) {
    this.#source = source
    this.#backup = backup
    this.#draft = backup.draft
    this.#failures = new ItemFailures(backup.clock, backup.draft.failed)
    this.#largeFolder = options.largeFolder ?? LARGE_FOLDER
    this.#allVersions = options.allVersions === true
  }

  async readChanges(): Promise<void> {
    if (this.#draft.isResyncing) return this.#readAgain()
    try {
      await this.#readPages(this.#draft.token)
    } catch (error) {
      if (!isResync(error instanceof SourceFailure ? error.cause : error)) throw error
      this.#draft.isResyncing = true
      await this.#readAgain()
    }
  }

  /** A full round in which what is not met has left. */
  async #readAgain(): Promise<void> {
    this.#draft.rows.unsee()
    this.#draft.token = undefined
    this.#waiting.clear()
    await this.#readPages(undefined)
  }

  async #readPages(token: string | undefined): Promise<void> {
    const pages = this.#source.changes(token, this.#backup.signal)[Symbol.asyncIterator]()
    try {
      for (let next = pages.next(); ;) {
        const result = await this.#backup.ask(next)
        if (result.done === true) return
        const page = result.value
        if (page.hasMore) {
          next = pages.next()
          next.catch(() => {})
        }
        await this.#takePage(page)
        if (!page.hasMore) await this.#endRound()
        // With items waiting for their folder, the page is not kept yet.
        if (this.#waiting.size === 0 && (!page.hasMore || !this.#draft.isResyncing))
          this.#draft.token = page.token
        if (!page.hasMore) this.#draft.isResyncing = false
        await this.#backup.savePoint()
        if (!page.hasMore) return
      }
    } finally {
      void pages.return?.().then(undefined, () => {})
    }
  }

  async #endRound(): Promise<void> {
    for (const item of this.#waiting.values()) this.#failures.refuse(item, 'its folder was not listed')
    this.#waiting.clear()
    this.#draft.failed = this.#failures.list()
    if (!this.#draft.isResyncing) return
    for (let after = ''; ;) {
      const ids = this.#draft.rows.unseen(after, 500)
      if (ids.length === 0) return
      await this.#draft.leave(ids, '')
      after = ids.at(-1)!
    }
  }

  async #takePage(page: DrivePage): Promise<void> {
    const items = new Map([...this.#waiting, ...page.items.map((item) => [item.id, item] as const)])
    this.#waiting.clear()
    const known = this.#draft.rows.find([...items.keys(), ...page.removed])
    this.#leaveOut([...items.values()].filter((item) => !known.has(item.id) && this.#isTooOld(item)))
    await this.#draft.leave(
      page.removed.filter((id) => known.has(id) && !items.has(id)),
      '',
    )
    this.#failures.gone(page.removed.filter((id) => !items.has(id)))
    await this.#takeFolders([...items.values()].filter(isContainer))
    const others = [...items.values()].filter(
      (item) => !isContainer(item) && (known.has(item.id) || !this.#isTooOld(item)),
    )
    const parents = this.#draft.rows.find([...new Set(others.map(({ parentId }) => parentId ?? ''))])
    const same: string[] = []
    const changed: DriveItem[] = []
    for (const item of others) {
      const old = driveIn(known.get(item.id))
      if (!parents.has(item.parentId ?? '')) this.#waiting.set(item.id, item)
      else if (old !== undefined && isSameItem(item, old) && !this.#failures.has(item.id)) same.push(item.id)
      else changed.push(item)
    }
    this.#draft.rows.see(same)
    this.#backup.onItems(same.length, 0)
    for (const batch of batches(changed, BATCH)) {
      await this.#takeBatch(batch)
      await this.#backup.savePoint()
    }
  }

  #isTooOld(item: DriveItem): boolean {
    const { itemCutoff } = this.#backup
    return itemCutoff !== undefined && !isContainer(item) && isTooOld(item.modifiedAt, itemCutoff)
  }

  #leaveOut(items: readonly DriveItem[]): void {
    this.#failures.gone(items.map(({ id }) => id))
    this.#backup.onItems(items.length, 0)
  }

  /** Folders one by one, each after the one that holds it. What cannot be placed yet waits. */
  async #takeFolders(folders: readonly DriveItem[]): Promise<void> {
    let left = folders
    for (let before = -1; left.length > 0 && left.length !== before;) {
      before = left.length
      const later: DriveItem[] = []
      for (const folder of left) if (!(await this.#takeFolder(folder))) later.push(folder)
      left = later
    }
    for (const folder of left) this.#waiting.set(folder.id, folder)
  }

  async #takeFolder(item: DriveItem): Promise<boolean> {
    const { rows } = this.#draft
    const old = driveIn(rows.find([item.id]).get(item.id))
    if (item.kind !== 'root' && !this.#isPlaceable(item)) return false
    if (old !== undefined && isSameItem(item, old) && !this.#failures.has(item.id)) {
      rows.see([item.id])
      return true
    }
    const from = old === undefined ? undefined : this.#path(old)
    const path = item.kind === 'root' ? '' : this.#freePath(item, old, new Set())
    const permissions = await this.#folderPermissions(item, old)
    const row = driveRow(item, path, NO_CONTENT, { permissions })
    const isMoved = from !== undefined && (old!.parentId !== row.parentId || old!.path !== row.path)
    const to = this.#path(row)
    if (isMoved && from !== to)
      for (const tree of [this.#draft.data, this.#draft.versions])
        if ((await tree.get(from)) !== undefined) await tree.move(from, to)
    await this.#draft.put([row])
    this.#folders.set(row.id, row)
    return true
  }

  /** A folder whose permissions cannot be read is kept all the same. */
  async #folderPermissions(
    item: DriveItem,
    old: DriveRow | undefined,
  ): Promise<readonly JsonObject[] | undefined> {
    try {
      const permissions = await this.#permissions(item, old)
      this.#failures.succeeded(item.id)
      return permissions
    } catch (error) {
      if (!(error instanceof SourceFailure)) throw error
      this.#failures.add({ id: item.id, name: item.name }, error)
      return old?.permissions
    }
  }

  /** Its folder is known and does not lie below the item itself, as it may between two moves. */
  #isPlaceable(item: DriveItem): boolean {
    let id = item.parentId ?? ''
    const passed = new Set([item.id])
    for (;;) {
      if (passed.has(id)) return false
      passed.add(id)
      const parent = this.#folder(id)
      if (parent === undefined) return false
      if (parentOf(parent) === '') return true
      id = parentOf(parent)
    }
  }

  #path(row: DriveRow): string {
    const segments: string[] = []
    for (let at: DriveRow | undefined = row; at !== undefined; at = this.#folder(parentOf(at)))
      if (at.path !== '') segments.unshift(at.path)
    return segments.join('/')
  }

  #folder(id: string): DriveRow | undefined {
    const known = this.#folders.get(id)
    if (known !== undefined || id === '') return known
    const row = driveIn(this.#draft.rows.find([id]).get(id))
    if (row !== undefined) this.#folders.set(id, row)
    return row
  }

  #freePath(item: DriveItem, old: DriveRow | undefined, places: Set<string>): string {
    const parent = item.parentId ?? ''
    const isKept = old !== undefined && old.parentId === item.parentId && old.name === item.name
    const path = isKept
      ? old.path
      : drivePath(
          item,
          this.#countChild(parent) > this.#largeFolder,
          (place) =>
            places.has(`${parent}\n${place}`) || this.#draft.rows.isPlaceTaken(parent, place, item.id),
        )
    places.add(`${parent}\n${placeKey({ path } as CatalogueRow)}`)
    return path
  }

  #countChild(parent: string): number {
    const count = (this.#childCounts.get(parent) ?? this.#draft.rows.childCount(parent)) + 1
    this.#childCounts.set(parent, count)
    return count
  }

  async #takeBatch(items: readonly DriveItem[]): Promise<void> {
    const known = this.#draft.rows.find(items.map(({ id }) => id))
    const places = new Set<string>()
    const planned = items.map((item) => {
      const old = driveIn(known.get(item.id))
      return { item, old, path: this.#freePath(item, old, places) }
    })
    const done: { row: DriveRow; old: DriveRow | undefined }[] = []
    await forEachLimited(planned, FILES_AT_ONCE, async (plan) => {
      const row = await this.#save(plan)
      if (row !== undefined) done.push({ row, old: plan.old })
    })
    for (const { row, old } of done) await this.#place(row, old)
    await this.#draft.put(done.map(({ row }) => row))
    this.#draft.failed = this.#failures.list()
  }

  async #save({ item, old, path }: Planned): Promise<DriveRow | undefined> {
    try {
      const content = await this.#content(item, old)
      const permissions = await this.#permissions(item, old)
      if (content === undefined) return this.#keepOld(old)
      const { readBytes, lost, ...versions } = await this.#versions(item, old, content)
      if (lost === undefined) this.#failures.succeeded(item.id)
      else this.#failures.add({ id: item.id, name: item.name }, lost)
      this.#backup.onItems(1, readBytes + (content === old ? 0 : content.sizeBytes))
      return driveRow(item, path, content, { permissions, ...versions })
    } catch (error) {
      if (!(error instanceof SourceFailure)) throw error
      this.#failures.add({ id: item.id, name: item.name }, error)
      return this.#keepOld(old)
    }
  }

  /** Nothing new could be read: the row and the bytes of the last run stay. */
  #keepOld(old: DriveRow | undefined): undefined {
    if (old !== undefined) this.#draft.rows.see([old.id])
    this.#backup.onItems(1, 0)
  }

  /** Undefined when the service refuses to hand it out. */
  async #content(item: DriveItem, old: DriveRow | undefined): Promise<DriveContent | undefined> {
    if (item.kind !== 'file') return NO_CONTENT
    if (old !== undefined && isSameContent(item, old) && !this.#failures.has(item.id)) return old
    if (item.isMalware) {
      this.#failures.refuse(
        { id: item.id, name: item.name },
        'the service found malware in it and refuses the content',
      )
      return undefined
    }
    return this.#backup.writer.saveFile([fromSource(this.#source.content(item, this.#backup.signal))])
  }

  async #versions(item: DriveItem, old: DriveRow | undefined, content: DriveContent): Promise<SavedVersions> {
    const isFile = item.kind === 'file'
    const isSettled = content === old && old?.versions !== undefined && !this.#failures.has(item.id)
    if (isFile && this.#allVersions && !isSettled)
      return saveVersions({ ...this.#backup, source: this.#source }, item, old)
    // Renamed or shared, and otherwise the same: what is known of the versions still holds.
    if (content !== old || old?.versions === undefined) return { readBytes: 0 }
    const { versions, currentVersion } = old
    return { versions, ...(currentVersion === undefined ? {} : { currentVersion }), readBytes: 0 }
  }

  async #permissions(item: DriveItem, old: DriveRow | undefined): Promise<readonly JsonObject[] | undefined> {
    if (!item.isShared) return undefined
    if (old?.permissions !== undefined && old.isShared && old.eTag !== undefined && old.eTag === item.eTag)
      return old.permissions
    const permissions = await this.#backup.ask(this.#source.permissions(item.id, this.#backup.signal))
    return permissions.map(({ graph }) => graph)
  }

  async #place(row: DriveRow, old: DriveRow | undefined): Promise<void> {
    const { data, versions } = this.#draft
    const from = old === undefined ? undefined : this.#path(old)
    const to = this.#path(row)
    if (from !== undefined && from !== to && old!.kind === 'file') await data.remove(from)
    if (row.kind !== 'file') return
    await placeVersions(versions, { from, to, row, old })
    const modifiedAt = new Date(row.modifiedAt ?? 0)
    const createdAt = row.createdAt === undefined ? {} : { createdAt: new Date(row.createdAt) }
    await data.putFile(to, { content: row.content, sizeBytes: row.sizeBytes, modifiedAt, ...createdAt })
  }

  async retryFailed(): Promise<void> {
    const { rows } = this.#draft
    for (const { id, name } of this.#failures.notMet()) {
      try {
        const item = await this.#backup.ask(this.#source.item(id, this.#backup.signal))
        if (item === undefined) this.#failures.gone([id])
        else if (isContainer(item)) await this.#takeFolder(item)
        else if (!rows.find([id]).has(id) && this.#isTooOld(item)) this.#leaveOut([item])
        else if (this.#isPlaceable(item)) await this.#takeBatch([item])
      } catch (error) {
        if (!(error instanceof SourceFailure)) throw error
        this.#failures.add({ id, name }, error)
      }
    }
    this.#draft.failed = this.#failures.list()
  }

  async removeWhatLeft(): Promise<void> {
    const { rows } = this.#draft
    for (let left = rows.leaving(500); left.length > 0; left = rows.leaving(500)) {
      for (const row of left) {
        // An earlier one of this batch may have taken it along.
        const still = driveIn(rows.find([row.id]).get(row.id))
        if (still !== undefined) await this.#removeRow(still)
      }
      await this.#backup.savePoint()
    }
    this.#draft.failed = this.#failures.list()
  }

  async #removeRow(row: DriveRow): Promise<void> {
    const path = this.#path(row)
    if (path !== '' && (row.kind === 'file' || isFolderRow(row)))
      for (const tree of [this.#draft.data, this.#draft.versions]) await tree.remove(path)
    await this.#removeRows([row])
  }

  /** The rows with all below them: the service names a deleted folder alone. */
  async #removeRows(rows: readonly DriveRow[]): Promise<void> {
    for (const folder of rows.filter(isFolderRow))
      for (let below = this.#below(folder); below.length > 0; below = this.#below(folder))
        await this.#removeRows(below)
    await this.#draft.remove(rows)
    for (const { id } of rows) this.#folders.delete(id)
    this.#failures.gone(rows.map(({ id }) => id))
  }

  #below(folder: DriveRow): DriveRow[] {
    return this.#draft.rows.children(folder.id, 500).filter(isDriveRow)
  }
}

const driveIn = (row: CatalogueRow | undefined): DriveRow | undefined =>
  row !== undefined && isDriveRow(row) ? row : undefined
