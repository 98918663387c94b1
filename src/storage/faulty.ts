import { type Random, unavailable } from '#base'
import { retentionThrough } from './retention.ts'
import type { Storage, StoredFile } from './storage.ts'

export interface FaultyOptions {
  /** Seeded, so that a failing run can be repeated. */
  readonly random: Random
  /** Share of calls that fail, 0 to 1. */
  readonly rate: number
}

/**
 * For tests: calls fail with `unavailable`, half of them after the work was done, as when an answer is lost on the way.
 */
export const faulty = (storage: Storage, { random, rate }: FaultyOptions): Storage => {
  const hit = (): boolean => random.fraction() < rate / 2
  const fail = (path: string): never => {
    throw unavailable(`the storage did not answer for ${path}`)
  }
  const unreliable = async <Result>(path: string, call: () => Promise<Result>): Promise<Result> => {
    if (hit()) fail(path)
    const result = await call()
    if (hit()) fail(path)
    return result
  }
  async function* list(folder: string, signal?: AbortSignal): AsyncGenerator<StoredFile> {
    if (hit()) fail(folder)
    for await (const file of storage.list(folder, signal)) yield file
    if (hit()) fail(folder)
  }
  return {
    name: storage.name,
    write: (path, parts, signal) => unreliable(path, () => storage.write(path, parts, signal)),
    read: (path, range, signal, into) => unreliable(path, () => storage.read(path, range, signal, into)),
    stat: (path, signal) => unreliable(path, () => storage.stat(path, signal)),
    list,
    remove: (path, signal) => unreliable(path, () => storage.remove(path, signal)),
    space: (signal) => unreliable('its space', () => storage.space(signal)),
    ...retentionThrough(storage, { call: unreliable }),
    [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
  }
}
