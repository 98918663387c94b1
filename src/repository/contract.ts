// The words of the repository layer. Format: docs/design/repository.md.

export type BlobId = string & { readonly __blobId: unique symbol }
export type SnapshotId = string & { readonly __snapshotId: unique symbol }
export type BlobType = 'data' | 'tree'

/** One node of a tree. Names are plain: restic's quoting happens inside. */
export type TreeEntry = FileEntry | FolderEntry

export interface FileEntry {
  readonly type: 'file'
  readonly name: string
  readonly modifiedAt: Date
  readonly createdAt?: Date
  readonly sizeBytes: number
  readonly content: readonly BlobId[]
}

export interface FolderEntry {
  readonly type: 'folder'
  readonly name: string
  readonly modifiedAt: Date
  readonly subtree: BlobId
}

export interface Snapshot {
  readonly id: SnapshotId
  readonly time: Date
  readonly tree: BlobId
  readonly paths: readonly string[]
  readonly hostname: string
  readonly username: string
  readonly tags: readonly string[]
  readonly parent?: SnapshotId
  /** The snapshot that this one was copied or rewritten from, in this repository or in another. */
  readonly original?: SnapshotId
}

export interface NewSnapshot {
  readonly time: Date
  readonly tree: BlobId
  readonly paths: readonly string[]
  readonly tags: readonly string[]
  readonly parent?: SnapshotId
}

/** What a file was stored as. */
export interface SavedFile {
  readonly content: readonly BlobId[]
  readonly sizeBytes: number
  /** Bytes of this file that were not yet in the repository, before and after compression and sealing. */
  readonly newBytes: number
}

/** A part of a file whose chunk borders start afresh, so that equal parts of different files are stored once. */
export type FilePart = Uint8Array | AsyncIterable<Uint8Array>

export interface RepositoryReader {
  /** Oldest first. Without those whose file is damaged: `damagedSnapshots` of a repository names them. */
  snapshots(signal?: AbortSignal): Promise<readonly Snapshot[]>
  snapshot(id: SnapshotId): Promise<Snapshot>
  /** Entries in ascending order of their name's bytes. Throws `corrupt` or `not-found`. */
  tree(id: BlobId): Promise<readonly TreeEntry[]>
  /** Follows a `/`-separated path below a tree. */
  entryAt(tree: BlobId, path: string): Promise<TreeEntry | undefined>
  hasBlob(type: BlobType, id: BlobId): boolean
  readBlob(type: BlobType, id: BlobId): Promise<Uint8Array>
  /** A file's bytes, checked blob by blob; `range` in bytes of the file. */
  readFile(
    file: Pick<FileEntry, 'content' | 'sizeBytes'>,
    range?: { offset: number; length: number },
  ): AsyncIterable<Uint8Array>
}

export interface RepositoryWriter {
  /** Chunks, stores what is new, and returns as soon as the bytes are taken over; they are durable after `flush`. */
  saveFile(parts: Iterable<FilePart> | AsyncIterable<FilePart>): Promise<SavedFile>
  saveTree(entries: Iterable<TreeEntry>): Promise<BlobId>
  /** A tree that files can be put into and removed from by path; see TreeEditor. */
  edit(base?: BlobId): TreeEditor
  /** Everything saved so far is durable and in a durable index when it resolves. Not yet in a snapshot. */
  flush(): Promise<void>
  /** Flushes, then writes the snapshot. The last write of a run. */
  saveSnapshot(snapshot: NewSnapshot): Promise<Snapshot>
  /** Totals of this writer. */
  readonly stats: WriterStats
}

export interface WriterStats {
  readonly files: number
  /** Bytes given to saveFile. */
  readonly readBytes: number
  readonly newBlobs: number
  /** Plain bytes of new blobs. */
  readonly newBytes: number
  /** Bytes written to the storage. */
  readonly storedBytes: number
}

