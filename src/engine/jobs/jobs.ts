import { conflict, invalid, notFound, type Clock, type Random } from '#base'
import {
  copyJobRows,
  isDuplicate,
  jobItemRows,
  jobRows,
  organizationRows,
  repositoryRows,
  sessionRows,
  type Database,
  type JobItemRow,
  type JobRow,
  type Page,
  type PageRequest,
  type Queries,
} from '#database'
import type { Audit } from '../access/audit.ts'
import { requireAdministrator, requireOrganization, scopeOf, type Principal } from '../access/principal.ts'
import { needed, readDescription, readFlag, readText, readWord } from '../organizations/read-input.ts'
import { nextRun } from '../schedules/next-run.ts'
import { readSchedulePolicy } from '../schedules/schedule-input.ts'
import { GOOD_STATUSES, type JobSession, type SessionStatus } from '../sessions/job-session.ts'
import { presentSession } from '../sessions/job-sessions.ts'
import type { TaskQueue } from '../tasks/task-queue.ts'
import { BACKUP_TYPES, objectKeyOf, readJobItem, readJobItems, type AcceptedItem } from './job-input.ts'
import type { BackupType, Job, JobInput, JobItem, JobItemInput, SchedulePolicy } from './job.ts'
import { BACKUP_RUNS, endWaiting, requestRun, requestStop, RUN } from './run-requests.ts'

export interface JobFilter extends PageRequest {
  readonly organizationId?: string
  readonly repositoryId?: string
}

export type JobItemList = 'selected' | 'excluded'

export interface JobsParts {
  readonly database: Database
  readonly tasks: TaskQueue
  /** Where runs are under way: told at once of a stop and of a new run. */
  readonly runner: { stop(jobId: string): boolean; wake(): void }
  readonly audit: Audit
  readonly clock: Clock
  readonly random: Random
  /** Of the server: what schedules without a time zone mean. */
  readonly timeZone: string
}

const unknown = 'the job is not known'
const MOST_ITEMS = 10_000

const nameKeyOf = (name: string): string => name.normalize('NFC').toLowerCase()

/** Backup jobs: what is protected, where to, when. */
export class Jobs {
  readonly #parts: JobsParts

  constructor(parts: JobsParts) {
    this.#parts = parts
  }

