import { mkdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'

export type CacheDatabase = Database.Database

/** `to_version` of rows that still hold. */
export const OPEN = 9_000_000_000_000
const FORMAT = 1

const SCHEMA = `
CREATE TABLE points (snapshot TEXT PRIMARY KEY, time INTEGER NOT NULL, tree TEXT NOT NULL, run TEXT NOT NULL);
CREATE TABLE objects (no INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);
CREATE TABLE versions (object INTEGER NOT NULL, version INTEGER NOT NULL, segments TEXT NOT NULL,
  identity TEXT NOT NULL, PRIMARY KEY (object, version));
CREATE TABLE point_objects (snapshot TEXT NOT NULL, object INTEGER NOT NULL, version INTEGER NOT NULL,
  state_tree TEXT NOT NULL, PRIMARY KEY (snapshot, object));
CREATE INDEX point_objects_by_tree ON point_objects (object, state_tree);
CREATE TABLE folders (object INTEGER NOT NULL, id TEXT NOT NULL, from_version INTEGER NOT NULL,
  to_version INTEGER NOT NULL, parent TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (object, id, from_version));
CREATE TABLE items (object INTEGER NOT NULL, id TEXT NOT NULL, from_version INTEGER NOT NULL,
  to_version INTEGER NOT NULL, parent TEXT NOT NULL, is_folder INTEGER NOT NULL, place TEXT NOT NULL,
  sort TEXT NOT NULL, search TEXT NOT NULL, json TEXT NOT NULL);
CREATE UNIQUE INDEX items_by_id ON items (object, id, from_version);
CREATE INDEX items_by_parent ON items (object, parent, is_folder, sort, from_version, to_version);
CREATE INDEX items_by_place ON items (object, parent, place);
CREATE TABLE pending (object INTEGER NOT NULL, id TEXT NOT NULL, status INTEGER NOT NULL, leaving INTEGER NOT NULL,
  seen INTEGER NOT NULL, parent TEXT, is_folder INTEGER, place TEXT, json TEXT);
CREATE UNIQUE INDEX pending_by_id ON pending (object, id);
CREATE INDEX pending_by_place ON pending (object, parent, place);
CREATE INDEX pending_leaving ON pending (object) WHERE leaving = 1;
`

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
    database.pragma('temp_store = MEMORY')
    database.pragma('cache_size = -16000')
    const format = database.pragma('user_version', { simple: true })
    if (format === FORMAT) return database
    if (format !== 0) throw new Error('another format')
    database.exec(SCHEMA)
    database.pragma(`user_version = ${FORMAT}`)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}
