import type { HealthEntry } from '#api'
import { messageOf, type Clock } from '#base'
import { userRows, type Database } from '#database'
import { systemPrincipal, type BackupRepositories, type BackupRepository, type Scheduler } from '#engine'
import { dataFolderHealth, type DataFolder } from './data-folder.ts'

export interface HealthParts {
  readonly folder: DataFolder
  readonly database: Database
  readonly repositories: Pick<BackupRepositories, 'list'>
  readonly scheduler: Pick<Scheduler, 'lastTick'>
  readonly clock: Clock
}

const LEAST_FREE_SHARE = 0.01
const LEAST_FREE_BYTES = 256 * 1024 * 1024
const GIB = 1024 ** 3
/** Schedules are looked at every second; a machine that sleeps or is very busy is late. */
const LATEST_TICK_MS = 60_000

/** Looks at everything that a backup needs. Never throws: what cannot be looked at is not healthy. */
export const serverHealth = async (parts: HealthParts): Promise<Readonly<Record<string, HealthEntry>>> => ({
  dataFolder: await told(() => dataFolderHealth(parts.folder)),
  database: await told(() => databaseHealth(parts.database)),
  scheduler: schedulerHealth(parts),
  ...(await repositoriesHealth(parts)),
})

const told = async (look: () => Promise<HealthEntry>): Promise<HealthEntry> => {
  try {
    return await look()
  } catch (error) {
    return { isHealthy: false, description: messageOf(error) }
  }
}

const databaseHealth = async ({ queries }: Database): Promise<HealthEntry> => {
  await userRows.any(queries)
  return { isHealthy: true, description: 'answers' }
}

const schedulerHealth = ({ scheduler, clock }: HealthParts): HealthEntry => {
  const { lastTick } = scheduler
  if (lastTick === undefined) return { isHealthy: false, description: 'has not looked at the schedules yet' }
  const ageMs = clock.nowMs() - lastTick.getTime()
  return {
    isHealthy: ageMs <= LATEST_TICK_MS,
    description: `looked at the schedules ${Math.round(ageMs / 1000)} s ago`,
  }
}

const repositoriesHealth = async ({ repositories }: HealthParts): Promise<Record<string, HealthEntry>> => {
  try {
    const { items } = await repositories.list(systemPrincipal)
    return Object.fromEntries(items.map((each) => [`repository ${each.name}`, repositoryHealth(each)]))
  } catch (error) {
    return { repositories: { isHealthy: false, description: messageOf(error) } }
  }
}

const repositoryHealth = ({
  isOutOfOrder,
  outOfOrderReason,
  freeSpaceBytes,
  capacityBytes,
}: BackupRepository): HealthEntry => {
  if (isOutOfOrder) return { isHealthy: false, description: outOfOrderReason ?? 'cannot be used' }
  if (freeSpaceBytes === undefined) return { isHealthy: true, description: 'can be reached' }
  const needed = Math.max(LEAST_FREE_BYTES, (capacityBytes ?? 0) * LEAST_FREE_SHARE)
  return {
    isHealthy: freeSpaceBytes > needed,
    description: `can be reached, ${(freeSpaceBytes / GIB).toFixed(1)} GiB free`,
  }
}
