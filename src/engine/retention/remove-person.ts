import { isHoldfastError, type Json } from '#base'
import { checkpointRows, type Database } from '#database'
import type { BlobId, BlobType, Repository, RepositoryWriter, Snapshot, SnapshotEditor } from '#repository'
import {
  OBJECTS_FOLDER,
  readObjectState,
  readRunRecord,
  RUN_FILE,
  saveRunRecord,
  versionsPath,
} from '../catalogue/object-state.ts'
import { treesOfCheckpoints } from './reclaim-space.ts'

/** What became of a person's data in one shard. */
export interface ShardRemoval {
  readonly rewrittenPoints: number
  /** Pieces of stored data that nobody else needed and that are gone, and those that others' data share. */
  readonly removedBlobs: number
  readonly sharedBlobs: number
  readonly freedBytes: number
  /** Why something is still there; empty when all is gone. */
  readonly remaining: readonly string[]
}

export interface PersonInShard {
  readonly repository: Repository
  readonly database: Database
  /** Under which the pieces to be gone are remembered until they are. */
  readonly runId: string
  readonly place: string
  readonly objectKeys: readonly string[]
  readonly signal: AbortSignal
}

type Blobs = Readonly<Record<BlobType, Set<BlobId>>>

/**
 * Takes a person out of every snapshot of a shard, gives the space back at once, and looks whether all is gone. May be cut
 * off anywhere and called again. `conflict` while somebody else is at work in the repository.
 */
export const removePersonFromShard = async (person: PersonInShard): Promise<ShardRemoval> => {
  const { repository, signal } = person
  await repository.refresh()
  const doomed = await doomedBlobs(person)
  const rewritten = await rewriteSnapshots(person)
  await forgetCheckpoints(person)
  const { queries } = person.database
  const pruned = await repository.prune(
    { keepTrees: () => treesOfCheckpoints(queries, repository), leaveNoWaste: true },
    signal,
  )
  if (pruned.postponed !== undefined) return { ...NOTHING, ...rewritten, remaining: [pruned.postponed] }
  const proof = await prove(person, doomed)
  return {
    rewrittenPoints: rewritten.rewrittenPoints,
    ...proof,
    freedBytes: pruned.removedBytes,
    remaining: [...rewritten.remaining, ...proof.remaining],
  }
}

const NOTHING: ShardRemoval = {
  rewrittenPoints: 0,
  removedBlobs: 0,
  sharedBlobs: 0,
  freedBytes: 0,
  remaining: [],
}

const ofHoldfast = async ({ repository, signal }: PersonInShard): Promise<readonly Snapshot[]> =>
  (await repository.snapshots(signal)).filter(({ tags }) => tags.includes('holdfast'))

/** Where a person's things hang in a snapshot; empty when there are none. */
const pathsIn = async (
  { repository, objectKeys }: PersonInShard,
  tree: BlobId,
): Promise<readonly string[]> => {
  const paths: string[] = []
  for (const key of objectKeys) {
    const place = `${OBJECTS_FOLDER}/${key}`
    const entry = await repository.entryAt(tree, place)
    if (entry?.type !== 'folder') continue
    const { path } = await readObjectState(repository, entry.subtree)
    paths.push(place, path, versionsPath(path))
  }
  return paths
}

/** All blobs below a person's paths, remembered before the first snapshot changes: afterwards nothing leads to them. */
const doomedBlobs = async (person: PersonInShard): Promise<Blobs> => {
  const { repository, database, runId, place } = person
  const key = `doomed ${place}`
  const blobs = readBlobs(await checkpointRows.find(database.queries, runId, key))
  for (const { tree } of await ofHoldfast(person))
    for (const path of await pathsIn(person, tree)) {
      const entry = await repository.entryAt(tree, path)
      if (entry?.type === 'folder') await collect(person, entry.subtree, blobs)
    }
  await checkpointRows.put(database.queries, runId, key, writtenBlobs(blobs))
  return blobs
}

const collect = async (person: PersonInShard, tree: BlobId, blobs: Blobs): Promise<void> => {
  person.signal.throwIfAborted()
  if (blobs.tree.has(tree)) return
  blobs.tree.add(tree)
  for (const entry of await person.repository.tree(tree)) {
    if (entry.type === 'folder') await collect(person, entry.subtree, blobs)
    else for (const id of entry.content) blobs.data.add(id)
  }
}

const ID_BYTES = 32

