import { invalid, notBuilt } from '#base'
import type { AccountType } from '../accounts/account.ts'
import { needed, readFlag, readText, readWhole, readWord } from '../organizations/read-input.ts'
import type { Immutability, ObjectStorageInput, ObjectStorageSettings } from './object-storage.ts'
import {
  AZURE_REGION_TYPES,
  AZURE_TIERS,
  OBJECT_STORAGE_TYPES,
  S3_REGION_TYPES,
  type AzureService,
  type CloudPlace,
  type ObjectStorageType,
  type S3Service,
  type StorageClass,
} from './place.ts'
import { acceptServicePoint, type ServicePointRules } from './service-point.ts'

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
const CONTAINER = /^(?:[a-z0-9](?!.*--)[a-z0-9-]{1,61}[a-z0-9]|\$root)$/
const REGION = /^[a-z0-9-]{1,64}$/i
const FOLDER = /^(?!.*-tmp-)[^\p{C}\\:*?"<>|/]{1,255}(?:\/[^\p{C}\\:*?"<>|/]{1,255})*$/u
const MOST_DAYS = 36_500
/** What S3 means where no region is told. */
const DEFAULT_REGION = 'us-east-1'

/** Which accounts a type is used with. */
const ACCOUNT_OF: Readonly<Record<ObjectStorageType, AccountType>> = {
  AzureBlob: 'azureBlobAccount',
  AzureBlobArchive: 'azureBlobAccount',
  AmazonS3: 'amazonS3Account',
  AmazonS3Glacier: 'amazonS3Account',
  AmazonS3Compatible: 'amazonS3CompatibleAccount',
  WasabiCloud: 'amazonS3CompatibleAccount',
  IBMCloud: 'amazonS3CompatibleAccount',
}

export const readType = (input: ObjectStorageInput, property = 'type'): ObjectStorageType => {
  const type = needed(readWord(input.type, property, OBJECT_STORAGE_TYPES), property)
  if (type === 'AzureBlobArchive' || type === 'AmazonS3Glacier')
    throw notBuilt(
      'Holdfast cannot keep repositories in archive storage that has to be thawed before reading',
    )
  return type
}

/** Throws `invalid` for an account that is for other storage. */
export const checkAccountType = (type: ObjectStorageType, accountType: AccountType): void => {
  if (ACCOUNT_OF[type] !== accountType)
    throw invalid(
      `accountId names an account of another kind: ${type} takes one of type ${ACCOUNT_OF[type]}`,
      'accountId',
    )
}

export const readContainerName = (
  value: string | null | undefined,
  kind: 's3' | 'azure',
  property: string,
): string => {
  const name = needed(readText(value, property, 255), property)
  if (!(kind === 's3' ? BUCKET : CONTAINER).test(name))
    throw invalid(`${property} is not the name of a ${kind === 's3' ? 'bucket' : 'container'}`, property)
  return name
}

export const readFolderName = (value: string | null | undefined, property: string): string => {
  const folder = needed(readText(value, property, 512)?.replace(/^\/+|\/+$/g, ''), property)
  if (!FOLDER.test(folder) || folder.split('/').some((part) => /^\.+$/.test(part)))
    throw invalid(`${property} is not the name of a folder`, property)
  return folder
}

export const readAmazon = (
  input: { readonly regionType?: string | null | undefined; readonly regionId?: string | null | undefined },
  at: string,
): S3Service => {
  const regionType = readWord(input.regionType, `${at}regionType`, S3_REGION_TYPES) ?? 'Global'
  const region = readRegion(input.regionId, `${at}regionId`) ?? defaultRegionOf(regionType)
  return { kind: 's3', regionType, region }
}

const defaultRegionOf = (regionType: (typeof S3_REGION_TYPES)[number]): string =>
  ({ Global: DEFAULT_REGION, USGovernment: 'us-gov-west-1', China: 'cn-north-1' })[regionType]

const readRegion = (value: string | null | undefined, property: string): string | undefined => {
  const region = readText(value, property, 64)
  if (region !== undefined && !REGION.test(region)) throw invalid(`${property} is not a region`, property)
  return region
}

export const readCompatible = async (
  input: {
    readonly servicePoint?: string | null | undefined
    readonly customRegionId?: string | null | undefined
    readonly trustServerCertificate?: boolean | null | undefined
    readonly trustedServerCertificateThumbprint?: string | null | undefined
  },
  at: string,
  rules: ServicePointRules,
): Promise<S3Service> => {
  const trusts = readFlag(input.trustServerCertificate, `${at}trustServerCertificate`) ?? false
  const thumbprint = readText(
    input.trustedServerCertificateThumbprint,
    `${at}trustedServerCertificateThumbprint`,
    256,
  )
  if (trusts || thumbprint !== undefined)
    throw notBuilt(
      'Holdfast takes no certificate unseen: give the certificate of its authority to the account (PUT /Holdfast/Accounts/{id}/Connection), or to the server in HOLDFAST_CA_FILE',
    )
  const property = `${at}servicePoint`
  const given = needed(readText(input.servicePoint, property, 512), property)
  const region = readRegion(input.customRegionId, `${at}customRegionId`) ?? DEFAULT_REGION
  return { kind: 's3', servicePoint: await acceptServicePoint(given, property, rules), region }
}

export const readAzure = (
  input: { readonly regionType?: string | null | undefined },
  at: string,
): AzureService => ({
  kind: 'azure',
  regionType: readWord(input.regionType, `${at}regionType`, AZURE_REGION_TYPES) ?? 'Global',
})

