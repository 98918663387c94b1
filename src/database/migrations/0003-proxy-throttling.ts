import type { Migration } from '../migrate.ts'

/** The bandwidth that a proxy may use. Empty: all that there is. */
export const proxyThrottling: Migration = {
  name: 'proxy-throttling',
  up: async (database) => {
    await database.schema.alterTable('proxies').addColumn('throttling', 'text').execute()
  },
}
