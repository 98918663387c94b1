import type { Clock } from '#base'
import { GraphError } from '../core/contract.ts'
import type { ContentRef } from './contents.ts'
import { itemIdOf } from './drive-ids.ts'
import type { Drive, DriveStore } from './drive-store.ts'
import {
  checkName,
  checkPathLength,
  foldedName,
  freeName,
  nameTaken,
  type ConflictBehavior,
} from './names.ts'
import type { ItemKind, ItemRow, VersionRow } from './schema.ts'

/** Dates that the client gives: fileSystemInfo. */
export interface FileTimes {
  readonly createdMs?: number
  readonly modifiedMs?: number
}

export interface NewFile {
  readonly parent: ItemRow
  readonly name: string
  readonly content: ContentRef
  readonly conflict: ConflictBehavior
  readonly times?: FileTimes
  readonly description?: string
}

export interface ItemUpdate {
  readonly name?: string
  readonly parent?: ItemRow
  readonly times?: FileTimes
  readonly description?: string
  readonly conflict?: ConflictBehavior
}

type ChangeKind = 'create' | 'content' | 'update' | 'move' | 'delete' | 'restore' | 'sharing'

const LOCKED_PREFIX = 'locked-'

/** Throws the 423 of a file that is open elsewhere: one whose name begins with `locked-`. */
export const checkUnlocked = (item: ItemRow): void => {
  if (foldedName(item.name).startsWith(LOCKED_PREFIX)) {
    throw new GraphError(423, 'resourceLocked', 'The resource you are attempting to access is locked.', {
      innerCode: 'lockMismatch',
    })
  }
}

/**
 * Everything that changes a drive. Each call is one transaction: it gives the item a new eTag (a new cTag, too, where
 * the content changed) and appends to the drive's change log. `by` is `user:<id>` or `application:<id>`.
 */
export class DriveEdits {
  readonly #store: DriveStore
  readonly #clock: Clock

