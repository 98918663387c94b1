import { sql } from 'kysely'
import type { Migration } from '../migrate.ts'

const STATEMENTS = [
  `CREATE TABLE space_surveys (
    repository_id text NOT NULL, organization_id text NOT NULL, tried_at text NOT NULL, cost_ms integer NOT NULL,
    details text, surveyed_at text, result text, PRIMARY KEY (repository_id, organization_id))`,
  `CREATE TABLE space_objects (
    repository_id text NOT NULL, organization_id text NOT NULL, object_key text NOT NULL, identity text NOT NULL,
    file_bytes integer NOT NULL, data_bytes integer NOT NULL, plain_bytes integer NOT NULL, stored_bytes integer NOT NULL,
    exclusive_bytes integer NOT NULL, PRIMARY KEY (repository_id, organization_id, object_key))`,
  `CREATE TABLE space_points (
    repository_id text NOT NULL, organization_id text NOT NULL, session_id text NOT NULL, job_id text NOT NULL,
    job_name text NOT NULL, time text NOT NULL, grown_bytes integer NOT NULL, exclusive_bytes integer NOT NULL,
    PRIMARY KEY (repository_id, organization_id, session_id))`,
  `CREATE TABLE space_history (
    repository_id text NOT NULL, organization_id text NOT NULL, day text NOT NULL, at text NOT NULL,
    used_bytes integer NOT NULL, needed_bytes integer, free_bytes integer,
    PRIMARY KEY (repository_id, organization_id, day))`,
  'CREATE TABLE prune_graces (repository_id text NOT NULL PRIMARY KEY, grace_ms integer NOT NULL)',
]

/** What organizations, objects and points take up, day by day, and how long packs wait before they are removed. */
export const space: Migration = {
  name: 'space',
  up: async (database) => {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(database)
  },
}
