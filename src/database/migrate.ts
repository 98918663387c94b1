import { sql, type Kysely } from 'kysely'
import { HoldfastError, type Clock } from '#base'
import { migrations } from './migrations/index.ts'
import type { Tables } from './tables.ts'

interface Version {
  version: number
  name: string
  appliedAt: string
}
type Versioned = Kysely<Tables & { schemaVersions: Version }>

/** Forward only. Each migration and its row are one transaction. */
export interface Migration {
  readonly name: string
  up(database: Kysely<Tables>): Promise<void>
}

const currentVersion = async (database: Versioned): Promise<number> => {
  const row = await database
    .selectFrom('schemaVersions')
    .select(({ fn }) => fn.max('version').as('version'))
    .executeTakeFirst()
  return Number(row?.version ?? 0)
}

/** Brings the tables up to `steps`. A database of a newer Holdfast is refused rather than guessed at. */
export const migrate = async (
  queries: Kysely<Tables>,
  clock: Clock,
  steps: readonly Migration[] = migrations,
): Promise<void> => {
  const database = queries as unknown as Versioned
  await sql`create table if not exists schema_versions (
    version integer primary key, name text not null, applied_at text not null)`.execute(database)
  const current = await currentVersion(database)
  if (current > steps.length)
    throw new HoldfastError(
      'conflict',
      `the database is of version ${current}, this Holdfast knows ${steps.length}: use the newer one`,
    )
  for (const [index, step] of [...steps.entries()].slice(current)) {
    await database.transaction().execute(async (transaction) => {
      await step.up(transaction as unknown as Kysely<Tables>)
      const row = { version: index + 1, name: step.name, appliedAt: clock.now().toISOString() }
      await transaction.insertInto('schemaVersions').values(row).execute()
    })
  }
}
