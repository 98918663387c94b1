import { invalid, notFound, type Clock, type Random } from '#base'
import {
  jobRetentionRows,
  jobRows,
  logRows,
  repositoryRows,
  retentionRunRows,
  retentionScheduleRows,
  type Page,
  type PageRequest,
  type Queries,
  type RetentionRunRow,
} from '#database'
import type { Audit } from '../access/audit.ts'
import { requireAdministrator, type Principal } from '../access/principal.ts'
import type { ObjectKind } from '../catalogue/object-state.ts'
import type { LogItem, LogItemType } from '../sessions/job-session.ts'
import type { TaskQueue } from '../tasks/task-queue.ts'
import { isDriveRow } from '../catalogue/rows.ts'
import { doubtByPoints, type ClockGuard } from './clock-guard.ts'
import type { AppliedRule, PointVerdict } from './plan-points.ts'
import { pruneGraceOf, setPruneGrace, type PruneGrace } from './prune-grace.ts'
import { judgeRepository } from './remove-expired.ts'
import { timeOf } from './item-age.ts'
import { holdsInForce } from './legal-holds.ts'
import { agedPoints, editOf, type AgedObject } from './remove-items.ts'
import { retentionFacts, type ContentsParts, type StoredPoint } from './repository-contents.ts'
import { checkRule, ruleText, type RetentionRule } from './retention-rule.ts'
import { NO_RESULT, presentRun, type RetentionRequest, type RetentionRun } from './retention-run.ts'

export const RETENTION = 'retention'

export interface RetentionParts extends ContentsParts {
  readonly tasks: TaskQueue
  readonly audit: Audit
  readonly guard: ClockGuard
  readonly clock: Clock
  readonly random: Random
  /** How long packs that nothing needs stay, where a repository does not say; 0 when left out. */
  readonly graceMs?: number
  /** Where runs are done: told that one waits. */
  readonly runner: { wake(): void }
}

/** What a run would do at a moment, and why. */
export interface RetentionPreview {
  readonly repositoryId: string
  readonly at: Date
  /** Why a run would remove nothing until a person confirms the clock. */
  readonly clockDoubt?: string
  readonly rule: string
  readonly points: readonly PreviewedPoint[]
  readonly objects: readonly PreviewedObject[]
  readonly pointsGoing: number
  readonly pointsStaying: number
  /** Of those that stay, the ones that stay for what is under legal hold in them alone. */
  readonly pointsReduced: number
  /** What goes is given back on the storage so long after. */
  readonly graceMs: number
}

export interface PreviewedPoint extends PointVerdict {
  readonly jobName: string
  readonly rule: string
}

/** What of an object would go, with points or by its own age. Bytes are those of items, before deduplication: at most so much is freed. */
export interface PreviewedObject {
  readonly organizationId: string
  readonly kind: ObjectKind
  readonly userId: string
  readonly displayName: string
  readonly principalName: string
  readonly items: number
  readonly bytes: number
  /** Of these, what is too old itself and leaves points that stay. */
  readonly expiredItems: number
  readonly expiredBytes: number
}

/** An item that is too old. */
export interface PreviewedItem extends Pick<
  PreviewedObject,
  'organizationId' | 'kind' | 'userId' | 'displayName' | 'principalName'
> {
  readonly itemId: string
  /** The subject, or the name of the file. */
  readonly name: string
  /** In the snapshot. */
  readonly path: string
  /** By which it is too old. */
  readonly time?: Date
  readonly sizeBytes: number
}

export interface ItemsAsked extends PageRequest {
  readonly at?: Date | undefined
  readonly userId?: string | undefined
  readonly signal?: AbortSignal
}

export interface JobRule extends AppliedRule {
  readonly jobId: string
}

/** How long what is kept, what would go, and what went. For administrators alone. */
export class Retentions {
  readonly #parts: RetentionParts

  constructor(parts: RetentionParts) {
    this.#parts = parts
  }

