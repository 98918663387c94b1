import { conflict, type Clock } from '#base'
import type { Database } from '#database'
import type { CopyReport, Repository, Snapshot } from '#repository'
import type { Catalogues } from '../catalogue/catalogues.ts'
import type { RunReport, Shards } from '../jobs/backup-run.ts'
import { shardOf } from '../repositories/organization-shards.ts'
import { planPoints } from '../retention/plan-points.ts'
import { retentionFacts, storedPoints, syncShard } from '../retention/repository-contents.ts'

export interface CopyRun {
  readonly backupJobId: string
  readonly organization: { readonly id: string; readonly name: string }
  readonly from: { readonly repositoryId: string; readonly shards: Shards }
  readonly to: { readonly repositoryId: string; readonly shards: Shards }
  /** By the number of the shard: the time of the newest snapshot that earlier runs copied. */
  readonly marks: Readonly<Record<string, string>>
  readonly keepMarks: (marks: Readonly<Record<string, string>>) => Promise<void>
  readonly full: boolean
  readonly report: RunReport
  readonly signal: AbortSignal
}

export interface CopyOutcome {
  /** Restore points of which anything was copied. */
  readonly points: number
  readonly objects: number
  readonly copiedBlobs: number
  readonly readBytes: number
  readonly writtenBytes: number
  /** For a person. */
  readonly warnings: readonly string[]
}

export interface CopyPointsParts {
  readonly database: Database
  readonly catalogues: Catalogues
  readonly clock: Clock
  readonly timeZone: string
}

/** So many snapshots are copied before the next are begun: a run that is cut off has these behind it. */
const AT_ONCE = 16

interface ShardCopy {
  readonly index: number
  readonly source: Repository
  /** Oldest first. */
  readonly snapshots: readonly Snapshot[]
}

/**
 * Copies those restore points of a backup job that the target's rule keeps and that came after what was copied before,
 * shard to shard. What was removed from the target does not come back, unless all of it is gone there.
 */
export const copyPoints = async (parts: CopyPointsParts, run: CopyRun): Promise<CopyOutcome> =>
  new PointsCopy(parts, run).run()

class PointsCopy {
  readonly #parts: CopyPointsParts
  readonly #run: CopyRun
  readonly #points = new Set<string>()
  readonly #objects = new Set<string>()
  readonly #warnings: string[] = []
  /** Shards with a restore point that could not be copied. */
  readonly #held = new Set<number>()
  readonly #sums = { copiedBlobs: 0, readBytes: 0, writtenBytes: 0 }
  #marks: Readonly<Record<string, string>>
  #done = 0
  #total = 0

  constructor(parts: CopyPointsParts, run: CopyRun) {
    this.#parts = parts
    this.#run = run
    this.#marks = run.marks
  }

