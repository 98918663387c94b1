import { isHoldfastError, messageOf } from '#base'
import type {
  BlobId,
  BlobName,
  CopyOptions,
  CopyProgress,
  CopyReport,
  Snapshot,
  SnapshotId,
} from './contract.ts'
import { concurrently } from './concurrently.ts'
import { CopyBases, CopyNeeds } from './copy-needs.ts'
import { isDamage } from './damage.ts'
import { blobIdOf } from './format/ids.ts'
import { encodeDescendant } from './format/snapshot.ts'
import type { IndexedPack } from './format/index-document.ts'
import type { PackedBlob } from './format/pack-header.ts'
import { packPath } from './index-files.ts'
import type { PruneParts } from './prune.ts'
import { rewriteTree } from './rewrite-tree.ts'
import { SealedPacks } from './sealed-packs.ts'
import type { BlobSet } from './walk.ts'
import { wantedBlobs } from './wanted-blobs.ts'
import type { ResealResult } from './workers/reseal-blobs.ts'

/** Blobs that lie so near are read in one piece. */
const NEAR_BYTES = 256 * 1024
const WINDOW_BYTES = 8 * 1024 * 1024
/** Somebody may prune the source meanwhile: what moved is looked for again. */
const ROUNDS = 3

export interface CopySides {
  readonly from: PruneParts
  readonly fromVersion: 1 | 2
  readonly to: PruneParts
  /** Throws when the lock on the target may be lost. */
  readonly guard: () => void
}

/** A blob, and the pack that it is read from. */
interface PlacedBlob extends PackedBlob {
  readonly pack: string
}

/** A snapshot to be copied, the tree that it will have, and what it needs of the source. */
interface Chosen extends Needed {
  readonly snapshot: Snapshot
  readonly tree: BlobId
}

interface Needed {
  /** Trees with all below them, and where they lie. */
  readonly whole: Map<BlobId, string>
  readonly single: BlobName[]
}

/** What a round came to. */
interface Round {
  readonly chosen: readonly Chosen[]
  readonly needs: CopyNeeds
  /** Snapshots that could not even be looked at. */
  readonly failed: ReadonlyMap<SnapshotId, string>
}

/**
 * Copies blobs first, then the snapshots whose blobs are all there. What a copy that was stopped has stored is found in the
 * index of the target.
 */
export const copySnapshots = async (
  sides: CopySides,
  options: CopyOptions,
  signal?: AbortSignal,
): Promise<CopyReport> => new Copy(sides, options, signal).run()

class Copy {
  readonly #sides: CopySides
  readonly #options: CopyOptions
  readonly #signal: AbortSignal | undefined
  readonly #packs: SealedPacks
  readonly #progress = { snapshots: 0, snapshotsTotal: 0, copiedBlobs: 0, readBytes: 0 }
  /** Windows are resealed side by side and laid into packs one after the other. */
  #adding: Promise<void> = Promise.resolve()

  constructor(sides: CopySides, options: CopyOptions, signal?: AbortSignal) {
    this.#sides = sides
    this.#options = options
    this.#signal = signal
    const { to, guard } = sides
    const name = async (packs: readonly IndexedPack[]): Promise<void> => {
      await to.files.writeFile(packs)
      await to.files.refresh(signal)
    }
    this.#packs = new SealedPacks({ ...to, guard, name })
  }

