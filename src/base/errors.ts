/** What went wrong, in our terms. The REST edge maps a code to a status, the CLI to an exit code. */
export type ErrorCode =
  | 'invalid' // the caller's input is wrong; `property` names where
  | 'unauthenticated' // no or no longer valid credentials
  | 'denied' // known caller, not allowed
  | 'not-found'
  | 'gone' // it was there and has ended: a restore session
  | 'conflict' // the state does not allow it
  | 'too-large'
  | 'throttled' // too many calls; `retryAfterMs` says when
  | 'unavailable' // a system that we need does not answer as it should; may pass
  | 'timeout'
  | 'cancelled' // stopped by a person or a shutdown
  | 'corrupt' // stored data is not what was written
  | 'full' // no space left
  | 'not-built' // Holdfast cannot do this yet

export interface ErrorDetails extends ErrorOptions {
  /** The property of the input that is wrong, as a path: `exchangeOnlineSettings.account`. */
  readonly property?: string
  /** Milliseconds until a repeat makes sense. */
  readonly retryAfterMs?: number
  /** A short word that programs may branch on, such as `AADSTS7000215` or `MailboxNotEnabledForRESTAPI`. */
  readonly reason?: string
}

/** The one error class inside Holdfast. The message is for people and holds no secret, no token, no host path. */
export class HoldfastError extends Error {
  override name = 'HoldfastError'
  readonly code: ErrorCode
  readonly property: string | undefined
  readonly retryAfterMs: number | undefined
  readonly reason: string | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.property = details.property
    this.retryAfterMs = details.retryAfterMs
    this.reason = details.reason
  }
}

export const invalid = (message: string, property?: string): HoldfastError =>
  new HoldfastError('invalid', message, property === undefined ? {} : { property })
export const notFound = (message: string): HoldfastError => new HoldfastError('not-found', message)
export const conflict = (message: string): HoldfastError => new HoldfastError('conflict', message)
export const denied = (message: string): HoldfastError => new HoldfastError('denied', message)
export const notBuilt = (message: string): HoldfastError => new HoldfastError('not-built', message)
export const unavailable = (message: string, cause?: unknown): HoldfastError =>
  new HoldfastError('unavailable', message, { cause })
export const cancelled = (message = 'stopped'): HoldfastError => new HoldfastError('cancelled', message)
export const corrupt = (message: string, cause?: unknown): HoldfastError =>
  new HoldfastError('corrupt', message, { cause })

export const isHoldfastError = (error: unknown, code?: ErrorCode): error is HoldfastError =>
  error instanceof HoldfastError && (code === undefined || error.code === code)

/** A line for a person, whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