const STORAGE_CLASSES: readonly (readonly [keyof ObjectStorageInput, StorageClass])[] = [
  ['standardIaStorageClassEnabled', 'STANDARD_IA'],
  ['oneZoneIaStorageClassEnabled', 'ONEZONE_IA'],
  ['glacierInstantRetrievalEnabled', 'GLACIER_IR'],
]

const readStorageClass = (input: ObjectStorageInput): StorageClass | undefined => {
  if (input.glacierDeepArchiveEnabled === true)
    throw notBuilt(
      'Holdfast cannot keep repositories in archive storage that has to be thawed before reading',
    )
  if (input.useArchiverAppliance === true)
    throw notBuilt('Holdfast needs no archiver appliance and makes none')
  const chosen = STORAGE_CLASSES.filter(([name]) => readFlag(input[name] as boolean | null, name) === true)
  if (chosen.length > 1) throw invalid('only one storage class can be chosen', chosen[1]![0])
  return chosen[0]?.[1]
}

const CLASS = /^[A-Z][A-Z_]{1,39}$/
const ARCHIVES = ['GLACIER', 'DEEP_ARCHIVE', 'SNOW', 'ARCHIVE']

/** The same place with another class for new packs; an empty one is the place's own. Throws `invalid`. */
export const withStorageClass = (place: CloudPlace, given: string): CloudPlace => {
  const property = 'storageClass'
  if (ARCHIVES.includes(given.toUpperCase()))
    throw invalid('what is archived cannot be read for hours, and a backup has to be', property)
  if (place.kind === 'azure') {
    const { tier: _, ...rest } = place
    const tier = readWord(given, property, AZURE_TIERS)
    return tier === undefined ? rest : { ...rest, tier }
  }
  const { storageClass: _, ...rest } = place
  if (given === '') return rest
  if (!CLASS.test(given)) throw invalid(`${property} has capital letters and underscores`, property)
  return { ...rest, storageClass: given }
}

/** Where the storage shall be. Throws `invalid` naming the property. */
export const readPlace = async (
  input: ObjectStorageInput,
  type: ObjectStorageType,
  accountId: string,
  rules: ServicePointRules,
): Promise<CloudPlace> => {
  if (type === 'AzureBlob') {
    const given = needed(input.azureContainer ?? undefined, 'azureContainer')
    const container = readContainerName(given.name, 'azure', 'azureContainer.name')
    const folder = readFolderName(input.azureFolder, 'azureFolder')
    return { ...readAzure(given, 'azureContainer.'), accountId, container, folder }
  }
  const folder = readFolderName(input.s3Folder, 's3Folder')
  const storageClass = readStorageClass(input)
  const chosen = { accountId, folder, ...(storageClass === undefined ? {} : { storageClass }) }
  if (type !== 'AmazonS3') {
    const given = needed(input.amazonBucketS3Compatible ?? undefined, 'amazonBucketS3Compatible')
    const at = 'amazonBucketS3Compatible.'
    const container = readContainerName(given.name, 's3', `${at}name`)
    return { ...(await readCompatible(given, at, rules)), ...chosen, container }
  }
  const given = needed(input.amazonBucketS3Aws ?? undefined, 'amazonBucketS3Aws')
  const container = readContainerName(given.name, 's3', 'amazonBucketS3Aws.name')
  const regionName = readText(given.regionName, 'amazonBucketS3Aws.regionName', 128)
  const named = regionName === undefined ? {} : { regionName }
  return { ...readAmazon(given, 'amazonBucketS3Aws.'), ...chosen, ...named, container }
}

const readImmutability = (
  input: ObjectStorageInput,
  stored: Immutability | undefined,
): Immutability | undefined => {
  const isWanted = readFlag(input.enableImmutability, 'enableImmutability') ?? stored !== undefined
  const governance = readFlag(input.enableImmutabilityGovernanceMode, 'enableImmutabilityGovernanceMode')
  const days = readWhole(input.immutabilityPeriodDays, 'immutabilityPeriodDays', {
    least: 0,
    most: MOST_DAYS,
  })
  if (!isWanted) return undefined
  const isGovernance = governance ?? stored?.mode === 'Governance'
  const kept = input.immutabilityPeriodDays === undefined ? stored?.days : days === 0 ? undefined : days
  return {
    mode: isGovernance ? 'Governance' : 'Compliance',
    ...(kept === undefined ? {} : { days: kept }),
  }
}

/** What is given over what is stored. */
export const readSettings = (
  input: ObjectStorageInput,
  stored: ObjectStorageSettings = { sizeLimitEnabled: false },
): ObjectStorageSettings => {
  const sizeLimitEnabled = readFlag(input.sizeLimitEnabled, 'sizeLimitEnabled') ?? stored.sizeLimitEnabled
  const sizeLimitGB =
    readWhole(input.sizeLimitGB, 'sizeLimitGB', { least: 0, most: 1_000_000_000 }) ?? stored.sizeLimitGB
  if (sizeLimitEnabled && (sizeLimitGB ?? 0) < 1)
    throw invalid('sizeLimitGB is needed where sizeLimitEnabled is true', 'sizeLimitGB')
  const immutability = readImmutability(input, stored.immutability)
  return {
    sizeLimitEnabled,
    ...(sizeLimitGB === undefined ? {} : { sizeLimitGB }),
    ...(immutability === undefined ? {} : { immutability }),
  }
}
