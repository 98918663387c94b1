import type { JobSession, LogItem } from '#engine'
import type { Call } from '../contract/operation.ts'

export const presentSession = (session: JobSession, { link }: Pick<Call, 'link'>) => ({
  ...session,
  _links: {
    self: link(`/jobsessions/${session.id}`),
    log: link(`/jobsessions/${session.id}/logitems`),
    job: link(session.jobType === 'Copy' ? `/copyjobs/${session.jobId}` : `/jobs/${session.jobId}`),
  },
})

export const presentLogItem = (item: LogItem, { link }: Pick<Call, 'link'>) => ({
  ...item,
  title: item.message,
  _links: {
    self: link(`/jobsessions/${item.sessionId}/logitems/${item.id}`),
    jobsession: link(`/jobsessions/${item.sessionId}`),
  },
})
