import { type Random, unavailable } from '#base'
import { retentionThrough } from './retention.ts'
import type { Storage, StoredFile } from './storage.ts'

export type FaultyOptions = RandomFaults | OneFault

export interface RandomFaults {
  /** Seeded, so that a failing run can be repeated. */
  readonly random: Random
  /** Share of calls that fail, 0 to 1. */
  readonly rate: number
}

export interface OneFault {
  /** The call that fails, counted from 1; a listing is one call. All others work. */
  readonly call: number
  /** Before the work was done or, as when an answer is lost on the way, after it. */
  readonly moment: 'before' | 'after'
  /** Told when it fails. */
  readonly onFault?: () => void
}

/** For tests: calls fail with `unavailable`; at random half of them after the work was done. */
export const faulty = (storage: Storage, options: FaultyOptions): Storage => {
  const begin = 'rate' in options ? randomFaults(options) : oneFault(options)
  const fail = (path: string): never => {
    throw unavailable(`the storage did not answer for ${path}`)
  }
  const unreliable = async <Result>(path: string, call: () => Promise<Result>): Promise<Result> => {
    const fails = begin()
    if (fails('before')) fail(path)
    const result = await call()
    if (fails('after')) fail(path)
    return result
  }
  async function* list(folder: string, signal?: AbortSignal): AsyncGenerator<StoredFile> {
    const fails = begin()
    if (fails('before')) fail(folder)
    for await (const file of storage.list(folder, signal)) yield file
    if (fails('after')) fail(folder)
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

type Fails = (moment: OneFault['moment']) => boolean

const randomFaults =
  ({ random, rate }: RandomFaults): (() => Fails) =>
  () =>
  () =>
    random.fraction() < rate / 2

const oneFault = ({ call, moment, onFault }: OneFault): (() => Fails) => {
  let calls = 0
  return () => {
    const isDue = (calls += 1) === call
    return (now) => {
      if (!isDue || now !== moment) return false
      onFault?.()
      return true
    }
  }
}
