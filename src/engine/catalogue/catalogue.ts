import { isHoldfastError, messageOf, notFound, silentLogger, type Logger } from '#base'
import type { BlobId, RepositoryReader, Snapshot, SnapshotId } from '#repository'
import { openCacheFile, type CacheDatabase } from './cache-file.ts'
import {
  OBJECTS_FOLDER,
  readObjectState,
  readRunRecord,
  versionsPath,
  type ObjectIdentity,
  type ObjectState,
  type RunRecord,
  type StoredFolder,
} from './object-state.ts'
import { PendingRows } from './pending-rows.ts'
import { isDriveRow, parentOf, type CatalogueRow } from './rows.ts'
import { VersionWriter } from './version-writer.ts'

/** One snapshot of a shard that a job run made. */
export interface RestorePoint {
  readonly snapshot: SnapshotId
  readonly time: Date
  readonly tree: BlobId
  readonly run: RunRecord
}

/** An object at a restore point. Hand `key` and `version` on to the other calls. */
export interface ObjectAtPoint extends ObjectIdentity {
  readonly key: string
  readonly version: number
  readonly path: string
  readonly point: SnapshotId
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
  /** At a restore point; for a time, each object at its newest point not after it. */
  objectsAt(at: SnapshotId | Date): ObjectAtPoint[]
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
  /** The newest state of an object, whatever the job. */
  previous(objectKey: string): Promise<PreviousState | undefined>
  /** Rows for a run to change: see PendingRows. One run of an object at a time. */
  pending(objectKey: string, version: number): PendingRows
}

/** `file` may be `:memory:`. */
export const openCatalogue = (
  file: string,
  reader: RepositoryReader,
  log: Logger = silentLogger,
): Catalogue => new SqliteCatalogue(openCacheFile(file), reader, log)

interface PointRow {
  readonly snapshot: SnapshotId
  readonly time: number
  readonly tree: BlobId
  readonly run: string
}

const AT = 'from_version <= @version AND to_version > @version'

class SqliteCatalogue implements Catalogue {
  readonly #database: CacheDatabase
  readonly #reader: RepositoryReader
  readonly #writer: VersionWriter
  readonly #log: Logger
  readonly #totals = new Map<string, number>()
  #syncing: Promise<void> | undefined

