import { extname } from 'node:path/posix'
import type { PracticeUser, TenantState } from '../core/contract.ts'
import { corpusDocuments } from '../seed/corpus.ts'
import { seededBytes } from '../seed/ids.ts'
import { corpusContent, type ContentRef } from './contents.ts'
import { driveIdOf, itemIdOf } from './drive-ids.ts'
import type { DriveStore } from './drive-store.ts'
import { foldedName } from './names.ts'
import type { ItemKind, PermissionRow } from './schema.ts'
import { EMPTY_FOLDER, ODD_FOLDER, ODD_NAMES, SEED_FOLDERS, seedFileName } from './seed-names.ts'

const NEWEST_MS = Date.UTC(2026, 0, 5, 9)
const SPAN_MS = 5 * 365 * 24 * 3_600_000
const DRIVE_BYTES = 2 ** 40
/** What still fits into the drive of `tiny-quota@…`. */
const TINY_ROOM_BYTES = 1 << 20
/** Drives that hold the corpus as it is and one of every unusual thing. */
const ODD_DRIVES = 3
/** One file in so many has earlier versions, one in so many is shared. */
const VERSIONED_EVERY = 20
const SHARED_EVERY = 25

interface NewItem {
  readonly kind?: ItemKind
  readonly content?: ContentRef
  readonly facets?: object
  readonly version?: number
}

/** Fills a drive that was never touched. Nothing but the seed decides what it holds. Runs inside a transaction. */
export const seedDrive = (
  store: DriveStore,
  state: TenantState,
  owner: PracticeUser,
  driveId: string,
): void => {
  new Seeding(store, state, owner, driveId).run()
}

class Seeding {
  readonly #store: DriveStore
  readonly #state: TenantState
  readonly #owner: PracticeUser
  readonly #driveId: string
  readonly #drive: number
  readonly #folders = new Map<string, number>()
  readonly #sizes = new Map<number, number>()
  readonly #parents = new Map<number, number | null>()
  #ordinal = 0

