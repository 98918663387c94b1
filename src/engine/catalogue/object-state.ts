import { createHash } from 'node:crypto'
import { corrupt } from '#base'
import { storedName } from '#formats'
import type { BlobId, RepositoryReader, RepositoryWriter } from '#repository'

// What travels with an object's tree in each snapshot. Format: docs/design/catalogue.md.

export type ObjectKind = 'mail' | 'onedrive'

export interface ObjectIdentity {
  readonly kind: ObjectKind
  /** The directory's id of the user. */
  readonly userId: string
  readonly principalName: string
  readonly displayName: string
}

export interface SegmentRef {
  /** `000001`. */
  readonly name: string
  /** Absent for lines of JSON, 2 for blocks. */
  readonly format?: 2
  readonly rows: number
  readonly sizeBytes: number
  readonly content: readonly BlobId[]
}

export interface StoredFolder {
  readonly id: string
  /** Absent for a folder directly below the mailbox's root. */
  readonly parentId?: string
  readonly name: string
  /** Its name in the tree. */
  readonly segment: string
  readonly wellKnownName?: string
  readonly isHidden: boolean
  /** Where the next run goes on. */
  readonly token?: string
  /** A full round is under way because a token lapsed; set in checkpoints alone. */
  readonly isResyncing?: boolean
  /** No longer in the mailbox; its messages are being looked for elsewhere. Set in checkpoints alone. */
  readonly isGone?: boolean
}

export interface FailedItem {
  readonly id: string
  readonly folderId?: string
  readonly name: string
  readonly reason: string
  /** When it failed first. */
  readonly since: string
}

export interface ObjectState extends ObjectIdentity {
  readonly format: 1
  /** Where the object's files are in the snapshot: `users/meg@contoso.com~1a2b3c4d/mail`. */
  readonly path: string
  /** Mail folders; empty for a drive, whose folders are rows. */
  readonly folders: readonly StoredFolder[]
  /** Where the next run of a drive goes on. */
  readonly token?: string
  readonly isResyncing?: boolean
  readonly segments: readonly SegmentRef[]
  /** The number of the next segment file. */
  readonly nextSegment: number
  /**
   * The change of the run that merged last, apart from what it merged: for caches that know the state before it. `count` is how
   * many of `segments` it and what was before are; absent: the one that all was merged into.
   */
  readonly lastChange?: {
    readonly after: string
    readonly segments: readonly SegmentRef[]
    readonly count?: number
  }
  /** Rows in the segments that no longer hold, about. Absent: none. */
  readonly superseded?: number
  readonly counts: { readonly items: number; readonly bytes: number }
  readonly failed: readonly FailedItem[]
}

/** What happened to an object in a run, as the snapshot tells it. */
export interface ObjectRunStatus {
  readonly key: string
  readonly status: 'success' | 'warning' | 'failed' | 'skipped'
  readonly reason?: string
  /** Absent in records of older runs. */
  readonly identity?: ObjectIdentity
  /** Of one that failed or is skipped: since which run. */
  readonly since?: string
  /** When it was protected last, where it ever was. */
  readonly protectedAt?: string
}

export interface RunRecord {
  readonly format: 1
  readonly jobId: string
  readonly jobName: string
  readonly sessionId: string
  readonly objects: readonly ObjectRunStatus[]
  /** What was under legal hold is left of the point, and nothing else. */
  readonly isReduced?: true
}

export const OBJECTS_FOLDER = '.holdfast/objects'
export const RUN_FILE = '.holdfast/run.json'
export const STATE_FILE = 'state.json'
export const segmentPath = ({ name, format }: Pick<SegmentRef, 'name' | 'format'>): string =>
  `segments/${name}.${format === 2 ? 'rows' : 'ndjson'}`

/** Names an object in the tree, in the catalogue and for its shard. */
export const objectKey = ({ kind, userId }: Pick<ObjectIdentity, 'kind' | 'userId'>): string =>
  `${kind}-${storedName(userId)}`

/** Where the object's files hang in a snapshot. */
export const objectPath = ({ kind, userId, principalName }: ObjectIdentity): string => {
  const short = userId.replace(/[^0-9A-Za-z]/g, '').toLowerCase()
  return `users/${storedName(principalName)}~${short.slice(0, 8)}/${kind}`
}

/** Where the older versions of an object's files hang: beside the files, at the same paths. */
export const versionsPath = (path: string): string => `${path}-versions`

/** The shard of a protected user: the same for mailbox and drive, so that they share blobs. */
export const shardOf = (userId: string, shards: number): number =>
  createHash('sha256').update(userId).digest().readUInt32BE(0) % shards

/** Equal for states that hold the same rows by the same segments. */
export const segmentsKey = (segments: readonly SegmentRef[]): string =>
  createHash('sha256')
    .update(JSON.stringify(segments.map(({ content }) => content)))
    .digest('hex')

/** The segments that lead from `known` to the state; undefined when only a comparison can tell. */
export const segmentsSince = (
  known: readonly SegmentRef[],
  { segments, lastChange }: ObjectState,
): readonly SegmentRef[] | undefined => {
  if (known.length <= segments.length && segmentsKey(known) === segmentsKey(segments.slice(0, known.length)))
    return segments.slice(known.length)
  if (lastChange?.after !== segmentsKey(known)) return undefined
  return [...lastChange.segments, ...segments.slice(lastChange.count ?? 1)]
}

/** Reads the state below an object's catalogue tree. Throws `corrupt` or `not-found`. */
export const readObjectState = async (reader: RepositoryReader, tree: BlobId): Promise<ObjectState> => {
  const state = await readJsonFile<ObjectState>(reader, tree, STATE_FILE)
  if (state === undefined || state.format !== 1)
    throw corrupt('an object of the snapshot has no readable state')
  return state
}

export const readRunRecord = (reader: RepositoryReader, root: BlobId): Promise<RunRecord | undefined> =>
  readJsonFile<RunRecord>(reader, root, RUN_FILE)

/** The file at `RUN_FILE`. Equal records give equal blobs. */
export const saveRunRecord = (
  writer: Pick<RepositoryWriter, 'saveFile'>,
  record: RunRecord,
): Promise<{ readonly content: readonly BlobId[]; readonly sizeBytes: number }> =>
  writer.saveFile([Buffer.from(JSON.stringify(record))])

const readJsonFile = async <Value>(
  reader: RepositoryReader,
  tree: BlobId,
  path: string,
): Promise<Value | undefined> => {
  const entry = await reader.entryAt(tree, path)
  if (entry?.type !== 'file') return undefined
  const pieces: Uint8Array[] = []
  for await (const piece of reader.readFile(entry)) pieces.push(piece)
  try {
    return JSON.parse(Buffer.concat(pieces).toString()) as Value
  } catch (error) {
    throw corrupt(`${path} in the snapshot is broken`, error)
  }
}