  /** Without `at`: at the next run by the schedule. Nothing changes. */
  async preview(
    principal: Principal,
    repositoryId: string,
    { at, signal }: { readonly at?: Date | undefined; readonly signal?: AbortSignal } = {},
  ): Promise<RetentionPreview> {
    requireAdministrator(principal)
    const { clock, guard } = this.#parts
    const moment = at ?? (await this.#nextRun(repositoryId)) ?? clock.now()
    const { ruleOf } = await retentionFacts(this.#parts, repositoryId)
    const judged = await judgeRepository(this.#parts, repositoryId, moment, { givesBack: false, signal })
    const { shards, points, verdicts } = judged
    const byId = new Map(points.map((point) => [point.id, point]))
    const doubt = (await guard.look()) ?? doubtByPoints(points, clock.now())
    const going = verdicts.filter(({ goes }) => goes)
    return {
      repositoryId,
      at: moment,
      ...(doubt === undefined ? {} : { clockDoubt: doubt }),
      rule: ruleText(ruleOf('').rule),
      points: verdicts.map((verdict) => ({
        ...verdict,
        jobName: byId.get(verdict.point.id)?.jobName ?? '',
        rule: ruleText(ruleOf(verdict.point.jobId).rule),
      })),
      objects: withExpired(
        await lostObjects(points, verdicts),
        await this.#agedObjects({ shards, points, verdicts }, signal),
      ),
      pointsGoing: going.length,
      pointsStaying: verdicts.length - going.length,
      pointsReduced: verdicts.filter(({ heldAlone }) => heldAlone !== undefined).length,
      graceMs: (await pruneGraceOf(this.#parts.database.queries, repositoryId, this.#parts.graceMs ?? 0))
        .graceMs,
    }
  }

  /** The items that a run would take out of points that stay, object by object; of each the oldest mails, or the last names, first. */
  async previewItems(
    principal: Principal,
    repositoryId: string,
    { at, userId, signal, offset = 0, limit = 100 }: ItemsAsked = {},
  ): Promise<Page<PreviewedItem>> {
    requireAdministrator(principal)
    const moment = at ?? (await this.#nextRun(repositoryId)) ?? this.#parts.clock.now()
    const judged = await judgeRepository(this.#parts, repositoryId, moment, { givesBack: false, signal })
    const objects = (await this.#agedObjects(judged, signal)).filter(
      ({ identity }) => userId === undefined || identity.userId === userId,
    )
    const items: PreviewedItem[] = []
    let before = 0
    for (const object of objects) {
      const window = { offset: Math.max(0, offset - before), limit: limit - items.length }
      if (window.limit > 0 && window.offset < object.going.items) items.push(...goingItems(object, window))
      before += object.going.items
    }
    return { items, totalCount: before }
  }

  async #agedObjects(
    { shards, points, verdicts }: Awaited<ReturnType<typeof judgeRepository>>,
    signal: AbortSignal | undefined,
  ): Promise<readonly AgedObject[]> {
    const holds = await holdsInForce(this.#parts.database.queries)
    const found: AgedObject[] = []
    for (const shard of shards)
      for (const { objects } of await agedPoints(shard, { points, verdicts, holds, signal }))
        found.push(...objects)
    return found
  }

  /**
   * Queues a run that counts ages from now. `conflict` while one runs or waits. `confirmClock`: the clock is right, although
   * it jumped.
   */
  async start(
    principal: Principal,
    repositoryId: string,
    { confirmClock = false }: { readonly confirmClock?: boolean | undefined } = {},
  ): Promise<RetentionRun> {
    requireAdministrator(principal)
    const { audit, database, guard, runner } = this.#parts
    const action = confirmClock ? 'retention.start with the clock confirmed' : 'retention.start'
    return audit.around(principal, action, repositoryId, async () => {
      if ((await repositoryRows.find(database.queries, repositoryId)) === undefined)
        throw notFound('the backup repository is not known')
      if (confirmClock) await guard.confirm()
      const row = await database.transaction((queries) =>
        requestRetention(this.#parts, queries, {
          repositoryId,
          initiatedBy: principal.name,
          isClockConfirmed: confirmClock,
        }),
      )
      runner.wake()
      return presentRun(row)
    })
  }

  /** Newest first. */
  async runs(
    principal: Principal,
    filter: PageRequest & { readonly repositoryId?: string | undefined } = {},
  ): Promise<Page<RetentionRun>> {
    requireAdministrator(principal)
    const { repositoryId, ...page } = filter
    const { items, totalCount } = await retentionRunRows.list(this.#parts.database.queries, {
      ...page,
      kind: 'Retention',
      ...(repositoryId === undefined ? {} : { repositoryId }),
    })
    return { items: items.map(presentRun), totalCount }
  }

  async run(principal: Principal, id: string): Promise<RetentionRun> {
    requireAdministrator(principal)
    const row = await retentionRunRows.find(this.#parts.database.queries, id)
    if (row?.kind !== 'Retention') throw notFound('the retention run is not known')
    return presentRun(row)
  }

  /** In the order they were written. */
  async logItems(principal: Principal, id: string, page: PageRequest = {}): Promise<Page<LogItem>> {
    await this.run(principal, id)
    const { items, totalCount } = await logRows.list(this.#parts.database.queries, id, page)
    return {
      items: items.map(({ itemKey: _key, ...row }) => ({ ...row, type: row.type as LogItemType })),
      totalCount,
    }
  }

  /** The job's own rule, or the one of its repository. */
  async jobRule(principal: Principal, jobId: string): Promise<JobRule> {
    requireAdministrator(principal)
    const { queries } = this.#parts.database
    const own = await jobRetentionRows.find(queries, jobId)
    if (own !== undefined) return { jobId, from: 'job', rule: own.rule as RetentionRule }
    const job = await jobRows.find(queries, jobId)
    if (job === undefined) throw notFound('the job is not known')
    const { ruleOf } = await retentionFacts(this.#parts, job.repositoryId)
    return { jobId, ...ruleOf(jobId) }
  }

  /** The job's points, former ones too, are judged by this rule instead of the repository's from now on. */
  async setJobRule(principal: Principal, jobId: string, rule: RetentionRule): Promise<JobRule> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, 'retention.setJobRule', jobId, async () => {
      const { database, clock } = this.#parts
      await this.jobRule(principal, jobId)
      checkRule(rule)
      if (rule.keep.forever === true && Object.keys(rule.keep).length > 1)
        throw invalid('what is kept for ever needs no other rule', 'keepForever')
      await jobRetentionRows.put(database.queries, { jobId, rule, updatedAt: clock.now() })
      return { jobId, from: 'job', rule }
    })
  }

  /** The repository's rule is in force again. */
  async removeJobRule(principal: Principal, jobId: string): Promise<void> {
    requireAdministrator(principal)
    await this.#parts.audit.around(principal, 'retention.removeJobRule', jobId, async () => {
      if (!(await jobRetentionRows.remove(this.#parts.database.queries, jobId)))
        throw notFound('the job has no rule of its own')
    })
  }

  /** How long packs that nothing needs stay before they are removed. */
  async grace(principal: Principal, repositoryId: string): Promise<PruneGrace> {
    requireAdministrator(principal)
    const { queries } = this.#parts.database
    if ((await repositoryRows.find(queries, repositoryId)) === undefined)
      throw notFound('the backup repository is not known')
    return pruneGraceOf(queries, repositoryId, this.#parts.graceMs ?? 0)
  }

  /** From the next clean-up on; for packs that wait already, too. Undefined: the server's time is in force again. */
  async setGrace(principal: Principal, repositoryId: string, hours: number | undefined): Promise<PruneGrace> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, 'retention.setGrace', repositoryId, async () => {
      await setPruneGrace(this.#parts.database.queries, repositoryId, hours)
      return this.grace(principal, repositoryId)
    })
  }

  async #nextRun(repositoryId: string): Promise<Date | undefined> {
    const rows = await retentionScheduleRows.list(this.#parts.database.queries)
    return rows.find((row) => row.repositoryId === repositoryId)?.nextRun
  }
}

/** Makes the task and the run, which its log and its row show from now on. `conflict` while one is there. */
export const requestRetention = async (
  { tasks, clock, random }: Pick<RetentionParts, 'tasks' | 'clock' | 'random'>,
  queries: Queries,
  wanted: {
    readonly repositoryId: string
    readonly initiatedBy: string
    readonly isClockConfirmed: boolean
  },
): Promise<RetentionRunRow> => {
  const { repositoryId, initiatedBy, isClockConfirmed } = wanted
  const now = clock.now()
  const request: RetentionRequest = { at: now.toISOString(), isClockConfirmed }
  const row: RetentionRunRow = {
    id: random.uuid(),
    kind: 'Retention',
    repositoryId,
    initiatedBy,
    request,
    status: 'Queued',
    creationTime: now,
    result: NO_RESULT,
  }
  // Due whatever the clock shows: one that is set back must not leave the run waiting.
  const runAt = new Date(0)
  await tasks.add(queries, { kind: RETENTION, key: repositoryId, payload: { runId: row.id }, runAt })
  await retentionRunRows.insert(queries, row)
  return row
}

/** By object, what would be in no point any more once some are gone. */
const lostObjects = async (
  points: readonly StoredPoint[],
  verdicts: readonly PointVerdict[],
): Promise<readonly PreviewedObject[]> => {
  const byPoint = new Map(verdicts.map((verdict) => [verdict.point.id, verdict]))
  const all = points.flatMap(({ id, organizationId, snapshots }) => {
    const { goes, heldAlone } = byPoint.get(id)!
    return snapshots.flatMap(({ shard, objects }) =>
      objects.map((object) => ({
        object,
        shard,
        organizationId,
        goes: goes || heldAlone?.includes(object.key) === false,
      })),
    )
  })
  const byObject = Map.groupBy(
    all,
    ({ organizationId, object, shard }) => `${organizationId} ${shard.index} ${object.key}`,
  )
  const lost: PreviewedObject[] = []
  for (const held of byObject.values()) {
    const { object, shard, organizationId } = held[0]!
    const versions = (goes: boolean) => [
      ...new Set(held.filter((one) => one.goes === goes).map((one) => one.object.version)),
    ]
    const gone = versions(true)
    if (gone.length === 0) continue
    await shard.catalogue.load(object.key)
    const amounts = shard.catalogue.lostWith(object.key, gone, versions(false))
    if (amounts.items === 0 && amounts.bytes === 0) continue
    const { kind, userId, displayName, principalName } = object
    const expired = { expiredItems: 0, expiredBytes: 0 }
    lost.push({ organizationId, kind, userId, displayName, principalName, ...amounts, ...expired })
  }
  return lost
}

const withExpired = (
  lost: readonly PreviewedObject[],
  aged: readonly AgedObject[],
): readonly PreviewedObject[] => {
  const keyOf = (object: Pick<PreviewedObject, 'organizationId' | 'kind' | 'userId'>): string =>
    `${object.organizationId} ${object.kind} ${object.userId}`
  const all = new Map(lost.map((object) => [keyOf(object), object]))
  for (const { shard, identity, going } of aged) {
    const { kind, userId, displayName, principalName } = identity
    const of = { organizationId: shard.organizationId, kind, userId, displayName, principalName }
    const known = all.get(keyOf(of))
    all.set(keyOf(of), {
      ...of,
      items: (known?.items ?? 0) + going.items,
      bytes: (known?.bytes ?? 0) + going.bytes,
      expiredItems: (known?.expiredItems ?? 0) + going.items,
      expiredBytes: (known?.expiredBytes ?? 0) + going.bytes,
    })
  }
  return [...all.values()]
}

const goingItems = (
  { shard, key, identity, versions, cutoff }: AgedObject,
  window: { readonly offset: number; readonly limit: number },
): readonly PreviewedItem[] => {
  const { kind, userId, displayName, principalName } = identity
  const { catalogue, organizationId } = shard
  return catalogue.someGoing(key, versions, editOf(cutoff), window).map(({ row, version }) => {
    const time = timeOf(row)
    return {
      organizationId,
      kind,
      userId,
      displayName,
      principalName,
      itemId: row.id,
      name: isDriveRow(row) ? row.name : row.subject,
      path: catalogue.item(key, version, row.id)?.path ?? '',
      ...(time === undefined ? {} : { time }),
      sizeBytes: row.sizeBytes,
    }
  })
}
