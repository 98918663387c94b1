import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Jobs, Job, Result } from './jobs.ts'
import { Buffers } from '../buffers.ts'
import { transferable } from './run-job.ts'

interface Waiting {
  readonly job: Job
  readonly resolve: (result: Result) => void
  readonly reject: (error: Error) => void
}

interface Thread {
  readonly worker: Worker
  /** What it was given, the job at work first. */
  readonly jobs: Waiting[]
}

type Answer = { readonly result: Result } | { readonly failure: string }

const MOST_THREADS = 8
/** A thread that is done with a job has the next one: the thread that gives out jobs may be at work itself. */
const JOBS_A_THREAD = 2

/**
 * Threads that chunk, hash, compress, seal and check. They start when needed, do not keep the process alive while idle,
 * and end with `close`; a later job starts new ones.
 */
export class WorkerPool {
  readonly size: number
  /** For the jobs' bytes. */
  readonly buffers = new Buffers()
  readonly #threads: Thread[] = []
  readonly #queue: Waiting[] = []

  constructor(size = Math.max(1, Math.min(availableParallelism(), MOST_THREADS))) {
    this.size = size
  }

  /** Hands the job's buffer over: the caller may no longer look at it. */
  run<Kind extends keyof Jobs>(job: Jobs[Kind]['job'] & { kind: Kind }): Promise<Jobs[Kind]['result']> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ job, resolve: resolve as (result: Result) => void, reject })
      this.#assign()
    })
  }

  #assign(): void {
    while (this.#queue.length > 0) {
      const thread = this.#free()
      if (thread === undefined) return
      const waiting = this.#queue.shift()!
      thread.jobs.push(waiting)
      thread.worker.ref()
      thread.worker.postMessage(waiting.job, transferable(waiting.job))
    }
  }

  /** Idle threads first, then new ones, then those that have one job. */
  #free(): Thread | undefined {
    const idle = this.#threads.find(({ jobs }) => jobs.length === 0) ?? this.#start()
    return idle ?? this.#threads.find(({ jobs }) => jobs.length < JOBS_A_THREAD)
  }

  #start(): Thread | undefined {
    if (this.#threads.length >= this.size) return undefined
    const worker = new Worker(new URL('./repository.worker.ts', import.meta.url))
    const thread: Thread = { worker, jobs: [] }
    worker.on('message', (answer: Answer) => this.#finish(thread, answer))
    worker.on('error', (error) =>
      this.#lose(thread, error instanceof Error ? error : new Error(String(error))),
    )
    worker.on('exit', () => this.#lose(thread, new Error('a worker thread ended')))
    this.#threads.push(thread)
    return thread
  }

  #finish(thread: Thread, answer: Answer): void {
    const waiting = thread.jobs.shift()
    if (thread.jobs.length === 0) thread.worker.unref()
    if ('failure' in answer) waiting?.reject(new Error(answer.failure))
    else waiting?.resolve(answer.result)
    this.#assign()
  }

  #lose(thread: Thread, error: Error): void {
    const at = this.#threads.indexOf(thread)
    if (at !== -1) this.#threads.splice(at, 1)
    // The bytes of those that waited there are gone with it.
    for (const waiting of thread.jobs.splice(0)) waiting.reject(error)
    this.#assign()
  }

  async close(): Promise<void> {
    const error = new Error('the worker threads are closed')
    for (const waiting of this.#queue.splice(0)) waiting.reject(error)
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()))
  }
}

let shared: WorkerPool | undefined
let users = 0

/** The threads of this process, shared by all repositories and ended with the last user. */
export const useSharedPool = (): { readonly pool: WorkerPool; readonly release: () => Promise<void> } => {
  shared ??= new WorkerPool()
  users += 1
  const pool = shared
  let isReleased = false
  const release = async (): Promise<void> => {
    if (isReleased) return
    isReleased = true
    users -= 1
    if (users > 0) return
    shared = undefined
    await pool.close()
  }
  return { pool, release }
}
