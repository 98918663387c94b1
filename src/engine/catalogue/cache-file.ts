import { mkdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'

export type CacheDatabase = Database.Database

/** `to_version` of rows that still hold. */
export const OPEN = 2_147_483_647
const FORMAT = 3

const SCHEMA = `
CREATE TABLE points (no INTEGER PRIMARY KEY, snapshot TEXT NOT NULL UNIQUE, time INTEGER NOT NULL, tree TEXT NOT NULL,
  job TEXT NOT NULL, session TEXT NOT NULL, mail INTEGER NOT NULL, onedrive INTEGER NOT NULL);
CREATE INDEX points_by_time ON points (time DESC, snapshot);
CREATE TABLE runs (point INTEGER PRIMARY KEY, json TEXT NOT NULL);
CREATE TABLE objects (no INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, loaded INTEGER NOT NULL DEFAULT 0);
CREATE TABLE states (object INTEGER NOT NULL, version INTEGER NOT NULL, state_tree TEXT NOT NULL,
  identity TEXT NOT NULL, PRIMARY KEY (object, version)) WITHOUT ROWID;
CREATE INDEX states_by_tree ON states (object, state_tree);
CREATE TABLE versions (object INTEGER NOT NULL, version INTEGER NOT NULL, segments TEXT NOT NULL,
  path TEXT NOT NULL, PRIMARY KEY (object, version)) WITHOUT ROWID;
CREATE TABLE point_objects (point INTEGER NOT NULL, object INTEGER NOT NULL, version INTEGER NOT NULL,
  time INTEGER NOT NULL, job TEXT NOT NULL, is_read INTEGER NOT NULL, status TEXT NOT NULL, reason TEXT,
  PRIMARY KEY (point, object)) WITHOUT ROWID;
CREATE INDEX point_objects_by_object ON point_objects (object, time DESC, job, is_read, version);
CREATE TABLE folders (object INTEGER NOT NULL, id TEXT NOT NULL, from_version INTEGER NOT NULL,
  to_version INTEGER NOT NULL, parent TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (object, id, from_version));
CREATE TABLE parents (no INTEGER PRIMARY KEY, object INTEGER NOT NULL, id TEXT NOT NULL, UNIQUE (object, id));
CREATE TABLE blocks (no INTEGER PRIMARY KEY, object INTEGER NOT NULL, bytes BLOB NOT NULL);
CREATE TABLE items (object INTEGER NOT NULL, h INTEGER NOT NULL, c INTEGER NOT NULL,
  from_version INTEGER NOT NULL, to_version INTEGER NOT NULL, parent INTEGER NOT NULL, is_folder INTEGER NOT NULL,
  place INTEGER NOT NULL, sort, at INTEGER NOT NULL);
CREATE TABLE totals (object INTEGER NOT NULL, version INTEGER NOT NULL, parent INTEGER NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (object, version, parent)) WITHOUT ROWID;
CREATE TABLE pending (object INTEGER NOT NULL, id TEXT NOT NULL, h INTEGER NOT NULL, c INTEGER NOT NULL,
  status INTEGER NOT NULL, leaving INTEGER NOT NULL, seen INTEGER NOT NULL, parent INTEGER, is_folder INTEGER,
  place INTEGER, sort, json TEXT);
CREATE UNIQUE INDEX pending_by_id ON pending (object, h, c);
CREATE INDEX pending_by_place ON pending (object, parent, place);
CREATE INDEX pending_leaving ON pending (object) WHERE leaving = 1;
`

/** Of `items`: dropped while many rows are written, as making them at once is far quicker. */
const INDEXES = {
  items_by_id: 'items (object, h, c, from_version, to_version, at)',
  // Lists need nothing but the index to pass over what stands before their page.
  items_by_parent: 'items (object, parent, is_folder, sort, at, from_version, to_version)',
  items_by_sort: 'items (object, is_folder, sort, at, from_version, to_version)',
}

export const createIndexes = (database: CacheDatabase): void => {
  for (const [name, columns] of Object.entries(INDEXES))
    database.exec(`CREATE INDEX IF NOT EXISTS ${name} ON ${columns}`)
}

/** What a backup asks for beside that. */
export const createPlaceIndex = (database: CacheDatabase): void => {
  database.exec('CREATE INDEX IF NOT EXISTS items_by_place ON items (object, parent, place)')
}

export const dropIndexes = (database: CacheDatabase): void => {
  for (const name of [...Object.keys(INDEXES), 'items_by_place'])
    database.exec(`DROP INDEX IF EXISTS ${name}`)
}

/**
 * The cache's database. A file of another format, or one that is broken, is thrown away: the repository has it all.
 * Writes are not synced to disk for the same reason.
 */
export const openCacheFile = (file: string): CacheDatabase => {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true })
  try {
    return prepared(file)
  } catch {
    for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true })
    return prepared(file)
  }
}

const prepared = (file: string): CacheDatabase => {
  const database = new Database(file)
  try {
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = OFF')
    // What is sorted for the indexes of a large mailbox would fill the memory.
    database.pragma('temp_store = FILE')
    database.pragma('cache_size = -16000')
    const format = database.pragma('user_version', { simple: true })
    if (format !== FORMAT && format !== 0) throw new Error('another format')
    if (format === 0) database.exec(SCHEMA)
    createIndexes(database)
    database.pragma(`user_version = ${FORMAT}`)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}
