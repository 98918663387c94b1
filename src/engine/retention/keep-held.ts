import { isHoldfastError } from '#base'
import type {
  BlobId,
  EntryFilter,
  RepositoryReader,
  RepositoryWriter,
  RewrittenSnapshot,
  Snapshot,
  SnapshotId,
} from '#repository'
import {
  OBJECTS_FOLDER,
  readObjectState,
  readRunRecord,
  RUN_FILE,
  saveRunRecord,
  versionsPath,
} from '../catalogue/object-state.ts'
import type { OrganizationShard } from '../repositories/organization-shards.ts'

// Of a restore point that no rule keeps, what is under legal hold stays, and nothing else.

export interface HeldAlone {
  /** Snapshots that are gone, or there without the rest. */
  readonly reduced: readonly SnapshotId[]
  /** Former roots: a backup that is under way may still go on from them. */
  readonly formerTrees: readonly BlobId[]
  /** Why others are still there as they were. */
  readonly kept: readonly string[]
}

/**
 * Writes snapshots of a shard again with the held objects alone; one that holds none goes. May be cut off anywhere and called
 * again. A snapshot that the storage keeps until a date stays beside the new one, which is kept from now on.
 */
export const keepHeldAlone = async (
  { repository, organizationName }: Pick<OrganizationShard, 'repository' | 'organizationName'>,
  { ids, held }: { readonly ids: readonly SnapshotId[]; readonly held: ReadonlySet<string> },
  signal: AbortSignal,
): Promise<HeldAlone> => {
  if (ids.length === 0) return { reduced: [], formerTrees: [], kept: [] }
  return repository.withWriter(async (writer) => {
    const rests: Rest[] = []
    const kept: string[] = []
    for (const id of ids) {
      signal.throwIfAborted()
      const snapshot = await repository.snapshot(id)
      const rest = await restOf(repository, writer, snapshot, held)
      if (rest === undefined)
        kept.push(
          `what is held in the point of ${snapshot.time.toISOString()} of ${organizationName} cannot be told from the rest: its catalogue is damaged`,
        )
      else rests.push(rest)
    }
    await writer.flush()
    const report = await rewrite(repository, rests, signal)
    const changed = report.filter(({ from, to }) => from !== to)
    return {
      reduced: changed.map(({ from }) => from),
      formerTrees: rests.map(({ snapshot }) => snapshot.tree),
      kept: [...kept, ...changed.flatMap((each) => (each.kept === undefined ? [] : [each.kept]))],
    }
  }, signal)
}

/** What is to stay of a snapshot. */
interface Rest {
  readonly snapshot: Snapshot
  /** Where the held objects hang; none: the snapshot goes. */
  readonly paths: readonly string[]
  readonly record: { readonly content: readonly BlobId[]; readonly sizeBytes: number } | undefined
}

/** Undefined where the catalogue cannot be read: nothing is taken out of what nobody can tell apart. */
const restOf = async (
  reader: RepositoryReader,
  writer: RepositoryWriter,
  snapshot: Snapshot,
  held: ReadonlySet<string>,
): Promise<Rest | undefined> => {
  try {
    const paths = await heldPaths(reader, snapshot.tree, held)
    const record = await readRunRecord(reader, snapshot.tree)
    if (record === undefined) return undefined
    if (paths.length === 0) return { snapshot, paths, record: undefined }
    const objects = record.objects.filter(({ key }) => held.has(key))
    const saved = await saveRunRecord(writer, { ...record, objects, isReduced: true })
    return { snapshot, paths: [...paths, RUN_FILE], record: saved }
  } catch (error) {
    if (!isHoldfastError(error, 'corrupt') && !isHoldfastError(error, 'not-found')) throw error
    return undefined
  }
}

const heldPaths = async (
  reader: RepositoryReader,
  tree: BlobId,
  held: ReadonlySet<string>,
): Promise<readonly string[]> => {
  const folder = await reader.entryAt(tree, OBJECTS_FOLDER)
  const entries = folder?.type === 'folder' ? await reader.tree(folder.subtree) : []
  const paths: string[] = []
  for (const entry of entries) {
    if (entry.type !== 'folder' || !held.has(entry.name)) continue
    const { path } = await readObjectState(reader, entry.subtree)
    paths.push(`${OBJECTS_FOLDER}/${entry.name}`, path, versionsPath(path))
  }
  return paths
}

const rewrite = (
  repository: OrganizationShard['repository'],
  rests: readonly Rest[],
  signal: AbortSignal,
): Promise<readonly RewrittenSnapshot[]> => {
  // A path belongs to one object in all snapshots: one filter, so that trees which they share are looked into once.
  const filter = keepAlone(new Set(rests.flatMap(({ paths }) => paths)))
  const byId = new Map(rests.map((rest) => [rest.snapshot.id, rest]))
  return repository.rewrite(
    rests.map(({ snapshot }) => snapshot.id),
    async (editor, { id, time }) => {
      const record = byId.get(id)?.record
      await editor.filter(record === undefined ? dropAll : filter)
      if (record !== undefined) await editor.putFile(RUN_FILE, { ...record, modifiedAt: time })
    },
    signal,
  )
}

const dropAll: EntryFilter = () => 'drop'

const keepAlone = (paths: ReadonlySet<string>): EntryFilter => {
  const above = new Set<string>()
  for (const path of paths)
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
      above.add(path.slice(0, end))
  return (path) => (paths.has(path) ? 'keep' : above.has(path) ? 'enter' : 'drop')
}
