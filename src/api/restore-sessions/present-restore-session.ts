import type { OrganizationRestorePoint, RestoreEvent, RestoreSession } from '#engine'
import type { Call } from '../contract/operation.ts'

type Linking = Pick<Call, 'link'>

export const presentRestoreSession = (session: RestoreSession, { link }: Linking) => {
  const self = `/restoresessions/${session.id}`
  return {
    ...session,
    organization: session.organizationName,
    eTag: session.endTime?.getTime() ?? session.creationTime.getTime(),
    _links: { self: link(self), organization: link(`${self}/organization`), events: link(`${self}/events`) },
  }
}

const durationText = (fromMs: number, toMs: number): string => {
  const total = Math.max(0, Math.round((toMs - fromMs) / 1000))
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${two(Math.floor(total / 3600))}:${two(Math.floor(total / 60) % 60)}:${two(total % 60)}`
}

export const presentEvent = (event: RestoreEvent, session: RestoreSession, { link }: Linking) => ({
  ...event,
  organizationId: session.organizationId,
  duration: durationText(event.startTime.getTime(), (event.endTime ?? event.startTime).getTime()),
  _links: {
    self: link(`/restoresessions/${session.id}/events/${event.id}`),
    session: link(`/restoresessions/${session.id}`),
  },
})

export const presentPoint = (point: OrganizationRestorePoint, { link }: Linking) => ({
  ...point,
  isDeleted: false,
  isSharePoint: false,
  isTeams: false,
  isLongTermCopy: false,
  isRetrieved: false,
  eTag: point.backupTime.getTime(),
  _links: {
    self: link(`/restorepoints/${point.id}`),
    job: link(`/jobs/${point.jobId}`),
    organization: link(`/organizations/${point.organizationId}`),
    repository: link(`/backuprepositories/${point.repositoryId}`),
  },
})
