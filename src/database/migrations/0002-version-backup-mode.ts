import type { Migration } from '../migrate.ts'

/** Which versions of files an organization's backups keep. Empty: the latest alone. */
export const versionBackupMode: Migration = {
  name: 'version-backup-mode',
  up: async (database) => {
    await database.schema.alterTable('organizations').addColumn('version_backup_mode', 'text').execute()
  },
}
