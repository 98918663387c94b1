import { sql } from 'kysely'
import type { Migration } from '../migrate.ts'

const STATEMENTS = [
  `CREATE TABLE copy_jobs (
    id text NOT NULL PRIMARY KEY, backup_job_id text NOT NULL UNIQUE, organization_id text NOT NULL,
    repository_id text NOT NULL, name text NOT NULL, is_enabled integer NOT NULL, schedule_policy text NOT NULL,
    next_run text, marks text NOT NULL, seen_session_id text, e_tag integer NOT NULL, created_at text NOT NULL)`,
  'CREATE INDEX copy_jobs_by_repository ON copy_jobs (repository_id)',
  'ALTER TABLE job_sessions ADD COLUMN job_type text',
]

/** Jobs that copy the restore points of backup jobs to another repository. */
export const copyJobsTable: Migration = {
  name: 'copy-jobs',
  up: async (database) => {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(database)
  },
}