/**
 * Edits a tree by path. Folders are loaded when touched; folders left empty by `remove` vanish. Memory is bounded by
 * what was touched since the last `save`.
 */
export interface TreeEditor {
  /** `modifiedAt` of new folders. */
  putFile(path: string, file: Omit<FileEntry, 'type' | 'name'>): Promise<void>
  /** Hangs a finished tree below a path, replacing what is there. */
  putTree(path: string, subtree: BlobId): Promise<void>
  get(path: string): Promise<TreeEntry | undefined>
  /** A file or a whole folder. Returns false when nothing was there. */
  remove(path: string): Promise<boolean>
  /** Moves a file or folder with all below it; replaces nothing: `conflict` when the target exists. */
  move(from: string, to: string): Promise<void>
  /** Saves what changed, forgets loaded folders, and returns the root. Undefined for an empty tree. The editor stays usable. */
  save(): Promise<BlobId | undefined>
}

/** Edits the tree of a snapshot that is written again. Trees that several snapshots share are looked into once. */
export interface SnapshotEditor extends TreeEditor {
  /** Leaves out files and whole folders. Paths that are not there are no error. */
  removePaths(paths: readonly string[]): Promise<void>
  /**
   * Looks at every entry from the top; `enter` asks for what is below a folder. What is answered may depend on path and entry
   * alone: give the same function for each snapshot, and it is asked once for entries that snapshots share.
   */
  filter(decide: EntryFilter): Promise<void>
}

export type EntryFilter = (path: string, entry: TreeEntry) => EntryVerdict | Promise<EntryVerdict>
export type EntryVerdict = 'keep' | 'drop' | 'enter'

/** A snapshot that was written again. */
export interface RewrittenSnapshot {
  readonly from: SnapshotId
  /** `from` itself when nothing changed; undefined when nothing was left. */
  readonly to: SnapshotId | undefined
  /** Why the old one is still there: the storage lets nobody remove it before a date. */
  readonly kept?: string
}

export interface PruneOptions {
  /** Roots beside the snapshots: checkpoints of running jobs. A function is asked when the trees are about to be walked. */
  readonly keepTrees: readonly BlobId[] | (() => Promise<readonly BlobId[]>)
  /**
   * So long packs stay stored after the index forgot them, by the storage's time and by ours. 0, which is the default,
   * removes them at once. Where the storage has no time of its own, steps of the clock of more than a week between two calls
   * do not count as waited.
   */
  readonly graceMs?: number
  /** Rewrites every pack that holds a blob which nothing needs, however little it is: for data that has to be gone for good. */
  readonly leaveNoWaste?: boolean
  readonly onProgress?: (step: string) => void
}

export interface PruneReport {
  /** Bytes of packs removed by this call, without what was written for them. */
  readonly removedBytes: number
  /** Bytes that are stored in packs that are in use. */
  readonly keptBytes: number
  /** Bytes of packs that are out of use and wait for their time. */
  readonly waitingBytes: number
  /** For so long writers of this process had to wait before they could name trees. */
  readonly heldMs: number
  /** When the last of them may go, as far as that is known. */
  readonly waitingUntil?: Date
  /** Why packs could not go out of use now; the next call goes on from here. */
  readonly postponed?: string
}

export interface UsageOptions {
  /**
   * Whose a folder of a snapshot is, with all below it; `enter` to be asked about the folders in it; undefined where it is
   * nobody's. What is answered depends on the path alone.
   */
  readonly ownerOf: (path: string) => { readonly owner: string } | 'enter' | undefined
  /** Roots beside the snapshots: checkpoints of running jobs. */
  readonly keepTrees?: readonly BlobId[]
}

/** What an owner has in all snapshots together. Blobs that it has several times count once. */
export interface OwnerUsage {
  /** Sizes of its different files: what they were before anything was found twice in them. */
  readonly fileBytes: number
  /** Plain bytes of its data blobs, and of all its blobs. */
  readonly dataBytes: number
  readonly plainBytes: number
  /** Bytes of all its blobs as stored, compressed and sealed. */
  readonly storedBytes: number
  /** Of these, what no other owner has: given back when the owner goes from all snapshots. */
  readonly exclusiveBytes: number
}

