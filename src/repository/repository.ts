import { hostname, userInfo } from 'node:os'
import {
  type Clock,
  conflict,
  invalid,
  isHoldfastError,
  type Logger,
  notBuilt,
  notFound,
  type Random,
  silentLogger,
} from '#base'
import type { Storage } from '#storage'
import { affectedBy } from './affected.ts'
import { BlobReader } from './blob-reader.ts'
import { check } from './check.ts'
import { copySnapshots } from './copy.ts'
import type {
  AffectedEntry,
  BlobId,
  BlobName,
  BlobType,
  CheckReport,
  CopyOptions,
  CopyReport,
  FileEntry,
  KeyInfo,
  NewSnapshot,
  PruneOptions,
  PruneReport,
  RepairOptions,
  RepairReport,
  Repository,
  RepositoryWriter,
  RewrittenSnapshot,
  Snapshot,
  SnapshotEditor,
  SnapshotId,
  TreeEntry,
  UsageOptions,
  UsageReport,
  VerifyOptions,
  VerifyReport,
} from './contract.ts'
import { gearTable } from './format/chunker.ts'
import { newConfig, openConfig, type RepositoryConfig, sealConfig } from './format/config.ts'
import { DEFAULT_COST, newKeySet, type ScryptCost } from './format/key-file.ts'
import { IV_BYTES, type KeySet } from './format/sealing.ts'
import type { Host } from './format/snapshot.ts'
import { IndexFiles } from './index-files.ts'
import { findKey, Keys, type NewKeyOptions, type OpenedKey, writeKey } from './keys.ts'
import { type LockOwner, Locks } from './locks.ts'
import { PackWindows } from './pack-windows.ts'
import { prune, type PruneParts } from './prune.ts'
import { forgetDamaged, repair } from './repair.ts'
import { rewriteSnapshots } from './rewrite-snapshots.ts'
import { Snapshots } from './snapshots.ts'
import { usage } from './usage.ts'
import { readableSnapshots, verify } from './verify.ts'
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
  /** Whose locks of earlier processes may be removed, wherever they ran. */
  readonly owner?: LockOwner
  /** Cost of new key files. A smaller one than the default is for tests only. */
  readonly scrypt?: ScryptCost
}

export interface NewRepositoryOptions extends OpenOptions {
  /** An open repository whose files are cut alike, so that what is copied from it and what comes later share chunks. */
  readonly cutLike?: Repository
}

const CONFIG = 'config'

/** Makes a new repository. Throws `conflict` where there is one. The storage stays the caller's to close. */
export const initRepository = async (
  storage: Storage,
  options: NewRepositoryOptions,
): Promise<Repository> => {
  if ((await storage.stat(CONFIG)) !== undefined) throw conflict('there is a repository already')
  const { random, password, cutLike } = options
  const master = newKeySet(random)
  const config = { ...newConfig(random), ...(cutLike && StoredRepository.cuttingOf(cutLike)) }
  const id = await writeKey(storage, password, newKeyOptions(master, options))
  // The repository exists from here on.
  await storage.write(CONFIG, [sealConfig(master, config, random.bytes(IV_BYTES))])
  return StoredRepository.open(storage, { id, master }, config, options)
}

/**
 * Opens a repository, removes locks that dead processes of this machine left, and reads the index. Throws `not-found`
 * where there is none, `denied` for a wrong password. The storage stays the caller's to close.
 */
export const openRepository = async (storage: Storage, options: OpenOptions): Promise<Repository> => {
  if ((await storage.stat(CONFIG)) === undefined) throw notFound('there is no repository')
  const key = await findKey(storage, options.password, options.log ?? silentLogger)
  const config = openConfig(key.master, await storage.read(CONFIG))
  return StoredRepository.open(storage, key, config, options)
}

const hostOf = (options: OpenOptions): Host =>
  options.host ?? { hostname: hostname(), username: userInfo().username }

const newKeyOptions = (master: KeySet, options: OpenOptions): NewKeyOptions => {
  const { clock, random, scrypt: cost = DEFAULT_COST } = options
  return { master, clock, random, cost, host: hostOf(options) }
}

