import type { Random } from '#base'
import type { Recovery } from './graph-failure.ts'

export interface RetryLimits {
  /** Tries of a call that the service throttles. */
  readonly throttledTries: number
  /** Tries of a call that fails for no named reason. */
  readonly transientTries: number
  /** A call gives up when its next try would start later than this after the first. */
  readonly deadlineMs: number
}

export const RETRY_LIMITS: RetryLimits = { throttledTries: 20, transientTries: 6, deadlineMs: 30 * 60_000 }

const FIRST_BACK_OFF_MS = 1000
const LONGEST_BACK_OFF_MS = 60_000

export interface FailedTry {
  readonly recovery: Recovery
  /** 1 for the first. */
  readonly tries: number
  readonly elapsedMs: number
  readonly retryAfterMs?: number | undefined
}

/** Milliseconds to wait before the next try, or undefined when there is none. Never shorter than the service asked for. */
export function waitBeforeRetry(failed: FailedTry, limits: RetryLimits, random: Random): number | undefined {
  const { recovery, tries, elapsedMs, retryAfterMs } = failed
  if (recovery === 'final') return undefined
  if (tries >= (recovery === 'throttled' ? limits.throttledTries : limits.transientTries)) return undefined
  const waitMs = retryAfterMs ?? backOffMs(tries, random)
  return elapsedMs + waitMs > limits.deadlineMs ? undefined : waitMs
}

/** Doubles with every try; the upper half is left to chance, so that callers do not come back together. */
function backOffMs(tries: number, random: Random): number {
  const ceiling = Math.min(LONGEST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** (tries - 1))
  return ceiling / 2 + (ceiling / 2) * random.fraction()
}
