import { notFound, silentLogger, type Logger } from '#base'
import type { BlobId, RepositoryReader, SnapshotId } from '#repository'
import { createPlaceIndex, openCacheFile, type CacheDatabase } from './cache-file.ts'
import { CachedBlocks } from './cached-blocks.ts'
import { idKey } from './id-key.ts'
import { ItemLists, type ItemPage, type ItemQuery } from './item-lists.ts'
import { KnownPoints, type NewestState } from './known-points.ts'
import { HELD, ListTotals } from './list-totals.ts'
import { lostRows } from './lost-rows.ts'
import { readObjectState, versionsPath, type ObjectState, type StoredFolder } from './object-state.ts'
import { ParentNumbers } from './parent-numbers.ts'
import { PendingRows } from './pending-rows.ts'
import type { Moment, ObjectAtPoint, RestorePoint } from './restore-point.ts'
import { RowLoading } from './row-loading.ts'
import { isDriveRow, parentOf, type CatalogueRow } from './rows.ts'
import { Statements } from './statements.ts'
import {
  followRewriting,
  goingRows,
  someGoingRows,
  type GoingRows,
  type Rewriting,
  type RowEdit,
} from './taken-out.ts'
import { unlessDamaged } from './unless-damaged.ts'
import { VersionWriter } from './version-writer.ts'

export type { ItemPage, ItemQuery } from './item-lists.ts'
export type { Moment, ObjectAtPoint, RestorePoint } from './restore-point.ts'

export interface CatalogueFolder {
  readonly id: string
  readonly parentId?: string
  readonly name: string
  readonly wellKnownName?: string
  readonly isHidden: boolean
  /** The row of a drive's folder. */
  readonly row?: CatalogueRow
}

export interface PreviousState {
  readonly snapshot: SnapshotId
  /** The object's catalogue tree, `.holdfast/objects/<key>`. */
  readonly stateTree: BlobId
  /** The object's files; undefined when there are none. */
  readonly dataTree: BlobId | undefined
  /** Older versions of its files. */
  readonly versionsTree: BlobId | undefined
  readonly state: ObjectState
  /** In this cache. */
  readonly version: number
}

/**
 * What a shard holds, at any of its restore points. A cache: the file may be deleted while it is closed, `sync` makes it
 * again from the repository. Use by one process. Answers are those of the last `sync`.
 */
export interface Catalogue extends Disposable {
  /** Reads snapshots that are not known yet, in order of time, and forgets those that are gone. Calls at once share one round. */
  sync(signal?: AbortSignal): Promise<void>
  /** Newest first. */
  points(objectKey?: string): RestorePoint[]
  /** At a restore point; for a moment, each object at its newest point that is chosen. */
  objectsAt(at: SnapshotId | Moment): ObjectAtPoint[]
  /**
   * Reads the rows of an object, or of all, that are not in the cache yet: to be called before what is asked of rows and
   * folders at one of its versions. What cannot be read is left out of its restore points from then on.
   */
  load(objectKey?: string, signal?: AbortSignal): Promise<void>
  /** Folders directly below; without `parentId` those at the top. In order of their names. */
  folders(objectKey: string, version: number, parentId?: string): CatalogueFolder[]
  /** The id of a drive's root folder; undefined for a mailbox. */
  driveRoot(objectKey: string, version: number): string | undefined
  /** Every mail folder of the object. Empty for a drive. */
  allFolders(objectKey: string, version: number): StoredFolder[]
  /** Mails or files (not folders) of a folder; without `folderId` of the whole object. Mails newest first, files by name. */
  items(
    objectKey: string,
    version: number,
    folderId: string | undefined,
    query: ItemQuery,
  ): { readonly items: CatalogueRow[]; readonly total: number }
  /** Folder or item with its path in the snapshot. */
  item(
    objectKey: string,
    version: number,
    id: string,
  ): { readonly row: CatalogueRow; readonly path: string } | undefined
  rowsById(objectKey: string, version: number, ids: readonly string[]): Map<string, CatalogueRow>
  /**
   * Items that some of the versions `gone` have and none of `kept` has, and the bytes of these and of former contents
   * that are in none of `kept`, before deduplication.
   */
  lostWith(
    objectKey: string,
    gone: readonly number[],
    kept: readonly number[],
  ): { readonly items: number; readonly bytes: number }
  /** What an edit takes out of some versions. They must be loaded. */
  goingFrom(objectKey: string, versions: readonly number[], edit: RowEdit): GoingRows
  /** Some of the items that go, the oldest mails first, each with one of the versions that has it. */
  someGoing(
    objectKey: string,
    versions: readonly number[],
    edit: RowEdit,
    window: { readonly offset: number; readonly limit: number },
  ): readonly { readonly row: CatalogueRow; readonly version: number }[]
  /**
   * Snapshots were written again, all that hold these objects and with the same edit: takes that over without reading them.
   * False, and nothing changes, when it is too late for that; then the next `sync` reads them. Not while a run has `pending` rows.
   */
  follow(rewriting: RewrittenObjects): boolean
  /** The newest state of an object, whatever the job. */
  previous(objectKey: string): Promise<PreviousState | undefined>
  /** Rows for a run to change: see PendingRows. One run of an object at a time. */
  pending(objectKey: string, version: number): PendingRows
}

