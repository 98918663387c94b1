import { Type } from 'typebox'
import { links } from '../contract/pages.ts'
import { count, flag, integer, listOf, object, oneOf, part, secret, text, uuid } from '../contract/schema.ts'
import { ObjectStorage, ObjectStorageBody } from '../object-storage/object-storage.schema.ts'
import { DAILY_TYPES, DAYS } from '../jobs/calendar-words.ts'

const YEARS = ['Year1', 'Years2', 'Years3', 'Years5', 'Years7', 'Years10', 'Years25', 'Keep'] as const

const fields = {
  name: text({ maxLength: 512 }),
  description: text({ maxLength: 4096 }),
  path: text({ maxLength: 4096 }),
  proxyId: uuid(),
  retentionType: oneOf(['ItemLevel', 'SnapshotBased']),
  retentionPeriodType: oneOf(['Daily', 'Monthly', 'Yearly']),
  dailyRetentionPeriod: integer({ minimum: 1 }),
  monthlyRetentionPeriod: integer({ minimum: 1 }),
  yearlyRetentionPeriod: oneOf(YEARS),
  retentionFrequencyType: oneOf(['Daily', 'Monthly']),
  dailyTime: text({ description: 'HH:mm:ss' }),
  dailyType: oneOf(DAILY_TYPES),
  monthlyTime: text({ description: 'HH:mm:ss' }),
  monthlyDaynumber: oneOf(['First', 'Second', 'Third', 'Fourth', 'Last']),
  monthlyDayofweek: oneOf(DAYS),
}

export const BackupRepository = object('BackupRepository', {
  id: uuid({ readOnly: true }),
  ...fields,
  capacityBytes: count({ readOnly: true }),
  freeSpaceBytes: count({ readOnly: true }),
  objectStorageId: uuid({ until: 'v8' }),
  objectStorageCachePath: text({ until: 'v8' }),
  objectStorage: part(ObjectStorage, { since: 'v8' }),
  objectStorageEncryptionEnabled: flag(),
  encryptionKeyId: uuid(),
  organizationId: uuid({ since: 'v8' }),
  isLongTerm: flag({ since: 'v6', readOnly: true }),
  isOutOfSync: flag({ readOnly: true }),
  isOutdated: flag({ since: 'v8', readOnly: true }),
  isOutOfOrder: flag({ since: 'v8', readOnly: true }),
  outOfOrderReason: text({ since: 'v8', readOnly: true }),
  _links: links(),
})

export const BackupRepositoryBody = object('BackupRepositoryToSave', {
  ...fields,
  attachUsedRepository: flag({ writeOnly: true }),
  objectStorageId: uuid({ until: 'v8' }),
  objectStorageCachePath: text({ until: 'v8', maxLength: 4096 }),
  objectStorage: part(ObjectStorageBody, { since: 'v8' }),
  objectStorageEncryptionEnabled: flag(),
  encryptionKeyId: uuid(),
  organizationId: uuid({ since: 'v8' }),
})

export const RepositoryQuery = Type.Object({
  proxyId: uuid(),
  longTerm: flag({ since: 'v6' }),
  organizationId: uuid({ since: 'v8' }),
})

export const BackedUpOrganization = object('BackedUpOrganization', {
  id: uuid({ description: 'The organization.' }),
  name: text(),
  usedSpaceBytes: count(),
  localCacheUsedSpaceBytes: count(),
  objectStorageUsedSpaceBytes: count(),
  _links: links(),
})

const OpeningPassword = object('HoldfastOpeningPassword', {
  organization: text({
    maxLength: 512,
    description: 'The folder, id or name of the organization; left out: tried for every one.',
  }),
  password: secret({ maxLength: 1024, description: 'Of the recovery kit, or of an encryption key.' }),
})

export const AttachOrganizationsBody = object('HoldfastOrganizationsToAttach', {
  passwords: listOf(OpeningPassword, { maxItems: 1000 }),
})

export const AttachRepositoryBody = object('HoldfastRepositoryToAttach', {
  ...fields,
  objectStorageId: uuid(),
  objectStorage: part(ObjectStorageBody),
  encryptionKeyId: uuid({ description: 'A password that opens the shards already; it is tried too.' }),
  passwords: listOf(OpeningPassword, { maxItems: 1000 }),
  takeOver: flag({
    description:
      'Takes it from a server that seems to be at work, which writes nothing more there from then on.',
  }),
})

export const RepositoryOwner = object('HoldfastRepositoryOwner', {
  serverId: uuid({ description: 'The installation; absent where no server has written yet.' }),
  serverName: text(),
  since: text({ description: 'By the clock of that server.' }),
  isThisServer: flag({ description: 'False: this server reads, and writes nothing.' }),
  isAtWork: flag({ description: 'As far as can be seen from here.' }),
})

export const AttachedRepository = object('HoldfastAttachedRepository', {
  id: uuid(),
  name: text(),
  organizations: listOf(
    object('HoldfastFoundOrganization', {
      organizationId: uuid(),
      name: text(),
      folder: text(),
      shards: count(),
      isAttached: flag({ description: 'False: no password was given for it.' }),
    }),
  ),
  _links: links(),
})

export const RotatedPasswords = object('HoldfastRotatedPasswords', {
  id: uuid(),
  name: text(),
  organizations: listOf(
    object('HoldfastRotatedOrganization', {
      organizationId: uuid(),
      name: text(),
      shards: count(),
      shardsWithEarlierPassword: count({
        description: 'Where the earlier password could not be removed yet: it is tried again.',
      }),
    }),
  ),
  isRecoveryKitOutOfDate: flag({ description: 'True: a kit made before holds passwords that open nothing.' }),
  _links: links(),
})
