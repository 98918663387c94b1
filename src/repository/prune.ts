import { type Clock, corrupt, isHoldfastError, type Logger, type Random } from '#base'
import { isLocked, type Storage } from '#storage'
import type { BlobIndex } from './blob-index.ts'
import type { BlobReader } from './blob-reader.ts'
import { concurrently } from './concurrently.ts'
import type { BlobId, BlobName, BlobType, PruneOptions, PruneReport } from './contract.ts'
import { isId } from './format/ids.ts'
import type { KeySet } from './format/sealing.ts'
import { type IndexFiles, packPath } from './index-files.ts'
import type { HeldLock, Locks } from './locks.ts'
import { readPackHeader } from './pack-header-file.ts'
import { PackRewriter } from './pack-rewriter.ts'
import { IndexReplacement } from './prune-index.ts'
import { affordable, portionsOf, roomFor } from './prune-room.ts'
import { planPrune, type PrunePlan, TOLERATED_SHARE } from './prune-plan.ts'
import type { Snapshots } from './snapshots.ts'
import { type Times, WaitingPacks } from './waiting-packs.ts'
import { type BlobSet, blobsBelow } from './walk.ts'
import { wantedBlobs } from './wanted-blobs.ts'
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

export interface PruneBeside extends PruneParts {
  readonly clock: Clock
  readonly locks: Locks
  /** Whether a writer of this process holds the blob and has not stored it yet. */
  readonly isWaiting: (type: BlobType, id: BlobId) => boolean
}

const REMOVALS_AT_A_TIME = 8
/** Writers that name new trees while they wait to be let go on are not seen so often. */
const ROUNDS = 100

/**
 * Gives back what no snapshot needs, beside the writers of this process. What is worth keeping is written anew first; then,
 * under a short exclusive lock, packs go out of use; they are removed when they have waited long enough. At every moment the
 * index in force names stored packs that hold all that snapshots need.
 */
export const prune = async (
  parts: PruneBeside,
  options: PruneOptions,
  signal?: AbortSignal,
): Promise<PruneReport> => {
  let lock: HeldLock
  try {
    lock = await parts.locks.take('traced', signal)
  } catch (error) {
    if (!isHoldfastError(error, 'conflict')) throw error
    return { removedBytes: 0, keptBytes: 0, waitingBytes: 0, heldMs: 0, postponed: error.message }
  }
  await using _held = lock
  using _pin = parts.files.traces.pin()
  return await new Pruning(parts, options, lock, signal).run()
}

/** Packs and their sizes. */
export const storedPacks = async (storage: Storage, signal?: AbortSignal): Promise<Map<string, number>> => {
  const stored = new Map<string, number>()
  for await (const { path, sizeBytes } of storage.list('data', signal)) {
    const name = path.slice(path.lastIndexOf('/') + 1)
    if (isId(name)) stored.set(name, sizeBytes)
  }
  return stored
}

class Pruning {
  readonly #parts: PruneBeside
  readonly #options: PruneOptions
  readonly #lock: HeldLock
  readonly #signal: AbortSignal | undefined
  readonly #rewriter: PackRewriter
  #index: BlobIndex
  #stored: ReadonlyMap<string, number> = new Map()
  /** Stored packs that nobody named when the prune began, nor was about to. */
  #strays: readonly string[] = []
  #waiting!: WaitingPacks
  #needed!: BlobSet
  /** Roots that were followed. */
  readonly #followed = new Set<BlobId>()
  #heldMs = 0
  #removedBytes = 0
  /** Packs that were removed. */
  readonly #gone = new Set<string>()
  #postponed: string | undefined
  #lockedUntilMs = 0

  constructor(parts: PruneBeside, options: PruneOptions, lock: HeldLock, signal: AbortSignal | undefined) {
    this.#parts = parts
    this.#options = options
    this.#lock = lock
    this.#signal = signal
    this.#index = parts.files.index
    this.#rewriter = new PackRewriter(parts)
  }

