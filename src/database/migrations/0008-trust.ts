import { sql } from 'kysely'
import type { Migration } from '../migrate.ts'

const STATEMENTS = [
  `CREATE TABLE trust_runs (
    id text NOT NULL PRIMARY KEY, kind text NOT NULL, repository_id text NOT NULL, initiated_by text NOT NULL,
    request text NOT NULL, status text NOT NULL, creation_time text NOT NULL, end_time text, details text,
    result text NOT NULL)`,
  'CREATE INDEX trust_runs_by_repository ON trust_runs (repository_id, kind, creation_time)',
  'CREATE INDEX trust_runs_by_time ON trust_runs (kind, creation_time)',
  `CREATE TABLE trust_lines (
    run_id text NOT NULL, position integer NOT NULL, line text NOT NULL, PRIMARY KEY (run_id, position))`,
  `CREATE TABLE trust_schedules (
    repository_id text NOT NULL PRIMARY KEY, settings text NOT NULL, next_share integer NOT NULL,
    last_verified_at text, next_verification text, next_restore_test text)`,
  `CREATE TABLE damaged_items (
    id text NOT NULL PRIMARY KEY, repository_id text NOT NULL, organization_id text NOT NULL, shard integer NOT NULL,
    object_key text, path text NOT NULL, name text NOT NULL, kind text NOT NULL, problem text NOT NULL,
    blobs text NOT NULL, points integer NOT NULL, found_at text NOT NULL, status text NOT NULL, ended_at text)`,
  'CREATE INDEX damaged_items_by_repository ON damaged_items (repository_id, status)',
  `CREATE TABLE objects_to_read (
    repository_id text NOT NULL, organization_id text NOT NULL, object_key text NOT NULL, since text NOT NULL,
    PRIMARY KEY (repository_id, organization_id, object_key))`,
]

/** What looks after what is stored: verifications and their findings, repairs, restore tests, recoveries. */
export const trust: Migration = {
  name: 'trust',
  up: async (database) => {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(database)
  },
}
