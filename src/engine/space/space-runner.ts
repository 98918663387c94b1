import { isHoldfastError, messageOf, type Clock, type Logger } from '#base'
import {
  repositoryOrganizationRows,
  repositoryRows,
  retentionRunRows,
  sessionRows,
  spaceHistoryRows,
  spaceObjectRows,
  spacePointRows,
  spaceSurveyRows,
  type RepositoryRow,
  type SpaceSurveyRow,
} from '#database'
import { systemPrincipal } from '../access/principal.ts'
import type { BackupRepositories } from '../repositories/backup-repositories.ts'
import type { ContentsParts } from '../retention/repository-contents.ts'
import type { RepositoryGate } from '../tasks/repository-gate.ts'
import type { Task, TaskQueue } from '../tasks/task-queue.ts'
import { MOST_ATTEMPTS, TaskWorker } from '../tasks/task-worker.ts'
import { surveyOrganization, type OrganizationSpace, type OrganizationSurvey } from './survey-organization.ts'

export const SPACE_SURVEY = 'space-survey'

export interface SpaceRunnerParts extends ContentsParts {
  readonly repositories: Pick<BackupRepositories, 'shards' | 'get' | 'backedUpOrganizations'>
  readonly tasks: TaskQueue
  readonly gate?: RepositoryGate
  readonly clock: Clock
  readonly log: Logger
}

/** Where a survey looks. */
export interface SurveyPlace {
  readonly repositoryId: string
  readonly organizationId: string
}

export const surveyKey = ({ repositoryId, organizationId }: SurveyPlace): string =>
  `${repositoryId} ${organizationId}`

const POLL_MS = 60_000
const HOUR_MS = 3_600_000
/** Between two surveys by themselves: an hour, and so many times what the last one took, so that they take 5 % of the time. */
const REST = 19
const HISTORY_MS = 6 * HOUR_MS
const HISTORY_DAYS = 3 * 366
const DAY_MS = 24 * HOUR_MS

/**
 * Finds out what takes up how much: of an organization some time after something was stored or removed, one after the other,
 * and when somebody asks. Writes down every day how large repositories are.
 */
export class SpaceRunner extends TaskWorker {
  readonly #parts: SpaceRunnerParts
  readonly #noted = new Map<string, number>()

  constructor(parts: SpaceRunnerParts) {
    super(parts, { kinds: [SPACE_SURVEY], atOnce: 1, pollMs: POLL_MS, what: 'survey of space' })
    this.#parts = parts
  }

  start(): void {
    this.look()
  }

  protected override async queueDue(): Promise<void> {
    const { database, tasks } = this.#parts
    const { items } = await repositoryRows.list(database.queries)
    for (const repository of items) await this.#noteDaily(repository)
    for (const place of await this.#due(new Set(items.map(({ id }) => id))))
      await database.transaction(async (queries) => {
        if ((await tasks.find(queries, SPACE_SURVEY, surveyKey(place))) === undefined)
          await tasks.add(queries, { kind: SPACE_SURVEY, key: surveyKey(place), payload: place })
      })
  }

  /** Organizations with something new since they were looked at, whose rest is over. */
  async #due(repositories: ReadonlySet<string>): Promise<readonly SurveyPlace[]> {
    const { clock, database } = this.#parts
    const { queries } = database
    const known = new Map((await spaceSurveyRows.list(queries)).map((row) => [surveyKey(row), row]))
    const runs = new Map((await sessionRows.lastEnds(queries)).map((row) => [surveyKey(row), row.endTime]))
    const cleanUps = new Map(
      (await retentionRunRows.lastEnds(queries)).map((row) => [row.repositoryId, row.endTime]),
    )
    const nowMs = clock.nowMs()
    return (await repositoryOrganizationRows.list(queries, {})).filter((place) => {
      if (!repositories.has(place.repositoryId)) return false
      const last = known.get(surveyKey(place))
      if (last === undefined) return runs.has(surveyKey(place))
      const changes = [runs.get(surveyKey(place)), cleanUps.get(place.repositoryId)]
      const isNew = changes.some((at) => at !== undefined && at > last.triedAt)
      const waited = nowMs - last.triedAt.getTime()
      // A time that is ahead of the clock comes from a clock that was wrong.
      return isNew && (waited < 0 || waited >= Math.max(HOUR_MS, REST * last.costMs))
    })
  }

  protected override repositoriesOf({ payload }: Task): Promise<readonly string[]> {
    return Promise.resolve([(payload as SurveyPlace).repositoryId])
  }

