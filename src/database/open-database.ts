import Sqlite from 'better-sqlite3'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { CamelCasePlugin, Kysely, SqliteDialect, type SqliteDatabase } from 'kysely'
import { conflict, isHoldfastError, type Clock } from '#base'
import { databaseError } from './errors.ts'
import { migrate } from './migrate.ts'
import type { Tables } from './tables.ts'

/** What row functions ask: the database, or a transaction of it. */
export type Queries = Kysely<Tables>

/**
 * The configuration database. Inside `transaction` use the queries that are handed in: there is one connection, and
 * waiting for another one inside would wait for ever.
 */
export interface Database extends AsyncDisposable {
  readonly queries: Queries
  /** All or nothing. */
  transaction<Result>(work: (queries: Queries) => Promise<Result>): Promise<Result>
}

export interface DatabaseOptions {
  /** How long to wait for another process's lock. */
  readonly lockWaitMs?: number
  /** Where the database may not grow further: pages of 4 KiB. */
  readonly maxPages?: number
}

const readable = <Result>(work: () => Result): Result => {
  try {
    return work()
  } catch (error) {
    throw databaseError(error)
  }
}

const openFile = (file: string, options: DatabaseOptions): Sqlite.Database => {
  if (file !== ':memory:') {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    // Made before SQLite does it, so that nobody else can ever read it; its -wal and -shm take the same mode.
    closeSync(openSync(file, 'a', 0o600))
  }
  const sqlite = new Sqlite(file, { timeout: options.lockWaitMs ?? 5_000 })
  sqlite.pragma('journal_mode = WAL')
  // An answer that was given must survive a power cut.
  sqlite.pragma('synchronous = FULL')
  sqlite.pragma('foreign_keys = ON')
  // Overwritten secrets do not linger in free pages.
  sqlite.pragma('secure_delete = ON')
  if (options.maxPages !== undefined) sqlite.pragma(`max_page_count = ${options.maxPages}`)
  return sqlite
}

/** SQLite as Kysely wants it, with errors in our terms. */
const withReadableErrors = (sqlite: Sqlite.Database): SqliteDatabase => ({
  close: () => {
    sqlite.close()
  },
  prepare: (sql) => {
    const statement = readable(() => sqlite.prepare(sql))
    return {
      reader: statement.reader,
      all: (parameters) => readable(() => statement.all(...parameters)),
      run: (parameters) => readable(() => statement.run(...parameters)),
      iterate: (parameters) => readable(() => statement.iterate(...parameters)),
    }
  },
})

/** Opens (or makes) the database file and brings its tables up to date. `:memory:` for one that vanishes. */
export const openDatabase = async (
  file: string,
  clock: Clock,
  options: DatabaseOptions = {},
): Promise<Database> => {
  const sqlite = readable(() => openFile(file, options))
  const queries = new Kysely<Tables>({
    dialect: new SqliteDialect({ database: withReadableErrors(sqlite) }),
    plugins: [new CamelCasePlugin()],
  })
  try {
    await migrate(queries, clock)
  } catch (error) {
    await queries.destroy()
    throw error
  }
  return {
    queries,
    transaction: (work) => queries.transaction().execute(work),
    [Symbol.asyncDispose]: () => queries.destroy(),
  }
}

/**
 * Makes sure that one server alone works on a data folder: `conflict` when another does. The operating system lets go
 * of it when the process ends, however it ends.
 */
export const holdAlone = (lockFile: string): Disposable => {
  mkdirSync(dirname(lockFile), { recursive: true, mode: 0o700 })
  const sqlite = new Sqlite(lockFile, { timeout: 0 })
  try {
    readable(() => sqlite.exec('BEGIN EXCLUSIVE'))
  } catch (error) {
    sqlite.close()
    if (isHoldfastError(error, 'unavailable'))
      throw conflict('another Holdfast server is running on this data folder')
    throw error
  }
  return {
    [Symbol.dispose]: () => {
      sqlite.close()
    },
  }
}
