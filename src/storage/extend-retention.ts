import { isHoldfastError, type Random } from '#base'
import { eachOf } from './each-of.ts'
import { retainedUntil, type Retention } from './retention.ts'
import type { Storage } from './storage.ts'

/** Paths as often as they are asked for; they may be millions. */
export type Paths = () => Iterable<string> | AsyncIterable<string>

export interface ExtendOptions {
  readonly signal?: AbortSignal
  /** Requests under way at a time; 16 unless told. */
  readonly concurrency?: number
}

export interface ExtendReport {
  /** False when nothing had to be looked at. */
  readonly wasDue: boolean
  readonly looked: number
  readonly extended: number
  /** Needed and not stored: the first hundred. */
  readonly missing: readonly string[]
}

const NOTHING: ExtendReport = { wasDue: false, looked: 0, extended: 0, missing: [] }
/** A note for each time when all dates were moved; its name is that time. */
const NOTES = '.holdfast/retention'
const SAMPLES = 4
const MOST_MISSING = 100
const MINUTE_MS = 60_000

/**
 * Moves the dates of everything that is needed when a window nears its end: to be called after each run, at least once
 * in a quarter of a window. A call that comes earlier asks for a list of notes and for the dates of a few files by chance,
 * so that a note which is wrong, or forged, is found out. One that was stopped halfway is simply called again.
 *
 * `paths` are all files that the indexes and snapshots in force need, and those themselves. A file that is left out keeps
 * its date and can be removed after it; one that comes back into use has to go through `extendRetention` first.
 */
export const extendNeeded = async (
  storage: Storage,
  paths: Paths,
  options: ExtendOptions & { readonly random: Random },
): Promise<ExtendReport> => {
  const { retention } = storage
  if (retention === undefined) return NOTHING
  const now = await retention.now(options.signal)
  const notes = await notesOf(storage, options.signal)
  if (!isDue(notes, now, retention) && (await areKept(retention, now, paths, options))) return NOTHING
  const report = await extendRetention(storage, paths, options)
  await note(storage, notes, now, options.signal)
  return report
}

/** Moves the dates of these files now, but for those that have a late one already. */
export const extendRetention = async (
  storage: Storage,
  paths: Paths,
  { signal, concurrency = 16 }: ExtendOptions = {},
): Promise<ExtendReport> => {
  const { retention } = storage
  if (retention === undefined) return NOTHING
  const now = await retention.now(signal)
  const until = retainedUntil(now, retention.policy)
  const lateEnough = until.getTime() - marginMs(retention)
  const missing: string[] = []
  let [looked, extended] = [0, 0]
  await eachOf(paths(), concurrency, async (path) => {
    signal?.throwIfAborted()
    looked += 1
    const found = await dateOf(retention, path, signal)
    if (found === 'missing') {
      if (missing.length < MOST_MISSING) missing.push(path)
      return
    }
    if (found >= lateEnough) return
    await retention.extend(path, until, signal)
    extended += 1
  })
  return { wasDue: true, looked, extended, missing }
}

/** So long before its end a window is taken to be over: runs do not come at the very moment. */
const marginMs = ({ policy }: Retention): number => policy.windowMs / 4

/** Milliseconds; 0 for a file without a date. */
const dateOf = async (
  retention: Retention,
  path: string,
  signal?: AbortSignal,
): Promise<number | 'missing'> => {
  try {
    return (await retention.until(path, signal))?.getTime() ?? 0
  } catch (error) {
    if (isHoldfastError(error, 'not-found')) return 'missing'
    throw error
  }
}

const notesOf = async (storage: Storage, signal?: AbortSignal): Promise<readonly string[]> => {
  const notes: string[] = []
  for await (const { path } of storage.list(NOTES, signal)) notes.push(path.slice(NOTES.length + 1))
  return notes
}

/** A note of the future is nobody's who tells the truth, but for a storage that tells its time in whole seconds. */
const isDue = (notes: readonly string[], now: Date, retention: Retention): boolean => {
  const times = notes.map((each) => Date.parse(each)).filter((each) => each <= now.getTime() + MINUTE_MS)
  const last = Math.max(Number.NEGATIVE_INFINITY, ...times)
  return now.getTime() >= last + retention.policy.windowMs - marginMs(retention)
}

const areKept = async (
  retention: Retention,
  now: Date,
  paths: Paths,
  { random, signal }: ExtendOptions & { readonly random: Random },
): Promise<boolean> => {
  const earliest = now.getTime() + retention.policy.periodMs
  for (const path of await chosenOf(paths(), random)) {
    const found = await dateOf(retention, path, signal)
    if (found === 'missing' || found < earliest) return false
  }
  return true
}

/** A few of them, each with the same chance. */
const chosenOf = async (
  paths: Iterable<string> | AsyncIterable<string>,
  random: Random,
): Promise<readonly string[]> => {
  const chosen: string[] = []
  let seen = 0
  for await (const path of paths) {
    seen += 1
    const at = seen <= SAMPLES ? seen - 1 : Math.floor(random.fraction() * seen)
    if (at < SAMPLES) chosen[at] = path
  }
  return chosen
}

const note = async (
  storage: Storage,
  before: readonly string[],
  at: Date,
  signal?: AbortSignal,
): Promise<void> => {
  const name = at.toISOString()
  if (!before.includes(name)) await storage.write(`${NOTES}/${name}`, [], signal)
  for (const old of before) if (old !== name) await storage.remove(`${NOTES}/${old}`, signal)
}
