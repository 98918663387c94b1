import type { Migration } from '../migrate.ts'
import { beginning } from './0001-beginning.ts'
import { proxyThrottling } from './0003-proxy-throttling.ts'
import { retention } from './0004-retention.ts'
import { objectStorage } from './0005-object-storage.ts'
import { copyJobsTable } from './0007-copy-jobs.ts'
import { trust } from './0008-trust.ts'
import { space } from './0009-space.ts'
import { accountConnection } from './0012-account-connection.ts'
import { keys } from './0013-keys.ts'
import { versionBackupMode } from './0002-version-backup-mode.ts'

/** In order, never changed once released; the position is the version. */
export const migrations: readonly Migration[] = [
  beginning,
  versionBackupMode,
  proxyThrottling,
  retention,
  objectStorage,
  trust,
  copyJobsTable,
  space,
  accountConnection,
  keys,
]