export interface RewrittenObjects extends Pick<Rewriting, 'points'> {
  readonly objects: readonly (Omit<Rewriting['objects'][number], 'object'> & { readonly key: string })[]
}

/** `file` may be `:memory:`. */
export const openCatalogue = (
  file: string,
  reader: RepositoryReader,
  log: Logger = silentLogger,
): Catalogue => new SqliteCatalogue(openCacheFile(file), reader, log)

class SqliteCatalogue implements Catalogue {
  readonly #database: CacheDatabase
  readonly #statements: Statements
  readonly #reader: RepositoryReader
  readonly #log: Logger
  readonly #points: KnownPoints
  readonly #loading: RowLoading
  readonly #lists: ItemLists
  readonly #totals: ListTotals
  readonly #blocks: CachedBlocks
  readonly #parents: ParentNumbers

  constructor(database: CacheDatabase, reader: RepositoryReader, log: Logger) {
    this.#database = database
    this.#statements = new Statements(database)
    this.#reader = reader
    this.#log = log
    const blocks = new CachedBlocks(database)
    const parents = new ParentNumbers(database)
    const totals = new ListTotals(database)
    const writer = new VersionWriter({ database, reader, blocks, parents, totals })
    this.#blocks = blocks
    this.#parents = parents
    this.#totals = totals
    this.#points = new KnownPoints(database, reader, log)
    this.#loading = new RowLoading({ database, reader, writer, log })
    this.#lists = new ItemLists(database, blocks, totals)
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }

  sync(signal?: AbortSignal): Promise<void> {
    return this.#points.sync(signal)
  }

  points(objectKey?: string): RestorePoint[] {
    return this.#points.points(objectKey)
  }

  objectsAt(at: SnapshotId | Moment): ObjectAtPoint[] {
    return this.#points.objectsAt(at)
  }

  load(objectKey?: string, signal?: AbortSignal): Promise<void> {
    return this.#loading.load(objectKey, () => this.#lists.forget(), signal)
  }

