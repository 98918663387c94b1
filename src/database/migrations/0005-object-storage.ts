import { sql } from 'kysely'
import type { Migration } from '../migrate.ts'

const TABLES = [
  `CREATE TABLE accounts (
    id text NOT NULL PRIMARY KEY, type text NOT NULL, user_name text NOT NULL, description text NOT NULL,
    organization_id text, created_at text NOT NULL)`,
  `CREATE TABLE encryption_keys (
    id text NOT NULL PRIMARY KEY, description text NOT NULL, organization_id text, created_at text NOT NULL)`,
  `CREATE TABLE object_storages (
    id text NOT NULL PRIMARY KEY, name text NOT NULL, description text NOT NULL, account_id text NOT NULL,
    place text NOT NULL, place_key text NOT NULL, settings text NOT NULL, is_part_of_repository integer NOT NULL,
    created_at text NOT NULL)`,
  'CREATE UNIQUE INDEX object_storages_place_key ON object_storages (place_key)',
  'CREATE INDEX object_storages_account_id ON object_storages (account_id)',
]

const REPOSITORY_COLUMNS = ['object_storage_id', 'encryption_key_id', 'organization_id', 'cache_path']

/** Accounts, encryption keys and object storage; what a repository has to do with them; what an organization takes up. */
export const objectStorage: Migration = {
  name: 'object-storage',
  up: async (database) => {
    for (const table of TABLES) await sql.raw(table).execute(database)
    for (const column of REPOSITORY_COLUMNS)
      await database.schema.alterTable('repositories').addColumn(column, 'text').execute()
    await database.schema
      .createIndex('repositories_object_storage_id')
      .unique()
      .on('repositories')
      .column('object_storage_id')
      .execute()
    await database.schema.alterTable('repository_organizations').addColumn('used_bytes', 'bigint').execute()
    await database.schema.alterTable('repository_organizations').addColumn('measured_at', 'text').execute()
    await database.schema.alterTable('repository_organizations').addColumn('key_files', 'text').execute()
  },
}
