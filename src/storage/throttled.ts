import type { Bandwidth } from './bandwidth.ts'
import { retentionThrough } from './retention.ts'
import type { Storage } from './storage.ts'

/** Reads and writes within a bandwidth that others may share. Listing and removing are free. */
export const throttled = (storage: Storage, bandwidth: Bandwidth): Storage => ({
  name: storage.name,
  write: async (path, parts, signal) => {
    await bandwidth.spend(
      parts.reduce((sum, part) => sum + part.length, 0),
      signal,
    )
    await storage.write(path, parts, signal)
  },
  read: async (path, range, signal) => {
    const bytes = await storage.read(path, range, signal)
    await bandwidth.spend(bytes.length, signal)
    return bytes
  },
  remove: (path, signal) => storage.remove(path, signal),
  stat: (path, signal) => storage.stat(path, signal),
  list: (folder, signal) => storage.list(folder, signal),
  space: (signal) => storage.space(signal),
  ...retentionThrough(storage),
  [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
})
