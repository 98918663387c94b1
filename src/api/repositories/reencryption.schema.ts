import { links } from '../contract/pages.ts'
import { count, flag, listOf, moment, object, oneOf, text, uuid } from '../contract/schema.ts'
import { SESSION_STATUSES } from '../jobs/job.schema.ts'

export const StartReencryption = object('HoldfastStartReencryption', {
  fresh: flag({
    description: 'Gives up what an earlier run that was stopped has written, and its key.',
  }),
})

export const ReencryptionSchema = object('HoldfastReencryption', {
  id: uuid(),
  repositoryId: uuid(),
  initiatedBy: text(),
  status: oneOf(SESSION_STATUSES),
  creationTime: moment(),
  endTime: moment(),
  details: text(),
  organizations: listOf(
    object('HoldfastReencryptedOrganization', {
      organizationId: uuid(),
      name: text(),
      step: oneOf(['Queued', 'Copying', 'Verifying', 'Waiting', 'Turning', 'Removing', 'Done'], {
        description:
          'Backups go on, but for the short while of Turning. From Removing on the new key is in force.',
      }),
      restorePoints: count({ description: 'Under the new key, those of each shard counted.' }),
      copiedBlobs: count(),
      writtenBytes: count(),
      verifiedPacks: count({ description: 'Read back, and compared with their hashes.' }),
      formerFolder: text({ description: 'Data that the earlier key opens, while the storage keeps it.' }),
      formerKeptUntilTime: moment(),
    }),
  ),
  _links: links(),
})
