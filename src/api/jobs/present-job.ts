import type { Job } from '#engine'
import type { Call } from '../contract/operation.ts'

export const presentJob = (job: Job, { link }: Pick<Call, 'link'>) => {
  const path = `/jobs/${job.id}`
  return {
    ...job,
    _links: {
      self: link(path),
      organization: link(`/organizations/${job.organizationId}`),
      backupRepository: link(`/backuprepositories/${job.repositoryId}`),
      jobsessions: link(`${path}/jobsessions`),
      selectedItems: link(`${path}/selecteditems`),
      excludedItems: link(`${path}/excludeditems`),
    },
  }
}