class StoredRepository implements Repository {
  readonly id: string
  readonly version: 1 | 2
  readonly #options: OpenOptions
  readonly #config: RepositoryConfig
  readonly #locks: Locks
  readonly #keys: Keys
  readonly #gear: Int32Array
  readonly #reader: BlobReader
  readonly #parts: PruneParts
  readonly #releasePool: () => Promise<void>
  #session: WritingSession | undefined
  /** One after the other. */
  #pruning: Promise<unknown> = Promise.resolve()

  private constructor(
    storage: Storage,
    { id: keyId, master: key }: OpenedKey,
    config: RepositoryConfig,
    options: OpenOptions,
  ) {
    const { clock, random, log = silentLogger, owner } = options
    const host = hostOf(options)
    const { pool, release } = useSharedPool()
    const files = new IndexFiles({ storage, key, random, pool })
    this.id = config.id
    this.version = config.version
    this.#config = config
    this.#keys = new Keys({ ...newKeyOptions(key, options), storage, current: keyId })
    this.#options = options
    this.#releasePool = release
    this.#gear = gearTable(config.chunkerPolynomial)
    this.#locks = new Locks({
      storage,
      key,
      clock,
      random,
      log,
      host,
      pid: process.pid,
      version: this.version,
      ...(owner === undefined ? {} : { owner }),
    })
    this.#reader = new BlobReader({
      files,
      windows: new PackWindows({ storage, key, pool }),
      readWaiting: async (type, id) => this.#session?.packer?.read(type, id),
    })
    const snapshots = new Snapshots({ storage, key, random, host })
    this.#parts = { storage, key, files, snapshots, reader: this.#reader, pool, random, log }
  }

  static cuttingOf(repository: Repository): Pick<RepositoryConfig, 'chunkerPolynomial'> {
    if (!(#config in repository)) throw invalid('only an open repository tells how it cuts files')
    return { chunkerPolynomial: repository.#config.chunkerPolynomial }
  }

  static async open(
    storage: Storage,
    key: OpenedKey,
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

  async snapshots(signal?: AbortSignal): Promise<readonly Snapshot[]> {
    const { snapshots, damaged } = await this.#parts.snapshots.readable(signal)
    if (damaged.length > 0) this.#parts.log.warn({ snapshots: damaged }, 'snapshots cannot be read')
    return snapshots
  }

  async damagedSnapshots(signal?: AbortSignal): Promise<readonly SnapshotId[]> {
    return (await this.#parts.snapshots.readable(signal)).damaged
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
    return this.#session?.packer?.has(type, id) ?? this.#parts.files.use(type, id)
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

  /** Compressed blobs and documents are unknown to version 1. */
  #checkWritable(): void {
    if (this.version === 2) return
    throw notBuilt(
      'the repository has version 1, which Holdfast reads and does not write; ' +
        '`restic migrate upgrade_repo_v2` makes it version 2, a copy into another repository does too',
    )
  }

  async withWriter<Result>(
    work: (writer: RepositoryWriter) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result> {
    return this.#withWriter(work, signal)
  }

  async #withWriter<Result>(
    work: (writer: Writer) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result> {
    this.#checkWritable()
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
    work: (writer: Writer) => Promise<Result>,
    signal: AbortSignal | undefined,
  ): Promise<Result> {
    const { traces } = this.#parts.files
    using _trace = traces.enter()
    const writer = new Writer({
      packer,
      traces,
      pool: this.#parts.pool,
      gear: this.#gear,
      readTree: (id) => this.#reader.readBlob('tree', id),
      writeSnapshot: async (snapshot: NewSnapshot) => {
        packer.throwIfFailed()
        // A disk that was taken away meanwhile leaves an empty folder that can be written to.
        if ((await this.#parts.storage.stat(CONFIG)) === undefined)
          throw notFound('the repository is gone from its storage')
        await traces.passed()
        traces.root(snapshot.tree)
        return this.#parts.snapshots.write(snapshot)
      },
      signal,
    })
    const result = await work(writer)
    await packer.flush()
    return result
  }

  async forget(ids: readonly SnapshotId[]): Promise<void> {
    await using _lock = await this.#locks.take('traced')
    for (const id of ids) await this.#removeSnapshot(id)
  }

  /** Writers that are open may lean on it: a prune keeps what it needs until they have ended. */
  async #removeSnapshot(id: SnapshotId): Promise<void> {
    const { snapshots, files } = this.#parts
    if (files.traces.isBusy) {
      const tree = await snapshots.get(id).then(
        (snapshot) => snapshot.tree,
        () => undefined,
      )
      await files.traces.passed()
      if (tree !== undefined) files.traces.root(tree)
    }
    await snapshots.remove(id)
  }

  rewrite(
    ids: readonly SnapshotId[],
    edit: (editor: SnapshotEditor, snapshot: Snapshot) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<readonly RewrittenSnapshot[]> {
    const { snapshots, reader } = this.#parts
    const work = (writer: Writer): Promise<readonly RewrittenSnapshot[]> =>
      rewriteSnapshots(
        {
          snapshots,
          edit,
          editTree: (base) => writer.edit(base),
          readTree: (id) => reader.readBlob('tree', id),
          saveTree: (text) => writer.saveTreeText(text),
          flush: () => writer.flush(),
          remove: (id) => this.#removeSnapshot(id),
          signal,
        },
        ids,
      )
    return this.#withWriter(work, signal)
  }

  async prune(options: PruneOptions, signal?: AbortSignal): Promise<PruneReport> {
    this.#checkWritable()
    const pruning = this.#pruning.then(() =>
      prune(
        {
          ...this.#parts,
          clock: this.#options.clock,
          locks: this.#locks,
          isWaiting: (type, id) => this.#session?.packer?.isWaiting(type, id) === true,
        },
        options,
        signal,
      ),
    )
    this.#pruning = pruning.catch(() => undefined)
    return pruning
  }

  async usage(options: UsageOptions, signal?: AbortSignal): Promise<UsageReport> {
    await this.refresh()
    return usage(this.#parts, await this.snapshots(signal), options, signal)
  }

  async check(options: { readData: boolean }, signal?: AbortSignal): Promise<CheckReport> {
    await using _lock = await this.#locks.take('shared', signal)
    return await check(this.#parts, options, signal)
  }

  keys(): Promise<readonly KeyInfo[]> {
    return this.#keys.list()
  }

  addKey(password: string): Promise<string> {
    return this.#keys.add(password)
  }

  removeKey(id: string): Promise<void> {
    return this.#keys.remove(id)
  }

  changePassword(password: string): Promise<string> {
    return this.#keys.replaceCurrent(password)
  }

  keepPassword(password: string): Promise<string> {
    return this.#keys.keep(password)
  }

  removePassword(password: string): Promise<number> {
    return this.#keys.removeOpenedBy(password)
  }

  packs(): Iterable<string> {
    const { index } = this.#parts.files
    return index.packs.filter((id) => index.hasPack(id))
  }

  async verify(options: VerifyOptions, signal?: AbortSignal): Promise<VerifyReport> {
    await using _lock = await this.#locks.take('shared', signal)
    return await verify(this.#parts, options, signal)
  }

  async *affectedBy(blobs: Iterable<BlobName>, signal?: AbortSignal): AsyncGenerator<AffectedEntry> {
    await this.refresh()
    yield* affectedBy(this.#parts, await readableSnapshots(this.#parts, signal), blobs, signal)
  }

  async markMissing(blobs: Iterable<BlobName>, signal?: AbortSignal): Promise<readonly BlobName[]> {
    this.#checkWritable()
    await using lock = await this.#locks.take('exclusive', signal)
    return await forgetDamaged(
      { ...this.#parts, config: this.#config, guard: () => lock.check() },
      blobs,
      signal,
    )
  }

  async repair(options: RepairOptions, signal?: AbortSignal): Promise<RepairReport> {
    this.#checkWritable()
    await using lock = await this.#locks.take('exclusive', signal)
    return await repair({ ...this.#parts, config: this.#config, guard: () => lock.check() }, options, signal)
  }

  async copyFrom(source: Repository, options: CopyOptions, signal?: AbortSignal): Promise<CopyReport> {
    this.#checkWritable()
    if (!(#parts in source)) throw invalid('only an open repository can be copied from')
    await using lock = await this.#locks.take('shared', signal)
    const sides = {
      from: source.#parts,
      fromVersion: source.version,
      to: this.#parts,
      guard: () => lock.check(),
    }
    return await copySnapshots(sides, options, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#releasePool()
  }
}
