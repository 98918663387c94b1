/** What a type of object storage is called in the API. */
export type ObjectStorageType =
  | 'AzureBlob'
  | 'AmazonS3'
  | 'AmazonS3Compatible'
  | 'AzureBlobArchive'
  | 'AmazonS3Glacier'
  | 'WasabiCloud'
  | 'IBMCloud'
export const OBJECT_STORAGE_TYPES: readonly ObjectStorageType[] = [
  'AzureBlob',
  'AmazonS3',
  'AmazonS3Compatible',
  'AzureBlobArchive',
  'AmazonS3Glacier',
  'WasabiCloud',
  'IBMCloud',
]

export type S3RegionType = 'Global' | 'USGovernment' | 'China'
export const S3_REGION_TYPES: readonly S3RegionType[] = ['Global', 'USGovernment', 'China']
export type AzureRegionType = 'Global' | 'Germany' | 'China' | 'Government'
export const AZURE_REGION_TYPES: readonly AzureRegionType[] = ['Global', 'Germany', 'China', 'Government']
/** `STANDARD_IA`, or a name of the storage's own. */
export type StorageClass = string
export type AzureTier = 'Hot' | 'Cool' | 'Cold'
export const AZURE_TIERS: readonly AzureTier[] = ['Hot', 'Cool', 'Cold']

/** Where an account of S3 is served. */
export interface S3Service {
  readonly kind: 's3'
  /** Of Amazon alone. */
  readonly regionType?: S3RegionType
  /** Absent for Amazon: the region says where. */
  readonly servicePoint?: string
  readonly region: string
}

/** Where an account of Azure is served. */
export interface AzureService {
  readonly kind: 'azure'
  readonly regionType: AzureRegionType
}

export type CloudService = S3Service | AzureService

interface InContainer {
  readonly accountId: string
  /** A bucket of S3, a container of Azure. */
  readonly container: string
  readonly folder: string
}

/** Where a repository lives in object storage. */
export type CloudPlace =
  | (S3Service & InContainer & { readonly storageClass?: StorageClass; readonly regionName?: string })
  | (AzureService & InContainer & { readonly tier?: AzureTier })

const AMAZON_DOMAINS: Readonly<Record<S3RegionType, string>> = {
  Global: 'amazonaws.com',
  USGovernment: 'amazonaws.com',
  China: 'amazonaws.com.cn',
}

/** `https://s3.eu-central-1.amazonaws.com` for Amazon, and the service point of others. */
export const endpointOf = ({ servicePoint, region, regionType = 'Global' }: S3Service): string =>
  servicePoint ?? `https://s3.${region}.${AMAZON_DOMAINS[regionType]}`

/** The place as stock restic writes it; for Azure the account is in the environment. */
export const resticUrl = (place: CloudPlace): string =>
  place.kind === 's3'
    ? `s3:${endpointOf(place)}/${place.container}/${place.folder}`
    : `azure:${place.container}:/${place.folder}`

/** What two places in one container have in common. `userName` is the storage account of Azure. */
const containerKey = (place: CloudPlace, userName: string): string =>
  place.kind === 's3'
    ? `s3:${endpointOf(place).toLowerCase()}/${place.container}`
    : `azure:${place.regionType}/${userName}/${place.container}`

/** The same for the same place, whatever it is reached with. */
export const placeKeyOf = (place: CloudPlace, userName: string): string =>
  `${containerKey(place, userName)}/${place.folder}`

/** Whether one of two places is inside the other. */
export const isOverlapping = (one: string, other: string): boolean =>
  one === other || one.startsWith(`${other}/`) || other.startsWith(`${one}/`)
