import { HoldfastError, isHoldfastError } from '#base'
import type { Storage } from './storage.ts'

/** How long nobody can remove what is stored. */
export interface RetentionPolicy {
  /** What is needed can at no moment be removed for this long. */
  readonly periodMs: number
  /**
   * Dates are moved on before less than `periodMs` is left, and then by this much more: a file costs two requests in each
   * window. What is no longer needed stays for up to a period and a window.
   */
  readonly windowMs: number
}

/**
 * What a storage adds that lets nobody remove a file before its date, whoever holds its credentials. New files get
 * their date when they are written, but for locks, which have to go.
 */
export interface Retention {
  readonly policy: RetentionPolicy
  /** The storage's own time: a clock of ours that is wrong shortens nothing. */
  now(signal?: AbortSignal): Promise<Date>
  /** Until when the file cannot be removed; undefined when it can. Throws `not-found`. */
  until(path: string, signal?: AbortSignal): Promise<Date | undefined>
  /** The file cannot be removed until then. A later date than it has: dates never move back. Throws `not-found`. */
  extend(path: string, until: Date, signal?: AbortSignal): Promise<void>
}

const LOCKED = 'Locked'

/** A file that cannot be removed yet: leave it and come again after its date. */
export const locked = (path: string, until: Date | undefined): HoldfastError =>
  new HoldfastError(
    'conflict',
    until === undefined
      ? `${path} is held and cannot be removed`
      : `${path} cannot be removed before ${until.toISOString()}`,
    { reason: LOCKED },
  )

export const isLocked = (error: unknown): error is HoldfastError =>
  isHoldfastError(error, 'conflict') && error.reason === LOCKED

/** Locks, records of owners, and the notes on what was extended: they have to go and can be made anew. */
const PASSING = /(^|\/)(locks|\.holdfast\/(retention|owner))\//

/** Whether a file of this name gets a date. */
export const isRetained = (path: string): boolean => !PASSING.test(path)

/** The date that a file gets now. */
export const retainedUntil = (now: Date, { periodMs, windowMs }: RetentionPolicy): Date =>
  new Date(now.getTime() + periodMs + windowMs)

/** What a wrapper does to the retention of what it wraps. */
interface Through {
  /** Where a path of the wrapper is inside. */
  readonly path?: (path: string) => string
  /** Around each call. */
  readonly call?: <Result>(
    path: string,
    call: () => Promise<Result>,
    signal: AbortSignal | undefined,
  ) => Promise<Result>
  /** Instead of moving dates. */
  readonly extend?: Retention['extend']
}

/** The retention of a wrapper, where what it wraps has one. For spreading into the wrapper. */
export const retentionThrough = (
  { retention: inside }: Pick<Storage, 'retention'>,
  { path: place = (path) => path, call: around = async (_, call) => call(), extend }: Through = {},
): Pick<Storage, 'retention'> => {
  if (inside === undefined) return {}
  const retention: Retention = {
    policy: inside.policy,
    now: (signal) => around('its time', () => inside.now(signal), signal),
    until: (path, signal) => around(path, () => inside.until(place(path), signal), signal),
    extend:
      extend ??
      ((path, until, signal) => around(path, () => inside.extend(place(path), until, signal), signal)),
  }
  return { retention }
}
