import type { CreateTableBuilder, Kysely } from 'kysely'
import type { Migration } from '../migrate.ts'
import type { Tables } from '../tables.ts'

type Builder = CreateTableBuilder<string, string>
type Kind = 'text' | 'integer'

/** Columns in a line: `name text, description text?`. */
const withColumns = (builder: Builder, columns: string): Builder =>
  columns.split(',').reduce((table, column) => {
    const [name, kind] = column.trim().split(' ') as [string, string]
    const type = kind.replace('?', '') as Kind
    return table.addColumn(name, type === 'integer' ? 'bigint' : 'text', (definition) =>
      kind.endsWith('?') ? definition : definition.notNull(),
    )
  }, builder)

interface Shape {
  readonly columns: string
  readonly key: readonly string[]
  readonly unique?: readonly (readonly string[])[]
  readonly indexes?: readonly (readonly string[])[]
}

const createTable = async (database: Kysely<Tables>, name: string, shape: Shape): Promise<void> => {
  let builder = withColumns(database.schema.createTable(name) as Builder, shape.columns)
  builder = builder.addPrimaryKeyConstraint(`${name}_pk`, shape.key as never)
  for (const [at, columns] of (shape.unique ?? []).entries())
    builder = builder.addUniqueConstraint(`${name}_unique_${at + 1}`, columns as never)
  await builder.execute()
  for (const [at, columns] of (shape.indexes ?? []).entries())
    await database.schema
      .createIndex(`${name}_index_${at + 1}`)
      .on(name)
      .columns([...columns])
      .execute()
}

const shapes: Readonly<Record<string, Shape>> = {
  organizations: {
    columns:
      'id text, type text, region text, name text, office_name text, description text?, tenant_id text, ' +
      'is_exchange_online integer, is_share_point_online integer, exchange_online_settings text?, ' +
      'share_point_online_settings text?, verification text, created_at text, updated_at text',
    key: ['id'],
    unique: [['tenant_id']],
  },
  organization_accounts: {
    columns: 'organization_id text, part text, account_key text',
    key: ['organization_id', 'part'],
    indexes: [['account_key']],
  },
  secrets: {
    columns: 'table_name text, row_id text, field text, envelope text, updated_at text',
    key: ['table_name', 'row_id', 'field'],
  },
  users: {
    columns:
      'id text, name text, name_key text, password_hash text, role text, is_enabled integer, created_at text, ' +
      'password_changed_at text',
    key: ['id'],
    unique: [['name_key']],
  },
  login_failures: {
    columns: 'account_key text, failures integer, last_failed_at text, locked_until text?',
    key: ['account_key'],
    indexes: [['last_failed_at']],
  },
  tokens: {
    columns:
      'id text, family_id text, kind text, token_hash text, principal_kind text, principal_id text, name text, ' +
      'issued_at text, expires_at text, used_at text?',
    key: ['id'],
    unique: [['token_hash']],
    indexes: [['family_id'], ['principal_kind', 'principal_id'], ['expires_at']],
  },
  audit: {
    columns:
      'sequence integer, time text, actor_kind text, actor text, action text, object text, result text, ' +
      'address text?, details text?, hash text',
    key: ['sequence'],
  },
  proxies: {
    columns: 'id text, host_name text, description text, port integer, created_at text',
    key: ['id'],
  },
  repositories: {
    columns:
      'id text, name text, name_key text, description text, path text, proxy_id text, retention text, created_at text',
    key: ['id'],
    unique: [['name_key'], ['path']],
  },
  repository_organizations: {
    columns:
      'repository_id text, organization_id text, organization_name text, folder text, shard_count integer, ' +
      'created_at text',
    key: ['repository_id', 'organization_id'],
    indexes: [['organization_id']],
  },
  jobs: {
    columns:
      'id text, organization_id text, repository_id text, name text, name_key text, description text, ' +
      'backup_type text, is_enabled integer, schedule_policy text, next_run text?, e_tag integer, created_at text',
    key: ['id'],
    unique: [['organization_id', 'name_key']],
    indexes: [['repository_id'], ['next_run']],
  },
  job_items: {
    columns: 'id text, job_id text, list text, object_key text, position integer, item text',
    key: ['id'],
    unique: [['job_id', 'list', 'object_key']],
  },
  job_sessions: {
    columns:
      'id text, job_id text, organization_id text, repository_id text, details text?, creation_time text, ' +
      'end_time text?, retry_count integer, job_will_be_retried integer, progress integer, config_type text, ' +
      'status text, statistics text, e_tag integer',
    key: ['id'],
    indexes: [
      ['job_id', 'creation_time'],
      ['organization_id', 'creation_time'],
      ['creation_time'],
      ['status'],
    ],
  },
  log_items: {
    columns:
      'usn integer, id text, session_id text, item_key text?, type text, message text, creation_time text, end_time text?',
    key: ['usn'],
    unique: [['id'], ['session_id', 'item_key']],
    indexes: [['session_id', 'usn']],
  },
  checkpoints: {
    columns: 'session_id text, key text, value text',
    key: ['session_id', 'key'],
  },
  tasks: {
    columns:
      'id text, kind text, key text, payload text, run_at text, attempts integer, lease_owner text?, ' +
      'lease_until text?, stop_requested integer, created_at text',
    key: ['id'],
    unique: [['kind', 'key']],
    indexes: [['run_at']],
  },
  restore_sessions: {
    columns:
      'id text, organization_id text, repository_id text, type text, name text, state text, result text?, ' +
      'initiated_by text, details text?, creation_time text, end_time text?, properties text',
    key: ['id'],
    indexes: [['organization_id', 'creation_time'], ['creation_time']],
  },
  restore_events: {
    columns:
      'sequence integer, id text, session_id text, type text, status text, title text, message text?, ' +
      'start_time text, end_time text?, properties text',
    key: ['sequence'],
    unique: [['id']],
    indexes: [['session_id', 'sequence']],
  },
}

export const beginning: Migration = {
  name: 'beginning',
  up: async (database) => {
    for (const [name, shape] of Object.entries(shapes)) await createTable(database, name, shape)
  },
}
