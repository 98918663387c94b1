import { sql } from 'kysely'
import type { Migration } from '../migrate.ts'

const STATEMENTS = [
  'CREATE TABLE job_retentions (job_id text NOT NULL PRIMARY KEY, rule text NOT NULL, updated_at text NOT NULL)',
  `CREATE TABLE retention_schedules (
    repository_id text NOT NULL PRIMARY KEY, settings text NOT NULL, next_run text)`,
  `CREATE TABLE retention_runs (
    id text NOT NULL PRIMARY KEY, kind text NOT NULL, repository_id text, organization_id text,
    initiated_by text NOT NULL, request text NOT NULL, status text NOT NULL, creation_time text NOT NULL,
    end_time text, details text, result text NOT NULL)`,
  'CREATE INDEX retention_runs_by_repository ON retention_runs (repository_id, creation_time)',
  'CREATE INDEX retention_runs_by_organization ON retention_runs (organization_id, creation_time)',
  'CREATE INDEX retention_runs_by_time ON retention_runs (kind, creation_time)',
  `CREATE TABLE legal_holds (
    id text NOT NULL PRIMARY KEY, organization_id text NOT NULL, user_id text NOT NULL, object_type text NOT NULL,
    name text NOT NULL, reason text NOT NULL, set_by text NOT NULL, set_at text NOT NULL, released_by text,
    released_at text, release_reason text)`,
  'CREATE INDEX legal_holds_by_organization ON legal_holds (organization_id, user_id)',
  'CREATE TABLE clock_marks (id text NOT NULL PRIMARY KEY, seen_at text NOT NULL, trusted_at text)',
]

/** How long points are kept, what was removed, who may not be touched, and what the clock showed. */
export const retention: Migration = {
  name: 'retention',
  up: async (database) => {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(database)
  },
}
