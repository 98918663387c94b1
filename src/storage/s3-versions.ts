import type { ListObjectVersionsCommandOutput, S3 } from '@aws-sdk/client-s3'
import { isHoldfastError } from '#base'
import type { CallOptions, S3Client } from './s3-client.ts'

/** One state of an object, or the mark that it was removed. */
export interface S3Version {
  readonly key: string
  readonly versionId: string
  readonly sizeBytes: number
  /** The same for the same bytes, as long as they are written in one piece. */
  readonly etag: string | undefined
  readonly at: Date
  readonly isLatest: boolean
  readonly isRemoval: boolean
}

/** Whether removing an object keeps what it was. A key that may not ask is taken to work on a plain bucket. */
export const keepsVersions = async (
  client: S3Client,
  bucket: string,
  signal?: AbortSignal,
): Promise<boolean> => {
  try {
    const found = await client.call(`ask for the versions of bucket ${bucket}`, { signal }, (s3, options) =>
      s3.getBucketVersioning({ Bucket: bucket }, options),
    )
    return found.Status !== undefined
  } catch (error) {
    if (isHoldfastError(error, 'denied') || isHoldfastError(error, 'not-built')) return false
    throw error
  }
}

/** All versions below a prefix: by key, the newest first within a key. */
export async function* s3Versions(
  client: S3Client,
  given: { readonly bucket: string; readonly prefix: string; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<S3Version> {
  let marker: { KeyMarker?: string; VersionIdMarker?: string } | undefined = {}
  while (marker !== undefined) {
    const from: { KeyMarker?: string; VersionIdMarker?: string } = marker
    const page = await client.call(`list the versions of ${given.prefix}`, given, (s3, options) =>
      versionsPage(s3, { Bucket: given.bucket, Prefix: given.prefix, ...from }, options),
    )
    yield* page.versions
    marker = page.next
  }
}

const versionsPage = async (
  s3: S3,
  input: { Bucket: string; Prefix: string; KeyMarker?: string; VersionIdMarker?: string },
  options: CallOptions,
) => {
  const answer = await s3.listObjectVersions(input, options)
  const states = (answer.Versions ?? []).map((each) => ({ ...each, isRemoval: false }))
  const removals = (answer.DeleteMarkers ?? []).map((each) => ({ ...each, Size: 0, isRemoval: true }))
  const versions = [...states, ...removals].map((each) => ({
    key: each.Key ?? '',
    versionId: each.VersionId ?? 'null',
    sizeBytes: each.Size ?? 0,
    etag: 'ETag' in each ? each.ETag : undefined,
    at: each.LastModified ?? new Date(0),
    isLatest: each.IsLatest ?? false,
    isRemoval: each.isRemoval,
  }))
  return { versions: versions.sort(byKeyNewestFirst), next: nextOf(answer) }
}

const nextOf = (
  answer: Pick<ListObjectVersionsCommandOutput, 'IsTruncated' | 'NextKeyMarker' | 'NextVersionIdMarker'>,
) => {
  if (answer.IsTruncated !== true || answer.NextKeyMarker === undefined) return undefined
  return {
    KeyMarker: answer.NextKeyMarker,
    ...(answer.NextVersionIdMarker === undefined ? {} : { VersionIdMarker: answer.NextVersionIdMarker }),
  }
}

/** The latest first whatever the times say: two changes of one second are told apart by nothing else. */
const byKeyNewestFirst = (a: S3Version, b: S3Version): number => {
  if (a.key !== b.key) return a.key < b.key ? -1 : 1
  if (a.isLatest !== b.isLatest) return a.isLatest ? -1 : 1
  return b.at.getTime() - a.at.getTime()
}
