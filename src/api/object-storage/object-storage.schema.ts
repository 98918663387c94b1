import { Type } from 'typebox'
import { links } from '../contract/pages.ts'
import { count, flag, integer, object, oneOf, part, text, uuid } from '../contract/schema.ts'

const TYPES = [
  'AzureBlob',
  'AmazonS3',
  'AmazonS3Compatible',
  'AzureBlobArchive',
  'AmazonS3Glacier',
  'WasabiCloud',
  'IBMCloud',
] as const
export const S3_REGION_TYPES = ['Global', 'USGovernment', 'China'] as const
export const AZURE_REGION_TYPES = ['Global', 'Germany', 'China', 'Government'] as const

export const S3Bucket = object('S3Bucket', {
  name: text(),
  regionType: oneOf(S3_REGION_TYPES),
  regionId: text(),
  regionName: text(),
  _links: links(),
})

export const S3CompatibleBucket = object('S3CompatibleBucket', {
  name: text(),
  servicePoint: text(),
  customRegionId: text(),
  trustServerCertificate: flag({ since: 'v8', writeOnly: true }),
  trustedServerCertificateThumbprint: text({ since: 'v8', writeOnly: true }),
  _links: links(),
})

export const AzureContainer = object('AzureContainer', {
  name: text(),
  regionType: oneOf(AZURE_REGION_TYPES),
  _links: links(),
})

export const StorageFolder = object('StorageFolder', {
  name: text(),
  path: text({ readOnly: true }),
  _links: links(),
})

/** What v4 and v5 have for buckets of either kind. */
const AnyBucket = object('Bucket', {
  name: text(),
  regionType: oneOf(S3_REGION_TYPES),
  regionId: text(),
  regionName: text(),
  servicePoint: text(),
  customRegionId: text(),
})

const type = () =>
  oneOf(TYPES, {
    valueLifetimes: {
      AzureBlobArchive: { since: 'v6' },
      AmazonS3Glacier: { since: 'v6' },
      WasabiCloud: { since: 'v7' },
      IBMCloud: { since: 'v7' },
    },
  })

const fields = {
  name: text({ until: 'v8', maxLength: 512 }),
  description: text({ until: 'v8', maxLength: 4096 }),
  type: type(),
  accountId: uuid(),
  bucket: part(AnyBucket, { until: 'v6' }),
  amazonBucketS3Aws: part(S3Bucket, { since: 'v6' }),
  amazonBucketS3Compatible: part(S3CompatibleBucket, { since: 'v6' }),
  s3Folder: text({ maxLength: 1024 }),
  azureContainer: part(AzureContainer),
  azureFolder: text({ maxLength: 1024 }),
  sizeLimitEnabled: flag(),
  sizeLimitGB: integer({ format: 'int64' }),
  enableImmutability: flag({ since: 'v7' }),
  enableImmutabilityGovernanceMode: flag({ since: 'v8' }),
  immutabilityPeriodDays: integer({
    since: 'v8',
    format: 'int64',
    description: 'Nothing or 0: as long as the retention keeps.',
  }),
  standardIaStorageClassEnabled: flag({
    since: 'v6',
    names: { v6: 'iaStorageClassEnabled', v8: 'standardIaStorageClassEnabled' },
  }),
  oneZoneIaStorageClassEnabled: flag({ since: 'v8' }),
  glacierInstantRetrievalEnabled: flag({ since: 'v7' }),
  glacierDeepArchiveEnabled: flag({ since: 'v6' }),
  useArchiverAppliance: flag({ since: 'v6' }),
}

export const ObjectStorage = object('ObjectStorage', {
  id: uuid({ readOnly: true }),
  ...fields,
  usedSpaceBytes: count({ readOnly: true, description: 'As measured after the last run.' }),
  freeSpaceBytes: count({ readOnly: true, description: 'With a size limit alone.' }),
  _links: links(),
})

export const ObjectStorageBody = object('ObjectStorageToSave', fields)

export const ObjectStorageQuery = Type.Object({ longTerm: flag({ since: 'v6' }) })
