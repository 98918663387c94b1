import type { Storage } from '#storage'

/** Counts what is written through it. */
export class StorageCount {
  bytes = 0
  files = 0

  over(storage: Storage): Storage {
    return {
      ...storage,
      name: storage.name,
      write: async (path, parts, signal) => {
        await storage.write(path, parts, signal)
        const stored = await storage.stat(path)
        this.files += 1
        this.bytes += stored?.sizeBytes ?? 0
      },
      read: (path, range, signal) => storage.read(path, range, signal),
      stat: (path, signal) => storage.stat(path, signal),
      list: (folder, signal) => storage.list(folder, signal),
      remove: (path, signal) => storage.remove(path, signal),
      space: (signal) => storage.space(signal),
      [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
    }
  }
}
