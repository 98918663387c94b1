import type {
  BlobId,
  RepositoryReader,
  RepositoryWriter,
  RewrittenSnapshot,
  Snapshot,
  SnapshotId,
} from '#repository'
import {
  OBJECTS_FOLDER,
  readObjectState,
  versionsPath,
  type ObjectIdentity,
  type SegmentRef,
} from '../catalogue/object-state.ts'
import type { GoingRows, RowEdit } from '../catalogue/taken-out.ts'
import type { OrganizationShard } from '../repositories/organization-shards.ts'
import { filterByAge, judgeRow, secondOf, youngPart, type AgedTree, type CutoffSecond } from './item-age.ts'
import { heldKeys, type Hold, type PointVerdict } from './plan-points.ts'
import type { SnapshotOfPoint, StoredPoint } from './repository-contents.ts'
import { StateRewriting } from './rewrite-states.ts'

// Items that are too old leave all points that stay.

/** An object of a shard, in all points whose rule has the same cutoff. */
export interface AgedObject {
  readonly shard: OrganizationShard
  readonly key: string
  readonly identity: ObjectIdentity
  readonly cutoff: CutoffSecond
  /** The states that it has in these points, oldest first. */
  readonly versions: readonly number[]
  readonly going: GoingRows
}

export interface AgedPoints {
  readonly shard: OrganizationShard
  readonly cutoff: CutoffSecond
  readonly snapshots: readonly SnapshotOfPoint[]
  readonly objects: readonly AgedObject[]
  /** All that the shard holds is judged by this cutoff, but for what is held. */
  readonly isWholeShard: boolean
}

export const editOf = (cutoff: CutoffSecond): RowEdit => ({
  judge: (block, row) => judgeRow(block, row, cutoff),
  left: (row) => youngPart(row, cutoff),
})

/** What is too old in the points of a shard that stay. The preview and the run both ask here. */
export const agedPoints = async (
  shard: OrganizationShard,
  of: {
    readonly points: readonly StoredPoint[]
    readonly verdicts: readonly PointVerdict[]
    readonly holds: readonly Hold[]
    readonly signal?: AbortSignal | undefined
  },
): Promise<readonly AgedPoints[]> => {
  const byId = new Map(of.points.map((point) => [point.id, point]))
  const staying = of.verdicts.filter(({ goes }) => !goes)
  const parts = staying.flatMap(({ point, itemCutoff, reasons, heldAlone }) => {
    // Written again it would be there twice until the storage lets go of it. Of what is held alone nothing goes by its age.
    const stays = heldAlone !== undefined || reasons.some(({ kind }) => kind === 'Locked')
    const cutoff = itemCutoff === undefined || stays ? undefined : secondOf(itemCutoff)
    const ofShard = (byId.get(point.id)?.snapshots ?? []).filter((part) => part.shard === shard)
    return ofShard.map((part) => ({ part, time: point.time.getTime(), cutoff }))
  })
  parts.sort((a, b) => a.time - b.time)
  const held = heldKeys(shard.organizationId, of.holds)
  const groups = Map.groupBy(parts, ({ cutoff }) => cutoff)
  const found: AgedPoints[] = []
  for (const [cutoff, members] of groups) {
    if (cutoff === undefined) continue
    const snapshots = members.map(({ part }) => part)
    const objects = await agedObjects(shard, { snapshots, cutoff, held, signal: of.signal })
    found.push({ shard, cutoff, snapshots, objects, isWholeShard: groups.size === 1 })
  }
  return found
}

const agedObjects = async (
  shard: OrganizationShard,
  of: {
    readonly snapshots: readonly SnapshotOfPoint[]
    readonly cutoff: CutoffSecond
    readonly held: ReadonlySet<string>
    readonly signal?: AbortSignal | undefined
  },
): Promise<readonly AgedObject[]> => {
  const all = of.snapshots.flatMap(({ objects }) => objects).filter(({ key }) => !of.held.has(key))
  const aged: AgedObject[] = []
  for (const [key, states] of Map.groupBy(all, ({ key }) => key)) {
    of.signal?.throwIfAborted()
    await shard.catalogue.load(key, of.signal)
    const versions = [...new Set(states.map(({ version }) => version))]
    const going = shard.catalogue.goingFrom(key, versions, editOf(of.cutoff))
    const identity = states.at(-1)!
    if (going.isAny) aged.push({ shard, key, identity, cutoff: of.cutoff, versions, going })
  }
  return aged
}

export interface ItemRemoval {
  readonly items: number
  readonly rewrittenPoints: readonly SnapshotId[]
  /** Former roots: a backup that is under way may still go on from them. */
  readonly formerTrees: readonly BlobId[]
  /** Why the storage kept some of them. */
  readonly kept: readonly string[]
}

interface RewrittenObject {
  readonly aged: AgedObject
  readonly states: Map<BlobId, { readonly to: BlobId; readonly segments: readonly SegmentRef[] }>
  readonly paths: Set<string>
}

