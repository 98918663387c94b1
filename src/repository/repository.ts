import { hostname, userInfo } from 'node:os'
import {
  type Clock,
  conflict,
  HoldfastError,
  isHoldfastError,
  type Logger,
  messageOf,
  notFound,
  type Random,
  silentLogger,
} from '#base'
import type { Storage } from '#storage'
import { BlobReader } from './blob-reader.ts'
import { check } from './check.ts'
import type {
  BlobId,
  BlobType,
  CheckReport,
  FileEntry,
  NewSnapshot,
  Repository,
  RepositoryWriter,
  Snapshot,
  SnapshotId,
  TreeEntry,
} from './contract.ts'
import { gearTable } from './format/chunker.ts'
import { newConfig, openConfig, type RepositoryConfig, sealConfig } from './format/config.ts'
import { sha256Hex } from './format/ids.ts'
import { DEFAULT_COST, encodeKeyFile, newKeySet, openKeyFile, type ScryptCost } from './format/key-file.ts'
import { IV_BYTES, type KeySet } from './format/sealing.ts'
import type { Host } from './format/snapshot.ts'
import { IndexFiles, listIds } from './index-files.ts'
import { Locks } from './locks.ts'
import { PackWindows } from './pack-windows.ts'
import { prune, type PruneParts } from './prune.ts'
import { Snapshots } from './snapshots.ts'
import { Writer } from './writer.ts'
import { WritingSession } from './writing-session.ts'
import { useSharedPool } from './workers/worker-pool.ts'

export interface OpenOptions {
  readonly password: string
  readonly clock: Clock
  readonly random: Random
  readonly log?: Logger
  /** Written into snapshots, locks and key files; this machine and user unless told. */
  readonly host?: Host
  /** Cost of new key files. A smaller one than the default is for tests only. */
  readonly scrypt?: ScryptCost
}

const CONFIG = 'config'

/** Makes a new repository. Throws `conflict` where there is one. The storage stays the caller's to close. */
export const initRepository = async (storage: Storage, options: OpenOptions): Promise<Repository> => {
  if ((await storage.stat(CONFIG)) !== undefined) throw conflict('there is a repository already')
  const { random } = options
  const key = newKeySet(random)
  const config = newConfig(random)
  await writeKeyFile(storage, key, options)
  // The repository exists from here on.
  await storage.write(CONFIG, [sealConfig(key, config, random.bytes(IV_BYTES))])
  return StoredRepository.open(storage, key, config, options)
}

/**
 * Opens a repository, removes locks that dead processes of this machine left, and reads the index. Throws `not-found`
 * where there is none, `denied` for a wrong password. The storage stays the caller's to close.
 */
export const openRepository = async (storage: Storage, options: OpenOptions): Promise<Repository> => {
  if ((await storage.stat(CONFIG)) === undefined) throw notFound('there is no repository')
  const key = await findKey(storage, options)
  const config = openConfig(key, await storage.read(CONFIG))
  return StoredRepository.open(storage, key, config, options)
}

const hostOf = (options: OpenOptions): Host =>
  options.host ?? { hostname: hostname(), username: userInfo().username }

const writeKeyFile = async (storage: Storage, master: KeySet, options: OpenOptions): Promise<void> => {
  const { password, clock, random, scrypt: cost = DEFAULT_COST } = options
  const file = { master, password, cost, host: hostOf(options), createdAt: clock.now(), random }
  const bytes = await encodeKeyFile(file)
  await storage.write(`keys/${sha256Hex(bytes)}`, [bytes])
}

const findKey = async (storage: Storage, { password, log = silentLogger }: OpenOptions): Promise<KeySet> => {
  for (const id of await listIds(storage, 'keys')) {
    try {
      const key = await openKeyFile(await storage.read(`keys/${id}`), password)
      if (key !== undefined) return key
    } catch (error) {
      if (!isHoldfastError(error, 'corrupt') && !isHoldfastError(error, 'not-found')) throw error
      log.warn({ key: id, reason: messageOf(error) }, 'key file cannot be read')
    }
  }
  throw new HoldfastError('denied', 'the password opens none of the repository’s keys', {
    reason: 'wrong-password',
  })
}

class StoredRepository implements Repository {
  readonly id: string
  readonly #options: OpenOptions
  readonly #locks: Locks
  readonly #gear: Int32Array
  readonly #reader: BlobReader
  readonly #parts: PruneParts
  readonly #releasePool: () => Promise<void>
  #session: WritingSession | undefined

