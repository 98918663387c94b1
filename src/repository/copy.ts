import { corrupt, isHoldfastError } from '#base'
import type { BlobLocation } from './blob-index.ts'
import type { BlobId, CopyOptions, CopyProgress, CopyReport, Snapshot, SnapshotId } from './contract.ts'
import { concurrently } from './concurrently.ts'
import { blobIdOf } from './format/ids.ts'
import { encodeDescendant } from './format/snapshot.ts'
import type { IndexedPack } from './format/index-document.ts'
import { packPath } from './index-files.ts'
import type { PruneParts } from './prune.ts'
import { rewriteTree } from './rewrite-tree.ts'
import { SealedPacks } from './sealed-packs.ts'
import { type BlobSet, blobsBelow } from './walk.ts'

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

/** A snapshot to be copied, and the tree that it will have. */
interface Chosen {
  readonly snapshot: Snapshot
  readonly tree: BlobId
}

/** Copies blobs first, then snapshots. What a copy that was stopped has stored is found in the index of the target. */
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
    const { wanted, alreadyThere } = await this.#wanted()
    this.#progress.snapshotsTotal = wanted.length
    const chosen = await this.#copyBlobs(wanted)
    await this.#packs.flush()
    const copied: { from: SnapshotId; to: SnapshotId }[] = []
    for (const each of chosen) copied.push(await this.#writeSnapshot(each))
    const { copiedBlobs, readBytes, writtenBytes } = this.#told()
    return { copied, alreadyThere, copiedBlobs, readBytes, writtenBytes }
  }

  #told(): CopyProgress {
    return { ...this.#progress, writtenBytes: this.#packs.writtenBytes }
  }

  async #wanted(): Promise<{ readonly wanted: readonly Snapshot[]; readonly alreadyThere: number }> {
    const { from, to } = this.#sides
    const { select = () => true } = this.#options
    const there = new Set((await to.snapshots.list(this.#signal)).map((each) => this.#lineOf(each)))
    const selected = (await from.snapshots.list(this.#signal)).filter(select)
    const wanted = selected.filter((each) => !there.has(this.#lineOf(each)))
    return { wanted, alreadyThere: selected.length - wanted.length }
  }

  /** The same for a snapshot and its copy. A filter gives the copy another tree. */
  #lineOf({ id, original, tree, time, tags }: Snapshot): string {
    const content = this.#options.filter === undefined ? tree : ''
    return [original ?? id, content, time.toISOString(), ...tags].join(' ')
  }

  async #copyBlobs(wanted: readonly Snapshot[]): Promise<Chosen[]> {
    const { from } = this.#sides
    for (let round = 1; ; round += 1) {
      try {
        const { chosen, needed } = await this.#needed(wanted)
        await concurrently(this.#windows(needed), from.pool.size + 1, (window) => this.#copyWindow(window))
        await this.#adding
        return chosen
      } catch (error) {
        if (round === ROUNDS || !isHoldfastError(error, 'not-found')) throw error
        await from.files.refresh(this.#signal)
      }
    }
  }

  async #needed(
    wanted: readonly Snapshot[],
  ): Promise<{ readonly chosen: Chosen[]; readonly needed: BlobSet }> {
    const { from } = this.#sides
    const chosen: Chosen[] = []
    const whole = new Set<BlobId>()
    const single = { tree: new Set<BlobId>(), data: new Set<BlobId>() }
    for (const snapshot of wanted) {
      const tree = await this.#filtered(snapshot.tree, whole, single)
      if (tree !== undefined) chosen.push({ snapshot, tree })
    }
    const needed = await blobsBelow(whole, {
      index: from.files.index,
      reader: from.reader,
      signal: this.#signal,
      onProblem: (type, id, error) => {
        throw corrupt(`nothing is copied: ${type} blob ${id} is needed and cannot be read`, error)
      },
    })
    for (const type of ['tree', 'data'] as const) {
      for (const id of single[type]) {
        if (needed.add(type, id) === undefined)
          throw corrupt(`nothing is copied: ${type} blob ${id} is needed and not stored`)
      }
    }
    return { chosen, needed }
  }

  /** The tree without what is filtered out; undefined when nothing is left of it. Collects what it needs of the source. */
  async #filtered(
    root: BlobId,
    whole: Set<BlobId>,
    single: { readonly tree: Set<BlobId>; readonly data: Set<BlobId> },
  ): Promise<BlobId | undefined> {
    const { filter } = this.#options
    if (filter === undefined) {
      whole.add(root)
      return root
    }
    const { from, to } = this.#sides
    return rewriteTree(
      {
        read: (id) => from.reader.readBlob('tree', id),
        onUnchanged: (id) => void single.tree.add(id),
        save: async (tree) => {
          const id = blobIdOf(tree)
          if (!to.files.index.has('tree', id)) await this.#packs.addPlain({ type: 'tree', id }, tree)
          return id
        },
        decide: async (path, entry) => {
          const answer = entry === undefined ? 'none' : filter(path, entry)
          if (answer === 'none' || entry === undefined) return 'drop'
          if (entry.type === 'folder' && answer === 'part') return 'enter'
          if (entry.type === 'folder') whole.add(entry.subtree)
          else for (const blob of entry.content) single.data.add(blob)
          return 'keep'
        },
      },
      root,
    )
  }

  /** What the target does not have, pack by pack and in the order of each, in pieces to be read at once. */
  *#windows(needed: BlobSet): Generator<readonly BlobLocation[]> {
    const { index } = this.#sides.from.files
    const { to } = this.#sides
    let pack: BlobLocation[] = []
    for (let number = 0; number < index.size; number += 1) {
      if (!needed.has(number)) continue
      const blob = index.at(number)
      if (to.files.index.has(blob.type, blob.id) || this.#packs.has(blob.type, blob.id)) continue
      // The blobs of a pack have neighbouring numbers.
      if (pack.length > 0 && pack[0]!.pack !== blob.pack) {
        yield* windowsOf(pack)
        pack = []
      }
      pack.push(blob)
    }
    yield* windowsOf(pack)
  }

  async #copyWindow(blobs: readonly BlobLocation[]): Promise<void> {
    this.#signal?.throwIfAborted()
    const { from, to, fromVersion } = this.#sides
    const { pack, offset: start } = blobs[0]!
    const length = blobs.at(-1)!.offset + blobs.at(-1)!.length - start
    const read = await from.storage.read(packPath(pack), { offset: start, length }, this.#signal)
    if (read.length !== length) throw corrupt(`pack ${pack} of the source is cut off`)
    const { bytes, lengths, uncompressed } = await to.pool.run({
      kind: 'reseal',
      from: from.key,
      to: to.key,
      bytes: Uint8Array.from(read),
      blobs: blobs.map((blob) => ({ ...blob, offset: blob.offset - start })),
      compressData: fromVersion === 1,
    })
    const next = this.#adding.then(() => this.#add(blobs, { bytes, lengths, uncompressed }))
    this.#adding = next
    // Who waits for this window is told, and who waits at the end.
    this.#adding.catch(() => undefined)
    await next
    this.#progress.readBytes += length
    this.#options.onProgress?.(this.#told())
  }

  async #add(
    blobs: readonly BlobLocation[],
    {
      bytes,
      lengths,
      uncompressed,
    }: { bytes: Uint8Array; lengths: readonly number[]; uncompressed: readonly number[] },
  ): Promise<void> {
    let at = 0
    for (const [number, { type, id, pack }] of blobs.entries()) {
      const length = lengths[number]!
      if (length < 0) throw corrupt(`${type} blob ${id} in pack ${pack} of the source is damaged`)
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

function* windowsOf(pack: readonly BlobLocation[]): Generator<readonly BlobLocation[]> {
  let window: BlobLocation[] = []
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