  async run(): Promise<CopyReport> {
    const { from, to } = this.#sides
    await from.files.refresh(this.#signal)
    await to.files.refresh(this.#signal)
    const { wanted, alreadyThere, damaged, bases } = await this.#wanted()
    this.#progress.snapshotsTotal = wanted.length
    const { chosen, needs, failed } = await this.#copyBlobs(wanted, bases)
    await this.#packs.flush()
    const notCopied = [
      ...damaged.map((snapshot) => ({ snapshot, reason: 'its file cannot be read' })),
      ...[...failed].map(([snapshot, reason]) => ({ snapshot, reason })),
    ]
    const copied: { from: SnapshotId; to: SnapshotId }[] = []
    const known = new Map<BlobId, boolean>()
    for (const each of chosen) {
      if (!(await this.#isLacking(each, needs, known))) copied.push(await this.#writeSnapshot(each))
      else notCopied.push({ snapshot: each.snapshot.id, reason: 'it needs blobs that are damaged or lost' })
    }
    const { copiedBlobs, readBytes, writtenBytes } = this.#told()
    const lostBlobs = [...needs.lost.values()]
    return { copied, alreadyThere, notCopied, lostBlobs, copiedBlobs, readBytes, writtenBytes }
  }

  async #isLacking(
    { whole, single }: Needed,
    needs: CopyNeeds,
    known: Map<BlobId, boolean>,
  ): Promise<boolean> {
    for (const root of whole.keys()) if (await needs.isLacking(root, known)) return true
    return single.some((blob) => needs.isLost(blob))
  }

  #told(): CopyProgress {
    return { ...this.#progress, writtenBytes: this.#packs.writtenBytes }
  }

  async #wanted(): Promise<{
    readonly wanted: readonly Snapshot[]
    readonly alreadyThere: number
    readonly damaged: readonly SnapshotId[]
    readonly bases: CopyBases
  }> {
    const { from, to } = this.#sides
    const { select = () => true } = this.#options
    const { snapshots: theirs } = await to.snapshots.readable(this.#signal)
    const { snapshots, damaged } = await from.snapshots.readable(this.#signal)
    const there = new Set(theirs.map((each) => this.#lineOf(each)))
    const selected = snapshots.filter(select)
    const wanted = selected.filter((each) => !there.has(this.#lineOf(each)))
    return { wanted, alreadyThere: selected.length - wanted.length, damaged, bases: new CopyBases(theirs) }
  }

  /** The same for a snapshot and its copy. A filter gives the copy another tree. */
  #lineOf({ id, original, tree, time, tags }: Snapshot): string {
    const content = this.#options.filter === undefined ? tree : ''
    return [original ?? id, content, time.toISOString(), ...tags].join(' ')
  }

  /** What cannot be read is looked for once more in the newest index, and lost when it is not found there either. */
  async #copyBlobs(wanted: readonly Snapshot[], bases: CopyBases): Promise<Round> {
    const { from } = this.#sides
    let before = ''
    for (let round = 1; ; round += 1) {
      const result = await this.#needed(wanted, bases)
      const { needs, failed } = result
      await concurrently(this.#windows(needs.found), from.pool.size + 1, (window) =>
        this.#copyWindow(window, needs),
      )
      await this.#adding
      const missing = [...needs.lost.keys(), ...failed.keys()].sort().join(' ')
      if (missing === '' || missing === before || round === ROUNDS) return result
      before = missing
      await from.files.refresh(this.#signal)
    }
  }

  async #needed(wanted: readonly Snapshot[], bases: CopyBases): Promise<Round> {
    const { from, to } = this.#sides
    const chosen: Chosen[] = []
    const failed = new Map<SnapshotId, string>()
    const needs = new CopyNeeds({ from, to, signal: this.#signal })
    for (const snapshot of wanted) {
      const needed: Needed = { whole: new Map(), single: [] }
      try {
        const tree = await this.#filtered(snapshot.tree, needed)
        if (tree === undefined) continue
        chosen.push({ snapshot, tree, ...needed })
      } catch (error) {
        if (!isDamage(error) && !isHoldfastError(error, 'not-found')) throw error
        failed.set(snapshot.id, messageOf(error))
        continue
      }
      const base = bases.baseOf(snapshot)
      for (const [tree, path] of needed.whole) await needs.follow(tree, await this.#treeAt(base, path))
      for (const { type, id } of needed.single) needs.need(type, id)
    }
    return { chosen, needs, failed }
  }

  /** A folder of the target; undefined where there is none that can be read. */
  async #treeAt(root: BlobId | undefined, path: string): Promise<BlobId | undefined> {
    if (root === undefined || path === '') return root
    try {
      const entry = await this.#sides.to.reader.entryAt(root, path)
      return entry?.type === 'folder' ? entry.subtree : undefined
    } catch (error) {
      if (!isDamage(error) && !isHoldfastError(error, 'not-found')) throw error
      return undefined
    }
  }

  /** The tree without what is filtered out; undefined when nothing is left of it. Collects what it needs of the source. */
  async #filtered(root: BlobId, { whole, single }: Needed): Promise<BlobId | undefined> {
    const { filter } = this.#options
    if (filter === undefined) {
      whole.set(root, '')
      return root
    }
    const { from, to } = this.#sides
    return rewriteTree(
      {
        read: (id) => from.reader.readBlob('tree', id),
        onUnchanged: (id) => void single.push({ type: 'tree', id }),
        save: async (tree) => {
          const id = blobIdOf(tree)
          if (!to.files.index.has('tree', id)) await this.#packs.addPlain({ type: 'tree', id }, tree)
          return id
        },
        decide: async (path, entry) => {
          const answer = entry === undefined ? 'none' : filter(path, entry)
          if (answer === 'none' || entry === undefined) return 'drop'
          if (entry.type === 'folder' && answer === 'part') return 'enter'
          if (entry.type === 'folder') whole.set(entry.subtree, path)
          else for (const id of entry.content) single.push({ type: 'data', id })
          return 'keep'
        },
      },
      root,
    )
  }

  /** What the target does not have, pack by pack and in the order of each, in pieces to be read at once. */
  async *#windows(needed: BlobSet): AsyncGenerator<readonly PlacedBlob[]> {
    const { from, to } = this.#sides
    const { index } = needed
    const isNeeded = (row: number): boolean => {
      const number = index.numberAt(row)
      return needed.has(number) && index.inForce(number) === row
    }
    for (const [number, pack] of index.packs.entries()) {
      const blobs = await wantedBlobs(from.files, index, number, isNeeded)
      const lacking = blobs.filter(
        ({ type, id }) => !to.files.index.has(type, id) && !this.#packs.has(type, id),
      )
      yield* windowsOf(lacking.map((blob) => ({ ...blob, pack })))
    }
  }

  async #copyWindow(blobs: readonly PlacedBlob[], needs: CopyNeeds): Promise<void> {
    this.#signal?.throwIfAborted()
    const { from, to, fromVersion } = this.#sides
    const { pack, offset: start } = blobs[0]!
    const length = blobs.at(-1)!.offset + blobs.at(-1)!.length - start
    const bytes = await this.#read(pack, { offset: start, length })
    if (bytes === undefined) {
      for (const blob of blobs) needs.addLost({ type: blob.type, id: blob.id })
      return
    }
    const resealed = await to.pool.run({
      kind: 'reseal',
      from: from.key,
      to: to.key,
      bytes,
      blobs: blobs.map((blob) => ({ ...blob, offset: blob.offset - start })),
      compressData: fromVersion === 1,
    })
    const next = this.#adding.then(() => this.#add(blobs, resealed, needs))
    this.#adding = next
    // Who waits for this window is told, and who waits at the end.
    this.#adding.catch(() => undefined)
    await next
    this.#progress.readBytes += length
    this.#options.onProgress?.(this.#told())
  }

  /** Undefined when the pack is gone or cannot be read. */
  async #read(
    pack: string,
    range: { readonly offset: number; readonly length: number },
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      return Uint8Array.from(await this.#sides.from.storage.read(packPath(pack), range, this.#signal))
    } catch (error) {
      if (!isDamage(error) && !isHoldfastError(error, 'not-found')) throw error
      return undefined
    }
  }

  async #add(
    blobs: readonly PlacedBlob[],
    { bytes, lengths, uncompressed }: ResealResult,
    needs: CopyNeeds,
  ): Promise<void> {
    let at = 0
    for (const [number, { type, id }] of blobs.entries()) {
      const length = lengths[number]!
      if (length < 0) {
        needs.addLost({ type, id })
        continue
      }
      await this.#packs.add(
        { type, id, uncompressed: uncompressed[number]! },
        bytes.subarray(at, at + length),
      )
      at += length
      this.#progress.copiedBlobs += 1
    }
  }

  async #writeSnapshot({ snapshot, tree }: Chosen): Promise<{ from: SnapshotId; to: SnapshotId }> {
    const { from, to, guard } = this.#sides
    this.#signal?.throwIfAborted()
    guard()
    const document = await from.snapshots.document(snapshot.id)
    const written = await to.snapshots.writeText(encodeDescendant(snapshot.id, document, { tree }))
    this.#progress.snapshots += 1
    this.#options.onProgress?.(this.#told())
    return { from: snapshot.id, to: written.id }
  }
}

function* windowsOf(pack: readonly PlacedBlob[]): Generator<readonly PlacedBlob[]> {
  let window: PlacedBlob[] = []
  for (const blob of [...pack].sort((a, b) => a.offset - b.offset)) {
    const first = window[0]
    const last = window.at(-1)
    if (first !== undefined && last !== undefined) {
      const gap = blob.offset - last.offset - last.length
      if (gap > NEAR_BYTES || blob.offset + blob.length - first.offset > WINDOW_BYTES) {
        yield window
        window = []
      }
    }
    window.push(blob)
  }
  if (window.length > 0) yield window
}
