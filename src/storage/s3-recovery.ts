import type { S3 } from '@aws-sdk/client-s3'
import { isAmazon } from './s3-account.ts'
import { eachOf } from './each-of.ts'
import { isRetained } from './retention.ts'
import { S3Client, type CallOptions } from './s3-client.ts'
import { S3Retention, WRITTEN } from './s3-retention.ts'
import { checkedFolder, type S3StorageOptions } from './s3-storage.ts'
import { s3Versions, type S3Version } from './s3-versions.ts'

/**
 * What brings a file back to what it was. `uncover`: it was removed, and the marks of that are taken away. `restore`:
 * something else was written over it, and what it was is copied over that. `set-aside`: it was not there, and is covered
 * by a mark of removal, which a recovery to a later moment takes away again.
 */
export type RecoveryAction = 'uncover' | 'restore' | 'set-aside'

export interface RecoveryStep {
  readonly action: RecoveryAction
  readonly path: string
  readonly sizeBytes: number
}

export interface RecoveryOptions {
  /** Says what would be done and does nothing. */
  readonly preview?: boolean
  /** Told of each step, before it. */
  readonly onStep?: (step: RecoveryStep) => void
  readonly signal?: AbortSignal
}

export interface RecoveryReport extends Readonly<Record<RecoveryAction, number>> {
  /** Files that are as they were. */
  readonly unchanged: number
}

const CONCURRENCY = 8

/**
 * Brings a bucket that keeps versions back to a moment before somebody with the key removed files, or wrote over them. No
 * version is removed but marks of removal; it may be stopped and called again. Locks are left as they are: those who held
 * them are gone. Nobody may write to the repository meanwhile.
 */
export const recoverS3 = async (
  options: S3StorageOptions,
  moment: Date,
  { preview = false, onStep, signal }: RecoveryOptions = {},
): Promise<RecoveryReport> => {
  const recovery = new S3Recovery(options, moment, signal)
  try {
    const counts = { uncover: 0, restore: 0, 'set-aside': 0, unchanged: 0 }
    await eachOf(recovery.files(), CONCURRENCY, async (versions) => {
      signal?.throwIfAborted()
      const step = await recovery.stepFor(versions)
      counts[step?.action ?? 'unchanged'] += 1
      if (step === undefined) return
      onStep?.(step)
      if (!preview) await step.take()
    })
    return counts
  } finally {
    recovery.close()
  }
}

interface Step extends RecoveryStep {
  take(): Promise<void>
}

class S3Recovery {
  readonly #client: S3Client
  readonly #bucket: string
  readonly #prefix: string
  readonly #locks: S3Retention | undefined
  readonly #timesMayMove: boolean
  readonly #moment: Date
  readonly #signal: AbortSignal | undefined

  constructor(options: S3StorageOptions, moment: Date, signal: AbortSignal | undefined) {
    const folder = checkedFolder(options)
    this.#client = new S3Client(options)
    this.#bucket = options.bucket
    this.#prefix = folder === '' ? '' : `${folder}/`
    const place = { client: this.#client, bucket: options.bucket, prefix: this.#prefix }
    if (options.immutable !== undefined) this.#locks = new S3Retention(place, options.immutable)
    this.#timesMayMove = !isAmazon(options)
    this.#moment = moment
    this.#signal = signal
  }

  close(): void {
    this.#client.close()
  }

  /** The versions of each file, the newest first. */
  async *files(): AsyncGenerator<readonly S3Version[]> {
    let open: S3Version[] = []
    const place = { bucket: this.#bucket, prefix: this.#prefix, signal: this.#signal }
    for await (const version of s3Versions(this.#client, place)) {
      if (!isRetained(version.key) || version.key.endsWith('/')) continue
      if (open.length > 0 && open[0]!.key !== version.key) {
        yield open
        open = []
      }
      open.push(version)
    }
    if (open.length > 0) yield open
  }

  async stepFor(versions: readonly S3Version[]): Promise<Step | undefined> {
    const [latest] = versions
    const was = await this.#stateThen(versions)
    if (latest === undefined || was === latest) return undefined
    if (was === undefined || was.isRemoval) {
      return latest.isRemoval ? undefined : this.#step('set-aside', latest, () => this.#setAside(latest))
    }
    const newer = versions.slice(0, versions.indexOf(was))
    if (newer.every(({ isRemoval }) => isRemoval))
      return this.#step('uncover', was, () => this.#removeMarks(newer))
    // A recovery that was stopped has copied it already.
    if (latest.etag === was.etag && latest.sizeBytes === was.sizeBytes) return undefined
    return this.#step('restore', was, () => this.#copyForward(was))
  }

  /** What stood there at the moment. */
  async #stateThen(versions: readonly S3Version[]): Promise<S3Version | undefined> {
    const known = versions.find(({ at }) => at <= this.#moment)
    if (known !== undefined || !this.#timesMayMove) return known
    // The first of them: nothing of ours is ever written over, so that whatever came later is somebody else's.
    for (const version of versions.toReversed()) {
      if (!version.isRemoval && (await this.#writtenBefore(version))) return version
    }
    return undefined
  }

  async #writtenBefore({ key, versionId }: S3Version): Promise<boolean> {
    const found = await this.#call(`look at ${key}`, (s3, options) =>
      s3.headObject({ Bucket: this.#bucket, Key: key, VersionId: versionId }, options),
    )
    const written = Date.parse(found.Metadata?.[WRITTEN] ?? '')
    return written <= this.#moment.getTime()
  }

  #step(action: RecoveryAction, version: S3Version, take: () => Promise<void>): Step {
    return { action, path: version.key.slice(this.#prefix.length), sizeBytes: version.sizeBytes, take }
  }

  async #setAside({ key }: S3Version): Promise<void> {
    await this.#call(`set ${key} aside`, (s3, options) =>
      s3.deleteObject({ Bucket: this.#bucket, Key: key }, options),
    )
  }

  async #removeMarks(marks: readonly S3Version[]): Promise<void> {
    for (const { key, versionId } of marks) {
      await this.#call(`uncover ${key}`, (s3, options) =>
        s3.deleteObject({ Bucket: this.#bucket, Key: key, VersionId: versionId }, options),
      )
    }
  }

  async #copyForward({ key, versionId }: S3Version): Promise<void> {
    const lock = this.#locks === undefined ? {} : this.#locks.lockFrom(await this.#locks.now(this.#signal))
    const source = `${this.#bucket}/${key.split('/').map(encodeURIComponent).join('/')}`
    await this.#call(`restore ${key}`, (s3, options) =>
      s3.copyObject(
        {
          Bucket: this.#bucket,
          Key: key,
          CopySource: `${source}?versionId=${encodeURIComponent(versionId)}`,
          ...lock,
        },
        options,
      ),
    )
  }

  #call<Result>(action: string, work: (s3: S3, options: CallOptions) => Promise<Result>): Promise<Result> {
    return this.#client.call(action, { signal: this.#signal }, work)
  }
}