  async run(): Promise<CopyOutcome> {
    checkCounts(this.#run)
    const copies = await this.#toCopy()
    this.#total = copies.reduce((sum, { snapshots }) => sum + snapshots.length, 0)
    this.#tell(this.#sums)
    for (const copy of copies) await this.#copyShard(copy)
    this.#tell(this.#sums)
    return {
      points: this.#points.size,
      objects: this.#objects.size,
      ...this.#sums,
      warnings: this.#warnings,
    }
  }

  async #toCopy(): Promise<readonly ShardCopy[]> {
    const { from, signal } = this.#run
    const sources = await from.shards.existing(signal)
    this.#missing(sources.map(({ index }) => index))
    const there = new Map(
      (await this.#run.to.shards.existing(signal)).map(({ index, repository }) => [index, repository]),
    )
    const kept = await this.#keptSnapshots(sources)
    const copies: ShardCopy[] = []
    for (const { index, repository } of sources) {
      const after = await this.#markOf(index, there.get(index))
      const snapshots = (await repository.snapshots(signal))
        .filter(({ id, time }) => kept.has(id) && (after === undefined || time > after))
        .sort((a, b) => a.time.getTime() - b.time.getTime())
      if (snapshots.length > 0) copies.push({ index, source: repository, snapshots })
    }
    return copies
  }

  /** A shard that was there before and is not any more is told of: its points may be in the copy alone. */
  #missing(found: readonly number[]): void {
    for (const index of Object.keys(this.#run.marks))
      if (!found.includes(Number(index)))
        this.#warnings.push(`shard ${index} of the source is gone: nothing of it can be copied`)
  }

  /** Undefined where everything is to be copied: nothing was yet, or all of it is gone. */
  async #markOf(index: number, target: Repository | undefined): Promise<Date | undefined> {
    const mark = this.#run.marks[index]
    if (mark === undefined || this.#run.full || target === undefined) return undefined
    await target.refresh()
    const snapshots = await target.snapshots(this.#run.signal)
    return snapshots.some(({ tags }) => tags.includes(`job:${this.#run.backupJobId}`))
      ? new Date(mark)
      : undefined
  }

  /** What the target's own rule would remove at once is not copied. */
  async #keptSnapshots(
    sources: readonly { readonly index: number; readonly repository: Repository }[],
  ): Promise<ReadonlySet<string>> {
    const { database, catalogues, clock, timeZone } = this.#parts
    const { organization, from, to, backupJobId, signal } = this.#run
    const of = {
      repositoryId: from.repositoryId,
      organizationId: organization.id,
      organizationName: organization.name,
    }
    const shards = sources.map((source) => shardOf(catalogues, of, source))
    for (const shard of shards) await syncShard(shard, signal)
    const all = await storedPoints(shards, database.queries)
    const points = all.filter(({ jobId }) => jobId === backupJobId)
    const facts = await retentionFacts({ database, timeZone }, to.repositoryId)
    const going = new Set(
      planPoints({ ...facts, points, now: clock.now() }).flatMap(({ goes, point }) =>
        goes ? [point.id] : [],
      ),
    )
    const kept = points.filter(({ id }) => !going.has(id))
    for (const { objectKeys } of kept) for (const key of objectKeys) this.#objects.add(key)
    return new Set(kept.flatMap(({ snapshots }) => snapshots.map(({ snapshot }) => String(snapshot))))
  }

  async #copyShard({ index, source, snapshots }: ShardCopy): Promise<void> {
    const { report, to, signal } = this.#run
    const key = `shard-${index}`
    const what = `${snapshots.length} restore points of shard ${index}`
    await report.start(key, `Copying ${what}`)
    const before = { ...this.#sums }
    try {
      const target = await to.shards.open(index, signal)
      for (let at = 0; at < snapshots.length; at += AT_ONCE)
        await this.#copyBatch(index, source, target, snapshots.slice(at, at + AT_ONCE))
    } catch (error) {
      const reason = error instanceof Error ? error.message : ''
      await report.finish(key, signal.aborted ? 'Stop' : 'Error', `Copying ${what}: ${reason}`)
      throw error
    }
    const bytes = this.#sums.writtenBytes - before.writtenBytes
    const blobs = this.#sums.copiedBlobs - before.copiedBlobs
    await report.finish(key, 'Success', `Copied ${what}: ${blobs} new blobs, ${bytes} bytes written`)
  }

  async #copyBatch(
    index: number,
    source: Repository,
    target: Repository,
    batch: readonly Snapshot[],
  ): Promise<void> {
    const { signal } = this.#run
    const ids = new Set(batch.map(({ id }) => id))
    const copied = await target.copyFrom(
      source,
      {
        select: ({ id }) => ids.has(id),
        onProgress: (progress) => this.#tell(plus(this.#sums, progress)),
      },
      signal,
    )
    Object.assign(this.#sums, plus(this.#sums, copied))
    this.#tellNotCopied(index, copied, batch)
    for (const { from } of copied.copied) {
      const snapshot = batch.find(({ id }) => id === from)
      this.#points.add(snapshot?.tags.find((tag) => tag.startsWith('run:')) ?? from)
    }
    this.#done += batch.length
    // What could not be copied, and all after it, is looked at again by the next run.
    if (!this.#held.has(index)) {
      this.#marks = { ...this.#marks, [index]: batch.at(-1)!.time.toISOString() }
      await this.#run.keepMarks(this.#marks)
    }
    this.#tell(this.#sums)
  }

  #tellNotCopied(index: number, { notCopied }: CopyReport, batch: readonly Snapshot[]): void {
    for (const { snapshot, reason } of notCopied) {
      this.#held.add(index)
      const time = batch.find(({ id }) => id === snapshot)?.time.toISOString() ?? snapshot
      this.#warnings.push(
        `the restore point of ${time} in shard ${index} is not copied: ${reason}; verify the source, then copy again`,
      )
    }
  }

  #tell({ readBytes, writtenBytes, copiedBlobs }: Sums): void {
    this.#run.report.totals({
      objectsDone: this.#done,
      objectsTotal: this.#total,
      processedItems: copiedBlobs,
      readBytes,
      writtenBytes,
      sourceWaitMs: 0,
      targetWaitMs: 0,
    })
  }
}

type Sums = Pick<CopyReport, 'copiedBlobs' | 'readBytes' | 'writtenBytes'>

const plus = (a: Sums, b: Sums): Sums => ({
  copiedBlobs: a.copiedBlobs + b.copiedBlobs,
  readBytes: a.readBytes + b.readBytes,
  writtenBytes: a.writtenBytes + b.writtenBytes,
})

/** An object is in one shard: where two repositories share them out differently, whole snapshots cannot be copied. */
const checkCounts = ({ from, to }: CopyRun): void => {
  if (from.shards.count !== 0 && from.shards.count !== to.shards.count)
    throw conflict(
      `the target keeps the organization in ${to.shards.count} shards and the source in ${from.shards.count}: ` +
        'copy to a repository that does not hold the organization yet',
    )
}
