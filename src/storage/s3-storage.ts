import { addAbortSignal, type Readable } from 'node:stream'
import type { GetObjectCommandOutput, S3, StorageClass } from '@aws-sdk/client-s3'
import { conflict, HoldfastError, invalid, isHoldfastError, notFound } from '#base'
import { checkFolder, checkPath, UNFINISHED } from './path.ts'
import { isAmazon, type S3AccountOptions } from './s3-account.ts'
import { S3Client, type CallOptions } from './s3-client.ts'
import { isWordless, statusOf } from './s3-errors.ts'
import { S3Retention, type S3ImmutabilityOptions } from './s3-retention.ts'
import { keepsVersions, s3Versions, type S3Version } from './s3-versions.ts'
import { locked, type Retention } from './retention.ts'
import { modifiedAt, type Storage, type StoredFile } from './storage.ts'

export interface S3StorageOptions extends S3AccountOptions {
  /** Has to be there: a storage does not make it. */
  readonly bucket: string
  /** Folder inside the bucket; all of it unless told. */
  readonly folder?: string
  /** Of packs, which are most of the bytes; everything else stays in the bucket's own class. */
  readonly storageClass?: string
  /** Nobody can remove what is needed. The bucket has to have object lock, which is chosen when it is made. */
  readonly immutable?: S3ImmutabilityOptions
  /** Of a listing; what the storage gives unless told, mostly 1000. */
  readonly pageSize?: number
}

const PACK = /(^|\/)data\//
const ARCHIVES = new Set(['GLACIER', 'DEEP_ARCHIVE', 'SNOW'])

/**
 * Objects of a bucket. An object appears whole or not at all. A name that is taken is refused by the storage itself where
 * it can, and else by looking first: two processes that write one name at one moment may then both be told that they did.
 * Does not try again: that is `retrying`'s. A bucket that is not there is `unavailable` with the reason `NoSuchBucket`.
 */
export const s3Storage = (options: S3StorageOptions): Storage =>
  new S3Storage(options, checkedFolder(options))

/** Throws `invalid` for options that cannot be meant; gives the folder without slashes at its ends. */
export const checkedFolder = ({
  folder: given = '',
  bucket,
  storageClass,
  immutable,
}: S3StorageOptions): string => {
  const folder = given.replace(/^\/+|\/+$/g, '')
  checkFolder(folder)
  checkBucket(bucket)
  if (storageClass !== undefined && !/^[A-Z][A-Z_]{1,39}$/.test(storageClass))
    throw invalid('a storage class has capital letters and underscores', 'storageClass')
  if (storageClass !== undefined && ARCHIVES.has(storageClass))
    throw invalid(
      'what is in an archive class cannot be read for hours, and a backup has to be',
      'storageClass',
    )
  if (immutable !== undefined && !(immutable.periodMs > 0 && immutable.windowMs > 0))
    throw invalid('a period and a window of retention are longer than nothing', 'immutable')
  return folder
}

/** Throws `invalid` for what S3 refuses as the name of a bucket. */
export const checkBucket = (name: string): void => {
  // Older buckets have capital letters and underscores.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/.test(name))
    throw invalid('a bucket has letters, digits, dots and hyphens in its name', 'bucket')
}

class S3Storage implements Storage {
  readonly name: string
  readonly retention?: Retention
  readonly #client: S3Client
  readonly #bucket: string
  readonly #prefix: string
  readonly #storageClass: string | undefined
  readonly #pageSize: number | undefined
  readonly #locks: S3Retention | undefined
  readonly #writing = new Map<string, Promise<unknown>>()
  /** Whether the storage itself refuses a name that is taken. */
  #refusesTaken: 'yes' | 'no' | 'unknown'
  #bucketIsThere = false
  #versions: Promise<boolean> | undefined

