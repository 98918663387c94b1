import type Database from 'better-sqlite3'

const known = new WeakMap<Database.Database, Map<string, Database.Statement>>()
const MOST = 200

/** The statement of the SQL, compiled once for each database. For the calls that pages are made of. */
export const prepared = <Values extends unknown[], Row>(
  db: Database.Database,
  sql: string,
): Database.Statement<Values, Row> => {
  const statements = known.get(db) ?? new Map<string, Database.Statement>()
  known.set(db, statements)
  const found = statements.get(sql)
  if (found !== undefined) return found as Database.Statement<Values, Row>
  if (statements.size >= MOST) statements.clear()
  const made = db.prepare<Values, Row>(sql)
  statements.set(sql, made as Database.Statement)
  return made
}
