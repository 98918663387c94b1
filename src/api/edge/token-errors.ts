import { HoldfastError } from '#base'
import type { ErrorAnswer } from './errors.ts'

/** The token endpoint speaks OAuth's words: `{error, error_description}`, and 400 for wrong credentials. */
export const tokenErrorAnswer = (error: HoldfastError): ErrorAnswer => {
  const retryAfter =
    error.retryAfterMs === undefined ? {} : { retryAfterSeconds: Math.ceil(error.retryAfterMs / 1000) }
  return {
    status: error.code === 'throttled' ? 429 : error.code === 'too-large' ? 413 : 400,
    body: { error: wordFor(error), error_description: error.message },
    isUnexpected: false,
    ...retryAfter,
  }
}

const wordFor = ({ code, property }: HoldfastError): string => {
  if (code === 'unauthenticated' || code === 'denied') return 'invalid_grant'
  if (code === 'throttled') return 'temporarily_unavailable'
  if (code === 'not-built' || property === 'grant_type') return 'unsupported_grant_type'
  return 'invalid_request'
}
