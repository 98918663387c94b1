import type { CopyJob as EngineCopyJob, CopyJobInput, CopyJobs, Jobs } from '#engine'
import type { Static } from 'typebox'
import {
  answersList,
  answersNothing,
  answersObject,
  type Call,
  type Operation,
} from '../contract/operation.ts'
import { administrator, administratorOrOwner } from '../edge/policies.ts'
import { Job, StartOptions } from '../jobs/job.schema.ts'
import { presentJob } from '../jobs/present-job.ts'
import { JobSession } from '../sessions/job-session.schema.ts'
import { presentSession } from '../sessions/present-session.ts'
import { CopyJob, CopyJobBody, CopyJobQuery, NewCopyJob } from './copy-job.schema.ts'

const tag = 'CopyJob'
const ok = { v6: 200 }
const done = { v6: 204 }
const one = '/CopyJobs/{copyJobId}'

/** Jobs that copy the restore points of backup jobs to another repository. */
export const copyJobOperations = ({
  copyJobs,
  jobs,
}: {
  readonly copyJobs: CopyJobs
  readonly jobs: Jobs
}): readonly Operation[] => [
  answersList(
    CopyJob,
    { pagedSince: 'v8' },
    {
      method: 'GET',
      path: '/CopyJobs',
      since: 'v6',
      tag,
      summary: 'All copy jobs, by name',
      access: administratorOrOwner,
      query: CopyJobQuery,
      status: ok,
      handle: async (call) => {
        const { organizationId, repositoryId } = call.query
        const page = await copyJobs.list(call.principal, {
          ...call.window,
          ...(organizationId === undefined ? {} : { organizationId }),
          ...(repositoryId === undefined ? {} : { repositoryId }),
        })
        return { ...page, items: page.items.map((job) => presentCopyJob(job, call)) }
      },
    },
  ),
  answersObject(CopyJob, {
    method: 'POST',
    path: '/CopyJobs',
    since: 'v6',
    tag,
    summary: 'Adds a copy job',
    access: administrator,
    body: NewCopyJob,
    status: { v6: 200, v8: 201 },
    handle: async (call) => presentCopyJob(await copyJobs.add(call.principal, inputOf(call.body)), call),
  }),
  ...oneCopyJob(copyJobs),
  ...neighbours(copyJobs, jobs),
  ...copyJobVerbs(copyJobs),
]

const oneCopyJob = (copyJobs: CopyJobs): readonly Operation[] => [
  answersObject(CopyJob, {
    method: 'GET',
    path: one,
    since: 'v6',
    tag,
    summary: 'One copy job',
    access: administratorOrOwner,
    status: ok,
    handle: async (call) => presentCopyJob(await copyJobs.get(call.principal, idIn(call)), call),
  }),
  answersNothing({
    method: 'PUT',
    path: one,
    since: 'v6',
    tag,
    summary: 'Changes a copy job; what is left out stays',
    access: administrator,
    body: CopyJobBody,
    status: done,
    handle: async (call) => {
      await copyJobs.update(call.principal, idIn(call), inputOf(call.body))
    },
  }),
  answersNothing({
    method: 'DELETE',
    path: one,
    since: 'v6',
    tag,
    summary: 'Removes a copy job; what it copied stays',
    access: administrator,
    status: done,
    handle: async (call) => copyJobs.remove(call.principal, idIn(call)),
  }),
]

const neighbours = (copyJobs: CopyJobs, jobs: Jobs): readonly Operation[] => [
  answersObject(Job, {
    method: 'GET',
    path: `${one}/BackupJob`,
    since: 'v6',
    tag,
    summary: 'The backup job that is copied',
    access: administratorOrOwner,
    status: ok,
    handle: async (call) => {
      const { backupJobId } = await copyJobs.get(call.principal, idIn(call))
      return presentJob(await jobs.get(call.principal, backupJobId), call)
    },
  }),
  answersObject(CopyJob, {
    method: 'GET',
    path: '/Jobs/{jobId}/CopyJob',
    since: 'v6',
    tag: 'Job',
    summary: 'The copy job of a job',
    access: administratorOrOwner,
    status: ok,
    handle: async (call) => {
      const { id } = await jobs.get(call.principal, call.params['jobId'] ?? '')
      return presentCopyJob(await copyJobs.ofBackupJob(call.principal, id), call)
    },
  }),
]

const copyJobVerbs = (copyJobs: CopyJobs): readonly Operation[] => [
  answersNothing({
    method: 'POST',
    path: `${one}/start`,
    since: 'v6',
    until: 'v8',
    tag,
    summary: 'Starts the copy job',
    access: administrator,
    body: StartOptions,
    status: done,
    handle: async (call) => {
      await copyJobs.start(call.principal, idIn(call), call.body)
    },
  }),
  answersObject(JobSession, {
    method: 'POST',
    path: `${one}/start`,
    since: 'v8',
    tag,
    summary: 'Starts the copy job',
    access: administrator,
    body: StartOptions,
    status: { v8: 200 },
    handle: async (call) => presentSession(await copyJobs.start(call.principal, idIn(call), call.body), call),
  }),
  answersNothing({
    method: 'POST',
    path: `${one}/stop`,
    since: 'v6',
    tag,
    summary: 'Asks the copy to stop',
    access: administrator,
    isAlwaysServed: true,
    status: done,
    handle: async (call) => copyJobs.stop(call.principal, idIn(call)),
  }),
  answersNothing({
    method: 'POST',
    path: `${one}/enable`,
    since: 'v6',
    tag,
    summary: 'Lets the schedule start the copy job',
    access: administrator,
    status: done,
    handle: async (call) => copyJobs.setEnabled(call.principal, idIn(call), true),
  }),
  answersNothing({
    method: 'POST',
    path: `${one}/disable`,
    since: 'v6',
    tag,
    summary: 'Keeps the schedule from starting the copy job',
    access: administrator,
    status: done,
    handle: async (call) => copyJobs.setEnabled(call.principal, idIn(call), false),
  }),
]

const idIn = ({ params }: Pick<Call, 'params'>): string => params['copyJobId'] ?? ''

const presentCopyJob = (job: EngineCopyJob, { link }: Pick<Call, 'link'>) => {
  const path = `/copyjobs/${job.id}`
  return {
    ...job,
    _links: {
      self: link(path),
      backupJob: link(`${path}/backupjob`),
      backupRepository: link(`/backuprepositories/${job.repositoryId}`),
      jobSessions: link(`/jobsessions?jobId=${job.id}`),
    },
  }
}

const inputOf = ({ schedulePolicy, ...body }: Static<typeof CopyJobBody>): CopyJobInput => ({
  ...body,
  ...(schedulePolicy === undefined ? {} : { schedulePolicy: scheduleOf(schedulePolicy) }),
})

type Schedule = NonNullable<Static<typeof CopyJobBody>['schedulePolicy']>

const scheduleOf = ({ backupCopyWindowSettings: window, ...policy }: Schedule) => ({
  ...policy,
  ...(window === undefined
    ? {}
    : {
        backupCopyWindowSettings: {
          backupWindow: window.backupWindow ?? [],
          minuteOffset: window.minuteOffset ?? 0,
        },
      }),
})
