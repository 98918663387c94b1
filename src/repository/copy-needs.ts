import { isHoldfastError } from '#base'
import type { BlobId, BlobName, BlobType, Snapshot, TreeEntry } from './contract.ts'
import { isDamage } from './damage.ts'
import { blobKey } from './format/ids.ts'
import type { PruneParts } from './prune.ts'
import { BlobSet } from './walk.ts'

export interface CopyNeedsOptions {
  readonly from: PruneParts
  readonly to: PruneParts
  readonly signal: AbortSignal | undefined
}

/**
 * What trees need that a target may lack. A folder that the target's snapshot has at the same path is there with all below
 * it, because a snapshot is written after everything that it needs: so only what differs is looked into.
 */
export class CopyNeeds {
  readonly #options: CopyNeedsOptions
  /** Blobs of the source. */
  readonly found: BlobSet
  /** Needed, and readable in neither. */
  readonly lost = new Map<string, BlobName>()
  readonly #whole = new Set<BlobId>()
  /** Trees that the source's index does not name. */
  readonly #elsewhere = new Set<BlobId>()

  constructor(options: CopyNeedsOptions) {
    this.#options = options
    this.found = new BlobSet(options.from.files.index)
  }

  /** `base` is a tree of the target that is whole. */
  async follow(root: BlobId, base: BlobId | undefined): Promise<void> {
    const open = [{ tree: root, base }]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      this.#options.signal?.throwIfAborted()
      const { tree, base: there } = next
      if (tree === there) this.#whole.add(tree)
      if (tree === there || !this.#isNewTree(tree)) continue
      const entries = await this.#entries(tree)
      if (entries === undefined) {
        this.addLost({ type: 'tree', id: tree })
        continue
      }
      const folders = await this.#foldersOf(there)
      for (const entry of entries) {
        if (entry.type === 'folder') open.push({ tree: entry.subtree, base: folders.get(entry.name) })
        else for (const id of entry.content) this.need('data', id)
      }
    }
  }

  #isNewTree(id: BlobId): boolean {
    const isNew = this.found.add('tree', id)
    if (isNew !== undefined) return isNew
    if (this.#elsewhere.has(id)) return false
    this.#elsewhere.add(id)
    return true
  }

  need(type: BlobType, id: BlobId): void {
    if (this.found.add(type, id) === undefined && !this.#options.to.files.index.has(type, id))
      this.addLost({ type, id })
  }

  addLost(blob: BlobName): void {
    this.lost.set(blobKey(blob.type, blob.id), blob)
  }

  /** The target's own copy serves where the source's is damaged. */
  async #entries(id: BlobId): Promise<readonly TreeEntry[] | undefined> {
    const { from, to } = this.#options
    return (await readableTree(from, id)) ?? (await readableTree(to, id))
  }

  async #foldersOf(tree: BlobId | undefined): Promise<ReadonlyMap<string, BlobId>> {
    const entries = tree === undefined ? undefined : await readableTree(this.#options.to, tree)
    const folders = (entries ?? []).filter((entry) => entry.type === 'folder')
    return new Map(folders.map(({ name, subtree }) => [name, subtree]))
  }

  /** Whether a tree that was followed needs a lost blob. */
  async isLacking(root: BlobId, known = new Map<BlobId, boolean>()): Promise<boolean> {
    if (this.lost.size === 0 || this.#whole.has(root)) return false
    const before = known.get(root)
    if (before !== undefined) return before
    this.#options.signal?.throwIfAborted()
    const isLacking = this.isLost({ type: 'tree', id: root }) || (await this.#isAnyLacking(root, known))
    known.set(root, isLacking)
    return isLacking
  }

  async #isAnyLacking(tree: BlobId, known: Map<BlobId, boolean>): Promise<boolean> {
    for (const entry of (await this.#entries(tree)) ?? []) {
      if (entry.type === 'folder' && (await this.isLacking(entry.subtree, known))) return true
      if (entry.type === 'file' && entry.content.some((id) => this.isLost({ type: 'data', id }))) return true
    }
    return false
  }

  isLost({ type, id }: BlobName): boolean {
    return this.lost.has(blobKey(type, id))
  }
}

/** Undefined when it is damaged or not there. */
const readableTree = async (
  { files, reader }: PruneParts,
  id: BlobId,
): Promise<readonly TreeEntry[] | undefined> => {
  if (!files.index.has('tree', id)) return undefined
  try {
    return await reader.tree(id)
  } catch (error) {
    if (!isDamage(error) && !isHoldfastError(error, 'not-found')) throw error
    return undefined
  }
}

/** Snapshots of a target, among which the one that is most like another is found. Any choice is right; a near one is quick. */
export class CopyBases {
  readonly #lines = new Map<string, Snapshot[]>()

  /** Oldest first. */
  constructor(snapshots: readonly Snapshot[]) {
    for (const snapshot of snapshots) {
      for (const line of linesOf(snapshot)) {
        const known = this.#lines.get(line)
        if (known === undefined) this.#lines.set(line, [snapshot])
        else known.push(snapshot)
      }
    }
  }

  baseOf(snapshot: Snapshot): BlobId | undefined {
    for (const line of linesOf(snapshot)) {
      const known = this.#lines.get(line)
      if (known !== undefined) return (known.findLast(({ time }) => time <= snapshot.time) ?? known[0]!).tree
    }
    return undefined
  }
}

/** The closest first: the same but for the run, then the same paths. */
const linesOf = ({ hostname, paths, tags }: Snapshot): string[] => [
  JSON.stringify([hostname, paths, tags.filter((tag) => !tag.startsWith('run:'))]),
  JSON.stringify(paths),
]
