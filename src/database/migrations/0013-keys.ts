import { sql } from 'kysely'
import type { Migration } from '../migrate.ts'

const STATEMENTS = [
  `CREATE TABLE reencryptions (
    id text NOT NULL PRIMARY KEY, repository_id text NOT NULL, initiated_by text NOT NULL, request text NOT NULL,
    status text NOT NULL, creation_time text NOT NULL, end_time text, details text, result text NOT NULL)`,
  'CREATE INDEX reencryptions_by_repository ON reencryptions (repository_id, creation_time)',
  `CREATE TABLE organization_folders (
    repository_id text NOT NULL, folder text NOT NULL, organization_id text NOT NULL, state text NOT NULL,
    since text NOT NULL, kept_until text, PRIMARY KEY (repository_id, folder))`,
  `CREATE TABLE recovery_kits (
    id text NOT NULL PRIMARY KEY, folder text, written_at text, contents text NOT NULL, failure text)`,
]

/** New master keys of repositories, and what the last recovery kit held. */
export const keys: Migration = {
  name: 'keys',
  up: async (database) => {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(database)
  },
}
