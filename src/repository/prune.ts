import { corrupt, type Logger, type Random } from '#base'
import type { Storage } from '#storage'
import type { BlobReader } from './blob-reader.ts'
import type { BlobId, BlobType } from './contract.ts'
import { isId } from './format/ids.ts'
import type { IndexedPack } from './format/index-document.ts'
import type { PackedBlob } from './format/pack-header.ts'
import type { KeySet } from './format/sealing.ts'
import { type IndexFiles, packPath } from './index-files.ts'
import { ownBytes } from './pack-windows.ts'
import { PACK_BYTES, PackBuilder } from './pack-builder.ts'
import type { Snapshots } from './snapshots.ts'
import { type BlobSet, blobsBelow } from './walk.ts'
import type { WorkerPool } from './workers/worker-pool.ts'

export interface PruneParts {
  readonly storage: Storage
  readonly key: KeySet
  readonly files: IndexFiles
  readonly snapshots: Snapshots
  readonly reader: BlobReader
  readonly pool: WorkerPool
  readonly random: Random
  readonly log: Logger
}

/** So much of the used bytes may stay unused in packs that are not worth rewriting. */
const TOLERATED_SHARE = 0.05
const SMALL_PACK = PACK_BYTES / 4
const MANY_SMALL_PACKS = 10
const INDEX_BLOBS = 50_000

interface PackUse {
  usedBytes: number
  totalBytes: number
}

interface Plan {
  readonly rewrite: ReadonlySet<string>
  readonly drop: ReadonlySet<string>
}

/**
 * Removes what no root needs. New packs first, then the index that names them, then the old index, then the packs: at
 * every moment the index in force names stored packs that hold all that snapshots need. Needs an exclusive lock.
 */
