import type { Clock } from '#base'
import { retentionThrough } from './retention.ts'
import type { Storage } from './storage.ts'

export interface ThrottledOptions {
  readonly bytesPerSecond: number
  readonly clock: Clock
}

/** Spends at most so many bytes a second on reading and writing together. Listing and removing are free. */
export const throttled = (storage: Storage, { bytesPerSecond, clock }: ThrottledOptions): Storage => {
  let freeAtMs = 0
  const spend = async (bytes: number, signal?: AbortSignal): Promise<void> => {
    const nowMs = clock.nowMs()
    const startMs = Math.max(nowMs, freeAtMs)
    freeAtMs = startMs + (bytes / bytesPerSecond) * 1000
    if (startMs > nowMs) await clock.sleep(startMs - nowMs, signal)
  }
  return {
    name: storage.name,
    write: async (path, parts, signal) => {
      await spend(
        parts.reduce((sum, part) => sum + part.length, 0),
        signal,
      )
      await storage.write(path, parts, signal)
    },
    read: async (path, range, signal) => {
      const bytes = await storage.read(path, range, signal)
      await spend(bytes.length, signal)
      return bytes
    },
    remove: (path, signal) => storage.remove(path, signal),
    stat: (path, signal) => storage.stat(path, signal),
    list: (folder, signal) => storage.list(folder, signal),
    space: (signal) => storage.space(signal),
    ...retentionThrough(storage),
    [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
  }
}
