import type { Statement } from 'better-sqlite3'
import { isHoldfastError, messageOf, notFound, silentLogger, type Logger } from '#base'
import type { BlobId, RepositoryReader, Snapshot, SnapshotId } from '#repository'
import { ListPositions } from './list-positions.ts'
import { lostRows } from './lost-rows.ts'
import { createPlaceIndex, openCacheFile, type CacheDatabase } from './cache-file.ts'
import { CachedBlocks, type RowPlace } from './cached-blocks.ts'
import { idKey } from './id-key.ts'
import {
  OBJECTS_FOLDER,
  readObjectState,
  readRunRecord,
  versionsPath,
  type ObjectIdentity,
  type ObjectRunStatus,
  type ObjectState,
  type RunRecord,
  type StoredFolder,
} from './object-state.ts'
import { ParentNumbers } from './parent-numbers.ts'
import { PendingRows } from './pending-rows.ts'
import { isDriveRow, parentOf, type CatalogueRow } from './rows.ts'
import {
  followRewriting,
  goingRows,
  someGoingRows,
  type GoingRows,
  type Rewriting,
  type RowEdit,
} from './taken-out.ts'
import { VersionWriter } from './version-writer.ts'

/** One snapshot of a shard that a job run made. */
export interface RestorePoint {
  readonly snapshot: SnapshotId
  readonly time: Date
  readonly tree: BlobId
  readonly jobId: string
  readonly sessionId: string
  readonly holdsMail: boolean
  readonly holdsDrives: boolean
  /** Read when it is asked for. */
  readonly run: RunRecord
}

/** An object at a restore point. Hand `key` and `version` on to the other calls. */
export interface ObjectAtPoint extends ObjectIdentity {
  readonly key: string
  readonly version: number
  readonly point: SnapshotId
  /** Of the restore point. */
  readonly time: Date
  readonly status: 'success' | 'warning' | 'failed' | 'skipped'
  readonly reason?: string
}

export interface CatalogueFolder {
  readonly id: string
  readonly parentId?: string
  readonly name: string
  readonly wellKnownName?: string
  readonly isHidden: boolean
  /** The row of a drive's folder. */
  readonly row?: CatalogueRow
}

export interface ItemQuery {
  readonly offset: number
  readonly limit: number
  /** Only rows whose subject, people or name contain it, whatever the case. */
  readonly search?: string
}

/** Which restore points count. */
export interface Moment {
  /** None after it. */
  readonly at: Date
  /** Those of one job alone. */
  readonly jobId?: string
  /** Those alone whose run could read the object. */
  readonly isRead?: boolean
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

interface PointRow {
  readonly no: number
  readonly snapshot: SnapshotId
  readonly time: number
  readonly tree: BlobId
  readonly job: string
  readonly session: string
  readonly mail: number
  readonly onedrive: number
}

interface ObjectRow {
  readonly key: string
  readonly version: number
  readonly identity: string
  readonly snapshot: SnapshotId
  readonly time: number
  readonly status: ObjectAtPoint['status']
  readonly reason: string | null
}

interface FoundObject {
  readonly object: number
  readonly stateTree: BlobId
  readonly status: ObjectRunStatus
  /** The number of its state where that is known. */
  readonly identity: ObjectIdentity | number
}

const OBJECTS = `
  SELECT o.key, p.version, s.identity, n.snapshot, p.time, p.status, p.reason FROM objects o
    JOIN point_objects p ON p.object = o.no
    JOIN points n ON n.no = p.point
    JOIN states s ON s.object = p.object AND s.version = p.version`
const MOST_SEARCHES = 20
const AT = 'from_version <= @version AND to_version > @version'

class SqliteCatalogue implements Catalogue {
  readonly #database: CacheDatabase
  readonly #reader: RepositoryReader
  readonly #writer: VersionWriter
  readonly #blocks: CachedBlocks
  readonly #parents: ParentNumbers
  readonly #log: Logger
  readonly #positions: ListPositions
  readonly #totals = new Map<string, number>()
  readonly #found = new Map<string, readonly RowPlace[]>()
  readonly #statements = new Map<string, Statement>()
  #syncing: Promise<void> | undefined
  #loading: Promise<void> = Promise.resolve()