  constructor(database: CacheDatabase, reader: RepositoryReader, log: Logger) {
    this.#database = database
    this.#reader = reader
    this.#log = log
    this.#writer = new VersionWriter(database, reader)
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
    for (const { snapshot } of this.#all<{ snapshot: string }>('SELECT snapshot FROM points', {}))
      if (there.has(snapshot)) there.delete(snapshot)
      else this.#forget(snapshot)
    const unknown = snapshots.filter(({ id }) => there.has(id))
    unknown.sort((a, b) => a.time.getTime() - b.time.getTime() || (a.id < b.id ? -1 : 1))
    for (const snapshot of unknown) await this.#read(snapshot, signal)
    if (unknown.length > 0) this.#totals.clear()
  }

  #forget(snapshot: string): void {
    this.#database.transaction(() => {
      this.#run('DELETE FROM points WHERE snapshot = @snapshot', { snapshot })
      this.#run('DELETE FROM point_objects WHERE snapshot = @snapshot', { snapshot })
    })()
  }

  async #read(snapshot: Snapshot, signal: AbortSignal | undefined): Promise<void> {
    const run = await readRunRecord(this.#reader, snapshot.tree)
    const folder = await this.#reader.entryAt(snapshot.tree, OBJECTS_FOLDER)
    const entries = folder?.type === 'folder' ? await this.#reader.tree(folder.subtree) : []
    // Snapshots of other programs, or with a damaged catalogue, are no restore points of ours.
    if (run === undefined) return
    this.#run('DELETE FROM point_objects WHERE snapshot = @snapshot', { snapshot: snapshot.id })
    for (const entry of entries) {
      if (entry.type !== 'folder') continue
      const object = this.#objectNumber(entry.name)
      const version =
        this.#knownVersion(object, entry.subtree) ?? (await this.#write(object, entry.subtree, signal))
      if (version === undefined) continue
      this.#run('INSERT INTO point_objects VALUES (@snapshot, @object, @version, @stateTree)', {
        snapshot: snapshot.id,
        object,
        version,
        stateTree: entry.subtree,
      })
    }
    const { id, time, tree } = snapshot
    this.#run('INSERT INTO points VALUES (@id, @time, @tree, @run)', {
      id,
      time: time.getTime(),
      tree,
      run: JSON.stringify(run),
    })
  }

  /** Undefined for a damaged catalogue: the object is left out here, and the next run takes up an earlier state. */
  async #write(
    object: number,
    stateTree: BlobId,
    signal: AbortSignal | undefined,
  ): Promise<number | undefined> {
    try {
      return await this.#writer.write(object, await readObjectState(this.#reader, stateTree), signal)
    } catch (error) {
      if (!isHoldfastError(error, 'corrupt') && !isHoldfastError(error, 'not-found')) throw error
      this.#log.warn({ stateTree, reason: messageOf(error) }, 'catalogue of an object cannot be read')
      return undefined
    }
  }

  #knownVersion(object: number, stateTree: BlobId): number | undefined {
    const sql = 'SELECT version FROM point_objects WHERE object = @object AND state_tree = @stateTree LIMIT 1'
    return this.#get<{ version: number }>(sql, { object, stateTree })?.version
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
        : `WHERE snapshot IN (SELECT snapshot FROM point_objects JOIN objects ON no = object WHERE key = @objectKey)`
    const rows = this.#all<PointRow>(`SELECT * FROM points ${within} ORDER BY time DESC, snapshot`, {
      objectKey,
    })
    return rows.map(restorePoint)
  }

  #pointOf(snapshot: SnapshotId): RestorePoint {
    const row = this.#get<PointRow>('SELECT * FROM points WHERE snapshot = @snapshot', { snapshot })
    if (row === undefined) throw notFound('there is no such restore point')
    return restorePoint(row)
  }

  objectsAt(at: SnapshotId | Date): ObjectAtPoint[] {
    if (!(at instanceof Date)) return this.#objectsOf(this.#pointOf(at))
    const points = this.points().filter(({ time }) => time <= at)
    const found = new Map<string, ObjectAtPoint>()
    for (const point of points)
      for (const object of this.#objectsOf(point)) if (!found.has(object.key)) found.set(object.key, object)
    return [...found.values()]
  }

  #objectsOf({ snapshot, run }: RestorePoint): ObjectAtPoint[] {
    const status = new Map(run.objects.map((object) => [object.key, object]))
    const rows = this.#all<{ key: string; version: number; identity: string }>(
      `SELECT o.key, p.version, v.identity FROM point_objects p JOIN objects o ON o.no = p.object
       JOIN versions v ON v.object = p.object AND v.version = p.version WHERE p.snapshot = @snapshot ORDER BY o.key`,
      { snapshot },
    )
    return rows.map(({ key, version, identity }) => {
      const { status: outcome = 'success', reason } = status.get(key) ?? {}
      const known = JSON.parse(identity) as ObjectIdentity & { path: string }
      return {
        ...known,
        key,
        version,
        point: snapshot,
        status: outcome,
        ...(reason === undefined ? {} : { reason }),
      }
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
      `object = @object AND parent = @parent AND is_folder = 1 AND ${AT} ORDER BY sort`,
      {
        object,
        version,
        parent,
      },
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
    const rows = this.#rows(`object = @object AND parent = '' AND is_folder = 1 AND ${AT} LIMIT 1`, {
      object,
      version,
    })
    return rows[0]?.id ?? ''
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
    const search = query.search?.toLowerCase()
    const where = [
      'object = @object',
      folderId === undefined ? '' : 'parent = @folderId',
      `is_folder = 0 AND ${AT}`,
      search === undefined ? '' : 'instr(search, @search) > 0',
    ]
      .filter(Boolean)
      .join(' AND ')
    const parameters = { object, version, folderId, search }
    const items = this.#rows(`${where} ORDER BY sort, id LIMIT @limit OFFSET @offset`, {
      ...parameters,
      limit: query.limit,
      offset: query.offset,
    })
    return { items, total: this.#total(where, parameters) }
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
    const { path: root } = this.#identity(objectKey, version)
    const below = isDriveRow(row)
      ? this.#drivePath(objectKey, version, row)
      : this.#mailPath(objectKey, version, row)
    return { row, path: [root, ...below].filter(Boolean).join('/') }
  }

  #identity(objectKey: string, version: number): { path: string } {
    const sql = 'SELECT identity FROM versions WHERE object = @object AND version = @version'
    const row = this.#get<{ identity: string }>(sql, { object: this.#existing(objectKey), version })
    if (row === undefined) throw notFound('there is no such version of the object')
    return JSON.parse(row.identity) as { path: string }
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
    const rows = this.#rows(`object = @object AND id IN (SELECT value FROM json_each(@ids)) AND ${AT}`, {
      object: this.#existing(objectKey),
      version,
      ids: JSON.stringify(ids),
    })
    return new Map(rows.map((row) => [row.id, row]))
  }

  lostWith(
    objectKey: string,
    gone: readonly number[],
    kept: readonly number[],
  ): { items: number; bytes: number } {
    const parameters = {
      object: this.#existing(objectKey),
      gone: JSON.stringify(gone),
      kept: JSON.stringify(kept),
    }
    return this.#get(LOST_WITH, parameters)!
  }

  async previous(objectKey: string): Promise<PreviousState | undefined> {
    const row = this.#get<{ snapshot: SnapshotId; tree: BlobId; version: number; stateTree: BlobId }>(
      `SELECT p.snapshot, p.tree, o.version, o.state_tree AS stateTree FROM point_objects o
       JOIN points p ON p.snapshot = o.snapshot JOIN objects n ON n.no = o.object
       WHERE n.key = @objectKey ORDER BY p.time DESC, p.snapshot LIMIT 1`,
      { objectKey },
    )
    if (row === undefined) return undefined
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
    return new PendingRows(this.#database, this.#objectNumber(objectKey), version)
  }

  #rows(where: string, parameters: object): CatalogueRow[] {
    const rows = this.#all<{ json: string }>(`SELECT json FROM items WHERE ${where}`, parameters)
    return rows.map(({ json }) => JSON.parse(json) as CatalogueRow)
  }

  #all<Row>(sql: string, parameters: object): Row[] {
    return this.#database.prepare(sql).all(parameters) as Row[]
  }

  #get<Row>(sql: string, parameters: object): Row | undefined {
    return this.#database.prepare(sql).get(parameters) as Row | undefined
  }

  #run(sql: string, parameters: object): void {
    this.#database.prepare(sql).run(parameters)
  }
}

