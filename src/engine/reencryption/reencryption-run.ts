import type { Clock, Random } from '#base'
import { organizationFolderRows, reencryptionRows, type Queries, type ReencryptionRow } from '#database'
import type { SessionStatus } from '../sessions/job-session.ts'
import type { TaskQueue } from '../tasks/task-queue.ts'

export const REENCRYPTION = 'reencryption'
export const FORMER_FOLDERS = 'former-folders'

export interface ReencryptionRequest {
  /** Gives up what an earlier run has left half-done, which may be known to whoever the key is changed for. */
  readonly fresh?: boolean
}

/**
 * What is being done for an organization. `Copying` goes on beside backups, `Waiting` too; while it is `Turning` they wait.
 * From `Removing` on the new key is in force.
 */
export type ReencryptionStep =
  'Queued' | 'Copying' | 'Verifying' | 'Waiting' | 'Turning' | 'Removing' | 'Done'

export interface ReencryptedOrganization {
  readonly organizationId: string
  readonly name: string
  readonly step: ReencryptionStep
  /** Restore points per shard that stand under the new key, summed up. */
  readonly snapshots: number
  readonly copiedBlobs: number
  readonly writtenBytes: number
  /** Packs that were written, read back and compared with their hashes. */
  readonly verifiedPacks: number
  /** The folder under the earlier key, while it is there. */
  readonly formerFolder?: string
  /** Until when the storage lets nobody remove that. */
  readonly formerKeptUntil?: string
}

export interface ReencryptionResult {
  readonly organizations: readonly ReencryptedOrganization[]
}

export const NO_REENCRYPTION: ReencryptionResult = { organizations: [] }

export interface Reencryption {
  readonly id: string
  readonly repositoryId: string
  readonly initiatedBy: string
  readonly status: SessionStatus
  readonly creationTime: Date
  readonly endTime?: Date
  readonly details?: string
  readonly organizations: readonly ReencryptedOrganization[]
}

/** How a run ended. */
export interface ReencryptionEnding {
  readonly status: 'Success' | 'Warning' | 'Failed' | 'Stopped'
  readonly details?: string
}

export const presentReencryption = (row: ReencryptionRow): Reencryption => {
  const { request: _, result, status, ...rest } = row
  const { organizations } = { ...NO_REENCRYPTION, ...result }
  return { ...rest, status: status as SessionStatus, organizations }
}

/** Makes the task and the run. `conflict` while one runs or waits for this repository. */
export const requestReencryption = async (
  { tasks, clock, random }: { readonly tasks: TaskQueue; readonly clock: Clock; readonly random: Random },
  queries: Queries,
  wanted: {
    readonly repositoryId: string
    readonly initiatedBy: string
    readonly request: ReencryptionRequest
  },
): Promise<ReencryptionRow> => {
  const row: ReencryptionRow = {
    ...wanted,
    id: random.uuid(),
    status: 'Queued',
    creationTime: clock.now(),
    result: NO_REENCRYPTION,
  }
  const { repositoryId } = wanted
  if (wanted.request.fresh === true)
    for (const growing of await organizationFolderRows.list(queries, { repositoryId, state: 'Growing' }))
      await organizationFolderRows.update(queries, growing, { state: 'Former' })
  const payload = { runId: row.id }
  await tasks.add(queries, { kind: REENCRYPTION, key: repositoryId, payload, runAt: new Date(0) })
  await reencryptionRows.insert(queries, row)
  return row
}
