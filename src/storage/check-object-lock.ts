import { S3Client } from './s3-client.ts'
import { S3Retention, type S3ImmutabilityOptions } from './s3-retention.ts'
import type { S3StorageOptions } from './s3-storage.ts'

/** Throws `invalid` with the reason where nothing can be kept from being removed in the bucket. Writes nothing. */
export const checkObjectLock = async (
  options: S3StorageOptions & { readonly immutable: S3ImmutabilityOptions },
  signal?: AbortSignal,
): Promise<void> => {
  const client = new S3Client(options)
  try {
    await new S3Retention({ client, bucket: options.bucket, prefix: '' }, options.immutable).check(signal)
  } finally {
    client.close()
  }
}