/** A row that only its flags or its place make another one, with the same bytes, is not lost. */
const LOST_WITH = `
  SELECT count(DISTINCT CASE WHEN EXISTS (
      SELECT 1 FROM items k JOIN json_each(@kept) v ON v.value >= k.from_version AND v.value < k.to_version
      WHERE k.object = i.object AND k.id = i.id) THEN NULL ELSE id END) AS items,
    coalesce(sum(json_extract(json, '$.sizeBytes')), 0) AS bytes FROM items i
  WHERE object = @object AND is_folder = 0
    AND EXISTS (SELECT 1 FROM json_each(@gone) WHERE value >= i.from_version AND value < i.to_version)
    AND NOT EXISTS (SELECT 1 FROM json_each(@kept) WHERE value >= i.from_version AND value < i.to_version)
    AND NOT EXISTS (
      SELECT 1 FROM items k JOIN json_each(@kept) v ON v.value >= k.from_version AND v.value < k.to_version
      WHERE k.object = i.object AND k.id = i.id
        AND json_extract(k.json, '$.content') = json_extract(i.json, '$.content'))`

const restorePoint = ({ snapshot, time, tree, run }: PointRow): RestorePoint => ({
  snapshot,
  tree,
  time: new Date(time),
  run: JSON.parse(run) as RunRecord,
})

const byName = (a: CatalogueFolder, b: CatalogueFolder): number => a.name.localeCompare(b.name)

const mailFolder = ({ id, parentId, name, wellKnownName, isHidden }: StoredFolder): CatalogueFolder => ({
  id,
  name,
  isHidden,
  ...(parentId === undefined ? {} : { parentId }),
  ...(wellKnownName === undefined ? {} : { wellKnownName }),
})
