import { corrupt, HoldfastError, unavailable } from '#base'

interface SqliteError extends Error {
  readonly code: string
}

const isSqliteError = (error: unknown): error is SqliteError =>
  error instanceof Error &&
  'code' in error &&
  typeof error.code === 'string' &&
  error.code.startsWith('SQLITE_')

const named = (code: string, ...names: readonly string[]): boolean =>
  names.some((name) => code === name || code.startsWith(`${name}_`))

/** What the database said, in our terms. A broken constraint keeps its code in `reason`. */
export const databaseError = (error: unknown): unknown => {
  if (!isSqliteError(error)) return error
  const { code } = error
  if (named(code, 'SQLITE_FULL'))
    return new HoldfastError('full', 'no space is left for the configuration database', { cause: error })
  if (named(code, 'SQLITE_BUSY', 'SQLITE_LOCKED'))
    return unavailable('the configuration database is locked by another process', error)
  if (named(code, 'SQLITE_CORRUPT', 'SQLITE_NOTADB'))
    return corrupt('the configuration database is damaged', error)
  if (named(code, 'SQLITE_READONLY', 'SQLITE_CANTOPEN', 'SQLITE_PERM', 'SQLITE_IOERR'))
    return unavailable('the configuration database cannot be read or written', error)
  if (named(code, 'SQLITE_CONSTRAINT'))
    return new HoldfastError('conflict', 'a row with this key is there already', {
      cause: error,
      reason: code,
    })
  return error
}

/** True for an insert or change that met a row with the same key. */
export const isDuplicate = (error: unknown): boolean =>
  error instanceof HoldfastError &&
  (error.reason === 'SQLITE_CONSTRAINT_UNIQUE' || error.reason === 'SQLITE_CONSTRAINT_PRIMARYKEY')
