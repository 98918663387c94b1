import { corrupt, isHoldfastError } from '#base'
import type { CopyProgress, Repository, Snapshot } from '#repository'

/** So many snapshots are copied before the next are begun: a run that is cut off has these behind it. */
const AT_ONCE = 16

export type CopySums = Pick<CopyProgress, 'copiedBlobs' | 'writtenBytes'>

const NOTHING: CopySums = { copiedBlobs: 0, writtenBytes: 0 }

const plus = (a: CopySums, b: CopySums): CopySums => ({
  copiedBlobs: a.copiedBlobs + b.copiedBlobs,
  writtenBytes: a.writtenBytes + b.writtenBytes,
})

/** One shard under its old key, and under its new one. */
export class ShardCopy {
  readonly #source: Repository
  readonly #target: Repository
  readonly #name: string
  readonly #verified = new Set<string>()
  #sums = NOTHING
  #snapshots = 0
  #isVerified = false

  /** The target is the caller's to close. */
  constructor(sides: { readonly source: Repository; readonly target: Repository; readonly name: string }) {
    this.#source = sides.source
    this.#target = sides.target
    this.#name = sides.name
  }

  get snapshots(): number {
    return this.#snapshots
  }

  get sums(): CopySums {
    return this.#sums
  }

  get verifiedPacks(): number {
    return this.#verified.size
  }

  /**
   * Copies the snapshots that the target does not have. Throws `corrupt` where something of one cannot be read: a key is not
   * changed at the price of data. Returns how many there were.
   */
  async copy(told: () => void, signal: AbortSignal): Promise<number> {
    const damaged = await this.#source.damagedSnapshots(signal)
    if (damaged.length > 0) throw this.#cannot(`${damaged.length} restore points are damaged`)
    const there = new Set((await this.#target.snapshots(signal)).map(lineOf))
    const all = await this.#source.snapshots(signal)
    const wanted = all.filter((snapshot) => !there.has(lineOf(snapshot)))
    this.#snapshots = all.length - wanted.length
    for (let at = 0; at < wanted.length; at += AT_ONCE)
      await this.#copyBatch(wanted.slice(at, at + AT_ONCE), told, signal)
    return wanted.length
  }

  async #copyBatch(batch: readonly Snapshot[], told: () => void, signal: AbortSignal): Promise<void> {
    this.#isVerified = false
    const ids = new Set(batch.map(({ id }) => id))
    const before = this.#sums
    const onProgress = (progress: CopyProgress): void => {
      this.#sums = plus(before, progress)
      told()
    }
    const report = await this.#target
      .copyFrom(this.#source, { select: ({ id }) => ids.has(id), onProgress }, signal)
      .catch((error: unknown) => {
        throw isHoldfastError(error, 'corrupt') ? this.#cannot(error.message) : error
      })
    // One that retention took meanwhile is not asked for any more.
    const still = new Set((await this.#source.snapshots(signal)).map(({ id }) => id))
    const [failed] = report.notCopied.filter(({ snapshot }) => still.has(snapshot))
    if (failed !== undefined) throw this.#cannot(failed.reason)
    this.#sums = plus(before, report)
    this.#snapshots += report.copied.length
    told()
  }

  /** Reads back what was not read back before, and looks at the structure of everything. Throws `corrupt`. */
  async verify(signal: AbortSignal): Promise<void> {
    if (this.#isVerified) return
    await this.#target.refresh()
    const packs = [...this.#target.packs()].filter((pack) => !this.#verified.has(pack))
    const { problems } = await this.#target.verify({ data: packs }, signal)
    const [first] = problems
    if (first !== undefined)
      throw corrupt(`what was written anew of ${this.#name} cannot be read: ${first.message}`)
    for (const pack of packs) this.#verified.add(pack)
    this.#isVerified = true
  }

  /** With nobody in the repository: takes out what the source has no more, with all that only this needed. */
  async removeStale(signal: AbortSignal): Promise<void> {
    const there = new Set((await this.#source.snapshots(signal)).map(lineOf))
    const stale = (await this.#target.snapshots(signal)).filter((snapshot) => !there.has(lineOf(snapshot)))
    if (stale.length === 0) return
    this.#isVerified = false
    await this.#target.forget(stale.map(({ id }) => id))
    await this.#target.prune({ keepTrees: [], leaveNoWaste: true }, signal)
  }

  /** With nobody in the repository: throws unless both hold the same snapshots. */
  async compare(signal: AbortSignal): Promise<void> {
    const lines = async (repository: Repository): Promise<string> =>
      (await repository.snapshots(signal)).map(lineOf).sort().join('\n')
    if ((await lines(this.#source)) !== (await lines(this.#target)))
      throw corrupt(`the restore points of ${this.#name} are not the same under the new key`)
  }

  #cannot(why: string): Error {
    return corrupt(`${this.#name} cannot be encrypted anew before it is repaired: ${why}`)
  }
}

/** The same for a snapshot and its copy. */
const lineOf = ({ id, original, tree, time, tags }: Snapshot): string =>
  [original ?? id, tree, time.toISOString(), ...tags].join(' ')