  protected async work(task: Task, signal: AbortSignal): Promise<void> {
    const { clock, database, log, tasks } = this.#parts
    const { repositoryId, organizationId } = task.payload as SurveyPlace
    const place = { repositoryId, organizationId }
    const triedAt = clock.now()
    try {
      if (task.attempts > MOST_ATTEMPTS) throw new Error(`given up after ${task.attempts - 1} attempts`)
      const survey = await surveyOrganization(this.#parts, place, signal)
      await this.#keep(task, place, { triedAt, costMs: clock.nowMs() - triedAt.getTime() }, survey)
    } catch (error) {
      if (signal.aborted) return tasks.release(task)
      if (!isHoldfastError(error)) log.error({ err: error, ...place }, 'space not surveyed')
      const [before] = await spaceSurveyRows.list(database.queries, place)
      const details = isHoldfastError(error)
        ? messageOf(error)
        : 'an unexpected error: see the log of the server'
      await database.transaction(async (queries) => {
        await spaceSurveyRows.put(queries, { ...before, ...place, triedAt, costMs: 0, details })
        await tasks.finish(queries, task)
      })
    }
  }

  async #keep(
    task: Task,
    place: SurveyPlace,
    timing: Pick<SpaceSurveyRow, 'triedAt' | 'costMs'>,
    { space, objects, points }: OrganizationSurvey,
  ): Promise<void> {
    const { database, tasks, log } = this.#parts
    await database.transaction(async (queries) => {
      await spaceSurveyRows.put(queries, { ...place, ...timing, surveyedAt: timing.triedAt, result: space })
      await spaceObjectRows.replace(
        queries,
        place,
        objects.map(({ key, identity, ...usage }) => ({ ...place, objectKey: key, identity, ...usage })),
      )
      await spacePointRows.replace(
        queries,
        place,
        points.map((point) => ({ ...place, ...point })),
      )
      await tasks.finish(queries, task)
    })
    log.info({ ...place, ...timing, points: space.points, objects: objects.length }, 'space surveyed')
    const repository = await repositoryRows.find(database.queries, place.repositoryId)
    if (repository !== undefined) await this.#note(repository)
  }

  async #noteDaily(repository: RepositoryRow): Promise<void> {
    const nowMs = this.#parts.clock.nowMs()
    const last = this.#noted.get(repository.id)
    if (last !== undefined && nowMs >= last && nowMs - last < HISTORY_MS) return
    this.#noted.set(repository.id, nowMs)
    await this.#note(repository)
  }

  /** How large it is today. A repository that cannot be reached has a gap. */
  async #note({ id }: RepositoryRow): Promise<void> {
    const { database, clock, repositories, log } = this.#parts
    try {
      const { freeSpaceBytes, isOutOfOrder } = await repositories.get(systemPrincipal, id)
      if (isOutOfOrder) return
      const organizations = await repositories.backedUpOrganizations(systemPrincipal, id)
      if (organizations.some(({ usedSpaceBytes }) => usedSpaceBytes === undefined)) return
      const at = clock.now()
      const day = at.toISOString().slice(0, 10)
      const needed = await this.#needed(id)
      const row = { repositoryId: id, day, at }
      await database.transaction(async (queries) => {
        for (const { organizationId, usedSpaceBytes = 0 } of organizations)
          await spaceHistoryRows.put(queries, {
            ...row,
            organizationId,
            usedBytes: usedSpaceBytes,
            ...neededIn(needed.get(organizationId)),
          })
        await spaceHistoryRows.put(queries, {
          ...row,
          organizationId: '',
          usedBytes: organizations.reduce((sum, { usedSpaceBytes = 0 }) => sum + usedSpaceBytes, 0),
          ...neededIn(
            needed.size === 0 ? undefined : [...needed.values()].reduce((sum, one) => sum + one, 0),
          ),
          ...(freeSpaceBytes === undefined ? {} : { freeBytes: freeSpaceBytes }),
        })
        const first = new Date(at.getTime() - HISTORY_DAYS * DAY_MS)
        await spaceHistoryRows.removeBefore(queries, first.toISOString().slice(0, 10))
      })
    } catch (error) {
      if (!isHoldfastError(error)) throw error
      log.warn({ repositoryId: id, message: messageOf(error) }, 'size not noted')
    }
  }

  async #needed(repositoryId: string): Promise<ReadonlyMap<string, number>> {
    const rows = await spaceSurveyRows.list(this.#parts.database.queries, { repositoryId })
    return new Map(
      rows.flatMap(({ organizationId, result }) =>
        result === undefined ? [] : [[organizationId, (result as OrganizationSpace).neededBytes] as const],
      ),
    )
  }
}

const neededIn = (neededBytes: number | undefined) => (neededBytes === undefined ? {} : { neededBytes })