  constructor(options: S3StorageOptions, folder: string) {
    this.#client = new S3Client(options)
    this.#bucket = options.bucket
    this.#prefix = folder === '' ? '' : `${folder}/`
    this.#storageClass = options.storageClass
    this.#pageSize = options.pageSize
    this.#refusesTaken = isAmazon(options) ? 'yes' : 'unknown'
    this.name = `bucket ${this.#client.endpoint}/${options.bucket}${folder === '' ? '' : `/${folder}`}`
    if (options.immutable !== undefined) {
      const place = { client: this.#client, bucket: options.bucket, prefix: this.#prefix }
      this.#locks = new S3Retention(place, options.immutable)
      this.retention = this.#locks
    }
  }

  async write(path: string, parts: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    checkPath(path)
    signal?.throwIfAborted()
    // Where the storage does not refuse a name that is taken, at least this process has one winner.
    const before = this.#writing.get(path) ?? Promise.resolve()
    const written = before.catch(() => undefined).then(() => this.#writeNew(path, parts, signal))
    this.#writing.set(path, written)
    try {
      await written
    } finally {
      if (this.#writing.get(path) === written) this.#writing.delete(path)
    }
  }

  async #writeNew(path: string, parts: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    if (this.#refusesTaken !== 'yes' && (await this.stat(path, signal)) !== undefined) throw taken(path)
    const body = Buffer.concat(parts)
    const lock = (await this.#locks?.forNew(path, body, signal)) ?? {}
    try {
      await this.#put(path, body, lock, signal)
    } catch (error) {
      if (!isHoldfastError(error, 'not-built') || this.#refusesTaken !== 'unknown') throw error
      this.#refusesTaken = 'no'
      await this.#put(path, body, lock, signal)
    }
  }

  async #put(path: string, body: Uint8Array, lock: object, signal?: AbortSignal): Promise<void> {
    const isPack = PACK.test(path)
    const input = {
      ...this.#place(path),
      ...lock,
      Body: body,
      ContentLength: body.length,
      ContentType: 'application/octet-stream',
      ...(this.#refusesTaken === 'no' ? {} : { IfNoneMatch: '*' }),
      ...(isPack && this.#storageClass !== undefined
        ? { StorageClass: this.#storageClass as StorageClass }
        : {}),
    }
    try {
      const given = { bytes: body.length, signal }
      await this.#client.call(`write ${path}`, given, (s3, options) => s3.putObject(input, options))
    } catch (error) {
      if (!isHoldfastError(error, 'conflict')) throw error
      this.#refusesTaken = 'yes'
      throw taken(path)
    }
  }

  async read(
    path: string,
    range?: { readonly offset: number; readonly length: number },
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    checkPath(path)
    if (range?.length === 0) return this.#readNothing(path, signal)
    const given = { bytes: range?.length ?? 0, signal }
    const wanted =
      range === undefined ? {} : { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` }
    return this.#client.call(`read ${path}`, given, async (s3, options) => {
      try {
        const answer = await s3.getObject({ ...this.#place(path), ...wanted }, options)
        return await bytesOf(answer, range, options.abortSignal)
      } catch (error) {
        // The object is there and ends before the range begins.
        if (statusOf(error) === 416) return new Uint8Array(0)
        throw error
      }
    })
  }

  /** A range of no bytes cannot be asked for. */
  async #readNothing(path: string, signal?: AbortSignal): Promise<Uint8Array> {
    if ((await this.stat(path, signal)) === undefined) throw notFound(`cannot read ${path}: NoSuchKey`)
    return new Uint8Array(0)
  }

  async stat(path: string, signal?: AbortSignal): Promise<StoredFile | undefined> {
    checkPath(path)
    const action = `look at ${path}`
    const found = await this.#client.call(action, { signal }, async (s3, options) => {
      try {
        return await this.#head(path, s3, options)
      } catch (error) {
        if (statusOf(error) === 404) return undefined
        throw error
      }
    })
    if (found === undefined) {
      if (!this.#bucketIsThere) await this.#lookAtBucket(signal)
      return undefined
    }
    this.#bucketIsThere = true
    return { path, sizeBytes: found.ContentLength ?? 0, ...modifiedAt(found.LastModified) }
  }

  /** An answer to HEAD has no words: a listing says why it was refused. */
  async #head(path: string, s3: S3, options: CallOptions) {
    try {
      return await s3.headObject(this.#place(path), options)
    } catch (error) {
      if (!isWordless(error)) throw error
      await s3.listObjectsV2({ Bucket: this.#bucket, Prefix: this.#prefix, MaxKeys: 1 }, options)
    }
    return s3.headObject(this.#place(path), options)
  }

  /** HEAD does not tell a missing object from a missing bucket. */
  async #lookAtBucket(signal?: AbortSignal): Promise<void> {
    await this.#client.call('look at the bucket', { signal }, (s3, options) =>
      s3.listObjectsV2({ Bucket: this.#bucket, Prefix: this.#prefix, MaxKeys: 1 }, options),
    )
    this.#bucketIsThere = true
  }

  async *list(folder: string, signal?: AbortSignal): AsyncGenerator<StoredFile> {
    checkFolder(folder)
    const input = {
      Bucket: this.#bucket,
      Prefix: this.#prefix + (folder === '' ? '' : `${folder}/`),
      ...(this.#pageSize === undefined ? {} : { MaxKeys: this.#pageSize }),
    }
    let next: { readonly ContinuationToken?: string } | undefined = {}
    while (next !== undefined) {
      const from: { readonly ContinuationToken?: string } = next
      const page = await this.#client.call(
        `list ${folder === '' ? 'the bucket' : folder}`,
        { signal },
        (s3, options) => s3.listObjectsV2({ ...input, ...from }, options),
      )
      for (const { Key = '', Size = 0 } of page.Contents ?? []) {
        if (isFile(Key)) yield { path: Key.slice(this.#prefix.length), sizeBytes: Size }
      }
      const token = page.NextContinuationToken
      next = page.IsTruncated === true && token !== undefined ? { ContinuationToken: token } : undefined
    }
  }

  /** In a bucket that keeps versions all of them go: else nothing would ever be given back. `locked` before its date. */
  async remove(path: string, signal?: AbortSignal): Promise<void> {
    checkPath(path)
    if (!(await this.#keepsVersions(signal))) {
      await this.#client.call(`remove ${path}`, { signal }, (s3, options) =>
        s3.deleteObject(this.#place(path), options),
      )
      return
    }
    for (const version of await this.#versionsOf(path, signal))
      await this.#removeVersion(path, version, signal)
  }

  async #keepsVersions(signal?: AbortSignal): Promise<boolean> {
    if (this.#locks !== undefined) return true
    this.#versions ??= keepsVersions(this.#client, this.#bucket, signal).catch((error: unknown) => {
      this.#versions = undefined
      throw error
    })
    return this.#versions
  }

  /** The oldest first and marks of removal last, so that nothing old comes to light when this ends halfway. */
  async #versionsOf(path: string, signal?: AbortSignal): Promise<readonly S3Version[]> {
    const key = this.#prefix + path
    const found: S3Version[] = []
    for await (const version of s3Versions(this.#client, { bucket: this.#bucket, prefix: key, signal })) {
      if (version.key !== key) break
      found.push(version)
    }
    const removals = found.filter(({ isRemoval }) => isRemoval)
    return [...found.filter(({ isRemoval }) => !isRemoval).reverse(), ...removals]
  }

  async #removeVersion(path: string, { versionId }: S3Version, signal?: AbortSignal): Promise<void> {
    try {
      await this.#client.call(`remove ${path}`, { signal }, (s3, options) =>
        s3.deleteObject({ ...this.#place(path), VersionId: versionId }, options),
      )
    } catch (error) {
      if (!isHoldfastError(error, 'denied')) throw error
      throw (await this.#whyHeld(path, versionId, signal)) ?? error
    }
  }

  async #whyHeld(path: string, versionId: string, signal?: AbortSignal): Promise<HoldfastError | undefined> {
    const found = await this.#client.call(`look at ${path}`, { signal }, (s3, options) =>
      s3.headObject({ ...this.#place(path), VersionId: versionId }, options),
    )
    if (found.ObjectLockLegalHoldStatus === 'ON') return locked(path, undefined)
    const until = found.ObjectLockRetainUntilDate
    const now = this.#client.toldTime()
    return until !== undefined && now !== undefined && until > now ? locked(path, until) : undefined
  }

  /** A bucket has no end that S3 tells. */
  async space(): Promise<undefined> {}

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close()
  }

  #place(path: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + path }
  }
}

const taken = (path: string): HoldfastError => conflict(`${path} is stored already`)

/** Not the empty objects by which consoles show folders. */
const isFile = (key: string): boolean => !key.endsWith('/') && !key.includes(UNFINISHED)

const bytesOf = async (
  { Body: body, ContentLength: length = 0, ContentRange: part }: GetObjectCommandOutput,
  range: { readonly offset: number; readonly length: number } | undefined,
  signal: AbortSignal,
): Promise<Uint8Array> => {
  // Not from the shared pool: it may be handed to another thread.
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
  let filled = 0
  for await (const chunk of body === undefined ? [] : addAbortSignal(signal, body as Readable)) {
    const piece = chunk as Uint8Array
    if (filled + piece.length > length) throw cutOff()
    bytes.set(piece, filled)
    filled += piece.length
  }
  if (filled < length) throw cutOff()
  // Who does not know ranges gives everything.
  if (range !== undefined && part === undefined) return bytes.slice(range.offset, range.offset + range.length)
  return bytes
}

const cutOff = (): Error =>
  Object.assign(new Error('another length than was told'), { code: 'IncompleteBody' })