export interface SnapshotUsage {
  readonly snapshot: SnapshotId
  readonly time: Date
  /** As stored: what no earlier snapshot needs. */
  readonly grownBytes: number
  /** As stored: what no other snapshot needs, given back when this one goes alone. */
  readonly exclusiveBytes: number
}

export interface UsageReport {
  readonly owners: ReadonlyMap<string, OwnerUsage>
  /** Oldest first. */
  readonly snapshots: readonly SnapshotUsage[]
  /** Different files, owner by owner. */
  readonly fileBytes: number
  /** Plain bytes of the data blobs, and of all blobs, that anything needs. */
  readonly dataBytes: number
  readonly plainBytes: number
  /** Sealed bytes of all blobs in the index, those that lie in several packs too. */
  readonly storedBytes: number
  /** Of those that any snapshot or any of `keepTrees` needs. */
  readonly neededBytes: number
  readonly wasteBytes: number
  /** Trees that could not be read and blobs that are not there: the numbers are too small then. */
  readonly unreadable: number
}

export interface CheckReport {
  readonly packs: number
  readonly blobs: number
  readonly snapshots: number
  /** Empty when all is well. Each names the file or blob. */
  readonly problems: readonly string[]
}

/** Type is part of a blob's identity. */
export interface BlobName {
  readonly type: BlobType
  readonly id: BlobId
}

/** A password of the repository. Holds no secret. */
export interface KeyInfo {
  readonly id: string
  readonly createdAt: Date
  readonly username: string
  readonly hostname: string
  /** Whether the repository was opened with this one. */
  readonly isCurrent: boolean
}

/**
 * What is wrong with a repository. `index-missing`: no index names a stored pack, and something in it is needed.
 * `blob-missing`: a needed blob is in no index and in no stored pack. `tree-damaged`: a folder that cannot be read.
 */
export type ProblemKind =
  | 'config-damaged'
  | 'key-damaged'
  | 'index-damaged'
  | 'index-missing'
  | 'snapshot-damaged'
  | 'pack-missing'
  | 'pack-damaged'
  | 'blob-damaged'
  | 'blob-missing'
  | 'tree-damaged'

export interface Problem {
  readonly kind: ProblemKind
  /** A line for a person. */
  readonly message: string
  /** The stored file, such as `index/…`, where there is one. */
  readonly file?: string
  /** The blobs that cannot be read because of it, as far as they are known. */
  readonly blobs: readonly BlobName[]
}

export interface VerifyOptions {
  /**
   * Whose data is read: none, all, the packs of a slice (`index` from 0 to `of - 1`; thirty slices on thirty days read
   * everything once), or the packs that are named. Names, indexes, headers and trees are looked at whatever is chosen.
   */
  readonly data: 'none' | 'all' | { readonly index: number; readonly of: number } | readonly string[]
  /** Told of each problem when it is found. */
  readonly onProblem?: (problem: Problem) => void
  readonly onProgress?: (progress: VerifyProgress) => void
}

export interface VerifyProgress {
  readonly packs: number
  readonly packsTotal: number
  readonly readBytes: number
}

export interface VerifyReport {
  /** Packs that the index names. */
  readonly packs: number
  readonly blobs: number
  readonly snapshots: number
  /** Packs whose data was read, and their bytes. */
  readonly readPacks: number
  readonly readBytes: number
  /** The first 10,000; `onProblem` is told of every one. */
  readonly problems: readonly Problem[]
}

/** A file or folder of a snapshot that cannot be read in full. */
export interface AffectedEntry {
  readonly snapshot: Snapshot
  readonly path: string
  readonly type: 'file' | 'folder'
  /** Those of the asked for blobs that it needs. */
  readonly blobs: readonly BlobId[]
}

