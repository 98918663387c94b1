import { Type } from 'typebox'
import { links } from '../contract/pages.ts'
import {
  count,
  flag,
  integer,
  listOf,
  moment,
  needed,
  object,
  oneOf,
  part,
  text,
  uuid,
} from '../contract/schema.ts'
import { SESSION_STATUSES } from '../jobs/job.schema.ts'

export const TrustRunSchema = object('HoldfastTrustRun', {
  id: uuid(),
  kind: oneOf(['Verification', 'Repair', 'RestoreTest', 'Recovery']),
  repositoryId: uuid(),
  initiatedBy: text(),
  status: oneOf(SESSION_STATUSES),
  creationTime: moment(),
  endTime: moment(),
  details: text(),
  data: oneOf(['None', 'Share', 'All']),
  dryRun: flag(),
  to: moment({ description: 'Of a recovery: the moment to come back to.' }),
  seed: count({ description: 'Of a restore test: the same seed chooses the same items.' }),
  packs: count(),
  snapshots: count(),
  readPacks: count({ description: 'Packs whose data was read.' }),
  readBytes: count(),
  problems: count(),
  damagedItems: count({ description: 'Items that the problems touch.' }),
  healedItems: count({ description: 'Of these, those that are whole again.' }),
  tested: count({ description: 'Items that were read back.' }),
  equal: count(),
  differing: count(),
  notComparable: count(),
  uncoveredFiles: count({ description: 'Files that were removed and are there again.' }),
  restoredFiles: count({ description: 'Files that were written over and are as they were.' }),
  setAsideFiles: count({ description: 'Files that came later.' }),
  _links: links(),
})

export const FindingSchema = object('HoldfastFinding', {
  type: oneOf(['Problem', 'Item', 'Done', 'Note', 'File']),
  organizationId: uuid(),
  kind: text(),
  name: text({ description: 'Subject or file name.' }),
  path: text(),
  file: text({ description: 'In the storage.' }),
  message: text(),
  status: text(),
  sizeBytes: count(),
})

const Remark = object('HoldfastRestoreTestRemark', {
  item: text(),
  outcome: oneOf(['Differs', 'NotComparable']),
  why: text(),
})

export const TestedObjectSchema = object('HoldfastTestedObject', {
  organizationId: uuid(),
  objectType: oneOf(['Mailbox', 'OneDrive']),
  name: text(),
  backupTime: moment({ description: 'Of the restore point that was read.' }),
  items: count(),
  tested: count(),
  equal: count(),
  equalToTenant: count({ description: 'Of the equal ones: compared with the item as it is in the tenant.' }),
  differing: count(),
  notComparable: count(),
  remarks: listOf(Remark),
})

export const DamagedItemSchema = object('HoldfastDamagedItem', {
  id: uuid(),
  organizationId: uuid(),
  kind: oneOf(['Mail', 'Document', 'Folder', 'Catalogue']),
  name: text(),
  path: text(),
  problem: text(),
  restorePoints: count({ description: 'That need it.' }),
  foundTime: moment(),
  status: oneOf(['Damaged', 'Waiting', 'Lost', 'Healed', 'Gone']),
  endTime: moment(),
})

export const DamagedQuery = Type.Object({ all: flag({ description: 'Also what is whole again, or gone.' }) })

export const TrustStateSchema = object('HoldfastTrust', {
  repositoryId: uuid(),
  verifyDaily: flag(),
  restoreTests: flag(),
  restoreTestDays: count(),
  restoreTestItems: count({ description: 'Of each mailbox and OneDrive.' }),
  lastVerifiedTime: moment(),
  nextVerificationTime: moment(),
  nextRestoreTestTime: moment(),
  damagedItems: count(),
  lastRestoreTest: part(TrustRunSchema),
})

export const TrustSettingsBody = object('HoldfastTrustToSave', {
  verifyDaily: flag(),
  restoreTests: flag(),
  restoreTestDays: integer({ minimum: 1, maximum: 366 }),
  restoreTestItems: integer({ minimum: 1, maximum: 10_000 }),
})

export const StartVerification = object('HoldfastStartVerification', {
  data: oneOf(['None', 'Share', 'All'], {
    description: 'Whose data is read: a share is a thirtieth, the next one.',
  }),
})

export const StartRepair = object('HoldfastStartRepair', {
  dryRun: flag({ description: 'Only tell what would be done. True unless told.' }),
  data: oneOf(['None', 'All']),
  leaveOutLost: flag({ description: 'Write restore points again without what nobody has.' }),
})

export const StartRestoreTest = object('HoldfastStartRestoreTest', {
  repositoryId: needed(uuid()),
  seed: integer({ minimum: 0, maximum: 4_294_967_295 }),
  itemsPerObject: integer({ minimum: 1, maximum: 10_000 }),
})

export const StartRecovery = object('HoldfastStartRecovery', {
  to: needed(moment()),
  preview: flag({ description: 'Only tell what would be done. True unless told.' }),
})

export const RestoreTestQuery = Type.Object({ repositoryId: uuid() })