  folders(objectKey: string, version: number, parentId?: string): CatalogueFolder[] {
    const object = this.#points.existing(objectKey)
    const parent = parentId ?? this.#rootId(object, version)
    const mail = this.#statements.all<{ json: string }>(
      `SELECT json FROM folders WHERE object = @object AND parent = @parent AND ${HELD}`,
      {
        object,
        version,
        parent,
      },
    )
    if (mail.length > 0)
      return mail.map(({ json }) => mailFolder(JSON.parse(json) as StoredFolder)).sort(byName)
    const rows = this.#rows(
      `object = @object AND parent = @parent AND is_folder = 1 AND ${HELD} ORDER BY sort, at`,
      { object, version, parent: this.#parents.of(object, parent) },
    )
    return rows.filter(isDriveRow).map((row) => ({
      id: row.id,
      name: row.name,
      isHidden: false,
      row,
      ...(row.parentId === undefined ? {} : { parentId: row.parentId }),
    }))
  }

  /** The id of a drive's root; empty for a mailbox, whose top folders have no parent. */
  #rootId(object: number, version: number): string {
    const where = `object = @object AND parent = @parent AND is_folder = 1 AND ${HELD} LIMIT 1`
    return this.#rows(where, { object, version, parent: this.#parents.of(object, '') })[0]?.id ?? ''
  }

  driveRoot(objectKey: string, version: number): string | undefined {
    return this.#rootId(this.#points.existing(objectKey), version) || undefined
  }

  allFolders(objectKey: string, version: number): StoredFolder[] {
    const object = this.#points.existing(objectKey)
    const rows = this.#statements.all<{ json: string }>(
      `SELECT json FROM folders WHERE object = @object AND ${HELD}`,
      {
        object,
        version,
      },
    )
    return rows.map(({ json }) => JSON.parse(json) as StoredFolder)
  }

  items(objectKey: string, version: number, folderId: string | undefined, query: ItemQuery): ItemPage {
    const object = this.#points.existing(objectKey)
    const of = folderId === undefined ? {} : { parent: this.#parents.of(object, folderId) }
    return this.#lists.page({ object, version, ...of }, query)
  }

  item(objectKey: string, version: number, id: string): { row: CatalogueRow; path: string } | undefined {
    const row = this.rowsById(objectKey, version, [id]).get(id)
    if (row === undefined) return undefined
    const root = this.#pathOf(objectKey, version)
    const below = isDriveRow(row)
      ? this.#drivePath(objectKey, version, row)
      : this.#mailPath(objectKey, version, row)
    return { row, path: [root, ...below].filter(Boolean).join('/') }
  }

  #pathOf(objectKey: string, version: number): string {
    const row = this.#statements.get<{ path: string }>(
      'SELECT path FROM versions WHERE object = @object AND version = @version',
      { object: this.#points.existing(objectKey), version },
    )
    if (row === undefined) throw notFound('there is no such version of the object')
    return row.path
  }

  #mailPath(objectKey: string, version: number, row: CatalogueRow): string[] {
    const folders = new Map(this.allFolders(objectKey, version).map((folder) => [folder.id, folder]))
    const segments: string[] = []
    for (let at = folders.get(parentOf(row)); at !== undefined; at = folders.get(at.parentId ?? ''))
      segments.unshift(at.segment)
    return [...segments, 'path' in row ? row.path : '']
  }

  #drivePath(objectKey: string, version: number, row: CatalogueRow): string[] {
    const segments: string[] = []
    for (let at: CatalogueRow | undefined = row; at !== undefined;) {
      segments.unshift(at.path)
      const parent = parentOf(at)
      at = parent === '' ? undefined : this.rowsById(objectKey, version, [parent]).get(parent)
    }
    return segments
  }

  rowsById(objectKey: string, version: number, ids: readonly string[]): Map<string, CatalogueRow> {
    const object = this.#points.existing(objectKey)
    const found = new Map<string, CatalogueRow>()
    for (const id of ids)
      for (const row of this.#rows(`object = @object AND h = @h AND c = @c AND ${HELD}`, {
        object,
        version,
        ...idKey(id),
      }))
        found.set(id, row)
    return found
  }

  lostWith(
    objectKey: string,
    gone: readonly number[],
    kept: readonly number[],
  ): { items: number; bytes: number } {
    const parts = { database: this.#database, blocks: this.#blocks }
    return lostRows(parts, { object: this.#points.existing(objectKey), gone, kept })
  }

  goingFrom(objectKey: string, versions: readonly number[], edit: RowEdit): GoingRows {
    const parts = { database: this.#database, blocks: this.#blocks }
    return goingRows(parts, { object: this.#points.existing(objectKey), versions }, edit)
  }

  someGoing(
    objectKey: string,
    versions: readonly number[],
    edit: RowEdit,
    window: { readonly offset: number; readonly limit: number },
  ): readonly { readonly row: CatalogueRow; readonly version: number }[] {
    const parts = { database: this.#database, blocks: this.#blocks }
    return someGoingRows(parts, { object: this.#points.existing(objectKey), versions }, edit, window)
  }

  follow({ points, objects }: RewrittenObjects): boolean {
    const parts = { database: this.#database, blocks: this.#blocks }
    const numbered = objects.map(({ key, ...object }) => ({ ...object, object: this.#points.existing(key) }))
    const isFollowed = followRewriting(parts, { points, objects: numbered })
    for (const { object } of numbered) this.#totals.forget(object)
    this.#lists.forget()
    return isFollowed
  }

  async previous(objectKey: string): Promise<PreviousState | undefined> {
    await this.load(objectKey)
    const newest = this.#points.newestState(objectKey)
    if (newest === undefined) return undefined
    // A state that cannot be read is none: the next run reads the object in full.
    return unlessDamaged(this.#log, newest.stateTree, () => this.#previous(newest))
  }

  async #previous({ snapshot, tree, version, stateTree }: NewestState): Promise<PreviousState> {
    const state = await readObjectState(this.#reader, stateTree)
    const data = await this.#reader.entryAt(tree, state.path)
    const versions = await this.#reader.entryAt(tree, versionsPath(state.path))
    return {
      snapshot,
      version,
      stateTree,
      state,
      dataTree: data?.type === 'folder' ? data.subtree : undefined,
      versionsTree: versions?.type === 'folder' ? versions.subtree : undefined,
    }
  }

  pending(objectKey: string, version: number): PendingRows {
    createPlaceIndex(this.#database)
    const object = this.#points.numberFor(objectKey)
    const parts = { database: this.#database, blocks: this.#blocks, parents: this.#parents }
    return new PendingRows({ ...parts, object, version })
  }

  #rows(where: string, parameters: object): CatalogueRow[] {
    const places = this.#statements.all<{ at: number }>(`SELECT at FROM items WHERE ${where}`, parameters)
    return places.map(({ at }) => this.#blocks.row(at))
  }
}

const byName = (a: CatalogueFolder, b: CatalogueFolder): number => a.name.localeCompare(b.name)

const mailFolder = ({ id, parentId, name, wellKnownName, isHidden }: StoredFolder): CatalogueFolder => ({
  id,
  name,
  isHidden,
  ...(parentId === undefined ? {} : { parentId }),
  ...(wellKnownName === undefined ? {} : { wellKnownName }),
})