  /** `invalid` naming the property, `not-found` for the organization, `conflict` for a name in use. */
  async add(principal: Principal, input: JobInput): Promise<Job> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, 'jobs.add', String(input.name ?? ''), async () => {
      const { database, clock, random } = this.#parts
      const selected = readJobItems(input.selectedItems, 'selected')
      const excluded = readJobItems(input.excludedItems, 'excluded')
      const given = readWord(input.backupType, 'backupType', BACKUP_TYPES)
      const backupType = given ?? (selected.length > 0 ? 'SelectedItems' : 'EntireOrganization')
      const row: JobRow = {
        id: random.uuid(),
        organizationId: await this.#organizationId(input),
        repositoryId: await this.#repositoryId(input),
        ...readNames(input),
        backupType,
        isEnabled: readFlag(input.isEnabled, 'isEnabled') ?? true,
        schedulePolicy: readSchedulePolicy(input.schedulePolicy),
        eTag: 1,
        createdAt: clock.now(),
      }
      checkItems(backupType, selected.length)
      const scheduled = this.#withNextRun(row)
      await database.transaction(async (queries) => {
        await jobRows.insert(queries, scheduled).catch((error: unknown) => named(error, row.name))
        await this.#putItems(queries, row.id, 'selected', backupType === 'SelectedItems' ? selected : [])
        await this.#putItems(queries, row.id, 'excluded', excluded)
        if (input.runNow === true) await this.#request(queries, scheduled)
      })
      this.#parts.runner.wake()
      return this.#present(scheduled)
    })
  }

  /** Merges; item lists that are given replace the stored ones. The organization cannot change. */
  async update(principal: Principal, id: string, input: JobInput): Promise<Job> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, 'jobs.update', id, async () => {
      const row = await this.#find(principal, id)
      const changed = await this.#changed(row, input)
      const lists = {
        selected: input.selectedItems && readJobItems(input.selectedItems, 'selected'),
        excluded: input.excludedItems && readJobItems(input.excludedItems, 'excluded'),
      }
      const kept = await jobItemRows.list(this.#parts.database.queries, id, 'selected')
      checkItems(changed.backupType as BackupType, lists.selected?.length ?? kept.length)
      await this.#parts.database.transaction(async (queries) => {
        const { eTag: _raised, ...columns } = changed
        await jobRows
          .update(queries, id, { nextRun: undefined, ...columns })
          .catch((e: unknown) => named(e, changed.name))
        for (const list of ['selected', 'excluded'] as const) {
          const items = lists[list]
          if (!Array.isArray(items)) continue
          await jobItemRows.removeList(queries, id, list)
          await this.#putItems(queries, id, list, items)
        }
        if (changed.backupType === 'EntireOrganization') await jobItemRows.removeList(queries, id, 'selected')
        if (input.runNow === true) await this.#request(queries, changed)
      })
      this.#parts.runner.wake()
      return this.get(principal, id)
    })
  }

  /** `conflict` while it runs. Restore points stay, and so do its sessions. */
  async remove(principal: Principal, id: string): Promise<void> {
    requireAdministrator(principal)
    await this.#parts.audit.around(principal, 'jobs.remove', id, async () => {
      const row = await this.#find(principal, id)
      await this.#parts.database.transaction(async (queries) => {
        await this.#endWaiting(queries, row, 'stop it before it is removed')
        const copy = await copyJobRows.findByBackupJob(queries, id)
        if (copy !== undefined)
          throw conflict(`${row.name} is copied by ${copy.name}: remove the copy job first`)
        await jobRows.remove(queries, id)
      })
    })
  }

  async get(principal: Principal, id: string): Promise<Job> {
    return this.#present(await this.#find(principal, id))
  }

  /** By name. */
  async list(principal: Principal, filter: JobFilter = {}): Promise<Page<Job>> {
    const scope = scopeOf(principal)
    if (scope !== undefined && filter.organizationId !== undefined && filter.organizationId !== scope)
      return { items: [], totalCount: 0 }
    const narrowed = scope === undefined ? filter : { ...filter, organizationId: scope }
    const { items, totalCount } = await jobRows.list(this.#parts.database.queries, narrowed)
    return { items: await Promise.all(items.map((row) => this.#present(row))), totalCount }
  }

  /** Queues a run and returns its session, which begins within a second. `conflict` while one runs. */
  async start(
    principal: Principal,
    id: string,
    options: { readonly full?: boolean } = {},
  ): Promise<JobSession> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, 'jobs.start', id, async () => {
      const row = await this.#find(principal, id)
      const session = await this.#parts.database.transaction((queries) =>
        this.#request(queries, row, options.full ?? false),
      )
      this.#parts.runner.wake()
      return presentSession(session)
    })
  }

  /** Asks the run to stop; its session ends as Stopped soon after. `conflict` when none runs. */
  async stop(principal: Principal, id: string): Promise<void> {
    requireAdministrator(principal)
    await this.#parts.audit.around(principal, 'jobs.stop', id, async () => {
      const row = await this.#find(principal, id)
      if (await requestStop(this.#parts, BACKUP_RUNS, row)) this.#parts.runner.stop(id)
    })
  }

  async enable(principal: Principal, id: string): Promise<void> {
    await this.#setEnabled(principal, id, true)
  }

  /** A run that is under way goes on; one that waits to be retried does not. */
  async disable(principal: Principal, id: string): Promise<void> {
    await this.#setEnabled(principal, id, false)
  }

  async items(principal: Principal, id: string, list: JobItemList): Promise<readonly JobItem[]> {
    await this.#find(principal, id)
    const rows = await jobItemRows.list(this.#parts.database.queries, id, list)
    return rows.map(presentItem)
  }

  async item(principal: Principal, id: string, list: JobItemList, itemId: string): Promise<JobItem> {
    const found = (await this.items(principal, id, list)).find((item) => item.id === itemId)
    if (found === undefined) throw notFound('the item is not known')
    return found
  }

  /** Returns what was added. An object that is listed already is changed. */
  async addItems(
    principal: Principal,
    id: string,
    list: JobItemList,
    items: readonly JobItemInput[],
  ): Promise<readonly JobItem[]> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, `jobs.${list}Items.add`, id, async () => {
      const row = await this.#find(principal, id)
      const accepted = readJobItems(items, list)
      if (accepted.length === 0) throw invalid('at least one item is needed', `${list}Items`)
      if (list === 'selected' && row.backupType === 'EntireOrganization')
        throw conflict(`${row.name} protects the entire organization: items cannot be selected`)
      return this.#parts.database.transaction(async (queries) => {
        await jobRows.update(queries, id, {})
        return this.#putItems(queries, id, list, accepted)
      })
    })
  }

  async updateItem(
    principal: Principal,
    id: string,
    list: JobItemList,
    itemId: string,
    item: JobItemInput,
  ): Promise<JobItem> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, `jobs.${list}Items.update`, id, async () => {
      const { id: _id, ...stored } = await this.item(principal, id, list, itemId)
      const changed = readJobItem({ ...stored, ...item } as JobItemInput, list, 'item')
      if (objectKeyOf(changed) !== objectKeyOf(stored))
        throw invalid('the object of an item cannot be changed', 'type')
      await this.#parts.database.transaction(async (queries) => {
        await jobItemRows.update(queries, itemId, { item: changed })
        await jobRows.update(queries, id, {})
      })
      return { ...changed, id: itemId }
    })
  }

  /** `not-found` when one of the ids is not on the list, and then none is removed. */
  async removeItems(
    principal: Principal,
    id: string,
    list: JobItemList,
    itemIds: readonly string[],
  ): Promise<void> {
    requireAdministrator(principal)
    await this.#parts.audit.around(principal, `jobs.${list}Items.remove`, id, async () => {
      const items = await this.items(principal, id, list)
      const ids = new Set(itemIds)
      const found = items.filter((item) => ids.has(item.id))
      if (found.length < ids.size) throw notFound('the item is not known')
      if (list === 'selected' && found.length > 0 && found.length === items.length)
        throw conflict('a job of selected items keeps at least one')
      await this.#parts.database.transaction(async (queries) => {
        for (const item of found) await jobItemRows.remove(queries, item.id)
        await jobRows.update(queries, id, {})
      })
    })
  }

  async #find(principal: Principal, id: string): Promise<JobRow> {
    const row = await jobRows.find(this.#parts.database.queries, id)
    if (row === undefined) throw notFound(unknown)
    requireOrganization(principal, row.organizationId, unknown)
    return row
  }

  async #organizationId(input: JobInput): Promise<string> {
    const id = needed(readText(input.organizationId, 'organizationId', 64), 'organizationId')
    const row = await organizationRows.find(this.#parts.database.queries, id)
    if (row === undefined) throw notFound('the organization is not known')
    return row.id
  }

  async #repositoryId(input: JobInput, stored?: string): Promise<string> {
    const id = readText(input.repositoryId, 'repositoryId', 64) ?? stored
    const row = await repositoryRows.find(this.#parts.database.queries, needed(id, 'repositoryId'))
    if (row === undefined) throw invalid('repositoryId names no backup repository', 'repositoryId')
    return row.id
  }

  async #changed(row: JobRow, input: JobInput): Promise<JobRow> {
    const organizationId = readText(input.organizationId, 'organizationId', 64)
    if (organizationId !== undefined && organizationId !== row.organizationId)
      throw invalid('the organization of a job cannot be changed', 'organizationId')
    const repositoryId = await this.#repositoryId(input, row.repositoryId)
    const copy = await copyJobRows.findByBackupJob(this.#parts.database.queries, row.id)
    if (copy?.repositoryId === repositoryId)
      throw invalid(`${copy.name} copies to this repository: the job cannot write to it`, 'repositoryId')
    return this.#withNextRun({
      ...row,
      ...readNames(input, row),
      repositoryId,
      backupType: readWord(input.backupType, 'backupType', BACKUP_TYPES) ?? row.backupType,
      isEnabled: readFlag(input.isEnabled, 'isEnabled') ?? row.isEnabled,
      schedulePolicy: readSchedulePolicy(input.schedulePolicy, row.schedulePolicy as SchedulePolicy),
    })
  }

  #withNextRun({ nextRun: _before, ...row }: JobRow): JobRow {
    const { clock, timeZone } = this.#parts
    const next = row.isEnabled
      ? nextRun(row.schedulePolicy as SchedulePolicy, clock.now(), timeZone)
      : undefined
    return next === undefined ? row : { ...row, nextRun: next }
  }

  async #setEnabled(principal: Principal, id: string, isEnabled: boolean): Promise<void> {
    requireAdministrator(principal)
    await this.#parts.audit.around(principal, isEnabled ? 'jobs.enable' : 'jobs.disable', id, async () => {
      const row = await this.#find(principal, id)
      if (row.isEnabled === isEnabled) return
      const { nextRun: next } = this.#withNextRun({ ...row, isEnabled })
      await this.#parts.database.transaction(async (queries) => {
        await jobRows.update(queries, id, { isEnabled, nextRun: next })
        const task = await this.#parts.tasks.find(queries, RUN, id)
        const isRetry = task !== undefined && !task.isLeased && task.runAt > this.#parts.clock.now()
        if (!isEnabled && isRetry) await endWaiting(this.#parts, queries, task)
      })
    })
  }

  #request(queries: Queries, row: JobRow, full = false) {
    return requestRun(this.#parts, queries, BACKUP_RUNS, row, { full, isScheduled: false })
  }

  /** A run that waits is ended; one that is worked on is a conflict. */
  async #endWaiting(queries: Queries, row: JobRow, advice: string): Promise<void> {
    const task = await this.#parts.tasks.find(queries, RUN, row.id)
    if (task?.isLeased === true) throw conflict(`${row.name} is running: ${advice}`)
    if (task !== undefined) await endWaiting(this.#parts, queries, task)
  }

  async #putItems(
    queries: Queries,
    jobId: string,
    list: JobItemList,
    items: readonly AcceptedItem[],
  ): Promise<readonly JobItem[]> {
    const there = new Map((await jobItemRows.list(queries, jobId, list)).map((row) => [row.objectKey, row]))
    let position = Math.max(0, ...[...there.values()].map((row) => row.position))
    if (there.size + items.length > MOST_ITEMS)
      throw invalid(`a job has at most ${MOST_ITEMS} items`, `${list}Items`)
    const put: JobItem[] = []
    for (const item of items) {
      const objectKey = objectKeyOf(item)
      const before = there.get(objectKey)
      const row = before ?? {
        id: this.#parts.random.uuid(),
        jobId,
        list,
        objectKey,
        position: (position += 1),
        item,
      }
      if (before === undefined) await jobItemRows.insert(queries, row)
      else await jobItemRows.update(queries, before.id, { item })
      there.set(objectKey, row)
      put.push({ ...item, id: row.id })
    }
    return put
  }

  async #present(row: JobRow): Promise<Job> {
    const { queries } = this.#parts.database
    const last = await sessionRows.last(queries, row.id)
    const lastGood = await sessionRows.last(queries, row.id, GOOD_STATUSES)
    return {
      id: row.id,
      organizationId: row.organizationId,
      repositoryId: row.repositoryId,
      name: row.name,
      description: row.description,
      backupType: row.backupType as BackupType,
      isEnabled: row.isEnabled,
      schedulePolicy: row.schedulePolicy as SchedulePolicy,
      ...(last === undefined ? {} : { lastRun: last.creationTime, lastStatus: last.status as SessionStatus }),
      ...(row.nextRun === undefined ? {} : { nextRun: row.nextRun }),
      ...(lastGood?.endTime === undefined ? {} : { lastBackup: lastGood.endTime }),
      eTag: row.eTag,
    }
  }
}

const presentItem = ({ id, item }: JobItemRow): JobItem => ({ ...(item as AcceptedItem), id })

const readNames = (input: JobInput, stored?: Pick<JobRow, 'name' | 'description'>) => {
  const name = needed(readText(input.name, 'name', 512) ?? stored?.name, 'name')
  const description = readDescription(input.description, 'description', 4_096) ?? stored?.description ?? ''
  return { name, nameKey: nameKeyOf(name), description }
}

const checkItems = (backupType: BackupType, selected: number): void => {
  if (backupType === 'SelectedItems' && selected === 0)
    throw invalid('selectedItems is needed: a job of selected items has at least one', 'selectedItems')
}

const named = (error: unknown, name: string): never => {
  if (isDuplicate(error)) throw conflict(`the organization has a job ${name} already`)
  throw error
}
