import { conflict, invalid, notFound } from '#base'
import {
  copyJobRows,
  isDuplicate,
  jobRows,
  repositoryOrganizationRows,
  repositoryRows,
  sessionRows,
  type CopyJobRow,
  type Database,
  type JobRow,
  type Page,
  type PageRequest,
} from '#database'
import type { Audit } from '../access/audit.ts'
import { requireAdministrator, requireOrganization, scopeOf, type Principal } from '../access/principal.ts'
import {
  COPY,
  COPY_RUNS,
  endWaiting,
  requestRun,
  requestStop,
  type RunRequestParts,
} from '../jobs/run-requests.ts'
import { needed, readFlag, readText } from '../organizations/read-input.ts'
import { GOOD_STATUSES, type JobSession, type SessionStatus } from '../sessions/job-session.ts'
import { presentSession } from '../sessions/job-sessions.ts'
import type { CopyJob, CopyJobInput, CopySchedule } from './copy-job.ts'
import { nextCopy, readCopySchedule } from './copy-schedule.ts'

export interface CopyJobsParts extends RunRequestParts {
  readonly database: Database
  readonly runner: { stop(copyJobId: string): boolean; wake(): void }
  readonly audit: Audit
  /** Of the server: what schedules mean. */
  readonly timeZone: string
}

export interface CopyJobFilter extends PageRequest {
  readonly organizationId?: string
  readonly repositoryId?: string
}

const unknown = 'the copy job is not known'

/** Copy jobs: one backup job's restore points, to a second repository. */
export class CopyJobs {
  readonly #parts: CopyJobsParts

  constructor(parts: CopyJobsParts) {
    this.#parts = parts
  }

