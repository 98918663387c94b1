import type { ObjectStorage, ObjectStorageInput } from '#engine'
import type { Static } from 'typebox'
import type { Call } from '../contract/operation.ts'
import type { ObjectStorageBody } from './object-storage.schema.ts'

/** In the words of all versions. */
export const presentObjectStorage = (storage: ObjectStorage, { link }: Pick<Call, 'link'>) => {
  const { immutability, place, ...rest } = storage
  return {
    ...rest,
    ...presentPlace(storage),
    enableImmutability: immutability !== undefined,
    enableImmutabilityGovernanceMode: immutability?.mode === 'Governance',
    immutabilityPeriodDays: immutability?.days,
    ...(place.kind === 'azure'
      ? {}
      : {
          standardIaStorageClassEnabled: place.storageClass === 'STANDARD_IA',
          oneZoneIaStorageClassEnabled: place.storageClass === 'ONEZONE_IA',
          glacierInstantRetrievalEnabled: place.storageClass === 'GLACIER_IR',
          glacierDeepArchiveEnabled: false,
          useArchiverAppliance: false,
        }),
    _links: {
      self: link(`/objectstoragerepositories/${storage.id}`),
      account: link(`/accounts/${storage.accountId}`),
    },
  }
}

const presentPlace = ({ type, place }: ObjectStorage) => {
  const { container: name, folder } = place
  if (place.kind === 'azure')
    return { azureContainer: { name, regionType: place.regionType }, azureFolder: folder }
  const { region, regionType, regionName, servicePoint } = place
  if (type !== 'AmazonS3') {
    const bucket = { name, servicePoint, customRegionId: region }
    return { bucket, amazonBucketS3Compatible: bucket, s3Folder: folder }
  }
  const bucket = { name, regionType: regionType ?? 'Global', regionId: region, regionName }
  return { bucket, amazonBucketS3Aws: bucket, s3Folder: folder }
}

/** `bucket` of v4 and v5 stands for both kinds. */
export const objectStorageInputOf = ({
  bucket,
  ...rest
}: Static<typeof ObjectStorageBody>): ObjectStorageInput => {
  if (bucket === undefined) return rest
  const { servicePoint, customRegionId, name, ...amazon } = bucket
  return {
    ...rest,
    amazonBucketS3Aws: rest.amazonBucketS3Aws ?? { name, ...amazon },
    amazonBucketS3Compatible: rest.amazonBucketS3Compatible ?? {
      name,
      ...(servicePoint === undefined ? {} : { servicePoint }),
      ...(customRegionId === undefined ? {} : { customRegionId }),
    },
  }
}
