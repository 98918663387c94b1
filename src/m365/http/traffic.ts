/** Counts what one application exchanges with one tenant. */
export class TrafficCounter {
  requests = 0
  throttled = 0
  retried = 0
  waitedMs = 0
  receivedBytes = 0
  sentBytes = 0

  snapshot(): Traffic {
    const { requests, throttled, retried, waitedMs, receivedBytes, sentBytes } = this
    return { requests, throttled, retried, waitedMs, receivedBytes, sentBytes }
  }
}

export interface Traffic {
  readonly requests: number
  readonly throttled: number
  readonly retried: number
  /** Spent in pauses, allowances and back-off, summed over calls. */
  readonly waitedMs: number
  /** Bodies as they travelled, compressed or not. */
  readonly receivedBytes: number
  readonly sentBytes: number
}
