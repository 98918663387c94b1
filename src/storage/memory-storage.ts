import { conflict, notFound } from '#base'
import { checkFolder, checkPath } from './path.ts'
import type { Storage, StoredFile } from './storage.ts'

/** Files in memory, gone with the process. For tests. */
export const memoryStorage = (name = 'memory'): Storage => new MemoryStorage(name)

class MemoryStorage implements Storage {
  readonly name: string
  readonly #files = new Map<string, Uint8Array>()

  constructor(name: string) {
    this.name = name
  }

  async write(path: string, parts: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    checkPath(path)
    signal?.throwIfAborted()
    if (this.#files.has(path)) throw conflict(`${path} is stored already`)
    this.#files.set(path, Uint8Array.from(Buffer.concat(parts)))
  }

  async read(
    path: string,
    range?: { readonly offset: number; readonly length: number },
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    checkPath(path)
    signal?.throwIfAborted()
    const bytes = this.#files.get(path)
    if (bytes === undefined) throw notFound(`${path} is not stored`)
    return range === undefined ? bytes.slice() : bytes.slice(range.offset, range.offset + range.length)
  }

  async stat(path: string, signal?: AbortSignal): Promise<StoredFile | undefined> {
    checkPath(path)
    signal?.throwIfAborted()
    const bytes = this.#files.get(path)
    return bytes === undefined ? undefined : { path, sizeBytes: bytes.length }
  }

  async *list(folder: string, signal?: AbortSignal): AsyncGenerator<StoredFile> {
    checkFolder(folder)
    const prefix = folder === '' ? '' : `${folder}/`
    for (const [path, bytes] of [...this.#files]) {
      signal?.throwIfAborted()
      if (path.startsWith(prefix)) yield { path, sizeBytes: bytes.length }
    }
  }

  async remove(path: string, signal?: AbortSignal): Promise<void> {
    checkPath(path)
    signal?.throwIfAborted()
    this.#files.delete(path)
  }

  async space(): Promise<undefined> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}
