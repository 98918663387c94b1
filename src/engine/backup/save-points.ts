import type { Clock, Json } from '#base'
import type { RepositoryWriter } from '#repository'
import type { Checkpoints } from '../jobs/backup-run.ts'
import type { ObjectDraft, ObjectProgress } from './object-draft.ts'

export interface SavePointOptions {
  readonly writer: RepositoryWriter
  readonly checkpoints: Checkpoints
  readonly clock: Clock
  /** The longest time between two save points of one object. */
  readonly intervalMs: number
}

const FIRST_MS = 1_000

/**
 * Where the objects of a run could go on from after a crash. An object saves its trees and works on; one flush for all that
 * have saved makes them durable, and only then is the progress written down. Save points lie closer together at the
 * beginning of a run: a crash costs no more time than the run has taken so far, and at most the interval.
 */
export class SavePoints {
  readonly #options: SavePointOptions
  readonly #saved = new Map<string, number>()
  readonly #offered = new Map<string, ObjectProgress>()
  #flushing: Promise<void> | undefined
  #failure: unknown
  #flushed: number
  readonly #startedMs: number

  constructor(options: SavePointOptions) {
    this.#options = options
    this.#startedMs = options.clock.nowMs()
    this.#flushed = this.#startedMs
  }

  #intervalMs(now: number): number {
    return Math.min(this.#options.intervalMs, Math.max(FIRST_MS, now - this.#startedMs))
  }

  /** Saves the draft when it is time to. */
  async pass(key: string, draft: ObjectDraft): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    const now = this.#options.clock.nowMs()
    const last = this.#saved.get(key)
    if (last === undefined) this.#saved.set(key, now)
    if (last === undefined || now - last < this.#intervalMs(now)) return
    this.#saved.set(key, now)
    this.#offer(key, await draft.save())
  }

  /** The object is done; it waits for the snapshot. */
  done(key: string, progress: ObjectProgress): void {
    this.#saved.delete(key)
    this.#offer(key, progress)
  }

  #offer(key: string, progress: ObjectProgress): void {
    this.#offered.set(key, progress)
    const now = this.#options.clock.nowMs()
    if (this.#flushing !== undefined || now - this.#flushed < this.#intervalMs(now)) return
    this.#startFlush(now)
  }

  #startFlush(now: number): void {
    this.#flushed = now
    this.#flushing = this.#flush().finally(() => {
      this.#flushing = undefined
    })
  }

  /** Writes down now what the objects have offered, for a run that stops. */
  async keep(): Promise<void> {
    await this.#flushing
    if (this.#failure === undefined && this.#offered.size > 0) this.#startFlush(this.#options.clock.nowMs())
    await this.settle()
  }

  /** Waits for what is being written down. */
  async settle(): Promise<void> {
    await this.#flushing
    if (this.#failure !== undefined) throw this.#failure
  }

  async #flush(): Promise<void> {
    try {
      const offered = [...this.#offered]
      this.#offered.clear()
      await this.#options.writer.flush()
      for (const [key, progress] of offered)
        await this.#options.checkpoints.save(key, { ...progress } as Json)
    } catch (error) {
      this.#failure = error
    }
  }
}
