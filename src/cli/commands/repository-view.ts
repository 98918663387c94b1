/** What lists show of a repository. */
export interface RepositoryView {
  readonly id: string
  readonly name: string
  readonly path?: string
  readonly capacityBytes?: number
  readonly freeSpaceBytes?: number
}

export interface CloudPlace {
  readonly bucket: string
  readonly folder: string
  readonly endpoint?: string
  readonly region?: string
}

/** A place in object storage as the API takes it. */
export const placeOf = (accountType: string, given: CloudPlace): object => {
  const { bucket: name, folder, endpoint, region } = given
  if (accountType === 'azureBlobAccount') {
    const azureContainer = { name, regionType: region ?? 'Global' }
    return { type: 'AzureBlob', azureContainer, azureFolder: folder }
  }
  if (accountType === 'amazonS3Account') {
    const regionId = region === undefined ? {} : { regionId: region }
    return { type: 'AmazonS3', amazonBucketS3Aws: { name, ...regionId }, s3Folder: folder }
  }
  const bucket = { name, servicePoint: endpoint, customRegionId: region }
  return { type: 'AmazonS3Compatible', amazonBucketS3Compatible: bucket, s3Folder: folder }
}