/** Writes the points again without what is too old. May be cut off anywhere and called again. */
export const removeAgedItems = async (
  { shard, cutoff, snapshots: parts, objects, isWholeShard }: AgedPoints,
  isBackedUp: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<ItemRemoval> => {
  const { repository, catalogue } = shard
  const affected = new Set(objects.map(({ key }) => key))
  const concerned = parts.filter((part) => part.objects.some(({ key }) => affected.has(key)))
  if (concerned.length === 0) return NOTHING
  const snapshots: Snapshot[] = []
  for (const { snapshot } of concerned) snapshots.push(await repository.snapshot(snapshot))
  const { rewritten, report } = await repository.withWriter(async (writer) => {
    const states = await rewriteStates(writer, { objects, parts: concerned, snapshots, signal })
    await writer.flush()
    return { rewritten: states, report: await rewriteSnapshots(shard, { snapshots, states, cutoff, signal }) }
  }, signal)
  const changed = report.filter(({ from, to }) => from !== to)
  if (isWholeShard && changed.every(({ kept }) => kept === undefined) && !(await isBackedUp()))
    await follow(shard, changed, rewritten)
  await catalogue.sync(signal)
  return {
    items: objects.reduce((sum, { going }) => sum + going.items, 0),
    rewrittenPoints: changed.map(({ from }) => from),
    formerTrees: snapshots.map(({ tree }) => tree),
    kept: changed.flatMap(({ kept }) => (kept === undefined ? [] : [kept])),
  }
}

const NOTHING: ItemRemoval = { items: 0, rewrittenPoints: [], formerTrees: [], kept: [] }

interface StatesToRewrite {
  readonly objects: readonly AgedObject[]
  readonly parts: readonly SnapshotOfPoint[]
  readonly snapshots: readonly Snapshot[]
  readonly signal: AbortSignal
}

const rewriteStates = async (
  writer: RepositoryWriter,
  { objects, parts, snapshots, signal }: StatesToRewrite,
): Promise<ReadonlyMap<string, RewrittenObject>> => {
  const rewritten = new Map<string, RewrittenObject>()
  const rewritings = new Map<string, StateRewriting>()
  for (const aged of objects) {
    rewritten.set(aged.key, { aged, states: new Map(), paths: new Set() })
    rewritings.set(aged.key, new StateRewriting(aged.shard.repository, writer, editOf(aged.cutoff)))
  }
  for (const [at, { tree }] of snapshots.entries()) {
    const trees = await stateTrees(objects[0]!.shard.repository, tree)
    for (const { key, version } of parts[at]!.objects) {
      signal.throwIfAborted()
      const object = rewritten.get(key)
      const stateTree = trees.get(key)
      if (object === undefined || stateTree === undefined || object.states.has(stateTree)) continue
      const { repository, catalogue } = object.aged.shard
      const state = await readObjectState(repository, stateTree)
      const going = object.aged.going.fromVersion.get(version) ?? { items: 0, bytes: 0 }
      const isGoing = (id: string): boolean => {
        const row = catalogue.rowsById(key, version, [id]).get(id)
        return row !== undefined && youngPart(row, object.aged.cutoff) === undefined
      }
      const { stateTree: to, segments } = await rewritings
        .get(key)!
        .rewrite({ stateTree, state, going, isGoing })
      object.states.set(stateTree, { to, segments })
      object.paths.add(state.path)
    }
  }
  return rewritten
}

const stateTrees = async (
  repository: RepositoryReader,
  tree: BlobId,
): Promise<ReadonlyMap<string, BlobId>> => {
  const folder = await repository.entryAt(tree, OBJECTS_FOLDER)
  const entries = folder?.type === 'folder' ? await repository.tree(folder.subtree) : []
  return new Map(
    entries.flatMap((entry) => (entry.type === 'folder' ? [[entry.name, entry.subtree] as const] : [])),
  )
}

const rewriteSnapshots = (
  { repository }: OrganizationShard,
  {
    snapshots,
    states,
    cutoff,
    signal,
  }: {
    readonly snapshots: readonly Snapshot[]
    readonly states: ReadonlyMap<string, RewrittenObject>
    readonly cutoff: CutoffSecond
    readonly signal: AbortSignal
  },
): Promise<readonly RewrittenSnapshot[]> => {
  const roots = new Map<string, AgedTree>()
  for (const [key, { paths }] of states)
    for (const path of paths) {
      roots.set(path, kindOf(key))
      roots.set(versionsPath(path), 'files')
    }
  // One function for all, so that trees which points share are looked into once.
  const filter = filterByAge(roots, cutoff)
  return repository.rewrite(
    snapshots.map(({ id }) => id),
    async (editor, { tree }) => {
      await editor.filter(filter)
      for (const [key, stateTree] of await stateTrees(repository, tree)) {
        const to = states.get(key)?.states.get(stateTree)?.to
        if (to !== undefined && to !== stateTree) await editor.putTree(`${OBJECTS_FOLDER}/${key}`, to)
      }
    },
    signal,
  )
}

const kindOf = (key: string): AgedTree => (key.startsWith('mail-') ? 'mail' : 'files')

const follow = async (
  { repository, catalogue }: OrganizationShard,
  changed: readonly RewrittenSnapshot[],
  rewritten: ReadonlyMap<string, RewrittenObject>,
): Promise<void> => {
  const points: { from: SnapshotId; to: SnapshotId; tree: BlobId }[] = []
  for (const { from, to } of changed)
    if (to !== undefined) points.push({ from, to, tree: (await repository.snapshot(to)).tree })
  catalogue.follow({
    points,
    objects: [...rewritten].map(([key, { aged, states }]) => ({
      key,
      edit: editOf(aged.cutoff),
      states: [...states].map(([from, { to, segments }]) => ({ from, to, segments })),
    })),
  })
}