  constructor(store: DriveStore, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /** A new folder, or with `replace` the one that is there. */
  createFolder(drive: Drive, parent: ItemRow, name: string, conflict: ConflictBehavior, by: string): ItemRow {
    return this.#atomically(() => {
      const known = this.#store.child(parent.key, checkName(name))
      if (known !== undefined && conflict === 'replace' && known.kind === 'folder') return known
      return this.#insert(drive, parent, this.#claim(parent, name, conflict), {
        kind: 'folder',
        content: null,
        by,
      })
    })
  }

  /** The folder at a path below `start`; what is missing of it is made. */
  ensureFolder(drive: Drive, start: ItemRow, names: readonly string[], by: string): ItemRow {
    let folder = start
    for (const name of names) {
      const next = this.#store.child(folder.key, name) ?? this.createFolder(drive, folder, name, 'fail', by)
      if (next.kind === 'file' || next.kind === 'shortcut') throw nameTaken()
      folder = next
    }
    return folder
  }

  /** A new file, or a new version of the one that has its name. */
  putFile(drive: Drive, file: NewFile, by: string): { item: ItemRow; isNew: boolean } {
    return this.#atomically(() => {
      const known = this.#store.child(file.parent.key, checkName(file.name))
      if (known !== undefined && file.conflict === 'replace') {
        if (known.kind !== 'file') throw nameTaken()
        return { item: this.replaceContent(drive, known, file.content, by, file.times), isNew: false }
      }
      const name = this.#claim(file.parent, file.name, file.conflict)
      const item = this.#insert(drive, file.parent, name, { kind: 'file', ...file, by })
      return { item, isNew: true }
    })
  }

  /** What was the content so far becomes an earlier version. */
  replaceContent(
    drive: Drive,
    item: ItemRow,
    content: ContentRef,
    by: string,
    times: FileTimes = {},
  ): ItemRow {
    checkUnlocked(item)
    return this.#atomically(() => {
      const now = this.#clock.nowMs()
      const size = this.#store.contents.open(content).sizeBytes
      this.checkQuota(drive, size)
      this.#store.run(
        `INSERT INTO drive_versions (item, number, content, size, modified_ms, modified_by) VALUES (?, ?, ?, ?, ?, ?)`,
        ...[item.key, item.version, item.content, item.size, item.modified_ms, item.modified_by],
      )
      this.#store.run(
        `UPDATE drive_items SET content = ?, size = ?, version = version + 1, c_tag = c_tag + 1, modified_ms = ?,
          file_modified_ms = ?, file_created_ms = ?, modified_by = ? WHERE key = ?`,
        ...[
          content,
          size,
          now,
          times.modifiedMs ?? now,
          times.createdMs ?? item.file_created_ms,
          by,
          item.key,
        ],
      )
      this.#addSize(item.parent, size - item.size)
      return this.#changed(drive, item, 'content')
    })
  }

  /** Makes an earlier version the newest one, which keeps the others as they are. */
  restoreVersion(drive: Drive, item: ItemRow, version: VersionRow, by: string): ItemRow {
    return this.replaceContent(drive, item, version.content, by)
  }

  /** Renames, moves, sets dates and description. */
  update(drive: Drive, item: ItemRow, update: ItemUpdate, by: string): ItemRow {
    checkUnlocked(item)
    return this.#atomically(() => {
      const parent = update.parent ?? (item.parent === null ? undefined : this.#store.byKey(item.parent))
      const isMoved = update.parent !== undefined && update.parent.key !== item.parent
      const isRenamed = update.name !== undefined && update.name !== item.name
      if (parent === undefined) {
        if (isMoved || isRenamed)
          throw new GraphError(400, 'invalidRequest', 'The root cannot be moved or renamed.')
      } else if (isMoved || isRenamed) {
        this.#place(drive, item, parent, update.name ?? item.name, update.conflict ?? 'fail', by)
      }
      this.#setDetails(item, update, by)
      return isMoved ? this.#changed(drive, item, 'move', item.parent) : this.#changed(drive, item, 'update')
    })
  }

  /** Into the recycle bin, with everything below. */
  recycle(drive: Drive, item: ItemRow): void {
    this.#refuseRoot(item)
    checkUnlocked(item)
    this.#atomically(() => {
      const deletion = this.#position(drive) + 1
      for (const { key } of this.#subtree(item, `state = 'live'`)) {
        this.#store.run(
          `UPDATE drive_items SET state = 'recycled', deletion = ? WHERE key = ?`,
          deletion,
          key,
        )
        this.#changed(drive, this.#store.byKey(key), 'delete')
      }
      this.#addSize(item.parent, -item.size)
    })
  }

  /** Back from the recycle bin, with what was deleted together with it; into `parent` or where it was, else the root. */
  restore(drive: Drive, item: ItemRow, parent: ItemRow | undefined, name: string | undefined): ItemRow {
    if (item.state !== 'recycled')
      throw new GraphError(404, 'itemNotFound', 'The item is not in the recycle bin.')
    return this.#atomically(() => {
      const former = this.#store.byKey(item.parent!)
      const target = parent ?? (former.state === 'live' ? former : this.#store.root(drive))
      const free = this.#claim(target, name ?? item.name, 'rename')
      for (const { key } of this.#subtree(item, `state = 'recycled' AND deletion = ${item.deletion}`)) {
        if (key === item.key) {
          this.#store.run(
            `UPDATE drive_items SET state = 'live', deletion = NULL, parent = ?, name = ?, folded = ? WHERE key = ?`,
            ...[target.key, free, foldedName(free), key],
          )
        } else this.#store.run(`UPDATE drive_items SET state = 'live', deletion = NULL WHERE key = ?`, key)
        this.#changed(drive, this.#store.byKey(key), 'restore')
      }
      this.#addSize(target.key, item.size)
      return this.#store.byKey(item.key)
    })
  }

  /** Deletes for good, whether live or in the recycle bin. */
  purge(drive: Drive, item: ItemRow): void {
    this.#refuseRoot(item)
    checkUnlocked(item)
    this.#atomically(() => {
      const doomed = this.#subtree(item, `state <> 'gone'`).map(({ key }) => this.#store.byKey(key))
      if (item.state === 'live') this.#addSize(item.parent, -item.size)
      for (const each of doomed) this.#forget(drive, each)
    })
  }

  /** Notes that an item's permissions have changed. */
  sharingChanged(drive: Drive, item: ItemRow): void {
    this.#atomically(() => {
      const position = this.#append(drive, item.key, 'sharing')
      this.#store.run(
        'UPDATE drive_items SET position = ?, shared = ? WHERE key = ?',
        position,
        position,
        item.key,
      )
    })
  }

  /** A copy of a file or of a whole folder, without earlier versions and permissions, possibly into another drive. */
  copy(
    source: ItemRow,
    drive: Drive,
    parent: ItemRow,
    name: string,
    conflict: ConflictBehavior,
    by: string,
  ): ItemRow {
    return this.#atomically(() => {
      if (source.kind === 'file') {
        return this.putFile(drive, { parent, name, content: source.content!, conflict }, by).item
      }
      if (this.#isWithin(parent, source)) {
        throw new GraphError(400, 'invalidRequest', 'A folder cannot be copied into itself.')
      }
      const children = this.#store.children(source, Number.MAX_SAFE_INTEGER)
      const folder = this.createFolder(drive, parent, name, conflict, by)
      for (const child of children) this.copy(child, drive, folder, child.name, conflict, by)
      return this.#store.byKey(folder.key)
    })
  }

  /** Throws the 507 when so many more bytes do not fit. */
  checkQuota(drive: Drive, bytes: number): void {
    const used = this.#store.root(drive).size + this.#store.recycledBytes(drive)
    if (used + bytes > drive.quota) {
      throw new GraphError(507, 'quotaLimitReached', 'The drive has no space left for this item.')
    }
  }

  #atomically<T>(work: () => T): T {
    return this.#store.db.transaction(work)()
  }

  #refuseRoot(item: ItemRow): void {
    if (item.kind === 'root') throw new GraphError(400, 'invalidRequest', 'The root cannot be deleted.')
  }

  /** The name that a new child gets: the one asked for, or with `rename` a free one. Throws the 409 of a taken one. */
  #claim(parent: ItemRow, name: string, conflict: ConflictBehavior): string {
    checkName(name)
    checkPathLength(`${this.#store.pathOf(parent)}/${name}`)
    if (this.#store.child(parent.key, name) === undefined) return name
    if (conflict !== 'rename') throw nameTaken()
    return freeName(name, (candidate) => this.#store.child(parent.key, candidate) !== undefined)
  }

  #isWithin(item: ItemRow, folder: ItemRow): boolean {
    return [item, ...this.#store.ancestors(item)].some(({ key }) => key === folder.key)
  }

  #place(
    drive: Drive,
    item: ItemRow,
    parent: ItemRow,
    name: string,
    conflict: ConflictBehavior,
    by: string,
  ): void {
    if (parent.kind === 'file' || parent.kind === 'shortcut') {
      throw new GraphError(400, 'invalidRequest', 'The destination is not a folder.')
    }
    if (this.#isWithin(parent, item)) {
      throw new GraphError(400, 'invalidRequest', 'A folder cannot be moved into itself.')
    }
    const there = this.#store.child(parent.key, name)
    if (there !== undefined && there.key !== item.key && conflict === 'replace') this.recycle(drive, there)
    const free = there?.key === item.key ? checkName(name) : this.#claim(parent, name, conflict)
    this.#addSize(item.parent, -item.size)
    this.#store.run(
      'UPDATE drive_items SET parent = ?, name = ?, folded = ?, modified_by = ? WHERE key = ?',
      ...[parent.key, free, foldedName(free), by, item.key],
    )
    this.#addSize(parent.key, item.size)
  }

  #setDetails(item: ItemRow, { times, description }: ItemUpdate, by: string): void {
    this.#store.run(
      'UPDATE drive_items SET modified_ms = ?, file_created_ms = ?, file_modified_ms = ?, modified_by = ? WHERE key = ?',
      this.#clock.nowMs(),
      times?.createdMs ?? item.file_created_ms,
      times?.modifiedMs ?? item.file_modified_ms,
      by,
      item.key,
    )
    if (description !== undefined) this.#describe(item.key, item.facets, description)
  }

  #describe(key: number, facets: string | null, description: string): void {
    const all = { ...(JSON.parse(facets ?? '{}') as object), description }
    this.#store.run('UPDATE drive_items SET facets = ? WHERE key = ?', JSON.stringify(all), key)
  }

  #insert(
    drive: Drive,
    parent: ItemRow,
    name: string,
    item: { kind: ItemKind; content: ContentRef | null; by: string; times?: FileTimes; description?: string },
  ): ItemRow {
    const now = this.#clock.nowMs()
    const size = item.content === null ? 0 : this.#store.contents.open(item.content).sizeBytes
    if (size > 0) this.checkQuota(drive, size)
    const id = itemIdOf(drive.id, this.#nextOrdinal(drive))
    this.#store.run(
      `INSERT INTO drive_items (drive, id, parent, name, folded, kind, state, created_ms, modified_ms, file_created_ms,
          file_modified_ms, created_by, modified_by, content, size, version, e_tag, c_tag, position, edited, shared)
        VALUES (?, ?, ?, ?, ?, ?, 'live', ?, ?, ?, ?, ?, ?, ?, ?, 1, 0, 1, 0, 0, 0)`,
      ...[drive.key, id, parent.key, name, foldedName(name), item.kind, now, now],
      ...[item.times?.createdMs ?? now, item.times?.modifiedMs ?? now, item.by, item.by, item.content, size],
    )
    const made = this.#store.item(drive, id)
    if (item.description !== undefined) this.#describe(made.key, null, item.description)
    this.#addSize(parent.key, size)
    return this.#changed(drive, made, 'create')
  }

  #nextOrdinal(drive: Drive): number {
    this.#store.run('UPDATE drives SET next_ordinal = next_ordinal + 1 WHERE key = ?', drive.key)
    const row = this.#store.one<{ n: number }>(
      'SELECT next_ordinal - 1 AS n FROM drives WHERE key = ?',
      drive.key,
    )
    return row!.n
  }

  #position(drive: Drive): number {
    return this.#store.one<{ position: number }>('SELECT position FROM drives WHERE key = ?', drive.key)!
      .position
  }

  #append(drive: Drive, item: number, kind: ChangeKind, fromParent: number | null = null): number {
    const position = this.#position(drive) + 1
    this.#store.run('UPDATE drives SET position = ? WHERE key = ?', position, drive.key)
    this.#store.run(
      'INSERT INTO drive_changes (drive, position, item, at_ms, kind, from_parent) VALUES (?, ?, ?, ?, ?, ?)',
      ...[drive.key, position, item, this.#clock.nowMs(), kind, fromParent],
    )
    return position
  }

  #changed(drive: Drive, item: ItemRow, kind: ChangeKind, fromParent: number | null = null): ItemRow {
    const position = this.#append(drive, item.key, kind, fromParent)
    this.#store.run(
      'UPDATE drive_items SET e_tag = e_tag + 1, position = ?, edited = ? WHERE key = ?',
      ...[position, position, item.key],
    )
    return this.#store.byKey(item.key)
  }

  #addSize(folder: number | null, bytes: number): void {
    if (bytes === 0) return
    for (let key = folder; key !== null; key = this.#store.byKey(key).parent) {
      this.#store.run('UPDATE drive_items SET size = size + ? WHERE key = ?', bytes, key)
    }
  }

  /** The item and what lies below it, from the top down. */
  #subtree(item: ItemRow, condition: string): { key: number }[] {
    return this.#store.all<{ key: number }>(
      `WITH RECURSIVE tree (key, depth) AS (
          SELECT ?, 0 UNION ALL
          SELECT drive_items.key, depth + 1 FROM drive_items JOIN tree ON drive_items.parent = tree.key WHERE ${condition}
        ) SELECT key FROM tree ORDER BY depth, key`,
      item.key,
    )
  }

  #forget(drive: Drive, item: ItemRow): void {
    const versions = this.#store.all<{ content: ContentRef }>(
      'SELECT content FROM drive_versions WHERE item = ?',
      item.key,
    )
    this.#store.run(
      `UPDATE drive_items SET state = 'gone', deletion = NULL, content = NULL WHERE key = ?`,
      item.key,
    )
    this.#store.run('DELETE FROM drive_versions WHERE item = ?', item.key)
    this.#store.run('DELETE FROM drive_permissions WHERE item = ?', item.key)
    for (const content of [...versions.map((version) => version.content), item.content]) {
      if (content !== null) this.#dropUnused(content)
    }
    if (item.state === 'live') this.#changed(drive, item, 'delete')
  }

  #dropUnused(content: ContentRef): void {
    const used =
      this.#store.one('SELECT 1 FROM drive_items WHERE content = ?', content) ??
      this.#store.one('SELECT 1 FROM drive_versions WHERE content = ?', content)
    if (used === undefined) this.#store.contents.drop(content)
  }
}
