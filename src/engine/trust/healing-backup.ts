import { messageOf, type Clock, type Logger } from '#base'
import { damagedItemRows, objectToReadRows, type Database } from '#database'
import type { Catalogues } from '../catalogue/catalogues.ts'
import type { BackupRun, RunBackup } from '../jobs/backup-run.ts'
import type { OrganizationShard } from '../repositories/organization-shards.ts'
import { recheckDamaged } from './damaged-items.ts'

export interface HealingParts {
  readonly database: Database
  readonly catalogues: Catalogues
  readonly clock: Clock
  readonly log: Logger
}

type TrustedPlace = Pick<OrganizationShard, 'repositoryId' | 'organizationId' | 'index' | 'repository'>

/** A backup that reads objects in full where something of theirs is damaged, and looks afterwards what that healed. */
export const healing =
  (runBackup: RunBackup, parts: HealingParts): RunBackup =>
  async (run) => {
    const { queries } = parts.database
    const marked = new Set(await objectToReadRows.list(queries, run.repositoryId, run.organization.id))
    const outcome = await runBackup(marked.size === 0 ? run : { ...run, readInFull: marked })
    await settle(parts, run, marked).catch((error: unknown) =>
      parts.log.warn(
        { sessionId: run.sessionId, message: messageOf(error) },
        'what a run healed is not known yet',
      ),
    )
    return outcome
  }

const settle = async (parts: HealingParts, run: BackupRun, marked: ReadonlySet<string>): Promise<void> => {
  const { queries } = parts.database
  const { repositoryId, organization } = run
  const organizationId = organization.id
  const place = { repositoryId, organizationId, status: ['Waiting'] as const, limit: 1 }
  if (marked.size === 0 && (await damagedItemRows.list(queries, place)).totalCount === 0) return
  const readIn = new Map<TrustedPlace, ReadonlySet<string>>()
  for (const { index, repository } of await run.shards.existing(run.signal)) {
    const catalogue = parts.catalogues.of({ repositoryId, organizationId, shard: index }, repository)
    const point = catalogue.points().find(({ sessionId }) => sessionId === run.sessionId)
    const read = (point?.run.objects ?? []).filter(
      ({ key, status }) => marked.has(key) && (status === 'success' || status === 'warning'),
    )
    const shard = { repositoryId, organizationId, index, repository }
    readIn.set(shard, new Set(read.map(({ key }) => key)))
  }
  const read = new Set([...readIn.values()].flatMap((keys) => [...keys]))
  const isAll = [...marked].every((key) => read.has(key))
  for (const [shard, keys] of readIn) await recheckDamaged(parts, shard, { keys, isAll })
  for (const key of read) await objectToReadRows.remove(queries, repositoryId, organizationId, key)
}
