import type { ExploreScope, Principal, RestorePoints, Restores, RestoreSessions } from '#engine'
import type { Static } from 'typebox'
import {
  answersList,
  answersNothing,
  answersObject,
  type Call,
  type Operation,
} from '../contract/operation.ts'
import { actionDoor } from '../contract/verbs.ts'
import {
  administrator,
  administratorOrOwner,
  organizationInPath,
  tenant,
  type Policy,
} from '../edge/policies.ts'
import { presentEvent, presentPoint, presentRestoreSession } from './present-restore-session.ts'
import {
  BackupOrganization,
  ExploreOptions,
  RepositoryExploreQuery,
  RestorePoint,
  RestorePointListQuery,
  RestoreSession,
  RestoreSessionEvent,
  RestoreSessionStatistics,
  SessionListQuery,
} from './restore-session.schema.ts'

const tag = 'RestoreSession'
const access = administratorOrOwner
const ok = { v4: 200 }

interface Parts {
  readonly restoreSessions: RestoreSessions
  readonly restores: Restores
  readonly restorePoints: RestorePoints
}

export const sessionIdIn = ({ params }: Pick<Call, 'params'>): string => params['restoreSessionId'] ?? ''

type Options = Static<typeof ExploreOptions>

const TAGS = new Map([
  ['Jobs', 'Job'],
  ['Organizations', 'Organization'],
  ['BackupRepositories', 'BackupRepository'],
])

const exploring = (
  sessions: RestoreSessions,
  path: string,
  policy: Policy,
  scopeOf: (call: Call<unknown, Options>) => ExploreScope,
): Operation =>
  answersObject(RestoreSession, {
    method: 'POST',
    path,
    tag: TAGS.get(path.split('/')[1] ?? '') ?? tag,
    summary: 'Opens a restore session',
    access: policy,
    body: ExploreOptions,
    status: { v4: 201, v6: 200, v8: 201 },
    handle: async (call) => {
      const { type, dateTime, reason } = call.body
      const session = await sessions.open(call.principal, {
        scope: scopeOf(call),
        type,
        clientHost: call.address,
        ...(dateTime === undefined ? {} : { at: new Date(dateTime) }),
        ...(reason === undefined ? {} : { reason }),
      })
      return presentRestoreSession(session, call)
    },
  })

/** The verb of a job: it stands among the others in the door of v4. */
export const exploreJob = (sessions: RestoreSessions): Operation =>
  exploring(sessions, '/Jobs/{jobId}/explore', administrator, ({ params }) => ({
    kind: 'job',
    jobId: params['jobId'] ?? '',
  }))

const organizationScope = (organizationId: string, { repositoryId }: Options): ExploreScope => ({
  kind: 'organization',
  organizationId,
  ...(repositoryId === undefined ? {} : { repositoryId }),
})

const ownOrganization = (principal: Principal): string =>
  principal.kind === 'organization' ? principal.organizationId : ''

/** Opening restore sessions, and what is known of them. */
export const restoreSessionOperations = (parts: Parts): readonly Operation[] => {
  const { restoreSessions } = parts
  const organization = exploring(
    restoreSessions,
    '/Organizations/{organizationId}/explore',
    organizationInPath,
    (call) => organizationScope(call.params['organizationId'] ?? '', call.body),
  )
  const own = exploring(restoreSessions, '/Organization/Explore', tenant, (call) =>
    organizationScope(ownOrganization(call.principal), call.body),
  )
  const later = (operation: Operation): Operation => ({ ...operation, since: 'v6' })
  return [
    actionDoor('/Organizations/{organizationId}', organization, { explore: organization }),
    actionDoor('/Organization', own, { explore: own }),
    later(organization),
    later(own),
    repositoryExplore(restoreSessions),
    ...stopping(parts),
    ...reading(parts),
    ...points(parts),
  ]
}

const repositoryExplore = (sessions: RestoreSessions): Operation => {
  const path = '/BackupRepositories/{repositoryId}/explore'
  const operation = exploring(sessions, path, administrator, ({ params, query }) => ({
    kind: 'repository',
    repositoryId: params['repositoryId'] ?? '',
    organizationId: String((query as { organizationId?: string }).organizationId ?? ''),
  }))
  return { ...operation, since: 'v7', query: RepositoryExploreQuery }
}

const stopping = ({ restoreSessions, restores }: Parts): readonly Operation[] => {
  const stop = answersNothing({
    method: 'POST',
    path: '/RestoreSessions/{restoreSessionId}/Stop',
    tag,
    summary: 'Ends a restore session; a restore under way is stopped',
    access,
    isAlwaysServed: true,
    status: { v4: 200, v8: 204 },
    handle: async (call) => {
      await restores.stop(call.principal, sessionIdIn(call))
      await restoreSessions.stop(call.principal, sessionIdIn(call))
    },
  })
  return [actionDoor('/RestoreSessions/{restoreSessionId}', stop, { stop }), { ...stop, since: 'v6' }]
}

/** The bounds that are given. */
const boundsOf = (
  query: Static<typeof SessionListQuery>,
): NonNullable<Parameters<RestoreSessions['list']>[1]> => {
  const bounds = {
    startedFrom: query.startTimeFrom,
    startedTo: query.startTimeTo,
    endedFrom: query.endTimeFrom,
    endedTo: query.endTimeTo,
  }
  const given = Object.entries(bounds).flatMap(([name, bound]) =>
    bound === undefined ? [] : [[name, new Date(bound)] as const],
  )
  return Object.fromEntries(given)
}

