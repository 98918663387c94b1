import type { Clock, Random } from '#base'
import { proxyRows, repositoryRows, type Database } from '#database'
import type { BackupRepositories } from './backup-repositories.ts'

/**
 * Makes the built-in proxy and the default repository when the server starts for the first time. The proxy's row comes
 * last: it says that this has been done, so that a default repository that was removed stays removed.
 */
export const prepareFirstStart = async (parts: {
  readonly database: Database
  readonly repositories: BackupRepositories
  /** Where the default repository goes. */
  readonly defaultPath: string
  readonly hostName: string
  readonly clock: Clock
  readonly random: Random
}): Promise<void> => {
  const { queries } = parts.database
  if ((await proxyRows.list(queries)).length > 0) return
  const unfinished = await repositoryRows.list(queries, { limit: 1 })
  const id = unfinished.items[0]?.proxyId ?? parts.random.uuid()
  await parts.repositories.addDefault(parts.defaultPath, id)
  await proxyRows.insert(queries, {
    id,
    hostName: parts.hostName,
    description: 'The proxy that is built into the server',
    port: 9193,
    createdAt: parts.clock.now(),
  })
}
