import { type Clock, type Logger, messageOf, type Random } from '#base'
import type { Storage } from '#storage'
import type { KeySet } from './format/sealing.ts'
import type { IndexFiles } from './index-files.ts'
import type { HeldLock, Locks } from './locks.ts'
import { Packer } from './packer.ts'
import type { WorkerPool } from './workers/worker-pool.ts'

export interface WritingSessionOptions {
  readonly storage: Storage
  readonly key: KeySet
  readonly files: IndexFiles
  readonly pool: WorkerPool
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly locks: Locks
}

interface Started {
  readonly packer: Packer
  readonly lock: HeldLock
}

/** The lock and the packer that the writers of one process share, from the first one's start to the last one's end. */
export class WritingSession {
  readonly #options: WritingSessionOptions
  #started: Promise<Started> | undefined
  #packer: Packer | undefined
  #users = 0
  #isOver = false

  constructor(options: WritingSessionOptions) {
    this.#options = options
  }

  /** Whether another writer may join. */
  get isOpen(): boolean {
    return !this.#isOver && this.#packer?.hasFailed !== true
  }

  get packer(): Packer | undefined {
    return this.#packer
  }

  async run<Result>(work: (packer: Packer) => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    this.#users += 1
    let outcome: 'done' | 'failed' = 'failed'
    try {
      this.#started ??= this.#start(signal)
      const { packer } = await this.#started
      const result = await work(packer)
      outcome = 'done'
      return result
    } finally {
      this.#users -= 1
      if (this.#users === 0) await this.#end(outcome === 'failed')
    }
  }

  async #start(signal?: AbortSignal): Promise<Started> {
    const { locks, files } = this.#options
    const lock = await locks.take('traced', signal)
    try {
      // Under the lock: what the index names now is not pruned before the end of the session.
      await files.refresh(signal)
    } catch (error) {
      await lock[Symbol.asyncDispose]()
      throw error
    }
    const packer = new Packer({ ...this.#options, guard: () => lock.check() })
    this.#packer = packer
    return { packer, lock }
  }

  async #end(hasFailed: boolean): Promise<void> {
    this.#isOver = true
    const started = await this.#started?.catch(() => undefined)
    if (started === undefined) return
    try {
      if (hasFailed) await this.#salvage(started.packer)
    } finally {
      await started.lock[Symbol.asyncDispose]()
    }
  }

  /** What is stored is named, so that the next run finds it. */
  async #salvage(packer: Packer): Promise<void> {
    const { files, log } = this.#options
    try {
      await packer.salvage()
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'stored packs are left without an index')
      files.forgetUnnamed()
    }
  }
}
