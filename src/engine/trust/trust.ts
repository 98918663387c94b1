import { invalid, notFound } from '#base'
import {
  damagedItemRows,
  repositoryRows,
  trustLineRows,
  trustRunRows,
  trustScheduleRows,
  type DamagedItemRow,
  type Page,
  type PageRequest,
  type TrustScheduleRow,
} from '#database'
import type { Audit } from '../access/audit.ts'
import { requireAdministrator, type Principal } from '../access/principal.ts'
import type { TaskQueue } from '../tasks/task-queue.ts'
import { ITEMS_PER_OBJECT } from './test-restores.ts'
import {
  presentTrustRun,
  requestTrustRun,
  TRUST,
  type TrustRequest,
  type TrustRun,
  type TrustRunKind,
} from './trust-run.ts'
import type { TrustParts } from './trust-work.ts'

/** What is done by itself for a repository. */
export interface TrustSettings {
  /** Metadata and a thirtieth of the data each day. */
  readonly verifyDaily: boolean
  readonly restoreTests: boolean
  readonly restoreTestDays: number
  readonly restoreTestItems: number
}

export const TRUST_SETTINGS: TrustSettings = {
  verifyDaily: true,
  restoreTests: true,
  restoreTestDays: 7,
  restoreTestItems: ITEMS_PER_OBJECT,
}

export const settingsOf = (row: Pick<TrustScheduleRow, 'settings'> | undefined): TrustSettings => ({
  ...TRUST_SETTINGS,
  ...row?.settings,
})

/** How a repository is looked after, and how it is. */
export interface TrustState extends TrustSettings {
  readonly repositoryId: string
  readonly lastVerifiedAt?: Date
  readonly nextVerification?: Date
  readonly nextRestoreTest?: Date
  readonly damagedItems: number
  readonly lastRestoreTest?: TrustRun
}

const OPEN = ['Damaged', 'Waiting', 'Lost'] as const
const unknownRun = 'the run is not known'

export interface TrustAsked extends TrustParts {
  readonly tasks: TaskQueue
  readonly audit: Audit
  /** Where runs are done. */
  readonly runner: { wake(): void; stop(runId: string): void }
}

/** Verifications, repairs, restore tests and recoveries, asked for by a person. For administrators alone. */
export class Trust {
  readonly #parts: TrustAsked

  constructor(parts: TrustAsked) {
    this.#parts = parts
  }

  /** Queues a run. `conflict` while one of this kind runs or waits for the repository. */
  async start(
    principal: Principal,
    kind: TrustRunKind,
    repositoryId: string,
    request: TrustRequest = {},
  ): Promise<TrustRun> {
    requireAdministrator(principal)
    const { audit, database, random, clock, runner } = this.#parts
    const details = request.to === undefined ? '' : ` to ${request.to}`
    const dry = request.dryRun === true ? ', without doing it' : ''
    return audit.around(principal, `trust.start ${kind}${details}${dry}`, repositoryId, async () => {
      const repository = await this.#repository(repositoryId)
      if (kind === 'Recovery') {
        if (repository.objectStorageId === undefined)
          throw invalid('only repositories in object storage that keeps versions come back to a moment')
        if (request.to === undefined || new Date(request.to) > clock.now())
          throw invalid('a recovery needs a moment that has passed', 'to')
      }
      const seed = request.seed ?? Math.floor(random.fraction() * 2 ** 32)
      const wanted = { kind, repositoryId, initiatedBy: principal.name }
      const row = await database.transaction((queries) =>
        requestTrustRun(this.#parts, queries, {
          ...wanted,
          request: kind === 'RestoreTest' ? { ...request, seed } : request,
        }),
      )
      runner.wake()
      return presentTrustRun(row)
    })
  }

  /** Asks a run to stop. One that only waits is stopped when its turn comes. */
  async stop(principal: Principal, id: string): Promise<void> {
    const { kind, repositoryId } = await this.run(principal, id)
    const { audit, tasks, runner } = this.#parts
    await audit.around(principal, 'trust.stop', id, async () => {
      if (!(await tasks.requestStop(TRUST, `${kind}/${repositoryId}`))) throw notFound('the run has ended')
      runner.stop(id)
    })
  }

  /** Newest first. */
  async runs(
    principal: Principal,
    filter: PageRequest & { readonly kind: TrustRunKind; readonly repositoryId?: string },
  ): Promise<Page<TrustRun>> {
    requireAdministrator(principal)
    if (filter.repositoryId !== undefined) await this.#repository(filter.repositoryId)
    const { items, totalCount } = await trustRunRows.list(this.#parts.database.queries, filter)
    return { items: items.map(presentTrustRun), totalCount }
  }

  async run(principal: Principal, id: string, kind?: TrustRunKind): Promise<TrustRun> {
    requireAdministrator(principal)
    const row = await trustRunRows.find(this.#parts.database.queries, id)
    if (row === undefined || (kind !== undefined && row.kind !== kind)) throw notFound(unknownRun)
    return presentTrustRun(row)
  }

  /** What a run found, line by line. */
  async lines(principal: Principal, id: string, page: PageRequest = {}): Promise<Page<object>> {
    await this.run(principal, id)
    return trustLineRows.list(this.#parts.database.queries, id, page)
  }

  /** What cannot be read in full, and with `all` also what once could not. */
  async damagedItems(
    principal: Principal,
    repositoryId: string,
    { all = false, ...page }: PageRequest & { readonly all?: boolean } = {},
  ): Promise<Page<DamagedItemRow>> {
    requireAdministrator(principal)
    await this.#repository(repositoryId)
    const filter = { ...page, repositoryId, ...(all ? {} : { status: OPEN }) }
    return damagedItemRows.list(this.#parts.database.queries, filter)
  }

  async state(principal: Principal, repositoryId: string): Promise<TrustState> {
    requireAdministrator(principal)
    await this.#repository(repositoryId)
    const { queries } = this.#parts.database
    const row = await trustScheduleRows.find(queries, repositoryId)
    const damaged = await damagedItemRows.list(queries, { repositoryId, status: OPEN, limit: 1 })
    const tests = await trustRunRows.list(queries, { repositoryId, kind: 'RestoreTest', limit: 1 })
    const { settings: _, nextShare: __, ...times } = row ?? { settings: {}, nextShare: 0 }
    const [last] = tests.items
    return {
      ...settingsOf(row),
      ...times,
      repositoryId,
      damagedItems: damaged.totalCount,
      ...(last === undefined ? {} : { lastRestoreTest: presentTrustRun(last) }),
    }
  }

  async setSettings(
    principal: Principal,
    repositoryId: string,
    changes: Partial<TrustSettings>,
  ): Promise<TrustState> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, 'trust.setSettings', repositoryId, async () => {
      await this.#repository(repositoryId)
      const { queries } = this.#parts.database
      const known = await trustScheduleRows.find(queries, repositoryId)
      const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))
      const settings = { ...settingsOf(known), ...given }
      const times = known?.lastVerifiedAt === undefined ? {} : { lastVerifiedAt: known.lastVerifiedAt }
      const nextShare = known?.nextShare ?? 0
      await trustScheduleRows.put(queries, { repositoryId, nextShare, ...times, settings })
      return this.state(principal, repositoryId)
    })
  }

  async #repository(id: string) {
    const row = await repositoryRows.find(this.#parts.database.queries, id)
    if (row === undefined) throw notFound('the backup repository is not known')
    return row
  }
}
