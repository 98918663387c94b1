import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'

/** Opens the tenant's database: a file in the folder, or one in memory that ends with the process. */
export const openDatabase = (folder: string | undefined): Database.Database => {
  if (folder !== undefined) mkdirSync(folder, { recursive: true })
  const db = new Database(folder === undefined ? ':memory:' : join(folder, 'tenant.db'))
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = OFF')
  db.exec('CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT')
  return db
}

/** A value that is made once in the life of a tenant and then stays. */
export const lasting = (db: Database.Database, name: string, make: () => string): string => {
  const row = db.prepare<[string], { value: string }>('SELECT value FROM meta WHERE name = ?').get(name)
  if (row !== undefined) return row.value
  const value = make()
  db.prepare('INSERT INTO meta (name, value) VALUES (?, ?)').run(name, value)
  return value
}
