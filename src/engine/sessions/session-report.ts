import type { Clock, Logger, Random } from '#base'
import { logRows, sessionRows, type Database, type SessionRow } from '#database'
import type { RunReport, RunTotals } from '../jobs/backup-run.ts'
import type { Bottleneck, JobStatistics, LogItemType } from './job-session.ts'

const WRITTEN_EVERY_MS = 1_000
const LONGEST_MESSAGE = 2_000

export const NO_STATISTICS: JobStatistics = {
  processingRateBytesPS: 0,
  processingRateItemsPS: 0,
  readRateBytesPS: 0,
  writeRateBytesPS: 0,
  transferredDataBytes: 0,
  processedObjects: 0,
  bottleneck: 'NA',
}

const bottleneckOf = ({ sourceWaitMs, targetWaitMs }: RunTotals, isRunning: boolean): Bottleneck => {
  if (sourceWaitMs === targetWaitMs) return isRunning ? 'Detecting' : 'NA'
  return sourceWaitMs > targetWaitMs ? 'Source' : 'Target'
}

/** A run's totals in the words of the API. `before` are bytes of the same session before it was cut off. */
export const statisticsOf = (
  totals: RunTotals,
  run: { readonly elapsedMs: number; readonly bytesBefore: number; readonly isRunning: boolean },
): JobStatistics => {
  const seconds = Math.max(run.elapsedMs, 1) / 1_000
  const rate = (amount: number): number => Math.round(amount / seconds)
  return {
    processingRateBytesPS: rate(totals.readBytes),
    processingRateItemsPS: rate(totals.processedItems),
    readRateBytesPS: rate(totals.readBytes),
    writeRateBytesPS: rate(totals.writtenBytes),
    transferredDataBytes: run.bytesBefore + totals.readBytes,
    processedObjects: totals.objectsDone,
    bottleneck: bottleneckOf(totals, run.isRunning),
  }
}

const shortened = (text: string): string =>
  text.length <= LONGEST_MESSAGE ? text : `${text.slice(0, LONGEST_MESSAGE)}…`

/** Writes what a run tells into its session and log. */
export class SessionReport implements RunReport {
  readonly #database: Database
  readonly #clock: Clock
  readonly #random: Random
  readonly #log: Logger
  readonly #sessionId: string
  readonly #startedMs: number
  readonly #bytesBefore: number
  #totals: RunTotals | undefined
  #writtenMs = 0
  #writing: Promise<void> = Promise.resolve()

  constructor(
    parts: {
      readonly database: Database
      readonly clock: Clock
      readonly random: Random
      readonly log: Logger
    },
    session: SessionRow,
  ) {
    this.#database = parts.database
    this.#clock = parts.clock
    this.#random = parts.random
    this.#log = parts.log
    this.#sessionId = session.id
    this.#startedMs = parts.clock.nowMs()
    this.#bytesBefore = (session.statistics as Partial<JobStatistics>).transferredDataBytes ?? 0
  }

  async start(key: string, message: string): Promise<void> {
    const changes = { type: 'Running', message: shortened(message), endTime: undefined }
    const { queries } = this.#database
    if (await logRows.updateByKey(queries, this.#sessionId, key, changes)) return
    await this.#insert({ itemKey: key, type: 'Running', message: shortened(message) })
  }

  async finish(key: string, type: Exclude<LogItemType, 'Running'>, message: string): Promise<void> {
    const changes = { type, message: shortened(message), endTime: this.#clock.now() }
    const { queries } = this.#database
    if (await logRows.updateByKey(queries, this.#sessionId, key, changes)) return
    await this.#insert({ itemKey: key, type, message: shortened(message), endTime: this.#clock.now() })
  }

  async note(type: Exclude<LogItemType, 'Running'>, message: string): Promise<void> {
    await this.#insert({ type, message: shortened(message), endTime: this.#clock.now() })
  }

  totals(totals: RunTotals): void {
    this.#totals = totals
    const nowMs = this.#clock.nowMs()
    if (nowMs - this.#writtenMs < WRITTEN_EVERY_MS) return
    this.#writtenMs = nowMs
    this.#writing = this.#writing
      .then(() => this.#writeTotals(true))
      .catch((error: unknown) => {
        // Progress that is not shown is no reason to end a backup; what matters is written by others.
        this.#log.warn({ err: error, sessionId: this.#sessionId }, 'progress not written')
      })
  }

  /** The last numbers, after everything else has been written. */
  async settle(): Promise<{ readonly statistics: JobStatistics; readonly progress: number }> {
    await this.#writing
    return this.#numbers(false)
  }

  async #writeTotals(isRunning: boolean): Promise<void> {
    await sessionRows.update(this.#database.queries, this.#sessionId, this.#numbers(isRunning))
  }

  #numbers(isRunning: boolean): { readonly statistics: JobStatistics; readonly progress: number } {
    const totals = this.#totals
    const none = { ...NO_STATISTICS, transferredDataBytes: this.#bytesBefore }
    if (totals === undefined) return { statistics: none, progress: 0 }
    const elapsedMs = this.#clock.nowMs() - this.#startedMs
    const progress =
      totals.objectsTotal === 0 ? 0 : Math.floor((100 * totals.objectsDone) / totals.objectsTotal)
    return {
      statistics: statisticsOf(totals, { elapsedMs, bytesBefore: this.#bytesBefore, isRunning }),
      progress: Math.min(progress, 100),
    }
  }

  async #insert(row: {
    readonly itemKey?: string
    readonly type: LogItemType
    readonly message: string
    readonly endTime?: Date
  }): Promise<void> {
    await logRows.insert(this.#database.queries, {
      id: this.#random.uuid(),
      sessionId: this.#sessionId,
      creationTime: this.#clock.now(),
      ...row,
    })
  }
}