  constructor(database: CacheDatabase, reader: RepositoryReader, log: Logger) {
    this.#database = database
    this.#reader = reader
    this.#log = log
    this.#blocks = new CachedBlocks(database)
    this.#parents = new ParentNumbers(database)
    this.#positions = new ListPositions(database)
    this.#writer = new VersionWriter({ database, reader, blocks: this.#blocks, parents: this.#parents })
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }

  sync(signal?: AbortSignal): Promise<void> {
    this.#syncing ??= this.#sync(signal).finally(() => {
      this.#syncing = undefined
    })
    return this.#syncing
  }

  async #sync(signal: AbortSignal | undefined): Promise<void> {
    const snapshots = (await this.#reader.snapshots(signal)).filter(({ tags }) => tags.includes('holdfast'))
    const there = new Set<string>(snapshots.map(({ id }) => id))
    for (const { no, snapshot } of this.#all<PointRow>('SELECT no, snapshot FROM points', {}))
      if (there.has(snapshot)) there.delete(snapshot)
      else this.#forget(no)
    const unknown = snapshots.filter(({ id }) => there.has(id))
    unknown.sort((a, b) => a.time.getTime() - b.time.getTime() || (a.id < b.id ? -1 : 1))
    for (const snapshot of unknown) await this.#read(snapshot, signal)
  }

  #forget(no: number): void {
    this.#database.transaction(() => {
      this.#run('DELETE FROM points WHERE no = @no', { no })
      this.#run('DELETE FROM runs WHERE point = @no', { no })
      this.#run('DELETE FROM point_objects WHERE point = @no', { no })
    })()
  }

  async #read(snapshot: Snapshot, signal: AbortSignal | undefined): Promise<void> {
    const { run, entries } = (await this.#unlessDamaged(snapshot.tree, () => this.#contents(snapshot))) ?? {
      entries: [],
    }
    // Snapshots of other programs, or with a damaged catalogue, are no restore points of ours.
    if (run === undefined) return
    const statuses = new Map(run.objects.map((object) => [object.key, object]))
    const found: FoundObject[] = []
    for (const entry of entries) {
      if (entry.type !== 'folder') continue
      signal?.throwIfAborted()
      const { name: key, subtree: stateTree } = entry
      const status = statuses.get(key) ?? { key, status: 'success' as const }
      const object = this.#objectNumber(key)
      const identity = this.#knownVersion(object, stateTree) ?? (await this.#identity(stateTree, status))
      if (identity !== undefined) found.push({ object, stateTree, status, identity })
    }
    this.#database.transaction(() => this.#writePoint(snapshot, run, found))()
  }

  async #contents({ tree }: Snapshot) {
    const run = await readRunRecord(this.#reader, tree)
    const folder = await this.#reader.entryAt(tree, OBJECTS_FOLDER)
    return { run, entries: folder?.type === 'folder' ? await this.#reader.tree(folder.subtree) : [] }
  }

  /** Undefined for a damaged catalogue: the object is left out here, and the next run takes up an earlier state. */
  async #identity(stateTree: BlobId, { identity }: ObjectRunStatus): Promise<ObjectIdentity | undefined> {
    return identity ?? (await this.#unlessDamaged(stateTree, () => readObjectState(this.#reader, stateTree)))
  }

  async #unlessDamaged<Value>(stateTree: BlobId, read: () => Promise<Value>): Promise<Value | undefined> {
    try {
      return await read()
    } catch (error) {
      if (!isHoldfastError(error, 'corrupt') && !isHoldfastError(error, 'not-found')) throw error
      this.#log.warn({ stateTree, reason: messageOf(error) }, 'catalogue of an object cannot be read')
      return undefined
    }
  }

  #writePoint(snapshot: Snapshot, run: RunRecord, found: readonly FoundObject[]): void {
    const time = snapshot.time.getTime()
    const holds = (kind: string): number =>
      found.some(({ status: { key } }) => key.startsWith(`${kind}-`)) ? 1 : 0
    const { lastInsertRowid } = this.#statement(
      `INSERT INTO points (snapshot, time, tree, job, session, mail, onedrive)
       VALUES (@snapshot, @time, @tree, @job, @session, @mail, @onedrive)`,
    ).run({
      snapshot: snapshot.id,
      time,
      tree: snapshot.tree,
      job: run.jobId,
      session: run.sessionId,
      mail: holds('mail'),
      onedrive: holds('onedrive'),
    })
    const point = Number(lastInsertRowid)
    this.#run('INSERT OR REPLACE INTO runs VALUES (@point, @json)', { point, json: JSON.stringify(run) })
    for (const { object, stateTree, status, identity } of found)
      this.#run(
        `INSERT INTO point_objects VALUES (@point, @object, @version, @time, @job, @isRead, @status, @reason)`,
        {
          point,
          object,
          version: typeof identity === 'number' ? identity : this.#addState(object, stateTree, identity),
          time,
          job: run.jobId,
          isRead: status.status === 'success' || status.status === 'warning' ? 1 : 0,
          status: status.status,
          reason: status.reason ?? null,
        },
      )
  }

  #addState(object: number, stateTree: BlobId, of: ObjectIdentity): number {
    const { kind, userId, principalName, displayName } = of
    const identity = JSON.stringify({ kind, userId, principalName, displayName })
    const last = this.#get<{ version: number | null }>(
      'SELECT max(version) AS version FROM states WHERE object = @object',
      { object },
    )
    const version = (last?.version ?? 0) + 1
    const state = { object, version, stateTree, identity }
    this.#run('INSERT INTO states VALUES (@object, @version, @stateTree, @identity)', state)
    return version
  }

  #knownVersion(object: number, stateTree: BlobId): number | undefined {
    const sql = 'SELECT version FROM states WHERE object = @object AND state_tree = @stateTree LIMIT 1'
    return this.#get<{ version: number }>(sql, { object, stateTree })?.version
  }

  load(objectKey?: string, signal?: AbortSignal): Promise<void> {
    const unloaded = `SELECT DISTINCT o.no FROM objects o JOIN states s ON s.object = o.no AND s.version > o.loaded`
    const within = objectKey === undefined ? '' : ' WHERE o.key = @objectKey'
    const loaded = this.#loading.then(async () => {
      for (const { no } of this.#all<{ no: number }>(unloaded + within, { objectKey }))
        await this.#loadObject(no, signal)
    })
    this.#loading = loaded.catch(() => undefined)
    return loaded
  }

  async #loadObject(object: number, signal: AbortSignal | undefined): Promise<void> {
    const states = this.#all<{ version: number; stateTree: BlobId }>(
      `SELECT s.version, s.state_tree AS stateTree FROM states s JOIN objects o ON o.no = s.object AND s.version > o.loaded
       WHERE s.object = @object AND EXISTS (SELECT 1 FROM point_objects p WHERE p.object = s.object AND p.version = s.version)
       ORDER BY s.version`,
      { object },
    )
    for (const { version, stateTree } of states) {
      const written = await this.#unlessDamaged(stateTree, async () => {
        const state = await readObjectState(this.#reader, stateTree)
        await this.#writer.write({ object, version, state }, signal)
        return true
      })
      if (written !== true)
        this.#run('DELETE FROM point_objects WHERE object = @object AND version = @version', {
          object,
          version,
        })
      this.#run('UPDATE objects SET loaded = @version WHERE no = @object', { object, version })
    }
    this.#forgetLists()
  }

  #forgetLists(): void {
    this.#totals.clear()
    this.#found.clear()
    this.#positions.clear()
  }

  #objectNumber(key: string): number {
    this.#run('INSERT INTO objects (key) VALUES (@key) ON CONFLICT DO NOTHING', { key })
    return this.#get<{ no: number }>('SELECT no FROM objects WHERE key = @key', { key })!.no
  }

  #existing(objectKey: string): number {
    const row = this.#get<{ no: number }>('SELECT no FROM objects WHERE key = @objectKey', { objectKey })
    if (row === undefined) throw notFound('the object is in no restore point')
    return row.no
  }

  points(objectKey?: string): RestorePoint[] {
    const within =
      objectKey === undefined
        ? ''
        : `WHERE no IN (SELECT point FROM point_objects JOIN objects o ON o.no = object WHERE key = @objectKey)`
    const rows = this.#all<PointRow>(`SELECT * FROM points ${within} ORDER BY time DESC, snapshot`, {
      objectKey,
    })
    return rows.map((row) => this.#point(row))
  }

  #point({ no, snapshot, time, tree, job, session, mail, onedrive }: PointRow): RestorePoint {
    const json = (): string =>
      this.#get<{ json: string }>('SELECT json FROM runs WHERE point = @no', { no })!.json
    return {
      snapshot,
      tree,
      time: new Date(time),
      jobId: job,
      sessionId: session,
      holdsMail: mail === 1,
      holdsDrives: onedrive === 1,
      get run() {
        return JSON.parse(json()) as RunRecord
      },
    }
  }

  objectsAt(at: SnapshotId | Moment): ObjectAtPoint[] {
    const rows = typeof at === 'string' ? this.#objectsOf(at) : this.#newestObjects(at)
    return rows.map(({ key, version, identity, snapshot, time, status, reason }) => ({
      ...(JSON.parse(identity) as ObjectIdentity),
      key,
      version,
      point: snapshot,
      time: new Date(time),
      status,
      ...(reason === null ? {} : { reason }),
    }))
  }

  #objectsOf(snapshot: SnapshotId): ObjectRow[] {
    const point = this.#get<{ no: number }>('SELECT no FROM points WHERE snapshot = @snapshot', { snapshot })
    if (point === undefined) throw notFound('there is no such restore point')
    return this.#all<ObjectRow>(`${OBJECTS} WHERE p.point = @no ORDER BY o.key`, point)
  }

  /** By a look at one restore point for each object, however many there are. */
  #newestObjects({ at, jobId, isRead }: Moment): ObjectRow[] {
    const chosen = [
      'q.object = o.no AND q.time <= @at',
      jobId === undefined ? '' : 'q.job = @jobId',
      isRead === true ? 'q.is_read = 1' : '',
    ]
    const newest = `SELECT q.point FROM point_objects q WHERE ${chosen.filter(Boolean).join(' AND ')} ORDER BY q.time DESC LIMIT 1`
    return this.#all<ObjectRow>(`${OBJECTS} WHERE p.point = (${newest}) ORDER BY o.key`, {
      at: at.getTime(),
      jobId,
    })
  }

  folders(objectKey: string, version: number, parentId?: string): CatalogueFolder[] {
    const object = this.#existing(objectKey)
    const parent = parentId ?? this.#rootId(object, version)
    const mail = this.#all<{ json: string }>(
      `SELECT json FROM folders WHERE object = @object AND parent = @parent AND ${AT}`,
      {
        object,
        version,
        parent,
      },
    )
    if (mail.length > 0)
      return mail.map(({ json }) => mailFolder(JSON.parse(json) as StoredFolder)).sort(byName)
    const rows = this.#rows(
      `object = @object AND parent = @parent AND is_folder = 1 AND ${AT} ORDER BY sort, h, c`,
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
    const where = `object = @object AND parent = @parent AND is_folder = 1 AND ${AT} LIMIT 1`
    return this.#rows(where, { object, version, parent: this.#parents.of(object, '') })[0]?.id ?? ''
  }

  driveRoot(objectKey: string, version: number): string | undefined {
    return this.#rootId(this.#existing(objectKey), version) || undefined
  }

  allFolders(objectKey: string, version: number): StoredFolder[] {
    const object = this.#existing(objectKey)
    const rows = this.#all<{ json: string }>(`SELECT json FROM folders WHERE object = @object AND ${AT}`, {
      object,
      version,
    })
    return rows.map(({ json }) => JSON.parse(json) as StoredFolder)
  }

  items(
    objectKey: string,
    version: number,
    folderId: string | undefined,
    query: ItemQuery,
  ): { items: CatalogueRow[]; total: number } {
    const object = this.#existing(objectKey)
    const parent = folderId === undefined ? undefined : this.#parents.of(object, folderId)
    const within = parent === undefined ? '' : 'AND parent = @parent'
    const where = `object = @object ${within} AND is_folder = 0 AND ${AT}`
    const scope = { object, version, ...(parent === undefined ? {} : { parent }) }
    if (query.search !== undefined) return this.#search(where, scope, query)
    const total = this.#total(where, scope)
    const places = this.#positions.page({ where, parameters: scope, total }, query)
    return { items: places.map((place) => this.#blocks.row(place)), total }
  }

  /** The places of what was found are kept for the next page. */
  #search(where: string, scope: object, query: ItemQuery): { items: CatalogueRow[]; total: number } {
    const search = query.search!.toLowerCase()
    const key = JSON.stringify([scope, search])
    const places = this.#found.get(key) ?? this.#matching(where, scope, search)
    if (this.#found.size >= MOST_SEARCHES) this.#found.clear()
    this.#found.set(key, places)
    const page = places.slice(query.offset, query.offset + query.limit)
    return { items: page.map((place) => this.#blocks.row(place)), total: places.length }
  }

  #matching(where: string, scope: object, search: string): RowPlace[] {
    const sql = `SELECT block, row FROM items WHERE ${where} ORDER BY sort, h, c`
    return this.#all<RowPlace>(sql, scope).filter(({ block, row }) =>
      this.#blocks.block(block).searchText(row).includes(search),
    )
  }

  #total(where: string, parameters: object): number {
    const key = JSON.stringify(parameters)
    const known = this.#totals.get(key)
    if (known !== undefined) return known
    const { n } = this.#get<{ n: number }>(`SELECT count(*) AS n FROM items WHERE ${where}`, parameters)!
    if (this.#totals.size > 10_000) this.#totals.clear()
    this.#totals.set(key, n)
    return n
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
    const row = this.#get<{ path: string }>(
      'SELECT path FROM versions WHERE object = @object AND version = @version',
      { object: this.#existing(objectKey), version },
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
    const object = this.#existing(objectKey)
    const found = new Map<string, CatalogueRow>()
    for (const id of ids)
      for (const row of this.#rows(`object = @object AND h = @h AND c = @c AND ${AT}`, {
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
    return lostRows(parts, { object: this.#existing(objectKey), gone, kept })
  }

  goingFrom(objectKey: string, versions: readonly number[], edit: RowEdit): GoingRows {
    const parts = { database: this.#database, blocks: this.#blocks }
    return goingRows(parts, { object: this.#existing(objectKey), versions }, edit)
  }

  someGoing(
    objectKey: string,
    versions: readonly number[],
    edit: RowEdit,
    window: { readonly offset: number; readonly limit: number },
  ): readonly { readonly row: CatalogueRow; readonly version: number }[] {
    const parts = { database: this.#database, blocks: this.#blocks }
    return someGoingRows(parts, { object: this.#existing(objectKey), versions }, edit, window)
  }

  follow({ points, objects }: RewrittenObjects): boolean {
    const parts = { database: this.#database, blocks: this.#blocks }
    const numbered = objects.map(({ key, ...object }) => ({ ...object, object: this.#existing(key) }))
    const isFollowed = followRewriting(parts, { points, objects: numbered })
    this.#forgetLists()
    return isFollowed
  }

  async previous(objectKey: string): Promise<PreviousState | undefined> {
    await this.load(objectKey)
    const row = this.#get<{ snapshot: SnapshotId; tree: BlobId; version: number; stateTree: BlobId }>(
      `SELECT p.snapshot, p.tree, o.version, s.state_tree AS stateTree FROM point_objects o
       JOIN points p ON p.no = o.point JOIN objects n ON n.no = o.object
       JOIN states s ON s.object = o.object AND s.version = o.version
       WHERE n.key = @objectKey ORDER BY p.time DESC, p.snapshot LIMIT 1`,
      { objectKey },
    )
    if (row === undefined) return undefined
    // A state that cannot be read is none: the next run reads the object in full.
    return this.#unlessDamaged(row.stateTree, () => this.#previous(row))
  }

  async #previous(row: {
    readonly snapshot: SnapshotId
    readonly tree: BlobId
    readonly version: number
    readonly stateTree: BlobId
  }): Promise<PreviousState> {
    const { snapshot, tree, version, stateTree } = row
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
    const object = this.#objectNumber(objectKey)
    const parts = { database: this.#database, blocks: this.#blocks, parents: this.#parents }
    return new PendingRows({ ...parts, object, version })
  }

  #rows(where: string, parameters: object): CatalogueRow[] {
    const places = this.#all<RowPlace>(`SELECT block, row FROM items WHERE ${where}`, parameters)
    return places.map((place) => this.#blocks.row(place))
  }

  #all<Row>(sql: string, parameters: object): Row[] {
    return this.#statement(sql).all(parameters) as Row[]
  }

  #get<Row>(sql: string, parameters: object): Row | undefined {
    return this.#statement(sql).get(parameters) as Row | undefined
  }

  #run(sql: string, parameters: object): void {
    this.#statement(sql).run(parameters)
  }

  /** There are few different texts, and preparing one takes longer than most of them take. */
  #statement(sql: string): Statement {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
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