/** Offers the plaintext of a blob that was lost, or undefined. What it gives is believed only if it has that id. */
export type BlobSource = (blob: BlobName, signal?: AbortSignal) => Promise<Uint8Array | undefined>

export interface RepairOptions {
  /** Tells what would be done, and does nothing. */
  readonly dryRun?: boolean
  /** Packs whose data is read: all, or those that a verify found damaged. What metadata shows to be wrong is read anyway. */
  readonly data?: 'none' | 'all' | readonly string[]
  /** Where lost blobs may be found: copies of this repository, or somebody who can make the bytes again. */
  readonly sources?: readonly (Repository | BlobSource)[]
  /**
   * Roots of runs that no snapshot names, from a snapshot file that was lost, or forgotten and not yet pruned: list them
   * or bring them back. Listed unless told.
   */
  readonly lostSnapshots?: 'list' | 'restore'
  /** What a root without a snapshot was; reads `.holdfast/run.json` unless told. Undefined for what is none. */
  readonly recognise?: (
    reader: RepositoryReader,
    root: BlobId,
    known: readonly Snapshot[],
  ) => Promise<NewSnapshot | undefined>
  /** Writes snapshots that need lost blobs again without the files and folders that are lost. */
  readonly leaveOutLost?: boolean
  readonly onProgress?: (step: string) => void
}

export interface RepairReport {
  /** What was found to be wrong. */
  readonly problems: readonly Problem[]
  /** Packs whose blobs were saved into new packs, and packs that an index names again. */
  readonly rescuedPacks: readonly string[]
  readonly indexedPacks: readonly string[]
  /** Blobs that came from a source. */
  readonly healedBlobs: readonly BlobName[]
  /** Blobs that snapshots need and that nobody has. The next run that reads their items again stores them anew. */
  readonly lostBlobs: readonly BlobName[]
  /** Roots of runs without a snapshot; `restored` when it was brought back. */
  readonly foundSnapshots: readonly { readonly snapshot: NewSnapshot; readonly restored?: SnapshotId }[]
  /** Snapshots that were written again, and what was left out of them. */
  readonly rewrittenSnapshots: readonly {
    readonly from: SnapshotId
    readonly to: SnapshotId | undefined
    readonly leftOut: readonly string[]
  }[]
  /** Files that were taken out of use, now below `damaged/`. They are deleted once nothing is lost any more. */
  readonly movedAside: readonly string[]
  /** What cannot be repaired, for a person. */
  readonly notes: readonly string[]
}

export interface CopyOptions {
  /** All that the target does not have yet unless told. */
  readonly select?: (snapshot: Snapshot) => boolean
  /**
   * What of a snapshot is copied: `all` below a path, nothing, or `part`, which asks for what is below. Snapshots are then
   * written with new trees.
   */
  readonly filter?: (path: string, entry: TreeEntry) => 'all' | 'part' | 'none'
  readonly onProgress?: (progress: CopyProgress) => void
}

export interface CopyProgress {
  readonly snapshots: number
  readonly snapshotsTotal: number
  readonly copiedBlobs: number
  /** Sealed bytes read from the one and written to the other. */
  readonly readBytes: number
  readonly writtenBytes: number
}

export interface CopyReport extends Omit<CopyProgress, 'snapshots' | 'snapshotsTotal'> {
  /** Snapshots made, in the order of time. */
  readonly copied: readonly { readonly from: SnapshotId; readonly to: SnapshotId }[]
  /** Selected ones that the target had. */
  readonly alreadyThere: number
  /** Those that something is missing of in the source, and damaged snapshot files. Everything else was copied. */
  readonly notCopied: readonly { readonly snapshot: SnapshotId; readonly reason: string }[]
  /** Blobs that selected snapshots need and neither side has. */
  readonly lostBlobs: readonly BlobName[]
}

