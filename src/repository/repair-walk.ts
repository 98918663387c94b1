import { isHoldfastError } from '#base'
import type { BlobIndex } from './blob-index.ts'
import { BlobReader } from './blob-reader.ts'
import type {
  BlobId,
  BlobName,
  BlobSource,
  Repository,
  RepositoryReader,
  Snapshot,
  TreeEntry,
} from './contract.ts'
import { isDamage } from './damage.ts'
import { blobKey, sha256Hex } from './format/ids.ts'
import { decodeTree } from './format/tree.ts'
import { PackWindows } from './pack-windows.ts'
import type { PruneParts } from './prune.ts'
import { BlobSet } from './walk.ts'

export interface NeedsOptions {
  readonly parts: PruneParts
  /** What can be read. */
  readonly sound: BlobIndex
  readonly sources: readonly (Repository | BlobSource)[]
  /** Takes what a source gave. */
  readonly keep: (blob: BlobName, plain: Uint8Array) => Promise<void>
  readonly signal: AbortSignal | undefined
}

/** Follows trees through what can be read, and asks the sources for what cannot. */
export class Needs {
  readonly reader: BlobReader
  /** Blobs that sources had, and those that nobody has. */
  readonly healed = new Map<string, BlobName>()
  readonly lost = new Map<string, BlobName>()
  /** Packs that were taken for sound and hold a tree that cannot be read. */
  readonly suspects = new Set<string>()
  readonly #options: NeedsOptions
  readonly #seen: BlobSet

  constructor(options: NeedsOptions) {
    this.#options = options
    const { sound } = options
    this.#seen = new BlobSet(sound)
    this.reader = new BlobReader({
      files: { index: sound, refresh: async () => {} },
      windows: new PackWindows(options.parts),
      readWaiting: async () => undefined,
    })
  }

  async follow(roots: Iterable<BlobId>): Promise<void> {
    const open = [...roots]
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      this.#options.signal?.throwIfAborted()
      for (const entry of await this.#entries(id)) {
        if (entry.type === 'folder') open.push(entry.subtree)
        else for (const blob of entry.content) await this.#need({ type: 'data', id: blob })
      }
    }
  }

  /** Nothing for a tree that was looked into before or is lost. */
  async #entries(id: BlobId): Promise<readonly TreeEntry[]> {
    const isNew = this.#seen.add('tree', id)
    if (isNew === false) return []
    if (isNew === undefined) {
      const text = await this.#need({ type: 'tree', id })
      const nodes = text === undefined ? [] : decodeTree(text)
      return nodes.flatMap(({ entry }) => (entry === undefined ? [] : [entry]))
    }
    try {
      return await this.reader.tree(id)
    } catch (error) {
      if (!isDamage(error)) throw error
      this.suspects.add(this.#options.sound.find('tree', id)!.pack)
      return []
    }
  }

  /** What a source has, the first time that the blob is found missing. */
  async #need(blob: BlobName): Promise<Uint8Array | undefined> {
    const key = blobKey(blob.type, blob.id)
    if (this.healed.has(key) || this.lost.has(key)) return undefined
    if (blob.type === 'data' && this.#seen.add('data', blob.id) !== undefined) return undefined
    const plain = await this.#offered(blob)
    if (plain === undefined) {
      this.lost.set(key, blob)
      return undefined
    }
    await this.#options.keep(blob, plain)
    this.healed.set(key, blob)
    return plain
  }

  async #offered(blob: BlobName): Promise<Uint8Array | undefined> {
    for (const source of this.#options.sources) {
      const plain = await offer(source, blob, this.#options.signal)
      if (plain !== undefined && sha256Hex(plain) === blob.id) return plain
    }
    return undefined
  }

  /** Roots of trees that nothing leads to. */
  async *strayRoots(): AsyncGenerator<BlobId> {
    const { sound, signal } = this.#options
    const below = new BlobSet(sound)
    const strays: number[] = []
    for (let number = 0; number < sound.size; number += 1) {
      if (sound.numberAt(number) !== number || this.#seen.has(number) || !sound.isTree(number)) continue
      const id = sound.idAt(number)
      signal?.throwIfAborted()
      const entries = await this.reader.tree(id).catch((error: unknown) => {
        if (!isDamage(error)) throw error
        return []
      })
      strays.push(number)
      for (const entry of entries) if (entry.type === 'folder') below.add('tree', entry.subtree)
    }
    for (const number of strays) if (!below.has(number)) yield sound.idAt(number)
  }

  /** The repository as it can be read now. */
  asReader(snapshots: readonly Snapshot[]): RepositoryReader {
    const { reader } = this
    return {
      snapshots: async () => snapshots,
      snapshot: (id) => this.#options.parts.snapshots.get(id),
      tree: (id) => reader.tree(id),
      entryAt: (tree, path) => reader.entryAt(tree, path),
      hasBlob: (type, id) => this.#options.sound.has(type, id),
      readBlob: (type, id) => reader.readBlob(type, id),
      readFile: (file, range) => reader.readFile(file, range),
    }
  }
}

const offer = async (
  source: Repository | BlobSource,
  blob: BlobName,
  signal?: AbortSignal,
): Promise<Uint8Array | undefined> => {
  if (typeof source === 'function') return source(blob, signal)
  try {
    return await source.readBlob(blob.type, blob.id)
  } catch (error) {
    // A copy may be damaged too, or not have it.
    if (!isDamage(error) && !isHoldfastError(error, 'not-found')) throw error
    return undefined
  }
}
