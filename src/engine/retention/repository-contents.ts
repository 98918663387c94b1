import {
  copyJobRows,
  jobRetentionRows,
  jobRows,
  repositoryRows,
  sessionRows,
  type Database,
  type Queries,
} from '#database'
import { notFound } from '#base'
import type { SnapshotId } from '#repository'
import type { ObjectAtPoint } from '../catalogue/catalogue.ts'
import type { Catalogues } from '../catalogue/catalogues.ts'
import type { Retention } from '../repositories/backup-repository.ts'
import type { BackupRepositories } from '../repositories/backup-repositories.ts'
import {
  organizationShards,
  type OrganizationShard,
  type OrganizationShardsParts,
  type ShardsWanted,
} from '../repositories/organization-shards.ts'
import { GOOD_STATUSES, type SessionStatus } from '../sessions/job-session.ts'
import { holdsInForce } from './legal-holds.ts'
import type { AppliedRule, RetainedPoint, RetentionFacts } from './plan-points.ts'
import { ruleOfSettings, type RetentionRule } from './retention-rule.ts'

export interface SnapshotOfPoint {
  readonly shard: OrganizationShard
  readonly snapshot: SnapshotId
  readonly objects: readonly ObjectAtPoint[]
  /** What was under legal hold is left of it. */
  readonly isReduced: boolean
}

/** A restore point with where its parts are. */
export interface StoredPoint extends RetainedPoint {
  readonly jobName: string
  readonly snapshots: readonly SnapshotOfPoint[]
}

export interface ContentsParts {
  readonly database: Database
  /** Without `storageFor` nothing is known of the storage's dates. */
  readonly repositories: Pick<BackupRepositories, 'shards'> & Partial<Pick<BackupRepositories, 'storageFor'>>
  readonly catalogues: Catalogues
  /** Of the server: where the days of a rule without a time zone begin. */
  readonly timeZone: string
}

/** The shards of a repository, all organizations or one, as they are on the storage now. */
export const openShards = async (
  parts: OrganizationShardsParts,
  wanted: ShardsWanted,
  signal?: AbortSignal,
): Promise<readonly OrganizationShard[]> => {
  const shards = await organizationShards(parts, wanted, signal)
  for (const shard of shards) await syncShard(shard, signal)
  return shards
}

export const syncShard = async (
  { repository, catalogue }: OrganizationShard,
  signal?: AbortSignal,
): Promise<void> => {
  await repository.refresh()
  await catalogue.sync(signal)
}

/** What the job runs left, put together over the shards. */
export const storedPoints = async (
  shards: readonly OrganizationShard[],
  queries: Queries,
): Promise<readonly StoredPoint[]> => {
  const points = new Map<string, Omit<StoredPoint, 'isComplete' | 'isReduced'>>()
  for (const shard of shards)
    for (const { snapshot, time, run } of shard.catalogue.points()) {
      const objects = shard.catalogue.objectsAt(snapshot)
      const isReduced = run.isReduced === true
      const known = points.get(run.sessionId)
      points.set(run.sessionId, {
        id: run.sessionId,
        organizationId: shard.organizationId,
        jobId: run.jobId,
        jobName: run.jobName,
        time: known !== undefined && known.time > time ? known.time : time,
        shards: [...(known?.shards ?? []), shard.index],
        objectKeys: [...(known?.objectKeys ?? []), ...objects.map(({ key }) => key)],
        snapshots: [...(known?.snapshots ?? []), { shard, snapshot, objects, isReduced }],
      })
    }
  return Promise.all(
    [...points.values()].map(async (point) => {
      const session = await sessionRows.find(queries, point.id)
      return {
        ...point,
        isComplete: GOOD_STATUSES.includes(session?.status as SessionStatus),
        isReduced: isReduced(point),
      }
    }),
  )
}

/** In any of its shards all that is there: beside a reduced part the whole one may still be, where the storage keeps it. */
const isReduced = ({ snapshots }: Pick<StoredPoint, 'snapshots'>): boolean =>
  [...Map.groupBy(snapshots, ({ shard }) => shard).values()].some((parts) =>
    parts.every((part) => part.isReduced),
  )

/** Everything that decides what goes, but the points and the moment. */
export const retentionFacts = async (
  { database: { queries }, timeZone }: Pick<ContentsParts, 'database' | 'timeZone'>,
  repositoryId: string,
): Promise<Omit<RetentionFacts, 'points' | 'now'>> => {
  const repository = await repositoryRows.find(queries, repositoryId)
  if (repository === undefined) throw notFound('the backup repository is not known')
  const ofRepository: AppliedRule = {
    rule: ruleOfSettings(repository.retention as Retention),
    from: 'repository',
  }
  const ofJobs = new Map(
    (await jobRetentionRows.list(queries)).map(({ jobId, rule }): [string, AppliedRule] => [
      jobId,
      { rule: rule as RetentionRule, from: 'job' },
    ]),
  )
  const jobs = await jobRows.list(queries, { repositoryId })
  const copies = await copyJobRows.list(queries, { repositoryId })
  // A copy is kept by the rule of where it is.
  for (const { backupJobId } of copies.items) ofJobs.delete(backupJobId)
  return {
    ruleOf: (jobId) => ofJobs.get(jobId) ?? ofRepository,
    jobs: new Set([...jobs.items.map(({ id }) => id), ...copies.items.map(({ backupJobId }) => backupJobId)]),
    holds: await holdsInForce(queries),
    timeZone,
  }
}
