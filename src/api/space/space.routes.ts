import type { RepositorySpaceReport, Space, SurveyedOrganization } from '#engine'
import {
  answersList,
  answersNothing,
  answersObject,
  cut,
  type Call,
  type Operation,
} from '../contract/operation.ts'
import { administrator } from '../edge/policies.ts'
import {
  ObjectSpaceSchema,
  OrganizationSpaceSchema,
  PointSpaceSchema,
  RepositorySpaceSchema,
  SpaceDaySchema,
  SpaceQuery,
  SurveyBody,
} from './space.schema.ts'

const tag = 'Holdfast'
const access = administrator
const ok = { v4: 200 }
const base = '/Holdfast/BackupRepositories/{repositoryId}/Space'

/** What takes up how much, and for how long there is room. Holdfast's own, at every version. */
export const spaceOperations = (space: Space): readonly Operation[] => [
  answersObject(RepositorySpaceSchema, {
    method: 'GET',
    path: base,
    tag,
    summary: 'What a repository takes up, how much of it is needed, and when it will be full',
    access,
    status: ok,
    handle: async (call) => presentRepository(await space.repository(call.principal, idIn(call)), call),
  }),
  answersNothing({
    method: 'POST',
    path: `${base}/Surveys`,
    tag,
    summary: 'Looks anew, in the background, what takes up how much',
    access,
    body: SurveyBody,
    status: { v4: 202 },
    handle: async (call) => space.survey(call.principal, idIn(call), call.body),
  }),
  answersList(
    OrganizationSpaceSchema,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: `${base}/Organizations`,
      tag,
      summary: 'The same by organization, those with most first',
      access,
      status: ok,
      handle: async (call) =>
        cut((await space.organizations(call.principal, idIn(call))).map(presentOrganization), call.window),
    },
  ),
  answersList(
    SpaceDaySchema,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: `${base}/History`,
      tag,
      summary: 'How large a repository, or an organization in it, was day by day; oldest first',
      access,
      query: SpaceQuery,
      status: ok,
      handle: async (call) => {
        const days = await space.history(call.principal, idIn(call), call.query)
        return cut(
          days.map(({ at, ...day }) => ({ ...day, time: at })),
          call.window,
        )
      },
    },
  ),
  ...partOperations(space),
]

const partOperations = (space: Space): readonly Operation[] => [
  answersList(
    ObjectSpaceSchema,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: `${base}/Objects`,
      tag,
      summary: 'What each mailbox and OneDrive takes up; those first that would give back most',
      access,
      query: SpaceQuery,
      status: ok,
      handle: async (call) => {
        const page = await space.objects(call.principal, idIn(call), { ...call.window, ...call.query })
        const items = page.items.map(({ identity, key: _key, ...object }) => ({
          ...object,
          ...ratiosOf({ ...object, compressedBytes: object.storedBytes }),
          userId: identity.userId,
          objectType: identity.kind === 'mail' ? ('Mailbox' as const) : ('OneDrive' as const),
          displayName: identity.displayName,
          userPrincipalName: identity.principalName,
          sharedBytes: object.storedBytes - object.exclusiveBytes,
        }))
        return { ...page, items }
      },
    },
  ),
  answersList(
    PointSpaceSchema,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: `${base}/RestorePoints`,
      tag,
      summary: 'What each restore point added; newest first',
      access,
      query: SpaceQuery,
      status: ok,
      handle: async (call) => {
        const page = await space.points(call.principal, idIn(call), { ...call.window, ...call.query })
        const items = page.items.map(({ sessionId, time, grownBytes, ...point }) => ({
          ...point,
          restorePointId: sessionId,
          backupTime: time,
          addedBytes: grownBytes,
        }))
        return { ...page, items }
      },
    },
  ),
]

const idIn = ({ params }: Pick<Call, 'params'>): string => params['repositoryId'] ?? ''

interface Amounts {
  readonly fileBytes?: number | undefined
  readonly dataBytes?: number | undefined
  readonly plainBytes?: number | undefined
  readonly compressedBytes?: number | undefined
}

/** Two digits behind the point; nothing where there is nothing to compare. */
const ratiosOf = ({ fileBytes, dataBytes, plainBytes, compressedBytes }: Amounts) => ({
  deduplicationRatio: ratio(fileBytes, dataBytes),
  compressionRatio: ratio(plainBytes, compressedBytes),
})

const ratio = (before: number | undefined, after: number | undefined): number | undefined =>
  before === undefined || after === undefined || after === 0
    ? undefined
    : Math.round((before / after) * 100) / 100

const presentSurveyed = (of: SurveyedOrganization | RepositorySpaceReport) => {
  const { fileBytes, dataBytes, plainBytes, storedBytes, neededBytes, wasteBytes, points, unreadable } = of
  return {
    ...(of.surveyedAt === undefined
      ? {}
      : { fileBytes, dataBytes, plainBytes, storedBytes, neededBytes, wasteBytes }),
    ...(of.surveyedAt === undefined ? {} : { restorePoints: points, unreadablePieces: unreadable }),
    ...ratiosOf({ fileBytes, dataBytes, plainBytes, compressedBytes: neededBytes }),
    surveyTime: of.surveyedAt,
    isSurveyUnderWay: of.isSurveying,
    details: of.details,
  }
}

const presentRepository = (report: RepositorySpaceReport, { link }: Pick<Call, 'link'>) => {
  const { repositoryId, usedBytes, capacityBytes, freeBytes, organizations, surveyedOrganizations } = report
  return {
    ...{ repositoryId, usedBytes, capacityBytes, freeBytes, organizations, surveyedOrganizations },
    ...presentSurveyed(report),
    ...(report.forecast === undefined ? {} : { forecast: presentForecast(report.forecast) }),
    _links: {
      repository: link(`/backuprepositories/${repositoryId}`),
      organizations: link(`/holdfast/backuprepositories/${repositoryId}/space/organizations`),
      objects: link(`/holdfast/backuprepositories/${repositoryId}/space/objects`),
      restorePoints: link(`/holdfast/backuprepositories/${repositoryId}/space/restorepoints`),
      history: link(`/holdfast/backuprepositories/${repositoryId}/space/history`),
    },
  }
}

const presentForecast = ({
  bytesPerDay,
  fullAt,
  ...forecast
}: NonNullable<RepositorySpaceReport['forecast']>) => ({
  ...forecast,
  growthBytesPerDay: bytesPerDay,
  fullTime: fullAt,
})

const presentOrganization = (organization: SurveyedOrganization) => {
  const { organizationId, name, usedBytes, shards } = organization
  return { organizationId, name, usedBytes, shards, ...presentSurveyed(organization) }
}
