import type { JobInput, Jobs } from '#engine'
import type { Static } from 'typebox'
import { answersList, answersNothing, answersObject, type Operation } from '../contract/operation.ts'
import { administrator, administratorOrOwner, organizationInPath } from '../edge/policies.ts'
import { itemInput } from './job-items.ts'
import { Job, JobBody, JobQuery, NewJob, NewJobOfOrganization } from './job.schema.ts'
import { presentJob } from './present-job.ts'

const tag = 'Job'
const ok = { v4: 200 }

/** Backup jobs: adding, changing, removing. Their verbs and items have files of their own. */
export const jobOperations = (jobs: Jobs): readonly Operation[] => [
  answersList(
    Job,
    { pagedSince: 'v8' },
    {
      method: 'GET',
      path: '/Jobs',
      tag,
      summary: 'All jobs, by name',
      access: administratorOrOwner,
      query: JobQuery,
      status: ok,
      handle: async (call) => {
        const { organizationId, repositoryId } = call.query
        const filter = { ...call.window, ...given({ organizationId, repositoryId }) }
        const page = await jobs.list(call.principal, filter)
        return { ...page, items: page.items.map((job) => presentJob(job, call)) }
      },
    },
  ),
  ...jobsOfOrganization(jobs),
  answersObject(Job, {
    method: 'POST',
    path: '/Jobs',
    since: 'v8',
    tag,
    summary: 'Adds a job',
    access: administrator,
    body: NewJobOfOrganization,
    status: { v8: 201 },
    handle: async (call) => {
      const { organizationId } = call.body
      return presentJob(await jobs.add(call.principal, { ...inputOf(call.body), organizationId }), call)
    },
  }),
  answersObject(Job, {
    method: 'GET',
    path: '/Jobs/{jobId}',
    tag,
    summary: 'One job',
    access: administratorOrOwner,
    status: ok,
    handle: async (call) => presentJob(await jobs.get(call.principal, idIn(call.params)), call),
  }),
  answersNothing({
    method: 'PUT',
    path: '/Jobs/{jobId}',
    tag,
    summary: 'Changes a job; what is left out stays',
    access: administrator,
    body: JobBody,
    status: { v4: 200, v6: 204 },
    handle: async (call) => {
      await jobs.update(call.principal, idIn(call.params), inputOf(call.body))
    },
  }),
  answersNothing({
    method: 'DELETE',
    path: '/Jobs/{jobId}',
    tag,
    summary: 'Removes a job; its restore points stay',
    access: administrator,
    status: { v4: 200, v5: 204 },
    handle: async (call) => jobs.remove(call.principal, idIn(call.params)),
  }),
]

const jobsOfOrganization = (jobs: Jobs): readonly Operation[] => [
  answersList(
    Job,
    { pagedSince: 'v8' },
    {
      method: 'GET',
      path: '/Organizations/{organizationId}/Jobs',
      tag,
      summary: 'The jobs of an organization',
      access: organizationInPath,
      status: ok,
      handle: async (call) => {
        const organizationId = call.params['organizationId'] ?? ''
        const page = await jobs.list(call.principal, { ...call.window, organizationId })
        return { ...page, items: page.items.map((job) => presentJob(job, call)) }
      },
    },
  ),
  answersObject(Job, {
    method: 'POST',
    path: '/Organizations/{organizationId}/Jobs',
    until: 'v8',
    tag,
    summary: 'Adds a job',
    access: administrator,
    body: NewJob,
    status: { v4: 201, v6: 200 },
    handle: async (call) => {
      const organizationId = call.params['organizationId'] ?? ''
      return presentJob(await jobs.add(call.principal, { ...inputOf(call.body), organizationId }), call)
    },
  }),
]

const idIn = (params: Readonly<Record<string, string>>): string => params['jobId'] ?? ''

/** Only what was given: an absent property is another thing than an undefined one. */
const given = <Values extends Readonly<Record<string, string | undefined>>>(values: Values) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Values]?: string
  }

const inputOf = (body: Static<typeof JobBody>): JobInput => ({
  name: body.name,
  description: body.description,
  backupType: body.backupType,
  repositoryId: body.repositoryId,
  isEnabled: body.isEnabled,
  runNow: body.runNow,
  selectedItems: body.selectedItems?.map(itemInput),
  excludedItems: body.excludedItems?.map(itemInput),
  schedulePolicy: body.schedulePolicy === undefined ? undefined : policyOf(body.schedulePolicy),
})

type Policy = NonNullable<Static<typeof JobBody>['schedulePolicy']>

const policyOf = ({ backupWindowSettings, periodicallyWindowSettings, ...policy }: Policy) => ({
  ...policy,
  ...(backupWindowSettings === undefined ? {} : { backupWindowSettings: windowOf(backupWindowSettings) }),
  ...(periodicallyWindowSettings === undefined
    ? {}
    : { periodicallyWindowSettings: windowOf(periodicallyWindowSettings) }),
})

const windowOf = ({ backupWindow = [], minuteOffset = 0 }: NonNullable<Policy['backupWindowSettings']>) => ({
  backupWindow,
  minuteOffset,
})
