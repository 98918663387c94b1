import { Type } from 'typebox'
import { links } from '../contract/pages.ts'
import { count, flag, integer, moment, object, oneOf, part, text, uuid } from '../contract/schema.ts'

const amounts = {
  fileBytes: count({
    description:
      'Sizes of the different files, mails included, of each mailbox and OneDrive: before anything is found twice.',
  }),
  dataBytes: count({ description: 'What is left of them when equal pieces count once.' }),
  plainBytes: count({ description: 'The same with folders and records, before compression.' }),
  deduplicationRatio: ratio('fileBytes by dataBytes.'),
  compressionRatio: ratio('plainBytes by the bytes that they are stored as.'),
}

function ratio(description: string) {
  return Type.Optional(Type.Number({ minimum: 0, description }))
}

const stored = {
  ...amounts,
  storedBytes: count({ description: 'Compressed and encrypted, in packs.' }),
  neededBytes: count({ description: 'Of these, what restore points and runs that are under way need.' }),
  wasteBytes: count({ description: 'Of these, what nothing needs: a clean-up gives most of it back.' }),
  unreadablePieces: count({ description: 'Pieces that could not be read: the numbers are too small then.' }),
  restorePoints: count(),
  surveyTime: moment({ description: 'When the numbers were found out.' }),
  isSurveyUnderWay: flag(),
  details: text({ description: 'Why the last survey came to nothing.' }),
}

const Forecast = object('HoldfastSpaceForecast', {
  days: count({ description: 'It is worked out from the sizes of so many days.' }),
  growthBytesPerDay: integer({ format: 'int64', description: 'Below zero where it shrinks.' }),
  in30DaysBytes: count(),
  in90DaysBytes: count(),
  fullTime: moment({
    description: 'When the room that is left is used up; left out where it is not growing.',
  }),
})

export const RepositorySpaceSchema = object('HoldfastRepositorySpace', {
  repositoryId: uuid(),
  usedBytes: count({ description: 'All files of the organizations on the storage.' }),
  capacityBytes: count(),
  freeBytes: count(),
  organizations: count(),
  surveyedOrganizations: count(),
  ...stored,
  forecast: part(Forecast, { description: 'From three days of sizes on.' }),
  _links: links(),
})

export const OrganizationSpaceSchema = object('HoldfastOrganizationSpace', {
  organizationId: uuid(),
  name: text(),
  usedBytes: count({
    description: 'All its files: so much is free when it goes. Nothing is shared with others.',
  }),
  shards: count(),
  ...stored,
})

export const ObjectSpaceSchema = object('HoldfastObjectSpace', {
  organizationId: uuid(),
  userId: text(),
  objectType: oneOf(['Mailbox', 'OneDrive']),
  displayName: text(),
  userPrincipalName: text(),
  ...amounts,
  storedBytes: count({ description: 'All that it needs, in all restore points, compressed and encrypted.' }),
  exclusiveBytes: count({
    description: 'Of these, what no other mailbox or OneDrive needs: so much goes with it.',
  }),
  sharedBytes: count(),
})

export const PointSpaceSchema = object('HoldfastRestorePointSpace', {
  restorePointId: uuid(),
  organizationId: uuid(),
  jobId: uuid(),
  jobName: text(),
  backupTime: moment(),
  addedBytes: count({ description: 'Stored bytes that no earlier restore point needs.' }),
  exclusiveBytes: count({
    description: 'Stored bytes that no other restore point needs: so much goes with it alone.',
  }),
})

export const SpaceDaySchema = object('HoldfastSpaceDay', {
  day: text({ description: '2026-11-24, in UTC.' }),
  time: moment(),
  usedBytes: count(),
  neededBytes: count({ description: 'By the surveys known then.' }),
  freeBytes: count({ description: 'Of the whole repository.' }),
})

export const SpaceQuery = Type.Object({ organizationId: uuid() })
export const SurveyBody = object('HoldfastSpaceSurveyToMake', {
  organizationId: uuid({ description: 'All organizations when left out.' }),
})