  /** `invalid` naming the property; `conflict` for a second copy job of a backup job. */
  async add(principal: Principal, input: CopyJobInput): Promise<CopyJob> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, 'copyJobs.add', String(input.backupJobId ?? ''), async () => {
      const { database, clock, random } = this.#parts
      const backupJob = await this.#backupJob(input)
      const row: CopyJobRow = {
        id: random.uuid(),
        backupJobId: backupJob.id,
        organizationId: backupJob.organizationId,
        repositoryId: await this.#target(input, backupJob),
        name: readText(input.name, 'name', 512) ?? `Copy of ${backupJob.name}`,
        isEnabled: readFlag(input.isEnabled, 'isEnabled') ?? true,
        schedulePolicy: readCopySchedule(input.schedulePolicy),
        marks: {},
        eTag: 1,
        createdAt: clock.now(),
      }
      const scheduled = this.#withNextRun(row)
      await copyJobRows.insert(database.queries, scheduled).catch((error: unknown) => {
        throw isDuplicate(error) ? conflict(`${backupJob.name} has a copy job already`) : error
      })
      this.#parts.runner.wake()
      return this.#present(scheduled)
    })
  }

  /** What is left out stays. The backup job cannot change; with another repository copying begins anew. */
  async update(principal: Principal, id: string, input: CopyJobInput): Promise<CopyJob> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, 'copyJobs.update', id, async () => {
      const row = await this.#find(principal, id)
      const backupJobId = readText(input.backupJobId, 'backupJobId', 64)
      if (backupJobId !== undefined && backupJobId !== row.backupJobId)
        throw invalid('the backup job of a copy job cannot be changed', 'backupJobId')
      const { queries } = this.#parts.database
      const backupJob = await jobRows.find(queries, row.backupJobId)
      if (backupJob === undefined) throw conflict('the backup job is gone')
      checkOrganization(input, backupJob)
      const repositoryId = await this.#target(
        { ...input, repositoryId: input.repositoryId ?? row.repositoryId },
        backupJob,
      )
      const isMoved = repositoryId !== row.repositoryId
      if (isMoved && (await this.#parts.tasks.find(queries, COPY, id)) !== undefined)
        throw conflict(`${row.name} is running: stop it before its repository is changed`)
      const { isEnabled, schedulePolicy, name, nextRun } = this.#withNextRun({
        ...row,
        name: readText(input.name, 'name', 512) ?? row.name,
        isEnabled: readFlag(input.isEnabled, 'isEnabled') ?? row.isEnabled,
        schedulePolicy: readCopySchedule(input.schedulePolicy, row.schedulePolicy as CopySchedule),
      })
      await copyJobRows.update(queries, id, {
        isEnabled,
        schedulePolicy,
        name,
        nextRun,
        ...(isMoved ? { repositoryId, marks: {}, seenSessionId: undefined } : {}),
      })
      this.#parts.runner.wake()
      return this.get(principal, id)
    })
  }

  /** `conflict` while it runs. What was copied stays. */
  async remove(principal: Principal, id: string): Promise<void> {
    requireAdministrator(principal)
    await this.#parts.audit.around(principal, 'copyJobs.remove', id, async () => {
      const row = await this.#find(principal, id)
      await this.#parts.database.transaction(async (queries) => {
        const task = await this.#parts.tasks.find(queries, COPY, id)
        if (task?.isLeased === true) throw conflict(`${row.name} is running: stop it before it is removed`)
        if (task !== undefined) await endWaiting(this.#parts, queries, task)
        await copyJobRows.remove(queries, id)
      })
    })
  }

  async get(principal: Principal, id: string): Promise<CopyJob> {
    return this.#present(await this.#find(principal, id))
  }

  /** That of a backup job. */
  async ofBackupJob(principal: Principal, backupJobId: string): Promise<CopyJob> {
    const row = await copyJobRows.findByBackupJob(this.#parts.database.queries, backupJobId)
    if (row === undefined) throw notFound('the job has no copy job')
    requireOrganization(principal, row.organizationId, 'the job is not known')
    return this.#present(row)
  }

  /** By name. A tenant sees its own. */
  async list(principal: Principal, filter: CopyJobFilter = {}): Promise<Page<CopyJob>> {
    const scope = scopeOf(principal)
    if (scope !== undefined && filter.organizationId !== undefined && filter.organizationId !== scope)
      return { items: [], totalCount: 0 }
    const narrowed = scope === undefined ? filter : { ...filter, organizationId: scope }
    const { items, totalCount } = await copyJobRows.list(this.#parts.database.queries, narrowed)
    return { items: await Promise.all(items.map((row) => this.#present(row))), totalCount }
  }

  /** Queues a run, which begins within a second. `full` also copies again what was removed from the target. */
  async start(
    principal: Principal,
    id: string,
    options: { readonly full?: boolean } = {},
  ): Promise<JobSession> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, 'copyJobs.start', id, async () => {
      const row = await this.#find(principal, id)
      const last = await sessionRows.last(this.#parts.database.queries, row.backupJobId, GOOD_STATUSES)
      const session = await this.#parts.database.transaction(async (queries) => {
        await copyJobRows.keep(queries, id, { seenSessionId: last?.id })
        return requestRun(this.#parts, queries, COPY_RUNS, row, {
          full: options.full ?? false,
          isScheduled: false,
        })
      })
      this.#parts.runner.wake()
      return presentSession(session)
    })
  }

  /** Asks the run to stop. `conflict` when none runs. */
  async stop(principal: Principal, id: string): Promise<void> {
    requireAdministrator(principal)
    await this.#parts.audit.around(principal, 'copyJobs.stop', id, async () => {
      const row = await this.#find(principal, id)
      if (await requestStop(this.#parts, COPY_RUNS, row)) this.#parts.runner.stop(id)
    })
  }

  /** A run that is under way goes on when it is disabled. */
  async setEnabled(principal: Principal, id: string, isEnabled: boolean): Promise<void> {
    requireAdministrator(principal)
    const action = isEnabled ? 'copyJobs.enable' : 'copyJobs.disable'
    await this.#parts.audit.around(principal, action, id, async () => {
      const row = await this.#find(principal, id)
      if (row.isEnabled === isEnabled) return
      const { nextRun } = this.#withNextRun({ ...row, isEnabled })
      await copyJobRows.update(this.#parts.database.queries, id, { isEnabled, nextRun })
    })
  }

  async #find(principal: Principal, id: string): Promise<CopyJobRow> {
    const row = await copyJobRows.find(this.#parts.database.queries, id)
    if (row === undefined) throw notFound(unknown)
    requireOrganization(principal, row.organizationId, unknown)
    return row
  }

  async #backupJob(input: CopyJobInput): Promise<JobRow> {
    const id = needed(readText(input.backupJobId, 'backupJobId', 64), 'backupJobId')
    const job = await jobRows.find(this.#parts.database.queries, id)
    if (job === undefined) throw invalid('backupJobId names no backup job', 'backupJobId')
    checkOrganization(input, job)
    return job
  }

  /** Another repository than the job's own, that holds the organization not at all or in as many shards. */
  async #target(input: CopyJobInput, job: JobRow): Promise<string> {
    const { queries } = this.#parts.database
    const id = needed(readText(input.repositoryId, 'repositoryId', 64), 'repositoryId')
    const repository = await repositoryRows.find(queries, id)
    if (repository === undefined) throw invalid('repositoryId names no backup repository', 'repositoryId')
    if (id === job.repositoryId)
      throw invalid(
        `${repository.name} is where ${job.name} writes: copy to another repository`,
        'repositoryId',
      )
    const there = await repositoryOrganizationRows.find(queries, id, job.organizationId)
    const source = await repositoryOrganizationRows.find(queries, job.repositoryId, job.organizationId)
    if (there !== undefined && source !== undefined && there.shardCount !== source.shardCount)
      throw conflict(
        `${repository.name} keeps the organization in ${there.shardCount} shards and the job's in ${source.shardCount}: ` +
          'copy to a repository that does not hold the organization yet',
      )
    return id
  }

  #withNextRun({ nextRun: _before, ...row }: CopyJobRow): CopyJobRow {
    const { clock, timeZone } = this.#parts
    const next = row.isEnabled
      ? nextCopy(row.schedulePolicy as CopySchedule, clock.now(), timeZone)
      : undefined
    return next === undefined ? row : { ...row, nextRun: next }
  }

  async #present(row: CopyJobRow): Promise<CopyJob> {
    const { queries } = this.#parts.database
    const last = await sessionRows.last(queries, row.id)
    const lastGood = await sessionRows.last(queries, row.id, GOOD_STATUSES)
    const { marks: _marks, seenSessionId: _seen, createdAt: _created, ...shown } = row
    return {
      ...shown,
      schedulePolicy: row.schedulePolicy as CopySchedule,
      ...(last === undefined ? {} : { lastRun: last.creationTime, lastStatus: last.status as SessionStatus }),
      ...(lastGood?.endTime === undefined ? {} : { lastBackup: lastGood.endTime }),
    }
  }
}

const checkOrganization = (input: CopyJobInput, job: JobRow): void => {
  const id = readText(input.organizationId, 'organizationId', 64)
  if (id !== undefined && id !== job.organizationId)
    throw invalid('organizationId is not that of the backup job', 'organizationId')
}
