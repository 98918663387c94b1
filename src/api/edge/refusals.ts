import { HoldfastError } from '#base'

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** TRACE would send a caller's own headers back; the others mean nothing here. */
export const isMethod = (method: string): boolean => METHODS.has(method)

export const methodNotAllowed = (method: string): HoldfastError =>
  new HoldfastError('invalid', `${method} is not possible at this address`, { reason: 'method-not-allowed' })

const RETRY_AFTER_MS = 5_000

/** No new work for now. */
export const overloaded = (): HoldfastError =>
  new HoldfastError('unavailable', 'the server has too much to do, try again soon', {
    reason: 'overloaded',
    retryAfterMs: RETRY_AFTER_MS,
  })