  async run(): Promise<PruneReport> {
    const { files, storage } = this.#parts
    const hadWriters = this.#parts.files.traces.hasWriters
    await files.refresh(this.#signal)
    this.#index = files.index
    const packCount = this.#index.packs.length
    this.#waiting = await WaitingPacks.read(this.#parts, this.#signal)
    this.#stored = await storedPacks(storage, this.#signal)
    if (!hadWriters) this.#strays = [...this.#stored.keys()].filter((id) => !this.#isKnown(id))
    this.#tell('following snapshots')
    await this.#follow(await this.#roots(), 'may come back')
    const plan = await this.#withRoom(this.#plan(packCount))
    await this.#rewrite(plan)
    await this.#switch(plan)
    this.#tell('removing packs')
    await this.#removeDue()
    return this.#report()
  }

  /**
   * Where the disk is nearly full, first takes away whole packs that nobody needs, which writes little or nothing, and then
   * leaves as many packs as there is no room for as they are.
   */
  async #withRoom(plan: PrunePlan): Promise<PrunePlan> {
    const { files } = this.#parts
    if (await this.#fits(plan)) return plan
    this.#tell('making room')
    await this.#removeDue()
    for (const drop of portionsOf(files.loaded, plan.drop)) {
      if (this.#postponed !== undefined || (await this.#fits(plan))) break
      await this.#switch({ ...plan, rewrite: new Set(), drop })
      await this.#removeDue()
    }
    const { plan: smaller, left } = affordable(plan, this.#index, await this.#freeBytes())
    if (left > 0)
      this.#postponed ??= `the disk is full: ${left} packs are written anew, without what nobody needs, when there is room`
    return smaller
  }

  async #fits(plan: PrunePlan): Promise<boolean> {
    const bytes = roomFor(plan, this.#index)
    return bytes === 0 || bytes <= (await this.#freeBytes())
  }

  async #freeBytes(): Promise<number> {
    return (await this.#parts.storage.space(this.#signal))?.freeBytes ?? Infinity
  }

  #tell(step: string): void {
    this.#options.onProgress?.(step)
  }

  #isKnown(pack: string): boolean {
    return this.#index.packNumber(pack) !== undefined || this.#waiting.packs.has(pack)
  }

  async #roots(): Promise<readonly BlobId[]> {
    const { keepTrees } = this.#options
    const kept = typeof keepTrees === 'function' ? await keepTrees() : keepTrees
    const snapshots = await this.#parts.snapshots.list(this.#signal)
    return [...snapshots.map(({ tree }) => tree), ...kept, ...this.#parts.files.traces.roots]
  }

  /** Marks what trees need. Stops rather than goes on when one cannot be followed: what it needs would be taken for waste. */
  async #follow(roots: readonly BlobId[], missing?: 'may come back'): Promise<void> {
    const lost: BlobName[] = []
    this.#needed = await blobsBelow(roots, {
      index: this.#index,
      reader: this.#parts.reader,
      together: this.#parts,
      isWaiting: this.#parts.isWaiting,
      ...(this.#needed === undefined ? {} : { found: this.#needed }),
      signal: this.#signal,
      onProblem: (type, id, error) => {
        if (error === undefined && missing !== undefined && !this.#waiting.isEmpty)
          return void lost.push({ type, id })
        throw corrupt(`nothing is pruned: ${type} blob ${id} is needed and cannot be read`, error)
      },
    })
    for (const root of roots) this.#followed.add(root)
    if (lost.length === 0) return
    await this.#bringBack(lost)
    await this.#follow([...roots, ...lost.filter(({ type }) => type === 'tree').map(({ id }) => id)])
    for (const { type, id } of lost) this.#needed.add(type, id)
  }

  /** A snapshot that needs packs which are out of use was brought back: they are in use again. */
  async #bringBack(lost: readonly BlobName[]): Promise<void> {
    const { storage, key, files, log } = this.#parts
    // All of them, because what is below a lost tree is needed too. The next prune looks what is.
    for (const id of this.#waiting.packs.keys())
      if (this.#stored.has(id)) files.addPack({ id, blobs: await readPackHeader(storage, key, id) })
    log.info({ packs: this.#waiting.packs.size }, 'packs are in use again')
    await files.write()
    const gone = lost.find(({ type, id }) => !this.#index.has(type, id))
    if (gone !== undefined)
      throw corrupt(`nothing is pruned: ${gone.type} blob ${gone.id} is needed and lost`)
  }

  #plan(packCount: number): PrunePlan {
    const { traces } = this.#parts.files
    return planPrune({
      index: this.#index,
      needed: this.#needed,
      packCount,
      isLeftAlone: (pack) => this.#index.isDoomed(pack) || traces.hasPack(pack),
      stored: this.#stored,
      toleratedShare: this.#options.leaveNoWaste === true ? 0 : TOLERATED_SHARE,
    })
  }

  async #rewrite(plan: PrunePlan): Promise<void> {
    if (plan.rewrite.size === 0) return
    this.#tell('rewriting packs')
    const isKept = (row: number): boolean => this.#isNeeded(row) && !plan.spare.has(row)
    for (const pack of plan.rewrite) {
      this.#signal?.throwIfAborted()
      this.#lock.check()
      const blobs = await wantedBlobs(this.#parts.files, this.#index, pack, isKept)
      if (blobs.length > 0) await this.#rewriter.rewrite(this.#index.packs[pack]!, blobs, this.#signal)
    }
    this.#lock.check()
    await this.#rewriter.end()
  }

  /** Whether anything needs the blob that a row is a place of. */
  #isNeeded(row: number): boolean {
    return this.#needed.has(this.#index.numberAt(row))
  }

  /** Takes packs out of use. Nothing happens when somebody else is at work in the repository. */
  async #switch({ rewrite, drop }: Pick<PrunePlan, 'rewrite' | 'drop'>): Promise<void> {
    const { files, locks } = this.#parts
    const candidates = new Set([...rewrite, ...drop, ...this.#doomedAndNamed()])
    if (candidates.size === 0 && this.#strays.length === 0 && files.retired.length === 0) return
    this.#tell('replacing indexes')
    const replacement = new IndexReplacement(files, candidates)
    await replacement.write(this.#signal)
    let lock: HeldLock
    try {
      lock = await locks.take('switch', this.#signal)
    } catch (error) {
      if (!isHoldfastError(error, 'conflict')) throw error
      this.#postponed = error.message
      return
    }
    await using held = lock
    const before = files.index
    await files.refresh(this.#signal)
    if (files.index !== before || before !== this.#index || files.traces.isBroken) {
      this.#postponed = 'the index was read anew meanwhile'
      return
    }
    const doomed = await this.#takeOutOfUse(candidates)
    if (doomed === undefined) return
    await replacement.keep(candidates, doomed, this.#signal)
    held.check()
    const strays = this.#strays.filter((id) => !this.#isKnown(id))
    const ids = [...strays, ...[...doomed].map((pack) => this.#index.packs[pack]!)].filter(
      (id) => !this.#gone.has(id),
    )
    await this.#record(
      new Map(ids.flatMap((id) => (this.#stored.has(id) ? [[id, this.#stored.get(id)!]] : []))),
    )
    files.retire(replacement.old)
    await concurrently(files.retired, REMOVALS_AT_A_TIME, (id) => this.#removeIndex(id))
  }

  /** An earlier call took them out of use and came no further. */
  #doomedAndNamed(): number[] {
    const named = [...this.#parts.files.loaded.values()].flatMap((packs) => [...packs])
    return named.filter((pack) => this.#index.isDoomed(pack))
  }

  /** Follows what came meanwhile, then dooms all candidates that hold nothing which is needed and lies nowhere else. */
  async #takeOutOfUse(candidates: ReadonlySet<number>): Promise<ReadonlySet<number> | undefined> {
    const { clock, files } = this.#parts
    const { traces } = files
    await this.#follow((await this.#roots()).filter((root) => !this.#followed.has(root)))
    const startMs = clock.nowMs()
    const letGo = traces.hold()
    try {
      for (let round = 0; round < ROUNDS; round += 1) {
        const roots = [...traces.roots].filter((root) => !this.#followed.has(root))
        if (roots.length === 0) return this.#doom(candidates)
        await this.#follow(roots)
      }
      this.#postponed = 'writers did not stop to name trees'
      return undefined
    } finally {
      letGo()
      this.#heldMs = clock.nowMs() - startMs
    }
  }

  /** All at once, so that no writer comes between what is looked at and what is done. */
  #doom(candidates: ReadonlySet<number>): ReadonlySet<number> {
    const index = this.#index
    const { files } = this.#parts
    const doomed = new Set([...candidates].filter((pack) => !files.traces.hasPack(pack)))
    const lies = (row: number): boolean => {
      const pack = index.packAt(row)
      return !candidates.has(pack) && !index.isDoomed(pack)
    }
    const isBound = (row: number): boolean => {
      const number = index.numberAt(row)
      if (!this.#needed.has(number) && !files.traces.hasBlob(number)) return false
      return !index.isShared(number) || !index.rowsOf(number).some(lies)
    }
    for (const pack of doomed) {
      const isFree = index.rowsIn(pack).every(([from, to]) => {
        for (let row = from; row < to; row += 1) if (isBound(row)) return false
        return true
      })
      if (!isFree) doomed.delete(pack)
    }
    files.doom(doomed)
    return doomed
  }

  async #record(packs: ReadonlyMap<string, number>): Promise<void> {
    const { files } = this.#parts
    this.#waiting = await WaitingPacks.read(this.#parts, this.#signal)
    const times = await this.#times()
    this.#waiting.look(times)
    this.#waiting.delete([...this.#waiting.packs.keys()].filter((id) => files.index.hasPack(id)))
    this.#waiting.add(packs, times)
    await this.#waiting.write()
  }

  async #times(): Promise<Times> {
    const { clock, storage } = this.#parts
    const storageMs = (await storage.retention?.now(this.#signal))?.getTime()
    return { nowMs: clock.nowMs(), storageMs }
  }

  async #removeIndex(id: string): Promise<void> {
    try {
      await this.#parts.files.removeRetired(id)
    } catch (error) {
      // It stays until its date, and so do the packs that it names.
      if (!isLocked(error)) throw error
    }
  }

  /** Removes packs that have waited and that no index names, whoever wrote it. */
  async #removeDue(): Promise<void> {
    const { storage, files } = this.#parts
    if (this.#waiting.isEmpty) return
    const times = await this.#times()
    this.#waiting.look(times)
    await files.refresh(this.#signal)
    const named = files.named()
    this.#waiting.delete([...named].filter((id) => files.index.hasPack(id)))
    const due = this.#waiting.due(this.#options.graceMs ?? 0, times).filter((id) => !named.has(id))
    const removed: string[] = []
    try {
      await concurrently(due, REMOVALS_AT_A_TIME, async (id) => {
        this.#signal?.throwIfAborted()
        this.#lock.check()
        if (!(await this.#removePack(id))) return
        removed.push(id)
        this.#gone.add(id)
        this.#removedBytes += this.#waiting.packs.get(id) ?? 0
      })
    } finally {
      this.#waiting.delete(removed)
    }
    if (removed.length > 0 || storage.retention === undefined) await this.#waiting.write()
  }

  async #removePack(id: string): Promise<boolean> {
    const { storage } = this.#parts
    try {
      await storage.remove(packPath(id))
      return true
    } catch (error) {
      if (!isLocked(error)) throw error
      const until = await storage.retention?.until(packPath(id), this.#signal).catch(() => undefined)
      this.#lockedUntilMs = Math.max(this.#lockedUntilMs, until?.getTime() ?? 0)
      return false
    }
  }

  async #report(): Promise<PruneReport> {
    const { log } = this.#parts
    const { writtenBytes } = this.#rewriter
    const storedBytes = [...this.#stored.values()].reduce((sum, bytes) => sum + bytes, writtenBytes)
    const waitingBytes = this.#waiting.bytes
    const report = {
      removedBytes: Math.max(0, this.#removedBytes - writtenBytes),
      keptBytes: storedBytes - this.#removedBytes - waitingBytes,
      waitingBytes,
      heldMs: this.#heldMs,
      ...(this.#postponed === undefined ? {} : { postponed: this.#postponed }),
    }
    log.info({ ...report }, 'repository pruned')
    if (waitingBytes === 0) return report
    const dueMs = this.#waiting.dueAtMs(this.#options.graceMs ?? 0, await this.#times())
    return { ...report, waitingUntil: new Date(Math.max(dueMs, this.#lockedUntilMs)) }
  }
}