const reading = ({ restoreSessions }: Parts): readonly Operation[] => [
  answersList(
    RestoreSession,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: '/RestoreSessions',
      tag,
      summary: 'Restore sessions, newest first',
      access,
      query: SessionListQuery,
      status: ok,
      handle: async (call) => {
        const filter = { ...call.window, ...boundsOf(call.query) }
        const page = await restoreSessions.list(call.principal, filter)
        return { ...page, items: page.items.map((session) => presentRestoreSession(session, call)) }
      },
    },
  ),
  answersObject(RestoreSession, {
    method: 'GET',
    path: '/RestoreSessions/{restoreSessionId}',
    tag,
    summary: 'One restore session',
    access,
    status: ok,
    handle: async (call) =>
      presentRestoreSession(await restoreSessions.get(call.principal, sessionIdIn(call)), call),
  }),
  answersList(
    RestoreSessionEvent,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: '/RestoreSessions/{restoreSessionId}/Events',
      tag: 'RestoreSessionEvent',
      summary: 'What happened in a restore session, oldest first',
      access,
      status: ok,
      handle: async (call) => {
        const page = await restoreSessions.events(call.principal, sessionIdIn(call), call.window)
        const session = await restoreSessions.get(call.principal, sessionIdIn(call))
        return { ...page, items: page.items.map((event) => presentEvent(event, session, call)) }
      },
    },
  ),
  answersObject(RestoreSessionEvent, {
    method: 'GET',
    path: '/RestoreSessions/{restoreSessionId}/Events/{eventId}',
    tag: 'RestoreSessionEvent',
    summary: 'One event',
    access,
    status: ok,
    handle: async (call) => {
      const id = sessionIdIn(call)
      const event = await restoreSessions.event(call.principal, id, call.params['eventId'] ?? '')
      return presentEvent(event, await restoreSessions.get(call.principal, id), call)
    },
  }),
  answersObject(RestoreSessionStatistics, {
    method: 'GET',
    path: '/RestoreSessions/{restoreSessionId}/Statistics',
    since: 'v8',
    tag,
    summary: 'How far a restore has come',
    access,
    status: ok,
    handle: async (call) => {
      const { statistics } = await restoreSessions.get(call.principal, sessionIdIn(call))
      const { items } = await restoreSessions.events(call.principal, sessionIdIn(call), { limit: 1_000 })
      const told = items.filter(({ status }) => status === 'Failed' || status === 'Warning')
      const lines = (wanted: string) =>
        told.filter(({ status }) => status === wanted).map(({ title, message }) => `${title}: ${message}`)
      return {
        totalItemsCount: statistics.total,
        restoredItemsCount: statistics.created + statistics.updated,
        failedItemsCount: statistics.failed,
        skippedItemsCount: statistics.skipped,
        warnings: lines('Warning'),
        errors: lines('Failed'),
        items: told.map(({ title, status, message }) => ({ name: title, status, message })),
      }
    },
  }),
  answersObject(BackupOrganization, {
    method: 'GET',
    path: '/RestoreSessions/{restoreSessionId}/Organization',
    tag: 'BackupOrganization',
    summary: 'The organization that is looked at',
    access,
    status: ok,
    handle: async (call) => {
      const { session } = await restoreSessions.view(call.principal, sessionIdIn(call))
      const self = `/restoresessions/${session.id}/organization`
      const inside = session.type === 'Vex' ? 'mailboxes' : 'onedrives'
      return {
        id: session.organizationId,
        name: session.organizationName,
        type: 'Office365' as const,
        _links: { self: call.link(self), [inside]: call.link(`${self}/${inside}`) },
      }
    },
  }),
]

/** Nothing is kept for the long term in archives or retrieved from archives, and groups, sites and teams are not protected yet. */
const asksForWhatIsNotHeld = (query: Static<typeof RestorePointListQuery>): boolean =>
  [query.isLongTermCopy, query.isRetrieved].includes(true) ||
  [query.groupId, query.siteId, query.teamId].some((id) => id !== undefined)

const points = ({ restorePoints }: Parts): readonly Operation[] => [
  answersList(
    RestorePoint,
    { pagedSince: 'v7' },
    {
      method: 'GET',
      path: '/RestorePoints',
      since: 'v6',
      tag: 'RestorePoint',
      summary: 'Restore points, newest first',
      access,
      query: RestorePointListQuery,
      status: ok,
      handle: async (call) => {
        if (asksForWhatIsNotHeld(call.query)) return { items: [], totalCount: 0 }
        const { organizationId, jobId, repositoryId, userId, from, to, orderAsc, isCopy } = call.query
        const page = await restorePoints.list(call.principal, {
          ...call.window,
          ...(organizationId === undefined ? {} : { organizationId }),
          ...(jobId === undefined ? {} : { jobId }),
          ...(repositoryId === undefined ? {} : { repositoryId }),
          ...(userId === undefined ? {} : { userId }),
          ...(isCopy === undefined ? {} : { isCopy }),
          ...(from === undefined ? {} : { from: new Date(from) }),
          ...(to === undefined ? {} : { to: new Date(to) }),
          oldestFirst: orderAsc === true,
        })
        return { ...page, items: page.items.map((point) => presentPoint(point, call)) }
      },
    },
  ),
  answersObject(RestorePoint, {
    method: 'GET',
    path: '/RestorePoints/{restorePointId}',
    since: 'v6',
    tag: 'RestorePoint',
    summary: 'One restore point',
    access,
    status: ok,
    handle: async (call) =>
      presentPoint(await restorePoints.get(call.principal, call.params['restorePointId'] ?? ''), call),
  }),
]
