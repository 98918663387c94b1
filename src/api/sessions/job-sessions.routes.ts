import type { Jobs, JobSessions, SessionFilter } from '#engine'
import type { Static } from 'typebox'
import { answersList, answersObject, type Call, type Operation } from '../contract/operation.ts'
import { administratorOrOwner } from '../edge/policies.ts'
import { JobSession, LogItem, SessionQuery } from './job-session.schema.ts'
import { presentLogItem, presentSession } from './present-session.ts'

const access = administratorOrOwner
const status = { v4: 200 }
const tag = 'JobSession'

/** Runs of jobs and their logs, for reading. */
export const jobSessionOperations = (
  sessions: JobSessions,
  jobs: Pick<Jobs, 'get'>,
): readonly Operation[] => [
  answersList(
    JobSession,
    { pagedSince: 'v5' },
    {
      method: 'GET',
      path: '/JobSessions',
      tag,
      summary: 'All sessions, newest first',
      access,
      query: SessionQuery,
      status,
      handle: async (call) => listSessions(sessions, call, filterOf(call.query)),
    },
  ),
  answersList(
    JobSession,
    { pagedSince: 'v5' },
    {
      method: 'GET',
      path: '/Jobs/{jobId}/JobSessions',
      tag,
      summary: 'The sessions of a job, newest first',
      access,
      query: SessionQuery,
      status,
      handle: async (call) => {
        const { id: jobId } = await jobs.get(call.principal, call.params['jobId'] ?? '')
        return listSessions(sessions, call, { ...filterOf(call.query), jobId })
      },
    },
  ),
  answersObject(JobSession, {
    method: 'GET',
    path: '/JobSessions/{sessionId}',
    tag,
    summary: 'One session',
    access,
    status,
    handle: async (call) =>
      presentSession(await sessions.get(call.principal, call.params['sessionId'] ?? ''), call),
  }),
  answersList(
    LogItem,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: '/JobSessions/{sessionId}/LogItems',
      tag,
      summary: 'What a session has logged, in order',
      access,
      status,
      handle: async (call) => {
        const page = await sessions.logItems(call.principal, call.params['sessionId'] ?? '', call.window)
        return { ...page, items: page.items.map((item) => presentLogItem(item, call)) }
      },
    },
  ),
  answersObject(LogItem, {
    method: 'GET',
    path: '/JobSessions/{sessionId}/LogItems/{logItemId}',
    tag,
    summary: 'One row of the log',
    access,
    status,
    handle: async (call) => {
      const { sessionId = '', logItemId = '' } = call.params
      return presentLogItem(await sessions.logItem(call.principal, sessionId, logItemId), call)
    },
  }),
]

const listSessions = async (
  sessions: JobSessions,
  call: Pick<Call, 'principal' | 'window' | 'link'>,
  filter: SessionFilter,
) => {
  const page = await sessions.list(call.principal, { ...filter, ...call.window })
  return { ...page, items: page.items.map((session) => presentSession(session, call)) }
}

const dated = <Name extends string>(name: Name, value: Date | string | undefined) =>
  value === undefined ? {} : { [name]: new Date(value) }

const filterOf = (query: Static<typeof SessionQuery>): SessionFilter => ({
  ...(query.jobId === undefined ? {} : { jobId: query.jobId }),
  ...(query.jobType === undefined ? {} : { jobType: query.jobType }),
  ...(query.status === undefined ? {} : { status: query.status }),
  ...dated('creationTimeLowerBound', query.startTimeFrom),
  ...dated('creationTimeUpperBound', query.startTimeTo),
  ...dated('endTimeLowerBound', query.endTimeLowerBound),
  ...dated('endTimeUpperBound', query.endTimeUpperBound),
})
