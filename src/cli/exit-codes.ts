import { isHoldfastError, type ErrorCode } from '#base'
import { ClientError } from '#client'

/** What a script sees. 0 is success; a job or restore that ended with warnings is 0 too, one that failed is 1. */
export const exitCodeOf = (error: unknown): number => {
  if (error instanceof ClientError) return ofStatus(error.status)
  if (isHoldfastError(error)) return OF_CODE[error.code]
  return 1
}

const ofStatus = (status: number): number => {
  if (status === 401 || status === 403) return 3
  if (status === 404) return 4
  if (status === 409) return 5
  if (status === 501) return 9
  if (status === 429 || status >= 500) return 6
  return 2
}

const OF_CODE: Record<ErrorCode, number> = {
  invalid: 2,
  unauthenticated: 3,
  denied: 3,
  'not-found': 4,
  gone: 4,
  conflict: 5,
  'too-large': 2,
  throttled: 6,
  unavailable: 6,
  timeout: 6,
  cancelled: 130,
  corrupt: 7,
  full: 8,
  'not-built': 9,
}
