import { isHoldfastError, messageOf, type Logger } from '#base'
import type { BlobId } from '#repository'

/** Undefined, with a warning, for what a damaged catalogue keeps from being read. */
export const unlessDamaged = async <Value>(
  log: Logger,
  tree: BlobId,
  read: () => Promise<Value>,
): Promise<Value | undefined> => {
  try {
    return await read()
  } catch (error) {
    if (!isHoldfastError(error, 'corrupt') && !isHoldfastError(error, 'not-found')) throw error
    log.warn({ stateTree: tree, reason: messageOf(error) }, 'catalogue of an object cannot be read')
    return undefined
  }
}