  constructor(store: DriveStore, state: TenantState, owner: PracticeUser, driveId: string) {
    this.#store = store
    this.#state = state
    this.#owner = owner
    this.#driveId = driveId
    const sql = `INSERT INTO drives (id, user_id, quota, created_ms, position, next_ordinal, epoch)
      VALUES (?, ?, ?, ?, 0, 0, 0)`
    this.#drive = Number(
      store.db.prepare(sql).run(driveId, owner.id, DRIVE_BYTES, NEWEST_MS - SPAN_MS).lastInsertRowid,
    )
  }

  run(): void {
    const root = this.#add(null, 'root', { kind: 'root' })
    this.#folders.set('', root)
    this.#permit(root, { kind: 'owner', roles: '["owner"]', grantee: this.#owner.id })
    for (const path of SEED_FOLDERS) this.#folder(path)
    this.#folder(EMPTY_FOLDER)
    for (let n = 0; n < this.#state.seed.files; n += 1) this.#file(n)
    if (this.#owner.index < ODD_DRIVES) this.#oddThings()
    for (const [item, size] of this.#sizes) {
      this.#store.run('UPDATE drive_items SET size = ? WHERE key = ?', size, item)
    }
    const isTiny = this.#state.isSentinel(this.#owner, 'tiny-quota')
    const quota = isTiny ? (this.#sizes.get(root) ?? 0) + TINY_ROOM_BYTES : DRIVE_BYTES
    this.#store.run(
      'UPDATE drives SET position = ?, next_ordinal = ?, quota = ? WHERE key = ?',
      ...[this.#ordinal, this.#ordinal, quota, this.#drive],
    )
  }

  #chance(...names: readonly (string | number)[]): Buffer {
    return seededBytes(this.#state.seed.seed, 'drive', this.#owner.index, ...names)
  }

  #folder(path: string): number {
    const at = path.lastIndexOf('/')
    const parent = this.#folders.get(path.slice(0, Math.max(0, at)))!
    const key = this.#add(parent, path.slice(at + 1), { kind: 'folder' })
    this.#folders.set(path, key)
    return key
  }

  /** The first drives hold the originals one after the other before variants begin. */
  #file(n: number): void {
    const documents = corpusDocuments()
    const chance = this.#chance('file', n)
    const isOriginal = this.#owner.index < ODD_DRIVES && n < documents.length
    const number = isOriginal
      ? (this.#owner.index * this.#state.seed.files + n) % documents.length
      : chance.readUInt32LE(0) % documents.length
    const variant = isOriginal ? 0 : this.#owner.index * 1_000_000 + n + 1
    const { name } = documents[number]!
    const folder = this.#folders.get(SEED_FOLDERS[chance[4]! % SEED_FOLDERS.length]!)!
    const versions = n % VERSIONED_EVERY === 7 ? 2 + (chance[5]! % 3) : 1
    const key = this.#add(folder, isOriginal ? name : seedFileName(n, chance.subarray(6), extname(name)), {
      kind: 'file',
      content: corpusContent(number, variant),
      version: versions,
    })
    for (let version = 1; version < versions; version += 1) {
      this.#version(key, version, corpusContent(number, 500_000_000 + variant * 10 + version))
    }
    if (n % SHARED_EVERY === 3) this.#share(key, n)
  }

  #oddThings(): void {
    this.#folder(ODD_FOLDER)
    const odd = this.#folders.get(ODD_FOLDER)!
    const text = (body: string): ContentRef => this.#store.contents.store(Buffer.from(body))
    for (const name of ODD_NAMES)
      this.#add(odd, name, { kind: 'file', content: text(`This file is named ${name}\n`) })
    this.#add(odd, 'empty.txt', { kind: 'file', content: text('') })
    this.#add(odd, 'infected.txt', {
      kind: 'file',
      content: text('The scanner has found something here.\n'),
      facets: { malware: { description: 'Test.File' } },
    })
    this.#notebook(odd)
    this.#shortcut(odd)
    this.#share(this.#folder(`${ODD_FOLDER}/Shared folder`), 1)
    const below = this.#folders.get(`${ODD_FOLDER}/Shared folder`)!
    this.#add(below, 'inherits.txt', { kind: 'file', content: text('Shared by its folder.\n') })
  }

  #notebook(parent: number): void {
    const notebook = this.#add(parent, 'Notebook', {
      kind: 'package',
      facets: { package: { type: 'oneNote' } },
    })
    for (const name of ['Open Notebook.onetoc2', 'Quick notes.one', 'Meetings.one']) {
      const content = this.#store.contents.store(
        Buffer.concat([ONE_NOTE_START, this.#chance('notebook', name)]),
      )
      this.#add(notebook, name, { kind: 'file', content })
    }
  }

  /** Points to the first folder of somebody else's drive, whose id is known before that drive exists. */
  #shortcut(parent: number): void {
    const other = this.#others()[0]
    if (other === undefined) return
    const driveId = driveIdOf(other.id)
    const remoteItem = {
      id: itemIdOf(driveId, 1),
      name: SEED_FOLDERS[0],
      folder: { childCount: 0 },
      parentReference: { driveType: 'business', driveId, id: itemIdOf(driveId, 0) },
    }
    this.#add(parent, `${other.displayName}'s ${SEED_FOLDERS[0]}`, {
      kind: 'shortcut',
      facets: { remoteItem },
    })
  }

  /** A few people who are not the owner. */
  #others(): PracticeUser[] {
    const found: PracticeUser[] = []
    for (const user of this.#state.users()) {
      if (found.length === 3) break
      if (user.id !== this.#owner.id && user.hasDrive) found.push(user)
    }
    return found
  }

  #share(item: number, n: number): void {
    const others = this.#others()
    const other = others[n % Math.max(1, others.length)]
    if (other !== undefined) {
      this.#permit(item, { kind: 'user', roles: n % 2 === 0 ? '["read"]' : '["write"]', grantee: other.id })
    }
    if (n % 3 === 0) {
      this.#permit(item, { kind: 'link', roles: '["read"]', link_type: 'view', link_scope: 'organization' })
    }
  }

  #permit(item: number, entry: Pick<PermissionRow, 'kind' | 'roles'> & Partial<PermissionRow>): void {
    const chance = this.#chance('permission', item, entry.kind, entry.grantee ?? '')
    this.#store.run(
      `INSERT INTO drive_permissions (item, drive, id, roles, kind, grantee, link_type, link_scope, share_id)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      item,
      this.#drive,
      chance.subarray(0, 18).toString('base64url'),
      entry.roles,
      entry.kind,
      entry.grantee ?? null,
      entry.link_type ?? null,
      entry.link_scope ?? null,
      entry.kind === 'link' ? `u!${chance.toString('base64url')}` : null,
    )
  }

  #version(item: number, number: number, content: ContentRef): void {
    this.#store.run(
      `INSERT INTO drive_versions (item, number, content, size, modified_ms, modified_by) VALUES (?, ?, ?, ?, ?, ?)`,
      item,
      number,
      content,
      this.#store.contents.open(content).sizeBytes,
      NEWEST_MS - SPAN_MS - (VERSIONED_EVERY - number) * 3_600_000,
      `user:${this.#owner.id}`,
    )
  }

  #add(parent: number | null, name: string, item: NewItem): number {
    const ordinal = this.#ordinal
    this.#ordinal += 1
    const id = itemIdOf(this.#driveId, ordinal)
    const age = parent === null ? 1 : this.#chance('age', ordinal).readUInt32LE(0) / 2 ** 32
    const created = NEWEST_MS - Math.floor(age * SPAN_MS)
    const modified = created + Math.floor((NEWEST_MS - created) * 0.5)
    const size = item.content === undefined ? 0 : this.#store.contents.open(item.content).sizeBytes
    const version = item.version ?? 1
    this.#store.run(
      `INSERT INTO drive_items (drive, id, parent, name, folded, kind, state, created_ms, modified_ms, file_created_ms,
          file_modified_ms, created_by, modified_by, content, size, version, e_tag, c_tag, position, edited, shared, facets)
        VALUES (?, ?, ?, ?, ?, ?, 'live', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)`,
      ...[this.#drive, id, parent, name, foldedName(name), item.kind],
      ...[created, modified, created, modified, `user:${this.#owner.id}`, `user:${this.#owner.id}`],
      ...[item.content ?? null, size, version, version, version, this.#ordinal, this.#ordinal],
      item.facets === undefined ? null : JSON.stringify(item.facets),
    )
    const key = this.#store.one<{ key: number }>('SELECT key FROM drive_items WHERE id = ?', id)!.key
    this.#store.run(
      `INSERT INTO drive_changes (drive, position, item, at_ms, kind) VALUES (?, ?, ?, ?, 'create')`,
      ...[this.#drive, this.#ordinal, key, NEWEST_MS],
    )
    this.#count(key, parent, size)
    return key
  }

  /** Sizes of folders are those of everything below them. */
  #count(key: number, parent: number | null, size: number): void {
    this.#parents.set(key, parent)
    for (let at = parent; at !== null; at = this.#parents.get(at) ?? null) {
      this.#sizes.set(at, (this.#sizes.get(at) ?? 0) + size)
    }
  }
}

/** How a file of OneNote begins. */
const ONE_NOTE_START = Buffer.from('e4525c7b8cd8a74daeb15378d02996d3', 'hex')
