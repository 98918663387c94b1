import { createHash } from 'node:crypto'
import type { ObjectLockMode } from '@aws-sdk/client-s3'
import { HoldfastError, isHoldfastError } from '#base'
import { checkPath } from './path.ts'
import type { S3Client } from './s3-client.ts'
import { isRetained, retainedUntil, type Retention, type RetentionPolicy } from './retention.ts'

/** `COMPLIANCE`: nobody. `GOVERNANCE`: nobody but who has a right of its own to, which Holdfast never uses. */
export type S3LockMode = 'COMPLIANCE' | 'GOVERNANCE'

export interface S3ImmutabilityOptions extends RetentionPolicy {
  /** `COMPLIANCE` unless told. */
  readonly mode?: S3LockMode
}

/**
 * Metadata of an object: when it was written. Some storages, Ceph among them, let an extension change the time that they
 * tell.
 */
export const WRITTEN = 'holdfast-written'

interface Place {
  readonly client: S3Client
  readonly bucket: string
  readonly prefix: string
}

/** Object lock of a bucket. */
export class S3Retention implements Retention {
  readonly policy: RetentionPolicy
  readonly #place: Place
  readonly #mode: ObjectLockMode
  #checked: Promise<void> | undefined

  constructor(place: Place, options: S3ImmutabilityOptions) {
    this.#place = place
    this.#mode = options.mode ?? 'COMPLIANCE'
    this.policy = { periodMs: options.periodMs, windowMs: options.windowMs }
  }

  async now(signal?: AbortSignal): Promise<Date> {
    const { client, bucket } = this.#place
    const told = client.toldTime()
    if (told !== undefined) return told
    await client.call('ask for the time', { signal }, (s3, options) =>
      s3.headBucket({ Bucket: bucket }, options),
    )
    const now = client.toldTime()
    if (now === undefined) throw new HoldfastError('unavailable', 'the storage does not tell its time')
    return now
  }

  /** What a new object is written with. Throws when the bucket cannot keep it. */
  async forNew(path: string, body: Uint8Array, signal?: AbortSignal): Promise<object> {
    await this.check(signal)
    if (!isRetained(path)) return {}
    const now = await this.now(signal)
    return {
      ...this.lockFrom(now),
      Metadata: { [WRITTEN]: now.toISOString() },
      // S3 wants one with every date.
      ContentMD5: createHash('md5').update(body).digest('base64'),
    }
  }

  /** The date of an object that is written now. */
  lockFrom(now: Date): { readonly ObjectLockMode: ObjectLockMode; readonly ObjectLockRetainUntilDate: Date } {
    return { ObjectLockMode: this.#mode, ObjectLockRetainUntilDate: retainedUntil(now, this.policy) }
  }

  /** Throws `invalid` with a reason unless dates can be kept in this bucket as we set them. Asks once. */
  async check(signal?: AbortSignal): Promise<void> {
    this.#checked ??= this.#check(signal).catch((error: unknown) => {
      this.#checked = undefined
      throw error
    })
    return this.#checked
  }

  async #check(signal?: AbortSignal): Promise<void> {
    const found = await this.#configuration(signal)
    if (found?.ObjectLockEnabled !== 'Enabled')
      throw refused(
        'ObjectLockMissing',
        'the bucket has no object lock. It is chosen, with versioning, when a bucket is made',
      )
    if (found.Rule?.DefaultRetention !== undefined)
      throw refused(
        'DefaultRetention',
        'the bucket has a default retention, which would keep locks too. Remove it: every object gets its own date',
      )
  }

  async #configuration(signal?: AbortSignal) {
    const { client, bucket } = this.#place
    try {
      const answer = await client.call('ask for object lock', { signal }, (s3, options) =>
        s3.getObjectLockConfiguration({ Bucket: bucket }, options),
      )
      return answer.ObjectLockConfiguration
    } catch (error) {
      if (isHoldfastError(error, 'not-found') || isHoldfastError(error, 'not-built')) return undefined
      throw error
    }
  }

  async until(path: string, signal?: AbortSignal): Promise<Date | undefined> {
    checkPath(path)
    const { client } = this.#place
    const found = await client.call(`look at ${path}`, { signal }, (s3, options) =>
      s3.headObject(this.#object(path), options),
    )
    return found.ObjectLockRetainUntilDate
  }

  async extend(path: string, until: Date, signal?: AbortSignal): Promise<void> {
    checkPath(path)
    const { client } = this.#place
    await client.call(`keep ${path}`, { signal }, (s3, options) =>
      s3.putObjectRetention(
        { ...this.#object(path), Retention: { Mode: this.#mode, RetainUntilDate: until } },
        options,
      ),
    )
  }

  #object(path: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#place.bucket, Key: this.#place.prefix + path }
  }
}

const refused = (reason: string, why: string): HoldfastError =>
  new HoldfastError('invalid', `nothing can be made immutable here: ${why}`, { reason, property: 'bucket' })
