import { type Clock, HoldfastError, isHoldfastError, type Logger, type Random, silentLogger } from '#base'
import { retentionThrough } from './retention.ts'
import type { Storage, StoredFile } from './storage.ts'

export interface RetryingOptions {
  readonly clock: Clock
  readonly random: Random
  readonly log?: Logger
  /** Tries in all; 6 unless told. */
  readonly attempts?: number
  /** Before the second try, doubling from there up to 30 s; 200 unless told. */
  readonly firstDelayMs?: number
}

const LONGEST_DELAY_MS = 30_000

/** Repeats what may pass: `unavailable`, `timeout`, `throttled`. Everything else is answered at once. */
export const retrying = (storage: Storage, options: RetryingOptions): Storage => {
  const { clock, random, log = silentLogger, attempts = 6, firstDelayMs = 200 } = options

  const pause = async (error: unknown, attempt: number, signal?: AbortSignal): Promise<void> => {
    if (attempt >= attempts || !mayPass(error)) throw error
    const ceiling = Math.min(firstDelayMs * 2 ** (attempt - 1), LONGEST_DELAY_MS)
    const delayMs = error.retryAfterMs ?? ceiling * (0.5 + random.fraction() / 2)
    log.warn({ attempt, delayMs: Math.round(delayMs), code: error.code }, 'storage call repeated')
    await clock.sleep(delayMs, signal)
  }
  const repeat = async <Result>(call: (attempt: number) => Promise<Result>, signal?: AbortSignal) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await call(attempt)
      } catch (error) {
        await pause(error, attempt, signal)
      }
    }
  }
  async function* list(folder: string, signal?: AbortSignal): AsyncGenerator<StoredFile> {
    const given = new Set<string>()
    for (let attempt = 1; ; attempt += 1) {
      try {
        for await (const file of storage.list(folder, signal)) {
          if (given.has(file.path)) continue
          given.add(file.path)
          yield file
        }
        return
      } catch (error) {
        await pause(error, attempt, signal)
      }
    }
  }
  const write = async (path: string, parts: readonly Uint8Array[], attempt: number, signal?: AbortSignal) => {
    try {
      await storage.write(path, parts, signal)
    } catch (error) {
      // The try before may have written the file and lost its answer.
      if (attempt === 1 || !isHoldfastError(error, 'conflict')) throw error
      const sizeBytes = parts.reduce((sum, part) => sum + part.length, 0)
      if ((await storage.stat(path, signal))?.sizeBytes !== sizeBytes) throw error
    }
  }
  return {
    name: storage.name,
    write: (path, parts, signal) => repeat((attempt) => write(path, parts, attempt, signal), signal),
    read: (path, range, signal, into) => repeat(() => storage.read(path, range, signal, into), signal),
    stat: (path, signal) => repeat(() => storage.stat(path, signal), signal),
    list,
    remove: (path, signal) => repeat(() => storage.remove(path, signal), signal),
    space: (signal) => repeat(() => storage.space(signal), signal),
    ...retentionThrough(storage, { call: (_, call, signal) => repeat(call, signal) }),
    [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
  }
}

const mayPass = (error: unknown): error is HoldfastError =>
  isHoldfastError(error) && ['unavailable', 'timeout', 'throttled'].includes(error.code)