export interface Repository extends RepositoryReader, AsyncDisposable {
  readonly id: string
  /** Of the format: 2, or 1, which is read and checked but not written. */
  readonly version: 1 | 2
  /** Snapshot files that cannot be read. While there are any, nothing is pruned; `repair` is the way on. */
  damagedSnapshots(signal?: AbortSignal): Promise<readonly SnapshotId[]>
  /** Reads the files that others wrote since it was opened. */
  refresh(): Promise<void>
  /** Takes a shared lock, hands out a writer, flushes, releases. Several may run at once. */
  withWriter<Result>(
    work: (writer: RepositoryWriter) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result>
  forget(ids: readonly SnapshotId[]): Promise<void>
  /**
   * Writes snapshots again with edited trees: time, host, tags and paths stay, `original` names the first of the line. The
   * old ones are removed when all new ones are stored; cut off before, both are there and the next call goes on.
   */
  rewrite(
    ids: readonly SnapshotId[],
    edit: (editor: SnapshotEditor, snapshot: Snapshot) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<readonly RewrittenSnapshot[]>
  /**
   * Gives back what no snapshot needs. Writers of this process go on meanwhile. Somebody else in the repository postpones it
   * (`postponed`); stopped anywhere, the next call goes on.
   */
  prune(options: PruneOptions, signal?: AbortSignal): Promise<PruneReport>
  /** What is stored for whom, and what each snapshot added. Takes no lock, and reads every tree about once. */
  usage(options: UsageOptions, signal?: AbortSignal): Promise<UsageReport>
  check(options: { readData: boolean }, signal?: AbortSignal): Promise<CheckReport>
  /** Ids of the packs that the index in force names: those out of use are not among them. */
  packs(): Iterable<string>
  /** The passwords, oldest first. A damaged key file is left out. */
  keys(): Promise<readonly KeyInfo[]>
  /** Adds a further password (a restic key file) and returns its id. */
  addKey(password: string): Promise<string>
  /** Throws `conflict` for the key that the repository was opened with, and so for the last one. */
  removeKey(id: string): Promise<void>
  /** Replaces the key that the repository was opened with. Killed half-way, both passwords open it. */
  changePassword(password: string): Promise<string>
  /**
   * Sees to it that the password opens the repository, and counts its key as the one that it was opened with from now on.
   * Adds nothing where it opens it already. Returns the id of the key.
   */
  keepPassword(password: string): Promise<string>
  /**
   * Removes every key that the password opens, and returns how many. Throws `conflict` for the one that the repository was
   * opened with. Stopped half-way, the next call goes on.
   */
  removePassword(password: string): Promise<number>
  /** Looks at everything but data, and at the chosen data. Changes nothing. */
  verify(options: VerifyOptions, signal?: AbortSignal): Promise<VerifyReport>
  /** Which files and folders of which snapshots need these blobs. Reads every tree once. */
  affectedBy(blobs: Iterable<BlobName>, signal?: AbortSignal): AsyncIterable<AffectedEntry>
  /**
   * Makes the index forget blobs that are damaged, so that the next run that reads them stores them again. The other blobs
   * of their packs are kept. Exclusive lock. Returns those forgotten.
   */
  markMissing(blobs: Iterable<BlobName>, signal?: AbortSignal): Promise<readonly BlobName[]>
  /** Brings back what can be. New files first; may be stopped anywhere and called again. Exclusive lock. */
  repair(options: RepairOptions, signal?: AbortSignal): Promise<RepairReport>
  /**
   * Copies snapshots from another repository, whatever its key. Blobs that this one has are not read; stopped anywhere, the
   * next call goes on. Time, host, paths and tags stay, and `original` names the source's snapshot. Damage in the source
   * stops nothing: look at `notCopied`.
   */
  copyFrom(source: Repository, options: CopyOptions, signal?: AbortSignal): Promise<CopyReport>
}
