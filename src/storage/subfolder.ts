import { checkFolder, checkPath } from './path.ts'
import { retentionThrough } from './retention.ts'
import type { Storage, StoredFile } from './storage.ts'

/** A folder of a storage as a storage of its own. Closing it leaves the whole open. */
export const subfolder = (storage: Storage, folder: string): Storage => {
  checkPath(folder)
  const prefix = `${folder}/`
  const inside = (path: string): string => {
    checkPath(path)
    return prefix + path
  }
  const outside = (file: StoredFile): StoredFile => ({ ...file, path: file.path.slice(prefix.length) })

  async function* list(below: string, signal?: AbortSignal): AsyncGenerator<StoredFile> {
    checkFolder(below)
    for await (const file of storage.list(below === '' ? folder : prefix + below, signal)) yield outside(file)
  }
  return {
    name: `${storage.name}, ${folder}`,
    write: async (path, parts, signal) => storage.write(inside(path), parts, signal),
    remove: async (path, signal) => storage.remove(inside(path), signal),
    read: async (path, range, signal, into) => storage.read(inside(path), range, signal, into),
    stat: async (path, signal) => {
      const file = await storage.stat(inside(path), signal)
      return file === undefined ? undefined : outside(file)
    },
    list,
    space: (signal) => storage.space(signal),
    ...retentionThrough(storage, { path: inside }),
    [Symbol.asyncDispose]: async () => {},
  }
}
