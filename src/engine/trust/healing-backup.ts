import { messageOf, type Clock, type Logger } from '#base'
import { objectToReadRows, type Database } from '#database'
import type { Catalogues } from '../catalogue/catalogues.ts'
import type { BackupRun, RunBackup } from '../jobs/backup-run.ts'
import { recheckDamaged } from './damaged-items.ts'

export interface HealingParts {
  readonly database: Database
  readonly catalogues: Catalogues
  readonly clock: Clock
  readonly log: Logger
}

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
  if (marked.size === 0) return
  const { repositoryId, organization } = run
  const organizationId = organization.id
  for (const { index, repository } of await run.shards.existing(run.signal)) {
    const catalogue = parts.catalogues.of({ repositoryId, organizationId, shard: index }, repository)
    const point = catalogue.points().find(({ sessionId }) => sessionId === run.sessionId)
    const read = (point?.run.objects ?? []).filter(
      ({ key, status }) => marked.has(key) && (status === 'success' || status === 'warning'),
    )
    const reread = new Set(read.map(({ key }) => key))
    await recheckDamaged(parts, { repositoryId, organizationId, index, repository }, { reread })
    for (const key of reread)
      await objectToReadRows.remove(parts.database.queries, repositoryId, organizationId, key)
  }
}
