import { unavailable } from '#base'
import type { Storage } from '#storage'

/** Works for so many writes and is dead from then on, as a process killed at that moment would leave it. */
export const dyingStorage = (storage: Storage, writes: number): Storage => {
  let left = writes
  const check = (): void => {
    if (left <= 0) throw unavailable('killed')
  }
  return {
    ...storage,
    name: storage.name,
    write: async (path, parts, signal) => {
      check()
      left -= 1
      await storage.write(path, parts, signal)
    },
    read: (path, range, signal) => storage.read(path, range, signal),
    stat: (path, signal) => storage.stat(path, signal),
    list: (folder, signal) => storage.list(folder, signal),
    remove: async (path, signal) => {
      check()
      await storage.remove(path, signal)
    },
    space: (signal) => storage.space(signal),
    [Symbol.asyncDispose]: async () => {},
  }
}
