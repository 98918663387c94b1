import { notFound, type Clock } from '#base'
import {
  repositoryOrganizationRows,
  repositoryRows,
  spaceHistoryRows,
  spaceObjectRows,
  spacePointRows,
  spaceSurveyRows,
  type Database,
  type Page,
  type PageRequest,
  type SpaceHistoryRow,
  type SpaceSurveyRow,
} from '#database'
import type { Audit } from '../access/audit.ts'
import { requireAdministrator, type Principal } from '../access/principal.ts'
import type { ObjectIdentity } from '../catalogue/object-state.ts'
import type { BackupRepositories } from '../repositories/backup-repositories.ts'
import type { TaskQueue } from '../tasks/task-queue.ts'
import { forecastOf, type Forecast } from './forecast.ts'
import { SPACE_SURVEY, surveyKey } from './space-runner.ts'
import type { ObjectSpace, OrganizationSpace, PointSpace } from './survey-organization.ts'

export interface SpaceParts {
  readonly database: Database
  readonly tasks: TaskQueue
  readonly repositories: Pick<BackupRepositories, 'get' | 'backedUpOrganizations'>
  readonly audit: Audit
  readonly clock: Clock
  /** Where surveys are made: told that one waits. */
  readonly runner: { wake(): void }
}

/** What is known of an organization's space; the numbers are those of the last survey that came to its end. */
export interface SurveyedOrganization extends Partial<OrganizationSpace> {
  readonly repositoryId: string
  readonly organizationId: string
  readonly name: string
  /** Files on the storage, as last measured. */
  readonly usedBytes?: number
  readonly surveyedAt?: Date
  /** Whether another look is under way or waits. */
  readonly isSurveying: boolean
  /** Why the last look came to nothing. */
  readonly details?: string
}

/** All organizations together. */
export interface RepositorySpaceReport extends OrganizationSpace {
  readonly repositoryId: string
  readonly usedBytes: number
  readonly capacityBytes?: number
  readonly freeBytes?: number
  /** The oldest of the surveys that count; undefined before the first. */
  readonly surveyedAt?: Date
  readonly organizations: number
  readonly surveyedOrganizations: number
  readonly isSurveying: boolean
  readonly details?: string
  readonly forecast?: Forecast
}

export interface OrganizationsObject extends ObjectSpace {
  readonly organizationId: string
}

export interface OrganizationsPoint extends PointSpace {
  readonly organizationId: string
}

export type SpaceDay = Omit<SpaceHistoryRow, 'repositoryId' | 'organizationId'>

export interface SpaceAsked extends PageRequest {
  readonly organizationId?: string | undefined
}

/** What takes up how much, and for how long there is room. For administrators alone. */
export class Space {
  readonly #parts: SpaceParts

  constructor(parts: SpaceParts) {
    this.#parts = parts
  }

  /** Queues a look at every organization of a repository, or at one. Those that wait already are no error. */
  async survey(
    principal: Principal,
    repositoryId: string,
    { organizationId }: Pick<SpaceAsked, 'organizationId'> = {},
  ): Promise<void> {
    requireAdministrator(principal)
    const { audit, database, tasks, runner } = this.#parts
    await audit.around(principal, 'space.survey', repositoryId, async () => {
      const places = await this.#places(repositoryId, organizationId)
      await database.transaction(async (queries) => {
        for (const { repositoryId: id, organizationId: owner } of places) {
          const place = { repositoryId: id, organizationId: owner }
          if ((await tasks.find(queries, SPACE_SURVEY, surveyKey(place))) !== undefined) continue
          // Due whatever the clock shows.
          const runAt = new Date(0)
          await tasks.add(queries, { kind: SPACE_SURVEY, key: surveyKey(place), payload: place, runAt })
        }
      })
      runner.wake()
    })
  }

