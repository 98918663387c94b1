import { isHoldfastError } from '#base'
import { AffectedTrees } from './affected.ts'
import type { BlobId, BlobName, NewSnapshot, RepairReport, RepositoryReader, Snapshot } from './contract.ts'
import { encodeDescendant } from './format/snapshot.ts'
import type { PruneParts } from './prune.ts'
import { rewriteTree } from './rewrite-tree.ts'
import { readableSnapshots } from './verify.ts'

/** Where the record of a run lies in its snapshot. */
const RUN_FILE = '.holdfast/run.json'
const LARGEST_RECORD = 64 * 1024 * 1024

/**
 * What the root of a run was as a snapshot, from the record of the run in it; the organization's name and tag come from the
 * other snapshots of the repository, which are of the same. Undefined for a tree that is no root of a run.
 */
export const recogniseRun = async (
  reader: RepositoryReader,
  root: BlobId,
  known: readonly Snapshot[],
): Promise<NewSnapshot | undefined> => {
  try {
    const file = await reader.entryAt(root, RUN_FILE)
    if (file?.type !== 'file' || file.sizeBytes > LARGEST_RECORD) return undefined
    const pieces: Uint8Array[] = []
    for await (const piece of reader.readFile(file)) pieces.push(piece)
    const { jobId, sessionId } = recordOf(Buffer.concat(pieces).toString('utf8'))
    const sibling = known.filter(({ tags }) => tags.includes('holdfast')).at(-1)
    return {
      time: file.modifiedAt,
      tree: root,
      paths: sibling?.paths ?? ['/'],
      tags: [
        'holdfast',
        ...(sibling?.tags.filter((tag) => tag.startsWith('org:')) ?? []),
        ...(jobId === undefined ? [] : [`job:${jobId}`]),
        ...(sessionId === undefined ? [] : [`run:${sessionId}`]),
      ],
    }
  } catch (error) {
    if (isHoldfastError(error, 'corrupt') || isHoldfastError(error, 'not-found')) return undefined
    throw error
  }
}

const recordOf = (json: string): { readonly jobId?: string; readonly sessionId?: string } => {
  try {
    const record: unknown = JSON.parse(json)
    if (typeof record !== 'object' || record === null) return {}
    const { jobId, sessionId } = record as Readonly<Record<string, unknown>>
    return {
      ...(typeof jobId === 'string' ? { jobId } : {}),
      ...(typeof sessionId === 'string' ? { sessionId } : {}),
    }
  } catch {
    return {}
  }
}

export interface LeaveOut {
  readonly lost: Iterable<BlobName>
  /** Stores a tree. What it took is durable after `flush`. */
  readonly save: (tree: Uint8Array) => Promise<BlobId>
  readonly flush: () => Promise<void>
  readonly signal: AbortSignal | undefined
}

/** Writes the snapshots that need lost blobs again without what needs them. */
export const leaveOutLost = async (
  parts: PruneParts,
  { lost, save, flush, signal }: LeaveOut,
): Promise<RepairReport['rewrittenSnapshots']> => {
  const trees = new AffectedTrees(parts, lost, signal)
  const rewritten: { from: Snapshot; tree: BlobId | undefined; leftOut: string[] }[] = []
  for (const from of await readableSnapshots(parts, signal)) {
    if (!(await trees.leadsToDamage(from.tree))) continue
    const leftOut: string[] = []
    for await (const { path } of trees.below(from)) leftOut.push(path)
    rewritten.push({ from, tree: await withoutLost(parts, trees, from.tree, save), leftOut })
  }
  await flush()
  const report: { from: Snapshot['id']; to: Snapshot['id'] | undefined; leftOut: string[] }[] = []
  for (const { from, tree, leftOut } of rewritten) {
    const to = tree === undefined ? undefined : await writeDescendant(parts, from, tree)
    report.push({ from: from.id, to: to?.id, leftOut })
  }
  return report
}

/** Undefined when the root itself is lost, or nothing is left below it. */
const withoutLost = async (
  { reader }: PruneParts,
  trees: AffectedTrees,
  root: BlobId,
  save: LeaveOut['save'],
): Promise<BlobId | undefined> => {
  const isLost = async (id: BlobId): Promise<boolean> =>
    trees.isWanted({ type: 'tree', id }) || (await trees.entries(id)) === undefined
  if (await isLost(root)) return undefined
  return rewriteTree(
    {
      read: (id) => reader.readBlob('tree', id),
      save,
      decide: async (_path, entry) => {
        if (entry === undefined) return 'keep'
        if (entry.type === 'file') return trees.damagedContent(entry).length > 0 ? 'drop' : 'keep'
        if (await isLost(entry.subtree)) return 'drop'
        return (await trees.leadsToDamage(entry.subtree)) ? 'enter' : 'keep'
      },
    },
    root,
  )
}

/** A snapshot with another tree and all else as it was. */
export const writeDescendant = async (
  { snapshots }: PruneParts,
  from: Snapshot,
  tree: BlobId,
): Promise<Snapshot> =>
  snapshots.writeText(encodeDescendant(from.id, await snapshots.document(from.id), { tree }))