export const prune = async (
  parts: PruneParts,
  options: { readonly keepTrees: readonly BlobId[]; readonly leaveNoWaste?: boolean },
  signal?: AbortSignal,
): Promise<{ removedBytes: number; keptBytes: number }> => {
  const { files, storage, log } = parts
  files.forgetAll()
  await files.refresh(signal)
  const stored = await storedPacks(storage, signal)
  const used = await usedBlobs(parts, options.keepTrees, signal)
  const uses = await packUses(files, used, signal)
  const plan = planOf(uses, stored, options.leaveNoWaste === true ? 0 : TOLERATED_SHARE)

  const rewriter = new Rewriter(parts, used)
  for (const pack of await packsNamed(files, plan.rewrite)) {
    signal?.throwIfAborted()
    await rewriter.rewrite(pack)
  }
  const written = await rewriter.end()
  await replaceIndex(files, plan, written.packs, signal)

  const doomed = [...stored].filter(([id]) => plan.rewrite.has(id) || plan.drop.has(id) || !uses.has(id))
  for (const [id] of doomed) await storage.remove(packPath(id))
  files.forgetAll()
  await files.refresh()
  const storedBytes = sum([...stored.values()])
  const doomedBytes = sum(doomed.map(([, bytes]) => bytes))
  log.info({ packs: doomed.length, rewritten: plan.rewrite.size, doomedBytes }, 'repository pruned')
  return {
    removedBytes: doomedBytes - written.bytes,
    keptBytes: storedBytes - doomedBytes + written.bytes,
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0)

/** Packs and their sizes. */
export const storedPacks = async (storage: Storage, signal?: AbortSignal): Promise<Map<string, number>> => {
  const stored = new Map<string, number>()
  for await (const { path, sizeBytes } of storage.list('data', signal)) {
    const name = path.slice(path.lastIndexOf('/') + 1)
    if (isId(name)) stored.set(name, sizeBytes)
  }
  return stored
}

/** Stops rather than removes when a root cannot be followed: what it needs would be taken for waste. */
const usedBlobs = async (
  { files, snapshots, reader }: PruneParts,
  keepTrees: readonly BlobId[],
  signal?: AbortSignal,
): Promise<BlobSet> => {
  const roots = (await snapshots.list(signal)).map(({ tree }) => tree)
  return blobsBelow([...roots, ...keepTrees], {
    index: files.index,
    reader,
    signal,
    onProblem: (type, id, error) => {
      throw corrupt(`nothing is pruned: ${type} blob ${id} is needed and cannot be read`, error)
    },
  })
}

/** Whether this copy of the blob is the one that is kept. */
const isKeptCopy = (files: IndexFiles, used: BlobSet, pack: string, blob: PackedBlob): boolean => {
  const found = files.index.find(blob.type, blob.id)
  return found !== undefined && found.pack === pack && found.offset === blob.offset && used.has(found.number)
}

const packUses = async (
  files: IndexFiles,
  used: BlobSet,
  signal?: AbortSignal,
): Promise<Map<string, PackUse>> => {
  const uses = new Map<string, PackUse>()
  for (const id of await files.list(signal)) {
    for (const pack of await files.read(id, signal)) {
      if (uses.has(pack.id)) continue
      const use = { usedBytes: 0, totalBytes: 0 }
      for (const blob of pack.blobs) {
        use.totalBytes += blob.length
        if (isKeptCopy(files, used, pack.id, blob)) use.usedBytes += blob.length
      }
      uses.set(pack.id, use)
    }
  }
  return uses
}

/** The most wasteful packs are rewritten, until the rest wastes little; many small ones become few. */
const planOf = (
  uses: ReadonlyMap<string, PackUse>,
  stored: ReadonlyMap<string, number>,
  toleratedShare: number,
): Plan => {
  const rewrite = new Set<string>()
  const drop = new Set<string>()
  const partly: [string, PackUse][] = []
  const small: string[] = []
  for (const [id, use] of uses) {
    if (use.usedBytes === 0) drop.add(id)
    else if (!stored.has(id)) throw corrupt(`nothing is pruned: pack ${id} is needed and not stored`)
    else if (use.usedBytes < use.totalBytes) partly.push([id, use])
    else if (use.totalBytes < SMALL_PACK) small.push(id)
  }
  const wasteOf = ({ usedBytes, totalBytes }: PackUse): number => totalBytes - usedBytes
  const toleratedBytes = toleratedShare * sum([...uses.values()].map(({ usedBytes }) => usedBytes))
  let wasteBytes = sum(partly.map(([, use]) => wasteOf(use)))
  partly.sort(([, a], [, b]) => wasteOf(b) / b.totalBytes - wasteOf(a) / a.totalBytes)
  for (const [id, use] of partly) {
    if (wasteBytes <= toleratedBytes) break
    rewrite.add(id)
    wasteBytes -= wasteOf(use)
  }
  if (small.length >= MANY_SMALL_PACKS) for (const id of small) rewrite.add(id)
  return { rewrite, drop }
}

/** The entries of some packs, each once. */
async function packsNamed(files: IndexFiles, wanted: ReadonlySet<string>): Promise<Iterable<IndexedPack>> {
  const packs = new Map<string, IndexedPack>()
  if (wanted.size === 0) return []
  for (const id of await files.list()) {
    for (const pack of await files.read(id)) if (wanted.has(pack.id)) packs.set(pack.id, pack)
  }
  return packs.values()
}

/** Copies sealed blobs, each checked before, into new packs. */
class Rewriter {
  readonly #parts: PruneParts
  readonly #used: BlobSet
  readonly #open: { data?: PackBuilder | undefined; tree?: PackBuilder | undefined } = {}
  readonly #packs: IndexedPack[] = []
  #bytes = 0

  constructor(parts: PruneParts, used: BlobSet) {
    this.#parts = parts
    this.#used = used
  }

  async rewrite(pack: IndexedPack): Promise<void> {
    const { storage, files } = this.#parts
    const kept = pack.blobs.filter((blob) => isKeptCopy(files, this.#used, pack.id, blob))
    const bytes = ownBytes(await storage.read(packPath(pack.id)))
    await this.#check(pack.id, kept, bytes)
    for (const blob of kept) {
      const open = (this.#open[blob.type] ??= new PackBuilder(blob.type))
      open.add(blob, bytes.subarray(blob.offset, blob.offset + blob.length))
      if (open.sizeBytes >= PACK_BYTES) await this.#close(blob.type)
    }
  }

  async #check(pack: string, blobs: readonly PackedBlob[], bytes: Uint8Array): Promise<void> {
    const { key, pool } = this.#parts
    const { lengths } = await pool.run({ kind: 'open', key, bytes: Uint8Array.from(bytes), blobs })
    if (lengths.includes(-1)) throw corrupt(`nothing is pruned: pack ${pack} holds a damaged blob`)
  }

  async #close(type: BlobType): Promise<void> {
    const open = this.#open[type]
    if (open === undefined) return
    this.#open[type] = undefined
    const { storage, key, random } = this.#parts
    const pack = open.close(key, random)
    await storage.write(packPath(pack.id), pack.parts)
    this.#packs.push({ id: pack.id, blobs: pack.blobs })
    this.#bytes += pack.sizeBytes
  }

  async end(): Promise<{ readonly packs: readonly IndexedPack[]; readonly bytes: number }> {
    await this.#close('data')
    await this.#close('tree')
    return { packs: this.#packs, bytes: this.#bytes }
  }
}

/** Index files that name a pack which goes are replaced; the others stay. */
const replaceIndex = async (
  files: IndexFiles,
  plan: Plan,
  newPacks: readonly IndexedPack[],
  signal?: AbortSignal,
): Promise<void> => {
  const old: string[] = []
  let open: IndexedPack[] = []
  let openBlobs = 0
  const write = async (): Promise<void> => {
    if (open.length > 0) await files.writeFile(open)
    open = []
    openBlobs = 0
  }
  const add = async (pack: IndexedPack): Promise<void> => {
    open.push(pack)
    openBlobs += pack.blobs.length
    if (openBlobs >= INDEX_BLOBS) await write()
  }
  for (const pack of newPacks) await add(pack)
  for (const id of await files.list(signal)) {
    const packs = await files.read(id, signal)
    const kept = packs.filter((pack) => !plan.rewrite.has(pack.id) && !plan.drop.has(pack.id))
    if (kept.length === packs.length) continue
    old.push(id)
    for (const pack of kept) await add(pack)
  }
  await write()
  for (const id of old) await files.removeFile(id)
}