  async repository(principal: Principal, repositoryId: string): Promise<RepositorySpaceReport> {
    const organizations = await this.organizations(principal, repositoryId)
    const { capacityBytes, freeSpaceBytes } = await this.#parts.repositories.get(principal, repositoryId)
    const surveyed = organizations.filter(({ surveyedAt }) => surveyedAt !== undefined)
    const total = (name: keyof OrganizationSpace): number =>
      surveyed.reduce((sum, one) => sum + (one[name] ?? 0), 0)
    const times = surveyed.map(({ surveyedAt }) => surveyedAt!.getTime())
    const details = organizations.find((one) => one.details !== undefined)?.details
    const history = await this.#history(repositoryId, '')
    const forecast = forecastOf(history, freeSpaceBytes, this.#parts.clock.now())
    return {
      repositoryId,
      usedBytes: organizations.reduce((sum, { usedBytes = 0 }) => sum + usedBytes, 0),
      ...(capacityBytes === undefined ? {} : { capacityBytes }),
      ...(freeSpaceBytes === undefined ? {} : { freeBytes: freeSpaceBytes }),
      ...(times.length === 0 ? {} : { surveyedAt: new Date(Math.min(...times)) }),
      organizations: organizations.length,
      surveyedOrganizations: surveyed.length,
      isSurveying: organizations.some(({ isSurveying }) => isSurveying),
      ...(details === undefined ? {} : { details }),
      shards: total('shards'),
      points: total('points'),
      fileBytes: total('fileBytes'),
      dataBytes: total('dataBytes'),
      plainBytes: total('plainBytes'),
      storedBytes: total('storedBytes'),
      neededBytes: total('neededBytes'),
      wasteBytes: total('wasteBytes'),
      unreadable: total('unreadable'),
      ...(forecast === undefined ? {} : { forecast }),
    }
  }

  /** Those with most first. */
  async organizations(principal: Principal, repositoryId: string): Promise<readonly SurveyedOrganization[]> {
    requireAdministrator(principal)
    const { database, repositories, tasks } = this.#parts
    const { queries } = database
    await this.#places(repositoryId, undefined)
    const surveys = new Map(
      (await spaceSurveyRows.list(queries, { repositoryId })).map((row) => [row.organizationId, row]),
    )
    const found: SurveyedOrganization[] = []
    for (const one of await repositories.backedUpOrganizations(principal, repositoryId)) {
      const place = { repositoryId, organizationId: one.organizationId }
      found.push({
        ...place,
        name: one.name,
        ...(one.usedSpaceBytes === undefined ? {} : { usedBytes: one.usedSpaceBytes }),
        isSurveying: (await tasks.find(queries, SPACE_SURVEY, surveyKey(place))) !== undefined,
        ...presentSurvey(surveys.get(one.organizationId)),
      })
    }
    return found.sort((a, b) => (b.usedBytes ?? 0) - (a.usedBytes ?? 0))
  }

  /** Those first that would give back most. */
  async objects(
    principal: Principal,
    repositoryId: string,
    asked: SpaceAsked = {},
  ): Promise<Page<OrganizationsObject>> {
    requireAdministrator(principal)
    await this.#places(repositoryId, asked.organizationId)
    const page = await spaceObjectRows.list(this.#parts.database.queries, { ...asked, repositoryId })
    const items = page.items.map(({ repositoryId: _, objectKey, identity, ...row }) => ({
      ...row,
      key: objectKey,
      identity: identity as ObjectIdentity,
    }))
    return { ...page, items }
  }

  /** Newest first. */
  async points(
    principal: Principal,
    repositoryId: string,
    asked: SpaceAsked = {},
  ): Promise<Page<OrganizationsPoint>> {
    requireAdministrator(principal)
    await this.#places(repositoryId, asked.organizationId)
    const page = await spacePointRows.list(this.#parts.database.queries, { ...asked, repositoryId })
    return { ...page, items: page.items.map(({ repositoryId: _, ...row }) => row) }
  }

  /** Day by day, oldest first: of the repository, or of one organization in it. */
  async history(
    principal: Principal,
    repositoryId: string,
    { organizationId }: Pick<SpaceAsked, 'organizationId'> = {},
  ): Promise<readonly SpaceDay[]> {
    requireAdministrator(principal)
    await this.#places(repositoryId, organizationId)
    return this.#history(repositoryId, organizationId ?? '')
  }

  async #history(repositoryId: string, organizationId: string): Promise<readonly SpaceDay[]> {
    const rows = await spaceHistoryRows.list(this.#parts.database.queries, { repositoryId, organizationId })
    return rows.map(({ repositoryId: _, organizationId: __, ...day }) => day)
  }

  async #places(repositoryId: string, organizationId: string | undefined) {
    const { queries } = this.#parts.database
    if ((await repositoryRows.find(queries, repositoryId)) === undefined)
      throw notFound('the backup repository is not known')
    const place = { repositoryId, ...(organizationId === undefined ? {} : { organizationId }) }
    const places = await repositoryOrganizationRows.list(queries, place)
    if (places.length === 0 && organizationId !== undefined)
      throw notFound('the organization has no data in the repository')
    return places
  }
}

const presentSurvey = (
  row: SpaceSurveyRow | undefined,
): Partial<OrganizationSpace> & Pick<SurveyedOrganization, 'surveyedAt' | 'details'> => ({
  ...(row?.result as OrganizationSpace | undefined),
  ...(row?.surveyedAt === undefined ? {} : { surveyedAt: row.surveyedAt }),
  ...(row?.details === undefined ? {} : { details: row.details }),
})
