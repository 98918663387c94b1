import { setImmediate as breathe } from 'node:timers/promises'
import type { Statement } from 'better-sqlite3'
import type { RepositoryReader } from '#repository'
import { OPEN, type CacheDatabase } from './cache-file.ts'
import { segmentsSince, type ObjectState, type SegmentRef, type StoredFolder } from './object-state.ts'
import { isFolderRow, parentOf, placeKey, searchText, sortKey, type CatalogueRow } from './rows.ts'
import { readSegment, type Change } from './segments.ts'

interface KnownVersion {
  readonly version: number
  readonly segments: readonly SegmentRef[]
}

/** Takes an object's states, one after the other in time, into the versioned rows of the cache. */
export class VersionWriter {
  readonly #database: CacheDatabase
  readonly #reader: RepositoryReader
  readonly #close: Statement
  readonly #drop: Statement
  readonly #insert: Statement

  constructor(database: CacheDatabase, reader: RepositoryReader) {
    this.#database = database
    this.#reader = reader
    this.#close = database.prepare(
      `UPDATE items SET to_version = @version
       WHERE object = @object AND id = @id AND to_version = ${OPEN} AND from_version < @version`,
    )
    this.#drop = database.prepare(
      'DELETE FROM items WHERE object = @object AND id = @id AND from_version = @version',
    )
    this.#insert = database.prepare(
      `INSERT OR REPLACE INTO items VALUES (@object, @id, @version, ${OPEN}, @parent, @isFolder, @place, @sort, @search, @json)`,
    )
  }

  /** The version that holds this state: the last one when nothing changed, else a new one. */
  async write(object: number, state: ObjectState, signal?: AbortSignal): Promise<number> {
    const last = this.#lastVersion(object)
    const change = segmentsSince(last?.segments ?? [], state)
    const sameFolders = last !== undefined && this.#foldersEqual(object, state.folders)
    if (last !== undefined && sameFolders && change?.length === 0) {
      this.#rename(object, last.version, state)
      return last.version
    }
    const version = (last?.version ?? 0) + 1
    this.#undo(object, version)
    if (change !== undefined) await this.#apply(object, version, change, signal)
    else await this.#compare(object, version, state, signal)
    this.#writeFolders(object, version, state.folders)
    this.#database
      .prepare('INSERT INTO versions VALUES (?, ?, ?, ?)')
      .run(object, version, JSON.stringify(state.segments), identityJson(state))
    return version
  }

  #lastVersion(object: number): KnownVersion | undefined {
    const row = this.#database
      .prepare('SELECT version, segments FROM versions WHERE object = ? ORDER BY version DESC LIMIT 1')
      .get(object) as { version: number; segments: string } | undefined
    return row && { version: row.version, segments: JSON.parse(row.segments) as SegmentRef[] }
  }

  #rename(object: number, version: number, state: ObjectState): void {
    this.#database
      .prepare('UPDATE versions SET segments = ?, identity = ? WHERE object = ? AND version = ?')
      .run(JSON.stringify(state.segments), identityJson(state), object, version)
  }

  /** A version whose row in `versions` is missing was cut off midway. */
  #undo(object: number, version: number): void {
    this.#database.transaction(() => {
      for (const table of ['items', 'folders']) {
        this.#database
          .prepare(`DELETE FROM ${table} WHERE object = ? AND from_version = ?`)
          .run(object, version)
        this.#database
          .prepare(`UPDATE ${table} SET to_version = ${OPEN} WHERE object = ? AND to_version = ?`)
          .run(object, version)
      }
    })()
  }

  async #apply(
    object: number,
    version: number,
    segments: readonly SegmentRef[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    for (const segment of segments)
      for await (const batch of readSegment(this.#reader, segment)) {
        signal?.throwIfAborted()
        this.#database.transaction(() => {
          for (const change of batch) this.#applyOne(object, version, change)
        })()
        await breathe()
      }
  }

  #applyOne(object: number, version: number, change: Change): void {
    if ('leave' in change) return
    const id = 'put' in change ? change.put.id : change.del
    if (version > 1) this.#close.run({ object, id, version })
    if ('put' in change) this.#insert.run({ object, version, ...columns(change.put) })
    else this.#drop.run({ object, id, version })
  }

  /** The slow way, for a state that does not follow from the last one: everything is read and compared. */
  async #compare(
    object: number,
    version: number,
    state: ObjectState,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    this.#database.exec('CREATE TEMP TABLE IF NOT EXISTS loading (id TEXT PRIMARY KEY, json TEXT NOT NULL)')
    this.#database.exec('DELETE FROM loading')
    const put = this.#database.prepare('INSERT OR REPLACE INTO loading VALUES (?, ?)')
    const remove = this.#database.prepare('DELETE FROM loading WHERE id = ?')
    for (const segment of state.segments)
      for await (const batch of readSegment(this.#reader, segment)) {
        signal?.throwIfAborted()
        this.#database.transaction(() => {
          for (const change of batch) {
            if ('put' in change) put.run(change.put.id, JSON.stringify(change.put))
            else if ('del' in change) remove.run(change.del)
          }
        })()
        await breathe()
      }
    this.#database
      .prepare(
        `UPDATE items SET to_version = @version WHERE object = @object AND to_version = ${OPEN}
         AND NOT EXISTS (SELECT 1 FROM loading l WHERE l.id = items.id AND l.json = items.json)`,
      )
      .run({ object, version })
    await this.#insertLoaded(object, version)
  }

  async #insertLoaded(object: number, version: number): Promise<void> {
    const next = this.#database.prepare(
      `SELECT id, json FROM loading WHERE id > @after AND NOT EXISTS (
         SELECT 1 FROM items i WHERE i.object = @object AND i.id = loading.id AND i.to_version = ${OPEN})
       ORDER BY id LIMIT 500`,
    )
    for (let after = ''; ;) {
      const rows = next.all({ object, after }) as { id: string; json: string }[]
      if (rows.length === 0) break
      this.#database.transaction(() => {
        for (const { json } of rows)
          this.#insert.run({ object, version, ...columns(JSON.parse(json) as CatalogueRow) })
      })()
      after = rows.at(-1)!.id
      await breathe()
    }
    this.#database.exec('DELETE FROM loading')
  }

  #foldersEqual(object: number, folders: readonly StoredFolder[]): boolean {
    const known = this.#liveFolders(object)
    return (
      known.size === folders.length && folders.every((folder) => known.get(folder.id) === folderJson(folder))
    )
  }

  #liveFolders(object: number): Map<string, string> {
    const rows = this.#database
      .prepare(`SELECT id, json FROM folders WHERE object = ? AND to_version = ${OPEN}`)
      .all(object) as { id: string; json: string }[]
    return new Map(rows.map(({ id, json }) => [id, json]))
  }

  #writeFolders(object: number, version: number, folders: readonly StoredFolder[]): void {
    const known = this.#liveFolders(object)
    const close = this.#database.prepare(
      `UPDATE folders SET to_version = ? WHERE object = ? AND id = ? AND to_version = ${OPEN}`,
    )
    const insert = this.#database.prepare(`INSERT INTO folders VALUES (?, ?, ?, ${OPEN}, ?, ?)`)
    this.#database.transaction(() => {
      for (const folder of folders) {
        const json = folderJson(folder)
        const isSame = known.get(folder.id) === json
        if (isSame) known.delete(folder.id)
        else if (known.delete(folder.id)) close.run(version, object, folder.id)
        if (!isSame) insert.run(object, folder.id, version, folder.parentId ?? '', json)
      }
      for (const id of known.keys()) close.run(version, object, id)
    })()
  }
}

const columns = (row: CatalogueRow): object => ({
  id: row.id,
  parent: parentOf(row),
  isFolder: isFolderRow(row) ? 1 : 0,
  place: placeKey(row),
  sort: sortKey(row),
  search: searchText(row),
  json: JSON.stringify(row),
})

/** What makes a folder another one: not its token. */
const folderJson = ({ id, parentId, name, segment, wellKnownName, isHidden }: StoredFolder): string =>
  JSON.stringify({ id, parentId, name, segment, wellKnownName, isHidden })

const identityJson = ({ kind, userId, principalName, displayName, path }: ObjectState): string =>
  JSON.stringify({ kind, userId, principalName, displayName, path })
