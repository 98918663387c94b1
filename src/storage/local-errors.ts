import { HoldfastError, type ErrorCode, isHoldfastError } from '#base'

const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'not-found',
  ENOTDIR: 'not-found',
  EISDIR: 'not-found',
  EEXIST: 'conflict',
  ENOSPC: 'full',
  EDQUOT: 'full',
  EFBIG: 'full',
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'denied',
  ENAMETOOLONG: 'invalid',
}

/** The file system's word for what went wrong, such as `ENOSPC`. */
export const systemCode = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

/** The same failure in our terms, with the path inside the storage and never the folder on the host. */
export const localError = (error: unknown, action: string, path: string): Error => {
  if (isHoldfastError(error)) return error
  if (error instanceof Error && error.name === 'AbortError') return error
  const code = systemCode(error)
  if (code === undefined) return error instanceof Error ? error : new Error(String(error))
  return new HoldfastError(CODES[code] ?? 'unavailable', `cannot ${action} ${path}: ${code}`, {
    reason: code,
  })
}
