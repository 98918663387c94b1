import type { Jobs } from '#engine'
import { answersNothing, answersObject, type Operation } from '../contract/operation.ts'
import { verbs } from '../contract/verbs.ts'
import { administrator } from '../edge/policies.ts'
import { JobSession } from '../sessions/job-session.schema.ts'
import { presentSession } from '../sessions/present-session.ts'
import { StartOptions } from './job.schema.ts'

const tag = 'Job'
const access = administrator
/** State changes answer 200 from one door of v4 and v5, and 204 from their own path. */
const status = { v4: 200, v6: 204 }

/** Starting, stopping, enabling and disabling jobs. `more` are further verbs of a job, such as explore. */
export const jobVerbs = (jobs: Jobs, more: readonly Operation[] = []): readonly Operation[] =>
  verbs('/Jobs/{jobId}', [
    answersNothing({
      method: 'POST',
      path: '/Jobs/{jobId}/start',
      until: 'v8',
      tag,
      summary: 'Starts the job',
      access,
      body: StartOptions,
      status,
      handle: async (call) => {
        await jobs.start(call.principal, idIn(call.params), call.body)
      },
    }),
    answersObject(JobSession, {
      method: 'POST',
      path: '/Jobs/{jobId}/start',
      since: 'v8',
      tag,
      summary: 'Starts the job',
      access,
      body: StartOptions,
      status: { v8: 200 },
      handle: async (call) =>
        presentSession(await jobs.start(call.principal, idIn(call.params), call.body), call),
    }),
    answersNothing({
      method: 'POST',
      path: '/Jobs/{jobId}/stop',
      tag,
      summary: 'Asks the run to stop',
      access,
      isAlwaysServed: true,
      status,
      handle: async (call) => jobs.stop(call.principal, idIn(call.params)),
    }),
    answersNothing({
      method: 'POST',
      path: '/Jobs/{jobId}/enable',
      tag,
      summary: 'Lets the schedule start the job',
      access,
      status,
      handle: async (call) => jobs.enable(call.principal, idIn(call.params)),
    }),
    answersNothing({
      method: 'POST',
      path: '/Jobs/{jobId}/disable',
      tag,
      summary: 'Keeps the schedule from starting the job',
      access,
      status,
      handle: async (call) => jobs.disable(call.principal, idIn(call.params)),
    }),
    ...more,
  ])

const idIn = (params: Readonly<Record<string, string>>): string => params['jobId'] ?? ''
