import { denied } from '#base'
import { retentionThrough } from './retention.ts'
import type { Storage } from './storage.ts'

/** Refuses to write and to remove with `denied`. */
export const readOnly = (storage: Storage): Storage => ({
  name: storage.name,
  write: async (path) => {
    throw denied(`${path} is not written: the storage is read-only`)
  },
  remove: async (path) => {
    throw denied(`${path} is not removed: the storage is read-only`)
  },
  read: (path, range, signal, into) => storage.read(path, range, signal, into),
  stat: (path, signal) => storage.stat(path, signal),
  list: (folder, signal) => storage.list(folder, signal),
  space: (signal) => storage.space(signal),
  ...retentionThrough(storage, {
    extend: async (path) => {
      throw denied(`${path} is left as it is: the storage is read-only`)
    },
  }),
  [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
})
