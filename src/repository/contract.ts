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

export interface CheckReport {
  readonly packs: number
  readonly blobs: number
  readonly snapshots: number
  /** Empty when all is well. Each names the file or blob. */
  readonly problems: readonly string[]
}

export interface Repository extends RepositoryReader, AsyncDisposable {
  readonly id: string
  /** Reads the files that others wrote since it was opened. */
  refresh(): Promise<void>
  /** Takes a shared lock, hands out a writer, flushes, releases. Several may run at once. */
  withWriter<Result>(
    work: (writer: RepositoryWriter) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result>
  forget(ids: readonly SnapshotId[]): Promise<void>
  /** Removes what no snapshot needs. Exclusive lock. `keepTrees` are roots beside the snapshots (checkpoints of running jobs). */
  prune(
    options: { keepTrees: readonly BlobId[] },
    signal?: AbortSignal,
  ): Promise<{ removedBytes: number; keptBytes: number }>
  check(options: { readData: boolean }, signal?: AbortSignal): Promise<CheckReport>
  /** Adds a further password (a restic key file). */
  addKey(password: string): Promise<void>
}