  private constructor(storage: Storage, key: KeySet, config: RepositoryConfig, options: OpenOptions) {
    const { clock, random, log = silentLogger } = options
    const host = hostOf(options)
    const { pool, release } = useSharedPool()
    const files = new IndexFiles({ storage, key, random })
    this.id = config.id
    this.#options = options
    this.#releasePool = release
    this.#gear = gearTable(config.chunkerPolynomial)
    this.#locks = new Locks({ storage, key, clock, random, log, host, pid: process.pid })
    this.#reader = new BlobReader({
      files,
      windows: new PackWindows({ storage, key, pool }),
      readWaiting: async (type, id) => this.#session?.packer?.read(type, id),
    })
    const snapshots = new Snapshots({ storage, key, random, host })
    this.#parts = { storage, key, files, snapshots, reader: this.#reader, pool, random, log }
  }

  static async open(
    storage: Storage,
    key: KeySet,
    config: RepositoryConfig,
    options: OpenOptions,
  ): Promise<Repository> {
    const repository = new StoredRepository(storage, key, config, options)
    try {
      await repository.#removeOwnStaleLocks()
      await repository.refresh()
      return repository
    } catch (error) {
      await repository.#releasePool()
      throw error
    }
  }

  async #removeOwnStaleLocks(): Promise<void> {
    try {
      await this.#locks.removeOwnStale()
    } catch (error) {
      // Reading does not need it: a read-only storage, or a foreign lock that is not readable.
      if (!isHoldfastError(error)) throw error
      this.#parts.log.warn({ reason: error.message }, 'stale locks not removed')
    }
  }

  refresh(): Promise<void> {
    return this.#parts.files.refresh()
  }

  snapshots(signal?: AbortSignal): Promise<readonly Snapshot[]> {
    return this.#parts.snapshots.list(signal)
  }

  snapshot(id: SnapshotId): Promise<Snapshot> {
    return this.#parts.snapshots.get(id)
  }

  tree(id: BlobId): Promise<readonly TreeEntry[]> {
    return this.#reader.tree(id)
  }

  entryAt(tree: BlobId, path: string): Promise<TreeEntry | undefined> {
    return this.#reader.entryAt(tree, path)
  }

  hasBlob(type: BlobType, id: BlobId): boolean {
    return this.#session?.packer?.has(type, id) ?? this.#parts.files.index.has(type, id)
  }

  readBlob(type: BlobType, id: BlobId): Promise<Uint8Array> {
    return this.#reader.readBlob(type, id)
  }

  readFile(
    file: Pick<FileEntry, 'content' | 'sizeBytes'>,
    range?: { offset: number; length: number },
  ): AsyncIterable<Uint8Array> {
    return this.#reader.readFile(file, range)
  }

  async withWriter<Result>(
    work: (writer: RepositoryWriter) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result> {
    if (this.#session === undefined || !this.#session.isOpen) {
      const { clock } = this.#options
      this.#session = new WritingSession({ ...this.#parts, clock, locks: this.#locks })
    }
    const session = this.#session
    try {
      return await session.run((packer) => this.#write(packer, work, signal), signal)
    } finally {
      if (!session.isOpen && this.#session === session) this.#session = undefined
    }
  }

  async #write<Result>(
    packer: NonNullable<WritingSession['packer']>,
    work: (writer: RepositoryWriter) => Promise<Result>,
    signal: AbortSignal | undefined,
  ): Promise<Result> {
    const writer = new Writer({
      packer,
      pool: this.#parts.pool,
      gear: this.#gear,
      readTree: (id) => this.#reader.tree(id),
      writeSnapshot: async (snapshot: NewSnapshot) => {
        packer.throwIfFailed()
        // A disk that was taken away meanwhile leaves an empty folder that can be written to.
        if ((await this.#parts.storage.stat(CONFIG)) === undefined)
          throw notFound('the repository is gone from its storage')
        return this.#parts.snapshots.write(snapshot)
      },
      signal,
    })
    const result = await work(writer)
    await packer.flush()
    return result
  }

  async forget(ids: readonly SnapshotId[]): Promise<void> {
    await using _lock = await this.#locks.take('shared')
    for (const id of ids) await this.#parts.snapshots.remove(id)
  }

  async prune(
    options: { keepTrees: readonly BlobId[] },
    signal?: AbortSignal,
  ): Promise<{ removedBytes: number; keptBytes: number }> {
    await using _lock = await this.#locks.take('exclusive', signal)
    return prune(this.#parts, options, signal)
  }

  async check(options: { readData: boolean }, signal?: AbortSignal): Promise<CheckReport> {
    await using _lock = await this.#locks.take('shared', signal)
    return check(this.#parts, options, signal)
  }

  addKey(password: string): Promise<void> {
    return writeKeyFile(this.#parts.storage, this.#parts.key, { ...this.#options, password })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#releasePool()
  }
}
