import { type HoldfastError, isHoldfastError } from '#base'

/** What a disk says whose medium or file system is damaged. */
const DISK_DAMAGE = new Set(['EIO', 'EBADMSG', 'EUCLEAN'])

/** Whether a file itself is damaged. A storage that only does not answer says nothing about it. */
export const isDamage = (error: unknown): error is HoldfastError =>
  isHoldfastError(error, 'corrupt') ||
  (isHoldfastError(error, 'unavailable') && DISK_DAMAGE.has(error.reason ?? ''))
