import type { Migration } from '../migrate.ts'

/** How the service of an account is spoken to. Empty: as is usual. */
export const accountConnection: Migration = {
  name: 'account-connection',
  up: async (database) => {
    await database.schema.alterTable('accounts').addColumn('connection', 'text').execute()
  },
}
