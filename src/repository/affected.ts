import { isHoldfastError } from '#base'
import type { BlobIndex } from './blob-index.ts'
import type { BlobReader } from './blob-reader.ts'
import type { AffectedEntry, BlobId, BlobName, Snapshot, TreeEntry } from './contract.ts'
import { blobKey } from './format/ids.ts'
import { BlobSet } from './walk.ts'

export interface AffectedParts {
  readonly files: { readonly index: BlobIndex }
  readonly reader: BlobReader
}

/** Finds the folders that lead to some blobs, each looked into once however many snapshots share it. */
export class AffectedTrees {
  readonly #reader: BlobReader
  readonly #wanted: ReadonlySet<string>
  readonly #signal: AbortSignal | undefined
  readonly #index: BlobIndex
  /** A bit each for trees that were looked at and for those that lead to a blob. */
  readonly #seen: BlobSet
  readonly #leading: BlobSet

  constructor({ files, reader }: AffectedParts, blobs: Iterable<BlobName>, signal?: AbortSignal) {
    this.#reader = reader
    this.#index = files.index
    this.#seen = new BlobSet(this.#index)
    this.#leading = new BlobSet(this.#index)
    this.#wanted = new Set([...blobs].map(({ type, id }) => blobKey(type, id)))
    this.#signal = signal
  }

  isWanted({ type, id }: BlobName): boolean {
    return this.#wanted.has(blobKey(type, id))
  }

  /** Whether the tree is one of the blobs, cannot be read, or leads to one of them. */
  async leadsToDamage(id: BlobId): Promise<boolean> {
    if (this.#seen.add('tree', id) === false) return this.#leading.has(this.#index.numberOf('tree', id)!)
    this.#signal?.throwIfAborted()
    const leads = await this.#look(id)
    if (leads) this.#leading.add('tree', id)
    return leads
  }

  async #look(id: BlobId): Promise<boolean> {
    if (this.isWanted({ type: 'tree', id })) return true
    const entries = await this.entries(id)
    if (entries === undefined) return true
    let leads = false
    for (const entry of entries) {
      if (entry.type === 'file') leads ||= this.damagedContent(entry).length > 0
      // Every folder is looked into, so that each tree is read once.
      else if (await this.leadsToDamage(entry.subtree)) leads = true
    }
    return leads
  }

  /** Undefined when the tree cannot be read. */
  async entries(id: BlobId): Promise<readonly TreeEntry[] | undefined> {
    try {
      return await this.#reader.tree(id)
    } catch (error) {
      if (isHoldfastError(error, 'corrupt') || isHoldfastError(error, 'not-found')) return undefined
      throw error
    }
  }

  damagedContent({ content }: { readonly content: readonly BlobId[] }): BlobId[] {
    return [...new Set(content)].filter((id) => this.isWanted({ type: 'data', id }))
  }

  /** The files and folders of a snapshot that need the blobs. */
  async *below(snapshot: Snapshot): AsyncGenerator<AffectedEntry> {
    yield* this.#below(snapshot, snapshot.tree, '')
  }

  async *#below(snapshot: Snapshot, tree: BlobId, path: string): AsyncGenerator<AffectedEntry> {
    if (!(await this.leadsToDamage(tree))) return
    const entries = this.isWanted({ type: 'tree', id: tree }) ? undefined : await this.entries(tree)
    if (entries === undefined) return yield { snapshot, path, type: 'folder', blobs: [tree] }
    for (const entry of entries) {
      const below = path === '' ? entry.name : `${path}/${entry.name}`
      if (entry.type === 'folder') yield* this.#below(snapshot, entry.subtree, below)
      else {
        const blobs = this.damagedContent(entry)
        if (blobs.length > 0) yield { snapshot, path: below, type: 'file', blobs }
      }
    }
  }
}

/** What of some snapshots needs the blobs, snapshot by snapshot. */
export async function* affectedBy(
  parts: AffectedParts,
  snapshots: Iterable<Snapshot>,
  blobs: Iterable<BlobName>,
  signal?: AbortSignal,
): AsyncGenerator<AffectedEntry> {
  const trees = new AffectedTrees(parts, blobs, signal)
  for (const snapshot of snapshots) yield* trees.below(snapshot)
}
