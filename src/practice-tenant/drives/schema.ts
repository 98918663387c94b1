import type Database from 'better-sqlite3'
import type { ContentRef } from './contents.ts'

export type ItemKind = 'root' | 'folder' | 'file' | 'package' | 'shortcut'
/** `recycled` items can be restored; `gone` ones are remembered for delta alone. */
export type ItemState = 'live' | 'recycled' | 'gone'

export interface DriveRow {
  readonly key: number
  readonly id: string
  readonly user_id: string
  readonly quota: number
  readonly created_ms: number
  /** Position of the newest change. */
  readonly position: number
  /** Number of the next item to be made. */
  readonly next_ordinal: number
  /** Delta tokens of an earlier epoch are refused. */
  readonly epoch: number
}

export interface ItemRow {
  readonly key: number
  readonly drive: number
  readonly id: string
  /** Key of the folder; the root alone has none. Kept when the item is deleted. */
  readonly parent: number | null
  readonly name: string
  readonly kind: ItemKind
  readonly state: ItemState
  /** When the service made and last changed it. */
  readonly created_ms: number
  readonly modified_ms: number
  /** What the client says: fileSystemInfo. */
  readonly file_created_ms: number
  readonly file_modified_ms: number
  /** `user:<id>` or `application:<id>`. */
  readonly created_by: string
  readonly modified_by: string
  readonly content: ContentRef | null
  /** Of a folder: of everything below it. */
  readonly size: number
  /** Number of the current version of the content. */
  readonly version: number
  readonly e_tag: number
  readonly c_tag: number
  /** Position of its newest change of any kind, of its newest change but sharing, of its newest sharing change. */
  readonly position: number
  readonly edited: number
  readonly shared: number
  /** Items deleted together carry the position of the first. */
  readonly deletion: number | null
  /** 1 when permissions of the folders above do not count here. */
  readonly is_unique: number
  /** JSON of facets that are kept as they are: malware, package, remoteItem, description. */
  readonly facets: string | null
}

export interface VersionRow {
  readonly item: number
  readonly number: number
  readonly content: ContentRef
  readonly size: number
  readonly modified_ms: number
  readonly modified_by: string
}

export interface PermissionRow {
  readonly key: number
  readonly item: number
  readonly id: string
  /** JSON array. */
  readonly roles: string
  readonly kind: 'owner' | 'user' | 'link'
  readonly grantee: string | null
  readonly link_type: string | null
  readonly link_scope: string | null
  readonly prevents_download: number
  readonly has_password: number
  readonly expires: string | null
  readonly share_id: string | null
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS drives (
    key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, user_id TEXT NOT NULL UNIQUE, quota INTEGER NOT NULL,
    created_ms INTEGER NOT NULL, position INTEGER NOT NULL, next_ordinal INTEGER NOT NULL, epoch INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS drive_items (
    key INTEGER PRIMARY KEY, drive INTEGER NOT NULL, id TEXT NOT NULL UNIQUE, parent INTEGER, name TEXT NOT NULL,
    folded TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, created_ms INTEGER NOT NULL,
    modified_ms INTEGER NOT NULL, file_created_ms INTEGER NOT NULL, file_modified_ms INTEGER NOT NULL,
    created_by TEXT NOT NULL, modified_by TEXT NOT NULL, content TEXT, size INTEGER NOT NULL,
    version INTEGER NOT NULL, e_tag INTEGER NOT NULL, c_tag INTEGER NOT NULL, position INTEGER NOT NULL,
    edited INTEGER NOT NULL, shared INTEGER NOT NULL, deletion INTEGER, is_unique INTEGER NOT NULL DEFAULT 0,
    facets TEXT
  );
  CREATE UNIQUE INDEX IF NOT EXISTS drive_items_names ON drive_items (parent, folded) WHERE state = 'live';
  CREATE INDEX IF NOT EXISTS drive_items_contents ON drive_items (content);
  CREATE INDEX IF NOT EXISTS drive_items_parents ON drive_items (parent);
  CREATE INDEX IF NOT EXISTS drive_items_changes ON drive_items (drive, position);
  CREATE TABLE IF NOT EXISTS drive_changes (
    drive INTEGER NOT NULL, position INTEGER NOT NULL, item INTEGER NOT NULL, at_ms INTEGER NOT NULL,
    kind TEXT NOT NULL, from_parent INTEGER, PRIMARY KEY (drive, position)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS drive_versions (
    item INTEGER NOT NULL, number INTEGER NOT NULL, content TEXT NOT NULL, size INTEGER NOT NULL,
    modified_ms INTEGER NOT NULL, modified_by TEXT NOT NULL, PRIMARY KEY (item, number)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS drive_versions_contents ON drive_versions (content);
  CREATE TABLE IF NOT EXISTS drive_permissions (
    key INTEGER PRIMARY KEY, item INTEGER NOT NULL, drive INTEGER NOT NULL, id TEXT NOT NULL, roles TEXT NOT NULL,
    kind TEXT NOT NULL, grantee TEXT, link_type TEXT, link_scope TEXT, prevents_download INTEGER NOT NULL DEFAULT 0,
    has_password INTEGER NOT NULL DEFAULT 0, expires TEXT, share_id TEXT
  );
  CREATE INDEX IF NOT EXISTS drive_permissions_items ON drive_permissions (item);
  CREATE INDEX IF NOT EXISTS drive_permissions_drives ON drive_permissions (drive);
  CREATE TABLE IF NOT EXISTS drive_uploads (
    id TEXT PRIMARY KEY, drive INTEGER NOT NULL, parent INTEGER NOT NULL, name TEXT NOT NULL, content INTEGER NOT NULL,
    received INTEGER NOT NULL, total INTEGER, expires_ms INTEGER NOT NULL, options TEXT NOT NULL, by TEXT NOT NULL
  );
  CREATE TABLE IF NOT EXISTS drive_copies (
    id TEXT PRIMARY KEY, polls INTEGER NOT NULL, outcome TEXT NOT NULL
  );
`

export const createDriveTables = (db: Database.Database): void => {
  db.exec(SCHEMA)
}