const writtenBlobs = ({ tree, data }: Blobs): Json => ({
  tree: packed(tree),
  data: packed(data),
})
const packed = (ids: ReadonlySet<BlobId>): string => Buffer.from([...ids].join(''), 'hex').toString('base64')
const unpacked = (text: Json | undefined): Set<BlobId> => {
  const bytes = Buffer.from(typeof text === 'string' ? text : '', 'base64')
  const ids = new Set<BlobId>()
  for (let at = 0; at < bytes.length; at += ID_BYTES)
    ids.add(bytes.toString('hex', at, at + ID_BYTES) as BlobId)
  return ids
}
const readBlobs = (value: Json | undefined): Blobs => {
  const kept = (value ?? {}) as Readonly<Record<string, Json>>
  return { tree: unpacked(kept['tree']), data: unpacked(kept['data']) }
}

const rewriteSnapshots = async (
  person: PersonInShard,
): Promise<Pick<ShardRemoval, 'rewrittenPoints' | 'remaining'>> => {
  const { repository, signal } = person
  const snapshots = await ofHoldfast(person)
  return repository.withWriter(async (writer) => {
    const records = await recordsWithout(person, snapshots, writer)
    await writer.flush()
    const rewritten = await repository.rewrite(
      snapshots.map(({ id }) => id),
      (editor, snapshot) => takeOut(person, editor, snapshot, records.get(snapshot.id)),
      signal,
    )
    return {
      rewrittenPoints: rewritten.filter(({ from, to }) => from !== to).length,
      remaining: rewritten.flatMap(({ kept }) => (kept === undefined ? [] : [kept])),
    }
  }, signal)
}

interface ChangedRecord {
  readonly isEmpty: boolean
  readonly content: readonly BlobId[]
  readonly sizeBytes: number
}

/** The records of runs that name the person, without them. */
const recordsWithout = async (
  { repository, objectKeys }: PersonInShard,
  snapshots: readonly Snapshot[],
  writer: RepositoryWriter,
): Promise<ReadonlyMap<string, ChangedRecord>> => {
  const changed = new Map<string, ChangedRecord>()
  for (const { id, tree } of snapshots) {
    const record = await readRunRecord(repository, tree)
    if (record === undefined || !record.objects.some(({ key }) => objectKeys.includes(key))) continue
    const objects = record.objects.filter(({ key }) => !objectKeys.includes(key))
    const { content, sizeBytes } = await saveRunRecord(writer, { ...record, objects })
    changed.set(id, { isEmpty: objects.length === 0, content, sizeBytes })
  }
  return changed
}

const takeOut = async (
  person: PersonInShard,
  editor: SnapshotEditor,
  { tree, time }: Snapshot,
  record: ChangedRecord | undefined,
): Promise<void> => {
  const paths = await pathsIn(person, tree)
  if (paths.length > 0) await editor.removePaths(paths)
  if (record === undefined) return
  // A point that held nobody else goes as a whole.
  if (record.isEmpty) await editor.removePaths([RUN_FILE])
  else {
    const { content, sizeBytes } = record
    await editor.putFile(RUN_FILE, { content, sizeBytes, modifiedAt: time })
  }
}

/** What runs that were cut off have saved of the person is not to be kept either. */
const forgetCheckpoints = async ({ database, objectKeys }: PersonInShard): Promise<void> => {
  for (const { sessionId, key } of await checkpointRows.listAll(database.queries))
    if (objectKeys.includes(key)) await checkpointRows.remove(database.queries, sessionId, key)
}

/** No blob is stored any more but those that somebody else's data needs, and no snapshot knows the person. */
const prove = async (
  person: PersonInShard,
  doomed: Blobs,
): Promise<Pick<ShardRemoval, 'removedBlobs' | 'sharedBlobs' | 'remaining'>> => {
  const { repository, signal } = person
  await repository.refresh()
  const total = doomed.tree.size + doomed.data.size
  for (const type of ['tree', 'data'] as const)
    for (const id of doomed[type]) if (!repository.hasBlob(type, id)) doomed[type].delete(id)
  const still = doomed.tree.size + doomed.data.size
  const remaining: string[] = []
  const seen: Blobs = { tree: new Set(), data: new Set() }
  for (const { tree, id } of await repository.snapshots(signal)) {
    await collect(person, tree, seen)
    const found = await pathsIn(person, tree).catch((error: unknown) => {
      if (isHoldfastError(error, 'corrupt')) return []
      throw error
    })
    if (found.length > 0) remaining.push(`snapshot ${id.slice(0, 8)} holds data of the person`)
  }
  for (const tree of await treesOfCheckpoints(person.database.queries, repository))
    await collect(person, tree, seen)
  const unneeded = (type: BlobType): number => [...doomed[type]].filter((id) => !seen[type].has(id)).length
  const left = unneeded('tree') + unneeded('data')
  if (left > 0) remaining.push(`${left} pieces of the data are still stored`)
  return { removedBlobs: total - still, sharedBlobs: still - left, remaining }
}
