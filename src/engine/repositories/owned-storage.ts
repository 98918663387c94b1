import type { Storage } from '#storage'
import type { OwnerLease } from './owner-lease.ts'

const LOCK = /(^|\/)locks\/[0-9a-f]+$/

/**
 * A place that only its owner writes to. Everybody reads. Whatever is at work when the place is lost ends at its next write.
 */
export const ownedStorage = (storage: Storage, lease: Pick<OwnerLease, 'require'>): Storage => ({
  get name() {
    return storage.name
  },
  // May appear later, when immutability is switched on.
  get retention() {
    return storage.retention!
  },
  write: async (path, parts, signal) => {
    await lease.require(signal)
    await storage.write(path, parts, signal)
  },
  remove: async (path, signal) => {
    // Who lost the place has to let go of its locks: they are in the way of the new owner.
    if (!LOCK.test(path)) await lease.require(signal)
    await storage.remove(path, signal)
  },
  read: (path, range, signal, into) => storage.read(path, range, signal, into),
  stat: (path, signal) => storage.stat(path, signal),
  list: (folder, signal) => storage.list(folder, signal),
  space: (signal) => storage.space(signal),
  [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
})
